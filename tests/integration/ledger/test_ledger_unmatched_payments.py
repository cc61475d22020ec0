"""Money for a customer, or in a currency, that nobody has: on the real database, by the API."""

import asyncio
from uuid import uuid4

from gridtally.contracts.accounts import PaymentRecorded
from gridtally.ledger.accounts.handlers.payments import post_payments
from integration.ledger.accounts import (
    balance,
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
from problems import paths

PATH = "/v1/unmatched-payments"


async def unmatched(client, **params):
    return (await client.get(PATH, params=params)).json()


async def test_money_for_nobody_is_listed_and_assigned(ledger, acme, clients):
    customer, _ = await issue(ledger, "30")
    nobody = uuid4()
    paid = await pay(acme, nobody, "40", reference="house 7", method="bank")
    assert {line["account_code"]: line["amount"] for line in paid["postings"]} == {
        "cash": "40.00", "suspense": "-40.00",
    }  # fmt: skip
    assert (await acme.get(f"/v1/customers/{nobody}/balance")).json()["currencies"] == []
    [listed] = (await unmatched(acme))["items"]
    names = ("id", "payment_id", "customer_id", "currency", "amount", "reference", "method")
    assert [listed[name] for name in names] == [
        paid["id"], paid["document_id"], str(nobody), "EUR", "40.00", "house 7", "bank",
    ]  # fmt: skip
    books = (await reconciled(acme))["EUR"]
    assert books["unmatched"] == "40.00"

    other = await clients("other")
    assert (await unmatched(other))["items"] == []
    assign, body = f"unmatched-payments/{paid['id']}/assignment", {"customer_id": str(customer)}
    assert (await post(other, assign, 404, **body))["code"] == "payment_unknown"
    refused = await post(acme, assign, 422, customer_id=str(uuid4()))
    assert (refused["code"], paths(refused)) == ("customer_unknown", ["/customer_id"])

    key = {"Idempotency-Key": "assign-1"}
    assigned = await post(acme, assign, headers=key, **body)
    assert await post(acme, assign, headers=key, **body) == assigned
    assert (assigned["kind"], assigned["customer_id"]) == ("assignment", str(customer))
    assert await states(acme, customer) == {"INV-0": ("paid", "0.00")}
    assert await balance(acme, customer) == ("0.00", "10.00", "0.00", "-10.00", "0.00")
    assert (await post(acme, assign, 409, **body))["code"] == "payment_resolved"
    assert (await unmatched(acme))["items"] == []
    events = await reported(ledger, PaymentRecorded)
    assert [(str(e.payment_id), str(e.customer_id), len(e.allocations)) for e in events] == [
        (paid["document_id"], str(nobody), 0), (paid["document_id"], str(customer), 1),
    ]  # fmt: skip
    await reverse(acme, assigned["id"])
    assert [item["id"] for item in (await unmatched(acme))["items"]] == [paid["id"]]
    assert (await reconciled(acme))["EUR"]["unmatched"] == "40.00"


async def test_money_for_nobody_is_paid_back(acme):
    paid = await pay(acme, uuid4(), "12.5")
    path = f"unmatched-payments/{paid['id']}/refund"
    assert paths(await post(acme, path, 422)) == ["/reason"]
    returned = await post(acme, path, reason="no such customer")
    assert (returned["kind"], returned["memo"]) == ("refund", "no such customer")
    assert (await post(acme, path, 409, reason="again"))["code"] == "payment_resolved"
    assert (await reverse(acme, paid["id"], 409))["code"] == "payment_resolved"
    [books] = (await acme.get("/v1/trial-balance")).json()["currencies"]
    assert {row["account"]: row["balance"] for row in books["rows"]} == {
        "cash": "0.00", "suspense": "0.00",
    }  # fmt: skip


async def test_money_in_a_currency_that_the_customer_does_not_pay_in_is_unmatched(ledger, acme):
    customer = await known(ledger)
    await posted(ledger, post_payments, payment(customer, "4000", currency="JPY"))
    [listed] = (await unmatched(acme))["items"]
    assert (listed["currency"], listed["amount"]) == ("JPY", "4000")
    await known(ledger, customer, currency="JPY")
    assert (await unmatched(acme))["items"] == []
    assert await balance(acme, customer) == ("0", "4000", "0", "-4000", "0")


async def test_unmatched_payments_come_in_pages(acme):
    paid = [await pay(acme, uuid4(), f"{n + 1}") for n in range(3)]
    first = await unmatched(acme, limit=2)
    second = await unmatched(acme, limit=2, cursor=first["next_cursor"])
    listed = [item["id"] for page in (first, second) for item in page["items"]]
    assert (listed, second["next_cursor"]) == ([made["id"] for made in paid], None)


async def test_no_payment_misses_its_customer_whichever_comes_first(ledger, acme):
    """Both at once: either the payment sees the customer, or the customer finds the payment."""
    customers = [uuid4() for _ in range(20)]
    await asyncio.gather(
        *(posted(ledger, post_payments, payment(id_, "1.25")) for id_ in customers),
        *(known(ledger, id_) for id_ in customers),
    )
    assert (await unmatched(acme))["items"] == []
    for id_ in customers:
        assert (await balance(acme, id_))[1] == "1.25"
