"""Tables as files: CSV, Parquet and Excel, sent while they are written.

Whoever exports says the columns and fills them, in rows or in lines of CSV as PostgreSQL's COPY
writes them. However many there are, one batch is in memory: the file grows on disk as quickly as it
is filled, and whoever fetches it follows. So a slow client holds neither memory nor a transaction;
one that goes away ends the filling. How many are under way at once, and what they hold on disk
together, is bounded by the `Exporter` of the process. Refuses floats: decimals stay decimals, in
Parquet too.
"""

import asyncio
import io
import os
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, get_args

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from kernel.errors import Transient
from serving.problems import Refusal

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.columnar import File

Format = Literal["csv", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
Kind = Literal["text", "id", "instant", "day", "decimal", "whole", "truth"]
Row = Sequence[object]
Chunks = AsyncGenerator[bytes, None]

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHUNK_BYTES = 256 * 1024
"""What is sent at once."""
BATCH_BYTES = 256 * 1024
"""Of lines of CSV: so many are taken together."""
EXPORTS_MAX = 16
"""At once, of one process; each may hold a connection to the database."""
EXPORTS_OF_TENANT_MAX = 4
RETRY_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and what its cells are."""

    name: str
    kind: Kind = "text"


class Export:
    """A file that is being filled, by one task."""

    def __init__(self, columns: Sequence[Column], file: "File") -> None:
        self._columns = columns
        self._file = file
        self._lines: list[bytes] = []
        self._bytes_left = 0
        self._open = True
        self._writing = Lock()  # a thread goes on when the task that waits for it is cancelled
        self.grown = asyncio.Event()

    async def take_rows(self, rows: Sequence[Row]) -> None:
        """Add rows that were made in Python."""
        from serving.columnar import of_rows

        await self._take(lambda: of_rows(self._columns, rows))

    async def take_csv(self, lines: bytes) -> None:
        """Add whole lines of CSV; the first go on at once, the others some together."""
        self._lines.append(lines)
        self._bytes_left -= len(lines)
        if self._bytes_left < 0:
            await self.flush()

    async def flush(self) -> None:
        """Add the lines that wait."""
        from serving.columnar import of_csv

        lines, self._lines = b"".join(self._lines), []
        self._bytes_left = BATCH_BYTES
        if lines:
            await self._take(lambda: of_csv(self._columns, lines))

    async def close(self) -> None:
        """Write what comes last, unless that was done."""
        await asyncio.to_thread(self._close)

    async def _take(self, made: "Callable[[], pa.RecordBatch]") -> None:
        await asyncio.to_thread(self._write, made)
        self.grown.set()

    def _write(self, made: "Callable[[], pa.RecordBatch]") -> None:
        with self._writing:
            self._file.write(made())

    def _close(self) -> None:
        with self._writing:
            if self._open:
                self._open = False
                self._file.close()


Fill = Callable[[Export], Awaitable[None]]


class Exporter:
    """Makes the exports of one process; `scratch_bytes_max` is what they may hold on disk."""

    def __init__(self, scratch_bytes_max: int) -> None:
        self._scratch = _Scratch(scratch_bytes_max)
        self._under_way: Counter[str] = Counter()

    async def export(
        self, tenant_id: str, name: str, format_: Format, columns: Sequence[Column], fill: Fill
    ) -> StreamingResponse:
        """The answer that sends a table as a file called `name`.

        What goes wrong before there is a first row is raised here; what goes wrong later breaks the
        connection off, so that no half file looks whole. Refusal 503 while too many are under way,
        Transient where they fill the disk that they may.
        """
        chunks = self._chunks(tenant_id, format_, columns, fill)
        first = await anext(chunks)
        return _File(
            first,
            chunks,
            media_type=MEDIA_TYPES[format_],
            headers={"Content-Disposition": f'attachment; filename="{name}.{format_}"'},
        )

    async def _chunks(
        self, tenant_id: str, format_: Format, columns: Sequence[Column], fill: Fill
    ) -> Chunks:
        """What is written, as soon as it is."""
        with self._place(tenant_id):
            spool = _Spool(self._scratch)
            file = Export(columns, await asyncio.to_thread(_file, format_, spool, columns))
            task = asyncio.create_task(_filled(spool, file, fill))
            task.add_done_callback(lambda _: file.grown.set())
            sent = 0
            try:
                await file.grown.wait()
                while True:
                    whole = spool.whole
                    if task.done():
                        task.result()
                    file.grown.clear()
                    if chunk := await asyncio.to_thread(spool.read_from, sent):
                        sent += len(chunk)
                        yield chunk
                    elif whole:
                        return
                    else:
                        await file.grown.wait()
            finally:
                task.cancel()
                await asyncio.wait([task])

    @contextmanager
    def _place(self, tenant_id: str) -> Iterator[None]:
        """One of the places that there are, and that a tenant may have."""
        of_tenant = self._under_way[tenant_id]
        if of_tenant >= EXPORTS_OF_TENANT_MAX or self._under_way.total() >= EXPORTS_MAX:
            said = "too many exports are under way; ask again when some have been fetched"
            raise Refusal(503, "too_many_exports", said, {"Retry-After": str(RETRY_AFTER_S)})
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            self._under_way += Counter()  # forgets those that have none


async def _filled(spool: "_Spool", file: Export, fill: Fill) -> None:
    """Fill a file and keep it until cancelled, which is when nobody reads it any more.

    In a task of its own: while a request is cancelled, it cannot wait for anything.
    """
    try:
        await fill(file)
        await file.flush()
        await file.close()
        spool.whole = True
        file.grown.set()
        await asyncio.Event().wait()
    finally:
        if not spool.whole:
            spool.discards = True
            await file.close()
        spool.close()


class _File(StreamingResponse):
    """Ends what fills the file when the client goes away."""

    def __init__(self, first: bytes, rest: Chunks, **told: Any) -> None:
        self._rest = rest

        async def whole() -> AsyncIterator[bytes]:
            yield first
            async for chunk in rest:
                yield chunk

        super().__init__(whole(), **told)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


class _Scratch:
    """What all files on disk hold together; threads write them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_left = bytes_max
        self._counting = Lock()

    def take(self, size: int) -> None:
        """Transient where so much is not left."""
        with self._counting:
            if size > self._bytes_left:
                raise Transient("the exports under way fill the disk that they may")
            self._bytes_left -= size

    def give_back(self, size: int) -> None:
        with self._counting:
            self._bytes_left += size


class _Spool(io.RawIOBase):
    """A file on disk that only grows, since what was written may have been sent already."""

    whole = False
    discards = False
    """What is written goes nowhere: nobody waits for it."""

    def __init__(self, scratch: _Scratch) -> None:
        self._scratch = scratch
        self._held_bytes = 0
        self._disk = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._written = 0
        self._closing = Lock()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        if not self.discards:
            self._scratch.take(size)
            self._held_bytes += size
        while left and not self.discards:
            left = left[self._disk.write(left) :]
        self._written += size
        return size

    def tell(self) -> int:
        return self._written

    def read_from(self, place: int) -> bytes:
        """Some of what stands there; nothing once it is closed."""
        with self._closing:
            return b"" if self.closed else os.pread(self._disk.fileno(), CHUNK_BYTES, place)

    def close(self) -> None:
        with self._closing:
            self._disk.close()
            self._scratch.give_back(self._held_bytes)
            self._held_bytes = 0
            super().close()


def _file(format_: Format, out: _Spool, columns: Sequence[Column]) -> "File":
    from serving.columnar import CsvFile, ParquetFile
    from serving.sheets import ExcelFile

    match format_:
        case "csv":
            return CsvFile(out, columns)
        case "parquet":
            return ParquetFile(out, columns)
        case "xlsx":
            return ExcelFile(out, columns)
