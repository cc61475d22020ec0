"""Publishing what customers owe, once their accounts have changed or an invoice has fallen overdue.

Apart from posting, so that a burst of postings is published once, and nobody waits for it.
"""

from datetime import UTC, datetime

from gridtally.database import WriteConnection
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.store import balances, customers, open_items
from gridtally.messaging import enqueue

CUSTOMERS_MAX = 1_000
OVERDUE_ITEMS_MAX = 1_000


async def publish_changed_balances(tx: WriteConnection, now: datetime) -> int:
    """Put account.changed into the outbox for up to `CUSTOMERS_MAX` customers whose accounts have
    changed. Returns how many that were."""
    versions = await customers.claim_changed(tx, CUSTOMERS_MAX)
    if not versions:
        return 0
    today = now.astimezone(UTC).date()
    of_customers = await balances.fetch_balances(tx, list(versions), today)
    await enqueue(
        tx,
        [
            events.account_changed(key, version, of_customers.get(key, []), now)
            for key, version in versions.items()
        ],
    )
    await customers.update_published(tx, list(versions))
    return len(versions)


async def report_overdue(tx: WriteConnection, now: datetime) -> int:
    """Have balances published whose arrears have grown: of items that were due before today (UTC)
    and are not reported yet. Returns how many items that were."""
    today = now.astimezone(UTC).date()
    items = await open_items.fetch_overdue(tx, today, OVERDUE_ITEMS_MAX)
    if items:
        await customers.lock_customers(tx, [(item.tenant_id, item.customer_id) for item in items])
        await open_items.update_overdue_reported(tx, items)
    return len(items)
