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
from gridtally.ledger.accounts.store import customer_accounts
from integration.ledger.accounts import customer, invoice, issue, payment, received

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


async def test_what_a_kept_plan_decides_from_is_what_is_open_and_what_is_named(one_session):
    """Not all that a customer has ever paid."""
    who, bills = await issue(one_session, *["1.00"] * BATCH)
    kept = (
        f"PREPARE kept (text[], uuid[], text[], uuid[], text[]) AS {customer_accounts._FETCH_ITEMS}"
    )
    named = "{" + str(bills[0].invoice_id) + "}"
    asked = f"EXECUTE kept ('{{acme}}', '{{{who}}}', '{{EUR}}', '{named}', '{{acme}}')"
    async with transaction(one_session, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute("UPDATE open_item SET allocated = total WHERE number <> 'INV-7'")
        await tx.raw.execute("ANALYZE open_item; SET LOCAL plan_cache_mode = force_generic_plan")
        await tx.raw.execute(kept)
        plan = "\n".join(row[0] for row in await tx.raw.fetch(f"EXPLAIN {asked}"))
        rows = await tx.raw.fetch(asked)
        await tx.raw.execute("DEALLOCATE kept")
    assert "Seq Scan" not in plan, plan
    for index in ("open_item_open", "open_item_pkey"):
        assert f"Index Scan using {index} on open_item" in plan, plan
    assert "open_item_by_customer" not in plan, plan
    assert {row["id"] for row in rows} == {bills[0].invoice_id, bills[7].invoice_id}
