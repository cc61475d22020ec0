"""After a restore: channel-days, closed periods and alerts are stored as they had been published.

Blocks come again from their topic, and find what they had made of the days: so they change nothing,
and no day has another version, no period another revision, than was said.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.contracts.metering import PeriodClosed, UsageRecorded
from gridtally.database import WriteConnection
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.readings import OWN_STORE, DayKey
from gridtally.ingest.events.adoption import published_day, published_period
from gridtally.ingest.events.alerts import published_alert, published_clearing
from gridtally.ingest.handlers import register_sums
from gridtally.ingest.handlers.alerts import mark_days, mark_meters
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import adoption as store
from gridtally.ingest.store import alerts, derived_meters, usage
from gridtally.ingest.store.intake_counts import IntakeCounts
from gridtally.messaging import ReceivedMessage


async def adopt_usage(
    tx: WriteConnection,
    messages: Sequence[ReceivedMessage[UsageRecorded]],
    recorder: Recorder,
    now: datetime,
) -> Sequence[ReceivedMessage[Any]]:
    """Channel-days in the newest versions that were published; the ended periods in which they lie
    are checked once more, and so are their registers."""
    newest: dict[tuple[object, ...], PublishedDay] = {}
    for message in messages:
        if message.event is not None:
            day = published_day(message)
            if day.key not in newest or newest[day.key].version < day.version:
                newest[day.key] = day
    days = list(newest.values())
    await recorder.partitions.ensure(tx, [day.day for day in days])
    await recorder.archive.recall_keys(
        tx,
        [DayKey(day.tenant_id, day.meter_id, day.flow, day.minutes, day.day) for day in days],
        now,
    )
    counts = IntakeCounts()
    for tenant_id, new in (await store.adopt_days(tx, days)).items():
        # the blocks that brought them come again, and change nothing then
        counts.add_values(tenant_id, OWN_STORE, (new, 0, -new))
    await counts.save(tx)
    await usage.mark_ended_months(tx, days, now)
    await derived_meters.mark_sums(tx, days)
    await mark_days(tx, days, now)
    await register_sums.mark_days(tx, days)
    return []


async def adopt_periods(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PeriodClosed]]
) -> Sequence[ReceivedMessage[Any]]:
    """Periods in the newest revisions that were published."""
    await store.adopt_periods(
        tx, [published_period(message) for message in messages if message.event is not None]
    )
    return []


async def adopt_alerts(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AlertRaised]], now: datetime
) -> Sequence[ReceivedMessage[Any]]:
    """Alerts as they were raised, open until their end is read; their meters are looked at."""
    published = [published_alert(message) for message in messages if message.event is not None]
    await alerts.adopt_alerts(tx, sorted(published, key=lambda alert: alert.number))
    await mark_meters(tx, {(alert.tenant_id, alert.meter_id) for alert in published}, now)
    return []


async def adopt_clearings(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AlertCleared]]
) -> Sequence[ReceivedMessage[Any]]:
    """The ends of alerts as they were published."""
    await alerts.adopt_clearings(
        tx, [published_clearing(message) for message in messages if message.event is not None]
    )
    return []
