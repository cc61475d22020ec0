"""Budget plans on the books: asked for by the day, invoices that wait, corrections, settlements."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.contracts.accounts import TransactionRecorded
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.chain import verify_export
from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payments import post as domain_post
from gridtally.ledger.accounts.events import budget_plans as plan_events
from gridtally.ledger.accounts.events import transaction_recorded
from gridtally.ledger.accounts.handlers.adopted_payments import (
    adopt_transactions,
    post_adopted_payments,
)
from gridtally.ledger.accounts.handlers.budget_plans import adopt_plans, advance_plans
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from gridtally.ledger.accounts.store import budget_plans
from gridtally.messaging import ReceivedMessage
from integration.ledger.accounts import (
    balance,
    credit_note,
    invoice,
    known,
    partial_credit_note,
    pay,
    post,
    posted,
    reconciled,
    reported,
    statement_page,
    states,
)
from integration.ledger.debits import collect, collect_for, sign
from integration.ledger.seals import exported, seal
from integration.ledger.test_ledger_dunning import dun, notices, rule

NOW = datetime.now(UTC)
TODAY = NOW.date()


def after(days):
    return TODAY + timedelta(days=days)


async def budget(client, who, status=201, headers=None, **more):
    asked = {"customer_id": str(who), "currency": "EUR", "amount": "90.00", "start_on": str(TODAY)}
    return await post(client, "budget-plans", status, headers, **asked | more)


async def show(client, plan):
    answer = await client.get(f"/v1/budget-plans/{plan['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def advance(ledger, days=0):
    """What the loop does so many days from now; how many plans it looked at."""
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        return await advance_plans(tx, datetime.now(UTC) + timedelta(days=days))


async def bill(ledger, who, amount, n=1, start_on=TODAY, issued_at=None):
    """An invoice of a period that begins on a day, issued now."""
    issued_at = issued_at or datetime.now(UTC)
    changes = {"start_on": start_on, "end_on": after(400), "issued_at": issued_at}
    event = invoice(n, customer=who, energy=amount, tax="0").model_copy(update=changes)
    await posted(ledger, post_invoices, event)
    return event


async def credit(ledger, of, amount=None):
    """All of an invoice, or a part, credited now."""
    note = partial_credit_note(of, amount) if amount else credit_note(of)
    note = note.model_copy(update={"issued_at": datetime.now(UTC)})
    await posted(ledger, post_credit_notes, note)


async def deferred(client, document):
    """What plans have taken upon themselves of an invoice, by its allocations."""
    taken = (await client.get(f"/v1/invoices/{document.invoice_id}")).json()["allocations"]
    deferrals = {own["transaction_id"] for own in taken if own["kind"] == "deferral"}
    return sum(Decimal(own["amount"]) for own in taken if own["source_id"] in deferrals)


async def test_a_year_of_equal_amounts_is_settled_against_what_was_used(ledger, acme):
    who = await known(ledger)
    key = {"Idempotency-Key": "b-1"}
    plan = await budget(acme, who, headers=key, start_on=str(after(-40)), months=3)
    assert await budget(acme, who, headers=key, start_on=str(after(-40)), months=3) == plan
    assert (plan["state"], plan["requested"], plan["used"]) == ("running", "90.00", "0.00")
    first, later = plan["instalments"]  # a third would be due after the end
    assert (first["due_on"], first["open"], later["invoice_id"]) == (str(TODAY), "90.00", None)
    assert (await balance(acme, who))[0::3] == ("90.00", "90.00")

    # What was used is nobody's to pay, and money goes to the instalment.
    wrong = await bill(ledger, who, "100.00")
    before = await bill(ledger, who, "7.00", 2, start_on=after(-41))
    await pay(acme, who, "90.00", occurred_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    seen = await states(acme, who)
    assert (seen[wrong.number], seen[before.number]) == (("paid", "0.00"), ("open", "7.00"))
    assert (await show(acme, plan))["instalments"][0]["open"] == "0.00"
    assert await balance(acme, who) == ("7.00", "0.00", "0.00", "7.00", "0.00")

    # Corrections change what is carried to the settlement, and nobody's credit.
    await credit(ledger, wrong)
    right = await bill(ledger, who, "98.00", 3)
    await credit(ledger, right, "8.00")
    assert ((await show(acme, plan))["used"], (await balance(acme, who))[3]) == ("90.00", "7.00")
    # What the plan has taken upon itself of an invoice can be read there: 98.00 less 8.00.
    assert await deferred(acme, right) == Decimal("90.00")

    # The second is asked for two weeks before it is due, once.
    due_in = (datetime.fromisoformat(later["due_on"]).date() - TODAY).days
    assert [await advance(ledger, due_in - days) for days in (15, 14, 14, 13)] == [0, 1, 0, 0]
    assert (await show(acme, plan))["requested"] == "180.00"
    refused = await post(acme, f"budget-plans/{plan['id']}/settlement", 409)
    assert refused["code"] == "budget_plan_running"
    end = {"end_on": str(TODAY)}
    ended = await post(acme, f"budget-plans/{plan['id']}/end", 200, **end)
    assert await post(acme, f"budget-plans/{plan['id']}/end", 200, **end) == ended
    assert (ended["state"], ended["settle_on"]) == ("ended", str(after(42)))

    # 180.00 less 90.00 is credit; of that 7.00 and the second instalment are paid.
    settled = await post(acme, f"budget-plans/{plan['id']}/settlement", 200)
    assert (settled["state"], settled["settled"], settled["used"]) == ("settled", "-90.00", "90.00")
    assert await balance(acme, who) == ("7.00", "0.00", "0.00", "7.00", "0.00")
    again = await post(acme, f"budget-plans/{plan['id']}/settlement", 409)
    assert again["code"] == "budget_plan_settled"
    books = await reconciled(acme)
    assert books["EUR"]["budget_left"] == "0.00"
    await seal(ledger)
    assert verify_export(await exported(acme)).size > 0
    window = {"from": "2025-01-01", "to": str(after(60)), "currency": "EUR"}
    page = await statement_page(ledger, acme, who, window)
    for words in ("Budget instalment", "Carried to the budget settlement", "Budget settlement"):
        assert words in page
    said = await reported(ledger, TransactionRecorded)
    assert [own.kind for own in said] == [
        "instalment", "deferral", "deferral", "instalment", "budget_credit",
    ]  # fmt: skip
    assert {str(own.plan_id) for own in said} == {plan["id"]}
    versions = await reported(ledger, BudgetPlanChanged)
    assert [(own.version, own.settled) for own in versions] == [(1, 0), (2, 0), (3, -90)]


async def test_what_comes_after_the_settlement_is_settled_too(ledger, acme):
    """By itself on its day: 50.00 used and 40.00 asked for. An invoice that was issued before, and
    comes after, is owed in addition; what is credited later is credit."""
    who = await known(ledger)
    started = {"start_on": str(after(-40)), "months": 2, "settle_days": 0, "amount": "40.00"}
    plan = await budget(acme, who, **started)
    used = await bill(ledger, who, "50.00", start_on=after(-10))
    left = (datetime.fromisoformat(plan["end_on"]).date() - TODAY).days
    assert [await advance(ledger, left + day) for day in (-1, 0, 0)] == [0, 1, 0]
    shown = await show(acme, plan)
    assert (shown["state"], shown["settled"], shown["requested"]) == ("settled", "10.00", "40.00")
    assert (await balance(acme, who))[0] == "50.00"
    assert await advance(ledger, 60) == 0
    await bill(ledger, who, "30.00", 2, start_on=after(-10))
    assert (await balance(acme, who))[0] == "50.00"
    assert [await advance(ledger, left + 1) for _ in range(2)] == [1, 0]
    assert ((await show(acme, plan))["settled"], (await balance(acme, who))[0]) == (
        "40.00", "80.00",
    )  # fmt: skip
    issued_at = datetime.now(UTC) + timedelta(days=30)
    note = credit_note(used).model_copy(update={"issued_at": issued_at})
    await posted(ledger, post_credit_notes, note)
    assert await advance(ledger, 60) == 0
    assert (await balance(acme, who))[3] == "30.00"  # of 80.00
    await reconciled(acme)


async def test_nothing_is_asked_for_or_settled_while_something_adopted_waits(ledger, acme):
    """After a restore: nobody knows yet what was asked for before."""
    who = await known(ledger)
    plan = await budget(acme, who, start_on=str(after(-40)), settle_days=0)
    end = {"end_on": str(after(-1))}

    async def wait(sql):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(sql, who)

    await wait(
        "INSERT INTO adopted_payment (tenant_id, transaction_id, payment_id, customer_id, event,"
        " correlation_id, occurred_at) VALUES ('acme', $1, $1, $1, '', 'c', now())"
    )
    assert await advance(ledger, 40) == 0
    for path, body in (("end", end), ("settlement", {})):
        answer = await acme.post(f"/v1/budget-plans/{plan['id']}/{path}", json=body)
        assert answer.status_code == 503, answer.text
    await wait("DELETE FROM adopted_payment WHERE customer_id = $1")
    await post(acme, f"budget-plans/{plan['id']}/end", 200, **end)
    assert [await advance(ledger) for _ in range(2)] == [1, 0]
    assert (await show(acme, plan))["settled"] == "-90.00"
    assert (await balance(acme, who))[0] == "0.00"  # the credit has paid the instalment
    await reconciled(acme)


async def test_what_the_books_refuse_of_one_plan_is_nothing_to_the_others(ledger, clients):
    """Of two tenants: one has posted a payment under the id of an instalment that was to come. That
    one waits a day, and a customer who is not known again yet waits until that is so."""
    acme, other = await clients("acme"), await clients("other")
    first_due_on = str(after(15))
    poisoned = await budget(acme, await known(ledger), first_due_on=first_due_on)
    plan = await budget(acme, await known(ledger), first_due_on=first_due_on)
    payer = await known(ledger, tenant="other")
    others = await budget(other, payer, first_due_on=first_due_on)
    unknown = await budget(acme, (who := await known(ledger)), first_due_on=first_due_on)
    taken = derive_id("budget_instalment", UUID(poisoned["id"]), after(15))
    await pay(acme, poisoned["customer_id"], "1.00", id=str(taken))
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute("DELETE FROM known_customer WHERE id = $1", who)
    assert [await advance(ledger, 1) for _ in range(2)] == [3, 0]
    for client, own, requested in (
        (acme, poisoned, "0.00"), (acme, plan, "90.00"), (other, others, "90.00"),
        (acme, unknown, "0.00"),
    ):  # fmt: skip
        assert (await show(client, own))["requested"] == requested
    await known(ledger, who)
    assert [await advance(ledger, 1) for _ in range(2)] == [1, 0]
    assert (await show(acme, unknown))["requested"] == "90.00"
    assert [await advance(ledger, 2) for _ in range(2)] == [1, 0]
    for client in (acme, other):
        await reconciled(client)


@pytest.mark.parametrize(
    ("credited", "settled_first", "used", "credit_left"),
    [
        (None, False, "0.00", "0.00"),
        ("30.00", False, "70.00", "0.00"),
        # Owed by the settlement, and credit by the note: one pays the other.
        (None, True, "100.00", "100.00"),
    ],
)
async def test_a_deferral_comes_back_after_its_invoice_was_credited(
    ledger, acme, credited, settled_first, used, credit_left
):
    """After a restore, in which a credit note may come before its invoice: what the note had given
    back to the plan is no credit, unless the plan was settled before."""
    who = await known(ledger)
    asked = await budget(acme, who, start_on=str(after(-40)), first_due_on=str(after(15)))
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        [stored] = await budget_plans.fetch_plans(tx, "acme", [UUID(asked["id"])])
    issued_at = datetime.now(UTC)
    event = invoice(1, customer=who, energy="100.00", tax="0").model_copy(
        update={"start_on": TODAY, "issued_at": issued_at}
    )
    item = OpenItem(event.invoice_id, "invoice", event.number, Decimal(100), issued_at, TODAY)
    account = CustomerAccount("acme", who, "EUR", items={item.id: item})
    said = transaction_recorded(
        domain_post(account, stored.plan.deferral(item, issued_at, "c")), "deferral"
    )
    settled_at = datetime.now(UTC) if settled_first else None
    version = plan_events.budget_plan_changed(
        "acme", replace(stored.plan, settled_at=settled_at, settled=Decimal(0)), 2, NOW, "c"
    )
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await adopt_plans(tx, [heard(version, BudgetPlanChanged)])
        await adopt_transactions(tx, [heard(said, TransactionRecorded)])
    await credit(ledger, event, credited)
    await posted(ledger, post_invoices, event)
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await post_adopted_payments(tx, NOW)
        assert await tx.raw.fetchval("SELECT count(*) FROM adopted_payment") == 0
    # What is settled is not settled anew while documents may still come again.
    assert await advance(ledger) == (0 if settled_first else 1)
    shown, owed = await show(acme, asked), await balance(acme, who)
    assert (shown["used"], shown["settled"]) == (used, "0.00")
    assert owed[:2] == ("0.00", credit_left)
    await reconciled(acme)
    assert await advance(ledger, 2) == 1


def heard(message, kind):
    """A message of the outbox as the service reads it again."""
    event = kind.model_validate_json(message.value)
    return ReceivedMessage(event, message.envelope, message.topic, 0, 0, message.key, message.value)


async def test_an_instalment_is_dunned_and_collected_and_no_invoice_is(ledger, acme):
    who = await known(ledger)
    plan = await budget(acme, who, first_due_on=str(TODAY))
    [item] = [own["invoice_id"] for own in plan["instalments"] if own["invoice_id"]]
    await bill(ledger, who, "500.00", start_on=TODAY, issued_at=datetime.now(UTC))
    await collect_for(acme)
    await sign(acme, who)
    dry = await collect(acme, dry_run=True, status=200)
    assert [(own["invoice_id"], own["amount"]) for own in dry["debits"]] == [(item, "90.00")]
    level = {"name": "Reminder", "after_days": 1, "days_to_pay": 4}
    await rule(acme, levels=[level])
    await dun(ledger, acme, 1)
    [notice] = await notices(acme, customer_id=str(who))
    assert ([own["invoice_id"] for own in notice["items"]], notice["total"]) == ([item], "90.00")


async def test_an_amount_is_proposed_and_changed_from_a_day_on(ledger, acme):
    who = await known(ledger)
    query = {"customer_id": str(who), "currency": "EUR"}
    none = (await acme.get("/v1/budget-plans/proposal", params=query)).json()
    assert (none["invoices"], none["amount"]) == (0, None)
    year = [await bill(ledger, who, f"{100 + n}.00", n, issued_at=NOW - timedelta(days=30 * n))
            for n in range(12)]  # fmt: skip
    await credit(ledger, year[0])
    await credit(ledger, year[1], "1.00")
    # 101 + … + 111 less 1 are 1165; a twelfth is 97.08.
    proposed = (await acme.get("/v1/budget-plans/proposal", params=query)).json()
    assert (proposed["invoices"], proposed["invoiced"], proposed["amount"]) == (
        11, "1165.00", "98.00",
    )  # fmt: skip
    plan = await budget(acme, who, amount=proposed["amount"], start_on=str(after(1)))
    third = plan["instalments"][2]["due_on"]
    path = f"budget-plans/{plan['id']}/amount"
    changed = await post(acme, path, 200, amount="110.00", from_on=third)
    assert [own["amount"] for own in changed["instalments"]] == ["98.00"] * 2 + ["110.00"] * 10
    assert await post(acme, path, 200, amount="110.00", from_on=third) == changed
    refused = await post(acme, path, 422, amount="110.00", from_on=str(after(1)))
    assert refused["code"] == "instalment_requested"
    assert len(await reported(ledger, BudgetPlanChanged)) == 2


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"start_on": str(after(30))}, 409, "budget_plan_overlaps"),
        ({"currency": "USD"}, 422, "customer_unknown"),
        ({"amount": "1.001", "start_on": str(after(366))}, 422, "finer_than_currency"),
        ({"start_on": str(after(-400))}, 422, "invalid_budget_plan"),
        ({"months": 25}, 422, "invalid_request"),
        ({"amount": "0"}, 422, "invalid_request"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused(ledger, acme, clients, more, status, code):
    who = await known(ledger)
    plan = await budget(acme, who)
    assert (await budget(acme, who, status, **more))["code"] == code
    assert Decimal((await show(acme, plan))["requested"]) == 90
    other = await clients("other")
    assert (await other.get("/v1/budget-plans")).json()["items"] == []
    answer = await other.get(f"/v1/budget-plans/{plan['id']}")
    assert answer.json()["code"] == "budget_plan_unknown"
