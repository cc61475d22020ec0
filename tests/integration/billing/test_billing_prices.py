"""Spot prices on invoices and days: they wait for them, and store what they were computed from."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from gridtally.contracts.commerce import CostRolledUp
from gridtally.database import ALL_TENANTS
from gridtally.kernel.periods import ONE_DAY

BERLIN = "Europe/Berlin"
SPOT = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [
        {"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.02"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]},
    ],
}


async def live_totals(world):
    return [
        invoice["total"] for invoice in await world.invoices() if invoice["credited_by"] is None
    ]


async def test_a_period_waits_for_its_prices(world, make):
    """297.2 kWh at 0.10 and a mark-up of 0.02: 29.72, 5.94 and 6.78 of tax (35.664 × 0.19)."""
    agreement = await world.home(document=SPOT)
    await world.close(make.closed(agreement))
    (row,) = await world.rows("SELECT reason, detail FROM held_period")
    assert row["reason"] == "prices_missing"
    days = make.MARCH.dates()
    await world.price(*(make.priced(day) for day in days[:-1]))
    await world.retry()
    (row,) = await world.rows("SELECT reason, detail FROM held_period")
    assert "in the hours 2025-03-31 00:00 CEST, 2025-03-31 01:00 CEST" in row["detail"]
    await world.price(make.priced(days[-1]))
    assert await world.retry() == 1
    assert await live_totals(world) == [Decimal("42.44")]


async def test_a_period_waits_for_prices_that_fit(world, make):
    """They were published in the wrong currency first."""
    agreement = await world.home(document=SPOT)
    await world.price(*(make.priced(day, currency="USD") for day in make.MARCH.dates()))
    await world.close(make.closed(agreement))
    assert await world.value("SELECT reason FROM held_period") == "prices_currency"
    await world.price(*(make.priced(day, version=2) for day in make.MARCH.dates()))
    assert await world.retry() == 1
    assert await live_totals(world) == [Decimal("42.44")]


async def test_hours_and_quarters_meet(world, make):
    """The last day of the month is priced by quarters, at 0.50: 9.6 kWh of the 297.2."""
    agreement = await world.home(document=SPOT)
    *days, last = make.MARCH.dates()
    await world.price(*(make.priced(day) for day in days), make.priced(last, "0.50", minutes=15))
    await world.close(make.closed(agreement))
    lines = await world.rows("SELECT amount FROM invoice_line ORDER BY position LIMIT 1")
    assert lines[0]["amount"] == Decimal("28.76") + Decimal("4.80")


async def test_a_price_of_another_tenant_is_none(world, make):
    agreement = await world.home(document=SPOT)
    await world.close(make.closed(agreement))
    await world.another().price(*map(make.priced, make.MARCH.dates()))
    assert await world.retry() == 0
    assert await live_totals(world) == []


async def test_a_day_costs_what_its_prices_say_and_again_when_they_change(world, make):
    agreement = await world.home(document=SPOT)
    day = date(2025, 3, 30)  # 23 hours of 0.4 kWh
    await world.use(make.used(agreement.meter_id, day))
    assert await world.rows("SELECT * FROM daily_cost") == []
    await world.price(make.priced(day))
    await world.price_due()
    assert await world.value("SELECT net FROM daily_cost") == Decimal("0.92") + Decimal("0.18")
    await world.price(make.priced(day, "0.20", version=2))
    await world.price_due()
    assert await world.value("SELECT net FROM daily_cost") == Decimal("1.84") + Decimal("0.18")
    published = await world.rows(
        "SELECT event_id FROM outbox WHERE topic = $1 AND tenant_id = $2",
        CostRolledUp.TOPIC,
        world.tenant,
        tenant=ALL_TENANTS,
    )
    assert len({row["event_id"] for row in published}) == 2


async def test_a_repeated_or_older_version_changes_nothing(world, make):
    agreement = await world.home(document=SPOT)
    day = date(2025, 3, 4)
    await world.use(make.used(agreement.meter_id, day))
    await world.price(make.priced(day, "0.20", version=2), make.priced(day, "0.10", version=1))
    await world.price(make.priced(day, "0.10", version=1))
    await world.price_due()
    assert await world.value("SELECT net FROM daily_cost") == Decimal("1.92") + Decimal("0.19")


async def test_an_invoice_is_computed_again_from_what_it_rested_on(world, make, clients):
    """Later prices and meters change nothing about it."""
    agreement = await world.home(document=SPOT)
    first = make.MARCH.start_on
    await world.price(*(make.priced(day) for day in (first - ONE_DAY, *make.MARCH.dates())))
    gap = [None] + [100] * (make.MARCH.slots(BERLIN, 15) - 1)
    await world.close(make.closed(agreement, values=gap, closed_by="grace"))
    await world.price(*(make.priced(day, "-0.30", version=2) for day in make.MARCH.dates()))
    await world.register(make.registered(agreement.meter_id, connected_kw="99", version=2))
    client = await clients(world.tenant)
    (invoice,) = (await client.get("/v1/invoices")).json()["items"]
    detail = (await client.get(f"/v1/invoices/{invoice['id']}")).json()
    again = (await client.get(f"/v1/invoices/{invoice['id']}/recalculation")).json()
    assert again["agrees"] is True
    assert (again["total"], again["lines"]) == (detail["total"], detail["lines"])


async def test_an_invoice_that_does_not_agree_is_reported(world, make, clients):
    """The owner of the tables has taken their guards away and changed a line."""
    agreement = await world.home()
    await world.close(make.closed(agreement))
    client = await clients(world.tenant)
    (invoice,) = (await client.get("/v1/invoices")).json()["items"]
    path = f"/v1/invoices/{invoice['id']}/recalculation"
    assert (await client.get(path)).json()["agrees"] is True
    await world.execute("ALTER TABLE invoice_line DISABLE TRIGGER ALL")
    await world.execute("GRANT UPDATE ON invoice_line TO current_user")
    await world.execute("UPDATE invoice_line SET amount = amount + 1 WHERE position = 1")
    assert (await client.get(path)).json()["agrees"] is False
    assert (await client.get(f"/v1/invoices/{uuid4()}/recalculation")).status_code == 404
