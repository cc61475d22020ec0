"""Documents from the broker to the books: each once, balanced, in whatever order they come."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.accounts import AccountChanged
from gridtally.contracts.commerce import CustomerChanged, InvoiceIssued
from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.kernel.errors import Poison
from gridtally.ledger.accounts.domain.chart import receivable
from gridtally.ledger.accounts.domain.terms import PAYMENT_DAYS_DEFAULT
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.balances import publish_changed_balances
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.postings import post_credit_notes, post_invoices
from gridtally.ledger.consumers import subscriptions
from gridtally.messaging import Consumer, Progress, ReceivedMessage, ensure_topics
from integration.ledger.accounts import (
    ISSUED,
    balance,
    credit_note,
    invoice,
    known,
    outgoing,
    pay,
    payment,
    posted,
    reconciled,
    reported,
    voided,
)
from integration.ledger.processes import process_of
from problems import paths

DRAIN_S = 120


@asynccontextmanager
async def consuming(ledger, bootstrap):
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for subscription in subscriptions(process_of(ledger)):
            consumer = Consumer(
                ledger, bootstrap, "ledger", subscription,
                progress=Progress("ledger"), stop=stop,
            )  # fmt: skip
            group.create_task(consumer.run())
        yield
        stop.set()


async def eventually(ledger, sql, tenant, expected):
    async with asyncio.timeout(DRAIN_S):
        while True:
            async with snapshot(ledger, tenant=tenant) as read:
                if await read.raw.fetchval(sql) == expected:
                    return
            await asyncio.sleep(0.1)


async def test_documents_are_posted_once_however_often_and_in_which_order(
    ledger, clients, kafka_bootstrap, publishing
):
    await ensure_topics(kafka_bootstrap)
    tenant = f"t-{uuid4().hex[:8]}"
    client = await clients(tenant)
    customers = [uuid4() for _ in range(40)]
    dice = random.Random(7)
    invoices = [
        invoice(
            n, customer=dice.choice(customers), currency=dice.choice(["EUR", "USD"]),
            energy=f"{dice.randint(-5_000, 50_000)}.{dice.randint(0, 99):02}",
        )
        for n in range(600)
    ]  # fmt: skip
    notes = [credit_note(of) for of in invoices[::5]]
    events = [*invoices, *notes, *(voided(note) for note in notes)] * 2
    dice.shuffle(events)
    async with (
        publishing() as publisher,
        consuming(ledger, kafka_bootstrap),
        consuming(ledger, kafka_bootstrap),  # a zombie: both believe that all is theirs
    ):
        for start in range(0, len(events), 200):
            await publisher.publish(
                [outgoing(event, tenant) for event in events[start : start + 200]]
            )
        documents = "SELECT count(*) FROM transaction WHERE kind IN ('invoice', 'credit_note')"
        await eventually(ledger, documents, tenant, 720)
        await eventually(ledger, "SELECT count(*) FROM invoice_note", tenant, 120)

    books = await reconciled(client)
    assert sum(counted["invoices"] for counted in books.values()) == 600
    assert sum(counted["credit_notes"] for counted in books.values()) == 120
    for currency, counted in books.items():
        owed = sum(e.total for e in invoices if e.currency == currency)
        cancelled = sum(e.total for e in notes if e.currency == currency)
        assert Decimal(counted["receivable"]) == owed - cancelled
    trial = (await client.get("/v1/trial-balance")).json()["currencies"]
    assert [books["difference"] for books in trial] == ["0.00", "0.00"]
    as_of = {"as_of": "2030-01-01T00:00:00Z"}
    assert (await client.get("/v1/trial-balance", params=as_of)).json()["currencies"] == trial
    # INV-5 is below zero: posted before its credit note, it pays at once what else is open, and
    # that has its correlation id too.
    page = await client.get("/v1/transactions", params={"correlation_id": "c-INV-5"})
    caused = [item for item in page.json()["items"] if item["kind"] != "allocation"]
    assert [item["kind"] for item in caused] == ["invoice"], page.text
    [invoiced] = caused
    assert invoiced["document_id"] == str(invoices[5].invoice_id)
    reversal = await client.get(
        "/v1/transactions", params={"document_id": str(notes[1].credit_note_id)}
    )
    assert reversal.json()["items"][0]["reverses_id"] == invoiced["id"]


async def test_what_an_account_cannot_hold_is_refused_and_stops_nobody(
    ledger, clients, kafka_bootstrap, publishing
):
    await ensure_topics(kafka_bootstrap)
    tenant = f"t-{uuid4().hex[:8]}"
    client = await clients(tenant)
    customer = await known(ledger, tenant=tenant)
    events = [
        payment(customer, "999999999999999.99"),
        payment(customer, "0.01"),  # with it there would be a digit more than events carry
        payment(uuid4(), "1"),
        invoice(1, customer=customer, energy="1000000000000000", tax="0"),
        invoice(2),
    ]
    why = f"%:{customer} would hold %"
    dead = f"SELECT count(*) FROM dead_letter WHERE reason LIKE '{why}'"  # noqa: S608 - ours
    async with (
        publishing() as publisher,
        consuming(ledger, kafka_bootstrap),
    ):
        await publisher.publish([outgoing(event, tenant) for event in events])
        await eventually(ledger, "SELECT count(*) FROM transaction", tenant, 3)
        await eventually(ledger, dead, tenant, 2)
    refused = await pay(client, customer, "0.01", status=422)
    assert refused["code"] == "balance_too_large"
    assert f"prepaid:{customer}" in refused["detail"]
    assert await balance(client, customer) == (
        "0.00", "999999999999999.99", "0.00", "-999999999999999.99", "0.00",
    )  # fmt: skip
    await reconciled(client)
    async with transaction(ledger, tenant=ALL_TENANTS) as tx:
        await publish_changed_balances(tx, ISSUED)
    changed = await reported(ledger, AccountChanged)
    published = {event.customer_id: event.balances for event in changed}
    assert published[customer][0].prepaid == Decimal("999999999999999.99")


async def test_a_credit_note_before_its_invoice_leaves_nothing_owed(ledger, clients):
    acme = await clients("acme")
    issued = invoice(1)
    await posted(ledger, post_credit_notes, credit_note(issued))
    await posted(ledger, post_invoices, issued)
    [totals] = (await acme.get("/v1/trial-balance")).json()["currencies"]
    assert {row["account"]: row["balance"] for row in totals["rows"]} == {
        "receivable": "0.00", "revenue:energy": "0.00", "tax": "0.00",
    }  # fmt: skip
    assert (totals["debits"], totals["credits"]) == ("238.00", "238.00")


async def test_what_contradicts_the_books_is_poison_and_changes_nothing(ledger, clients):
    acme = await clients("acme")
    issued = invoice(1)
    note = credit_note(issued)
    await posted(ledger, post_invoices, issued)
    await posted(ledger, post_credit_notes, note)
    before = (await acme.get("/v1/transactions")).json()
    other = issued.model_copy(update={"total": Decimal("118.99")})
    huge = invoice(2).model_copy(update={"total": Decimal("1e30")})
    second = note.model_copy(update={"credit_note_id": uuid4(), "number": "CN-2"})
    for handle, event, why in (
        (post_invoices, other, "other content"),
        (post_invoices, huge, "differ by"),
        (post_invoices, invoice(3).model_copy(update={"total": Decimal(5)}), "differ by"),
        (post_credit_notes, second, "cancelled already"),
    ):
        with pytest.raises(Poison, match=why):
            await posted(ledger, handle, invoice(9) if handle is post_invoices else note, event)
    with pytest.raises(Poison, match="no value"):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            envelope = Envelope(uuid4(), InvoiceIssued.TOPIC, "test", ISSUED, "acme", "c")
            await post_invoices(
                tx, [ReceivedMessage(None, envelope, InvoiceIssued.TOPIC, 0, 0, "acme:x", None)]
            )
    assert (await acme.get("/v1/transactions")).json() == before
    await reconciled(acme)


async def test_many_writers_on_the_same_accounts_lose_nothing(ledger, clients):
    acme = await clients("acme")
    customer = uuid4()
    batches = [
        [invoice(f"{n}-{i}", customer=customer, energy=f"{n + 1}.0{i}") for i in range(5)]
        for n in range(50)
    ]
    twice = [*batches, *batches]
    random.Random(3).shuffle(twice)
    await asyncio.gather(*(posted(ledger, post_invoices, *batch) for batch in twice))
    books = (await reconciled(acme))["EUR"]
    expected = sum(event.total for batch in batches for event in batch)
    assert (books["invoices"], Decimal(books["receivable"])) == (250, expected)


async def test_statement_and_balances_as_of(ledger, clients):
    acme = await clients("acme")
    customer = uuid4()
    first, second = (invoice(n, customer=customer, days=30 * n) for n in range(2))
    await posted(ledger, post_invoices, first, second, invoice("x"))
    await posted(ledger, post_credit_notes, credit_note(first, days=10))
    path = f"/v1/customers/{customer}/statement"
    window = {"from": "2025-04-02T00:00:00Z", "to": "2025-06-01T00:00:00+02:00", "currency": "EUR"}
    statement = (await acme.get(path, params=window)).json()
    assert statement["opening"] == "119.00"
    assert [(e["reference"], e["amount"], e["balance"]) for e in statement["entries"]] == [
        ("CN-INV-0", "-119.00", "0.00"),
        ("INV-1", "119.00", "119.00"),
    ]
    assert statement["closing"] == "119.00"
    backwards = window | {"to": window["from"]}
    assert (await acme.get(path, params=backwards)).json()["code"] == "empty_window"
    naive = await acme.get(path, params=window | {"from": "2025-04-02T00:00:00"})
    assert paths(naive.json())[0] == "/query/from"

    account = f"/v1/accounts/{receivable('EUR', customer).id('acme')}"
    for as_of, owed in (
        ("2025-03-31T23:59:59Z", "0.00"),
        ("2025-04-01T00:00:00Z", "119.00"),
        ("2025-04-11T00:00:00Z", "0.00"),
        (None, "119.00"),
    ):
        params = {"as_of": as_of} if as_of else {}
        answer = (await acme.get(account, params=params)).json()
        assert (answer["balance"], answer["customer_id"]) == (owed, str(customer)), as_of
    early = {"as_of": "2025-04-05T00:00:00Z"}
    [totals] = (await acme.get("/v1/trial-balance", params=early)).json()["currencies"]
    assert (totals["debits"], totals["credits"]) == ("238.00", "238.00")


async def test_lists_of_the_books_come_in_pages_and_to_their_tenant_only(ledger, clients):
    acme, other = await clients("acme"), await clients("other")
    issued = [invoice(n) for n in range(5)]
    for event in issued:
        await posted(ledger, post_invoices, event)
    for path, count in (("/v1/transactions", 5), ("/v1/accounts", 7)):
        seen, cursor = [], None
        while cursor is not None or not seen:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await acme.get(path, params=params)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == count
        assert (await other.get(path)).json() == {"items": [], "next_cursor": None}
    first = f"/v1/transactions/{transaction_id('acme', issued[0].invoice_id)}"
    assert [p["amount"] for p in (await acme.get(first)).json()["postings"]] == [
        "119.00", "-100.00", "-19.00",
    ]  # fmt: skip
    assert (await other.get(first)).json()["code"] == "transaction_unknown"
    assert (await other.get(f"/v1/accounts/{UUID(int=1)}")).json()["code"] == "account_unknown"
    by_class = await acme.get("/v1/accounts", params={"account_class": "receivable"})
    assert len(by_class.json()["items"]) == 5
    assert (await other.get("/v1/trial-balance")).json()["currencies"] == []
    nothing = {"ok": True, "currencies": [], "payees": []}
    assert (await other.get("/v1/reconciliation")).json() == nothing


async def test_a_customers_own_payment_days_go_before_the_tenants(ledger, clients):
    """An invoice is due after the customer's own days, 7, then after the tenant's again: a
    version that is older changes nothing."""
    payer = uuid4()
    acme = await clients("acme")
    for version, days, n in ((2, 7, 1), (1, 99, 2), (3, None, 3)):
        changed = CustomerChanged(
            customer_id=payer, currency="EUR", version=version, payment_days=days
        )
        await posted(ledger, apply_customers, changed)
        await posted(ledger, post_invoices, invoice(n, customer=payer))
    items = (await acme.get("/v1/invoices", params={"customer_id": str(payer)})).json()["items"]
    due = sorted(date.fromisoformat(item["due_on"]) for item in items)
    assert [(day - due[0]).days for day in due] == [0, 0, PAYMENT_DAYS_DEFAULT - 7]
