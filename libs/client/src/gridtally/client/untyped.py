"""Calls by method and path, in JSON as it came: for programs that pass on what they do not read."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any

from gridtally.client.downloads import AsyncDownload
from gridtally.client.problems import UnreadableAnswer
from gridtally.client.requests import Content, request_of
from gridtally.client.transports import AsyncOperations

Json = dict[str, Any]
PAGE_ITEMS = 500
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
    ) -> Json:
        """The object that is answered, empty where there is no body; of bodies either `json_body`
        or `content` as it is. Problem, ServiceAway, UnreadableAnswer."""
        body = content if json_body is None else json.dumps(json_body).encode()
        answer = await self._send(
            request_of(method, path, query=query, body=body, content_type=content_type)
        )
        try:
            read = json.loads(answer.content or b"{}")
        except ValueError as failure:
            raise UnreadableAnswer(f"{method} {path}: {failure}") from failure
        if not isinstance(read, dict):
            raise UnreadableAnswer(f"{method} {path}: the answer is no object")
        return read

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
