"""Publishing usage: each changed channel-day once, in its newest version.

Published straight from the store while the transaction of the claim holds the marks, not through
the outbox: the state to publish is in `channel_day` anyway, so an outbox row would only write every
day a second time. A claim that is not acknowledged rolls back and is taken again.
"""

from datetime import datetime

from gridtally.database import WriteConnection
from gridtally.ingest.events.messages import usage_recorded
from gridtally.ingest.handlers import register_sums
from gridtally.ingest.handlers.alerts import mark_days
from gridtally.ingest.store import derived_meters, usage
from gridtally.messaging import Publisher
from gridtally.messaging.offsets import move_own_offsets

CLAIM_ROWS_MAX = 2_000


async def publish_usage(tx: WriteConnection, publisher: Publisher, now: datetime) -> int:
    """Publish the channel-days of one claim, and mark their ended periods, and their meters for
    alerts and registers, to be checked.

    Returns how many channel-days; Transient when the broker is away.
    """
    days = await usage.claim_changed_days(tx, now, CLAIM_ROWS_MAX)
    if days:
        await usage.mark_ended_months(tx, days, now)
        await derived_meters.mark_sums(tx, days)
        await mark_days(tx, days, now)
        await register_sums.mark_days(tx, days)
        known = await publisher.publish([usage_recorded(day) for day in days])
        await move_own_offsets(tx, known)
    return len(days)
