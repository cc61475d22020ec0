"""Payments in one request: as if each had come alone, in their order, and each once."""

import random
from uuid import uuid4

import pytest

from gridtally.contracts.accounts import PaymentRecorded
from integration.ledger.accounts import (
    AT,
    balance,
    declare,
    issue,
    known,
    pay,
    post,
    reconciled,
    reported,
    states,
)
from integration.ledger.seals import seal


def payment(who, amount, *named, **other):
    if named:
        other["allocations"] = [{"invoice_id": str(i), "amount": part} for i, part in named]
    return {
        "id": str(uuid4()), "customer_id": str(who), "currency": "EUR", "amount": amount,
        "occurred_at": AT,
    } | other  # fmt: skip


async def pay_all(client, *items, status=201, headers=None, mode="all_or_nothing"):
    return await post(client, "payments/batch", status, headers, items=items, mode=mode)


async def test_each_finds_what_those_before_it_have_paid(ledger, acme):
    who, [first, _] = await issue(ledger, "100", "50")
    nobody = uuid4()
    answer = await pay_all(
        acme,
        payment(who, "30", (first.invoice_id, "30"), reference="R 1", method="bank"),
        payment(who, "100"),
        payment(who, "45.5"),
        payment(nobody, "9"),
    )
    counts = {name: answer[name] for name in ("accepted", "unchanged", "refused")}
    assert counts == {"accepted": 4, "unchanged": 0, "refused": 0}
    assert [(i["allocated"], i["unallocated"], i["unmatched"]) for i in answer["items"]] == [
        ("30.00", "0.00", False), ("100.00", "0.00", False), ("20.00", "25.50", False),
        ("0.00", "9.00", True),
    ]  # fmt: skip
    assert await states(acme, who) == {"INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00")}
    assert await balance(acme, who) == ("0.00", "25.50", "0.00", "-25.50", "0.00")
    [waiting] = (await acme.get("/v1/unmatched-payments")).json()["items"]
    assert waiting["id"] == answer["items"][3]["transaction_id"]

    posted = await acme.get(f"/v1/transactions/{answer['items'][0]['transaction_id']}")
    assert (posted.json()["reference"], posted.json()["memo"]) == ("R 1", "bank")
    assert [str(event.payment_id) for event in await reported(ledger, PaymentRecorded)] == [
        item["id"] for item in answer["items"]
    ]  # fmt: skip
    await seal(ledger)
    assert (await acme.get("/v1/ledger/status")).json()["whole"]
    await reconciled(acme)


async def test_a_list_that_comes_again_posts_nothing_twice(ledger, acme, clients):
    who = await known(ledger)
    items = [payment(who, "10"), payment(who, "4")]
    key = {"Idempotency-Key": "p-1"}
    first = await pay_all(acme, *items, headers=key)
    assert await pay_all(acme, *items, headers=key) == first
    again = await pay_all(acme, *items, items[0], status=200)
    assert [item["status"] for item in again["items"]] == ["unchanged"] * 3
    assert [i["transaction_id"] for i in again["items"][:2]] == [
        i["transaction_id"] for i in first["items"]
    ]  # fmt: skip
    single = await post(acme, "payments", **items[0])
    assert single["id"] == first["items"][0]["transaction_id"]
    more = await pay_all(acme, items[1], payment(who, "1"))
    assert [item["status"] for item in more["items"]] == ["unchanged", "accepted"]
    assert (await balance(acme, who))[1] == "15.00"

    other = await clients("other")
    foreign = await pay_all(other, items[0])  # the ids of another tenant are free
    assert foreign["items"][0]["unmatched"]
    assert (await balance(acme, who))[1] == "15.00"


async def test_one_that_is_refused_refuses_all_or_itself(ledger, acme):
    who, [bill] = await issue(ledger, "20")
    taken = payment(who, "1")
    await pay_all(acme, taken)
    wrong = [
        (taken | {"amount": "2"}, "id_taken", "#/items/1/id"),
        (payment(who, "1.001"), "finer_than_currency", "#/items/1/amount"),
        (payment(who, "1", occurred_at="2999-01-01T00:00:00Z"), "future", "#/items/1/occurred_at"),
        (payment(who, "9", (bill.invoice_id, "99")), "allocation_refused",
         "#/items/1/allocations/0/amount"),
    ]  # fmt: skip
    for item, code, pointer in wrong:
        refused = await pay_all(acme, payment(who, "5"), item, status=422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)
        assert refused["detail"] == "1 of 2 payments are refused: nothing is entered"
    both = await pay_all(acme, *(item for item, *_ in wrong), status=422, mode="item_by_item")
    assert both["code"] == "payments_refused"
    assert both["detail"] == "4 of 4 payments are refused: none could be entered"
    assert (await balance(acme, who))[:2] == ("19.00", "0.00")  # nothing of any of them

    listed = [payment(who, "5"), *(item for item, *_ in wrong), payment(who, "6")]
    answer = await pay_all(acme, *listed, mode="item_by_item")
    assert [item["status"] for item in answer["items"]] == [
        "accepted", *["refused"] * 4, "accepted",
    ]  # fmt: skip
    assert [item["code"] for item in answer["items"][1:5]] == [code for _, code, _ in wrong]
    assert answer["items"][2]["errors"][0]["pointer"] == "#/items/2/amount"
    assert (await balance(acme, who))[:2] == ("8.00", "0.00")
    await reconciled(acme)


async def test_named_allocations_come_before_the_rule_for_what_is_left(ledger, acme):
    who, [first, second] = await issue(ledger, "100", "50")
    await pay_all(
        acme,
        payment(who, "150", (first.invoice_id, "20")),
        payment(who, "10", (second.invoice_id, "10")),
    )
    assert await states(acme, who) == {"INV-0": ("paid", "0.00"), "INV-1": ("paid", "0.00")}
    assert (await balance(acme, who))[1] == "10.00"
    await reconciled(acme)


@pytest.mark.parametrize("seed", range(3))
async def test_a_list_leaves_what_single_payments_leave(ledger, acme, clients, seed):
    dice = random.Random(seed)
    other = await clients("other")
    customers = {}
    for tenant, client in (("acme", acme), ("other", other)):
        await declare(client, credit_allocation="manual")
        events = [await issue(ledger, "10", "20", "30", tenant=tenant) for _ in range(3)]
        customers[tenant] = events
    todo = [
        (dice.randrange(3), f"{dice.randint(1, 3_000) / 100:.2f}", dice.choice([None, 0, 1, 2]))
        for _ in range(30)
    ]

    def items(tenant):
        for n, amount, named in todo:
            who, bills = customers[tenant][n]
            part = [(bills[named].invoice_id, "1")] if named is not None else []
            yield payment(who, amount, *part) if float(amount) >= 1 else payment(who, amount)

    await pay_all(acme, *items("acme"), mode="item_by_item")
    for item in items("other"):
        await other.post("/v1/payments", json=item)
    for (mine, _), (theirs, _) in zip(customers["acme"], customers["other"], strict=True):
        assert await balance(acme, mine) == await balance(other, theirs)
        assert await states(acme, mine) == await states(other, theirs)
    await reconciled(acme)
    await reconciled(other)


async def test_ten_thousand_payments_are_one_request(ledger, acme):
    customers = [uuid4() for _ in range(1_000)]
    await known(ledger, *customers)
    items = [payment(customers[n % 1_000], "1.25") for n in range(10_000)]
    assert (await pay_all(acme, *items))["accepted"] == 10_000
    assert (await pay_all(acme, *items, status=200))["unchanged"] == 10_000
    one_more = await pay_all(acme, *items, payment(customers[0], "1"), status=422)
    assert one_more["errors"][0]["pointer"] == "#/items"
    await pay(acme, customers[0], "2.50")
    assert (await balance(acme, customers[0]))[1] == "15.00"
    await reconciled(acme)
