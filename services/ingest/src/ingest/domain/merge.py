"""Merging blocks into channel-days, so that neither order nor repetition of messages matters.

A channel-day is a function of the *set* of its blocks: each interval takes the value of the block
that ranks highest by (actual before estimated or substituted, `read_at`, event id). Most blocks
fill empty intervals or repeat what is there; `fill` lays a whole batch of those at once. Only days
where values compete are resolved anew from all their blocks.

Blocks that are made of registers can take back: each says all that its register tells of its
intervals, also that it tells nothing, and what older ones of them say of these counts no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MISSING = -1
"""A value that is not there; stored as NULL."""
NO_QUALITY = ord("-")
ACTUAL = ord("A")
ESTIMATED = ord("E")
LETTERS = {"actual": ACTUAL, "estimated": ESTIMATED, "substituted": ord("S")}
OF_REGISTER = ord("R")
"""Of a block that is made of a register's reads; its values are estimated."""
Wh = npt.NDArray[np.int32]
Letters = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Days:
    """Channel-days laid one after another: day `n` has `slots[n]` intervals from `begins[n]`."""

    slots: Index
    begins: Index
    values: Wh
    quality: Letters

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
        """Where one day lies."""
        return slice(int(self.begins[day]), int(self.begins[day] + self.slots[day]))

    def per_day(self, flags: npt.NDArray[np.bool_]) -> Index:
        """How many of the flagged intervals each day has."""
        return np.add.reduceat(flags, self.begins, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of blocks within one day each: `counts` values (MISSING: none) from slot `slots` on."""

    days: Index
    slots: Index
    counts: Index
    values: Wh
    quality: Letters

    @property
    def begins(self) -> Index:
        """Where each piece's values begin."""
        return np.cumsum(self.counts) - self.counts


@dataclass(frozen=True, slots=True)
class Layer:
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


def fill(days: Days, pieces: Pieces) -> npt.NDArray[np.bool_]:
    """Lay the pieces into days where nothing competes; which days were contested, and left alone.

    A day is contested when an interval of it is there already or comes twice; since there is
    nothing to tell whether it is new, when a piece of it holds no value at all; and when a piece is
    made of a register, since only the other blocks tell what it takes back.
    """
    owner = np.repeat(np.arange(pieces.counts.size), pieces.counts)
    within = np.arange(pieces.values.size) - pieces.begins[owner]
    at = (days.begins[pieces.days] + pieces.slots)[owner] + within
    held = pieces.values != MISSING
    at, owner, values = at[held], owner[held], pieces.values[held]
    last = np.full(days.values.size, -1, np.int64)
    order = np.arange(at.size)
    last[at] = order
    contested = np.zeros(days.slots.size, np.bool_)
    contested[pieces.days[owner[(days.values[at] != MISSING) | (last[at] != order)]]] = True
    empty = np.bincount(owner, minlength=pieces.counts.size) == 0
    contested[pieces.days[empty]] = True
    contested[pieces.days[pieces.quality == OF_REGISTER]] = True
    free = ~contested[pieces.days[owner]]
    days.values[at[free]] = values[free]
    days.quality[at[free]] = pieces.quality[owner[free]]
    return contested


def agrees(values: Wh, quality: Letters, layer: Layer) -> bool:
    """Whether the layer says nothing else than a day's `values` where both have one, and takes
    nothing back."""
    if layer.quality == OF_REGISTER:
        return False
    part = slice(layer.slot, layer.slot + layer.values.size)
    both = (values[part] != MISSING) & (layer.values != MISSING)
    return bool(
        np.all(values[part][both] == layer.values[both])
        and np.all(quality[part][both] == layer.quality)
    )


def lay(values: Wh, quality: Letters, layer: Layer) -> None:
    """Put the layer's values over those of a day."""
    held = np.flatnonzero(layer.values != MISSING)
    values[layer.slot + held] = layer.values[held]
    quality[layer.slot + held] = layer.quality


def resolve(values: Wh, quality: Letters, layers: Iterable[Layer]) -> None:
    """Make a day anew of all its layers, given in any order and any number of times."""
    values[:] = MISSING
    quality[:] = NO_QUALITY
    told = np.zeros(values.size, np.bool_)
    for layer in sorted(layers, key=lambda layer: layer.rank, reverse=True):
        part = slice(layer.slot, layer.slot + layer.values.size)
        free = (values[part] == MISSING) & (layer.values != MISSING)
        letter = layer.quality
        if letter == OF_REGISTER:
            free &= ~told[part]
            told[part] = True
            letter = ESTIMATED
        values[part][free] = layer.values[free]
        quality[part][free] = letter
