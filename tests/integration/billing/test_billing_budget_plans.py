"""What billing says of invoices that a budget plan of the ledger covers."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.billing.handlers import budget_plans
from gridtally.contracts.budget_plans import BudgetPlanChanged

SELLER = {
    "name": "Grid",
    "address": {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"},
    "language": "en-GB",
}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
async def api(world, clients):
    client = await clients(world.tenant)
    assert (await client.put("/v1/seller", json=SELLER)).status_code == 200
    return client


async def agree(world, make, home, **changes):
    """The ledger has published a plan of the customer for a year from March on."""
    plan = {
        "plan_id": uuid4(), "customer_id": home.customer_id, "currency": "EUR",
        "start_on": make.MARCH.start_on, "end_on": "2026-03-01", "instalments": [],
        "settle_on": "2026-04-12", "agreed_at": make.NOW - DAY, "settled": Decimal(0),
        "version": 1,
    }  # fmt: skip
    event = BudgetPlanChanged(**(plan | changes))
    async with world.transaction() as tx:
        await budget_plans.apply_plans(tx, [make.received(event, world.tenant)])


@pytest.mark.parametrize(
    ("changes", "is_covered"),
    [
        ({}, True),
        ({"start_on": "2025-03-02"}, False),  # the period begins before it
        ({"end_on": "2025-03-01", "start_on": "2025-01-01"}, False),
        ({"currency": "USD"}, False),
        ({"agreed_at": "later"}, False),
        ({"settled_at": "earlier", "agreed_at": "long ago"}, False),
        ({"settled_at": "later"}, True),  # it was when the invoice was issued
    ],
)
async def test_an_invoice_of_a_plans_time_is_settled_with_the_plan(
    world, make, api, changes, is_covered
):
    home = await world.home()
    times = {
        "later": make.NOW + HOUR, "earlier": make.NOW - HOUR, "long ago": make.NOW - 9 * DAY
    }  # fmt: skip
    changes = {name: times.get(value, value) for name, value in changes.items()}
    await agree(world, make, home, **changes)
    await world.owe(make.balance_changed(home.customer_id, "5.00", invoiced="0"))
    await world.close(make.closed(home, period=make.FEBRUARY))  # before the plan: due by itself
    await world.close(make.closed(home), now=make.NOW + timedelta(seconds=1))
    march, february = (await api.get("/v1/invoices")).json()["items"]
    assert march == {name: value for name, value in
                     (await api.get(f"/v1/invoices/{march['id']}")).json().items()
                     if name in march}  # fmt: skip
    if "2025-01-01" not in changes.values():
        assert february["settles_on"] is None
        assert Decimal(february["amount_due"]) == Decimal(february["total"]) + 5
    own = Decimal(0) if is_covered else Decimal(march["total"])
    assert march["settles_on"] == ("2026-04-12" if is_covered else None)
    assert Decimal(march["amount_due"]) == own + Decimal(march["brought_forward"])
    document = await api.get(f"/v1/invoices/{march['id']}/document", params={"format": "html"})
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", document.text))
    said = "covered by your budget plan and settled with it by 12 April 2026"
    assert (said in text) == is_covered
