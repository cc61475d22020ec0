"""Calls by method and path, in JSON as it came: for programs that pass on what they do not read."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from gridtally.client.downloads import AsyncDownload
from gridtally.client.problems import UnreadableAnswer
from gridtally.client.requests import Content, request_of
from gridtally.client.transports import AsyncOperations

Json = dict[str, Any]
PAGE_ITEMS = 500
CREATED = 201
NOTHING: Mapping[str, object] = MappingProxyType({})


class AsyncUntyped(AsyncOperations):
    """One service. Retries and problems are those of the typed operations.

    Of a query what is None is left out. A path is sent as it is: quote what is not known to be a
    plain word or an id.
    """

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] = NOTHING,
        json_body: object = None,
        content: Content | None = None,
        content_type: str = "application/json",
        if_match: int | str | None = None,
    ) -> Json:
        """The object that is answered, empty where there is no body; of bodies either `json_body`
        or `content` as it is. `if_match` is the version that is changed. Problem, ServiceAway,
        UnreadableAnswer."""
        body = content if json_body is None else json.dumps(json_body).encode()
        answer = await self._send(
            request_of(
                method, path, query=query, body=body, content_type=content_type, if_match=if_match
            )
        )
        return _object(answer.content, f"{method} {path}")

    async def create(self, path: str, body: BaseModel) -> tuple[Json, bool]:
        """POST something under an idempotency key of its own: what is answered, and whether
        something is new (201) or all of it was there already (200)."""
        answer = await self._send(request_of("POST", path, body=body, once=True))
        read = _object(answer.content, f"POST {path}")
        return read, answer.status_code == CREATED

    async def items(
        self, path: str, *, query: Mapping[str, object] = NOTHING
    ) -> AsyncIterator[Json]:
        """Every item of a listing, page by page."""
        cursor: str | None = None
        while True:
            asked = {"limit": PAGE_ITEMS, **query, "cursor": cursor}
            page = await self.call("GET", path, query=asked)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def download(
        self, path: str, *, query: Mapping[str, object] = NOTHING
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """A long answer, piece by piece."""
        return self._download("GET", path, query=query)


def _object(content: bytes, call: str) -> Json:
    try:
        read = json.loads(content or b"{}")
    except ValueError as failure:
        raise UnreadableAnswer(f"{call}: {failure}") from failure
    if not isinstance(read, dict):
        raise UnreadableAnswer(f"{call}: the answer is no object")
    return read
