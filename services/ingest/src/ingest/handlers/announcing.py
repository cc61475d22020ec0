"""Announcing usage: each changed channel-day once, in its newest version.

Published straight from the store while the claim's transaction holds the marks, not through the
outbox: the state to tell is in `channel_day` anyway, so an outbox row would only write every day
a second time. A claim that is not acknowledged rolls back and is taken again.
"""

from datetime import datetime

from database import ALL_TENANTS, Database, transaction
from ingest.store import usage
from ingest.wire import usage_recorded
from messaging import Publisher

CLAIM_ROWS_MAX = 2_000


async def announce_usage(database: Database, publisher: Publisher, now: datetime) -> int:
    """Announce what one claim takes; how many channel-days. Transient when the broker is away."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        days = await usage.claim_changed_days(tx, now, CLAIM_ROWS_MAX)
        if days:
            await usage.mark_ended_months(tx, days, now)
            await publisher.publish([usage_recorded(it) for it in days])
    return len(days)
