"""Sorting a batch of blocks: which can be stored and where, which are refused, which must wait.

Turns blocks into pieces of channel-days, in columns, for `domain.merge`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from ingest.domain.checks import (
    ABSENT,
    CLOCK_SKEW_MAX,
    Block,
    Refusal,
    Values,
    check_channel,
    check_times,
    check_values,
    flatten,
)
from ingest.domain.days import Piece
from ingest.domain.merge import MISSING, Index, Pieces
from ingest.domain.meters import Channel, Meter

ChannelKey = tuple[str, UUID, str]
"""Tenant, meter and flow."""


class DayKey(NamedTuple):
    """One channel-day; `day` is local."""

    tenant_id: str
    meter_id: UUID
    flow: str
    minutes: int
    day: date


class Channels(NamedTuple):
    """The different channels of a batch, and for each of its blocks the number of its own."""

    keys: list[ChannelKey]
    of_blocks: list[int]


def channels_of(tenants: Iterable[str], blocks: Sequence[Block]) -> Channels:
    """Which channels blocks speak of; most of a batch speak of few."""
    numbers: dict[ChannelKey, int] = {}
    of_blocks = [
        numbers.setdefault((tenant_id, block.meter_id, block.flow), len(numbers))
        for tenant_id, block in zip(tenants, blocks, strict=True)
    ]
    return Channels(list(numbers), of_blocks)


@dataclass(frozen=True, slots=True)
class Batch:
    """Blocks in columns: their channels and the meters of those (None: not known yet), when they
    were read, and the letters of their qualities."""

    channels: Channels
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
    fits: dict[int, tuple[Piece, ...]] = {}
    highest: list[int] = []
    known: dict[tuple[int, int, str], Channel | Refusal] = {}
    blocks, meters, latest_at = batch.blocks, batch.meters, now + CLOCK_SKEW_MAX
    rows = zip(blocks, batch.channels.of_blocks, batch.read_at, strict=True)
    for n, (block, of_block, read_at) in enumerate(rows):
        meter = meters[of_block]
        if meter is None:
            unknown.append(n)
            continue
        kind = (of_block, block.minutes, block.unit)
        channel = known.get(kind)
        if channel is None:
            channel = known[kind] = check_channel(meter, block.flow, block.minutes, block.unit)
        if isinstance(channel, Refusal):
            refused[n] = channel
            continue
        pieces = check_times(block, meter.zone, read_at, latest_at)
        if isinstance(pieces, Refusal):
            refused[n] = pieces
        else:
            fits[n] = pieces
            highest.append(channel.interval_wh_max)
    values = flatten([blocks[n].values for n in fits])
    counts = _index([len(blocks[n].values) for n in fits])
    wrong = check_values(values, counts, _index(highest))
    if wrong:
        good = np.ones(counts.size, np.bool_)
        good[list(wrong)] = False
        values = values[np.repeat(good, counts)]
        fitting = list(fits)
        for at, refusal in wrong.items():
            refused[fitting[at]] = refusal
            del fits[fitting[at]]
    return Sorted(unknown, refused, _cut(batch, fits, values))


def _cut(batch: Batch, fits: Mapping[int, tuple[Piece, ...]], values: Values) -> Cut:
    """The blocks of these numbers by channel-day; `values` are theirs, one after another."""
    days: dict[tuple[int, date], int] = {}
    keys: list[DayKey] = []
    zones: list[str] = []
    day_slots: list[int] = []
    rows: list[tuple[int, int, int, Piece]] = []
    of_blocks = batch.channels.of_blocks
    for owner, pieces in fits.items():
        channel = of_blocks[owner]
        for number, piece in enumerate(pieces):
            place = piece.place
            day = days.setdefault((channel, place.day), len(days))
            if day == len(keys):
                minutes = batch.blocks[owner].minutes
                keys.append(DayKey(*batch.channels.keys[channel], minutes, place.day))
                zones.append(_zone(batch, channel))
                day_slots.append(place.slots)
            rows.append((owner, day, number, piece))
    laid = Pieces(
        _index([day for _, day, _, _ in rows]),
        _index([piece.place.slot for _, _, _, piece in rows]),
        _index([piece.count for _, _, _, piece in rows]),
        np.where(values == ABSENT, MISSING, values).astype(np.int32),
        np.array([batch.letters[owner] for owner, _, _, _ in rows], np.uint8),
    )
    return Cut(
        keys,
        zones,
        day_slots,
        [owner for owner, _, _, _ in rows],
        [number for _, _, number, _ in rows],
        [piece.start_at for _, _, _, piece in rows],
        laid,
    )


def _zone(batch: Batch, channel: int) -> str:
    meter = batch.meters[channel]
    assert meter is not None  # noqa: S101 - only blocks of known meters fit
    return meter.zone


def _index(numbers: list[int]) -> Index:
    return np.array(numbers, np.int64)
