"""The logs of the services show who sent and who handled a message, by its correlation id."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from structlog.testing import capture_logs

import gridtally.messaging.tables
from gridtally.contracts.accounts import PaymentReceived
from gridtally.contracts.metering import UsageRecorded
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.messaging import (
    Consumer,
    OutgoingMessage,
    Progress,
    Subscription,
    enqueue,
    ensure_topics,
    run_relay,
)
from gridtally.messaging.message_log import LOGGED
from gridtally.messaging.retries import retry_transient

LIMIT_S = 120


def payment(tenant, n):
    now = datetime(2025, 1, 1, tzinfo=UTC)
    event = PaymentReceived(
        payment_id=uuid4(), customer_id=uuid4(), currency="EUR", amount="10.00", received_at=now
    )
    return OutgoingMessage.of(
        event,
        tenant_id=tenant,
        correlation_id=f"{tenant}-{n}",
        source="test",
        event_id=uuid4(),
        occurred_at=now,
    )


async def test_sending_and_handling_leave_a_line_each(database_url, kafka_bootstrap, publishing):
    tenant, handled, stop = f"t-{uuid4().hex[:8]}", asyncio.Event(), asyncio.Event()
    payments = [payment(tenant, n) for n in range(3)]
    waited_for = {message.envelope.event_id for message in payments}

    async def handle(_tx, batch):
        waited_for.difference_update(message.envelope.event_id for message in batch)
        if not waited_for:
            handled.set()

    await retry_transient("topics", lambda: ensure_topics(kafka_bootstrap), stop=stop)
    async with await Database.connect(database_url(), application="test") as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(gridtally.messaging.tables.create)
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await enqueue(tx, payments)
        publisher = publishing("message-log")
        consumer = Consumer(
            database,
            kafka_bootstrap,
            "message-log",
            Subscription(PaymentReceived, handle),
            progress=Progress("message-log"),
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
        } == {
            (payment.envelope.correlation_id, str(payment.envelope.event_id))
            for payment in payments
        }


def test_what_there_is_too_much_of_leaves_no_line():
    assert UsageRecorded.TOPIC not in LOGGED
    assert PaymentReceived.TOPIC in LOGGED
