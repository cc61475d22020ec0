"""After a restore: channel-days and closed periods are stored as they had been published.

Blocks come again from their topic, and find what they had made of the days: so they change nothing,
and no day has another version, no period another revision, than was said.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gridtally.contracts.metering import PeriodClosed, UsageRecorded
from gridtally.database import WriteConnection
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.readings import OWN_STORE
from gridtally.ingest.events.adoption import published_day, published_period
from gridtally.ingest.store import adoption as store
from gridtally.ingest.store import derived_meters, usage
from gridtally.ingest.store.intake_counts import IntakeCounts
from gridtally.ingest.store.partitions import Partitions
from gridtally.messaging import ReceivedMessage


async def adopt_usage(
    tx: WriteConnection,
    messages: Sequence[ReceivedMessage[UsageRecorded]],
    partitions: Partitions,
    now: datetime,
) -> Sequence[ReceivedMessage[Any]]:
    """Channel-days in the newest versions that were published; the ended periods in which they lie
    are checked once more."""
    newest: dict[tuple[object, ...], PublishedDay] = {}
    for message in messages:
        if message.event is not None:
            day = published_day(message)
            if day.key not in newest or newest[day.key].version < day.version:
                newest[day.key] = day
    days = list(newest.values())
    await partitions.ensure(tx, [day.day for day in days])
    counts = IntakeCounts()
    for tenant_id, new in (await store.adopt_days(tx, days)).items():
        # the blocks that brought them come again, and change nothing then
        counts.add_values(tenant_id, OWN_STORE, (new, 0, -new))
    await counts.save(tx)
    await usage.mark_ended_months(tx, days, now)
    await derived_meters.mark_sums(tx, days)
    return []


async def adopt_periods(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PeriodClosed]]
) -> Sequence[ReceivedMessage[Any]]:
    """Periods in the newest revisions that were published."""
    await store.adopt_periods(
        tx, [published_period(message) for message in messages if message.event is not None]
    )
    return []
