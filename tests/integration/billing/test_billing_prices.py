"""Spot prices on invoices and days: they wait for them, and keep what they were computed from."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.handlers import facts
from contracts.catalogue import PricesPublished
from contracts.commerce import CostRolledUp
from database import ALL_TENANTS, transaction
from kernel.periods import ONE_DAY, slots_in_day

BERLIN = "Europe/Berlin"
SPOT = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [
        {"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.02"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]},
    ],
}


def priced(day, price="0.10", *, version=1, minutes=60, code="DE-LU", **more):
    """A day at one price, or at those given."""
    slots = slots_in_day(BERLIN, day, minutes)
    prices = price if isinstance(price, list) else [price] * slots
    return PricesPublished(
        series_id=uuid4(),
        code=code,
        currency=more.get("currency", "EUR"),
        zone=BERLIN,
        day=day,
        minutes=minutes,
        version=version,
        prices=[None if one is None else Decimal(one) for one in prices],
        published_at="2025-04-01T00:00:00Z",
    )


@pytest.fixture
def bring(world, make):
    """Prices arrive in one batch."""

    async def arrive(*events):
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            await facts.copy_prices(tx, [make.received(event, world.tenant) for event in events])

    return arrive


async def live_totals(world):
    return [one["total"] for one in await world.invoices() if one["credited_by"] is None]


async def test_a_period_waits_for_its_prices(world, make, bring):
    """297.2 kWh at 0.10 and a mark-up of 0.02: 29.72, 5.94 and 6.78 of tax (35.664 × 0.19)."""
    agreement = await world.home(document=SPOT)
    await world.close(make.closed(agreement))
    (row,) = await world.rows("SELECT reason, detail FROM held_period")
    assert row["reason"] == "prices_missing"
    days = make.MARCH.dates()
    await bring(*(priced(day) for day in days[:-1]))
    await world.retry()
    (row,) = await world.rows("SELECT reason, detail FROM held_period")
    assert "in the hours 2025-03-31 00:00 CEST, 2025-03-31 01:00 CEST" in row["detail"]
    await bring(priced(days[-1]))
    assert await world.retry() == 1
    assert await live_totals(world) == [Decimal("42.44")]


async def test_a_period_waits_for_prices_that_fit(world, make, bring):
    """They were published in the wrong currency first."""
    agreement = await world.home(document=SPOT)
    await bring(*(priced(day, currency="USD") for day in make.MARCH.dates()))
    await world.close(make.closed(agreement))
    assert await world.one("SELECT reason FROM held_period") == "prices_currency"
    await bring(*(priced(day, version=2) for day in make.MARCH.dates()))
    assert await world.retry() == 1
    assert await live_totals(world) == [Decimal("42.44")]


async def test_hours_and_quarters_meet(world, make, bring):
    """The last day of the month is priced by quarters, at 0.50: 9.6 kWh of the 297.2."""
    agreement = await world.home(document=SPOT)
    *days, last = make.MARCH.dates()
    await bring(*(priced(day) for day in days), priced(last, "0.50", minutes=15))
    await world.close(make.closed(agreement))
    lines = await world.rows("SELECT amount FROM invoice_line ORDER BY position LIMIT 1")
    assert lines[0]["amount"] == Decimal("28.76") + Decimal("4.80")


async def test_a_price_of_another_tenant_is_none(world, make):
    agreement = await world.home(document=SPOT)
    await world.close(make.closed(agreement))
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        others = [make.received(priced(day), "other") for day in make.MARCH.dates()]
        await facts.copy_prices(tx, others)
    assert await world.retry() == 0
    assert await live_totals(world) == []


async def test_a_day_costs_what_its_prices_say_and_again_when_they_change(world, make, bring):
    agreement = await world.home(document=SPOT)
    day = date(2025, 3, 30)  # 23 hours of 0.4 kWh
    await world.use(make.used(agreement.meter_id, day))
    assert await world.rows("SELECT * FROM cost_day") == []
    await bring(priced(day))
    await world.price_due()
    assert await world.one("SELECT net FROM cost_day") == Decimal("0.92") + Decimal("0.18")
    await bring(priced(day, "0.20", version=2))
    await world.price_due()
    assert await world.one("SELECT net FROM cost_day") == Decimal("1.84") + Decimal("0.18")
    told = await world.rows(
        "SELECT event_id FROM outbox WHERE topic = $1 AND tenant_id = $2",
        CostRolledUp.TOPIC,
        world.tenant,
        tenant=ALL_TENANTS,
    )
    assert len({row["event_id"] for row in told}) == 2


async def test_a_repeated_or_older_version_changes_nothing(world, make, bring):
    agreement = await world.home(document=SPOT)
    day = date(2025, 3, 4)
    await world.use(make.used(agreement.meter_id, day))
    await bring(priced(day, "0.20", version=2), priced(day, "0.10", version=1))
    await bring(priced(day, "0.10", version=1))
    await world.price_due()
    assert await world.one("SELECT net FROM cost_day") == Decimal("1.92") + Decimal("0.19")


async def test_an_invoice_is_computed_again_from_what_it_rested_on(world, make, bring, clients):
    """Later prices and facts change nothing about it."""
    agreement = await world.home(document=SPOT)
    first = make.MARCH.start_on
    await bring(*(priced(day) for day in (first - ONE_DAY, *make.MARCH.dates())))
    gap = [None] + [100] * (make.MARCH.slots(BERLIN, 15) - 1)
    await world.close(make.closed(agreement, values=gap, closed_by="grace"))
    await bring(*(priced(day, "-0.30", version=2) for day in make.MARCH.dates()))
    await world.register(make.registered(agreement.meter_id, connected_kw="99", version=2))
    client = await clients(world.tenant)
    (invoice,) = (await client.get("/v1/invoices")).json()["items"]
    detail = (await client.get(f"/v1/invoices/{invoice['id']}")).json()
    again = (await client.get(f"/v1/invoices/{invoice['id']}/recalculation")).json()
    assert again["agrees"] is True
    assert (again["total"], again["lines"]) == (detail["total"], detail["lines"])


async def test_an_invoice_that_does_not_agree_is_told(world, make, clients):
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
