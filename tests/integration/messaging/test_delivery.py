"""The delivery protocol on the real broker and database: nothing lost, nothing twice."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

import gridtally.messaging.tables
from gridtally.contracts.metering import ReadingsReceived
from gridtally.contracts.topics import dead_letter_topic
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.kernel.errors import Poison, Transient
from gridtally.messaging import (
    BrokerMismatch,
    Consumer,
    OutgoingMessage,
    Progress,
    Subscription,
    check_identity,
    enqueue,
    ensure_topics,
    run_relay,
)
from gridtally.messaging.dead_letters import HEADER_BYTES_MAX, HEADERS_MAX, VALUE_BYTES_MAX

TOPIC = ReadingsReceived.TOPIC
SERVICE = "ledger"
"""A name that has a topic of dead letters."""
DRAIN_S = 120
POLL_MS = 200
HUGE = b"\x01" * 7_900_000
"""As JSON text six times as long, and longer than the broker takes; compressed it is tiny."""
DEAD = "SELECT reason, value FROM dead_letter ORDER BY reason"
DEAD_COUNT = "SELECT count(*) FROM dead_letter"
SEEN = "CREATE TABLE seen (position bigserial, event_id uuid, n int)"


CONSUMED = "INSERT INTO consumed VALUES (:consumer, :topic, :partition, :next)"


@pytest.fixture
async def database(database_url, topics):
    """One that begins at the topic's end: what other tests left there is none of its business."""
    async with await Database.connect(database_url(), application="test") as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(gridtally.messaging.tables.create)
            await connection.execute(sa.text(SEEN))
            for partition, end in topics.items():
                position = {"topic": TOPIC, "partition": partition.partition, "next": end}
                await connection.execute(
                    sa.text(CONSUMED), {"consumer": f"{SERVICE}.{TOPIC}"} | position
                )
        yield opened


@pytest.fixture
async def topics(kafka_bootstrap):
    """The ends of the topic's partitions."""
    await ensure_topics(kafka_bootstrap)
    await ensure_topics(kafka_bootstrap)  # the second time everything is there
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka_bootstrap) as consumer:
        return await consumer.end_offsets(consumer.assignment())


def block(tenant, n):
    event = ReadingsReceived(
        meter_id=uuid4(), flow="import", start_at=datetime(2025, 1, 1, tzinfo=UTC), minutes=15,
        values=[n],
    )  # fmt: skip
    return OutgoingMessage.of(
        event,
        tenant_id=tenant,
        correlation_id=f"c-{n}",
        source="test",
        event_id=uuid4(),
        occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


@asynccontextmanager
async def running(*works):
    """Run `works(stop)` in the background until the block ends; their failures surface."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work(stop))
        yield
        stop.set()


def consuming(
    database, bootstrap, handle, tenant, *, name=SERVICE, assignment="all", progress=None
):
    """A consumer that handles only its own test's tenant; of others no message is handled."""

    async def only_mine(tx, batch):
        mine = [message for message in batch if message.envelope.tenant_id == tenant]
        if mine:
            await handle(tx, mine)

    def work(stop):
        return Consumer(
            database,
            bootstrap,
            name,
            Subscription(ReadingsReceived, only_mine),
            progress=progress or Progress(name),
            stop=stop,
            assignment=assignment,
        ).run()

    return work


async def record_all(tx, batch):
    await tx.raw.executemany(
        "INSERT INTO seen (event_id, n) VALUES ($1, $2)",
        [(message.envelope.event_id, message.event.values[0]) for message in batch],
    )


async def eventually(database, sql, expected):
    async with asyncio.timeout(DRAIN_S):
        while True:
            async with snapshot(database, tenant=ALL_TENANTS) as read:
                if await read.scalar(sa.text(sql)) == expected:
                    return
            await asyncio.sleep(0.05)


async def test_from_outbox_to_handler_in_order_and_once(database, kafka_bootstrap, publishing):
    tenant = f"t-{uuid4().hex[:8]}"
    sent = [block(tenant, n) for n in range(2_500)]
    same_key = [OutgoingMessage(m.topic, f"{tenant}:one", m.envelope, m.value) for m in sent[:500]]
    for start in range(0, 500, 100):
        async with transaction(database, tenant=tenant) as tx:
            await enqueue(tx, same_key[start : start + 100])
    async with transaction(database, tenant=tenant) as tx:
        await enqueue(tx, sent[500:])

    async with (
        publishing() as first,
        publishing("second") as second,
        running(
            lambda stop: run_relay(database, first, Progress("relay"), stop),
            lambda stop: run_relay(database, second, Progress("relay"), stop),
            consuming(database, kafka_bootstrap, record_all, tenant),
        ),
    ):
        await eventually(database, "SELECT count(*) FROM seen", 2_500)
        await eventually(database, "SELECT count(*) FROM outbox", 0)

    async with snapshot(database, tenant=ALL_TENANTS) as read:
        assert await read.scalar(sa.text("SELECT count(*) FROM seen")) == 2_500
        assert await read.scalar(sa.text("SELECT count(DISTINCT event_id) FROM seen")) == 2_500
        rows = await read.all(sa.text("SELECT n FROM seen WHERE n < 500 ORDER BY position"))
        assert [row["n"] for row in rows] == list(range(500))


async def test_a_handler_that_fails_changes_nothing_and_is_tried_again(
    database, kafka_bootstrap, publishing
):
    tenant = f"t-{uuid4().hex[:8]}"
    failures = iter([True, True, False])
    progress = Progress("test")

    async def flaky(tx, batch):
        await record_all(tx, batch)
        if next(failures, False):
            raise Transient("away for now")

    async with publishing() as publisher:
        await publisher.publish([block(tenant, n) for n in range(10)])
    async with running(consuming(database, kafka_bootstrap, flaky, tenant, progress=progress)):
        await eventually(database, "SELECT count(*) FROM seen", 10)
    assert progress.retries >= 2


async def test_a_poisoned_message_is_a_dead_letter_and_the_others_are_handled(
    database, kafka_bootstrap, publishing
):
    tenant = f"t-{uuid4().hex[:8]}"

    async def picky(tx, batch):
        if any(message.event.values[0] == 37 for message in batch):
            raise Poison("37 cannot be understood")
        await record_all(tx, batch)

    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(TOPIC, b"not json", headers=block(tenant, 0).envelope.headers())
    await producer.send_and_wait(TOPIC, b"{}")
    await producer.stop()
    async with publishing() as publisher:
        await publisher.publish([block(tenant, n) for n in range(100)])
        async with running(
            consuming(database, kafka_bootstrap, picky, tenant),
            lambda stop: run_relay(database, publisher, Progress("relay"), stop),
        ):
            await eventually(database, "SELECT count(*) FROM seen", 99)
            await eventually(database, DEAD_COUNT, 3)
            await eventually(database, "SELECT count(*) FROM outbox", 0)

    async with snapshot(database, tenant=ALL_TENANTS) as read:
        rows = await read.all(sa.text(DEAD))
    assert [row["reason"] for row in rows] == [
        "37 cannot be understood",
        "the envelope has no ce_specversion header",
        (
            "the value is not a readings.received.v1: : "
            "Invalid JSON: expected ident at line 1 column 2"
        ),
    ]
    assert rows[2]["value"] == b"not json"
    published = {letter["reason"] for letter in await dead_letters(kafka_bootstrap)}
    assert published >= {row["reason"] for row in rows}


async def test_a_huge_poisoned_message_is_stored_whole_and_published_in_part(
    database, kafka_bootstrap, publishing
):
    sent = [*block("t-huge", 0).envelope.headers(), *[("loud", HUGE[:2_000])] * 60]
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, compression_type="gzip", max_request_size=2 * len(HUGE)
    ) as producer:
        await producer.send_and_wait(TOPIC, HUGE, headers=sent)
    async with (
        publishing() as publisher,
        running(
            consuming(database, kafka_bootstrap, record_all, "t-huge"),
            lambda stop: run_relay(database, publisher, Progress("relay"), stop),
        ),
    ):
        await eventually(database, "SELECT max(length(value)) FROM dead_letter", len(HUGE))
        await eventually(database, "SELECT count(*) FROM outbox", 0)
    [letter] = [
        letter
        for letter in await dead_letters(kafka_bootstrap)
        if "loud" in dict(letter["headers"])
    ]
    assert set(letter["value"]) == {"\x01"}
    assert len(letter["value"]) == VALUE_BYTES_MAX
    assert len(letter["headers"]) == HEADERS_MAX
    assert letter["headers"][-1] == ["loud", "\x01" * HEADER_BYTES_MAX]


async def dead_letters(bootstrap):
    """All that the topic holds now."""
    letters = []
    async with (
        asyncio.timeout(DRAIN_S),
        AIOKafkaConsumer(
            dead_letter_topic(SERVICE),
            bootstrap_servers=bootstrap,
            auto_offset_reset="earliest",
        ) as consumer,
    ):
        ends = await consumer.end_offsets(consumer.assignment())
        assert ends
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                letters += [json.loads(record.value) for record in batch]
    return letters


async def test_two_processes_on_the_same_partitions_consume_once(
    database, kafka_bootstrap, publishing
):
    """Zombies: both take all partitions, and the stored offset lets one of them win."""
    tenant = f"t-{uuid4().hex[:8]}"

    async def slow(tx, batch):
        await record_all(tx, batch)
        await asyncio.sleep(0.01)

    async with (
        publishing() as publisher,
        running(
            consuming(database, kafka_bootstrap, slow, tenant),
            consuming(database, kafka_bootstrap, slow, tenant),
        ),
    ):
        for start in range(0, 1_000, 100):
            await publisher.publish([block(tenant, start + n) for n in range(100)])
        await eventually(database, "SELECT count(*) FROM seen", 1_000)
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        assert await read.scalar(sa.text("SELECT count(DISTINCT n) FROM seen")) == 1_000


async def test_a_group_survives_members_that_come_and_go(database, kafka_bootstrap, publishing):
    tenant = f"t-{uuid4().hex[:8]}"
    name = f"group-{uuid4().hex[:8]}"

    def member():
        return consuming(
            database, kafka_bootstrap, record_all, tenant, name=name, assignment="group"
        )

    async with publishing() as publisher, running(member()):
        await publisher.publish([block(tenant, n) for n in range(300)])
        async with running(member()):
            await publisher.publish([block(tenant, n) for n in range(300, 600)])
            await eventually(database, "SELECT count(*) FROM seen", 600)
        await publisher.publish([block(tenant, n) for n in range(600, 900)])
        await eventually(database, "SELECT count(*) FROM seen", 900)
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        assert await read.scalar(sa.text("SELECT count(DISTINCT n) FROM seen")) == 900


async def test_another_brokers_log_is_noticed(database, kafka_bootstrap):
    await check_identity(database, kafka_bootstrap)
    await check_identity(database, kafka_bootstrap)
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.execute(sa.text("UPDATE broker SET cluster_id = 'another'"))
    with pytest.raises(BrokerMismatch, match="another"):
        await check_identity(database, kafka_bootstrap)


async def test_a_log_that_ends_before_the_stored_offset_is_noticed(database, kafka_bootstrap):
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.execute(
            sa.text("UPDATE consumed SET next = 999999999 WHERE partition = 0"),
        )
    with pytest.raises(BrokerMismatch, match="messages are missing"):
        await consuming(database, kafka_bootstrap, record_all, "t")(asyncio.Event())
