"""Reading ahead: the next batch is decoded during a commit, and is never begun before its turn.

The database is real; the log is in memory, so that each test says what is read when.
"""

import asyncio
import gc
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from aiokafka import TopicPartition

import gridtally.messaging.tables
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import ReadingsReceived
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.kernel.errors import Transient
from gridtally.messaging import BrokerMismatch, Consumer, Progress, Subscription

PARTITION = TopicPartition(ReadingsReceived.TOPIC, 0)
BATCH = 10
LIMIT_S = 120
AT = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(database_url):
    async with await Database.connect(database_url(), application="test") as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(gridtally.messaging.tables.create)
            await connection.execute(sa.text("CREATE TABLE seen (position bigserial, n int)"))
        yield opened


def record(n, value=None):
    event = ReadingsReceived(
        meter_id=UUID(int=n), flow="import", start_at=AT, minutes=15, values=[n]
    )  # fmt: skip
    envelope = Envelope(uuid4(), event.TOPIC, "test", AT, "acme", f"c-{n}")
    return SimpleNamespace(
        topic=PARTITION.topic, partition=0, offset=n, timestamp=0, key=b"acme:1",
        value=value or event.model_dump_json().encode(), headers=envelope.headers(),
    )  # fmt: skip


class Log:
    """One partition, as aiokafka's consumer shows it to one process."""

    def __init__(self, records, begins=0):
        self.records = records
        self.begins = begins
        self.index = 0
        self.read = asyncio.Event()

    def assignment(self):
        return {PARTITION}

    def highwater(self, _partition):
        return len(self.records)

    def last_stable_offset(self, _partition):
        return None

    def resume(self, *_partitions):
        """None is paused."""

    async def position(self, _partition):
        return self.records[self.index - 1].offset + 1 if self.index else 0

    async def beginning_offsets(self, _partitions):
        begins = self.begins if self.index else 0
        return {PARTITION: begins}

    async def end_offsets(self, _partitions):
        return {PARTITION: self.records[-1].offset + 1}

    def seek(self, _partition, offset):
        self.index = sum(record.offset < offset for record in self.records)

    async def getmany(self, *_partitions, timeout_ms, max_records):
        fetched = self.records[self.index : self.index + max_records]
        self.index += len(fetched)
        if self.index >= 2 * BATCH:
            self.read.set()
        await asyncio.sleep(0 if fetched else timeout_ms / 10_000)
        return {PARTITION: fetched} if fetched else {}

    async def stop(self):
        """Nothing to leave."""


class Reader(Consumer):
    """A consumer of a log in memory."""

    def __init__(self, database, log, handle, stop=None):
        subscription = Subscription(ReadingsReceived, handle, batch_messages_max=BATCH)
        self.log = log
        self.stop = stop or asyncio.Event()
        super().__init__(
            database, "", "test", subscription, progress=Progress("test"), stop=self.stop
        )

    async def _start(self):
        self._kafka = self.log
        self._must_seek.set()


async def record_all(tx, batch):
    await tx.raw.executemany(
        "INSERT INTO seen (n) VALUES ($1)", [(message.event.values[0],) for message in batch]
    )


async def seen(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return [row["n"] for row in await read.all(sa.text("SELECT n FROM seen ORDER BY position"))]


async def stored_offset(database):
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        return await read.scalar(sa.text("SELECT next FROM consumed"))


async def run_until(reader, messages):
    """Run until so many are handled or dead, then stop; a failure of the consumer surfaces."""
    progress = reader._progress
    task = asyncio.create_task(reader.run())
    async with asyncio.timeout(LIMIT_S):
        while progress.handled < messages and not task.done():  # noqa: ASYNC110 - a plain record
            await asyncio.sleep(0.01)
    reader.stop.set()
    await task


async def test_the_next_batch_is_read_during_a_commit_and_begun_after_it(database):
    log = Log([record(n) for n in range(3 * BATCH)])
    begun, ended = [], []

    async def patient(tx, batch):
        begun.append(batch[0].offset)
        await asyncio.wait_for(log.read.wait(), LIMIT_S)
        assert ended == begun[:-1]
        await record_all(tx, batch)
        ended.append(batch[0].offset)

    await run_until(Reader(database, log, patient), 3 * BATCH)
    assert begun == [0, BATCH, 2 * BATCH]
    assert await seen(database) == list(range(3 * BATCH))


async def test_a_poisoned_message_that_was_read_ahead_is_a_dead_letter_alone(database):
    records = [record(n, value=b"{" if n in {14, 25} else None) for n in range(3 * BATCH)]
    await run_until(Reader(database, Log(records), record_all), 3 * BATCH)
    assert await seen(database) == [n for n in range(3 * BATCH) if n not in {14, 25}]
    async with snapshot(database, tenant=ALL_TENANTS) as read:
        rows = await read.all(sa.text('SELECT "offset" FROM dead_letter ORDER BY 1'))
    assert [row["offset"] for row in rows] == [14, 25]


async def test_what_another_process_was_quicker_with_is_not_handled_again(database):
    """The other one handles the first 15; the batch at hand and what was read ahead are void."""
    log = Log([record(n) for n in range(4 * BATCH)])
    others = iter([15])

    reader = Reader(database, log, record_all)
    commit = reader._commit

    async def overtaken(received, steps):
        if (moved := next(others, None)) is not None:
            await asyncio.wait_for(log.read.wait(), LIMIT_S)
            await move_stored_offset(database, moved)
        await commit(received, steps)

    reader._commit = overtaken
    await run_until(reader, 25)
    assert await seen(database) == list(range(15, 4 * BATCH))
    assert await stored_offset(database) == 4 * BATCH


async def move_stored_offset(database, offset):
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute("UPDATE consumed SET next = $1", offset)


async def test_two_processes_that_read_ahead_handle_each_message_once(database):
    records = [record(n) for n in range(20 * BATCH)]
    stop = asyncio.Event()
    readers = [Reader(database, Log(records), record_all, stop) for _ in range(2)]
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        for reader in readers:
            group.create_task(reader.run())
        while sum(reader._progress.handled for reader in readers) < len(records):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        stop.set()
    assert await seen(database) == list(range(len(records)))


async def test_a_stop_commits_the_batch_at_hand_and_not_the_one_that_was_read_ahead(database):
    log = Log([record(n) for n in range(3 * BATCH)])
    reader = Reader(database, log, record_all)

    async def stopped(tx, batch):
        await asyncio.wait_for(log.read.wait(), LIMIT_S)
        await record_all(tx, batch)
        reader.stop.set()

    reader._subscription = Subscription(ReadingsReceived, stopped, batch_messages_max=BATCH)
    await asyncio.wait_for(reader.run(), LIMIT_S)
    assert await seen(database) == list(range(BATCH))
    await run_until(Reader(database, log, record_all), 2 * BATCH)
    assert await seen(database) == list(range(3 * BATCH))


async def test_what_no_message_is_to_blame_for_ends_the_consumer_and_its_reading(database):
    async def broken(tx, _batch):
        await tx.raw.execute("SELECT 1 FROM a_table_that_a_migration_forgot")

    before = asyncio.all_tasks()
    with pytest.raises(asyncpg.UndefinedTableError):
        await Reader(database, Log([record(n) for n in range(3 * BATCH)]), broken).run()
    assert asyncio.all_tasks() == before
    assert await seen(database) == []
    assert await stored_offset(database) == 0


async def test_the_collector_pauses_during_commits_but_not_when_they_are_tried_again(database):
    collecting = []

    async def flaky(tx, batch):
        collecting.append(gc.isenabled())
        if len(collecting) == 2:
            raise Transient("away for now")
        await record_all(tx, batch)

    await run_until(Reader(database, Log([record(n) for n in range(3 * BATCH)]), flaky), 3 * BATCH)
    assert collecting == [False, False, True, True]
    assert gc.isenabled()


async def test_a_log_that_jumps_over_messages_that_were_deleted_unread_is_noticed(database):
    records = [record(n) for n in range(3 * BATCH) if not BATCH <= n < BATCH + 3]
    log = Log(records, begins=BATCH + 3)
    with pytest.raises(BrokerMismatch, match="is 10, but the broker's log begins at 13"):
        await Reader(database, log, record_all).run()
    assert await seen(database) == list(range(BATCH))


async def test_a_log_that_jumps_over_markers_and_compacted_messages_is_whole(database):
    offsets = [n for n in range(3 * BATCH) if n % 7 and not BATCH <= n < BATCH + 3]
    await run_until(Reader(database, Log([record(n) for n in offsets]), record_all), len(offsets))
    assert await seen(database) == offsets
