"""What the schema before wrote is read by the code of this one, and billed on from there.

`rows_of_0004.json` holds every row that the code of revision 0004 wrote for a small tenant: two
periods of two days, the first of them corrected, so that the second is due to be billed again; a
third that waits for its prices; and the usage of two days.
"""

import asyncio
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command

from doubles.billing.worlds import StoredWorld
from gridtally.billing.handlers.invoices import recalculate_invoice
from gridtally.billing.handlers.proofs import prove_invoice
from gridtally.billing.store import agreements, balances, customers, daily_costs, invoices
from gridtally.database import Database, snapshot, transaction
from gridtally.database.migrations import _config, upgrade
from gridtally.rating.proof.verification import verify_invoice

ROWS = json.loads((Path(__file__).parent / "rows_of_0004.json").read_text(), parse_float=Decimal)
TENANT = "acme"
AGREEMENT, METER, CUSTOMER = (
    UUID(ROWS["agreement"][0][name]) for name in ("id", "meter_id", "customer_id")
)
OLD_INVOICES = {UUID(row["id"]) for row in ROWS["invoice"]}
OLD_NAMES = """
SELECT relname FROM pg_class WHERE relname ~ $1
 UNION ALL SELECT conname FROM pg_constraint WHERE conname ~ $1
"""


@pytest.fixture
async def world(database_url):
    """The tenant of the rows, after the migration."""
    url = database_url()
    config = _config("gridtally.billing")
    config.attributes["url"] = url
    await asyncio.to_thread(command.upgrade, config, "0004")
    async with await Database.connect(url, application="test") as database:
        async with transaction(database, tenant=TENANT) as tx:
            for table, rows in ROWS.items():
                await tx.raw.execute(
                    f"INSERT INTO {table} SELECT * "  # noqa: S608 - of our own file
                    f"FROM jsonb_populate_recordset(NULL::{table}, $1)",
                    json.dumps(rows, default=str),
                )
        await asyncio.to_thread(upgrade, url, package="gridtally.billing")
        yield StoredWorld(database, tenant=TENANT)


async def test_what_is_held_is_billed_on_and_every_invoice_recalculates(world, make):
    assert [row["reason"] for row in await world.held()] == [
        "previous_period_corrected",
        "prices_missing",
    ]
    assert await world.retry() == 2  # a version was published since
    assert [row["reason"] for row in await world.held()] == ["prices_missing"]
    await world.price(*(make.priced(date(2025, 4, day)) for day in (3, 4)))
    await world.retry_all()
    assert await world.held() == []
    issued = await world.invoices()
    assert [invoice["number"][-6:] for invoice in issued] == [f"{n:06}" for n in range(1, 5)]
    live = [invoice["credited_by"] is None for invoice in issued]
    assert live == [False, True, True, True]  # the second comes to the same lines as before
    for invoice in issued:
        recalculated = await recalculate_invoice(world.database, TENANT, invoice["id"])
        assert recalculated.agrees
        assert recalculated.bill.total == invoice["total"]
        proof = json.loads(await prove_invoice(world.database, TENANT, invoice["id"]))
        assert (proof["root"] is None) == (invoice["id"] in OLD_INVOICES)
        proven = verify_invoice(proof, may_lack_root=True)
        assert (proven.number, proven.root) == (invoice["number"], invoice["proof_root"])


async def test_every_row_reads_as_it_was_written(world):
    keys = [(TENANT, UUID(row["id"])) for row in ROWS["invoice"]]
    async with snapshot(world.database, tenant=TENANT) as read:
        stored = await invoices.fetch_invoices(read, keys)
        (agreement,) = (await agreements.fetch_agreements(read, TENANT, [AGREEMENT])).values()
        (customer,) = (await customers.fetch_customers(read, TENANT, [CUSTOMER])).values()
        balance = await balances.fetch_balances(read, [(TENANT, CUSTOMER)])
        costs = await daily_costs.fetch_daily_costs(
            read, TENANT, METER, date(2025, 3, 1), date(2025, 5, 1)
        )
    for row in ROWS["invoice"]:
        invoice = stored[TENANT, UUID(row["id"])]
        for name in row.keys() - {"issued_at"}:
            assert str(getattr(invoice, name)) == str(row[name]), name
        assert len(invoice.lines) == sum(
            line["invoice_id"] == row["id"] for line in ROWS["invoice_line"]
        )
    assert (agreement.meter_id, customer.name) == (METER, "Ada")
    (owed,) = balance.values()
    assert (owed.balance, owed.arrears) == (Decimal("12.50"), Decimal("2.50"))
    (cost,) = costs
    assert (cost["day"], cost["gross"]) == (date(2025, 3, 30), ROWS["cost_day"][0]["gross"])


async def test_days_that_were_due_are_priced(world, make):
    assert await world.price_due() == 2
    await world.price(make.priced(date(2025, 4, 4)))
    await world.price_due()
    days = [row["day"] for row in await world.rows("SELECT day FROM daily_cost ORDER BY day")]
    assert days == [date(2025, 3, 30), date(2025, 4, 4)]


async def test_what_was_issued_is_still_never_changed_and_no_old_name_is_left(world):
    assert await world.rows(OLD_NAMES, "cost_day|day_usage|customer_account") == []
    tables = ("daily_usage", "daily_cost", "customer_balance")
    for table in tables:
        count = f"SELECT count(*) AS count FROM {table}"  # noqa: S608 - a constant
        assert (await world.rows(count))[0]["count"] > 0
        assert (await world.rows(count, tenant="another"))[0]["count"] == 0
