"""The services' HTTP APIs as the command meets them: our client, with errors for a terminal.

Owns how a refusal becomes one sentence. Where the services are is the caller's business
(`gridtally.cli.installation`).
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from gridtally.cli.errors import CommandError, ServiceAway
from gridtally.client import AsyncClient, AsyncDownload, ClientError, NotNow, Problem, Retries
from gridtally.client import ServiceAway as NobodyAnswers

RETRIES = Retries(attempts=3)
"""A second in all: somebody waits at the terminal."""

Json = dict[str, Any]


class Api:
    """Calls to the services, all with one bearer token; CommandError where one says no."""

    def __init__(
        self,
        urls: Mapping[str, str],
        token: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` stands in for the network."""
        self._client = AsyncClient(urls, token, retries=RETRIES, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def get(self, service: str, path: str, **query: Any) -> Json:
        """What is there."""
        return await self.call(service, "GET", path, query=query)

    async def post(self, service: str, path: str, body: Any = None) -> Json:
        """The answer to a new thing."""
        return await self.call(service, "POST", path, json_body=body)

    async def items(self, service: str, path: str, **query: Any) -> AsyncIterator[Json]:
        """Every item of a paged listing."""
        with _said(service, "GET", path):
            async for item in self._client.untyped(service).items(path, query=query):
                yield item

    @asynccontextmanager
    async def download(self, service: str, path: str, **query: Any) -> AsyncIterator[AsyncDownload]:
        """A long answer, as a file or as a stream of events."""
        with _said(service, "GET", path):
            async with self._client.untyped(service).download(path, query=query) as answer:
                yield answer

    async def stream(self, service: str, path: str, **query: Any) -> AsyncIterator[bytes]:
        """The body of a long answer, piece by piece."""
        async with self.download(service, path, **query) as answer:
            async for chunk in answer:
                yield chunk

    async def call(self, service: str, method: str, path: str, **how: Any) -> Json:
        """One request; the JSON of its answer (empty where there is none)."""
        with _said(service, method, path):
            return await self._client.untyped(service).call(method, path, **how)


@contextmanager
def _said(service: str, method: str, path: str) -> Iterator[None]:
    """The client's errors as a person at a terminal reads them."""
    try:
        yield
    except Problem as problem:
        faults = [f"{fault.pointer or fault.parameter} {fault.detail}" for fault in problem.errors]
        # what is no problem document, as of a proxy in between, has but a status
        said_nothing = problem.code == f"http_{problem.status}"
        detail = f"status {problem.status}" if said_nothing else problem.detail
        reason = "; ".join([detail, *faults])
        kind = ServiceAway if isinstance(problem, NotNow) else CommandError
        raise kind(f"{service} refused {method} {path}: {reason}") from problem
    except NobodyAnswers as failure:
        raise ServiceAway(str(failure)) from failure
    except ClientError as failure:
        raise CommandError(f"{service} answered {method} {path} strangely: {failure}") from failure
