"""Recording readings: the one way into the store, for what Kafka brings and what we stored.

Load → decide → save in the caller's transaction. Whatever becomes of an event is counted there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog

from gridtally.database import WriteConnection
from gridtally.ingest.domain.merge import MISSING, Days, Index, fill
from gridtally.ingest.domain.pending_blocks import PendingKey, beyond_quota
from gridtally.ingest.domain.readings import (
    WITHDRAWN,
    DayPieces,
    Origin,
    Outcome,
    ReceivedBlocks,
    SortedBatch,
    sort_batch,
)
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.domain.validation_rules import MergedBatch
from gridtally.ingest.events import SOURCE_IMPORTS
from gridtally.ingest.events.messages import readings_rejected
from gridtally.ingest.handlers.merge import merge_contested
from gridtally.ingest.handlers.validation_rules import Validator
from gridtally.ingest.store import pending_blocks, quarantine, readings, usage, withdrawn_events
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.intake_counts import IntakeCounts, fetch_pending
from gridtally.ingest.store.meters import Meters
from gridtally.ingest.store.partitions import Partitions
from gridtally.kernel.errors import Transient
from gridtally.messaging import enqueue

EVENT_ID_REUSED = Refusal(
    "event_id_reused",
    "another block with this event id is stored; an id (event_id, ce_id) names one message: send "
    "other values under an id of their own",
)
log = structlog.get_logger(__name__)


class _HeldBack(Exception):
    """Blocks of the batch that rules have quarantined, by index."""

    def __init__(self, refused: Mapping[int, Refusal]) -> None:
        super().__init__(len(refused))
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Recorder:
    """What recording needs beside its transaction; one per process.

    `pending_blocks_max` is how many blocks of one tenant may be pending, whose meters are unknown.
    `suspects` are the event ids of a batch that could not be stored since one of its blocks was
    stored already. Where two blocks of one id have values for different intervals nothing competes,
    so only that failure shows it; in the next attempt all days of the suspects are contested.
    """

    meters: Meters
    partitions: Partitions
    archive: Archive
    announce_delay: timedelta
    pending_blocks_max: int
    suspects: set[UUID] = field(default_factory=set)
    validator: Validator = field(default_factory=Validator)

    async def record(
        self,
        tx: WriteConnection,
        received: ReceivedBlocks,
        now: datetime,
        *,
        origin: Origin = "received",
    ) -> list[Outcome]:
        """Store blocks, put them into quarantine or leave them pending; the outcome of each.

        Beyond `pending_blocks_max` the last blocks are dropped, but for those that were pending.

        Transient when another writer was faster; then the transaction must be rolled back.
        """
        batch = await self._sort(tx, received, now)
        counts = IntakeCounts()
        outcomes: list[Outcome] = ["duplicates"] * len(received)
        refused = batch.refused
        if batch.pieces.keys:
            holds_back = origin != "quarantined"
            try:
                stored, conflicts = await self._store(
                    tx, received, batch.pieces, now, counts, holds_back=holds_back
                )
            except _HeldBack as held_back:
                batch = await self._sort(tx, received, now, held_back.refused)
                refused = batch.refused
                stored, conflicts = await self._store(
                    tx, received, batch.pieces, now, counts, holds_back=False
                )
            for index in stored:
                outcomes[index] = "stored"
            refused = refused | dict.fromkeys(conflicts - stored, EVENT_ID_REUSED)
        for index in await _quarantine(tx, received, refused, now):
            outcomes[index] = "quarantined"
        room = None if origin == "pending" else self.pending_blocks_max
        pending, dropped = await _insert_pending(tx, received, batch.pending, now, room)
        for index in pending:
            outcomes[index] = "pending"
        for index in dropped:
            outcomes[index] = "dropped"
        counts.add_events(received, origin, outcomes)
        await counts.save(tx)
        return outcomes

    async def refusal(
        self, tx: WriteConnection, received: ReceivedBlocks, now: datetime
    ) -> Refusal | None:
        """Why the first block cannot be stored now, if it cannot."""
        batch = await self._sort(tx, received, now)
        if batch.pending:
            return Refusal("unknown_meter", "this meter is not known")
        return batch.refused.get(0)

    async def _sort(
        self,
        tx: WriteConnection,
        received: ReceivedBlocks,
        now: datetime,
        held_back: Mapping[int, Refusal] | None = None,
    ) -> SortedBatch:
        batch = received.batch()
        meters = await self.meters.fetch(tx, batch.meter_keys)
        withdrawn = dict.fromkeys(await _withdrawn(tx, received), WITHDRAWN)
        return sort_batch(meters, batch, now, {**(held_back or {}), **withdrawn})

    async def _store(
        self,
        tx: WriteConnection,
        received: ReceivedBlocks,
        batch: DayPieces,
        now: datetime,
        counts: IntakeCounts,
        *,
        holds_back: bool,
    ) -> tuple[set[int], set[int]]:
        """Merge the pieces into their channel-days.

        Returns the indexes of the blocks with a new piece, and of those with a piece whose event id
        is that of another one. _HeldBack, before anything is written, where a rule of the tenant
        has blocks quarantined and `holds_back`.
        """
        if not batch.keys:
            return set(), set()
        await self.partitions.ensure(tx, {key.day for key in batch.keys})
        await self.archive.recall_keys(tx, batch.keys, now)
        keys = readings.channel_day_columns(batch.keys)
        days, versions = await readings.fetch_days(tx, batch, keys)
        before = days.copy()
        contested = fill(days, batch.pieces, self._suspected(received, batch))
        is_fresh = np.ones(batch.pieces.counts.size, np.bool_)
        conflicts: set[int] = set()
        if contested.any():
            disputed = np.flatnonzero(contested[batch.pieces.days])
            contest = await merge_contested(tx, received, batch, days, disputed)
            is_fresh[disputed], is_fresh[contest.fresh] = False, True
            conflicts = contest.conflicts
        fresh = np.flatnonzero(is_fresh)
        differs = (days.values != before.values) | (days.quality != before.quality)
        changed = np.flatnonzero(days.per_day(differs))
        judged = await self.validator.judge(
            tx, self.meters, MergedBatch(batch, before, days, changed)
        )
        if holds_back and (held_back := judged.refused(batch)):
            raise _HeldBack(held_back)
        if changed.size:
            causes = _last_blocks(batch, fresh, days.slots.size)[changed].tolist()
            changes = readings.DayChanges(changed, versions[changed], causes)
            await readings.upsert_days(tx, received, batch, keys, days, changes, now)
            await usage.queue_changed_days(tx, now + self.announce_delay)
            await self.validator.save(tx, judged, now)
        fresh_blocks = {batch.blocks[index] for index in fresh.tolist()}
        try:
            await readings.insert_blocks(tx, received, batch, keys, fresh, now)
        except Transient:
            self.suspects.update(received.event_ids[index] for index in fresh_blocks)
            raise
        self.suspects.clear()
        count_values(counts, received, batch, before, days, differs)
        return fresh_blocks, conflicts

    def _suspected(self, received: ReceivedBlocks, batch: DayPieces) -> list[int]:
        """The days with a piece of a suspect."""
        if not self.suspects:
            return []
        blocks = zip(batch.blocks, batch.pieces.days.tolist(), strict=True)
        return [day for block, day in blocks if received.event_ids[block] in self.suspects]


async def _withdrawn(tx: WriteConnection, received: ReceivedBlocks) -> list[int]:
    """The blocks of imports that were undone before they came; only those of imports are asked
    for, so that others cost a look at their senders."""
    if not any(source.startswith(SOURCE_IMPORTS) for source in set(received.sources)):
        return []
    sources = enumerate(received.sources)
    indexes = [index for index, source in sources if source.startswith(SOURCE_IMPORTS)]
    return await withdrawn_events.fetch_withdrawn(tx, received, indexes)


def _last_blocks(batch: DayPieces, fresh: Index, days_count: int) -> Index:
    """Per day the index of the block that came last with a new piece of it.

    `fresh` rises, and of several values that numpy assigns to one place the last one stays.
    """
    last_pieces = np.zeros(days_count, np.int64)
    last_pieces[batch.pieces.days[fresh]] = fresh
    return np.array(batch.blocks, np.int64)[last_pieces]


async def _quarantine(
    tx: WriteConnection, received: ReceivedBlocks, refused: dict[int, Refusal], now: datetime
) -> list[int]:
    """Put refused blocks into quarantine and publish that; the indexes of those that are new there.

    Of a block that comes twice in the batch the first one counts.
    """
    indexes = {received.quarantine_id(index): index for index in reversed(refused)}
    inserted = await quarantine.insert_quarantined(
        tx, received, {id_: (index, refused[index]) for id_, index in indexes.items()}, now
    )
    new = [(quarantine_id, indexes[quarantine_id]) for quarantine_id in inserted]
    await enqueue(
        tx,
        [
            readings_rejected(received, index, refused[index], quarantine_id, now)
            for quarantine_id, index in new
        ],
    )
    return [index for _, index in new]


async def _insert_pending(
    tx: WriteConnection,
    received: ReceivedBlocks,
    unknown: Sequence[int],
    now: datetime,
    blocks_max: int | None,
) -> tuple[list[int], list[int]]:
    """Store blocks of unknown meters as pending; the indexes of those that are new, and of those
    that were dropped since the tenant would have more than `blocks_max`."""
    keys: dict[PendingKey, int] = {}
    for index in reversed(unknown):
        meter_id = received.blocks[index].meter_id
        keys[received.tenants[index], meter_id, received.event_ids[index]] = index
    inserted = await pending_blocks.insert_pending(tx, received, keys, now)
    beyond: set[PendingKey] = set()
    if inserted and blocks_max is not None:
        pending = await fetch_pending(tx, {tenant_id for tenant_id, _, _ in inserted})
        rooms = {tenant_id: blocks_max - count for tenant_id, count in pending.items()}
        beyond = beyond_quota({key: keys[key] for key in inserted}, rooms, blocks_max)
    if beyond:
        await pending_blocks.delete_pending(tx, beyond)
        for tenant_id, count in Counter(tenant_id for tenant_id, _, _ in beyond).items():
            log.warning("pending blocks dropped", tenant_id=tenant_id, blocks=count)
    return [keys[key] for key in inserted - beyond], [keys[key] for key in beyond]


def count_values(
    counts: IntakeCounts,
    received: ReceivedBlocks,
    batch: DayPieces,
    before: Days,
    days: Days,
    differs: npt.NDArray[np.bool_],
) -> None:
    """Count values by tenant: those that filled a gap, that changed another, that changed nothing.

    All arrays have one entry per interval of all days of the batch, and `per_day` makes one per day
    of them; a day is of one tenant. New and corrected values are counted by comparing the days, not
    the pieces, since a piece may lose against a value of higher rank. A voided value leaves its
    gap, so it is one less of the new ones, and the sum of `new` is always what the tables hold.
    What came and neither filled nor corrected anything is unchanged.
    """
    was, is_ = before.values != MISSING, days.values != MISSING
    filled, corrected = before.per_day(is_ & ~was), before.per_day(differs & was & is_)
    new = filled - before.per_day(was & ~is_)
    pieces = batch.pieces
    present = np.add.reduceat(pieces.values != MISSING, pieces.begins, dtype=np.int64)
    came = np.zeros(new.size, np.int64)
    np.add.at(came, pieces.days, present)
    unchanged = np.maximum(came - filled - corrected, 0)
    per_day = np.column_stack((new, corrected, unchanged))
    partitions = dict(zip(received.tenants, received.partitions, strict=True))
    tenants = np.array([key.tenant_id for key in batch.keys])
    for tenant_id, partition in partitions.items():
        of_tenant = per_day[tenants == tenant_id].sum(axis=0).tolist()
        counts.add_values(tenant_id, partition, of_tenant)
