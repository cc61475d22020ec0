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
    Fit,
    Refusal,
    Values,
    check_block,
    check_values,
    flatten,
)
from ingest.domain.merge import MISSING, Index, Pieces

DayKey = tuple[str, UUID, str, int, date]
"""Tenant, meter, flow, minutes and local day: one channel-day."""


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

    def cut(self, owner: int, block: Block, fit: Fit) -> None:
        """Add one block's pieces."""
        channel, meter = fit.channel, fit.meter
        for number, piece in enumerate(fit.pieces):
            place = piece.place
            key = (block.tenant_id, meter.meter_id, channel.flow, channel.minutes, place.day)
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
            self._qualities.append(block.quality)

    def pieces(self, values: Values) -> Pieces:
        """The pieces in columns; `values` are those of all blocks that were cut, in that order."""
        return Pieces(
            _index(self._days),
            _index(self._slots),
            _index(self._counts),
            np.where(values == ABSENT, MISSING, values).astype(np.int32),
            np.array(self._qualities, np.uint8),
        )


def sort_out(batch: Sequence[Block], now: datetime) -> Sorted:
    """Check every block and cut those that can be stored."""
    unknown: list[int] = []
    refused: dict[int, Refusal] = {}
    candidates: list[tuple[int, Block, Fit]] = []
    for n, block in enumerate(batch):
        if block.meter is None:
            unknown.append(n)
            continue
        fit = check_block(block, block.meter, now)
        if isinstance(fit, Refusal):
            refused[n] = fit
        else:
            candidates.append((n, block, fit))
    values = flatten([block.values for _, block, _ in candidates])
    counts = _index([len(block.values) for _, block, _ in candidates])
    highest = _index([fit.channel.interval_wh_max for _, _, fit in candidates])
    wrong = check_values(values, counts, highest)
    if wrong:
        good = np.ones(counts.size, np.bool_)
        good[list(wrong)] = False
        values = values[np.repeat(good, counts)]
        refused.update((candidates[n][0], refusal) for n, refusal in wrong.items())
    cutter = _Cutter()
    for c, (n, block, fit) in enumerate(candidates):
        if c not in wrong:
            cutter.cut(n, block, fit)
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
