"""One service over HTTP: requests out, answers and problems back, each kind once."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError
from tenacity import AsyncRetrying, Retrying

from gridtally.client.downloads import AsyncDownload, Download
from gridtally.client.problems import ServiceAway, UnreadableAnswer, problem_of
from gridtally.client.requests import Request, request_of
from gridtally.client.retries import Retries

Answer = TypeVar("Answer")
Item_co = TypeVar("Item_co", covariant=True)


class Page(Protocol[Item_co]):
    """A part of a list, and the cursor of the next one."""

    @property
    def items(self) -> Sequence[Item_co]: ...
    @property
    def next_cursor(self) -> str | None: ...


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(kind: Any, content: bytes) -> Any:
    try:
        return _adapter(kind).validate_json(content)
    except ValidationError as failure:
        raise UnreadableAnswer(str(failure)) from failure


class Operations:
    """The operations of one service, each of which waits for its answer."""

    def __init__(self, service: str, http: httpx.Client, retries: Retries) -> None:
        self._service = service
        self._http = http
        self._retries = retries

    def _send(self, request: Request) -> httpx.Response:
        def attempt() -> httpx.Response:
            answer = self._http.send(self._built(request))
            if answer.is_error:
                raise problem_of(answer.status_code, answer.headers, answer.content)
            return answer

        try:
            return Retrying(**self._retries.policy(request))(attempt)
        except httpx.TransportError as failure:
            raise _away(self._service, failure) from failure

    def _built(self, request: Request) -> httpx.Request:
        return self._http.build_request(**_arguments(request))

    def _call(self, kind: type[Answer], method: str, path: str, **how: Any) -> Answer:
        answer: Answer = _read(kind, self._send(request_of(method, path, **how)).content)
        return answer

    def _do(self, method: str, path: str, **how: Any) -> None:
        self._send(request_of(method, path, **how))

    def _pages(
        self,
        kind: type[Page[Answer]],
        method: str,
        path: str,
        *,
        query: Mapping[str, object],
        **how: Any,
    ) -> Iterator[Answer]:
        cursor: str | None = None
        while True:
            asked = {**query, "cursor": cursor}
            page = self._call(kind, method, path, query=asked, **how)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    @contextmanager
    def _download(self, method: str, path: str, **how: Any) -> Iterator[Download]:
        request = request_of(method, path, **how)

        def attempt() -> httpx.Response:
            answer = self._http.send(self._built(request), stream=True)
            if answer.is_error:
                try:
                    raise problem_of(answer.status_code, answer.headers, answer.read())
                finally:
                    answer.close()
            return answer

        try:
            answer = Retrying(**self._retries.policy(request))(attempt)
            try:
                yield Download(answer)
            finally:
                answer.close()
        except httpx.TransportError as failure:
            raise _away(self._service, failure) from failure


class AsyncOperations:
    """The same for an event loop."""

    def __init__(self, service: str, http: httpx.AsyncClient, retries: Retries) -> None:
        self._service = service
        self._http = http
        self._retries = retries

    async def _send(self, request: Request) -> httpx.Response:
        async def attempt() -> httpx.Response:
            answer = await self._http.send(self._built(request))
            if answer.is_error:
                raise problem_of(answer.status_code, answer.headers, answer.content)
            return answer

        try:
            return await AsyncRetrying(**self._retries.policy(request))(attempt)
        except httpx.TransportError as failure:
            raise _away(self._service, failure) from failure

    def _built(self, request: Request) -> httpx.Request:
        return self._http.build_request(**_arguments(request))

    async def _call(self, kind: type[Answer], method: str, path: str, **how: Any) -> Answer:
        answer: Answer = _read(kind, (await self._send(request_of(method, path, **how))).content)
        return answer

    async def _do(self, method: str, path: str, **how: Any) -> None:
        await self._send(request_of(method, path, **how))

    async def _pages(
        self,
        kind: type[Page[Answer]],
        method: str,
        path: str,
        *,
        query: Mapping[str, object],
        **how: Any,
    ) -> AsyncIterator[Answer]:
        cursor: str | None = None
        while True:
            asked = {**query, "cursor": cursor}
            page = await self._call(kind, method, path, query=asked, **how)
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    @asynccontextmanager
    async def _download(self, method: str, path: str, **how: Any) -> AsyncIterator[AsyncDownload]:
        request = request_of(method, path, **how)

        async def attempt() -> httpx.Response:
            answer = await self._http.send(self._built(request), stream=True)
            if answer.is_error:
                try:
                    raise problem_of(answer.status_code, answer.headers, await answer.aread())
                finally:
                    await answer.aclose()
            return answer

        try:
            answer: httpx.Response = await AsyncRetrying(**self._retries.policy(request))(attempt)
            try:
                yield AsyncDownload(answer)
            finally:
                await answer.aclose()
        except httpx.TransportError as failure:
            raise _away(self._service, failure) from failure


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.path,
        "params": request.query,
        "headers": request.headers,
        "content": request.content,
    }


def _away(service: str, failure: httpx.TransportError) -> ServiceAway:
    return ServiceAway(f"{service} does not answer: {failure!r}")
