"""Tables as answers: files that are sent while they are written.

Owns how many exports are under way at once, of all tenants and of one, and what an interrupted one
looks like to the client. The formats and the file on disk are `gridtally.exports`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager

from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gridtally.exports.columns import Column, Format
from gridtally.exports.export import Fill, file_chunks
from gridtally.exports.growing_file import GrowingFile, Scratch
from gridtally.http.problems import HttpRefusal

Chunks = AsyncGenerator[bytes, None]

EXPORTS_MAX = 16
"""At once, of one process; each may hold a connection to the database."""
EXPORTS_OF_TENANT_MAX = 4
RETRY_AFTER_S = 10


class Exporter:
    """Makes the exports of one process; `scratch_bytes_max` is what they may hold on disk."""

    def __init__(self, scratch_bytes_max: int) -> None:
        self.scratch = Scratch(scratch_bytes_max)
        self._under_way: Counter[str] = Counter()

    async def export(
        self, tenant_id: str, name: str, format_: Format, columns: Sequence[Column], fill: Fill
    ) -> StreamingResponse:
        """The answer that sends a table as a file called `name`.

        What goes wrong before there is a first row is raised here; what goes wrong later breaks the
        connection off, so that no half file looks whole. HttpRefusal 503 while too many run,
        Transient where they fill the disk that they may.
        """
        chunks = file_chunks(self.scratch, format_, columns, fill)
        return await self.stream(
            tenant_id, chunks, _media_type(format_), filename=f"{name}.{format_}"
        )

    async def stream(
        self, tenant_id: str, chunks: Chunks, media_type: str, *, filename: str | None = None
    ) -> StreamingResponse:
        """The answer that sends chunks, at least one, as they are made; one is in memory.

        They count as an export: what `chunks` holds while it waits for the client must be little,
        and no snapshot. Errors are as those of `export`.
        """
        held = self._held(tenant_id, chunks)
        first = await anext(held)
        return _FileResponse(first, held, media_type, filename=filename)

    async def _held(self, tenant_id: str, made: Chunks) -> Chunks:
        with self._slot(tenant_id):
            async with aclosing(made) as chunks:
                async for chunk in chunks:
                    yield chunk

    @contextmanager
    def _slot(self, tenant_id: str) -> Iterator[None]:
        """One of the exports that may run at once, and that a tenant may have among them."""
        of_tenant = self._under_way[tenant_id]
        if of_tenant >= EXPORTS_OF_TENANT_MAX or self._under_way.total() >= EXPORTS_MAX:
            detail = "too many exports are under way; ask again when some have been fetched"
            raise HttpRefusal(503, "too_many_exports", detail, {"Retry-After": str(RETRY_AFTER_S)})
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            self._under_way += Counter()  # drops the tenants that have none


def _media_type(format_: Format) -> str:
    match format_:
        case "csv":
            return "text/csv; charset=utf-8; header=present"
        case "parquet":
            return "application/vnd.apache.parquet"
        case "xlsx":
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _FileResponse(StreamingResponse):
    """Ends what fills the file when the client goes away."""

    def __init__(self, first: bytes, rest: Chunks, media_type: str, filename: str | None) -> None:
        self._rest = rest

        async def whole() -> AsyncIterator[bytes]:
            yield first
            async for chunk in rest:
                yield chunk

        attached = f'attachment; filename="{filename}"'
        headers = {} if filename is None else {"Content-Disposition": attached}
        super().__init__(whole(), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


class SpooledAnswer:
    """An answer that grows, on disk, while its request is still read.

    Many clients read no answer before they have sent all of a body, so it cannot be sent as it
    grows, and it may be longer than memory.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._file = GrowingFile(scratch)
        self._is_answered = False

    @asynccontextmanager
    async def unless_answered(self) -> AsyncIterator[None]:
        """Removes the file at the end of the block, unless `response` was made in it."""
        try:
            yield
        finally:
            if not self._is_answered:
                self._file.close()

    async def write(self, text: bytes) -> None:
        """Append; Transient where the scratch space is used up."""
        await asyncio.to_thread(self._file.write, text)

    def response(self, status: int, media_type: str, head: bytes, tail: bytes) -> Response:
        """The answer: what was written, between `head` and `tail`."""
        self._is_answered = True
        return _SpooledResponse(self._chunks(head, tail), status, media_type)

    async def _chunks(self, head: bytes, tail: bytes) -> Chunks:
        try:
            yield head
            sent_bytes = 0
            while chunk := await asyncio.to_thread(self._file.read_from, sent_bytes):
                sent_bytes += len(chunk)
                yield chunk
            yield tail
        finally:
            self._file.close()


class _SpooledResponse(StreamingResponse):
    """Removes the file when the client goes away."""

    def __init__(self, chunks: Chunks, status: int, media_type: str) -> None:
        self._chunks = chunks
        super().__init__(chunks, status, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)
