"""A duplicate's account is the survivor's, whatever comes before, at and after the merge."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from gridtally.contracts.accounts import PaymentRecorded, TransactionRecorded
from gridtally.contracts.direct_debits import MandateChanged
from gridtally.contracts.dunning import DunningStopChanged
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.kernel.chain import verify_export
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payments import post as domain_post
from gridtally.ledger.accounts.events import payment_recorded, transaction_recorded
from gridtally.ledger.accounts.handlers.adopted_payments import (
    adopt_payments,
    adopt_transactions,
    post_adopted_payments,
)
from gridtally.ledger.accounts.handlers.budget_plans import advance_plans
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.mandates import adopt_mandates
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from integration.ledger.accounts import (
    ISSUED,
    balance,
    credit_note,
    customer,
    declare,
    invoice,
    issue,
    known,
    outgoing,
    pay,
    payment,
    post,
    posted,
    published,
    received,
    reconciled,
    reported,
    reverse,
    statement_page,
    states,
)
from integration.ledger.debits import sign
from integration.ledger.restored import SAID
from integration.ledger.seals import exported, seal
from integration.ledger.test_ledger_budget_plans import heard
from integration.ledger.test_ledger_dunning import stop
from integration.ledger.test_ledger_payment_files_api import book, table
from integration.ledger.test_ledger_payment_plans import agree, equal
from restores import said, until_drained, until_rows

EVER = {"from": "2025-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "currency": "EUR"}
EMPTY = ("0.00", "0.00", "0.00", "0.00", "0.00")


async def merge(ledger, duplicate, survivor, version=2):
    event = customer(duplicate, merged_into=survivor, version=version, number="C-1", name="Ada")
    await posted(ledger, apply_customers, event)


async def moves(client, who):
    answer = await client.get(f"/v1/customers/{who}/statement", params=EVER)
    assert answer.status_code == 200, answer.text
    return [(own["kind"], own["amount"]) for own in answer.json()["entries"]]


async def deposits(client, who):
    answer = await client.get(
        "/v1/accounts", params={"account_class": "deposit", "customer_id": str(who)}
    )
    return [own["balance"] for own in answer.json()["items"]]


async def is_balanced(client):
    """The books agree in every way, and debits are credits."""
    await reconciled(client)
    for books in (await client.get("/v1/trial-balance")).json()["currencies"]:
        assert books["difference"] == "0.00", books


async def test_all_that_a_duplicate_owes_and_owns_is_the_survivors(ledger, acme):
    """Of 100.00 and 50.00 are 120.00 open, and a deposit of 25.00 is held; the survivor owes 40.00.
    From then on whoever is named, the survivor's are paid."""
    ada, bills = await issue(ledger, "100", "50")
    bo = await known(ledger)
    await posted(ledger, post_invoices, invoice("b", customer=bo, energy="40", tax="0"))
    first = await pay(acme, ada, "30", (bills[0].invoice_id, "30"), reference="P-1")
    deposit = {"customer_id": str(ada), "currency": "EUR", "amount": "25", "reference": "D-1"}
    await post(acme, "deposits", **deposit)
    plan = await agree(acme, ada, bills[1:], **equal(2))
    await merge(ledger, ada, bo)
    assert await balance(acme, ada) == EMPTY
    assert (await balance(acme, bo))[:4] == ("160.00", "0.00", "0.00", "160.00")
    assert await states(acme, ada) == {}
    assert await states(acme, bo) == {
        "INV-0": ("part_paid", "70.00"), "INV-1": ("open", "50.00"), "INV-b": ("open", "40.00"),
    }  # fmt: skip
    assert (await deposits(acme, ada), await deposits(acme, bo)) == (["0.00"], ["-25.00"])
    kept = (await acme.get(f"/v1/payment-plans/{plan['id']}")).json()
    assert kept["customer_id"] == str(bo)
    assert (await moves(acme, ada))[-1] == ("merge", "-120.00")
    assert ("merge", "120.00") in await moves(acme, bo)
    await is_balanced(acme)

    before = await reported(ledger, TransactionRecorded)
    (moved,) = (event for event in before if event.kind == "merge")
    assert (moved.customer_id, moved.merged_id, str(moved.amount)) == (bo, ada, "145.00")
    await merge(ledger, ada, bo)  # the same message again
    assert await reported(ledger, TransactionRecorded) == before

    late = payment(ada, "60", (bills[0].invoice_id, "60"))
    await posted(ledger, post_payments, late)
    await posted(ledger, post_payments, late)  # which is the same, though it is another's now
    named = {"reference": "P-1", "id": first["document_id"]}
    again = await pay(acme, ada, "30", (bills[0].invoice_id, "30"), **named)
    assert again["id"] == first["id"]
    await pay(acme, ada, "10", (bills[0].invoice_id, "10"))
    booked = await book(acme, table("2025-05-04,50,EUR,inv 1,Ada"))
    assert [own["customer_id"] for own in booked["payments"]] == [str(bo)]
    assert await states(acme, bo) == {
        "INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00"), "INV-b": ("open", "40.00"),
    }  # fmt: skip
    undone = await reverse(acme, first["id"])
    shown = (await acme.get(f"/v1/transactions/{undone['id']}")).json()
    assert shown["customer_id"] == str(bo)
    assert {line["account_code"] for line in shown["postings"]} == {"cash", f"receivable:{bo}"}
    assert (await balance(acme, ada), (await balance(acme, bo))[0]) == (EMPTY, "70.00")
    await is_balanced(acme)
    balances = {event.customer_id: event for event in await published(ledger)}
    assert not any(own.balance for own in balances[ada].balances)
    assert "Accounts merged C-1" in await statement_page(ledger, acme, bo, EVER)
    await seal(ledger)
    assert verify_export(await exported(acme)).size > 0


async def test_documents_of_a_duplicate_that_come_later_are_the_survivors(ledger, acme):
    """An old invoice, paid by 70.00 of which 20.00 were credit that paid another, is credited: its
    50.00 are the survivor's, and pay what is open; and so is what was issued before the merge and
    comes after it."""
    ada, [bill] = await issue(ledger, "50")
    bo = await known(ledger)
    await pay(acme, ada, "70")
    await merge(ledger, ada, bo)
    assert (await balance(acme, bo))[:2] == ("0.00", "20.00")
    late = invoice("late", customer=ada, energy="90", tax="0")
    await posted(ledger, post_invoices, late)
    assert (await balance(acme, bo))[:2] == ("70.00", "0.00")
    await posted(ledger, post_credit_notes, credit_note(bill))
    assert (await balance(acme, bo))[:2] == ("20.00", "0.00")
    assert await balance(acme, ada) == EMPTY
    assert (await states(acme, bo))["INV-late"] == ("part_paid", "20.00")
    before_its_invoice = invoice("after", customer=ada, energy="7", tax="0")
    await posted(ledger, post_credit_notes, credit_note(before_its_invoice))
    await posted(ledger, post_invoices, before_its_invoice, late)  # one of them again
    assert (await balance(acme, bo))[:2] == ("20.00", "0.00")
    assert await balance(acme, ada) == EMPTY
    await is_balanced(acme)
    await seal(ledger)
    assert verify_export(await exported(acme)).size > 0


async def test_credit_that_a_duplicate_had_spent_is_found_where_it_went(ledger, acme):
    """30.00 for 10.00, of the rest 15.00 paid the next invoice; merged, and the payment bounces:
    both are open again, and nothing is charged."""
    ada, _ = await issue(ledger, "10")
    bo = await known(ledger)
    paid = await pay(acme, ada, "30")
    await posted(ledger, post_invoices, invoice("b", customer=ada, energy="15", tax="0"))
    await merge(ledger, ada, bo)
    assert (await balance(acme, bo))[:2] == ("0.00", "5.00")
    await reverse(acme, paid["id"])
    assert (await balance(acme, bo))[:2] == ("25.00", "0.00")
    assert await states(acme, bo) == {"INV-0": ("open", "10.00"), "INV-b": ("open", "15.00")}
    again = await post(acme, "adjustments", customer_id=str(ada), currency="EUR", amount="3",
                       reason="a visit")  # fmt: skip
    await reverse(acme, again["id"])
    await is_balanced(acme)


async def test_merges_in_a_row_end_with_the_last_and_an_older_message_changes_nothing(ledger, acme):
    ada, _ = await issue(ledger, "10")
    bo, _ = await issue(ledger, "20")
    cy = await known(ledger)
    await seal(ledger)  # as of those for whom they were opened
    await merge(ledger, ada, bo)
    await merge(ledger, bo, cy)
    assert (await balance(acme, cy))[0] == "30.00"
    await merge(ledger, ada, bo, version=3)  # said before, come late
    await posted(ledger, post_invoices, invoice("a", customer=ada, energy="5", tax="0"))
    await merge(ledger, cy, ada, version=9)  # the other way round
    assert (await balance(acme, cy))[0] == "35.00"
    assert (await balance(acme, ada), await balance(acme, bo)) == (EMPTY, EMPTY)
    await merge(ledger, ada, await known(ledger), version=10)  # into somebody else since
    assert (await balance(acme, cy))[0] == "35.00"
    await is_balanced(acme)
    await seal(ledger)
    assert verify_export(await exported(acme)).size > 0


async def test_what_was_agreed_about_paying_goes_over(ledger, acme):
    """A budget plan with what it asked for, a mandate and a stop; the survivor's own mandate would
    stay. Nothing more is agreed with the duplicate."""
    ada, bo = await known(ledger), await known(ledger)
    today = datetime.now(UTC).date()
    asked = {"currency": "EUR", "amount": "90.00", "start_on": str(today)}
    plan = await post(acme, "budget-plans", customer_id=str(ada), **asked)
    await sign(acme, ada)
    await stop(acme, ada)
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await advance_plans(tx, datetime.now(UTC) + timedelta(days=20))
    asked_for = (await balance(acme, ada))[0]
    assert asked_for != "0.00"
    await merge(ledger, ada, bo)
    assert (await balance(acme, ada), (await balance(acme, bo))[0]) == (EMPTY, asked_for)
    shown = (await acme.get(f"/v1/budget-plans/{plan['id']}")).json()
    assert shown["customer_id"] == str(bo)
    bill = invoice("plan", customer=ada, energy="80", tax="0").model_copy(
        update={
            "start_on": today, "end_on": today + timedelta(days=30), "issued_at": datetime.now(UTC),
        }
    )  # fmt: skip
    await posted(ledger, post_invoices, bill)
    assert (await states(acme, bo))["INV-plan"] == ("paid", "0.00")
    for path in ("mandate", "dunning-stop"):
        assert (await acme.get(f"/v1/customers/{bo}/{path}")).status_code == 200, path
    again = await post(acme, "budget-plans", 409, customer_id=str(ada), **asked)
    codes = [
        again["code"],
        (await stop(acme, ada, 409))["code"],
        (await sign(acme, ada, 409))["code"],
    ]
    assert codes == ["customer_merged"] * 3
    assert str(bo) in again["detail"]
    await is_balanced(acme)


async def test_what_was_said_of_a_survivor_waits_until_the_items_are_its_own(ledger, acme):
    """After a restore from before a merge: a payment of and a write-off from the duplicate's item,
    where credit pays nothing by itself, are posted once that is the survivor's."""
    await declare(acme, credit_allocation="manual", credit_deallocation="oldest_first")
    ada, [bill] = await issue(ledger, "100")
    bo = await known(ledger)
    item = OpenItem(bill.invoice_id, "invoice", bill.number, Decimal(100), ISSUED, ISSUED.date())
    account = CustomerAccount("acme", bo, "EUR", items={item.id: item})

    def posting(kind, amount):
        return domain_post(account, Command(
            kind=kind, id=uuid4(), customer_id=bo, currency="EUR", amount=Decimal(amount),
            reference="R", memo="said", occurred_at=ISSUED, correlation_id="c",
            allocations=(RequestedAllocation(item.id, Decimal(amount)),),
        ))  # fmt: skip

    paid = heard(payment_recorded(posting("payment", "60")), PaymentRecorded)
    written_off = transaction_recorded(posting("write_off", "40"), "write_off")
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await adopt_payments(tx, [paid])
        await adopt_transactions(tx, [heard(written_off, TransactionRecorded)])
        assert await post_adopted_payments(tx, datetime.now(UTC)) == 0
    assert await states(acme, ada) == {"INV-0": ("open", "100.00")}
    await merge(ledger, ada, bo)
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        assert await post_adopted_payments(tx, datetime.now(UTC)) == 2
    assert await states(acme, bo) == {"INV-0": ("paid", "0.00")}
    assert (await balance(acme, bo), await balance(acme, ada)) == (EMPTY, EMPTY)
    await is_balanced(acme)


async def of_customer(client, who, path, *names):
    answer = await client.get(f"/v1/customers/{who}/{path}")
    return [answer.json()[name] for name in names] if answer.is_success else answer.json()["code"]


async def test_of_mandates_and_stops_those_in_force_stand(ledger, acme):
    """Bo's were revoked and ended, of which Ada's take over; Cy's stand. What Ada and Di had is
    free, and no message that comes again, or an older one, brings it back."""
    ada, bo, cy, di = [await known(ledger) for _ in range(4)]
    for who in (ada, bo, cy, di):
        await sign(acme, who)
        await stop(acme, who, reason="hardship" if who in (ada, di) else "disputed")
    for path in ("mandate", "dunning-stop"):
        assert (await acme.delete(f"/v1/customers/{bo}/{path}")).status_code == 204
    await merge(ledger, ada, bo)
    await merge(ledger, di, cy)
    for who, whose, reason in ((bo, ada, "hardship"), (cy, cy, "disputed")):
        shown = await of_customer(acme, who, "mandate", "mandate_id", "revoked_on")
        assert shown == [f"M-{whose}"[:35], None]
        assert await of_customer(acme, who, "dunning-stop", "reason") == [reason]
    for who in (ada, di):
        assert await of_customer(acme, who, "mandate") == "mandate_unknown"
        assert await of_customer(acme, who, "dunning-stop") == "dunning_stop_unknown"
    await sign(acme, await known(ledger), mandate_id=f"M-{di}"[:35])

    for path in ("mandate", "dunning-stop"):
        assert (await acme.delete(f"/v1/customers/{bo}/{path}")).status_code == 204
    await merge(ledger, ada, bo)
    assert await of_customer(acme, bo, "dunning-stop") == "dunning_stop_unknown"
    stops = {own.customer_id: own for own in await reported(ledger, DunningStopChanged)}
    assert [stops[who].reason for who in (ada, bo, cy, di)] == [None, None, "disputed", None]
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        query = "SELECT key, value FROM outbox WHERE topic = $1 ORDER BY seq"
        rows = await read.raw.fetch(query, MandateChanged.TOPIC)
    signed = [MandateChanged.model_validate_json(row["value"]) for row in rows if row["value"]]
    ends = {row["key"].removeprefix("acme:") for row in rows if row["value"] is None}
    assert ends == {str(ada), str(di)}
    first = next(own for own in signed if own.customer_id == ada)
    given, revoked = [own for own in signed if own.customer_id == bo][-2:]
    assert (given.mandate_id, given.version, revoked.version) == (first.mandate_id, 3, 4)

    ended = received(first, "other")._replace(event=None, value=None)
    copied = [received(own, "other") for own in (first, revoked, given, first)]
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        for message in (*copied, ended):  # a copy of before the merge, and what was published since
            assert await adopt_mandates(tx, [message]) == []
            stored = await tx.raw.fetch("SELECT * FROM mandate WHERE tenant_id = 'other'")
            assert len(stored) == 1
    assert (stored[0]["customer_id"], stored[0]["version"]) == (bo, 4)
    assert stored[0]["revoked_on"] is not None


async def test_a_stop_whose_time_is_over_stands_in_no_way(ledger, acme):
    ada, bo, cy, di = [await known(ledger) for _ in range(4)]
    await stop(acme, ada, until="2025-04-01")  # of the day of the merge
    await stop(acme, bo, until="2025-03-31")
    await merge(ledger, ada, bo)
    assert await of_customer(acme, bo, "dunning-stop", "until") == ["2025-04-01"]
    await stop(acme, cy, until="2025-03-31")
    await merge(ledger, cy, di)
    for who in (cy, di):
        assert await of_customer(acme, who, "dunning-stop") == "dunning_stop_unknown"


async def test_a_restored_ledger_merges_again_and_ends_the_same(
    restorable, running, publishing, kafka_bootstrap
):
    """From a copy of before the merge: payments that named either come back, and both accounts are
    what they were."""
    tenant = f"t-{uuid4().hex[:8]}"
    ada, bo = uuid4(), uuid4()
    bills = [invoice(n, customer=who, tax="0") for n, who in enumerate((ada, ada, bo))]

    async def send(*events):
        async with publishing() as publisher:
            await publisher.publish([outgoing(event, tenant) for event in events])

    async def balances(client):
        return {who: (await balance(client, who))[:4] for who in (ada, bo)}

    async with running(tenant) as (database, acme):
        await send(customer(ada), customer(bo), bills[0])
        await until_rows(database, "transaction", tenant, 1)
        await until_rows(database, "known_customer", tenant, 2)
    await restorable.copy()

    async with running(tenant) as (database, acme):
        await pay(acme, ada, "130", (bills[0].invoice_id, "100"))
        named = {"customer_id": str(ada), "currency": "EUR"}
        await post(acme, "refunds", **named, amount="10", reason="asked for")
        await post(acme, "deposits", **named, amount="25", reference="D-1")
        await send(*bills[1:], customer(ada, version=2, merged_into=bo))
        await until_rows(database, "transaction", tenant, 8)
        await pay(acme, ada, "60", (bills[1].invoice_id, "60"))
        await until_drained(database, tenant, "entry_queue")
        before = await balances(acme)
        assert before[bo] == ("120.00", "0.00", "0.00", "120.00")
        await reconciled(acme)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await restorable.restore()

    async with running(tenant) as (database, acme):
        await until_rows(database, "open_item", tenant, 3)
        await until_drained(database, tenant, "adopted_payment", "entry_queue")
        assert await balances(acme) == before
        assert await deposits(acme, bo) == ["-25.00"]
        await reconciled(acme)
    assert len(heard) <= len(await said(kafka_bootstrap, tenant, *SAID))
    assert restorable.logged("adopted payment refused", tenant) == []
