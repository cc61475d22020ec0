"""Sorting a batch of blocks: which can be stored and where, which are refused, which must wait.

Turns blocks into pieces of channel-days, in columns, for `domain.merge`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from ingest.domain.checks import (
    ABSENT,
    CLOCK_SKEW_MAX,
    Block,
    Fit,
    Refusal,
    Values,
    check_block,
    check_values,
    flatten,
)
from ingest.domain.days import Piece
from ingest.domain.merge import MISSING, Index, Pieces
from ingest.domain.meters import Meter

DayKey = tuple[str, UUID, str, int, date]
"""Tenant, meter, flow, minutes and local day: one channel-day."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Blocks in columns: whose they are, their meters (None: not known yet), when read, and the
    letters of their qualities."""

    tenants: Sequence[str]
    meters: Sequence[Meter | None]
    read_at: Sequence[datetime]
    letters: Sequence[int]
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Cut:
    """Pieces of blocks and the channel-days they belong to; `zones` and `day_slots` are of `keys`.

    `owners`, `numbers` and `starts` are per piece: the block of the batch, which piece of it this
    is, and when it begins.
    """

    keys: list[DayKey]
    zones: list[str]
    day_slots: list[int]
    owners: list[int]
    numbers: list[int]
    starts: list[datetime]
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch, sorted: the numbers of the blocks that must wait or are refused, and the rest."""

    unknown: list[int]
    refused: dict[int, Refusal]
    cut: Cut


def sort_out(batch: Batch, now: datetime) -> Sorted:
    """Check every block and cut those that can be stored."""
    unknown: list[int] = []
    refused: dict[int, Refusal] = {}
    fits: dict[int, Fit] = {}
    blocks, latest_at = batch.blocks, now + CLOCK_SKEW_MAX
    rows = zip(blocks, batch.meters, batch.read_at, strict=True)
    for n, (block, meter, read_at) in enumerate(rows):
        if meter is None:
            unknown.append(n)
            continue
        fit = check_block(block, meter, read_at=read_at, latest_at=latest_at)
        if isinstance(fit, Refusal):
            refused[n] = fit
        else:
            fits[n] = fit
    values = flatten([blocks[n].values for n in fits])
    counts = _index([len(blocks[n].values) for n in fits])
    highest = _index([fit.channel.interval_wh_max for fit in fits.values()])
    wrong = check_values(values, counts, highest)
    if wrong:
        good = np.ones(counts.size, np.bool_)
        good[list(wrong)] = False
        values = values[np.repeat(good, counts)]
        fitting = list(fits)
        for at, refusal in wrong.items():
            refused[fitting[at]] = refusal
            del fits[fitting[at]]
    return Sorted(unknown, refused, _cut(batch, fits, values))


def _cut(batch: Batch, fits: Mapping[int, Fit], values: Values) -> Cut:
    """The blocks of these numbers by channel-day; `values` are theirs, one after another."""
    days: dict[DayKey, int] = {}
    zones: list[str] = []
    day_slots: list[int] = []
    rows: list[tuple[int, int, int, Piece]] = []
    for owner, fit in fits.items():
        meter, channel = fit.meter, fit.channel
        for number, piece in enumerate(fit.pieces):
            place = piece.place
            key = (batch.tenants[owner], meter.meter_id, channel.flow, channel.minutes, place.day)
            day = days.setdefault(key, len(days))
            if day == len(zones):
                zones.append(meter.zone)
                day_slots.append(place.slots)
            rows.append((owner, day, number, piece))
    pieces = Pieces(
        _index([day for _, day, _, _ in rows]),
        _index([piece.place.slot for _, _, _, piece in rows]),
        _index([piece.count for _, _, _, piece in rows]),
        np.where(values == ABSENT, MISSING, values).astype(np.int32),
        np.array([batch.letters[owner] for owner, _, _, _ in rows], np.uint8),
    )
    return Cut(
        list(days),
        zones,
        day_slots,
        [owner for owner, _, _, _ in rows],
        [number for _, _, number, _ in rows],
        [piece.start_at for _, _, _, piece in rows],
        pieces,
    )


def _index(numbers: list[int]) -> Index:
    return np.array(numbers, np.int64)
