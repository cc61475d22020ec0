"""The archive as readers and writers meet it: what it has, and bringing that back.

Readers put what it has beside what the database has; both are read in one snapshot, so a
channel-day is in exactly one of them. Whoever writes days, or decides something from them, recalls
them first, and goes on as if they had never left.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
import structlog

from gridtally.database import ReadConnection, WriteConnection, copy
from gridtally.ingest.domain.archive import (
    BLOCKS,
    DAYS,
    ArchivedBlock,
    ArchivedChannel,
    ArchivedShard,
    is_young,
    kept,
)
from gridtally.ingest.domain.merge import MISSING
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.store.archive.folders import Folders
from gridtally.ingest.store.archive.shards import (
    claim_recalled,
    fetch_recalled,
    fetch_shards,
    share_tenants,
)
from gridtally.ingest.store.partitions import Partitions
from gridtally.kernel.errors import Unreadable
from gridtally.kernel.periods import ONE_DAY, Period

K = TypeVar("K", bound=Hashable)
log = structlog.get_logger(__name__)
ALL_FLOWS = ("import", "export", "load", "generation", "reactive_import", "reactive_export")
_DAY_COLUMNS = (
    "tenant_id", "meter_id", "flow", "zone", "correlation_id", "quality", "minutes", "day",
    "version", "present", "recorded_at", "values",
)  # fmt: skip
_BLOCK_COLUMNS = (
    "tenant_id", "flow", "source", "correlation_id", "meter_id", "minutes", "day", "event_id",
    "start_at", "slot", "piece", "quality", "read_at", "recorded_at", "values",
)  # fmt: skip


class MeterDays(NamedTuple):
    """Local days of a meter, from `start_on` up to, but without, `end_on`."""

    tenant_id: str
    meter_id: UUID
    start_on: date
    end_on: date


class _Wanted(NamedTuple):
    """Which channels are read, of which days, and whether with the facts of these."""

    meter_ids: Sequence[UUID]
    flows: Collection[str]
    window: Period
    with_facts: bool


class _Recall(NamedTuple):
    """What one shard has of the days that are recalled."""

    channels: list[ArchivedChannel]
    blocks: list[ArchivedBlock]


class Archive:
    """The archive of one process."""

    def __init__(self, folders: Folders, partitions: Partitions) -> None:
        self.folders = folders
        self._partitions = partitions

    async def fetch_channels(
        self,
        read: ReadConnection,
        tenant_id: str,
        meter_ids: Collection[UUID],
        flows: Collection[str],
        window: Period,
        *,
        with_facts: bool = False,
    ) -> list[ArchivedChannel]:
        """What the archive alone has of these meters' channels, in parts of a month at the most.

        Unreadable where a file that should have some is missing or altered.
        """
        wanted = [(tenant_id, id_, window.start_on, window.end_on) for id_ in meter_ids]
        shards = await fetch_shards(read, wanted)
        if not shards:
            return []
        recalled = await fetch_recalled(read, [tenant_id], meter_ids, window)
        wanted_channels = _Wanted(sorted(meter_ids), flows, window, with_facts)
        return await self.folders.run(_channels, self.folders, shards, wanted_channels, recalled)

    async def fetch_blocks(
        self, read: ReadConnection, keys: Collection[DayKey]
    ) -> list[ArchivedBlock]:
        """The blocks that the archive alone has of channel-days of one tenant."""
        if not keys:
            return []
        tenant_id = next(iter(keys)).tenant_id
        window, meter_ids = _window(keys), {key.meter_id for key in keys}
        wanted = [(tenant_id, id_, window.start_on, window.end_on) for id_ in meter_ids]
        shards = await fetch_shards(read, wanted)
        if not shards:
            return []
        recalled = await fetch_recalled(read, [tenant_id], meter_ids, window)
        return await self.folders.run(
            _blocks, self.folders, shards, sorted(meter_ids), set(keys) - recalled
        )

    async def recall_keys(self, tx: WriteConnection, keys: Iterable[DayKey], now: datetime) -> None:
        """Have these channel-days in the database, whatever is archived of them, and keep them
        there until the transaction ends."""
        old = [
            MeterDays(key.tenant_id, key.meter_id, key.day, key.day + ONE_DAY)
            for key in keys
            if not is_young(key.day, now)
        ]
        await self.recall(tx, old, now)

    async def recall(
        self, tx: WriteConnection, wanted: Collection[MeterDays], now: datetime
    ) -> None:
        """The same for days of meters, all of their channels."""
        old = {days for days in wanted if not is_young(days.start_on, now)}
        if not old:
            return
        await share_tenants(tx, {days.tenant_id for days in old})
        shards = await fetch_shards(tx, old)
        for shard in shards:
            await self._recall_from(tx, shard, old, now)

    async def recall_each(
        self, tx: WriteConnection, wanted: Mapping[K, Collection[MeterDays]], now: datetime
    ) -> set[K]:
        """The same for what is decided one by one: those of which all could be recalled. The
        others are logged: one file that is missing holds up only what needs it."""
        try:
            await self.recall(tx, [days for own in wanted.values() for days in own], now)
        except Unreadable:
            recalled = set()
            for name, own in wanted.items():
                try:
                    await self.recall(tx, own, now)
                except Unreadable as failure:
                    log.error("cannot be decided now", reason=str(failure))  # noqa: TRY400
                else:
                    recalled.add(name)
            return recalled
        return set(wanted)

    async def _recall_from(
        self, tx: WriteConnection, shard: ArchivedShard, wanted: Iterable[MeterDays], now: datetime
    ) -> None:
        tenant_id, bounds = shard.shard.tenant_id, shard.shard
        days_of: dict[UUID, set[date]] = {}
        for days in wanted:
            if (
                days.tenant_id == tenant_id
                and bounds.meter_from <= days.meter_id <= bounds.meter_to
            ):
                first = max(days.start_on, bounds.month.start_on)
                end = min(days.end_on, bounds.month.end_on)
                span = {first + index * ONE_DAY for index in range(max(0, (end - first).days))}
                days_of.setdefault(days.meter_id, set()).update(span)
        known = await fetch_recalled(tx, [tenant_id], days_of, bounds.month)
        found: _Recall = await self.folders.run(_stored, self.folders, shard, days_of, known)
        await self._insert(tx, tenant_id, found, now)

    async def _insert(
        self, tx: WriteConnection, tenant_id: str, found: _Recall, now: datetime
    ) -> None:
        claimed = await claim_recalled(tx, _totals(tenant_id, found), now)
        if not claimed:
            return
        await self._partitions.ensure(tx, {key.day for key in claimed})
        channels = [
            kept(channel, Period(channel.stored.days[0], channel.stored.days[-1] + ONE_DAY), gone)
            for channel in found.channels
            if (gone := _not_in(tenant_id, channel, claimed)) is not None
        ]
        await _copy_days(tx, tenant_id, channels)
        blocks = [
            block for block in found.blocks if DayKey(tenant_id, *block.channel_day) in claimed
        ]
        await _copy_blocks(tx, tenant_id, blocks)


def _window(keys: Collection[DayKey]) -> Period:
    days = {key.day for key in keys}
    return Period(min(days), max(days) + ONE_DAY)


def _channels(
    folders: Folders,
    shards: Sequence[ArchivedShard],
    wanted: _Wanted,
    recalled: Collection[DayKey],
) -> list[ArchivedChannel]:
    gone: dict[tuple[UUID, str, int], set[date]] = {}
    for key in recalled:
        gone.setdefault((key.meter_id, key.flow, key.minutes), set()).add(key.day)
    found = []
    for shard in shards:
        with folders.opened(shard, DAYS) as file:
            for channel in file.channels(
                wanted.meter_ids, wanted.flows, with_facts=wanted.with_facts
            ):
                name = (channel.meter_id, channel.flow, channel.minutes)
                part = kept(channel, wanted.window, gone.get(name, ()))
                if part.stored.days:
                    found.append(part)
    return found


def _blocks(
    folders: Folders,
    shards: Sequence[ArchivedShard],
    meter_ids: Sequence[UUID],
    wanted: Collection[DayKey],
) -> list[ArchivedBlock]:
    found = []
    for shard in shards:
        with folders.opened(shard, BLOCKS) as file:
            found += [
                block
                for block in file.blocks(meter_ids)
                if DayKey(shard.shard.tenant_id, *block.channel_day) in wanted
            ]
    return found


def _stored(
    folders: Folders,
    shard: ArchivedShard,
    days_of: dict[UUID, set[date]],
    known: Collection[DayKey],
) -> _Recall:
    """What a shard has of these days of meters, without what was recalled before."""
    tenant_id, month = shard.shard.tenant_id, shard.shard.month
    channels = []
    with folders.opened(shard, DAYS) as file:
        for channel in file.channels(sorted(days_of), ALL_FLOWS, with_facts=True):
            name = (tenant_id, channel.meter_id, channel.flow, channel.minutes)
            gone = {
                day
                for day in channel.stored.days
                if day not in days_of[channel.meter_id] or DayKey(*name, day) in known
            }
            part = kept(channel, month, gone)
            if part.stored.days:
                channels.append(part)
    with folders.opened(shard, BLOCKS) as file:
        blocks = [
            block
            for block in file.blocks(sorted(days_of))
            if block.day in days_of[block.meter_id]
            and DayKey(tenant_id, *block.channel_day) not in known
        ]
    return _Recall(channels, blocks)


def _totals(tenant_id: str, found: _Recall) -> dict[DayKey, tuple[int, int, int]]:
    """Of each channel-day its events, values and energy in Wh (varh)."""
    events: dict[DayKey, int] = {}
    for block in found.blocks:
        key = DayKey(tenant_id, *block.channel_day)
        events[key] = events.get(key, 0) + (block.piece == 0)
    totals = {key: (count, 0, 0) for key, count in events.items()}
    for channel in found.channels:
        for day, (values, _) in channel.stored.by_day().items():
            key = DayKey(tenant_id, channel.meter_id, channel.flow, channel.minutes, day)
            present = values != MISSING
            energy = int(values[present].sum(dtype=np.int64))
            totals[key] = (events.get(key, 0), int(np.count_nonzero(present)), energy)
    return totals


def _not_in(
    tenant_id: str, channel: ArchivedChannel, claimed: Collection[DayKey]
) -> set[date] | None:
    """The days of a channel that are not claimed; None where none is."""
    name = (tenant_id, channel.meter_id, channel.flow, channel.minutes)
    gone = {day for day in channel.stored.days if DayKey(*name, day) not in claimed}
    return None if len(gone) == len(channel.stored.days) else gone


async def _copy_days(
    tx: WriteConnection, tenant_id: str, channels: Sequence[ArchivedChannel]
) -> None:
    rows: list[tuple[Any, ...]] = [
        (channel.meter_id, channel.flow, channel.minutes, day, *facts)
        for channel in channels
        for day, facts in zip(channel.stored.days, channel.facts, strict=True)
    ]
    if not rows:
        return
    meter_ids, flows, minutes, days, zones, versions, presents, recorded_at, causes = zip(
        *rows, strict=True
    )
    lengths = np.array([n for channel in channels for n in channel.stored.lengths], np.int64)
    letters = b"".join(channel.stored.quality for channel in channels)
    payload = copy.body(
        len(_DAY_COLUMNS),
        copy.texts([tenant_id] * len(rows)),
        copy.fixed(copy.uuids(meter_ids)),
        copy.texts(flows),
        copy.texts(zones),
        copy.texts(causes),
        copy.byte_texts(np.frombuffer(letters, np.uint8), lengths),
        copy.fixed(
            np.array(minutes, np.int16),
            np.array([copy.day_number(day) for day in days], np.int32),
            np.array(versions, np.int32),
            np.array(presents, np.int16),
            copy.instants(recorded_at),
        ),
        copy.int4_arrays(np.concatenate([channel.stored.values for channel in channels]), lengths),
    )
    await tx.copy_binary("channel_day", _DAY_COLUMNS, payload)


async def _copy_blocks(
    tx: WriteConnection, tenant_id: str, blocks: Sequence[ArchivedBlock]
) -> None:
    if not blocks:
        return
    lengths = np.array([block.values.size for block in blocks], np.int64)
    payload = copy.body(
        len(_BLOCK_COLUMNS),
        copy.texts([tenant_id] * len(blocks)),
        copy.texts([block.flow for block in blocks]),
        copy.texts([block.source for block in blocks]),
        copy.texts([block.correlation_id for block in blocks]),
        copy.fixed(
            copy.uuids([block.meter_id for block in blocks]),
            np.array([block.minutes for block in blocks], np.int16),
            np.array([copy.day_number(block.day) for block in blocks], np.int32),
            copy.uuids([block.event_id for block in blocks]),
            copy.instants([block.start_at for block in blocks]),
            np.array([block.slot for block in blocks], np.int16),
            np.array([block.piece for block in blocks], np.int16),
            np.array([block.quality for block in blocks], "S1"),
            copy.instants([block.read_at for block in blocks]),
            copy.instants([block.recorded_at for block in blocks]),
        ),
        copy.int4_arrays(np.concatenate([block.values for block in blocks]), lengths),
    )
    await tx.copy_binary("reading_block", _BLOCK_COLUMNS, payload)
