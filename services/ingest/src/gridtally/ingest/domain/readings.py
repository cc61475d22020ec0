"""Blocks of readings, in batches: what was received, and which of it can be stored where.

Owns the one way to sort a batch: blocks that can be stored become pieces of channel-days, in
columns, for `domain.merge`; others are refused, or pending until their meter is registered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, NamedTuple
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.local_days import Piece
from gridtally.ingest.domain.merge import MISSING, Index, Pieces
from gridtally.ingest.domain.meters import Channel, Meter, MeterKey
from gridtally.ingest.domain.validation import (
    ABSENT,
    CLOCK_SKEW_MAX,
    Block,
    Refusal,
    Values,
    check_channel,
    check_channel_time,
    check_times,
    check_values,
    flatten,
)
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import day_minutes

Outcome = Literal["stored", "duplicates", "quarantined", "pending", "dropped"]
"""What became of an event: always exactly one, and a column of the intake counts."""
Origin = Literal["received", "quarantined", "pending"]
"""Where a block comes from that is to be recorded: the broker, or our own tables."""
WITHDRAWN = Refusal(
    "withdrawn", "the import that it came with was undone: import the file again instead"
)
OWN_STORE = -1
"""The partition of blocks that come from our own tables."""
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
    """The different channels of a batch, and for each of its blocks the index of its own."""

    keys: list[ChannelKey]
    of_blocks: list[int]


def channels_of(tenants: Iterable[str], blocks: Sequence[Block]) -> Channels:
    """The channels that blocks belong to; most blocks of a batch belong to few."""
    indexes: dict[ChannelKey, int] = {}
    of_blocks = [
        indexes.setdefault((tenant_id, block.meter_id, block.flow), len(indexes))
        for tenant_id, block in zip(tenants, blocks, strict=True)
    ]
    return Channels(list(indexes), of_blocks)


@dataclass(frozen=True, slots=True)
class BlockBatch:
    """Blocks to be sorted, in columns with one entry per block.

    `read_at` is when each was read from its meter, as far as is known, and `quality_codes` what it
    is merged by.
    """

    channels: Channels
    blocks: Sequence[Block]
    read_at: Sequence[datetime]
    quality_codes: Sequence[int]

    @property
    def meter_keys(self) -> list[MeterKey]:
        """The meters of its channels, which `sort_batch` must be given as far as they are known."""
        return [key[:2] for key in self.channels.keys]


@dataclass(frozen=True, slots=True)
class ReceivedBlocks:
    """Blocks as they were received, in columns with one entry per block in each.

    `values` are the messages' bytes, of which quarantine and pending blocks are made.
    """

    tenants: Sequence[str]
    event_ids: Sequence[UUID]
    sources: Sequence[str]
    occurred_at: Sequence[datetime]
    correlation_ids: Sequence[str]
    partitions: Sequence[int]
    blocks: Sequence[Block]
    values: Sequence[bytes]
    read_at: Sequence[datetime]
    quality_codes: Sequence[int]

    def __len__(self) -> int:
        return len(self.blocks)

    def batch(self) -> BlockBatch:
        """The blocks, to be sorted."""
        channels = channels_of(self.tenants, self.blocks)
        return BlockBatch(channels, self.blocks, self.read_at, self.quality_codes)

    def quarantine_id(self, index: int) -> UUID:
        """The id under which a block lies in quarantine, the same each time it comes."""
        meter_id = self.blocks[index].meter_id
        return derive_id("quarantine", self.tenants[index], self.event_ids[index], meter_id)


@dataclass(frozen=True, slots=True)
class DayPieces:
    """Pieces of blocks and the channel-days they belong to.

    `keys`, `zones` and `day_slots` have one entry per channel-day; `blocks`, `numbers` and
    `starts_at` one per piece: the index of its block in the batch, which piece of that it is, and
    when it begins.
    """

    keys: list[DayKey]
    zones: list[str]
    day_slots: list[int]
    blocks: list[int]
    numbers: list[int]
    starts_at: list[datetime]
    pieces: Pieces

    @classmethod
    def none_of(cls, keys: Sequence[DayKey], zones: Sequence[str]) -> "DayPieces":
        """Channel-days to which no piece is added."""
        nothing = np.zeros(0, np.int64)
        slots = [
            day_minutes(zone, key.day) // key.minutes for key, zone in zip(keys, zones, strict=True)
        ]
        pieces = Pieces(nothing, nothing, nothing, np.zeros(0, np.int32), np.zeros(0, np.uint8))
        return cls(list(keys), list(zones), slots, [], [], [], pieces)


@dataclass(frozen=True, slots=True)
class SortedBatch:
    """A batch, sorted: the indexes of the pending blocks, the refused ones, and the rest."""

    pending: list[int]
    refused: dict[int, Refusal]
    pieces: DayPieces


def sort_batch(
    meters: Mapping[MeterKey, Meter],
    batch: BlockBatch,
    now: datetime,
    refused_before: Mapping[int, Refusal] = MappingProxyType({}),
) -> SortedBatch:
    """Check every block, and cut those that can be stored into pieces of channel-days.

    `meters` holds those of the batch that are known; blocks of all others are pending. Those at the
    indexes `refused_before` are refused, whatever they hold.
    """
    pending: list[int] = []
    refused: dict[int, Refusal] = dict(refused_before)
    fitting: dict[int, tuple[Piece, ...]] = {}
    highest: list[int] = []
    meters_of_channels = [meters.get(key) for key in batch.meter_keys]
    checked: dict[tuple[int, int, str], Channel | Refusal] = {}
    latest_at = now + CLOCK_SKEW_MAX
    rows = zip(batch.blocks, batch.channels.of_blocks, batch.read_at, strict=True)
    for index, (block, channel_index, read_at) in enumerate(rows):
        meter = meters_of_channels[channel_index]
        if refused and index in refused:
            continue
        if meter is None:
            pending.append(index)
            continue
        kind = (channel_index, block.minutes, block.unit)
        channel = checked.get(kind)
        if channel is None:
            channel = checked[kind] = check_channel(meter, block.flow, block.minutes, block.unit)
        if isinstance(channel, Refusal):
            refused[index] = channel
            continue
        pieces = check_times(block, meter.zone, read_at, latest_at)
        if isinstance(pieces, Refusal):
            refused[index] = pieces
        elif channel.is_bounded and (outside := check_channel_time(channel, pieces)):
            refused[index] = outside
        else:
            fitting[index] = pieces
            highest.append(channel.interval_wh_max)
    values = _refuse_values(batch.blocks, fitting, refused, _index(highest))
    zones = [meter.zone if meter else "" for meter in meters_of_channels]
    return SortedBatch(pending, refused, _cut(batch, zones, fitting, values))


def _refuse_values(
    blocks: Sequence[Block],
    fitting: dict[int, tuple[Piece, ...]],
    refused: dict[int, Refusal],
    highest_wh: Index,
) -> Values:
    """Move blocks with a wrong value from `fitting` to `refused`; returns the values of the rest,
    one block after another."""
    values = flatten([blocks[index].values for index in fitting])
    counts = _index([len(blocks[index].values) for index in fitting])
    wrong = check_values(values, counts, highest_wh)
    if not wrong:
        return values
    is_right = np.ones(counts.size, np.bool_)
    is_right[list(wrong)] = False
    indexes = list(fitting)
    for position, refusal in wrong.items():
        refused[indexes[position]] = refusal
        del fitting[indexes[position]]
    return values[np.repeat(is_right, counts)]


def _cut(
    batch: BlockBatch,
    zones_of_channels: Sequence[str],
    fitting: Mapping[int, tuple[Piece, ...]],
    values: Values,
) -> DayPieces:
    """The fitting blocks by channel-day; `values` are theirs, one block after another."""
    days: dict[tuple[int, date], int] = {}
    keys: list[DayKey] = []
    zones: list[str] = []
    day_slots: list[int] = []
    rows: list[tuple[int, int, int, Piece]] = []
    of_blocks = batch.channels.of_blocks
    for block_index, pieces in fitting.items():
        channel = of_blocks[block_index]
        for number, piece in enumerate(pieces):
            first = piece.first
            day = days.setdefault((channel, first.day), len(days))
            if day == len(keys):
                minutes = batch.blocks[block_index].minutes
                keys.append(DayKey(*batch.channels.keys[channel], minutes, first.day))
                zones.append(zones_of_channels[channel])
                day_slots.append(first.slots)
            rows.append((block_index, day, number, piece))
    blocks = [block_index for block_index, _, _, _ in rows]
    columns = Pieces(
        _index([day for _, day, _, _ in rows]),
        _index([piece.first.slot for _, _, _, piece in rows]),
        _index([piece.count for _, _, _, piece in rows]),
        np.where(values == ABSENT, MISSING, values).astype(np.int32),
        np.array([batch.quality_codes[block_index] for block_index in blocks], np.uint8),
    )
    return DayPieces(
        keys,
        zones,
        day_slots,
        blocks,
        [number for _, _, number, _ in rows],
        [piece.start_at for _, _, _, piece in rows],
        columns,
    )


def _index(numbers: list[int]) -> Index:
    return np.array(numbers, np.int64)
