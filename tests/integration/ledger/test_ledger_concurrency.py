"""Many at once on the same books: nothing is lost, nothing is posted twice, all adds up."""

import asyncio
import random
from collections import Counter
from decimal import Decimal
from uuid import UUID, uuid4

from gridtally.database import snapshot, transaction
from gridtally.kernel.errors import Conflict
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from gridtally.ledger.accounts.handlers.reversals import reverse_transaction
from gridtally.ledger.accounts.store import accounts
from integration.ledger.accounts import (
    ISSUED,
    credit_note,
    invoice,
    known,
    payment,
    posted,
    received,
    reconciled,
)

AT_ONCE = 10
"""As many as the pool has connections: more would only wait for one."""


async def all_at_once(calls):
    """The results of these calls, as many of them under way as the pool allows."""
    room = asyncio.Semaphore(AT_ONCE)

    async def make(call):
        async with room:
            return await call()

    return await asyncio.gather(*(make(call) for call in calls))


async def test_five_hundred_transactions_each_reversed_twice_at_once(ledger, clients):
    acme = await clients("acme")
    customers = [uuid4() for _ in range(25)]
    await known(ledger, *customers)
    paid = [payment(customers[n % 25], "1.25") for n in range(500)]
    await posted(ledger, post_payments, *paid)
    ids = [transaction_id("acme", event.payment_id) for event in paid] * 2
    random.Random(1).shuffle(ids)

    reason = Reason("bounced", ISSUED, "c", is_dated=False)

    async def reverse(id_):
        try:
            async with transaction(ledger, tenant="acme") as tx:
                await reverse_transaction(tx, "acme", id_, reason)
        except Conflict as refused:
            return refused.code
        return "reversed"

    answers = await all_at_once([lambda id_=id_: reverse(id_) for id_ in ids])
    assert Counter(answers) == {"reversed": 500, "already_reversed": 500}
    async with snapshot(ledger, tenant="acme") as read:
        counts = await read.raw.fetchrow(
            "SELECT count(*), count(DISTINCT reverses_id) FROM transaction WHERE kind = 'reversal'"
        )
    assert tuple(counts) == (500, 500)
    [books] = (await acme.get("/v1/trial-balance")).json()["currencies"]
    assert {row["account"]: row["balance"] for row in books["rows"]} == {
        "cash": "0.00", "prepaid": "0.00",
    }  # fmt: skip


async def test_a_payment_waits_for_no_other_customer_s(ledger, clients, monkeypatch):
    """One payment is in hand, its accounts moved and not committed, while another one is posted:
    what both post to is `cash`, whose balance is exact before and after."""
    monkeypatch.setattr(accounts, "PARTS", 30_000)  # no two connections have the same
    acme = await clients("acme")
    slow, quick = uuid4(), uuid4()
    await known(ledger, slow, quick)
    await posted(ledger, post_payments, payment(slow, "1"), payment(quick, "2"))

    async def cash():
        listed = (await acme.get("/v1/accounts")).json()["items"]
        [account] = [account for account in listed if account["code"] == "cash"]
        [books] = (await acme.get("/v1/trial-balance")).json()["currencies"]
        own = (await acme.get(f"/v1/accounts/{account['id']}")).json()
        row = next(row for row in books["rows"] if row["account"] == "cash")
        assert account["balance"] == own["balance"] == row["balance"]
        await reconciled(acme)
        return account["balance"]

    async with transaction(ledger, tenant="acme") as pending:
        await post_payments(pending, [received(payment(slow, "4"), "acme")])
        async with transaction(ledger, tenant="acme") as tx:
            await tx.raw.execute("SET LOCAL lock_timeout = '5s'")
            await post_payments(tx, [received(payment(quick, "8"), "acme")])
        assert await cash() == "11.00"
    assert await cash() == "15.00"


async def test_fifty_writers_on_one_customer_lose_nothing(ledger, clients):
    """Invoices, payments by API and by event, refunds, reversals and credit notes at once."""
    acme = await clients("acme")
    customer = await known(ledger, UUID(int=50))
    dice = random.Random(2)
    issued = [invoice(n, customer=customer, energy=f"{n + 1}.10", tax="0") for n in range(50)]
    body = {"customer_id": str(customer), "currency": "EUR"}

    async def post(path, **more):
        answer = await acme.post(f"/v1/{path}", json=body | more)
        assert answer.status_code in (201, 409, 422), answer.text
        return answer

    async def write(n):
        await posted(ledger, post_invoices, issued[n])
        paid = await post("payments", amount=f"{n + 1}.00")
        await posted(ledger, post_payments, payment(customer, "2.5"))
        await post("refunds", amount="0.5", reason="x")
        if n % 3 == 0:
            path = f"/v1/transactions/{paid.json()['id']}/reversal"
            answer = await acme.post(path, json={"reason": "x"})
            assert answer.status_code in (201, 409), answer.text
        if n % 5 == 0:
            await posted(ledger, post_credit_notes, credit_note(issued[n]))
        await post("allocations")

    writers = list(range(50))
    dice.shuffle(writers)
    await all_at_once([lambda n=n: write(n) for n in writers])
    books = (await reconciled(acme))["EUR"]
    assert (books["invoices"], books["credit_notes"]) == (50, 10)
    [totals] = (await acme.get("/v1/trial-balance")).json()["currencies"]
    assert totals["difference"] == "0.00"
    kinds = Counter()
    cursor = {}
    while cursor is not None:
        page = (await acme.get("/v1/transactions", params={"limit": 500} | cursor)).json()
        for item in page["items"]:
            cash = [Decimal(p["amount"]) for p in item["postings"] if p["account_code"] == "cash"]
            kinds[item["kind"]] += 1
            kinds["cash"] += sum(cash)
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert (kinds["payment"], kinds["reversal"] > 0) == (100, True)
    rows = {row["account"]: Decimal(row["balance"]) for row in totals["rows"]}
    assert rows["cash"] == kinds["cash"]
    live = sum(event.total for n, event in enumerate(issued) if n % 5)
    assert rows["receivable"] + rows["prepaid"] + rows["cash"] == live
