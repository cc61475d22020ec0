"""Agreements by which nothing was ever billed are deleted, with all that came of them."""

from datetime import date

import pytest

from gridtally.contracts.commerce import AgreementChanged

SEEN = {"If-Match": '"1"'}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def deleted(api, home, headers=SEEN):
    return await api.delete(f"/v1/agreements/{home.id}", headers=headers)


async def published(world):
    """What was said of agreements: whether it is a tombstone, and the key."""
    rows = await world.rows(
        "SELECT key, value FROM outbox WHERE topic = $1 AND tenant_id = $2 ORDER BY seq",
        AgreementChanged.TOPIC,
        world.tenant,
        tenant="*",
    )
    return [(row["key"], row["value"] is None) for row in rows]


async def left(world):
    """How many rows there are of what an agreement can leave behind."""
    tables = ("agreement", "billed_period", "held_period", "invoice_draft", "collective_member",
              "due_agreement", "daily_cost")  # fmt: skip
    counts = {}
    for table in tables:
        (row,) = await world.rows(f"SELECT count(*) AS rows FROM {table}")  # noqa: S608 - above
        counts[table] = row["rows"]
    return {table: count for table, count in counts.items() if count}


async def test_an_agreement_that_was_never_billed_is_deleted_with_its_held_periods_and_costs(
    world, make, api
):
    home = await world.home()
    await world.use(make.used(home.meter_id, date(2025, 3, 12)))
    await world.close(make.closed(home, series=[], digest="0" * 64))
    assert (await left(world))["held_period"] == 1
    assert (await left(world))["daily_cost"] == 1
    assert (await deleted(api, home, {})).status_code == 428
    assert (await deleted(api, home, {"If-Match": '"2"'})).status_code == 412
    answer = await deleted(api, home)
    assert (answer.status_code, answer.content) == (204, b"")
    await world.price_due()
    assert await left(world) == {}
    assert (await api.get("/v1/held-invoices")).json()["items"] == []
    assert (await deleted(api, home)).json()["code"] == "agreement_unknown"
    key = f"{world.tenant}:{home.id}"
    assert await published(world) == [(key, False), (key, True)]


async def test_a_draft_goes_with_its_agreement(world, make, api):
    await api.put("/v1/invoicing-terms", json={"approval": "required"})
    home = await world.home()
    await world.close(make.closed(home))
    assert len((await api.get("/v1/invoice-drafts")).json()["items"]) == 1
    assert (await deleted(api, home)).status_code == 204
    assert await left(world) == {}
    await world.retry_all()
    assert await world.invoices() == []


async def test_a_section_that_waits_goes_with_its_agreement(world, make, api):
    home = await world.home()
    await api.patch(
        f"/v1/customers/{home.customer_id}", json={"invoicing": "collective"}, headers=SEEN
    )
    await world.close(make.closed(home))
    assert (await left(world))["collective_member"] == 1
    assert (await deleted(api, home)).status_code == 204
    await world.issue_collective()
    assert await left(world) == {}
    assert await world.invoices() == []


async def test_what_was_billed_is_rebilled_and_not_deleted(world, make, api):
    """Neither while its invoice is live, nor after that was credited."""
    home = await world.home()
    await world.close(make.closed(home))
    refused = (await deleted(api, home)).json()
    assert (refused["status"], refused["code"]) == (409, "agreement_billed")
    assert f"/v1/agreements/{home.id}/rebilling" in refused["detail"]
    order = {"from_on": "2025-01-01", "reason": "a wrong meter"}
    path = f"/v1/agreements/{home.id}/rebilling"
    assert (await api.post(path, json=order, headers=SEEN)).status_code == 201
    still = await deleted(api, home, {"If-Match": '"2"'})
    assert (still.status_code, still.json()["code"]) == (409, "agreement_billed")


async def test_the_days_of_a_deleted_agreement_are_free_for_another_one(world, make, api):
    """The wrong one is made on the meter for good; its customer can be deleted then, too."""
    wrong = await world.home()
    await world.use(make.used(wrong.meter_id, date(2025, 3, 12)))
    await world.close(make.closed(wrong, series=[], digest="0" * 64))
    assert (await api.delete(f"/v1/customers/{wrong.customer_id}")).status_code == 409
    assert (await deleted(api, wrong)).status_code == 204
    assert (await api.delete(f"/v1/customers/{wrong.customer_id}")).status_code == 204
    right = await world.agree(tariff_id=wrong.tariff_id, meter_id=wrong.meter_id)
    await world.apply_agreements(right)
    await world.price_due()
    assert (await left(world))["daily_cost"] == 1
    await world.close(make.closed(right))
    assert [invoice["agreement_id"] for invoice in await world.invoices()] == [right.id]


async def test_a_period_that_was_closed_before_and_comes_after_is_held_as_of_no_agreement(
    world, make, api
):
    home = await world.home()
    assert (await deleted(api, home)).status_code == 204
    await world.close(make.closed(home))
    (held,) = (await api.get("/v1/held-invoices")).json()["items"]
    assert held["reason"] == "agreement_missing"
    path = f"/v1/held-invoices/{home.id}/2025-03-01/dismiss"
    assert (await api.post(path, json={"reason": "it was a mistake"})).status_code == 204


async def test_another_tenant_deletes_nothing(world, api, clients):
    home = await world.home()
    another = await clients("another")
    assert (await deleted(another, home)).json()["code"] == "agreement_unknown"
    assert (await deleted(api, home)).status_code == 204
