"""A table that becomes a file while the file is read.

Whoever exports names the columns and fills them, in rows or in lines of CSV as PostgreSQL's COPY
writes them. However many there are, one batch is in memory: the file grows on disk as quickly as it
is filled, and whoever reads it follows. So a slow reader holds neither memory nor a transaction;
one that stops reading ends the filling.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol

from gridtally.exports.columns import Column, Format, Row
from gridtally.exports.growing_file import GrowingFile, Scratch

BATCH_BYTES = 256 * 1024
"""Of lines of CSV: so many are converted together."""


class TableFile(Protocol):
    """A file of one of the formats, under construction; each call blocks."""

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Add rows that were made in Python."""

    def write_csv(self, lines: bytes) -> None:
        """Add whole lines of CSV as PostgreSQL's COPY writes them."""

    def close(self) -> None:
        """Write what comes last; once."""


class Export:
    """A file that is being filled, by one task; the work of the format is done in `thread`, which
    is the export's alone: what Arrow has freed stays with the thread that had taken it, so that
    with any thread of a pool each would come to hold as much as an export needs."""

    def __init__(self, file: TableFile, thread: Executor) -> None:
        self._file = file
        self._thread = thread
        self._lines: list[bytes] = []
        self._bytes_left = 0
        self._is_open = True
        self.grown = asyncio.Event()

    async def take_rows(self, rows: Sequence[Row]) -> None:
        """Add rows that were made in Python."""
        await self._write(lambda: self._file.write_rows(rows))

    async def take_csv(self, lines: bytes) -> None:
        """Add whole lines of CSV: the first at once, the others up to `BATCH_BYTES` together."""
        self._lines.append(lines)
        self._bytes_left -= len(lines)
        if self._bytes_left < 0:
            await self.flush()

    async def flush(self) -> None:
        """Write the lines that were taken, but not written yet."""
        lines, self._lines = b"".join(self._lines), []
        self._bytes_left = BATCH_BYTES
        if lines:
            await self._write(lambda: self._file.write_csv(lines))

    async def close(self) -> None:
        """Write what comes last, unless that was done."""
        await self._in_thread(self._close)

    async def _write(self, write: Callable[[], None]) -> None:
        await self._in_thread(write)
        self.grown.set()

    # One after another, also when the task that waits for a write is cancelled: the write goes on.
    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._file.close()


Fill = Callable[[Export], Awaitable[None]]
"""Takes a table's rows into an export, all of them."""


# Two tasks: one fills the file, in threads, and this generator reads behind it, waking on `grown`.
# `is_complete` is read before the file, so that "complete and nothing left" cannot be a race. A
# failure of the filling is raised here, between two chunks, and the file stays visibly incomplete.
async def file_chunks(
    scratch: Scratch, format_: Format, columns: Sequence[Column], fill: Fill
) -> AsyncGenerator[bytes, None]:
    """The bytes of the file that `fill` fills, as soon as they are written.

    Raises what `fill` raises, and Transient where the scratch space is used up. Closing the
    generator cancels the filling and removes the file.
    """
    spool, thread = GrowingFile(scratch), ThreadPoolExecutor(1, "export")
    try:
        opening = asyncio.get_running_loop().run_in_executor(thread, _open, format_, spool, columns)
        export = Export(await opening, thread)
        task = asyncio.create_task(_fill(spool, export, fill))
        task.add_done_callback(lambda _: export.grown.set())
        read_bytes = 0
        try:
            await export.grown.wait()
            while True:
                is_complete = spool.is_complete
                if task.done():
                    task.result()
                export.grown.clear()
                if chunk := await asyncio.to_thread(spool.read_from, read_bytes):
                    read_bytes += len(chunk)
                    yield chunk
                elif is_complete:
                    return
                else:
                    await export.grown.wait()
        finally:
            task.cancel()
            await asyncio.wait([task])
    finally:
        thread.shutdown(wait=False)


def _open(format_: Format, out: GrowingFile, columns: Sequence[Column]) -> TableFile:
    # Here and not above: Arrow takes tens of megabytes, which only processes that export need.
    from gridtally.exports.files import open_file

    return open_file(format_, out, columns)


async def _fill(spool: GrowingFile, export: Export, fill: Fill) -> None:
    """Fill the file and hold it until cancelled, which is when nobody reads it any more.

    In a task of its own: while a request is cancelled, it cannot wait for anything.
    """
    try:
        await fill(export)
        await export.flush()
        await export.close()
        spool.is_complete = True
        export.grown.set()
        await asyncio.Event().wait()
    finally:
        if not spool.is_complete:
            spool.discards = True
            await export.close()
        spool.close()
