"""Deposits: held for a customer, paying nothing by themselves, returned or set off, no interest."""

import random
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import TransactionRecorded
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from integration.ledger.accounts import (
    AT,
    balance,
    credit_note,
    invoice,
    issue,
    known,
    pay,
    post,
    posted,
    reconciled,
    reported,
    reverse,
    statement_page,
    states,
)
from integration.ledger.seals import seal

NOW = "2025-07-01T00:00:00Z"


async def take(client, who, amount, status=201, **other):
    body = {"customer_id": str(who), "currency": "EUR", "amount": amount, "occurred_at": AT}
    return await post(client, "deposits", status, **body | other)


async def give_back(client, who, amount, status=201, **other):
    body = {"customer_id": str(who), "currency": "EUR", "amount": amount, "source": "deposit"}
    asked = body | {"reason": "moved out", "occurred_at": NOW} | other
    return await post(client, "refunds", status, **asked)


async def set_off(client, who, status=201, **other):
    body = {"customer_id": str(who), "currency": "EUR", "source": "deposit", "occurred_at": NOW}
    return await post(client, "allocations", status, **body | other)


async def held(client, who):
    params = {"account_class": "deposit", "customer_id": str(who)}
    page = (await client.get("/v1/accounts", params=params)).json()
    return [item["balance"] for item in page["items"]]


def accounts_of(transaction):
    return {p["account_code"].partition(":")[0]: p["amount"] for p in transaction["postings"]}


async def test_a_deposit_is_held_and_pays_nothing_until_it_is_set_off(ledger, acme):
    who, (_, second) = await issue(ledger, "100.00", "50.00")
    taken = await take(acme, who, "120.00", method="transfer", reference="D 1")
    assert (taken["kind"], taken["memo"]) == ("deposit", "transfer")
    assert accounts_of(taken) == {"cash": "120.00", "deposit": "-120.00"}
    assert await held(acme, who) == ["-120.00"]
    assert (await balance(acme, who))[:4] == ("150.00", "0.00", "0.00", "150.00")

    part = [{"invoice_id": str(second.invoice_id), "amount": "20.00"}]
    off = await set_off(acme, who, allocations=part)
    assert accounts_of(off) == {"deposit": "20.00", "receivable": "-20.00"}
    await set_off(acme, who)  # as much as there is, the oldest first
    assert await states(acme, who) == {"INV-0": ("paid", "0.00"), "INV-1": ("part_paid", "30.00")}
    assert await held(acme, who) == ["0.00"]
    assert (await set_off(acme, who, 422))["code"] == "nothing_to_allocate"
    assert (await give_back(acme, who, "0.01", 422))["code"] == "credit_exceeded"

    await reverse(acme, off["id"])
    assert await held(acme, who) == ["-20.00"]
    back = await give_back(acme, who, "20.00")
    assert accounts_of(back) == {"deposit": "20.00", "cash": "-20.00"}
    kinds = [(r.kind, r.amount, r.source) for r in await reported(ledger, TransactionRecorded)]
    assert kinds == [
        ("deposit", 120, "prepaid"), ("allocation", 20, "deposit"), ("allocation", 100, "deposit"),
        ("reversal", 20, "prepaid"), ("refund", 20, "deposit"),
    ]  # fmt: skip
    await reconciled(acme)
    assert await seal(ledger) == 7
    assert (await acme.get("/v1/ledger/status")).json()["whole"]


async def test_what_is_taken_twice_or_by_nobody_is_refused(ledger, acme, clients):
    who, other = await known(ledger), await clients("other")
    key = {"Idempotency-Key": "d-1"}
    body = {"customer_id": str(who), "currency": "EUR", "amount": "10.00", "id": str(uuid4())}
    first = await post(acme, "deposits", headers=key, **body)
    assert await post(acme, "deposits", headers=key, **body) == first
    assert await post(acme, "deposits", **body) == first
    again = await post(acme, "deposits", 422, **body | {"amount": "11.00"})
    assert again["code"] == "id_taken"
    assert (await take(acme, uuid4(), "1.00", 422))["code"] == "customer_unknown"
    assert (await take(acme, who, "1.001", 422))["code"] == "finer_than_currency"
    assert (await take(other, who, "1.00", 422))["code"] == "customer_unknown"
    assert (await give_back(other, who, "1.00", 422))["code"] == "credit_exceeded"
    assert (await held(acme, who), await held(other, who)) == (["-10.00"], [])


async def test_a_deposit_that_was_used_is_not_reversed_before_its_use_is(ledger, acme):
    who = await known(ledger)
    taken = await take(acme, who, "10.00")
    back = await give_back(acme, who, "4.00")
    assert (await reverse(acme, taken["id"], 409))["code"] == "deposit_spent"
    await reverse(acme, back["id"])
    await reverse(acme, taken["id"])
    assert await held(acme, who) == ["0.00"]
    await reconciled(acme)


async def test_a_credit_note_makes_credit_of_what_a_deposit_had_paid(ledger, acme):
    who, (bill,) = await issue(ledger, "100.00")
    await take(acme, who, "100.00")
    off = await set_off(acme, who)
    await posted(ledger, post_credit_notes, credit_note(bill))
    assert (await balance(acme, who))[:4] == ("0.00", "100.00", "0.00", "-100.00")
    await reverse(acme, off["id"])  # it is the deposit again
    assert (await balance(acme, who))[:4] == ("0.00", "0.00", "0.00", "0.00")
    assert await held(acme, who) == ["-100.00"]
    await reconciled(acme)


async def test_a_statement_has_what_a_deposit_paid_and_not_the_deposit(ledger, acme):
    who, _ = await issue(ledger, "100.00")
    await take(acme, who, "60.00")
    await set_off(acme, who)
    params = {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "currency": "EUR"}
    path = f"/v1/customers/{who}/statement"
    statement = (await acme.get(path, params=params)).json()
    assert [(e["kind"], e["amount"]) for e in statement["entries"]] == [
        ("invoice", "100.00"), ("allocation", "-60.00"),
    ]  # fmt: skip
    assert statement["closing"] == "40.00"
    assert "Deposit set off" in await statement_page(ledger, acme, who, params)


@pytest.mark.parametrize("seed", range(3))
async def test_deposits_are_what_a_plain_model_says(ledger, acme, seed):
    """Random invoices, payments, deposits, returns, set-offs, and reversals of deposits."""
    dice, who = random.Random(seed), await known(ledger)
    deposit = owed = credit = Decimal(0)
    taken = []
    for number in range(50):
        amount = Decimal(dice.randint(1, 9_000)) / 100
        match dice.choice(["invoice", "pay", "take", "take", "return", "set_off", "reverse"]):
            case "invoice":
                bill = invoice(number, customer=who, energy=f"{amount}", tax="0", days=number)
                await posted(ledger, post_invoices, bill)
                paid = min(credit, amount)  # by the rule for credit
                owed, credit = owed + amount - paid, credit - paid
            case "pay":
                await pay(acme, who, f"{amount}", occurred_at=NOW)
                paid = min(owed, amount)
                owed, credit = owed - paid, credit + amount - paid
            case "take":
                taken.append((await take(acme, who, f"{amount}"), amount))
                deposit += amount
            case "return":
                await give_back(acme, who, f"{amount}", 201 if amount <= deposit else 422)
                deposit -= amount if amount <= deposit else 0
            case "set_off":
                used = min(deposit, owed)
                await set_off(acme, who, 201 if used else 422)
                owed, deposit = owed - used, deposit - used
            case "reverse" if taken:
                original, amount = taken.pop(dice.randrange(len(taken)))
                await reverse(acme, original["id"], 201 if amount <= deposit else 409)
                deposit -= amount if amount <= deposit else 0
        books = await balance(acme, who) if number else None
        if books:
            assert books[:2] == (f"{owed:.2f}", f"{credit:.2f}")
        assert sum(map(Decimal, await held(acme, who))) == -deposit
    assert taken
    await reconciled(acme)
