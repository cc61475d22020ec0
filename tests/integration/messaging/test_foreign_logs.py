"""A log that others write too: transactions, deleted records, compaction, floods, odd values."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

import gridtally.messaging.tables
from gridtally.contracts.metering import ReadingsReceived
from gridtally.database import ALL_TENANTS, Database, snapshot
from gridtally.messaging import BrokerMismatch, Consumer, Progress, Subscription

LIMIT_S = 120
UNSURVIVED = 99
"""The number that the handler has a defect with."""
AT = datetime(2025, 1, 1, tzinfo=UTC)
SEEN = "CREATE TABLE seen (position bigserial, n int UNIQUE CHECK (n <> 13))"


@pytest.fixture
async def database(database_url):
    async with await Database.connect(database_url(), application="test") as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(gridtally.messaging.tables.create)
            await connection.execute(sa.text(SEEN))
        yield opened


@pytest.fixture
async def admin(kafka_bootstrap):
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def event(admin):
    """Readings on a topic of the test's own, of two partitions, whose log it may spoil."""

    class Foreign(ReadingsReceived):
        TOPIC = f"foreign-{uuid4().hex[:8]}"

    await admin.create_topics([NewTopic(Foreign.TOPIC, 2, 1)])
    return Foreign


@pytest.fixture
async def producing(kafka_bootstrap):
    started = []

    async def start(**options):
        producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, **options)
        await producer.start()
        started.append(producer)
        return producer

    yield start
    for producer in started:
        await producer.stop()


def reading(event, n):
    """What a gateway sends, as keyword arguments of a producer."""
    value = event(meter_id=uuid4(), flow="import", start_at=AT, minutes=15, values=[n])
    headers = {
        "ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_type": event.TOPIC,
        "ce_source": "foreign", "ce_time": AT.isoformat(), "ce_tenantid": "acme",
    }  # fmt: skip
    return {
        "topic": event.TOPIC,
        "value": value.model_dump_json().encode(),
        "headers": [(name, text.encode()) for name, text in headers.items()],
    }


async def send(producer, event, numbers, partition=0):
    for n in numbers:
        await producer.send_and_wait(**reading(event, n), partition=partition)


async def record_all(tx, batch):
    if any(message.event.values[0] == UNSURVIVED for message in batch):
        raise ZeroDivisionError
    await tx.raw.executemany(
        "INSERT INTO seen (n) VALUES ($1)", [(message.event.values[0],) for message in batch]
    )


class Running:
    """A consumer for the length of a block; what ends it surfaces."""

    def __init__(self, database, bootstrap, event):
        self.progress = Progress("test")
        self.stop = asyncio.Event()
        self._consumer = Consumer(
            database, bootstrap, "test", Subscription(event, record_all),
            progress=self.progress, stop=self.stop,
        )  # fmt: skip

    async def __aenter__(self):
        self._task = asyncio.create_task(self._consumer.run())
        return self

    async def __aexit__(self, kind, *_):
        self.stop.set()
        await asyncio.wait_for(self._task, LIMIT_S)

    async def until(self, condition):
        async with asyncio.timeout(LIMIT_S):
            while not await condition():
                if self._task.done():
                    await self._task
                await asyncio.sleep(0.05)


async def seen(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return [row["n"] for row in await read.all(sa.text("SELECT n FROM seen ORDER BY n"))]


async def dead(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        rows = await read.all(sa.text('SELECT reason FROM dead_letter ORDER BY "offset"'))
        return [row["reason"] for row in rows]


async def stored(database, partition=0):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        sql = "SELECT next FROM consumed WHERE partition = :partition"
        return await read.scalar(sa.text(sql), {"partition": partition})


def sees(database, expected):
    async def condition():
        return await seen(database) == expected

    return condition


def has_stored(database, offset):
    async def condition():
        return await stored(database) == offset

    return condition


async def test_a_transactional_gateway_is_read_and_what_it_aborts_is_not(
    database, kafka_bootstrap, event, producing
):
    """Kafka Streams, Flink, Spring and Debezium write in transactions: markers take offsets."""
    producer = await producing(transactional_id=f"gw-{uuid4()}")
    async with Running(database, kafka_bootstrap, event) as consumer:
        for first in (0, 3):
            async with producer.transaction():
                await send(producer, event, range(first, first + 3))
        await producer.begin_transaction()
        await send(producer, event, range(100, 103))
        await producer.abort_transaction()
        async with producer.transaction():
            await send(producer, event, [6])
        # 3 + marker, 3 + marker, 3 aborted + marker, 1 + marker
        await consumer.until(has_stored(database, 14))
        assert await seen(database) == list(range(7))
        await producer.begin_transaction()
        await send(producer, event, [7])
        await asyncio.sleep(1)  # an open one is not read, and nothing lags meanwhile
        assert (await seen(database), consumer.progress.lag) == (list(range(7)), 0)
        await producer.commit_transaction()
        await consumer.until(sees(database, list(range(8))))
    async with Running(database, kafka_bootstrap, event) as consumer:  # and after a restart
        async with producer.transaction():
            await send(producer, event, [8])
        await consumer.until(sees(database, list(range(9))))
        assert await dead(database) == []


async def test_records_that_were_consumed_may_be_deleted_and_others_are_missed(
    database, kafka_bootstrap, event, producing, admin
):
    producer = await producing(transactional_id=f"gw-{uuid4()}")
    partition = TopicPartition(event.TOPIC, 0)
    async with Running(database, kafka_bootstrap, event) as consumer:
        async with producer.transaction():
            await send(producer, event, range(3))
        await consumer.until(has_stored(database, 4))
        await admin.delete_records({partition: RecordsToDelete(before_offset=4)})
        async with producer.transaction():
            await send(producer, event, [3])
        await consumer.until(has_stored(database, 6))
    await admin.delete_records({partition: RecordsToDelete(before_offset=6)})
    async with Running(database, kafka_bootstrap, event) as consumer:
        async with producer.transaction():
            await send(producer, event, [4])
        await consumer.until(has_stored(database, 8))
    assert await seen(database) == [0, 1, 2, 3, 4]
    async with producer.transaction():
        await send(producer, event, [5, 6])
    await admin.delete_records({partition: RecordsToDelete(before_offset=9)})
    with pytest.raises(BrokerMismatch, match="messages are missing"):
        async with Running(database, kafka_bootstrap, event) as consumer:
            await consumer.until(sees(database, [0, 1, 2, 3, 4, 6]))


async def test_a_topic_that_an_operator_has_compacted_is_read_on(
    database, kafka_bootstrap, event, producing, admin
):
    """Every message has one key: compaction leaves the last of those that are closed off."""
    settings = {
        "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0",
        "max.compaction.lag.ms": "100",
    }  # fmt: skip
    topic = event.TOPIC = f"foreign-{uuid4().hex[:8]}"
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=settings)])
    producer = await producing()
    async with Running(database, kafka_bootstrap, event) as consumer:
        await producer.send_and_wait(**reading(event, 0), key=b"k")
        await consumer.until(sees(database, [0]))
    for n in range(1, 6):
        await producer.send_and_wait(**reading(event, n), key=b"k")
        await asyncio.sleep(0.3)  # each closes the segment before it
    await until_compacted(kafka_bootstrap, topic, at_most=4)
    async with Running(database, kafka_bootstrap, event) as consumer:
        await consumer.until(has_stored(database, 6))
    left = await seen(database)
    assert (left[0], left[-1]) == (0, 5)
    assert len(left) < 6


async def until_compacted(bootstrap, topic, at_most):
    """Wait for the broker's cleaner, which looks every 15 seconds."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            reader = AIOKafkaConsumer(
                topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
            )
            await reader.start()
            try:
                end = (await reader.end_offsets([TopicPartition(topic, 0)])).popitem()[1]
                count = 0
                async for record in reader:
                    count += 1
                    if record.offset == end - 1:
                        break
            finally:
                await reader.stop()
            if count <= at_most:
                return
            await asyncio.sleep(1)


@pytest.mark.parametrize(
    "spoiled",
    [2**40, 13, 4, UNSURVIVED],
    ids=["too large", "constraint", "duplicate", "defect"],
)
async def test_what_cannot_be_handled_is_a_dead_letter_and_the_others_are_handled(
    database, kafka_bootstrap, event, producing, spoiled
):
    """int4 has no 2^40, the table no 13 and no second 4 (SQLSTATE classes 22 and 23), and our own
    code does not survive one number."""
    producer = await producing()
    numbers = [0, 1, 2, 4, spoiled, 5, 6]
    await send(producer, event, numbers)
    async with Running(database, kafka_bootstrap, event) as consumer:
        await consumer.until(has_stored(database, len(numbers)))
        assert consumer.progress.dead == 1
    assert await seen(database) == [0, 1, 2, 4, 5, 6]
    assert len(await dead(database)) == 1


async def test_a_flood_pauses_its_partition_and_nothing_else(
    database, kafka_bootstrap, event, producing
):
    """The first thing that is read, of forty tenants: the process goes on, and so do others."""
    producer = await producing()
    for n in range(250):
        headers = [("ce_tenantid", f"x{n % 40}".encode())]
        await producer.send(event.TOPIC, b"{}", headers=headers, partition=0)
    await producer.flush()
    await send(producer, event, [1, 2], partition=0)
    await send(producer, event, [3, 4], partition=1)
    async with Running(database, kafka_bootstrap, event) as consumer:
        await consumer.until(sees(database, [3, 4]))
        assert consumer.progress.dead <= 200, "others do not wait for the flood"
        await consumer.until(sees(database, [1, 2, 3, 4]))
        assert consumer.progress.dead == 250
        assert consumer.progress.paused == 0
    assert len(await dead(database)) == 250
