"""Agreements whose invoices begin later than they do: history has costs, and no invoices."""

from datetime import date
from uuid import uuid4

import pytest

from gridtally.kernel.periods import Period

MARCH_9 = date(2025, 3, 9)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def cut_over(world, **changes):
    """A home that has been a customer since January, and is invoiced by us from 9 March on."""
    return await world.home(billing_starts_on=MARCH_9, **changes)


async def test_history_has_costs_and_the_first_invoice_begins_where_billing_starts(
    world, make, api
):
    """March from the 9th: 23 days, one of them an hour short, so 2 204 quarters of an hour of
    0.1 kWh at 0.30, 12.50 for the month, cut to 23 of 31 days (9.27), and 19 %."""
    home = await cut_over(world)
    await world.use(*(make.used(home.meter_id, day) for day in (date(2025, 2, 1), MARCH_9)))
    params = {"from": "2025-01-01", "to": "2025-04-01"}
    days = await api.get(f"/v1/meters/{home.meter_id}/daily-costs", params=params)
    assert [(day["day"], day["net"]) for day in days.json()["items"]] == [
        ("2025-02-01", "2.88"),
        ("2025-03-09", "2.88"),
    ]
    rest = Period(MARCH_9, make.MARCH.end_on)
    await world.close(make.closed(home, period=rest))
    (invoice,) = (await api.get("/v1/invoices")).json()["items"]
    assert (invoice["start_on"], invoice["end_on"]) == ("2025-03-09", "2025-04-01")
    lines = (await api.get(f"/v1/invoices/{invoice['id']}")).json()["lines"]
    assert [line["amount"] for line in lines] == ["9.27", "66.12", "14.32"]
    assert (await api.get("/v1/reconciliation")).json()["ok"]


async def test_a_bill_is_previewed_from_where_billing_starts(world, make, api):
    home = await cut_over(world)
    await world.use(*(make.used(home.meter_id, day) for day in make.MARCH.dates()))
    path = f"/v1/agreements/{home.id}/preview"
    for on, days in (("2025-03-20", ("2025-03-09", "2025-04-01")),
                     ("2025-03-08", ("2025-03-01", "2025-03-09"))):  # fmt: skip
        bill = (await api.get(path, params={"on": on})).json()
        assert (bill["start_on"], bill["end_on"]) == days, bill


async def test_a_collective_invoice_does_not_wait_for_history(world, make, api):
    home = await world.home()
    seen = {"If-Match": '"1"'}
    path = f"/v1/customers/{home.customer_id}"
    assert (
        await api.patch(path, json={"invoicing": "collective"}, headers=seen)
    ).status_code == 200
    body = {"customer_id": str(home.customer_id), "meter_id": str(uuid4()),
            "tariff_id": str(home.tariff_id), "start_on": "2025-01-01",
            "billing_starts_on": "2025-04-01"}  # fmt: skip
    assert (await api.post("/v1/agreements", json=body)).status_code == 201
    await world.close(make.closed(home))
    await world.issue_collective()
    listed = (await api.get("/v1/invoices")).json()["items"]
    assert {(item["start_on"], item["end_on"]) for item in listed} == {("2025-03-01", "2025-04-01")}


async def test_a_replacement_starts_its_invoices_there_too(world, api):
    home = await cut_over(world)
    order = {"from_on": "2025-01-01", "reason": "a wrong plan",
             "replacement": {"tariff_id": str((await world.home()).tariff_id)}}  # fmt: skip
    path = f"/v1/agreements/{home.id}/rebilling"
    made = await api.post(path, json=order, headers={"If-Match": '"1"'})
    assert made.status_code == 201, made.text
    shown = (await api.get(f"/v1/agreements/{made.json()['replacement_id']}")).json()
    assert shown["billing_starts_on"] == "2025-03-09"


@pytest.mark.parametrize(
    ("billing_starts_on", "end_on", "status"),
    [
        ("2025-01-02", None, 201),
        ("2025-01-01", None, 422),
        ("2024-12-31", None, 422),
        ("2025-02-01", "2025-02-02", 201),
        ("2025-02-01", "2025-02-01", 422),
    ],
)
async def test_billing_starts_after_the_agreement_and_before_its_end(
    api, billing_starts_on, end_on, status
):
    payer = (await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"})).json()
    body = {"customer_id": payer["id"], "meter_id": str(uuid4()), "tariff_id": str(uuid4()),
            "start_on": "2025-01-01", "end_on": end_on,
            "billing_starts_on": billing_starts_on}  # fmt: skip
    answer = await api.post("/v1/agreements", json=body)
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["billing_starts_on"] == billing_starts_on
