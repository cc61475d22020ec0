"""Payments and all that follows them, by the API, on the real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import PaymentRecorded
from gridtally.kernel.errors import Poison
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from integration.ledger.accounts import (
    AT,
    balance,
    credit_note,
    declare,
    invoice,
    issue,
    known,
    pay,
    payment,
    post,
    posted,
    reconciled,
    reported,
    reverse,
    states,
)
from integration.ledger.properties import problem
from problems import paths


async def test_a_payment_pays_the_oldest_first_and_the_rest_is_credit(ledger, acme):
    customer, _ = await issue(ledger, "100", "50", "30")
    paid = await pay(acme, customer, "120", reference="R 1", method="bank")
    assert [(part["number"], part["amount"]) for part in paid["allocations"]] == [
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
    assert await balance(acme, customer) == ("0.00", "15.50", "0.00", "-15.50", "0.00")
    await reconciled(acme)


async def test_a_later_invoice_takes_the_credit_when_an_allocation_asks_for_it(ledger, acme):
    await declare(acme, credit_allocation="manual")
    customer, _ = await issue(ledger, "10")
    await pay(acme, customer, "25")
    await posted(ledger, post_invoices, invoice("later", customer=customer, energy="8", tax="0"))
    assert (await states(acme, customer))["INV-later"] == ("open", "8.00")
    body = {"customer_id": str(customer), "currency": "EUR", "occurred_at": AT}
    spent = await post(acme, "allocations", **body)
    assert (spent["total"], spent["kind"]) == ("8.00", "allocation")
    assert (await states(acme, customer))["INV-later"] == ("paid", "0.00")
    again = await post(acme, "allocations", 422, **body)
    assert again["code"] == "nothing_to_allocate"
    too_much = await post(acme, "refunds", 422, **body, amount="7.01", reason="closing")
    assert too_much["errors"] == [{"pointer": "#/amount", "detail": "must be at most 7.00"}]
    await post(acme, "refunds", **body, amount="7", reason="closing")
    assert await balance(acme, customer) == ("0.00",) * 5
    statement = await acme.get(
        f"/v1/customers/{customer}/statement",
        params={"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "currency": "EUR"},
    )
    assert [(e["kind"], e["amount"], e["balance"]) for e in statement.json()["entries"]] == [
        ("invoice", "10.00", "10.00"), ("invoice", "8.00", "18.00"), ("payment", "-25.00", "-7.00"),
        ("refund", "7.00", "0.00"),
    ]  # fmt: skip
    await reconciled(acme)


async def test_credit_goes_where_it_is_named_to_go(ledger, acme):
    await declare(acme, credit_allocation="manual")
    customer = await known(ledger)
    await pay(acme, customer, "60")
    _, (_, second, third) = await issue(ledger, "100", "50", "30", customer=customer)
    body = {"customer_id": str(customer), "currency": "EUR", "occurred_at": AT}
    named = [
        {"invoice_id": str(third.invoice_id), "amount": "30"},
        {"invoice_id": str(second.invoice_id), "amount": "12.5"},
    ]
    spent = await post(acme, "allocations", **body, allocations=named)
    assert spent["total"] == "42.50"
    assert await states(acme, customer) == {
        "INV-0": ("open", "100.00"), "INV-1": ("part_paid", "37.50"), "INV-2": ("paid", "0.00"),
    }  # fmt: skip
    more = await post(acme, "allocations", 422, **body, allocations=named[1:], amount="20")
    assert paths(more) == ["/amount"]
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
    assert [part["amount"] for part in shown["allocations"]] == ["60.00", "-60.00", "10.00"]
    await reconciled(acme)


async def test_nothing_is_reversed_before_it_occurred(ledger, acme):
    customer, _ = await issue(ledger, "100")
    paid = await pay(acme, customer, "100", occurred_at="2025-04-06T00:00:01Z")
    path = f"/v1/transactions/{paid['id']}/reversal"
    early = await acme.post(path, json={"reason": "bounced", "occurred_at": AT})
    assert problem(early) == (422, "before_original")
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()  # as clocks may differ
    later = await pay(acme, customer, "5", occurred_at=ahead)
    undone = await post(acme, f"transactions/{later['id']}/reversal", reason="bounced")
    assert undone["occurred_at"] == later["occurred_at"]
    assert (await balance(acme, customer, as_of=AT))[0] == "100.00"


async def test_a_credit_note_deallocates_what_was_paid(ledger, acme):
    customer, (first, second) = await issue(ledger, "100", "40")
    paid = await pay(acme, customer, "120")
    write_off = await post(
        acme, "write-offs", customer_id=str(customer), currency="EUR", amount="5",
        reason="goodwill", occurred_at=AT,
    )  # fmt: skip
    await posted(ledger, post_credit_notes, credit_note(first), credit_note(second))
    assert await states(acme, customer) == {"INV-0": ("void", "0.00"), "INV-1": ("void", "0.00")}
    assert await balance(acme, customer) == ("0.00", "120.00", "0.00", "-120.00", "0.00")
    assert (await reverse(acme, write_off["id"], 409))["code"] == "deallocated_since"
    # A payment that bounced is taken from where its money went.
    await reverse(acme, paid["id"])
    assert await balance(acme, customer) == ("0.00",) * 5
    with pytest.raises(Poison, match="cancelled already"):
        await posted(ledger, post_credit_notes, credit_note(first))
    _, (third,) = await issue(ledger, "7", customer=customer)
    await post(acme, "payments", customer_id=str(customer), currency="EUR", amount="7")
    with pytest.raises(Poison, match="cancelled already"):
        await posted(ledger, post_credit_notes, credit_note(third), credit_note(third))
    assert await balance(acme, customer) == ("0.00",) * 5
    await reconciled(acme)


async def test_once_all_is_cancelled_nothing_is_left(ledger, acme):
    customer, (issued,) = await issue(ledger, "100")
    paid = await pay(acme, customer, "100")
    note = credit_note(issued)
    await posted(ledger, post_credit_notes, note, note)
    await posted(ledger, post_credit_notes, note)
    assert await balance(acme, customer) == ("0.00", "100.00", "0.00", "-100.00", "0.00")
    await reverse(acme, paid["id"])
    totals = (await acme.get("/v1/trial-balance")).json()["currencies"][0]
    assert {row["account"]: row["balance"] for row in totals["rows"]} == dict.fromkeys(
        ("cash", "prepaid", "receivable", "revenue:energy"), "0.00"
    )
    await reconciled(acme)


async def test_a_credit_note_before_its_invoice_leaves_it_void(ledger, acme):
    issued = invoice(1, energy="10", tax="0")
    await posted(ledger, post_credit_notes, credit_note(issued))
    listed = {"customer_id": str(issued.customer_id)}
    assert (await acme.get("/v1/invoices", params=listed)).json()["items"] == []
    await reconciled(acme)
    await posted(ledger, post_invoices, issued)
    assert await states(acme, issued.customer_id) == {"INV-1": ("void", "0.00")}
    named = await pay(acme, issued.customer_id, "5", (issued.invoice_id, "5"), status=422)
    assert named["errors"] == [
        {"pointer": "#/allocations/0/amount", "detail": "must be at most 0.00"}
    ]
    await reconciled(acme)


async def test_exported_energy_is_paid_out_or_set_against_invoices(ledger, acme):
    await declare(acme, credit_allocation="manual")
    customer, (export,) = await issue(ledger, "-25")
    assert await balance(acme, customer) == ("0.00", "0.00", "25.00", "-25.00", "0.00")
    await posted(ledger, post_invoices, invoice("b", customer=customer, energy="10", tax="0"))
    body = {"customer_id": str(customer), "currency": "EUR", "source": "export_payable"}
    await post(acme, "allocations", **body)
    assert await states(acme, customer) == {
        "INV-0": ("part_paid", "-15.00"), "INV-b": ("paid", "0.00"),
    }  # fmt: skip
    paid_out = await post(acme, "refunds", **body, amount="12", reason="monthly")
    assert await balance(acme, customer) == ("0.00", "0.00", "3.00", "-3.00", "0.00")
    # The export is cancelled although it was paid out and spent: that is owed again.
    await posted(ledger, post_credit_notes, credit_note(export))
    assert (await balance(acme, customer))[:4] == ("22.00", "0.00", "0.00", "22.00")
    assert (await reverse(acme, paid_out["id"], 409))["code"] == "deallocated_since"
    await pay(acme, customer, "22")
    assert (await balance(acme, customer))[:4] == ("0.00",) * 4
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
    paid = [(part["number"], part["kind"]) for part in credited["allocations"]]
    assert paid == [("INV-0", "invoice"), ("FEE", "charge")]
    read = (await acme.get(f"/v1/transactions/{credited['id']}")).json()
    assert read["allocations"] == credited["allocations"]
    assert await states(acme, customer) == {"INV-0": ("paid", "0.00"), "FEE": ("part_paid", "2.50")}
    # Reversing the charge deallocates what had paid it.
    await reverse(acme, charged["id"])
    assert (await states(acme, customer))["FEE"] == ("void", "0.00")
    assert await balance(acme, customer) == ("0.00", "2.00", "0.00", "-2.00", "0.00")
    for wrong, why in (
        ({"amount": "0"}, "amount_missing"),
        ({"amount": "1", "allocations": []}, "allocation_refused"),
        ({"amount": "-1", "due_on": "2025-05-01"}, "due_refused"),
    ):
        assert (await post(acme, "adjustments", 422, **body, reason="x", **wrong))["code"] == why
    await reconciled(acme)


REFUSED = {
    "too much of an invoice": ([("first", "100.01")], "/allocations/0/amount"),
    "more than was paid": ([("first", "60"), ("second", "42")], "/allocations"),
    "the same twice": ([("first", "1"), ("first", "1")], "/allocations/1/invoice_id"),
    "another customer's": ([("other", "1")], "/allocations/0/invoice_id"),
    "nobody's": ([("none", "1")], "/allocations/0/invoice_id"),
    "in another currency": ([("dollars", "1")], "/allocations/0/invoice_id"),
}


@pytest.mark.parametrize(("named", "path"), REFUSED.values(), ids=REFUSED)
async def test_allocations_that_do_not_fit_post_nothing(ledger, acme, named, path):
    customer, (first, second) = await issue(ledger, "100", "50")
    other, dollars = invoice("o"), invoice("d", customer=customer, currency="USD")
    await posted(ledger, post_invoices, other, dollars)
    ids = {
        "first": first.invoice_id, "second": second.invoice_id, "other": other.invoice_id,
        "dollars": dollars.invoice_id, "none": uuid4(),
    }  # fmt: skip
    shares = [(ids[name], amount) for name, amount in named]
    refused = await pay(acme, customer, "101", *shares, status=422)
    assert paths(refused) == [path]
    assert (await acme.get("/v1/transactions", params={"kind": "payment"})).json()["items"] == []


WRONG = {
    "nothing": ({"amount": "0"}, "/amount"),
    "below zero": ({"amount": "-1"}, "/amount"),
    "finer than the ledger": ({"amount": "0.000000001"}, "/amount"),
    "finer than a cent": ({"amount": "10.005"}, "/amount"),
    "half a yen": ({"amount": "10.5", "currency": "JPY"}, "/amount"),
    "beyond all money": ({"amount": "1000000000000000000"}, "/amount"),
    "no number": ({"amount": "NaN"}, "/amount"),
    "with an exponent": ({"amount": "1e2"}, "/amount"),
    "with an underscore": ({"amount": "1_0"}, "/amount"),
    "a number that JSON may cut": ({"amount": 1234567890123.4567}, "/amount"),
    "no currency": ({"amount": "1", "currency": "euro"}, "/currency"),
    "tomorrow": ({"amount": "1", "occurred_at": "2999-01-01T00:00:00Z"}, "/occurred_at"),
    "before there were meters": (
        {"amount": "1", "occurred_at": "0001-01-01T00:00:00Z"},
        "/occurred_at",
    ),
    "no zone": ({"amount": "1", "occurred_at": "2025-01-01T00:00:00"}, "/occurred_at"),
    "a word unknown": ({"amount": "1", "invoice": "x"}, "/invoice"),
}


@pytest.mark.parametrize(("body", "path"), WRONG.values(), ids=WRONG)
async def test_a_wrong_payment_is_refused_with_where_it_is_wrong(acme, body, path):
    refused = await pay(acme, uuid4(), **{"amount": "1"} | body, status=422)
    assert paths(refused) == [path]


async def test_what_nobody_can_pay_is_not_posted(ledger, acme):
    """But the rest of a bill that is finer, which its tariff said, can be written off."""
    customer, _ = await issue(ledger, "100.125")
    body = {"customer_id": str(customer), "currency": "EUR", "reason": "x"}
    await pay(acme, customer, "99.12")
    await post(acme, "adjustments", **body, amount="-1", allocations=[])
    fault = {"pointer": "#/amount", "detail": "must have at most 2 decimals in EUR"}
    for path, amount in (
        ("write-offs", "1.001"),
        ("refunds", "0.001"),
        ("adjustments", "0.001"),
        ("adjustments", "-1.0001"),
    ):
        refused = await post(acme, path, 422, **body, amount=amount)
        assert (refused["code"], refused["errors"]) == ("finer_than_currency", [fault])
    await post(acme, "write-offs", **body, amount="1.005")
    kuwaiti = await known(ledger, currency="KWD")
    assert (await pay(acme, kuwaiti, "1.005", currency="KWD"))["total"] == "1.005"
    assert await balance(acme, customer) == ("0.00", "1.00", "0.00", "-1.00", "0.00")
    with pytest.raises(Poison, match="at most 0 decimals in JPY"):
        await posted(ledger, post_payments, payment(customer, "10.5", currency="JPY"))
    await reconciled(acme)


async def test_the_same_request_again_posts_once(ledger, acme):
    customer, _ = await issue(ledger, "100")
    key = {"Idempotency-Key": "pay-1"}
    body = {"customer_id": str(customer), "currency": "EUR", "amount": "10"}
    first = await post(acme, "payments", headers=key, **body)
    assert await post(acme, "payments", headers=key, **body) == first
    other = await post(acme, "payments", 422, headers=key, **body | {"amount": "11"})
    assert other["code"] == "idempotency_key_reused"
    named = body | {"id": str(uuid4())}
    paid = await post(acme, "payments", **named)
    assert await post(acme, "payments", **named | {"amount": "10.00"}) == paid
    assert (await post(acme, "payments", 422, **named | {"amount": "11"}))["code"] == "id_taken"
    at_once = body | {"id": str(uuid4())}
    answers = await asyncio.gather(*(post(acme, "payments", **at_once) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert await balance(acme, customer) == ("70.00", "0.00", "0.00", "70.00", "70.00")


async def test_payments_from_outside_are_posted_whatever_they_name(ledger, acme):
    customer, (first, _) = await issue(ledger, "100", "50")
    ids = (uuid4(), uuid4())
    wild = payment(
        customer, "130", (first.invoice_id, "70"), (first.invoice_id, "70"), (uuid4(), "5"),
        payment_id=ids[0], reference="x", method="bank",
    )  # fmt: skip
    plain = payment(customer, "60", payment_id=ids[1])
    await posted(ledger, post_payments, wild, plain, wild)
    await posted(ledger, post_payments, plain)
    assert await states(acme, customer) == {"INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00")}
    assert await balance(acme, customer) == ("0.00", "40.00", "0.00", "-40.00", "0.00")
    events = await reported(ledger, PaymentRecorded)
    assert [(e.payment_id, e.prepaid, len(e.allocations)) for e in events] == [
        (ids[0], 30, 1), (ids[1], 10, 1),
    ]  # fmt: skip
    for wrong, why in (
        (wild.model_copy(update={"amount": Decimal(131)}), "other content"),
        (payment(customer, "1").model_copy(update={"amount": Decimal("1e-9")}), "decimals"),
    ):
        with pytest.raises(Poison, match=why):
            await posted(ledger, post_payments, wrong)
    await reverse(acme, (await acme.get("/v1/transactions", params={"document_id": str(ids[1])}))
        .json()["items"][0]["id"])  # fmt: skip
    last = (await reported(ledger, PaymentRecorded))[-1]
    assert (last.status, last.payment_id, last.prepaid) == ("reversed", ids[1], 10)
    assert [part.amount for part in last.allocations] == [50]
    await reconciled(acme)


async def test_money_of_other_tenants_is_not_touched(ledger, acme, clients):
    other = await clients("other")
    customer, (issued,) = await issue(ledger, "100")
    paid = await pay(acme, customer, "10")
    assert (await reverse(other, paid["id"], 404))["code"] == "transaction_unknown"
    assert (await other.get(f"/v1/invoices/{issued.invoice_id}")).status_code == 404
    refused = await pay(other, customer, "5", (issued.invoice_id, "5"), status=422)
    assert refused["code"] == "allocation_refused"
    reader = await clients("readers", "ledger:read")
    assert (await pay(reader, customer, "5", status=403))["code"] == "forbidden"
    assert await balance(acme, customer) == ("90.00", "0.00", "0.00", "90.00", "90.00")
