"""Invoices that are approved before they are issued: drafts, what replaces them, and decisions."""

import asyncio
from uuid import uuid4

import pytest

from gridtally.database import transaction

TERMS, DRAFTS = "/v1/invoicing-terms", "/v1/invoice-drafts"
MARCH_TOTAL = "120.98"


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


@pytest.fixture
async def approving(api):
    answer = await api.put(TERMS, json={"approval": "required"})
    assert answer.json() == {"approval": "required", "runs_approved_by": "anyone"}
    return api


async def listed(api, path=DRAFTS, **params):
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def posted(api, path, status=200, headers=None, **body):
    answer = await api.post(f"{DRAFTS}/{path}", json=body or None, headers=headers or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def said_and_numbered(world):
    """How much of billing's documents was published or has a number."""
    sent = [topic for topic, _ in await world.emitted()]
    return sent, await world.rows("SELECT series, issued FROM number_series ORDER BY series")


async def test_nobody_approves_until_a_tenant_says_so(api, world, make):
    assert (await api.get(TERMS)).json()["approval"] == "none"
    await world.close(make.closed(await world.home()))
    assert len(await listed(api, "/v1/invoices")) == 1
    assert await listed(api) == []


async def test_a_draft_has_no_number_and_is_issued_once_it_is_approved(approving, world, make):
    """March: 297.2 kWh at 0.30, 12.50, and 19 %: 120.98."""
    home = await world.home()
    await world.close(make.closed(home))
    (draft,) = await listed(approving)
    assert (draft["total"], draft["state"], draft["replaces_id"]) == (MARCH_TOTAL, "pending", None)
    detail = (await approving.get(f"{DRAFTS}/{draft['id']}")).json()
    assert [line["amount"] for line in detail["lines"]] == ["12.50", "89.16", "19.32"]
    assert await said_and_numbered(world) == ([], [])
    (held,) = await world.held()
    assert held["reason"] == "approval_pending"
    await world.retry_all()
    assert await world.invoices() == []

    approved = await posted(approving, f"{draft['id']}/approve")
    again = await posted(approving, f"{draft['id']}/approve")
    assert again == approved
    assert (approved["state"], approved["version"]) == ("approved", 2)
    assert await said_and_numbered(world) == ([], [])  # the loop issues it
    await world.retry_all()
    (invoice,) = await listed(approving, "/v1/invoices")
    assert (invoice["id"], invoice["number"]) == (draft["id"], "INV-2025-000001")
    assert invoice["approved_by"] == approved["decided_by"]
    assert invoice["approved_at"] == approved["decided_at"]
    assert await listed(approving) == []
    assert await world.held() == []
    assert (await posted(approving, f"{draft['id']}/approve", 409))["code"] == "draft_issued"
    assert (await approving.get("/v1/reconciliation")).json()["ok"]


async def test_a_correction_takes_the_drafts_place(approving, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    (first,) = await listed(approving)
    await posted(approving, f"{first['id']}/approve")  # and before the loop has its turn
    await world.close(make.closed(home, revision=2, wh=90))
    await world.retry_all()
    assert await world.invoices() == []
    (second,) = await listed(approving)
    assert (second["revision"], second["state"], second["version"]) == (2, "pending", 3)
    assert (await posted(approving, f"{first['id']}/approve", 404))["code"] == "draft_unknown"
    await posted(approving, f"{second['id']}/approve")
    await world.retry_all()

    # Of an issued invoice too: it stays live until its correction is approved.
    await world.close(make.closed(home, revision=3, wh=80))
    (third,) = await listed(approving)
    assert third["replaces_id"] == second["id"]
    assert [i["state"] for i in await listed(approving, "/v1/invoices")] == ["issued"]
    await posted(approving, f"{third['id']}/approve")
    await world.retry_all()
    states = {i["id"]: i["state"] for i in await listed(approving, "/v1/invoices")}
    assert states == {second["id"]: "void", third["id"]: "issued"}
    assert (await approving.get("/v1/reconciliation")).json()["ok"]


async def test_an_older_draft_goes_when_its_period_lacks_something(approving, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    values = [None] + [100] * (len(make.closed(home).series[0].values) - 1)
    await world.close(make.closed(home, revision=2, values=values))
    assert await listed(approving) == []
    assert [row["reason"] for row in await world.held()] == ["values_missing"]


async def test_a_rejected_draft_is_held_until_it_is_put_right(approving, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    (draft,) = await listed(approving)
    path = f"{draft['id']}/reject"
    assert (await posted(approving, path, 422))["code"] == "invalid_request"
    stale = {"If-Match": '"7"'}
    await posted(approving, path, 412, headers=stale, reason="a wrong meter")
    rejected = await posted(approving, path, reason="a wrong meter")
    assert (rejected["state"], rejected["reason"]) == ("rejected", "a wrong meter")
    await world.retry_all()
    (held,) = await world.held()
    assert held["reason"] == "draft_rejected"
    assert "a wrong meter" in held["detail"]
    assert (await posted(approving, "approve", **{"from": "2025-01-01"})) == {
        "approved": 0, "is_all": True,
    }  # fmt: skip
    # The same bill stays rejected; another one is a new draft.
    await world.close(make.closed(home, revision=2, wh=90))
    (corrected,) = await listed(approving)
    assert corrected["state"] == "pending"
    await posted(approving, f"{corrected['id']}/reject", reason="no")
    await posted(approving, f"{corrected['id']}/approve")
    assert (await posted(approving, f"{corrected['id']}/reject", 409, reason="no"))["code"] == (
        "draft_approved"
    )
    await world.retry_all()
    assert [i["state"] for i in await listed(approving, "/v1/invoices")] == ["issued"]


async def test_many_are_approved_by_filter(approving, world, make):
    homes = [await world.home() for _ in range(3)]
    await world.close(*(make.closed(home, period=make.FEBRUARY) for home in homes))
    await world.close(*map(make.closed, homes))
    for filters, count in (
        ({"to": "2025-03-01", "total_max": "1.00"}, 0),
        ({"to": "2025-03-01", "currency": "USD"}, 0),
        ({"to": "2025-03-01", "customer_id": str(homes[0].customer_id)}, 1),
        ({"to": "2025-03-01", "total_max": "500", "currency": "EUR"}, 2),
        ({"from": "2025-03-01", "agreement_id": str(homes[1].id)}, 1),
    ):
        assert (await posted(approving, "approve", **filters))["approved"] == count, filters
    await world.retry_all()
    assert len(await listed(approving, "/v1/invoices")) == 4
    assert len(await listed(approving, state="pending")) == 2
    answers = await asyncio.gather(
        *(approving.post(f"{DRAFTS}/approve", json={}) for _ in range(3))
    )
    assert sum(answer.json()["approved"] for answer in answers) == 2
    await world.retry_all()
    assert (await approving.get("/v1/reconciliation")).json()["ok"]


async def test_who_approves_no_more_has_what_waits_issued(approving, world, make):
    homes = [await world.home() for _ in range(2)]
    await world.close(*map(make.closed, homes))
    first, _ = await listed(approving)
    await posted(approving, f"{first['id']}/reject", reason="no")
    await approving.put(TERMS, json={"approval": "none"})
    await world.retry_all()
    assert await listed(approving) == []
    approved = [i["approved_by"] for i in await listed(approving, "/v1/invoices")]
    assert approved == [None, None]


async def test_what_carries_on_waits_for_the_invoice_before(approving, world, make):
    home = await world.home(document=make.TIERED)
    for month in (make.JANUARY, make.FEBRUARY):
        await world.close(make.closed(home, period=month))
    (january,) = await listed(approving)
    assert [row["reason"] for row in await world.held()] == [
        "approval_pending", "previous_period_open",
    ]  # fmt: skip
    await posted(approving, f"{january['id']}/approve")
    await world.retry_all()
    (february,) = await listed(approving)
    assert february["start_on"] == "2025-02-01"


async def test_an_approval_is_of_what_was_shown(approving, world, make):
    """What is billed from now on comes to other lines than those that were approved."""
    home = await world.home()
    await world.close(make.closed(home))
    (draft,) = await listed(approving)
    await posted(approving, f"{draft['id']}/approve")
    await world.execute("UPDATE invoice_draft SET digest = repeat('0', 64)")
    await world.retry_all()
    assert await world.invoices() == []
    (again,) = await listed(approving)
    assert (again["id"], again["state"], again["version"]) == (draft["id"], "pending", 3)


async def test_what_a_transaction_that_fails_approved_is_not(approving, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    (draft,) = await listed(approving)
    await posted(approving, f"{draft['id']}/approve")

    class KilledError(Exception):
        """The process ends."""

    with pytest.raises(KilledError):
        async with world.transaction() as tx:
            from gridtally.billing.handlers import periods

            await periods.retry_held_periods(tx, make.NOW)
            raise KilledError
    assert await said_and_numbered(world) == ([], [])
    await world.retry_all()
    (invoice,) = await world.invoices()
    assert (invoice["id"].hex, invoice["number"]) == (
        draft["id"].replace("-", ""), "INV-2025-000001",
    )  # fmt: skip


async def test_another_tenants_drafts_are_not_there(approving, clients, world, make):
    await world.close(make.closed(await world.home()))
    (draft,) = await listed(approving)
    another = await clients("another", "billing:read", "billing:write")
    assert await listed(another) == []
    for path in (f"{draft['id']}/approve", f"{uuid4()}/approve"):
        assert (await posted(another, path, 404))["code"] == "draft_unknown"
    assert (await posted(another, "approve", **{"from": "2020-01-01"}))["approved"] == 0
    reader = await clients(world.tenant, "billing:read")
    await posted(reader, f"{draft['id']}/approve", 403)
    async with transaction(world.database, tenant=world.tenant) as tx:
        assert await tx.raw.fetchval("SELECT state FROM invoice_draft") == "pending"
