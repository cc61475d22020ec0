"""What triggers and foreign keys look up is found by key, whatever the session has done before.

PostgreSQL plans a statement without parameters once for each session, also within a trigger. What
suits a first batch into empty tables, or one of thousands, is kept for every single payment later.
"""

from uuid import uuid4

import pytest

from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_invoices
from integration.ledger.accounts import customer, invoice, payment, received

BATCH = 1_000
SINGLES = 3
SCANNED = """
SELECT relname, seq_scan, seq_tup_read FROM pg_stat_xact_user_tables
 WHERE relname IN ('transaction', 'posting', 'account') AND seq_scan > 0
"""


@pytest.fixture
async def one_session(ledger_url):
    """The ledger's database, by a single connection."""
    async with await Database.connect(
        ledger_url, application="test", pool_connections_max=1
    ) as opened:
        yield opened


async def scans_of(database, handle, *events):
    """Which tables a transaction read as a whole, its deferred checks included."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await handle(tx, [received(event, "acme") for event in events])
        await tx.raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return [tuple(row) for row in await tx.raw.fetch(SCANNED)]


@pytest.mark.parametrize("first", [1, BATCH])
async def test_a_single_payment_reads_no_table_whole_after_batches(one_session, first):
    payers = [uuid4() for _ in range(BATCH)]
    await scans_of(one_session, apply_customers, *(customer(payer) for payer in payers))
    bills = [invoice(n, customer=payer) for n, payer in enumerate(payers)]
    await scans_of(one_session, post_invoices, *bills[:first])
    await scans_of(one_session, post_invoices, *bills[first:], invoice(BATCH))
    for payer in payers[:SINGLES]:
        assert await scans_of(one_session, post_payments, payment(payer, "119.00")) == []
    for n in range(SINGLES):
        assert await scans_of(one_session, post_invoices, invoice(BATCH + n + 1)) == []
