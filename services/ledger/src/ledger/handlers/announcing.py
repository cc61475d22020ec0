"""Announcing what customers owe, once their books have changed or an invoice has fallen overdue.

Apart from the booking, so that a burst of bookings is told of once, and nobody waits for it.
"""

from datetime import UTC, datetime
from itertools import groupby

from database import WriteConnection
from ledger import wire
from ledger.store import customers
from messaging import enqueue

CUSTOMERS_MAX = 1_000
OVERDUE_ITEMS_MAX = 1_000


async def announce_changed(tx: WriteConnection, now: datetime) -> int:
    """Put account.changed into the outbox for customers whose books have changed; how many."""
    versions = await customers.claim_changed(tx, CUSTOMERS_MAX)
    if not versions:
        return 0
    today = now.astimezone(UTC).date()
    rows = await customers.fetch_balances(tx, list(versions), today)
    told = {
        key: [
            wire.currency_account(
                one.currency, one.receivable, one.prepaid, one.export_payable, one.arrears
            )
            for one in balances
        ]
        for key, balances in groupby(rows, key=lambda one: (one.tenant_id, one.customer_id))
    }
    await enqueue(
        tx,
        [
            wire.account_changed(key, version, told.get(key, []), now)
            for key, version in versions.items()
        ],
    )
    await customers.update_announced(tx, list(versions))
    return len(versions)


async def tell_overdue(tx: WriteConnection, now: datetime) -> int:
    """Have those announced whose invoices were due before today (UTC); how many invoices."""
    return await customers.tell_overdue(tx, now.astimezone(UTC).date(), OVERDUE_ITEMS_MAX)
