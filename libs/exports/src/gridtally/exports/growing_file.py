"""The file on disk that an export fills while it is sent, and how much disk all of them may hold.

Owns the bytes between the thread that writes a table and whoever reads it behind. The formats write
front to back and never seek, so every byte that stands in the file is final.
"""

import io
import os
import tempfile
from threading import Lock
from typing import Any

from gridtally.kernel.errors import Transient

CHUNK_BYTES = 256 * 1024
"""The most that one read returns."""


class Scratch:
    """The disk space that all exports of a process share; their threads reserve parts of it."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_left = bytes_max
        self._lock = Lock()

    def reserve(self, size: int) -> None:
        """Take so many bytes; Transient where they are not left."""
        with self._lock:
            if size > self._bytes_left:
                raise Transient("the exports under way fill the disk that they may")
            self._bytes_left -= size

    def release(self, size: int) -> None:
        """Return so many bytes."""
        with self._lock:
            self._bytes_left += size


# Written by one thread and read by another at the reader's own offset (`pread`), so that neither
# moves the other's position. The disk stands between the query and the client: a queue in memory
# would either grow without bound or let a slow client hold the database's snapshot open. The file
# has no name, so that the system removes it whatever becomes of the process.
class GrowingFile(io.RawIOBase):
    """A temporary file that only grows; `close` removes it and returns its space."""

    is_complete = False
    """Everything is written; whoever has read all that stands here has all."""
    discards = False
    """What is written from now on goes nowhere, since nobody waits for it."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._reserved_bytes = 0
        self._disk = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._written_bytes = 0
        self._closing = Lock()

    def writable(self) -> bool:
        """It is: the formats ask."""
        return True

    def write(self, data: Any, /) -> int:
        """Append the bytes, all of them. Blocks; Transient where the scratch space is used up."""
        left = memoryview(data).cast("B")
        size = len(left)
        if not self.discards:
            self._scratch.reserve(size)
            self._reserved_bytes += size
        while left and not self.discards:
            left = left[self._disk.write(left) :]
        self._written_bytes += size
        return size

    def tell(self) -> int:
        """How many bytes were written, those too that were discarded."""
        return self._written_bytes

    def read_from(self, offset: int) -> bytes:
        """At most `CHUNK_BYTES` of what stands from `offset` on; nothing once it is closed."""
        with self._closing:
            return b"" if self.closed else os.pread(self._disk.fileno(), CHUNK_BYTES, offset)

    def close(self) -> None:
        """Remove the file; harmless when it is closed already."""
        with self._closing:
            self._disk.close()
            self._scratch.release(self._reserved_bytes)
            self._reserved_bytes = 0
            super().close()
