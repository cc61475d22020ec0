"""Payees: what lines of invoices name them for is owed to them, and settled once."""

import asyncio
import random
from collections import defaultdict
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import SettlementRecorded
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.postings import post_document
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from gridtally.ledger.accounts.store import customers, transactions
from integration.ledger.accounts import (
    credit_note,
    invoice,
    partial_credit_note,
    post,
    posted,
    received,
    reconciled,
    reported,
    reverse,
    with_lines,
)
from integration.ledger.seals import seal

LINES = [("energy", "80.00"), ("adjustment", "15.00", "Grid"), ("tax", "5.00", "Town"),
         ("tax", "19.00")]  # fmt: skip
NOW = "2025-06-01T00:00:00Z"


async def payees(client, **params):
    """What is owed by the payee's name: opening, owed, settled, balance."""
    page = (await client.get("/v1/payees", params=params)).json()
    names = ("opening", "owed", "settled", "balance")
    return {item["payee"]: tuple(item[name] for name in names) for item in page["items"]}


async def id_of(client, payee, currency="EUR"):
    page = (await client.get("/v1/payees", params={"currency": currency})).json()
    [id_] = [item["id"] for item in page["items"] if item["payee"] == payee]
    return id_


async def settle(client, payee_id, amount, status=201, headers=None, **other):
    body = {"amount": amount, "occurred_at": NOW} | other
    return await post(client, f"payees/{payee_id}/settlements", status, headers, **body)


async def trial(client):
    [books] = (await client.get("/v1/trial-balance")).json()["currencies"]
    assert books["difference"] == "0.00"
    return {row["account"]: row["balance"] for row in books["rows"]}


async def test_lines_with_a_payee_are_owed_to_the_payee(ledger, acme):
    first, second = (with_lines(invoice(n, days=30 * n), *LINES) for n in range(2))
    await posted(ledger, post_invoices, first, second)
    assert await payees(acme) == {
        "Grid": ("0.00", "30.00", "0.00", "30.00"),
        "Town": ("0.00", "10.00", "0.00", "10.00"),
        None: ("0.00", "38.00", "0.00", "38.00"),
    }
    assert await trial(acme) == {
        "payable:Grid": "-30.00", "payable:Town": "-10.00", "receivable": "238.00",
        "revenue:energy": "-160.00", "tax": "-38.00",
    }  # fmt: skip

    part = with_lines(partial_credit_note(second, "4"), ("adjustment", "4.00", "Grid"))
    await posted(ledger, post_credit_notes, credit_note(first), part)
    assert await payees(acme, payee="Grid") == {"Grid": ("0.00", "11.00", "0.00", "11.00")}
    books = await reconciled(acme)
    assert books["EUR"]["booked_by_kind"] == 0
    counted = (await acme.get("/v1/reconciliation")).json()["payees"]
    assert {item["payee"]: item["owed"] for item in counted} == {
        "Grid": "11.00", "Town": "5.00", None: "19.00",
    }  # fmt: skip


async def test_a_payee_is_settled_once_and_never_by_more_than_is_owed(ledger, acme):
    await posted(ledger, post_invoices, with_lines(invoice(1), *LINES))
    grid = await id_of(acme, "Grid")
    known = {"id": str(uuid4()), "reference": "GRID-04", "memo": "transfer"}
    key = {"Idempotency-Key": "s-1"}
    first = await settle(acme, grid, "10.00", headers=key, **known)
    assert (first["kind"], first["customer_id"], first["total"]) == ("settlement", None, "10.00")
    assert {p["account_code"]: p["amount"] for p in first["postings"]} == {
        "payable:Grid": "10.00", "cash": "-10.00",
    }  # fmt: skip
    assert await settle(acme, grid, "10.00", headers=key, **known) == first
    assert await settle(acme, grid, "10.00", **known) == first
    assert (await settle(acme, grid, "9.00", 422, **known))["code"] == "id_taken"
    assert (await settle(acme, grid, "5.01", 422))["code"] == "more_than_owed"
    assert (await settle(acme, grid, "1.001", 422))["code"] == "finer_than_currency"
    assert (await settle(acme, uuid4(), "1.00", 404))["code"] == "payee_unknown"
    assert await payees(acme, payee="Grid") == {"Grid": ("0.00", "15.00", "10.00", "5.00")}

    ahead = await settle(acme, grid, "6.00", in_advance=True)
    assert await payees(acme, payee="Grid") == {"Grid": ("0.00", "15.00", "16.00", "-1.00")}
    reversal = await reverse(acme, ahead["id"])
    assert (reversal["reverses_id"], reversal["customer_id"]) == (ahead["id"], None)
    assert (await reverse(acme, ahead["id"], 409))["code"] == "already_reversed"
    assert (await reverse(acme, reversal["id"], 409))["code"] == "not_reversible"
    tax = await settle(acme, await id_of(acme, None), "19.00")
    assert await payees(acme) == {
        "Grid": ("0.00", "15.00", "10.00", "5.00"),
        "Town": ("0.00", "5.00", "0.00", "5.00"),
        None: ("0.00", "19.00", "19.00", "0.00"),
    }
    said = await reported(ledger, SettlementRecorded)
    assert [(s.payee, s.amount, s.reverses_id and str(s.reverses_id)) for s in said] == [
        ("Grid", 10, None), ("Grid", 6, None), ("Grid", 6, ahead["id"]), (None, 19, None),
    ]  # fmt: skip
    assert tax["total"] == "19.00"
    await reconciled(acme)
    assert await seal(ledger) == 5
    assert (await acme.get("/v1/ledger/status")).json()["whole"]


async def test_a_statement_has_each_invoice_and_settlement_of_a_period(ledger, acme):
    bills = [with_lines(invoice(n, days=30 * n), *LINES) for n in range(3)]
    await posted(ledger, post_invoices, *bills)
    await posted(ledger, post_credit_notes, credit_note(bills[0], days=40))
    grid = await id_of(acme, "Grid")
    await settle(acme, grid, "12.00", reference="=GRID")
    path = f"/v1/payees/{grid}/statement"
    period = {"from": "2025-05-01T00:00:00Z", "to": "2025-06-02T00:00:00Z"}
    whole = (await acme.get(path)).json()
    assert [(e["kind"], e["reference"], e["amount"], e["balance"]) for e in whole["entries"]] == [
        ("invoice", "INV-0", "15.00", "15.00"),
        ("invoice", "INV-1", "15.00", "30.00"),
        ("credit_note", "CN-INV-0", "-15.00", "15.00"),
        ("invoice", "INV-2", "15.00", "30.00"),
        ("settlement", "=GRID", "-12.00", "18.00"),
    ]
    assert (whole["opening"], whole["balance"], whole["payee"]) == ("0.00", "18.00", "Grid")
    part = (await acme.get(path, params=period)).json()
    assert [entry["reference"] for entry in part["entries"]] == [
        "INV-1", "CN-INV-0", "INV-2", "=GRID",
    ]  # fmt: skip
    assert [part[name] for name in ("opening", "owed", "settled", "balance")] == [
        "15.00", "15.00", "12.00", "18.00",
    ]  # fmt: skip
    assert await payees(acme, payee="Grid", **period) == {
        "Grid": ("15.00", "15.00", "12.00", "18.00")
    }
    written = await acme.get(path, params=period | {"format": "csv"})
    assert written.headers["content-type"].startswith("text/csv")
    assert len(written.text.splitlines()) == 5
    assert "'=GRID" in written.text
    backwards = {"from": period["to"], "to": period["from"]}
    for address in (path, "/v1/payees"):
        refused = await acme.get(address, params=backwards)
        assert (refused.status_code, refused.json()["code"]) == (422, "empty_window")
    assert (await acme.get(f"/v1/payees/{uuid4()}/statement")).status_code == 404


async def test_settlements_at_once_are_decided_one_after_the_other(ledger, acme):
    await posted(ledger, post_invoices, with_lines(invoice(1), *LINES))
    grid = await id_of(acme, "Grid")

    async def attempt():
        body = {"amount": "4.00", "occurred_at": NOW}
        return (await acme.post(f"/v1/payees/{grid}/settlements", json=body)).status_code

    assert sorted(await asyncio.gather(*(attempt() for _ in range(8)))) == [201] * 3 + [422] * 5
    assert await payees(acme, payee="Grid") == {"Grid": ("0.00", "15.00", "12.00", "3.00")}


async def test_tenants_have_payees_of_their_own(ledger, acme, clients):
    other = await clients("other")
    await posted(ledger, post_invoices, with_lines(invoice(1), *LINES))
    grid = await id_of(acme, "Grid")
    assert await payees(other) == {}
    assert (await other.get(f"/v1/payees/{grid}/statement")).status_code == 404
    await settle(other, grid, "1.00", 404)
    paid = await settle(acme, grid, "1.00")
    await reverse(other, paid["id"], 404)
    await posted(ledger, post_invoices, with_lines(invoice(1), *LINES), tenant="other")
    assert await payees(other, payee="Grid") == {"Grid": ("0.00", "15.00", "0.00", "15.00")}


async def test_an_invoice_from_before_payees_had_accounts_is_credited_as_it_was_booked(
    ledger, acme
):
    before, after = (with_lines(invoice(n), *LINES) for n in range(2))
    message = received(before, "acme")
    document = events.invoice(before, message.envelope).booked_by_kind()
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await customers.lock_customers(tx, [("acme", before.customer_id)])
        await transactions.insert_transactions(tx, [post_document(document)])
    await posted(ledger, post_invoices, before, after)  # the first is a repetition
    assert await payees(acme, payee="Grid") == {"Grid": ("0.00", "15.00", "0.00", "15.00")}
    await posted(ledger, post_credit_notes, credit_note(before), credit_note(after))
    books = await trial(acme)
    assert {name: amount for name, amount in books.items() if amount != "0.00"} == {}
    assert (books["payable:Grid"], books["revenue:adjustment"]) == ("0.00", "0.00")


class Model:
    """What each payee is owed by a list of invoices, of which some are credited, and what was paid:
    nothing but sums over lines."""

    def __init__(self):
        self.owed = defaultdict(Decimal)
        self.settled = defaultdict(Decimal)
        self.open = {}
        self.paid = {}

    def add(self, lines, sign):
        for kind, amount, *payee in lines:
            if payee or kind == "tax":
                self.owed[payee[0] if payee else None] += sign * Decimal(amount)

    def rows(self):
        return {
            payee: ("0.00", f"{owed:.2f}", f"{self.settled[payee]:.2f}",
                    f"{owed - self.settled[payee]:.2f}")
            for payee, owed in self.owed.items()
        }  # fmt: skip


def random_lines(dice):
    payee = lambda: dice.choice([(), ("Grid",), ("Town",), ("Market",)])  # noqa: E731 - of the dice
    return [
        (kind, f"{dice.randint(-300, 9_000) / 100:.2f}", *payee())
        for kind in dice.choices(["energy", "fixed", "adjustment", "tax"], k=dice.randint(1, 8))
    ]


async def step(ledger, client, model, dice, number):
    """One thing that happens, in the books and in the model."""
    match dice.choice(["invoice", "invoice", "credit", "settle", "settle", "reverse"]):
        case "invoice":
            bill = with_lines(invoice(number), *(lines := random_lines(dice)))
            await posted(ledger, post_invoices, bill)
            model.add(lines, 1)
            model.open[number] = (bill, lines)
        case "credit" if model.open:
            bill, lines = model.open.pop(dice.choice(sorted(model.open)))
            await posted(ledger, post_credit_notes, credit_note(bill))
            model.add(lines, -1)
        case "settle" if model.owed:
            payee = dice.choice(sorted(model.owed, key=str))
            owed = model.owed[payee] - model.settled[payee]
            amount = Decimal(dice.randint(1, 12_000)) / 100
            in_advance = dice.random() < 0.2
            fits = amount <= owed or in_advance
            answer = await settle(
                client, await id_of(client, payee), f"{amount:.2f}", 201 if fits else 422,
                in_advance=in_advance,
            )  # fmt: skip
            if fits:
                model.settled[payee] += amount
                model.paid[answer["id"]] = (payee, amount)
        case "reverse" if model.paid:
            id_ = dice.choice(sorted(model.paid))
            payee, amount = model.paid.pop(id_)
            await reverse(client, id_)
            model.settled[payee] -= amount


@pytest.mark.parametrize("seed", range(4))
async def test_payees_are_owed_what_a_plain_model_says(ledger, acme, seed):
    """Random invoices, credit notes, settlements and their reversals."""
    dice, model = random.Random(seed), Model()
    for number in range(60):
        await step(ledger, acme, model, dice, number)
        assert await payees(acme) == model.rows()
    assert model.paid
    await reconciled(acme)
    counted = (await acme.get("/v1/reconciliation")).json()["payees"]
    assert {item["payee"]: Decimal(item["owed"]) for item in counted} == dict(model.owed)
    assert all(isinstance(amount, str) for amount in (await trial(acme)).values())
