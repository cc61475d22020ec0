"""Lines of a body that may go on for ever: cut as they come in, a batch of them held at once.

Owns where a line ends and how long one may be. Refuses to parse them: a line that is no JSON is
its reader's matter, and the lines behind it are read all the same.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

LINE_BYTES_MAX = 256 * 1024
"""Of one line; five times the longest block of readings."""
BATCH_LINES_MAX = 1_000
BATCH_BYTES_MAX = 1024 * 1024


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
    cut.add(cut.last())
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

    def add(self, text: bytes | None) -> None:
        """Count the next line, and keep it unless it is blank."""
        self._number += 1
        if text is None or text.strip():
            self.batch.append(Line(self._number, text))
            self._bytes += len(text or b"")

    def lines_of(self, piece: bytes) -> list[bytes | None]:
        """The lines that end in a piece; of one that is too long only its end is looked for."""
        *whole, rest = piece.split(b"\n")
        if not whole:
            self._begin(self._begun + rest)
            return []
        first, self._begun = self._begun + whole[0], b""
        lines: list[bytes | None] = [None if self._is_too_long else first, *whole[1:]]
        self._is_too_long = False
        self._begin(rest)
        return [line if line is None or len(line) <= LINE_BYTES_MAX else None for line in lines]

    def last(self) -> bytes | None:
        """What stands behind the last end of a line."""
        return None if self._is_too_long else self._begun

    def _begin(self, text: bytes) -> None:
        self._is_too_long = self._is_too_long or len(text) > LINE_BYTES_MAX
        self._begun = b"" if self._is_too_long else text
