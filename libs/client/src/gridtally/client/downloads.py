"""A file that a service makes while it is sent: read piece by piece, or at once."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

_FILE_NAME = re.compile(r'filename="([^"/\\]+)"')


class _Received:
    """An answer whose body is still to be read; open until the end of the `with` block."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def content_type(self) -> str:
        """The media type."""
        return str(self._answer.headers.get("content-type", "application/octet-stream"))

    @property
    def file_name(self) -> str | None:
        """The name that the service gives it."""
        named = _FILE_NAME.search(self._answer.headers.get("content-disposition", ""))
        return named.group(1) if named else None


class Download(_Received):
    """For `with`."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, piece by piece."""
        return self._answer.iter_bytes()

    def lines(self) -> Iterator[str]:
        """The lines of a text (CSV, NDJSON)."""
        return self._answer.iter_lines()

    def read(self) -> bytes:
        """All bytes."""
        return self._answer.read()

    def save(self, path: Path) -> int:
        """Write it to a file, whatever its length; how many bytes."""
        with path.open("wb") as file:
            return sum(file.write(chunk) for chunk in self)


class AsyncDownload(_Received):
    """For `async with`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes, piece by piece."""
        return self._answer.aiter_bytes()

    def lines(self) -> AsyncIterator[str]:
        """The lines of a text (CSV, NDJSON)."""
        return self._answer.aiter_lines()

    async def read(self) -> bytes:
        """All bytes."""
        return await self._answer.aread()
