"""Small bills wait for the next one, as sections of it."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.billing.collective import collective_homes, issued, ok, pending, the_invoice
from gridtally.billing.handlers import agreements
from gridtally.database import transaction
from gridtally.kernel.resources import Cause

MINIMUM = Decimal(150)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def home_of(world, make, document=None, **terms):
    (home,) = await collective_homes(
        world, make, 1, documents=[document or make.FLAT], minimum_amount=MINIMUM, **terms
    )
    return home


async def close(world, *events):
    await world.close(*events)
    await world.issue_collective()
    await world.retry_all()


async def test_a_small_bill_goes_on_the_next_invoice(api, world, make):
    """January's 2 976 quarters: 297.6 kWh are 89.28, with 12.50 and 19 % (19.34) 121.12, less than
    150.00. February's 2 688: 268.8 kWh are 80.64, 93.14 and 17.70: 110.84. Together 231.96."""
    home = await home_of(world, make)
    await close(world, make.closed(home, period=make.JANUARY))
    assert await issued(world) == []
    (waits,) = await pending(api)
    assert (waits["reason"], waits["missing"]) == ("below_minimum", [])
    (held,) = await world.held()
    assert held["reason"] == "below_minimum"
    assert "150" in held["detail"]
    assert await ok(api)

    await close(world, make.closed(home, period=make.FEBRUARY))
    assert await issued(world) == [("INV-2025-000001", "231.96", 2, None)]
    invoice = await the_invoice(api)
    assert [(s["start_on"], s["total"]) for s in invoice["sections"]] == [
        ("2025-01-01", "121.12"), ("2025-02-01", "110.84"),
    ]  # fmt: skip
    assert (invoice["start_on"], invoice["end_on"]) == ("2025-01-01", "2025-03-01")
    assert await pending(api) == []
    # March is below it again, and a correction of January reissues what was issued.
    await close(world, make.closed(home, period=make.MARCH))
    await close(world, make.closed(home, period=make.JANUARY, revision=2, wh=0))
    # 12.50 and 2.38 are 14.88; with 110.84 125.72, though that is below the minimum.
    assert [row[:3] for row in await issued(world)] == [
        ("INV-2025-000001", "231.96", 2), ("INV-2025-000002", "125.72", 2),
    ]  # fmt: skip
    assert [row["reason"] for row in await world.held()] == ["below_minimum"]
    assert await ok(api)


async def test_what_waits_is_corrected_before_it_is_issued(world, make):
    home = await home_of(world, make)
    await close(world, make.closed(home, period=make.JANUARY))
    await close(world, make.closed(home, period=make.JANUARY, revision=2, wh=0))
    assert [row["revision"] for row in await world.held()] == [2]
    await close(world, make.closed(home, period=make.JANUARY, revision=3, wh=200))
    assert [row[2:] for row in await issued(world)] == [(1, None)]
    assert await world.held() == []


async def test_small_bills_wait_for_so_many_periods_at_most(api, world, make):
    home = await home_of(world, make, minimum_periods_max=2)
    for period in (make.JANUARY, make.FEBRUARY):
        await close(world, make.closed(home, period=period, wh=0))
    assert await issued(world) == []
    await close(world, make.closed(home, period=make.MARCH, wh=0))
    assert await issued(world) == [("INV-2025-000001", "44.64", 3, None)]
    assert await ok(api)


async def test_what_waits_is_released_by_hand(api, world, make):
    home = await home_of(world, make)
    await close(world, make.closed(home, period=make.JANUARY))
    body = {"customer_id": str(home.customer_id), "start_on": "2025-01-01"}
    answer = await api.post("/v1/pending-collective-invoices/release", json=body)
    assert answer.json() == {"released": 1}
    await world.issue_collective()
    assert await issued(world) == [("INV-2025-000001", "121.12", 1, None)]


async def test_what_waits_is_issued_with_the_last_bill(api, world, make):
    home = await home_of(world, make)
    await close(world, make.closed(home, period=make.JANUARY))
    async with transaction(world.database, tenant=world.tenant) as tx:
        known = await agreements.lock_agreement(tx, world.tenant, home.id)
        cause = Cause(world.tenant, "test", "c-1")
        end = {"end_on": date(2025, 3, 1)}
        await agreements.change_agreement(tx, cause, known, end, make.NOW)
    await close(world, make.closed(home, period=make.FEBRUARY, wh=0))
    assert await issued(world) == [("INV-2025-000001", "136.00", 2, None)]
    assert await ok(api)


async def test_a_bill_that_carries_on_to_the_next_does_not_wait(world, make):
    """29.76, of a tariff whose next month goes on in the tiers of this one."""
    home = await home_of(world, make, make.TIERED)
    await close(world, make.closed(home, period=make.JANUARY))
    assert await issued(world) == [("INV-2025-000001", "29.76", 1, None)]


async def test_a_minimum_needs_collective_invoices(api):
    body = {"name": "Ada", "currency": "EUR", "minimum_amount": "5.00"}
    refused = await api.post("/v1/customers", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_customer")
    customer = {**body, "id": str(uuid4()), "invoicing": "collective"}
    made = await api.post("/v1/customers", json=customer)
    assert (made.status_code, made.json()["minimum_amount"]) == (201, "5.00")
    assert made.json()["minimum_periods_max"] == 12
    for change, status in (
        ({"invoicing": "single"}, 422),
        ({"invoicing": "single", "minimum_amount": None}, 200),
        ({"invoicing": "collective", "minimum_amount": "-1"}, 422),
        ({"minimum_periods_max": 0}, 422),
    ):
        version = (await api.get(f"/v1/customers/{customer['id']}")).headers["ETag"]
        answer = await api.patch(
            f"/v1/customers/{customer['id']}", json=change, headers={"If-Match": version}
        )
        assert answer.status_code == status, answer.text
