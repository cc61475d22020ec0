"""Sorting a batch of blocks: which can be stored and where, which are refused, which must wait.

Turns blocks into pieces of channel-days, in columns, for `domain.merge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from ingest.domain.checks import (
    ABSENT,
    Block,
    Refusal,
    Values,
    check_block,
    check_values,
    flatten,
)
from ingest.domain.days import split
from ingest.domain.merge import MISSING, Index, Pieces
from ingest.domain.meters import Channel, Meter

DayKey = tuple[str, UUID, str, int, date]
"""Tenant, meter, flow, minutes and local day: one channel-day."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One block of a batch; `meter` None is not known yet."""

    tenant_id: str
    meter: Meter | None
    block: Block
    values: Sequence[int | None]
    quality: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch, sorted; `keys` number the channel-days, `zones` and `day_slots` are theirs.

    `owners`, `numbers` and `starts` are per piece: the block of the batch, which piece of it this
    is, and when it begins.
    """

    unknown: list[int]
    refused: dict[int, Refusal]
    keys: dict[DayKey, int]
    zones: list[str]
    day_slots: list[int]
    owners: list[int]
    numbers: list[int]
    starts: list[datetime]
    pieces: Pieces


class _Cutter:
    """Collects the pieces of the blocks that can be stored."""

    def __init__(self) -> None:
        self.keys: dict[DayKey, int] = {}
        self.zones: list[str] = []
        self.day_slots: list[int] = []
        self.owners: list[int] = []
        self.numbers: list[int] = []
        self.starts: list[datetime] = []
        self._days: list[int] = []
        self._slots: list[int] = []
        self._counts: list[int] = []
        self._qualities: list[int] = []

    def cut(self, owner: int, it: Intake, meter: Meter, channel: Channel) -> None:
        """Cut one block at its local midnights."""
        block = it.block
        for number, piece in enumerate(
            split(meter.zone, channel.minutes, block.start_at, block.count)
        ):
            place = piece.place
            key = (it.tenant_id, meter.meter_id, channel.flow, channel.minutes, place.day)
            day = self.keys.get(key)
            if day is None:
                day = self.keys[key] = len(self.keys)
                self.zones.append(meter.zone)
                self.day_slots.append(place.slots)
            self.owners.append(owner)
            self.numbers.append(number)
            self.starts.append(piece.start_at)
            self._days.append(day)
            self._slots.append(place.slot)
            self._counts.append(piece.count)
            self._qualities.append(it.quality)

    def pieces(self, values: Values) -> Pieces:
        """The pieces in columns; `values` are those of all blocks that were cut, in that order."""
        return Pieces(
            _index(self._days),
            _index(self._slots),
            _index(self._counts),
            np.where(values == ABSENT, MISSING, values).astype(np.int32),
            np.array(self._qualities, np.uint8),
        )


def sort_out(batch: Sequence[Intake], now: datetime) -> Sorted:
    """Check every block and cut those that can be stored."""
    unknown: list[int] = []
    refused: dict[int, Refusal] = {}
    candidates: list[tuple[int, Intake, Meter, Channel]] = []
    for n, it in enumerate(batch):
        if it.meter is None:
            unknown.append(n)
            continue
        found = check_block(it.block, it.meter, read_at=it.read_at, now=now)
        if isinstance(found, Refusal):
            refused[n] = found
        else:
            candidates.append((n, it, it.meter, found))
    values = flatten(it.values for _, it, _, _ in candidates)
    counts = _index([it.block.count for _, it, _, _ in candidates])
    highest = _index([channel.interval_wh_max for _, _, _, channel in candidates])
    wrong = check_values(values, counts, highest)
    if wrong:
        good = np.ones(counts.size, np.bool_)
        good[list(wrong)] = False
        values = values[np.repeat(good, counts)]
        refused.update((candidates[n][0], refusal) for n, refusal in wrong.items())
    cutter = _Cutter()
    for c, (n, it, meter, channel) in enumerate(candidates):
        if c not in wrong:
            cutter.cut(n, it, meter, channel)
    return Sorted(
        unknown,
        refused,
        cutter.keys,
        cutter.zones,
        cutter.day_slots,
        cutter.owners,
        cutter.numbers,
        cutter.starts,
        cutter.pieces(values),
    )


def _index(numbers: list[int]) -> Index:
    return np.array(numbers, np.int64)
