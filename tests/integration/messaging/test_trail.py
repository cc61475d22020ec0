"""The logs of the services show who sent and who handled a message, by its correlation id."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from structlog.testing import capture_logs

import messaging.tables
from contracts.accounts import PaymentReceived
from contracts.metering import UsageRecorded
from database import ALL_TENANTS, Database, transaction
from messaging import (
    Consumer,
    Outgoing,
    Progress,
    Publisher,
    Subscription,
    enqueue,
    ensure_topics,
    run_relay,
)
from messaging.retries import persist
from messaging.trail import LOGGED

LIMIT_S = 120


def payment(tenant, n):
    now = datetime(2025, 1, 1, tzinfo=UTC)
    event = PaymentReceived(
        payment_id=uuid4(), customer_id=uuid4(), currency="EUR", amount="10.00", received_at=now
    )
    return Outgoing.of(
        event,
        tenant_id=tenant,
        correlation_id=f"{tenant}-{n}",
        source="test",
        event_id=uuid4(),
        occurred_at=now,
    )


async def test_sending_and_handling_leave_a_line_each(database_url, stack_servers):
    tenant, handled, stop = f"t-{uuid4().hex[:8]}", asyncio.Event(), asyncio.Event()
    payments = [payment(tenant, n) for n in range(3)]
    waited_for = {one.envelope.event_id for one in payments}

    async def handle(_tx, batch):
        waited_for.difference_update(one.envelope.event_id for one in batch)
        if not waited_for:
            handled.set()

    await persist("topics", lambda: ensure_topics(stack_servers.bootstrap), stop=stop)
    async with await Database.connect(database_url(), application="test") as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(messaging.tables.create)
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await enqueue(tx, payments)
        publisher = Publisher(
            stack_servers.bootstrap, client_id="trail", idempotent=stack_servers.idempotence
        )
        consumer = Consumer(
            database,
            stack_servers.bootstrap,
            "trail",
            Subscription(PaymentReceived, handle),
            progress=Progress("trail"),
            stop=stop,
            assignment="all",
        )
        with capture_logs() as lines:
            async with asyncio.timeout(LIMIT_S), publisher, asyncio.TaskGroup() as group:
                group.create_task(run_relay(database, publisher, Progress("relay"), stop))
                group.create_task(consumer.run())
                await handled.wait()
                stop.set()

    mine = [line for line in lines if line.get("tenant_id") == tenant]
    for what in ("sent", "handled"):
        assert {
            (line["correlation_id"], line["event_id"]) for line in mine if line["event"] == what
        } == {(one.envelope.correlation_id, str(one.envelope.event_id)) for one in payments}


def test_what_there_is_too_much_of_leaves_no_line():
    assert UsageRecorded.TOPIC not in LOGGED
    assert PaymentReceived.TOPIC in LOGGED
