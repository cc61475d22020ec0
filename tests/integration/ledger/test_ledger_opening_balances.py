"""Opening balances: what accounts are taken over with, booked once, and shown as any other debt."""

import random
from collections import defaultdict
from decimal import Decimal
from uuid import uuid4

import pytest

from gridtally.cli.data_files.imports import Importer
from gridtally.cli.data_files.kinds import KINDS, read_item
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.rows import Row
from gridtally.cli.data_files.undo import Undoer
from gridtally.client import AsyncClient
from gridtally.contracts.accounts import TransactionRecorded
from gridtally.ledger.accounts.handlers.postings import post_invoices
from integration.ledger.accounts import (
    balance,
    invoice,
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

CUT_OVER = "2025-03-01T00:00:00Z"
LATER = "2025-06-01T00:00:00Z"


def opening(who, amount, reference, **other):
    return {
        "customer_id": str(who), "currency": "EUR", "amount": amount, "reference": reference,
        "occurred_at": CUT_OVER,
    } | other  # fmt: skip


async def take_over(client, *items, status=201, headers=None):
    answer = await post(client, "opening-balances/batch", status, headers, items=items)
    return answer["items"] if status < 300 else answer


def accounts_of(transaction):
    return {p["account_code"].partition(":")[0]: p["amount"] for p in transaction["postings"]}


async def test_what_was_owed_before_is_an_item_and_what_was_paid_ahead_is_credit(ledger, acme):
    debtor, creditor = await known(ledger), await known(ledger)
    owed, older, ahead = await take_over(
        acme,
        opening(debtor, "80.00", "OLD-2", due_on="2025-03-10"),
        opening(debtor, "20.00", "OLD-1", due_on="2025-01-10"),
        opening(creditor, "-35.00", "C-2"),
    )
    assert {item["kind"] for item in (owed, older, ahead)} == {"opening_balance"}
    assert accounts_of(owed) == {"receivable": "80.00", "opening_balance": "-80.00"}
    assert accounts_of(ahead) == {"opening_balance": "35.00", "prepaid": "-35.00"}
    assert await states(acme, debtor) == {"OLD-1": ("open", "20.00"), "OLD-2": ("open", "80.00")}
    as_of = {"as_of": "2025-03-05T00:00:00Z"}
    assert (await balance(acme, debtor, **as_of))[3:] == ("100.00", "20.00")

    [ageing] = (await acme.get("/v1/ageing", params={"on": "2025-03-05"})).json()["currencies"]
    assert (ageing["not_due"], ageing["total"]) == ("80.00", "100.00")
    await pay(acme, debtor, "50.00", occurred_at=LATER)  # the oldest due first
    assert await states(acme, debtor) == {
        "OLD-1": ("paid", "0.00"), "OLD-2": ("part_paid", "50.00"),
    }  # fmt: skip
    bill = invoice(1, customer=creditor, energy="30.00", tax="0")
    await posted(ledger, post_invoices, bill)
    assert (await balance(acme, creditor))[:4] == ("0.00", "5.00", "0.00", "-5.00")

    window = {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "currency": "EUR"}
    path = f"/v1/customers/{debtor}/statement"
    statement = (await acme.get(path, params=window)).json()
    assert [(e["reference"], e["amount"]) for e in statement["entries"]] == [
        ("OLD-1", "20.00"), ("OLD-2", "80.00"), ("", "-50.00"),
    ]  # fmt: skip
    assert "Opening balance" in await statement_page(ledger, acme, debtor, window)
    kinds = [(r.kind, r.amount) for r in await reported(ledger, TransactionRecorded)]
    assert kinds == [
        ("opening_charge", 80), ("opening_charge", 20), ("opening_credit", 35), ("allocation", 30),
    ]  # fmt: skip
    books = (await reconciled(acme))["EUR"]
    assert (books["opening_balances"], books["opening_account"]) == ("65.00", "-65.00")
    assert await seal(ledger) == 6
    assert (await acme.get("/v1/ledger/status")).json()["whole"]


async def test_a_list_that_comes_again_books_nothing_twice(ledger, acme, clients):
    who, other = await known(ledger), await clients("other")
    items = [opening(who, "10.00", "OLD-1"), opening(who, "-4.00", "OLD-2")]
    key = {"Idempotency-Key": "o-1"}
    first = await take_over(acme, *items, headers=key)
    assert await take_over(acme, *items, headers=key) == first
    again = await take_over(acme, *items, status=200)
    assert again == first
    assert await take_over(acme, *items, opening(who, "1.00", "OLD-3")) != first

    for change in ({"amount": "11.00"}, {"occurred_at": LATER}, {"due_on": "2025-02-01"}):
        refused = await take_over(acme, opening(who, "2.00", "OLD-4"), items[0] | change,
                                  status=409)  # fmt: skip
        assert refused["code"] == "opening_balance_exists", change
        assert refused["errors"][0]["pointer"] == "#/items/1"
    assert (await balance(acme, who))[3] == "7.00"  # nothing of a list that is refused
    twice = await take_over(acme, opening(who, "2.00", "T"), opening(who, "3.00", "T"), status=409)
    assert twice["code"] == "opening_balance_exists"
    for item, code, pointer in (
        (opening(uuid4(), "1.00", "X"), "customer_unknown", "#/items/0/customer_id"),
        (opening(who, "0", "X"), "amount_missing", "#/items/0/amount"),
        (opening(who, "1.001", "X"), "finer_than_currency", "#/items/0/amount"),
        (opening(who, "-1.00", "X", due_on="2025-01-01"), "due_refused", "#/items/0/due_on"),
        (opening(who, "1.00", "X", occurred_at="2999-01-01T00:00:00Z"), "future",
         "#/items/0/occurred_at"),
    ):  # fmt: skip
        refused = await take_over(acme, item, status=422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)
    refused = await take_over(other, opening(who, "1.00", "X"), status=422)
    assert refused["code"] == "customer_unknown"
    await reconciled(acme)


async def test_one_that_was_wrong_is_reversed_and_booked_again(ledger, acme):
    """Its payment is credit meanwhile, and pays the right one."""
    who = await known(ledger)
    [wrong] = await take_over(acme, opening(who, "90.00", "OLD-1"))
    await pay(acme, who, "30.00", occurred_at=LATER)
    await reverse(acme, wrong["id"])
    assert (await balance(acme, who))[:4] == ("0.00", "30.00", "0.00", "-30.00")
    assert (await reverse(acme, wrong["id"], 409))["code"] == "already_reversed"
    [right] = await take_over(acme, opening(who, "60.00", "OLD-1"))
    assert right["id"] != wrong["id"]
    assert (await balance(acme, who))[:4] == ("30.00", "0.00", "0.00", "30.00")
    assert await take_over(acme, opening(who, "60.00", "OLD-1"), status=200) == [right]

    [credit] = await take_over(acme, opening(who, "-12.00", "OLD-2"))
    assert (await balance(acme, who))[0] == "18.00"
    await reverse(acme, credit["id"])
    assert (await balance(acme, who))[:2] == ("30.00", "0.00")
    books = (await reconciled(acme))["EUR"]
    assert (books["opening_balances"], books["opening_account"]) == ("60.00", "-60.00")


@pytest.mark.parametrize("seed", range(3))
async def test_accounts_taken_over_are_what_a_plain_model_says(ledger, acme, seed):
    """Random lists, some of them sent again, payments, invoices and reversals."""
    dice, customers = random.Random(seed), [await known(ledger) for _ in range(3)]
    owed, standing, sent = defaultdict(Decimal), {}, []
    for number in range(40):
        who = dice.choice(customers)
        amount = Decimal(dice.randint(1, 9_000)) / 100
        match dice.choice(["list", "list", "again", "pay", "invoice", "reverse"]):
            case "list":
                items = [
                    opening(dice.choice(customers), f"{dice.choice([-1, 1, 1]) * amount}",
                            f"R-{number}-{n}")
                    for n in range(dice.randint(1, 4))
                ]  # fmt: skip
                for item, booked in zip(items, await take_over(acme, *items), strict=True):
                    standing[booked["id"]] = item
                    owed[item["customer_id"]] += Decimal(item["amount"])
                sent.append(items)
            case "again" if sent:
                items = dice.choice(sent)
                answer = await acme.post("/v1/opening-balances/batch", json={"items": items})
                for item, booked in zip(items, answer.json()["items"], strict=True):
                    if booked["id"] not in standing:  # what was reversed is booked again
                        standing[booked["id"]] = item
                        owed[item["customer_id"]] += Decimal(item["amount"])
            case "pay":
                await pay(acme, who, f"{amount}", occurred_at=LATER)
                owed[str(who)] -= amount
            case "invoice":
                bill = invoice(number, customer=who, energy=f"{amount}", tax="0")
                await posted(ledger, post_invoices, bill)
                owed[str(who)] += amount
            case "reverse" if standing:
                id_ = dice.choice(sorted(standing))
                item = standing.pop(id_)
                await reverse(acme, id_)
                owed[item["customer_id"]] -= Decimal(item["amount"])
        for customer, amount in owed.items():
            assert (await balance(acme, customer))[3] == f"{amount:.2f}"
    books = (await reconciled(acme))["EUR"]
    total = sum((Decimal(item["amount"]) for item in standing.values()), Decimal(0))
    assert standing
    assert Decimal(books["opening_balances"]) == total


async def test_a_file_of_them_is_booked_taken_back_and_booked_again(ledger, acme):
    """As `gridtally import opening-balances` does it, two in each request."""
    who, key = await known(ledger), acme.headers["Authorization"].removeprefix("Bearer ")
    owed = ("10.00", "20.00", "-5.00", "40.00")
    rows = [
        Row(n, {"reference": f"OLD-{n}", "customer": str(who), "currency": "EUR",
                "amount": amount, "occurred_at": CUT_OVER})
        for n, amount in enumerate(owed, start=2)
    ]  # fmt: skip
    urls = dict.fromkeys(("billing", "ledger", "tariff"), str(acme.base_url))
    async with AsyncClient(urls, key, transport=acme._transport) as client:
        references = References("acme", client)
        items = [await read_item(KINDS["opening-balances"], row, references) for row in rows]
        for state in ("new", "present", "undone", "absent", "new"):
            outcomes = Outcomes()
            for part in (items[:2], items[2:]):
                if state in ("undone", "absent"):
                    await Undoer("opening-balances", client, outcomes).remove(part)
                else:
                    await Importer("opening-balances", client, outcomes).send(part)
            assert (outcomes.counts, outcomes.refusals) == ({state: len(rows)}, []), state
            expected = "0.00" if state in ("undone", "absent") else "65.00"
            assert (await balance(acme, who))[3] == expected
    await reconciled(acme)
