"""Lines of a body that may go on for ever: cut as they come in, a batch of them held at once.

Owns where a line ends and how long one may be. Refuses to parse them: a line that is no JSON is
its reader's matter, and the lines behind it are read all the same.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

LINE_BYTES_MAX = 256 * 1024
"""Of one line; five times the longest block of readings."""
BATCH_LINES_MAX = 1_000
BATCH_BYTES_MAX = 1024 * 1024
_TO_ITS_END = re.compile(rb"\S[^\n]*")
"""A line that is not blank, from what is not blank on."""


class Line(NamedTuple):
    """A line that is not blank: its number as an editor counts it, and its bytes; `text` is None
    where it is longer than `LINE_BYTES_MAX`."""

    number: int
    text: bytes | None


# A batch ends with the piece that came in, so that a sender who writes one line a second has each
# line taken in then, and one who writes as fast as it can has hundreds of them taken in together.
async def line_batches(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[Line]]:
    """The lines of a body, a batch at a time: at most `BATCH_LINES_MAX`, `BATCH_BYTES_MAX` and a
    line."""
    cut = _Cut()
    async for piece in pieces:
        for line in cut.lines_of(piece):
            cut.add(line)
            if cut.is_full:
                yield cut.take()
        if cut.batch:
            yield cut.take()
    for line in cut.lines_of(b"\n"):  # what stands behind the last end of a line
        cut.add(line)
    if cut.batch:
        yield cut.take()


class _Cut:
    """What has come in and is not handed out: the lines of a batch, and the beginning of one."""

    def __init__(self) -> None:
        self.batch: list[Line] = []
        self._bytes = 0
        self._number = 0
        self._begun = b""
        self._is_too_long = False

    @property
    def is_full(self) -> bool:
        return len(self.batch) >= BATCH_LINES_MAX or self._bytes >= BATCH_BYTES_MAX

    def take(self) -> list[Line]:
        batch, self.batch, self._bytes = self.batch, [], 0
        return batch

    def add(self, line: Line) -> None:
        self.batch.append(line)
        self._bytes += len(line.text or b"")

    # Looks for what is not blank and counts the ends of lines between: a body of blank lines packs
    # to a thousandth, and line by line its 16 MB would keep the event loop busy for ten seconds.
    def lines_of(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in a piece, without the blank ones; of one that is too long only its
        end is looked for."""
        text, position = self._begun + piece, 0
        whole_bytes = text.rfind(b"\n") + 1
        if self._is_too_long and whole_bytes:
            self._is_too_long = False
            self._number += 1
            yield Line(self._number, None)
            position = text.index(b"\n") + 1
        for match in _TO_ITS_END.finditer(text, position, whole_bytes):
            start, end = match.span()
            if start > position:
                start = text.rfind(b"\n", position, start) + 1 or position
                self._number += text.count(b"\n", position, start)
            self._number += 1
            yield Line(self._number, text[start:end] if end - start <= LINE_BYTES_MAX else None)
            position = end + 1
        self._number += text.count(b"\n", position, whole_bytes)
        self._begin(text[whole_bytes:])

    def _begin(self, text: bytes) -> None:
        self._is_too_long = self._is_too_long or len(text) > LINE_BYTES_MAX
        self._begun = b"" if self._is_too_long else text
