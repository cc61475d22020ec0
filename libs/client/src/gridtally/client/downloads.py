"""A file that a service makes while it is sent: read piece by piece, or at once."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

_FILE_NAME = re.compile(r'filename="([^"/\\]+)"')


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event of a stream: its name, what it says, and the id to come back with."""

    name: str
    data: Any
    id: str


@dataclass(slots=True)
class _Events:
    """Makes events of the lines of a stream."""

    last_id: str = ""
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def take(self, line: str) -> ServerEvent | None:
        """The event that the line ends, if it ends one."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                self.last_id = value
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "" if not line and self._data:
                event = ServerEvent(self._name, json.loads("\n".join(self._data)), self.last_id)
                self._name, self._data = "", []
                return event
        return None


class _Received:
    """An answer whose body is still to be read; open until the end of the `with` block."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._events = _Events()

    @property
    def content_type(self) -> str:
        """The media type."""
        return str(self._answer.headers.get("content-type", "application/octet-stream"))

    @property
    def file_name(self) -> str | None:
        """The name that the service gives it."""
        named = _FILE_NAME.search(self._answer.headers.get("content-disposition", ""))
        return named.group(1) if named else None

    @property
    def last_event_id(self) -> str | None:
        """What to come back to a stream with: the last id in it, which a ping has too."""
        return self._events.last_id or None


class Download(_Received):
    """For `with`."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, piece by piece."""
        return self._answer.iter_bytes()

    def lines(self) -> Iterator[str]:
        """The lines of a text (CSV, NDJSON)."""
        return self._answer.iter_lines()

    def events(self) -> Iterator[ServerEvent]:
        """The events of a stream (`text/event-stream`), as they come."""
        taken = map(self._events.take, self.lines())
        return (event for event in taken if event is not None)

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

    async def events(self) -> AsyncIterator[ServerEvent]:
        """The events of a stream (`text/event-stream`), as they come."""
        async for line in self.lines():
            if (event := self._events.take(line)) is not None:
                yield event

    async def read(self) -> bytes:
        """All bytes."""
        return await self._answer.aread()
