"""Billing runs: a dry run that says what stands out, approved by whoever may, issued once."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from doubles.billing.events import received
from gridtally.billing.handlers.billing_runs import approve_due_runs
from gridtally.billing.handlers.periods import bill_closed_periods
from gridtally.contracts.metering import Series
from gridtally.rating.proof.contents import digest_of

RUNS, TERMS = "/v1/billing-runs", "/v1/invoicing-terms"
MARCH_DAYS = {"start_on": "2025-03-01", "end_on": "2025-04-01"}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def approving(api, **more):
    answer = await api.put(TERMS, json={"approval": "required"} | more)
    assert answer.status_code == 200, answer.text


async def posted(api, path="", status=201, **body):
    answer = await api.post(f"{RUNS}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def proposed(api, **more):
    return await posted(api, **{"name": "March"} | MARCH_DAYS | more)


async def issue(world, make):
    """The loops go on until nothing is left; how many transactions had something to do."""
    steps = 0
    while True:
        async with world.transaction() as tx:
            if not await approve_due_runs(tx, make.NOW):
                break
        steps += 1
    await world.retry_all()
    return steps


async def invoices(api, **params):
    march = {"from": MARCH_DAYS["start_on"], "to": MARCH_DAYS["end_on"]}
    page = (await api.get("/v1/invoices", params=march | params)).json()
    return sorted(item["total"] for item in page["items"])


def estimated(make, home):
    """March at 100 Wh, of estimated values."""
    slots = make.MARCH.slots(make.BERLIN, 15)
    series = [Series(flow="import", minutes=15, values=[100] * slots, quality="E" * slots)]
    return make.closed(home, series=series, digest=digest_of(series))


async def test_a_dry_run_says_what_a_month_comes_to_and_what_stands_out(api, world, make):
    """February is 110.84 for each of three: 268.8 kWh at 0.30, 12.50, and 19 %. In March one uses
    as much (297.2 kWh, 120.98), one three times that (891.6 kWh, 333.18), one nothing (14.88); a
    fourth is new, on estimates; a fifth lacks its meter."""
    homes = [await world.home() for _ in range(4)]
    for home in homes[:3]:
        await world.close(make.closed(home, period=make.FEBRUARY))
    await approving(api)
    for home, wh in zip(homes, (100, 300, 0), strict=False):
        await world.close(make.closed(home, wh=wh))
    await world.close(estimated(make, homes[3]))
    lost = await world.agree(tariff_id=uuid4())
    await world.close(make.closed(lost))

    run = await proposed(api)
    assert run["totals"] == [
        {"currency": "EUR", "bills": 4, "net": "495.80", "tax": "94.22", "total": "590.02",
         "compared_bills": 3, "compared_total": "469.04", "last_total": "332.52",
         "bill_shocks": 2, "without_use": 1, "estimated": 1},
    ]  # fmt: skip
    assert run["progress"] == {"pending": 4, "approved": 0, "issued": 0, "held": 1}
    page = (await api.get(f"{RUNS}/{run['id']}/findings?limit=2")).json()
    rest = (await api.get(f"{RUNS}/{run['id']}/findings?cursor={page['next_cursor']}")).json()
    stand_out = {
        item["agreement_id"]: (item["kinds"], item["total"], item["last_total"], item["reason"])
        for item in page["items"] + rest["items"]
    }
    assert stand_out == {
        str(homes[1].id): (["bill_shock"], "333.18", "110.84", None),
        str(homes[2].id): (["bill_shock", "no_use"], "14.88", "110.84", None),
        str(homes[3].id): (["estimated"], "120.98", None, None),
        str(lost.id): (["held"], None, None, "meter_missing"),
    }
    unused = (await api.get(f"{RUNS}/{run['id']}/findings?kind=no_use")).json()["items"]
    assert [item["agreement_id"] for item in unused] == [str(homes[2].id)]
    wide = await proposed(api, shock_percent=300)
    assert wide["totals"][0]["bill_shocks"] == 0
    assert await issue(world, make) == 0
    assert await invoices(api) == []


async def test_a_run_that_is_approved_is_issued_once(api, world, make):
    await approving(api)
    homes = [await world.home() for _ in range(3)]
    for home in homes:
        await world.close(make.closed(home))
    run = await proposed(api)
    wrong = await posted(api, f"/{run['id']}/approve", 409, digest="0" * 64)
    assert wrong["code"] == "billing_run_changed"
    seen = {"digest": run["digest"]}
    approved = await posted(api, f"/{run['id']}/approve", 200, **seen)
    assert (approved["state"], approved["version"]) == ("approved", 2)
    again = await posted(api, f"/{run['id']}/approve", 200, **seen)
    assert (again["decided_at"], again["version"]) == (approved["decided_at"], 2)
    late = await world.home()
    await world.close(make.closed(late), now=LATER)  # nobody has seen it

    assert await issue(world, make) == 1
    assert await invoices(api) == ["120.98"] * 3
    done = (await api.get(f"{RUNS}/{run['id']}")).json()
    assert (done["state"], done["progress"]) == (
        "issued", {"pending": 1, "approved": 0, "issued": 3, "held": 0},
    )  # fmt: skip
    assert await issue(world, make) == 0
    await posted(api, f"/{run['id']}/approve", 200, **seen)
    assert await invoices(api) == ["120.98"] * 3
    cancelled = await posted(api, f"/{run['id']}/cancel", 409)
    assert cancelled["code"] == "billing_run_approved"


async def test_a_draft_in_the_making_is_not_issued_by_an_approval_that_cannot_see_it(
    api, world, make
):
    """It was begun before the approval, and there only after it."""
    await approving(api)
    seen, unseen = await world.home(), await world.home()
    await world.close(make.closed(seen))
    run = await proposed(api)
    async with world.transaction() as tx:
        closed = received(make.closed(unseen), world.tenant)
        await bill_closed_periods(tx, [closed], make.NOW)
        await posted(api, f"/{run['id']}/approve", 200, digest=run["digest"])
    assert await issue(world, make) == 1
    assert await invoices(api, customer_id=str(seen.customer_id)) == ["120.98"]
    assert await invoices(api, customer_id=str(unseen.customer_id)) == []
    waiting = await proposed(api)
    await posted(api, f"/{waiting['id']}/approve", 200, digest=waiting["digest"])
    await issue(world, make)
    assert await invoices(api) == ["120.98"] * 2


async def test_an_approval_waits_for_a_draft_that_is_being_replaced(api, world, make):
    await approving(api)
    home = await world.home()
    await world.close(make.closed(home))
    run = await proposed(api)
    path = f"{RUNS}/{run['id']}/approve"
    async with world.transaction() as tx:
        closed = received(make.closed(home, wh=300, revision=2), world.tenant)
        await bill_closed_periods(tx, [closed], make.NOW)
        approval = asyncio.create_task(api.post(path, json={"digest": run["digest"]}))
        done, _ = await asyncio.wait({approval}, timeout=1)
        assert not done
    answer = await approval
    assert (answer.status_code, answer.json()["code"]) == (409, "billing_run_changed")
    assert await issue(world, make) == 0
    assert await invoices(api) == []


async def test_a_draft_that_is_replaced_after_the_approval_is_of_no_run(api, world, make):
    await approving(api)
    home = await world.home()
    await world.close(make.closed(home))
    run = await proposed(api)
    await posted(api, f"/{run['id']}/approve", 200, digest=run["digest"])
    await world.close(make.closed(home, wh=300, revision=2))
    assert await issue(world, make) == 1
    assert await invoices(api) == []


async def test_a_run_is_of_its_customers_alone(api, world, make):
    await approving(api)
    homes = [await world.home() for _ in range(2)]
    for home in homes:
        await world.close(make.closed(home))
    run = await proposed(api, customer_ids=[str(homes[0].customer_id)])
    assert run["progress"]["pending"] == 1
    await posted(api, f"/{run['id']}/approve", 200, digest=run["digest"])
    await issue(world, make)
    assert await invoices(api, customer_id=str(homes[0].customer_id)) == ["120.98"]
    assert await invoices(api, customer_id=str(homes[1].customer_id)) == []


async def test_another_person_approves_where_the_tenant_wants_it(api, clients, world, make):
    await approving(api, runs_approved_by="another_person")
    await world.close(make.closed(await world.home()))
    run = await proposed(api)
    same = await posted(api, f"/{run['id']}/approve", 409, digest=run["digest"])
    assert same["code"] == "same_person"
    await approving(api)  # what is left out stays
    assert (await api.get(TERMS)).json()["runs_approved_by"] == "another_person"
    other = await clients(world.tenant)
    approved = await posted(other, f"/{run['id']}/approve", 200, digest=run["digest"])
    assert approved["decided_by"] != approved["created_by"]
    await issue(world, make)
    assert await invoices(api) == ["120.98"]


async def test_the_same_run_again_is_the_one_that_exists(api):
    refused = await posted(api, status=409, name="March", **MARCH_DAYS)
    assert refused["code"] == "approval_not_required"
    await approving(api)
    new = {"id": str(uuid4())}
    run = await proposed(api, **new)
    again = await posted(api, status=200, name="March", **MARCH_DAYS | new)
    assert again == run
    other = await posted(api, status=409, name="April", **MARCH_DAYS | new)
    assert other["code"] == "billing_run_exists"
    empty = {"name": "None", "start_on": "2025-04-01", "end_on": "2025-04-01"}
    assert (await posted(api, status=422, **empty))["code"] == "invalid_billing_run"
    cancelled = await posted(api, f"/{run['id']}/cancel", 200)
    assert cancelled["state"] == "cancelled"
    refused = await posted(api, f"/{run['id']}/approve", 409, digest=run["digest"])
    assert refused["code"] == "billing_run_cancelled"
    listed = (await api.get(RUNS, params={"state": "cancelled"})).json()["items"]
    assert [item["id"] for item in listed] == [run["id"]]
    assert (await api.get(f"{RUNS}/{uuid4()}")).json()["code"] == "billing_run_unknown"
