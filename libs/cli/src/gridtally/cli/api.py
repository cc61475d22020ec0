"""The services' HTTP APIs as the command meets them: by URL, with a key, in JSON.

Owns how an answer that says no becomes one sentence. Where the services are is the caller's
business (`gridtally.cli.installation`).
"""

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from gridtally.cli.errors import CommandError, ServiceAway

TIMEOUT_S = 60.0
PAGE_ITEMS = 500

Json = dict[str, Any]


class Api:
    """Calls to the services, all with one bearer token."""

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._clients = {
            name: httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)
            for name, url in urls.items()
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def get(self, service: str, path: str, **params: Any) -> Json:
        """What is there; CommandError when the service says no or is away."""
        return await self.call(service, "GET", path, params=params)

    async def post(self, service: str, path: str, body: Any = None) -> Json:
        """The answer to a new thing."""
        return await self.call(service, "POST", path, json=body)

    async def items(self, service: str, path: str, **params: Any) -> AsyncIterator[Json]:
        """Every item of a paged listing."""
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(service, path, limit=PAGE_ITEMS, **params, **cursor)
            for item in page["items"]:
                yield item
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    async def stream(self, service: str, path: str, **params: Any) -> AsyncIterator[bytes]:
        """The body of a long answer, piece by piece; CommandError where it is no or breaks off."""
        try:
            async with self._clients[service].stream("GET", path, params=params) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise CommandError(f"{service} refused GET {path}: {_reason(answer)}")
                async for chunk in answer.aiter_bytes():
                    yield chunk
        except httpx.HTTPError as failure:
            raise ServiceAway(f"{service} does not answer: {failure!r}") from failure

    async def call(self, service: str, method: str, path: str, **how: Any) -> Json:
        """One request; the JSON of its answer (empty where there is none)."""
        try:
            answer = await self._clients[service].request(method, path, **how)
        except httpx.HTTPError as failure:
            raise ServiceAway(f"{service} does not answer: {failure!r}") from failure
        if answer.is_error:
            raise CommandError(f"{service} refused {method} {path}: {_reason(answer)}")
        return answer.json() if answer.content else {}


def _reason(answer: httpx.Response) -> str:
    """The problem's sentence with its faults, or the bare status."""
    if "problem+json" not in answer.headers.get("content-type", ""):
        return f"status {answer.status_code}"
    problem = answer.json()
    errors = [
        f"{error.get('pointer') or error.get('parameter')} {error['detail']}"
        for error in problem["errors"]
    ]
    return "; ".join([problem["detail"], *errors])
