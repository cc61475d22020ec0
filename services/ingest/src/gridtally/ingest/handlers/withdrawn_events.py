"""Withdrawing events: their blocks stay stored, and the channel-days are made again without them.

What was known before is known again: an earlier value, or none. So "as known at" still answers what
was there in between, and usage, periods and bills follow as after any correction.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingsReceived
from gridtally.database import WriteConnection
from gridtally.ingest.domain.merge import rebuild_day
from gridtally.ingest.domain.readings import OWN_STORE, DayKey, DayPieces, ReceivedBlocks
from gridtally.ingest.domain.submissions import Submission
from gridtally.ingest.events.blocks import in_columns
from gridtally.ingest.handlers.readings import Recorder, count_values
from gridtally.ingest.store import readings, usage, withdrawn_events
from gridtally.ingest.store.archive.archive import MeterDays
from gridtally.ingest.store.intake_counts import IntakeCounts
from gridtally.kernel.periods import ONE_DAY


async def withdraw(
    tx: WriteConnection,
    recorder: Recorder,
    tenant_id: str,
    submissions: Sequence[Submission],
    now: datetime,
) -> None:
    """Withdraw the events of these submissions; those that have not come yet are refused when they
    do. Transient when another writer was faster."""
    await withdrawn_events.insert_withdrawn(tx, tenant_id, submissions, now)
    await recorder.archive.recall(tx, _days_around(tenant_id, submissions), now)
    days = await withdrawn_events.fetch_days_of(tx, tenant_id, submissions)
    if days:
        await _rebuild(tx, recorder, days, _received(tenant_id, submissions[-1], now), now)


def _days_around(tenant_id: str, submissions: Sequence[Submission]) -> list[MeterDays]:
    """The local days in which submissions can lie, whatever the zone."""
    return [
        MeterDays(
            tenant_id,
            submission.block.meter_id,
            submission.block.start_at.date() - ONE_DAY,
            submission.block.end_at.date() + 2 * ONE_DAY,
        )
        for submission in submissions
    ]


async def _rebuild(
    tx: WriteConnection,
    recorder: Recorder,
    keys: Sequence[DayKey],
    received: ReceivedBlocks,
    now: datetime,
) -> None:
    """Make channel-days again from the blocks that count; `received` is what caused it."""
    batch = await _without_pieces(tx, recorder, keys)
    columns = readings.channel_day_columns(batch.keys)
    days, versions = await readings.fetch_days(tx, batch, columns)
    before = days.copy()
    stored = await readings.fetch_ranked_pieces(tx, batch.keys)
    for day, pieces in enumerate(stored):
        part = days.part(day)
        rebuild_day(days.values[part], days.quality[part], pieces)
    differs = (days.values != before.values) | (days.quality != before.quality)
    changed = np.flatnonzero(days.per_day(differs))
    if not changed.size:
        return
    changes = readings.DayChanges(changed, versions[changed], [0] * changed.size)
    await readings.upsert_days(tx, received, batch, columns, days, changes, now)
    await usage.queue_changed_days(tx, now + recorder.announce_delay)
    counts = IntakeCounts()
    count_values(counts, received, batch, before, days, differs)
    await counts.save(tx)


async def _without_pieces(
    tx: WriteConnection, recorder: Recorder, keys: Sequence[DayKey]
) -> DayPieces:
    """Channel-days to which no piece is added."""
    meters = await recorder.meters.fetch(tx, [(key.tenant_id, key.meter_id) for key in keys])
    known = [key for key in keys if (key.tenant_id, key.meter_id) in meters]
    zones = [meters[key.tenant_id, key.meter_id].zone for key in known]
    return DayPieces.none_of(known, zones)


def _received(tenant_id: str, submission: Submission, now: datetime) -> ReceivedBlocks:
    """A submission as the cause of what becomes of the days."""
    event_id = submission.event_id
    assert event_id is not None  # noqa: S101 - only what has an id is withdrawn
    envelope = Envelope(
        event_id, ReadingsReceived.TOPIC, submission.source, now, tenant_id,
        submission.correlation_id,
    )  # fmt: skip
    return in_columns([envelope], [submission.block], [submission.value], [OWN_STORE])
