"""Merging blocks into channel-days, so that neither order nor repetition of messages matters.

A channel-day is a function of the *set* of its blocks: each interval takes the value of the block
that ranks highest by (actual before estimated or substituted, `read_at`, event id). Most blocks
fill empty intervals or repeat what is there; `fill` writes a whole batch of those at once. Only
days where values compete are rebuilt from all their blocks.

Blocks that are made of registers can void values: each has all that its register reports of its
intervals, also that it reports nothing, and older ones of them count no more for these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MISSING = -1
"""A value that is not there; stored as NULL."""
NO_QUALITY = ord("-")
NO_CHANNEL = ord("N")
"""Of time in which the meter did not measure the flow; only in what is read, never stored."""
ACTUAL = ord("A")
ESTIMATED = ord("E")
QUALITY_CODES = {"actual": ACTUAL, "estimated": ESTIMATED, "substituted": ord("S")}
OF_REGISTER = ord("R")
"""Of a block that is made of a register's readings; its values are estimated."""
Wh = npt.NDArray[np.int32]
Qualities = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Days:
    """Channel-days one after another: day `n` has `slots[n]` intervals from `begins[n]` on.

    `slots` and `begins` have one entry per day, `values` and `quality` one per interval of all.
    """

    slots: Index
    begins: Index
    values: Wh
    quality: Qualities

    @classmethod
    def empty(cls, slots: Index) -> "Days":
        """Days with nothing in them."""
        total = int(slots.sum())
        return cls(
            slots,
            np.cumsum(slots) - slots,
            np.full(total, MISSING, np.int32),
            np.full(total, NO_QUALITY, np.uint8),
        )

    def copy(self) -> "Days":
        """The same days, to be changed."""
        return Days(self.slots, self.begins, self.values.copy(), self.quality.copy())

    def part(self, day: int) -> slice:
        """The intervals of one day."""
        return slice(int(self.begins[day]), int(self.begins[day] + self.slots[day]))

    def per_day(self, flags: npt.NDArray[np.bool_]) -> Index:
        """How many of the flagged intervals each day has."""
        return np.add.reduceat(flags, self.begins, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of blocks within one day each: `counts` values (MISSING: none) from slot `slots` on.

    `days`, `slots`, `counts` and `quality` have one entry per piece; `values` those of all pieces,
    one piece after another.
    """

    days: Index
    slots: Index
    counts: Index
    values: Wh
    quality: Qualities

    @property
    def begins(self) -> Index:
        """Where each piece's values begin."""
        return np.cumsum(self.counts) - self.counts


@dataclass(frozen=True, slots=True)
class RankedPiece:
    """One piece of one day with what ranks it; `read_at_us` in any one epoch."""

    slot: int
    values: Wh
    quality: int
    read_at_us: int
    event_id: bytes

    @property
    def rank(self) -> tuple[bool, int, bytes]:
        """The higher one wins an interval."""
        return (self.quality == ACTUAL, self.read_at_us, self.event_id)

    def has_content_of(self, other: "RankedPiece") -> bool:
        """Whether it has the same values, in the same place and of the same quality."""
        return (
            self.slot == other.slot
            and self.quality == other.quality
            and np.array_equal(self.values, other.values)
        )


def fill(days: Days, pieces: Pieces, suspected: Sequence[int] = ()) -> npt.NDArray[np.bool_]:
    """Write the pieces into days where nothing competes; per day whether it is contested instead.

    A contested day is left alone. A day is contested when it is `suspected`; when an interval of it
    has a value already or gets two; when a piece of it holds no value at all, since nothing shows
    whether that piece is new; and when a piece is made of a register, since only the other blocks
    show what it voids.

    All arrays below have one entry per value of the batch: `target` is the value's interval in
    `days.values`, `owner` its piece. Writing the values' own numbers to `last[target]` and reading
    them back shows which intervals get two: all but the last number are lost. So a batch of ten
    thousand blocks takes a dozen numpy calls; a loop over blocks took most of the time of a batch.
    """
    owner = np.repeat(np.arange(pieces.counts.size), pieces.counts)
    within = np.arange(pieces.values.size) - pieces.begins[owner]
    target = (days.begins[pieces.days] + pieces.slots)[owner] + within
    present = pieces.values != MISSING
    target, owner, values = target[present], owner[present], pieces.values[present]
    last = np.full(days.values.size, -1, np.int64)
    numbers = np.arange(target.size)
    last[target] = numbers
    contested = np.zeros(days.slots.size, np.bool_)
    competing = (days.values[target] != MISSING) | (last[target] != numbers)
    contested[pieces.days[owner[competing]]] = True
    contested[list(suspected)] = True
    empty = np.bincount(owner, minlength=pieces.counts.size) == 0
    contested[pieces.days[empty]] = True
    contested[pieces.days[pieces.quality == OF_REGISTER]] = True
    free = ~contested[pieces.days[owner]]
    days.values[target[free]] = values[free]
    days.quality[target[free]] = pieces.quality[owner[free]]
    return contested


def agrees(values: Wh, quality: Qualities, piece: RankedPiece) -> bool:
    """Whether the piece has the same as a day's `values` where both have one, and voids nothing."""
    if piece.quality == OF_REGISTER:
        return False
    part = slice(piece.slot, piece.slot + piece.values.size)
    both = (values[part] != MISSING) & (piece.values != MISSING)
    return bool(
        np.all(values[part][both] == piece.values[both])
        and np.all(quality[part][both] == piece.quality)
    )


def repeats(values: Wh, quality: Qualities, piece: RankedPiece) -> bool:
    """Whether the piece has values, and a day's `values` has all of them already."""
    present = np.flatnonzero(piece.values != MISSING)
    return bool(
        present.size
        and np.all(values[piece.slot + present] == piece.values[present])
        and np.all(quality[piece.slot + present] == piece.quality)
    )


def is_known(piece: RankedPiece, others: Iterable[RankedPiece]) -> bool:
    """Whether one of the others has the same content and was read no earlier."""
    return any(
        other.read_at_us >= piece.read_at_us and other.has_content_of(piece) for other in others
    )


def overlay(values: Wh, quality: Qualities, piece: RankedPiece) -> None:
    """Write the piece's values over those of a day."""
    present = np.flatnonzero(piece.values != MISSING)
    values[piece.slot + present] = piece.values[present]
    quality[piece.slot + present] = piece.quality


def rebuild_day(values: Wh, quality: Qualities, pieces: Iterable[RankedPiece]) -> None:
    """Make a day again from all its pieces, given in any order and any number of times.

    The highest rank goes first and each piece writes only into intervals that are still empty, so
    every interval ends with the value of the highest-ranking block that has one. `reported` marks
    the intervals that a register's piece has covered: a lower-ranking (older) one of a register
    counts no more there, whether the newer one had a value or none.
    """
    values[:] = MISSING
    quality[:] = NO_QUALITY
    reported = np.zeros(values.size, np.bool_)
    for piece in sorted(pieces, key=lambda piece: piece.rank, reverse=True):
        part = slice(piece.slot, piece.slot + piece.values.size)
        free = (values[part] == MISSING) & (piece.values != MISSING)
        code = piece.quality
        if code == OF_REGISTER:
            free &= ~reported[part]
            reported[part] = True
            code = ESTIMATED
        values[part][free] = piece.values[free]
        quality[part][free] = code
