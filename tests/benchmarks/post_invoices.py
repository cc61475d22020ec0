"""Measures the ledger: from invoices in Kafka to balanced postings that are committed.

Run by `make bench ARGS="--only post_invoices"`; README.md here says what a benchmark is given. Also
with a million postings present, and how quickly balances are read then. A payment that is
allocated to nothing moves money between two accounts, as a transfer of pgledger does: in batches
from Kafka, in one list as a request has them, one by one by several writers, and so over HTTP.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

from api_process import serving
from script import Clock, Rate, arguments, own_database, peak_memory_mb, sized, tell

from gridtally.contracts.accounts import PaymentReceived
from gridtally.contracts.commerce import InvoiceIssued
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Event
from gridtally.database import ALL_TENANTS, Database, ReadConnection, snapshot, transaction
from gridtally.database.group_commit import GroupCommit
from gridtally.database.plans import keep_plans
from gridtally.http.context import utc_now
from gridtally.ledger.accounts.domain.chart import receivable, tax
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.handlers.commands import (
    decide_commands,
    post_commands,
    post_decided,
)
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.accounts.store import accounts, reconciliation, reports, statements
from gridtally.ledger.accounts.store.transactions import GROWING
from gridtally.ledger.consumers import subscriptions
from gridtally.ledger.settings import Settings
from gridtally.local_stack.servers import BOOTSTRAP
from gridtally.messaging import (
    Consumer,
    OutgoingMessage,
    Progress,
    Publisher,
    ReceivedMessage,
    ensure_topics,
)
from gridtally.service.service import Process

CUSTOMERS = sized(10_000)
ROUNDS = 3
ROUND_INVOICES = sized(5_000)
ROUND_TRANSFERS = sized(10_000)
ROUND_SINGLES = sized(2_000)
WRITERS = 8
POSTINGS_PRESENT = sized(1_000_000)
BATCH_INVOICES = 500
READS = 9
SEED = 7
TENANT = "bench"
WAIT_LIMIT_S = 600.0
ISSUED_AT = datetime(2025, 1, 1, tzinfo=UTC)
KINDS = ("fixed", "demand", "energy", "energy", "energy", "adjustment", "tax")
POSTINGS = 6
"""Receivable, four kinds of revenue, tax."""
TRANSFER_POSTINGS = 2
"""Cash and the customer's credit."""


def invoices(count: int, seed: int) -> Iterator[InvoiceIssued]:
    """Invoices of seven lines, each at another minute, for customers in turn."""
    dice = Random(seed)
    version = UUID(int=1)
    for n in range(count):
        lines = [
            InvoiceLine.model_construct(
                component_id=kind, kind=kind, band=None, flow=None, quantity=Decimal(1),
                unit="kWh", rate=amount, amount_exact=amount, amount=amount,
                tariff_version_id=version, start_on=ISSUED_AT.date(), end_on=ISSUED_AT.date(),
                payee=None, tax_class=None,
            )
            for kind, amount in ((k, Decimal(dice.randint(1, 9_999)) / 100) for k in KINDS)
        ]  # fmt: skip
        total = sum((line.amount for line in lines), Decimal(0))
        yield InvoiceIssued.model_construct(
            invoice_id=uuid4(), number=f"INV-{n}", customer_id=UUID(int=n % CUSTOMERS),
            agreement_id=UUID(int=n % CUSTOMERS), meter_id=version, start_on=ISSUED_AT.date(),
            end_on=ISSUED_AT.date(), revision=1, currency="EUR", lines=lines,
            net=total - lines[-1].amount, tax=lines[-1].amount, total=total,
            issued_at=ISSUED_AT + timedelta(minutes=n),
        )  # fmt: skip


def payments(count: int) -> Iterator[PaymentReceived]:
    """Payments that are allocated to nothing, two postings each, of customers in turn."""
    for n in range(count):
        yield PaymentReceived(
            payment_id=uuid4(), customer_id=UUID(int=n % CUSTOMERS), currency="EUR",
            amount=Decimal(n % 9_999 + 1) / 100, received_at=ISSUED_AT + timedelta(minutes=n),
            allocations=[],
        )  # fmt: skip


def outgoing(event: Event) -> OutgoingMessage:
    """As others send it."""
    return OutgoingMessage.of(
        event, tenant_id=TENANT, correlation_id="bench", source="bench", event_id=uuid4(),
        occurred_at=ISSUED_AT,
    )  # fmt: skip


async def from_kafka(
    database: Database, bootstrap: str, kind: type[Event], events: Iterator[Event]
) -> Rate:
    """A backlog of events of one kind waits, one consumer posts it."""
    messages = [outgoing(event) for event in events]
    settings = Settings.model_validate(
        {"database_url": "postgresql://unused", "kafka_bootstrap_servers": bootstrap}
    )
    async with Publisher(bootstrap, client_id="bench", idempotent=False) as publisher:
        for start in range(0, len(messages), BATCH_INVOICES):
            await publisher.publish(messages[start : start + BATCH_INVOICES])
        process = Process("ledger", settings, database, publisher, utc_now, asyncio.Event())
        [subscription] = [listed for listed in subscriptions(process) if listed.event is kind]
    progress, stop = Progress("bench"), process.stop
    consumer = Consumer(database, bootstrap, "ledger", subscription, progress=progress, stop=stop)
    task = asyncio.create_task(consumer.run())
    while not progress.ready:  # noqa: ASYNC110 - progress is a plain record
        await asyncio.sleep(0.01)
    clock = Clock()
    async with asyncio.timeout(WAIT_LIMIT_S):
        while progress.handled < len(messages) and not task.done():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    rate = clock.rate(len(messages))
    stop.set()
    await task
    return rate


def commanded(payment: PaymentReceived) -> Command:
    """As a request of the API asks for it."""
    return Command(
        "payment", payment.payment_id, payment.customer_id, payment.currency, payment.amount,
        "", "", payment.received_at, "bench", allocations=(),
    )  # fmt: skip


async def listed(database: Database) -> Rate:
    """Payments in one list, as `POST /v1/payments/batch` posts them."""
    commands = [commanded(payment) for payment in payments(ROUND_TRANSFERS)]
    clock = Clock()
    async with transaction(database, tenant=TENANT) as tx:
        await keep_plans(tx, GROWING)
        await post_decided(tx, await decide_commands(tx, TENANT, commands))
    return clock.rate(ROUND_TRANSFERS)


async def singles(database: Database) -> Rate:
    """Payments one by one by several writers, as requests of the API post them: those that are
    asked for meanwhile share a transaction."""
    todo = list(payments(ROUND_SINGLES))
    group = GroupCommit(post_commands, GROWING)

    async def write(mine: list[PaymentReceived]) -> None:
        for payment in mine:
            await group.join(database, TENANT, payment.customer_id, commanded(payment))

    clock = Clock()
    await asyncio.gather(*(write(todo[n::WRITERS]) for n in range(WRITERS)))
    return clock.rate(ROUND_SINGLES)


async def over_http(url: str) -> list[Rate]:
    """The same by `POST /v1/payments`, each caller one after the other; the service's processor."""
    bodies = [
        json.dumps({
            "customer_id": str(payment.customer_id), "currency": "EUR", "allocations": [],
            "amount": str(payment.amount), "occurred_at": payment.received_at.isoformat(),
        }).encode()
        for payment in payments(ROUND_SINGLES)
    ]  # fmt: skip
    async with serving("ledger", url, TENANT) as api:
        requests = [("/v1/payments", body) for body in bodies]
        return [await api.post_all(requests, WRITERS) for _ in range(ROUNDS)]


async def fill(database: Database, count: int) -> float:
    """Post until so many more postings are present; postings per second, without Kafka."""
    now = datetime.now(UTC)
    envelope = Envelope(uuid4(), InvoiceIssued.TOPIC, "bench", now, TENANT, "bench")
    seconds, posted = 0.0, 0
    while posted < count:
        batch = [
            ReceivedMessage(event, envelope, event.TOPIC, 0, 0, "", b"")
            for event in invoices(BATCH_INVOICES, SEED + posted)
        ]
        start_s = perf_counter()
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await post_invoices(tx, batch)
        seconds += perf_counter() - start_s
        posted += BATCH_INVOICES * POSTINGS
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute("ANALYZE")  # as the server does by itself within minutes
    return posted / seconds


async def reads(database: Database) -> dict[str, float]:
    """Milliseconds of each read of the books, the median."""
    as_of = ISSUED_AT + timedelta(days=2)
    customer = UUID(int=5)
    of_tax = tax("EUR").id(TENANT)
    of_customer = receivable("EUR", customer).id(TENANT)
    until = ISSUED_AT + timedelta(days=365)
    queries: dict[str, Callable[[ReadConnection], Awaitable[object]]] = {
        "balance": lambda r: accounts.fetch_balance(r, TENANT, of_tax, None),
        "tax_as_of": lambda r: accounts.fetch_balance(r, TENANT, of_tax, as_of),
        "receivable_as_of": lambda r: accounts.fetch_balance(r, TENANT, of_customer, as_of),
        "statement": lambda r: statements.fetch_changes(
            r, TENANT, customer, "EUR", ISSUED_AT, until
        ),
        "trial_balance": lambda r: reports.fetch_trial_balance(r, TENANT, None),
        "trial_balance_as_of": lambda r: reports.fetch_trial_balance(r, TENANT, as_of),
        "reconciliation": lambda r: reconciliation.reconcile(r, TENANT),
    }
    taken: dict[str, float] = {}
    for name, query in queries.items():
        times = []
        for _ in range(READS):
            async with snapshot(database, tenant=TENANT) as read:
                start_s = perf_counter()
                await query(read)
                times.append(perf_counter() - start_s)
        taken[f"{name}_ms"] = round(median(times) * 1_000, 2)
    return taken


async def check(database: Database, invoices_posted: int, transfers: int) -> None:
    """A fast wrong answer is a failure."""
    async with snapshot(database, tenant=TENANT) as read:
        [books] = await reconciliation.reconcile(read, TENANT)
        postings = await read.raw.fetchval("SELECT count(*) FROM posting")
    if books.difference_max or books.invoices != invoices_posted:
        sys.exit(f"wrong: {books} where {invoices_posted} invoices were posted")
    if postings != invoices_posted * POSTINGS + transfers * TRANSFER_POSTINGS:
        sys.exit(f"wrong: {postings} postings of {invoices_posted} invoices, {transfers} transfers")


async def run(url: str, bootstrap: str) -> dict[str, dict[str, float]]:
    """All figures."""
    await ensure_topics(bootstrap)
    async with await Database.connect(url, application="bench") as database:

        async def invoiced(seed: int) -> Rate:
            events = invoices(ROUND_INVOICES, seed)
            return await from_kafka(database, bootstrap, InvoiceIssued, events)

        async def transferred() -> Rate:
            events = payments(ROUND_TRANSFERS)
            return await from_kafka(database, bootstrap, PaymentReceived, events)

        empty = [await invoiced(SEED + n) for n in range(ROUNDS)]
        missing = POSTINGS_PRESENT - ROUNDS * ROUND_INVOICES * POSTINGS
        filling = await fill(database, missing)
        full = [await invoiced(SEED + ROUNDS + n) for n in range(ROUNDS)]
        together = [await transferred() for _ in range(ROUNDS)]
        in_lists = [await listed(database) for _ in range(ROUNDS)]
        one_by_one = [await singles(database) for _ in range(ROUNDS)]
        by_http = await over_http(url)
        batches = -(-missing // (BATCH_INVOICES * POSTINGS))
        posted = 2 * ROUNDS * ROUND_INVOICES + batches * BATCH_INVOICES
        await check(database, posted, ROUNDS * 2 * (ROUND_TRANSFERS + ROUND_SINGLES))
        taken = await reads(database)
    return {
        "invoices posted, empty books": _rates("invoices", empty, POSTINGS),
        f"invoices posted, {POSTINGS_PRESENT:,} postings": _rates("invoices", full, POSTINGS),
        "posted without Kafka": {"postings_per_s": round(filling)},
        f"transfers in batches, {POSTINGS_PRESENT:,} postings": _rates(
            "transfers", together, TRANSFER_POSTINGS
        ),
        f"transfers in one list, {POSTINGS_PRESENT:,} postings": _rates(
            "transfers", in_lists, TRANSFER_POSTINGS
        ),
        f"transfers one by one, {WRITERS} writers": _rates(
            "transfers", one_by_one, TRANSFER_POSTINGS
        ),
        f"transfers over HTTP, {WRITERS} connections": _rates(
            "transfers", by_http, TRANSFER_POSTINGS
        ),
        f"reads, {POSTINGS_PRESENT:,} postings": taken,
        "the process": {"peak_memory_mb": peak_memory_mb()},
    }


def _rates(what: str, rates: list[Rate], postings: int) -> dict[str, float]:
    per_s = median(rate.per_s for rate in rates)
    return {
        f"{what}_per_s": round(per_s),
        "postings_per_s": round(per_s * postings),
        "cpu_us_each": round(median(rate.cpu_us for rate in rates)),
    }


def main() -> None:
    """Prints the figures and writes them."""
    given = arguments(__doc__).parse_args()
    with own_database("ledger") as url:
        figures = asyncio.run(run(url, os.environ[BOOTSTRAP]))
    tell(f"seed {SEED}, {CUSTOMERS} customers, {WRITERS} writers one by one", figures, given.json)


if __name__ == "__main__":
    main()
