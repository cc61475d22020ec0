"""Customers who are there twice: merged, with what they are billed for from then on."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from gridtally.billing.handlers.adoption import adopt_published_customers
from gridtally.contracts.commerce import CustomerChanged
from integration.billing.test_billing_budget_plans import agree

MARCH_TOTAL = "120.98"
SAME = {"reason": "the same person"}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


async def merged(api, duplicate, survivor, status=201, path="", headers=None):
    body = SAME | {"into": str(survivor)}
    url = f"/v1/customers/{duplicate}/merge{path}"
    answer = await api.post(url, json=body, headers=headers or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def got(api, path, **params):
    answer = await api.get(f"/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def whose(api):
    """The live invoices: whose each is, and what it comes to."""
    items = (await got(api, "invoices"))["items"]
    return sorted((own["customer_id"], own["total"], own["state"]) for own in items)


async def test_a_duplicates_agreements_are_billed_to_the_survivor(api, world, make, clients):
    """March was issued to Ada, and is corrected once she is Bo: her invoice is credited under her
    name, and the new one is Bo's, who owes nothing else."""
    home = await world.home()
    ada, bo = home.customer_id, (await world.home()).customer_id
    await world.close(make.closed(home))
    await api.patch(f"/v1/customers/{ada}", json={"number": "C-1"}, headers={"If-Match": "*"})
    await world.owe(make.balance_changed(ada, MARCH_TOTAL))
    shown = await merged(api, ada, bo, 200, "/preview")
    assert (shown["duplicate"]["merged_into"], shown["survivor"]["id"]) == (str(bo), str(bo))
    assert [(own["id"], own["customer_id"]) for own in shown["agreements"]] == [
        (str(home.id), str(bo))
    ]
    assert [(own["customer_id"], own["balance"]) for own in shown["balances"]] == [
        (str(ada), MARCH_TOTAL)
    ]
    assert (await got(api, f"customers/{ada}"))["merged_into"] is None
    assert (await got(api, "customer-merges"))["items"] == []

    keyed = {"Idempotency-Key": "once"}
    made = await merged(api, ada, bo, headers=keyed)
    assert await merged(api, ada, bo, headers=keyed) == made
    known = {"id": str(ada), "name": "Ada", "currency": "EUR", "number": "C-1"}
    listed = await api.post("/v1/customers/batch", json={"items": [known]})
    assert (listed.status_code, listed.json()["items"][0]["merged_into"]) == (200, str(bo))
    again = await merged(api, ada, bo, 200)
    assert (again["id"], again["agreement_ids"]) == (made["id"], [str(home.id)])
    assert made["survivor"]["version"] == again["survivor"]["version"]
    (noted,) = (await got(api, "customer-merges"))["items"]
    assert (noted["duplicate_id"], noted["survivor_id"], noted["reason"]) == (
        str(ada), str(bo), SAME["reason"],
    )  # fmt: skip
    assert noted["merged_by"]
    agreement = await got(api, f"agreements/{home.id}")
    assert (agreement["customer_id"], agreement["version"]) == (str(bo), 2)
    for params in ({"number": "C-1"}, {"merged_into": str(bo)}):
        (found,) = (await got(api, "customers", **params))["items"]
        assert (found["id"], found["merged_into"]) == (str(ada), str(bo))
    assert await whose(api) == [(str(ada), MARCH_TOTAL, "issued")]

    owed = make.balance_changed(bo, MARCH_TOTAL, invoiced="0")  # as the ledger has moved it
    await world.owe(owed, make.balance_changed(ada, "0", version=2, invoiced=MARCH_TOTAL))
    await world.close(make.closed(home, revision=2, wh=125))
    (invoice,) = (await got(api, "invoices", customer_id=str(bo)))["items"]
    assert (invoice["brought_forward"], invoice["amount_due"]) == ("0.00", invoice["total"])
    assert await whose(api) == sorted(
        [(str(ada), MARCH_TOTAL, "void"), (str(bo), invoice["total"], "issued")]
    )
    (note,) = (await got(api, "credit-notes"))["items"]
    assert (note["customer_id"], note["total"]) == (str(ada), MARCH_TOTAL)
    assert (await got(api, "reconciliation"))["breaches"] == []

    other = await clients("other", "billing:read", "billing:write")
    assert (await merged(other, ada, bo, 404))["code"] == "customer_unknown"
    assert (await got(other, "customer-merges"))["items"] == []


async def test_nothing_is_done_with_a_duplicate_any_more(api, world):
    home = await world.home()
    ada, bo = home.customer_id, (await world.home()).customer_id
    francs = (await world.agree(currency="CHF", tariff_id=uuid4())).customer_id
    cy = (await world.home()).customer_id
    assert (await api.put(f"/v1/customers/{ada}/prepayment", json={})).status_code == 200
    refused = {
        (await merged(api, ada, bo, 409))["code"],
        (await merged(api, ada, ada, 422))["code"],
        (await merged(api, ada, uuid4(), 422))["code"],
        (await merged(api, uuid4(), ada, 404))["code"],
        (await merged(api, ada, francs, 409))["code"],
    }
    assert refused == {
        "merged_into_itself", "customer_missing", "customer_unknown", "currencies_differ",
        "prepayment_running",
    }  # fmt: skip
    assert (await api.post(f"/v1/customers/{ada}/merge", json={"into": str(bo)})).status_code == 422
    assert (await api.delete(f"/v1/customers/{ada}/prepayment")).status_code == 204
    assert (await api.put(f"/v1/customers/{bo}/prepayment", json={})).status_code == 200
    await merged(api, ada, bo)
    path = f"/v1/customers/{ada}"
    new = {
        "customer_id": str(ada), "meter_id": str(uuid4()), "tariff_id": str(home.tariff_id),
        "start_on": "2025-03-01",
    }  # fmt: skip
    rebilling = {
        "from_on": "2025-03-01", "reason": "no", "replacement": {"customer_id": str(ada)},
    }  # fmt: skip
    answers = [
        await api.patch(path, json={"name": "Eve"}, headers={"If-Match": "*"}),
        await api.delete(path, headers={"If-Match": "*"}),
        await api.post(f"{path}/erase", json={"reason": "asked for"}),
        await api.post("/v1/agreements", json=new),
        await api.put(f"{path}/prepayment", json={}),
        await api.post(
            f"/v1/agreements/{home.id}/rebilling", json=rebilling, headers={"If-Match": "*"}
        ),
        await api.post(f"{path}/merge", json=SAME | {"into": str(cy)}),
        await api.post(f"/v1/customers/{cy}/merge", json=SAME | {"into": str(ada)}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "customer_merged"), answer.text
        assert str(bo) in answer.json()["detail"]
    kept = await api.delete(f"/v1/customers/{bo}", headers={"If-Match": "*"})
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")


async def test_merges_in_a_row_end_with_the_last_and_all_are_erased_with_it(api, world, make):
    ada, bo, cy, di = [(await world.home()).customer_id for _ in range(4)]
    together = make.agreement(tariff_id=uuid4())
    together = (await world.agree_on(together, invoicing="collective")).customer_id
    await merged(api, ada, bo)
    await merged(api, bo, cy)  # and so all are Cy's
    for customer_id in (ada, bo):
        assert (await got(api, f"customers/{customer_id}"))["merged_into"] == str(cy)
    await merged(api, together, cy)  # it has no collective invoice yet
    await world.retry_all()
    for own in (await got(api, "agreements", customer_id=str(cy)))["items"]:
        ended = await api.patch(
            f"/v1/agreements/{own['id']}", json={"end_on": "2025-06-01"}, headers={"If-Match": "*"}
        )
        assert ended.status_code == 200, ended.text
    erased = await api.post(f"/v1/customers/{cy}/erase", json={"reason": "asked for"})
    assert erased.status_code == 200, erased.text
    for customer_id in (ada, bo, together, cy):
        assert (await got(api, f"customers/{customer_id}"))["name"] == "erased"
    assert len((await got(api, "erasures"))["items"]) == 4
    assert (await merged(api, di, cy, 409))["code"] == "customer_erased"


async def test_a_duplicates_budget_plan_is_the_survivors_whenever_it_is_heard(api, world, make):
    """What the ledger said before it merged them may come after, as after a restore of either."""
    home = await world.home()
    ada, bo = home.customer_id, (await world.home()).customer_id
    plan = uuid4()
    await agree(world, make, home, plan_id=plan)
    await merged(api, ada, bo)
    await agree(world, make, home, plan_id=plan, version=2)
    await agree(world, make, home)
    owners = "SELECT customer_id, version FROM budget_plan ORDER BY version"
    assert [tuple(row.values()) for row in await world.rows(owners)] == [(bo, 1), (bo, 2)]

    other = world.another()
    await agree(other, make, home, customer_id=ada)
    event = CustomerChanged(
        customer_id=ada, currency="EUR", version=2, name="Ada", merged_into=bo
    )  # fmt: skip
    async with other.transaction() as tx:
        assert await adopt_published_customers(tx, [make.received(event, other.tenant)]) == []
    assert [tuple(row.values()) for row in await other.rows(owners)] == [(bo, 1)]


async def test_who_has_collective_invoices_is_not_merged(api, world, make):
    home = await world.home()
    together = replace(make.agreement(tariff_id=home.tariff_id), meter_id=uuid4())
    await world.register(make.registered(together.meter_id))
    together = await world.agree_on(together, invoicing="collective")
    await world.close(make.closed(together))
    refused = await merged(api, together.customer_id, home.customer_id, 409)
    assert refused["code"] == "collective_invoices"
    await world.issue_collective()
    refused = await merged(api, together.customer_id, home.customer_id, 409, "/preview")
    assert refused["code"] == "collective_invoices"
    await merged(api, home.customer_id, together.customer_id)


async def test_of_two_merges_at_once_in_opposite_directions_one_is_done(api, world):
    """And an agreement that is made meanwhile is the survivor's, or refused."""
    for _ in range(3):
        ada, bo = (await world.home()).customer_id, (await world.home()).customer_id
        new = {
            "meter_id": str(uuid4()), "tariff_id": str(uuid4()), "start_on": "2025-03-01",
            "customer_id": str(ada),
        }  # fmt: skip
        first, second, agreed = await asyncio.gather(
            api.post(f"/v1/customers/{ada}/merge", json=SAME | {"into": str(bo)}),
            api.post(f"/v1/customers/{bo}/merge", json=SAME | {"into": str(ada)}),
            api.post("/v1/agreements", json=new),
        )
        statuses = sorted(own.status_code for own in (first, second))
        assert statuses in ([201, 409], [201, 503]), (first.text, second.text)
        assert agreed.status_code in (201, 409, 503), agreed.text
        duplicate = ada if first.status_code == 201 else bo
        left = (await got(api, "agreements", customer_id=str(duplicate)))["items"]
        assert left == []
