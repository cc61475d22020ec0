"""Payment plans with payments, credit notes and days: what is late follows the instalments."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import AccountChanged, PaymentPlanChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts.handlers.payment_plans import report_late
from gridtally.ledger.accounts.handlers.postings import post_credit_notes
from integration.ledger.accounts import (
    balance,
    credit_note,
    issue,
    partial_credit_note,
    pay,
    post,
    posted,
    published,
    reconciled,
    reported,
    reverse,
    statement_page,
)

NOW = datetime.now(UTC)
TODAY = NOW.date()


def after(days):
    return str(TODAY + timedelta(days=days))


def at(days):
    """A moment so many days from now, as a query has it."""
    return f"{after(days)}T12:00:00Z"


def equal(count=3, first=1, every_months=1):
    return {"equal": {"count": count, "first_due_on": after(first), "every_months": every_months}}


def listed(*parts):
    """Instalments by the days from now."""
    return {"instalments": [{"due_on": after(day), "amount": amount} for day, amount in parts]}


async def agree(client, who, bills, status=201, headers=None, path="payment-plans", **more):
    ids = [str(bill.invoice_id) for bill in bills]
    named = {"customer_id": str(who), "currency": "EUR", "invoice_ids": ids} | more
    return await post(client, path, status, headers, **named)


async def show(client, plan, **params):
    answer = await client.get(f"/v1/payment-plans/{plan['id']}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def cancel(client, plan, status=200, reason="withdrawn"):
    return await post(client, f"payment-plans/{plan['id']}/cancel", status, reason=reason)


def parts(plan):
    return [(own["amount"], own["paid"]) for own in plan["instalments"]]


async def ageing(client, on, path="ageing", **params):
    answer = await client.get(f"/v1/{path}", params={"on": on} | params)
    [row] = answer.json()["items" if path.endswith("customers") else "currencies"]
    buckets = ("not_due", "days_0_30", "days_31_60", "days_61_90", "days_over_90")
    assert sum(Decimal(row[name]) for name in buckets) == Decimal(row["total"])
    return row["not_due"], row["days_0_30"], row["total"], row["overdue"]


async def test_a_plan_is_paid_by_payments_and_counts_its_own_days(ledger, acme):
    who, (old, newer) = await issue(ledger, "70.00", "30.00", due_on="2025-05-01")
    _, [other] = await issue(ledger, "5.00", customer=who, due_on="2025-06-01")
    assert (await balance(acme, who))[4] == "105.00"  # all of it is overdue
    plan = await agree(acme, who, [old, newer], **equal(3, 1), grace_days=5)
    assert plan == await show(acme, plan)
    assert parts(plan) == [("33.33", "0.00"), ("33.33", "0.00"), ("33.34", "0.00")]
    assert (plan["state"], plan["total"], plan["open"], plan["late"]) == (
        "kept", "100.00", "100.00", "0.00",
    )  # fmt: skip
    assert (await balance(acme, who))[4] == "5.00"
    assert await ageing(acme, after(0)) == ("100.00", "0.00", "105.00", "5.00")
    assert await ageing(acme, after(2)) == ("66.67", "33.33", "105.00", "38.33")
    by_customer = await ageing(acme, after(2), "ageing/customers", currency="EUR")
    assert by_customer == ("66.67", "33.33", "105.00", "38.33")
    assert await ageing(acme, after(9)) == ("0.00", "0.00", "105.00", "105.00")  # broken
    states = [(await show(acme, plan, on=after(day)))["state"] for day in (1, 2, 6, 7)]
    assert states == ["kept", "late", "late", "broken"]

    await pay(acme, who, "40.00", (newer.invoice_id, "30.00"), (old.invoice_id, "10.00"))
    assert parts(await show(acme, plan)) == [
        ("33.33", "33.33"),
        ("33.33", "6.67"),
        ("33.34", "0.00"),
    ]
    assert (await show(acme, plan, on=after(7)))["state"] == "kept"
    bounced = await pay(acme, who, "65.00")  # by the rule, the oldest due first
    paid = await show(acme, plan)
    assert (paid["state"], paid["paid"], paid["open"]) == ("fulfilled", "100.00", "0.00")
    assert (await cancel(acme, plan, 409))["code"] == "plan_ended"
    assert (await balance(acme, who))[0::4] == ("0.00", "0.00")
    await reverse(acme, bounced["id"])
    assert (await show(acme, plan))["open"] == "60.00"
    assert (await balance(acme, who))[0::4] == ("65.00", "5.00")
    assert [own["invoice_id"] for own in plan["items"]] == [str(b.invoice_id) for b in (old, newer)]
    assert str(other.invoice_id) not in str(plan)
    await reconciled(acme)


async def test_a_plan_shrinks_from_its_end_by_what_is_credited(ledger, acme):
    who, (first, second) = await issue(ledger, "60.00", "40.00", due_on="2025-05-01")
    await posted(ledger, post_credit_notes, partial_credit_note(first, "10.00"))
    plan = await agree(acme, who, [first, second], **listed((1, "30.00"), (2, "30.00"), (3, None)))
    assert parts(plan) == [("30.00", "0.00"), ("30.00", "0.00"), ("30.00", "0.00")]
    await pay(acme, who, "20.00", (first.invoice_id, "20.00"))
    await posted(ledger, post_credit_notes, partial_credit_note(first, "5.00"))
    assert parts(await show(acme, plan)) == [
        ("30.00", "20.00"),
        ("30.00", "0.00"),
        ("25.00", "0.00"),
    ]
    item = [{"invoice_id": str(first.invoice_id), "amount": "5.00"}]
    write_off = await post(
        acme, "write-offs", customer_id=str(who), currency="EUR", amount="5.00", reason="enough",
        allocations=item,
    )  # fmt: skip
    assert parts(await show(acme, plan))[-1] == ("20.00", "0.00")
    await reverse(acme, write_off["id"])
    assert parts(await show(acme, plan))[-1] == ("25.00", "0.00")
    await posted(ledger, post_credit_notes, credit_note(second))  # 40.00 and all of it
    shrunk = await show(acme, plan)
    assert parts(shrunk) == [("30.00", "20.00"), ("15.00", "0.00"), ("0.00", "0.00")]
    assert (shrunk["total"], shrunk["paid"], shrunk["open"]) == ("45.00", "20.00", "25.00")
    assert (await balance(acme, who))[0::4] == ("25.00", "0.00")
    await reconciled(acme)


async def test_an_item_is_in_one_live_plan_and_a_cancelled_one_counts_no_more(ledger, acme):
    who, (first, second) = await issue(ledger, "60.00", "40.00", due_on="2025-05-01")
    preview = await agree(acme, who, [first], 200, path="payment-plans/preview", **equal(2))
    assert (preview["total"], parts(preview)) == ("60.00", [("30.00", "0.00")] * 2)
    assert (await acme.get("/v1/payment-plans")).json()["items"] == []
    key = {"Idempotency-Key": "plan-1"}
    plan = await agree(acme, who, [first], headers=key, **equal(2))
    assert await agree(acme, who, [first], headers=key, **equal(2)) == plan
    refused = await agree(acme, who, [second, first], 409, **equal(2))
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("item_planned", "#/invoice_ids/1")
    other = await agree(acme, who, [second], **equal(1, 2))
    assert (await balance(acme, who))[4] == "0.00"
    assert await cancel(acme, plan, reason="replaced") == (gone := await show(acme, plan))
    assert (gone["state"], gone["cancel_reason"]) == ("cancelled", "replaced")
    assert (await balance(acme, who))[4] == "60.00"
    assert (await cancel(acme, plan, 409))["code"] == "plan_ended"
    again = await agree(acme, who, [first], **equal(4))
    said = [(str(e.plan_id), e.version, e.cancel_reason)
            for e in await reported(ledger, PaymentPlanChanged)]  # fmt: skip
    assert said == [
        (plan["id"], 1, None), (other["id"], 1, None), (plan["id"], 2, "replaced"),
        (again["id"], 1, None),
    ]  # fmt: skip
    page = (await acme.get("/v1/payment-plans", params={"limit": 2})).json()
    rest = await acme.get("/v1/payment-plans", params={"cursor": page["next_cursor"]})
    ids = [own["id"] for own in page["items"] + rest.json()["items"]]
    assert ids == [plan["id"], other["id"], again["id"]]


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        (listed((1, "30.00"), (2, "20.00")), "invalid_instalments", "#/instalments"),
        (equal(2, -1), "invalid_instalments", "#/equal/first_due_on"),
        (equal() | {"currency": "USD"}, "item_not_open", "#/invoice_ids/0"),
        (equal() | {"customer_id": str(uuid4())}, "item_not_open", "#/invoice_ids/0"),
        (equal() | listed((1, None)), "invalid_request", "#"),
        ({}, "invalid_request", "#"),
        (equal(121), "invalid_request", "#/equal/count"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused(ledger, acme, more, code, pointer):
    who, bills = await issue(ledger, "60.00")
    refused = await agree(acme, who, bills, 422, **more)
    assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)
    assert await reported(ledger, PaymentPlanChanged) == []


async def test_nobody_sees_or_ends_another_tenants_plan(ledger, acme, clients):
    who, bills = await issue(ledger, "60.00")
    plan, other = await agree(acme, who, bills, **equal()), await clients("other")
    assert (await agree(other, who, bills, 422, **equal()))["code"] == "item_not_open"
    assert (await other.get("/v1/payment-plans")).json()["items"] == []
    assert (await cancel(other, plan, 404))["code"] == "payment_plan_unknown"


async def test_the_past_is_as_it_was(ledger, acme):
    """By the moment asked for: before the agreement, and before the payment."""
    who, bills = await issue(ledger, "60.00", due_on="2025-05-01")
    await agree(acme, who, bills, **listed((1, "20.00"), (9, None)))
    await pay(acme, who, "20.00", occurred_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    before = {"as_of": at(-2)}
    assert (await balance(acme, who, **before))[0::4] == ("60.00", "60.00")
    assert await ageing(acme, after(2), **before) == ("0.00", "0.00", "60.00", "60.00")
    for by in ("value", "booked"):
        then = {"as_of": at(2), "by": by}
        assert await ageing(acme, after(2), **then) == ("40.00", "0.00", "40.00", "0.00")


async def test_balances_are_published_when_an_instalment_is_late(ledger, acme):
    who, bills = await issue(ledger, "60.00", due_on="2025-05-01")
    await agree(acme, who, bills, **listed((3, "20.00"), (9, None)), grace_days=2)
    assert [own.balances[0].arrears for own in await published(ledger)] == [0]

    async def look(days):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            return await report_late(tx, NOW + timedelta(days=days))

    assert [await look(day) for day in (3, 4, 4, 5, 6, 6)] == [0, 1, 0, 0, 1, 0]
    assert [await look(day) for day in (10, 12, 13, 99)] == [1, 1, 0, 0]
    assert len(await published(ledger)) == 2
    assert {own.customer_id for own in await reported(ledger, AccountChanged)} == {who}


async def test_the_statements_page_has_the_instalments(ledger, acme):
    who, bills = await issue(ledger, "60.00", due_on="2025-05-01")
    window = {"from": "2025-01-01", "to": "2026-01-01", "currency": "EUR"}
    assert "Payment plan" not in await statement_page(ledger, acme, who, window)
    plan = await agree(acme, who, bills, **equal(2))
    page = await statement_page(ledger, acme, who, window)
    assert "by the payment plan INV-0 60.00 0.00 60.00" in page
    assert page.count(" 30.00 0.00 30.00") == len(plan["instalments"]) == 2
    await cancel(acme, plan)
    assert "Payment plan" not in await statement_page(ledger, acme, who, window)
