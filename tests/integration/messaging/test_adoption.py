"""What a service has said is taken over from its own topics, and nothing that others say there."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import gridtally.messaging.tables
from gridtally.contracts.envelope import Envelope, source_of
from gridtally.contracts.model import Event
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.kernel.errors import Rejected
from gridtally.messaging import Adopter, Adoption, OutgoingMessage, enqueue
from gridtally.messaging.offsets import fetch_own_offsets
from gridtally.messaging.outbox import relay_once

NOW = datetime(2025, 4, 2, tzinfo=UTC)
STORED = "CREATE TABLE stored (n int PRIMARY KEY CHECK (n <> 13))"
OURS = source_of("test")


@pytest.fixture
async def databases(database_url):
    """A database, and another that is its copy of when nothing had been said."""
    urls = [database_url(), database_url()]
    opened = [await Database.connect(url, application="test") for url in urls]
    for url, database in zip(urls, opened, strict=True):
        database.url = url
        async with database.engine.begin() as connection:
            await connection.run_sync(gridtally.messaging.tables.create)
            await connection.execute(sa.text(STORED))
    yield opened
    for database in opened:
        await database.aclose()


@pytest.fixture
async def kind(kafka_bootstrap):
    """An event on a topic of the test's own, of two partitions."""

    class Said(Event):
        TOPIC: ClassVar[str] = f"said-{uuid4().hex[:8]}"
        KEY: ClassVar[str] = "n"
        n: int

    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    await client.create_topics([NewTopic(Said.TOPIC, 2, 1)])
    await client.close()
    return Said


async def adopt_after_its_predecessor(tx, messages):
    """Each number can only be stored after the one before it."""
    waiting = []
    for message in sorted(messages, key=lambda message: -message.event.n):
        n = message.event.n
        if n == 7:
            raise Rejected("seven", "is refused")
        if (
            n > 1
            and n != 13
            and not await tx.raw.fetchval("SELECT true FROM stored WHERE n = $1", n - 1)
        ):
            waiting.append(message)
        else:
            await tx.raw.execute("INSERT INTO stored VALUES ($1) ON CONFLICT DO NOTHING", n)
    return waiting


def message(kind, n, source=OURS):
    return OutgoingMessage.of(
        kind(n=n), tenant_id="acme", correlation_id="c", source=source, event_id=uuid4(),
        occurred_at=NOW,
    )  # fmt: skip


def adopter(database, bootstrap, kind):
    async def locker():
        return await Database.connect(database.url, application="lock", pool_connections_max=1)

    adoptions = [Adoption(kind, adopt_after_its_predecessor)]
    return Adopter(database, bootstrap, "test", adoptions, locker)


async def stored(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return [row["n"] for row in await read.raw.fetch("SELECT n FROM stored ORDER BY n")]


async def test_what_was_said_is_adopted_in_any_order_and_only_once(
    databases, kind, kafka_bootstrap, publishing
):
    _, restored = databases
    garbage = OutgoingMessage(
        kind.TOPIC, "acme:x", Envelope(uuid4(), kind.TOPIC, OURS, NOW, "acme", "c"), b"{"
    )
    async with publishing() as publisher:
        await publisher.publish(
            [
                *(message(kind, n) for n in (6, 5, 13, 4, 7, 3, 2, 1)),
                message(kind, 8, source="somebody/else"),
                garbage,
            ]
        )
    assert await adopter(restored, kafka_bootstrap, kind).run() == 8
    assert await stored(restored) == [1, 2, 3, 4, 5, 6]
    assert await adopter(restored, kafka_bootstrap, kind).run() == 0


async def test_what_the_relay_has_sent_is_known_and_what_it_was_about_to_send_is_not_sent_again(
    databases, kind, kafka_bootstrap, publishing
):
    said, restored = databases
    first, second = message(kind, 1), message(kind, 2)
    async with publishing() as publisher:
        for database, known in ((said, [first, second]), (restored, [first])):
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                await enqueue(tx, known)
        assert await relay_once(said, publisher) == 2
        assert await adopter(said, kafka_bootstrap, kind).run() == 0
        assert await adopter(restored, kafka_bootstrap, kind).run() == 2
        assert await relay_once(restored, publisher) == 0
    # the first one was known, since it was in the outbox; so it is not stored once more
    assert await stored(restored) == []
    async with snapshot(said, tenant=ALL_TENANTS) as read:
        offsets = await fetch_own_offsets(read, [kind.TOPIC])
    assert sum(offsets.values()) == 2


async def test_what_never_can_be_stored_is_left_out_at_the_end(
    databases, kind, kafka_bootstrap, publishing
):
    _, restored = databases
    async with publishing() as publisher:
        await publisher.publish([message(kind, n) for n in (1, 3)])
    assert await adopter(restored, kafka_bootstrap, kind).run() == 2
    assert await stored(restored) == [1]
    assert await adopter(restored, kafka_bootstrap, kind).run() == 0


async def test_an_open_transaction_of_another_on_the_topic_does_not_hold_it_up(
    databases, kind, kafka_bootstrap, publishing
):
    _, restored = databases
    async with publishing() as publisher:
        await publisher.publish([message(kind, 1)])
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, transactional_id=uuid4().hex, acks="all"
    )
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(kind.TOPIC, b"{}", partition=0)
    await producer.send_and_wait(kind.TOPIC, b"{}", partition=1)
    assert await adopter(restored, kafka_bootstrap, kind).run() == 1
    assert await stored(restored) == [1]
    await producer.abort_transaction()
    await producer.stop()
