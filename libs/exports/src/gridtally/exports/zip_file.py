"""Many files as one ZIP archive, sent while it is written: no more than one file is in memory.

Entries keep the order in which they come. Their names are the caller's: nothing is read from disk.
"""

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file of an archive; `is_packed` where its content is compressed already."""

    name: str
    at: datetime
    content: bytes
    is_packed: bool


class _Chunks(io.RawIOBase):
    """What an archive has written since it was last taken; it cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        """It is written to and never read."""
        return True

    def write(self, data: Buffer) -> int:
        """Keep the data until it is taken."""
        written = bytes(data)
        self._written += written
        return len(written)

    def take(self) -> bytes:
        """What was written since the last call."""
        taken, self._written = bytes(self._written), bytearray()
        return taken


async def zip_chunks(entries: AsyncIterator[ZipEntry]) -> AsyncGenerator[bytes, None]:
    """The bytes of the archive: one chunk for each entry, and its directory at the end."""
    chunks = _Chunks()
    with zipfile.ZipFile(chunks, "w") as archive:
        async for entry in entries:
            archive.writestr(_described(entry), entry.content)
            yield chunks.take()
    yield chunks.take()


def _described(entry: ZipEntry) -> zipfile.ZipInfo:
    """An entry's name, instant (UTC) and packing, alike on every machine."""
    info = zipfile.ZipInfo(entry.name, entry.at.astimezone(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_STORED if entry.is_packed else zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info
