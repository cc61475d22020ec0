"""The services as a page asks them: by HTTP, with the key of the session, within a time limit.

Owns how an answer that says no, or does not come, becomes a `Failure` that a panel shows. Decimals
of an answer stay decimals. Refuses to keep anything but names for a minute, each under its own key.
"""

import json
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from gridtally.client import FieldError
from gridtally.client.problems import problem_of

Json = dict[str, Any]
NAMES_MAX = 20_000
NAME_TTL_S = 60.0
CONNECTIONS_MAX = 100
FILE_LIMIT_S = 60.0
"""For each piece of a file, which may be long in the making."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a service said instead of an answer; `status` is None where it did not answer."""

    service: str
    status: int | None
    code: str
    detail: str
    correlation_id: str
    errors: tuple[FieldError, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such thing, for this key: an id of another tenant looks the same."""
        return self.status == 404 or (self.status == 422 and self.code == "invalid_request")

    @property
    def by_field(self) -> dict[str, str]:
        """What is wrong with a field of a form, by its name: the last part of the pointer."""
        return {(error.pointer or "").rpartition("/")[2]: error.detail for error in self.errors}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: `data`, or a `failure`."""

    data: Any = None
    failure: Failure | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ok(self) -> bool:
        """Whether there is data."""
        return self.failure is None

    @property
    def items(self) -> list[Json]:
        """The items of a page; none where it failed."""
        found: list[Json] = self.data["items"] if self.data else []
        return found


class SignInNeeded(Exception):
    """There is no session, or its key is no longer in force."""


class PortalOnly(Exception):
    """A customer asks for a page of the staff's."""


class PageRefusal(Exception):
    """What a page is about cannot be shown."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Upstream:
    """Calls to the services, over connections that all sessions share."""

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        limit_s: float,
        trusted: ssl.SSLContext | bool = True,
        transports: Mapping[str, httpx.AsyncBaseTransport] = MappingProxyType({}),
    ) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
        self._clients = {
            service: httpx.AsyncClient(
                base_url=url,
                timeout=limit_s,
                limits=limits,
                transport=transports.get(service),
                verify=trusted,
                trust_env=False,
            )
            for service, url in urls.items()
        }
        self._names: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    @property
    def services(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._clients)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        key: str,
        correlation_id: str,
        params: Mapping[str, Any] = MappingProxyType({}),
        body: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """One request. Parameters without a value are left out. Never raises but for a bug."""
        sent = {"Authorization": f"Bearer {key}", "X-Correlation-Id": correlation_id, **headers}
        if _leads_elsewhere(path):
            return Answer(failure=_no_such_path(service, correlation_id))
        try:
            response = await self._clients[service].request(
                method,
                quote(path),
                params={name: value for name, value in params.items() if value not in (None, "")},
                json=body,
                headers=sent,
            )
        except httpx.HTTPError as failure:
            log.warning("service away", upstream=service, path=path, reason=repr(failure))
            detail = f"{service} does not answer"
            return Answer(failure=Failure(service, None, "unavailable", detail, correlation_id))
        if response.is_error:
            return Answer(failure=_failure(service, response, correlation_id))
        if not response.content:
            return Answer(data={}, headers=response.headers)
        return Answer(data=_parsed(response.content), headers=response.headers)

    async def open_file(
        self,
        service: str,
        path: str,
        *,
        key: str,
        correlation_id: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> httpx.Response:
        """A GET whose body is still to be read; whoever opens it closes it.

        PageRefusal where the service refuses or is away.
        """
        if _leads_elsewhere(path):
            raise PageRefusal(_no_such_path(service, correlation_id))
        client = self._clients[service]
        asked = client.build_request(
            "GET",
            quote(path),
            params={name: value for name, value in params.items() if value not in (None, "")},
            headers={
                "Authorization": f"Bearer {key}",
                "X-Correlation-Id": correlation_id,
                **headers,
            },
            timeout=FILE_LIMIT_S,
        )
        try:
            response = await client.send(asked, stream=True)
            if response.is_error:
                await response.aread()
                raise PageRefusal(_failure(service, response, correlation_id))
        except httpx.HTTPError as failure:
            detail = f"{service} does not answer"
            away = Failure(service, None, "unavailable", detail, correlation_id)
            raise PageRefusal(away) from failure
        return response

    def known_name(self, asker: str, path: str) -> str | None:
        """The name that something had for this asker, a key or its customer, within a minute."""
        known = self._names.get((asker, path))
        return known[1] if known and time.monotonic() < known[0] else None

    def learn_name(self, asker: str, path: str, name: str) -> None:
        """Keep a name for a minute."""
        self._names[asker, path] = (time.monotonic() + NAME_TTL_S, name)
        self._names.move_to_end((asker, path))
        if len(self._names) > NAMES_MAX:
            self._names.popitem(last=False)


def _leads_elsewhere(path: str) -> bool:
    """Whether a part of the path, which may come from a page's address, is one that names another
    path; what else it may hold is quoted."""
    return not {".", ".."}.isdisjoint(path.split("/"))


def _no_such_path(service: str, correlation_id: str) -> Failure:
    return Failure(service, 404, "not_found", "there is no such path", correlation_id)


def _parsed(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)


def _failure(service: str, response: httpx.Response, correlation_id: str) -> Failure:
    problem = problem_of(response.status_code, response.headers, response.content)
    return Failure(
        service, problem.status, problem.code, problem.detail, correlation_id, problem.errors
    )
