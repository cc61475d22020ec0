"""A single payment costs the same after batches on its connection: the check of its postings keeps
a plan that looks its transaction up, and reads no other."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

import gridtally.ledger
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.ledger.accounts.handlers.payments import post_payments
from integration.ledger.accounts import issue, payment, posted

FIRST = Path(gridtally.ledger.__file__).parent / "migrations" / "versions"
BATCHES, BATCH = 8, 250
SINGLES = 10
READ = """
SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables
 WHERE relname IN ('transaction', 'posting')
"""


@pytest.fixture
async def single(ledger_url):
    """The ledger's database, by one connection."""
    async with await Database.connect(
        ledger_url, application="single", pool_connections_max=1
    ) as database:
        yield database


async def run(database, sql):
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(sql)


async def rows_scanned(database):
    """How many rows of both tables were read by scans of the whole, so far."""
    await run(database, "SELECT pg_stat_force_next_flush()")
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        return await tx.raw.fetchval(READ)


async def singles_after_batches(database):
    """How many rows ten single payments scan, after batches on the same connection."""
    for _ in range(BATCHES):
        await run(database, "ANALYZE transaction; ANALYZE posting")  # drops the plan of before
        await issue(database, *["1.00"] * BATCH)
    before = await rows_scanned(database)
    for _ in range(SINGLES):
        await posted(database, post_payments, payment(uuid4(), "1.00"))
    return await rows_scanned(database) - before


async def test_a_single_payment_after_batches_scans_no_table(single):
    assert await singles_after_batches(single) < BATCH


async def test_the_check_of_before_is_found(single):
    """It planned for batches by reading every transaction."""
    text = next(FIRST.glob("0001_*.py")).read_text()
    function = re.search(r"CREATE FUNCTION refuse_additions.*?END \$\$", text, re.DOTALL)[0]
    await run(single, function.replace("CREATE", "CREATE OR REPLACE", 1))
    assert await singles_after_batches(single) > BATCHES * BATCH
