"""Payments and all that follows them, by the API, on the real database."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from contracts.accounts import AccountChanged, PaymentRecorded
from database import ALL_TENANTS, snapshot, transaction
from integration.ledger.books import (
    ISSUED,
    booked,
    credit_note,
    invoice,
    payment,
    reconciled,
)
from kernel.errors import Poison
from ledger.handlers.announcing import announce_changed, tell_overdue
from ledger.handlers.booking import book_credit_notes, book_invoices
from ledger.handlers.settling import record_payments

AT = "2025-04-06T00:00:00Z"


@pytest.fixture
async def acme(clients):
    return await clients("acme")


async def post(client, path, status=201, headers=None, **body):
    answer = await client.post(f"/v1/{path}", json=body, headers=headers or {})
    assert answer.status_code == status, answer.text
    return answer.json()


async def pay(client, customer, amount, *named, status=201, currency="EUR", **other):
    if named:
        other["allocations"] = [{"invoice_id": str(i), "amount": a} for i, a in named]
    return await post(
        client, "payments", status, customer_id=str(customer), currency=currency, amount=amount,
        **{"occurred_at": AT} | other,
    )  # fmt: skip


async def reverse(client, transaction_id, status=201):
    return await post(
        client, f"transactions/{transaction_id}/reversal", status, reason="bounced", occurred_at=AT
    )


async def standing(client, customer, **params):
    found = await client.get(f"/v1/customers/{customer}/balance", params=params)
    [one] = found.json()["currencies"]
    names = ("receivable", "prepaid", "export_payable", "balance", "arrears")
    return tuple(one[name] for name in names)


async def states(client, customer):
    page = (await client.get("/v1/invoices", params={"customer_id": str(customer)})).json()
    return {one["number"]: (one["state"], one["open"]) for one in page["items"]}


async def issue(ledger, *amounts, customer=None, **other):
    """Invoices of one customer, a month apart, the first the oldest."""
    customer = customer or uuid4()
    events = [
        invoice(n, customer=customer, energy=amount, tax="0", days=30 * n, **other)
        for n, amount in enumerate(amounts)
    ]
    await booked(ledger, book_invoices, *events)
    return customer, events


async def test_a_payment_settles_the_oldest_first_and_the_rest_is_credit(ledger, acme):
    customer, _ = await issue(ledger, "100", "50", "30")
    paid = await pay(acme, customer, "120", reference="R 1", method="bank")
    assert [(one["number"], one["amount"]) for one in paid["allocations"]] == [
        ("INV-0", "100.00"), ("INV-1", "20.00"),
    ]  # fmt: skip
    assert {p["account_code"].partition(":")[0]: p["amount"] for p in paid["postings"]} == {
        "cash": "120.00", "receivable": "-120.00",
    }  # fmt: skip
    assert (paid["reference"], paid["memo"], paid["kind"]) == ("R 1", "bank", "payment")
    assert await states(acme, customer) == {
        "INV-0": ("paid", "0.00"), "INV-1": ("part_paid", "30.00"), "INV-2": ("open", "30.00"),
    }  # fmt: skip
    await pay(acme, customer, "75.5")
    assert await standing(acme, customer) == ("0.00", "15.50", "0.00", "-15.50", "0.00")
    await reconciled(acme)


async def test_a_later_invoice_takes_the_credit_when_it_is_told_to(ledger, acme):
    customer, _ = await issue(ledger, "10")
    await pay(acme, customer, "25")
    await booked(ledger, book_invoices, invoice("later", customer=customer, energy="8", tax="0"))
    assert (await states(acme, customer))["INV-later"] == ("open", "8.00")
    body = {"customer_id": str(customer), "currency": "EUR", "occurred_at": AT}
    spent = await post(acme, "allocations", **body)
    assert (spent["total"], spent["kind"]) == ("8.00", "allocation")
    assert (await states(acme, customer))["INV-later"] == ("paid", "0.00")
    again = await post(acme, "allocations", 422, **body)
    assert again["code"] == "nothing_to_settle"
    too_much = await post(acme, "refunds", 422, **body, amount="7.01", reason="closing")
    assert too_much["faults"] == [{"path": "/amount", "detail": "must be at most 7.00000000"}]
    await post(acme, "refunds", **body, amount="7", reason="closing")
    assert await standing(acme, customer) == ("0.00",) * 5
    statement = await acme.get(
        f"/v1/customers/{customer}/statement",
        params={"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "currency": "EUR"},
    )
    assert [(e["kind"], e["amount"], e["balance"]) for e in statement.json()["entries"]] == [
        ("invoice", "10.00", "10.00"), ("invoice", "8.00", "18.00"), ("payment", "-25.00", "-7.00"),
        ("refund", "7.00", "0.00"),
    ]  # fmt: skip
    await reconciled(acme)


async def test_reallocation_by_reversal(ledger, acme):
    customer, (first, second) = await issue(ledger, "100", "50")
    paid = await pay(acme, customer, "60", (first.invoice_id, "60"))
    mirror = await reverse(acme, paid["id"])
    assert (mirror["kind"], mirror["reverses_id"]) == ("reversal", paid["id"])
    assert await states(acme, customer) == {"INV-0": ("open", "100.00"), "INV-1": ("open", "50.00")}
    await pay(acme, customer, "60", (second.invoice_id, "50"), (first.invoice_id, "10"))
    assert await states(acme, customer) == {
        "INV-0": ("part_paid", "90.00"), "INV-1": ("paid", "0.00"),
    }  # fmt: skip
    assert (await reverse(acme, paid["id"], 409))["code"] == "already_reversed"
    assert (await reverse(acme, mirror["id"], 409))["code"] == "not_reversible"
    issued = (await acme.get("/v1/transactions", params={"kind": "invoice"})).json()["items"][0]
    assert (await reverse(acme, issued["id"], 409))["code"] == "not_reversible"
    assert (await reverse(acme, uuid4(), 404))["code"] == "transaction_unknown"
    shown = (await acme.get(f"/v1/invoices/{first.invoice_id}")).json()
    assert [one["amount"] for one in shown["allocations"]] == ["60.00", "-60.00", "10.00"]
    await reconciled(acme)


async def test_credit_that_was_spent_is_not_taken_back(ledger, acme):
    customer, _ = await issue(ledger, "10")
    paid = await pay(acme, customer, "30")
    await booked(ledger, book_invoices, invoice("b", customer=customer, energy="15", tax="0"))
    spent = await post(acme, "allocations", customer_id=str(customer), currency="EUR")
    assert (await reverse(acme, paid["id"], 409))["code"] == "prepaid_spent"
    await reverse(acme, spent["id"])
    await reverse(acme, paid["id"])
    assert await standing(acme, customer) == ("25.00", "0.00", "0.00", "25.00", "25.00")
    await reconciled(acme)


async def test_a_credit_note_sets_free_what_was_paid(ledger, acme):
    customer, (first, second) = await issue(ledger, "100", "40")
    paid = await pay(acme, customer, "120")
    write_off = await post(
        acme, "write-offs", customer_id=str(customer), currency="EUR", amount="5",
        reason="goodwill", occurred_at=AT,
    )  # fmt: skip
    await booked(ledger, book_credit_notes, credit_note(first), credit_note(second))
    assert await states(acme, customer) == {"INV-0": ("void", "0.00"), "INV-1": ("void", "0.00")}
    assert await standing(acme, customer) == ("0.00", "120.00", "0.00", "-120.00", "0.00")
    assert (await reverse(acme, write_off["id"], 409))["code"] == "released_since"
    # A payment that bounced is taken from where its money went.
    await reverse(acme, paid["id"])
    assert await standing(acme, customer) == ("0.00",) * 5
    again = credit_note(first)
    with pytest.raises(Poison, match="taken back already"):
        await booked(ledger, book_credit_notes, again)
    totals = (await acme.get("/v1/trial-balance")).json()["currencies"][0]
    assert {row["account"]: row["balance"] for row in totals["rows"]} == dict.fromkeys(
        ("cash", "prepaid", "receivable", "revenue:energy", "write_off"), "0.00"
    )
    await reconciled(acme)


async def test_a_credit_note_before_its_invoice_leaves_it_void(ledger, acme):
    issued = invoice(1, energy="10", tax="0")
    await booked(ledger, book_credit_notes, credit_note(issued))
    listed = {"customer_id": str(issued.customer_id)}
    assert (await acme.get("/v1/invoices", params=listed)).json()["items"] == []
    await reconciled(acme)
    await booked(ledger, book_invoices, issued)
    assert await states(acme, issued.customer_id) == {"INV-1": ("void", "0.00")}
    named = await pay(acme, issued.customer_id, "5", (issued.invoice_id, "5"), status=422)
    assert named["faults"] == [
        {"path": "/allocations/0/amount", "detail": "must be at most 0.00000000"}
    ]
    await reconciled(acme)


async def test_exported_energy_is_paid_out_or_set_against_invoices(ledger, acme):
    customer, (export,) = await issue(ledger, "-25")
    assert await standing(acme, customer) == ("0.00", "0.00", "25.00", "-25.00", "0.00")
    await booked(ledger, book_invoices, invoice("b", customer=customer, energy="10", tax="0"))
    body = {"customer_id": str(customer), "currency": "EUR", "source": "export_payable"}
    await post(acme, "allocations", **body)
    assert await states(acme, customer) == {
        "INV-0": ("part_paid", "-15.00"), "INV-b": ("paid", "0.00"),
    }  # fmt: skip
    paid_out = await post(acme, "refunds", **body, amount="12", reason="monthly")
    assert await standing(acme, customer) == ("0.00", "0.00", "3.00", "-3.00", "0.00")
    # The export is taken back although it was paid out and spent: that is owed again.
    await booked(ledger, book_credit_notes, credit_note(export))
    assert (await standing(acme, customer))[:4] == ("22.00", "0.00", "0.00", "22.00")
    assert (await reverse(acme, paid_out["id"], 409))["code"] == "released_since"
    await pay(acme, customer, "22")
    assert (await standing(acme, customer))[:4] == ("0.00",) * 4
    await reconciled(acme)


async def test_adjustments_charge_and_credit(ledger, acme):
    customer, _ = await issue(ledger, "10")
    body = {"customer_id": str(customer), "currency": "EUR", "occurred_at": AT}
    charged = await post(
        acme,
        "adjustments",
        **body,
        amount="4.5",
        reason="late fee",
        reference="FEE",
        due_on="2025-05-01",
    )
    credited = await post(acme, "adjustments", **body, amount="-12", reason="outage")
    assert [one["number"] for one in credited["allocations"]] == ["INV-0", "FEE"]
    assert await states(acme, customer) == {"INV-0": ("paid", "0.00"), "FEE": ("part_paid", "2.50")}
    # Taking the charge back sets free what had settled it.
    await reverse(acme, charged["id"])
    assert (await states(acme, customer))["FEE"] == ("void", "0.00")
    assert await standing(acme, customer) == ("0.00", "2.00", "0.00", "-2.00", "0.00")
    for wrong, why in (
        ({"amount": "0"}, "amount_missing"),
        ({"amount": "1", "allocations": []}, "allocation_refused"),
        ({"amount": "-1", "due_on": "2025-05-01"}, "due_refused"),
    ):
        assert (await post(acme, "adjustments", 422, **body, reason="x", **wrong))["code"] == why
    await reconciled(acme)


REFUSED = {
    "too much of one": ([("first", "100.01")], "/allocations/0/amount"),
    "more than was paid": ([("first", "60"), ("second", "42")], "/allocations"),
    "the same twice": ([("first", "1"), ("first", "1")], "/allocations/1/item_id"),
    "another customer's": ([("other", "1")], "/allocations/0/item_id"),
    "nobody's": ([("none", "1")], "/allocations/0/item_id"),
    "in another currency": ([("dollars", "1")], "/allocations/0/item_id"),
}


@pytest.mark.parametrize(("named", "path"), REFUSED.values(), ids=REFUSED)
async def test_allocations_that_do_not_fit_book_nothing(ledger, acme, named, path):
    customer, (first, second) = await issue(ledger, "100", "50")
    other, dollars = invoice("o"), invoice("d", customer=customer, currency="USD")
    await booked(ledger, book_invoices, other, dollars)
    ids = {
        "first": first.invoice_id, "second": second.invoice_id, "other": other.invoice_id,
        "dollars": dollars.invoice_id, "none": uuid4(),
    }  # fmt: skip
    shares = [(ids[name], amount) for name, amount in named]
    refused = await pay(acme, customer, "101", *shares, status=422)
    assert [fault["path"] for fault in refused["faults"]] == [path]
    assert (await acme.get("/v1/transactions", params={"kind": "payment"})).json()["items"] == []


WRONG = {
    "nothing": ({"amount": "0"}, "/amount"),
    "below zero": ({"amount": "-1"}, "/amount"),
    "finer than the ledger": ({"amount": "0.000000001"}, "/amount"),
    "beyond all money": ({"amount": "1e18"}, "/amount"),
    "no number": ({"amount": "NaN"}, "/amount"),
    "no currency": ({"amount": "1", "currency": "euro"}, "/currency"),
    "tomorrow": ({"amount": "1", "occurred_at": "2999-01-01T00:00:00Z"}, "/occurred_at"),
    "no zone": ({"amount": "1", "occurred_at": "2025-01-01T00:00:00"}, "/occurred_at"),
    "a word unknown": ({"amount": "1", "invoice": "x"}, "/invoice"),
}


@pytest.mark.parametrize(("body", "path"), WRONG.values(), ids=WRONG)
async def test_a_wrong_payment_is_told_where(acme, body, path):
    refused = await pay(acme, uuid4(), **{"amount": "1"} | body, status=422)
    assert [fault["path"] for fault in refused["faults"]] == [path]


async def test_the_same_request_again_books_once(ledger, acme):
    customer, _ = await issue(ledger, "100")
    key = {"Idempotency-Key": "pay-1"}
    body = {"customer_id": str(customer), "currency": "EUR", "amount": "10"}
    first = await post(acme, "payments", headers=key, **body)
    assert await post(acme, "payments", headers=key, **body) == first
    other = await post(acme, "payments", 422, headers=key, **body | {"amount": "11"})
    assert other["code"] == "idempotency_key_reused"
    named = body | {"id": str(uuid4())}
    one = await post(acme, "payments", **named)
    assert await post(acme, "payments", **named | {"amount": "10.00"}) == one
    assert (await post(acme, "payments", 422, **named | {"amount": "11"}))["code"] == "id_taken"
    at_once = body | {"id": str(uuid4())}
    answers = await asyncio.gather(*(post(acme, "payments", **at_once) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert await standing(acme, customer) == ("70.00", "0.00", "0.00", "70.00", "70.00")


async def told(ledger, event):
    """What waits in the outbox of one kind, in order."""
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq", event.TOPIC
        )
    return [event.model_validate(json.loads(row["value"])) for row in rows]


async def test_payments_from_outside_are_booked_whatever_they_name(ledger, acme):
    customer, (first, _) = await issue(ledger, "100", "50")
    ids = (uuid4(), uuid4())
    wild = payment(
        customer, "130", (first.invoice_id, "70"), (first.invoice_id, "70"), (uuid4(), "5"),
        payment_id=ids[0], reference="x", method="bank",
    )  # fmt: skip
    plain = payment(customer, "60", payment_id=ids[1])
    await booked(ledger, record_payments, wild, plain, wild)
    await booked(ledger, record_payments, plain)
    assert await states(acme, customer) == {"INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00")}
    assert await standing(acme, customer) == ("0.00", "40.00", "0.00", "-40.00", "0.00")
    events = await told(ledger, PaymentRecorded)
    assert [(e.payment_id, e.prepaid, len(e.allocations)) for e in events] == [
        (ids[0], 30, 1), (ids[1], 10, 1),
    ]  # fmt: skip
    for wrong, why in (
        (wild.model_copy(update={"amount": Decimal(131)}), "other content"),
        (payment(customer, "1").model_copy(update={"amount": Decimal("1e-9")}), "decimals"),
    ):
        with pytest.raises(Poison, match=why):
            await booked(ledger, record_payments, wrong)
    await reverse(acme, (await acme.get("/v1/transactions", params={"document_id": str(ids[1])}))
        .json()["items"][0]["id"])  # fmt: skip
    last = (await told(ledger, PaymentRecorded))[-1]
    assert (last.status, last.payment_id, last.prepaid) == ("reversed", ids[1], 10)
    assert [share.amount for share in last.allocations] == [50]
    await reconciled(acme)


async def announced(ledger, now):
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await tell_overdue(tx, now)
        await announce_changed(tx, now)
    return await told(ledger, AccountChanged)


async def test_accounts_are_announced_when_they_change_or_fall_overdue(ledger, acme):
    customer, _ = await issue(ledger, "100", due_on="2025-04-20")
    await booked(ledger, book_invoices, invoice("usd", customer=customer, currency="USD"))
    on_the_day = ISSUED.replace(day=20)
    [first] = await announced(ledger, on_the_day)
    assert [(a.currency, a.balance, a.arrears) for a in first.accounts] == [
        ("EUR", 100, 0), ("USD", 119, 119),
    ]  # fmt: skip
    assert await announced(ledger, on_the_day) == [first]
    [_, second] = await announced(ledger, on_the_day + timedelta(days=1))
    assert (second.version > first.version, second.accounts[0].arrears) == (True, 100)
    assert len(await announced(ledger, on_the_day + timedelta(days=2))) == 2
    await pay(acme, customer, "130")
    third = (await announced(ledger, on_the_day + timedelta(days=2)))[-1].accounts[0]
    assert (third.balance, third.receivable, third.prepaid, third.arrears) == (-30, 0, 30, 0)
    assert (await announced(ledger, ISSUED))[-1].customer_id == customer


async def test_balances_by_the_date_of_value_and_of_booking(ledger, acme):
    customer, _ = await issue(ledger, "100")
    await pay(acme, customer, "40", occurred_at="2025-04-10T00:00:00Z")
    before, after = {"as_of": "2025-04-09T00:00:00Z"}, {"as_of": "2025-04-20T00:00:00Z"}
    assert await standing(acme, customer, **before) == ("100.00", "0.00", "0.00", "100.00", "0.00")
    assert await standing(acme, customer, **after) == ("60.00", "0.00", "0.00", "60.00", "60.00")
    path = f"/v1/customers/{customer}/balance"
    booked_then = await acme.get(path, params=after | {"by": "booked"})
    assert booked_then.json()["currencies"] == []  # all of it was booked today
    in_future = {"as_of": "2999-01-01T00:00:00Z", "by": "booked"}
    assert (await standing(acme, customer, **in_future))[0] == "60.00"


async def test_ageing_by_due_day_adds_up_to_the_receivables(ledger, acme):
    days = {"2025-04-01": "1", "2025-03-31": "2", "2025-03-02": "4", "2025-03-01": "8",
            "2025-01-31": "16", "2025-01-30": "32", "2025-01-01": "64", "2024-12-31": "128",
            "2025-04-02": "256"}  # fmt: skip
    customer = uuid4()
    await booked(
        ledger,
        book_invoices,
        *(
            invoice(on, customer=customer, energy=amount, tax="0", due_on=on, days=-200)
            for on, amount in days.items()
        ),
        invoice("export", customer=customer, energy="-5", tax="0", days=-200),
    )
    names = ("not_due", "days_0_30", "days_31_60", "days_61_90", "days_over_90", "total")
    expected = ("256.00", "7.00", "24.00", "96.00", "128.00", "511.00")
    params = {"on": "2025-04-01"}
    [ages] = (await acme.get("/v1/ageing", params=params)).json()["currencies"]
    assert (tuple(ages[name] for name in names), ages["overdue"]) == (expected, "254.00")
    assert (await standing(acme, customer))[0] == ages["total"]
    page = (await acme.get("/v1/ageing/customers", params=params | {"currency": "EUR"})).json()
    assert [(one["customer_id"], one["total"]) for one in page["items"]] == [
        (str(customer), "511.00")
    ]
    await pay(acme, customer, "128", occurred_at="2025-04-05T00:00:00Z")
    [now] = (await acme.get("/v1/ageing", params=params)).json()["currencies"]
    assert now["days_over_90"] == "0.00"
    as_of = params | {"as_of": "2025-04-04T00:00:00Z"}
    assert (await acme.get("/v1/ageing", params=as_of)).json()["currencies"] == [ages]


async def test_due_by_the_invoice_or_by_the_tenants_terms(ledger, acme):
    due = []
    for days, own in ((None, None), (30, None), (30, "2025-04-03")):
        if days:
            await acme.put("/v1/payment-terms", json={"payment_days": days})
        _, (one,) = await issue(ledger, "1", due_on=own)
        due.append((await acme.get(f"/v1/invoices/{one.invoice_id}")).json()["due_on"])
    assert due == ["2025-04-15", "2025-05-01", "2025-04-03"]
    assert (await acme.get("/v1/payment-terms")).json() == {"payment_days": 30}
    overdue = {"overdue_on": "2025-05-01", "state": "open"}
    assert len((await acme.get("/v1/invoices", params=overdue)).json()["items"]) == 2


async def test_the_statement_as_csv_and_as_a_page_holds_texts_harmless(ledger, acme):
    customer, _ = await issue(ledger, "1234.5")
    await pay(acme, customer, "34.5", reference="=1+1", method="<script>alert(1)</script>")
    path = f"/v1/customers/{customer}/statement"
    window = {"from": "2025-04-01T00:00:00Z", "to": "2025-05-01T00:00:00Z", "currency": "EUR"}
    written = await acme.get(path, params=window | {"format": "csv"})
    rows = written.text.splitlines()
    assert written.headers["content-type"].startswith("text/csv")
    assert rows[0].startswith("occurred_at,recorded_at,kind,reference")
    assert ",payment,'=1+1,<script>alert(1)</script>," in rows[2]
    assert rows[2].endswith(",-34.50,1200.00,EUR")
    page = await acme.get(path, params=window | {"format": "html"})
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert "1,234.50" in page.text
    assert "EUR 1,200.00" in page.text
    empty = await acme.get(f"/v1/customers/{uuid4()}/statement", params=window | {"format": "html"})
    assert "Nothing is open." in empty.text


async def test_money_of_other_tenants_is_not_touched(ledger, acme, clients):
    other = await clients("other")
    customer, (one,) = await issue(ledger, "100")
    paid = await pay(acme, customer, "10")
    assert (await reverse(other, paid["id"], 404))["code"] == "transaction_unknown"
    assert (await other.get(f"/v1/invoices/{one.invoice_id}")).status_code == 404
    refused = await pay(other, customer, "5", (one.invoice_id, "5"), status=422)
    assert refused["code"] == "allocation_refused"
    reader = await clients("readers", "ledger:read")
    assert (await pay(reader, customer, "5", status=403))["code"] == "forbidden"
    assert await standing(acme, customer) == ("90.00", "0.00", "0.00", "90.00", "90.00")
