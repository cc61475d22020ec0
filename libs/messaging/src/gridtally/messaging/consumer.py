"""Consuming: one batch, one transaction, with the stored offset moved inside it.

Owns fetching, isolation of poisoned messages and the seek to the stored offset; Kafka's committed
offsets are not used. While a batch is committed the next one is fetched and decoded, but never
begun. Refuses to skip: what cannot be understood, stored or survived is a dead letter, what cannot
be stored now is tried again, and what would befall any message ends the process.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Literal, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.kernel.errors import Poison, Rejected, Transient
from gridtally.messaging.broker import BrokerMismatch, fetch_partitions
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.data_errors import Blame, blame_of
from gridtally.messaging.dead_letters import LetterQuota, store_dead_letter, tenant_of
from gridtally.messaging.failures import CLIENT_FAILURES, broker_calls, is_passing
from gridtally.messaging.floods import Floods, PartitionFlooded
from gridtally.messaging.garbage_collection import GarbageCollectionPause
from gridtally.messaging.message_log import log_messages
from gridtally.messaging.offsets import (
    OffsetMoved,
    Partition,
    Step,
    advance,
    fetch_offsets,
    insert_offsets,
)
from gridtally.messaging.progress import Progress
from gridtally.messaging.received_messages import (
    ReceivedMessage,
    Subscription,
    batches,
    decode_record,
)
from gridtally.messaging.retries import Stopped, retry_transient
from gridtally.messaging.seek import (
    AssignmentListener,
    check_jumps,
    from_offset,
    passed_markers,
    readable_end,
    seek_to_stored,
)

T = TypeVar("T")
POLL_MS = 200
PARTITION_FETCH_BYTES_MAX = 1024 * 1024
FETCH_BYTES_MAX = 8 * 1024 * 1024
BATCH_BYTES_MAX = 2 * 1024 * 1024
"""The most that one transaction takes of values; decoded they take tens of times that memory."""
PAUSE_BATCHES_MAX = 3
"""So many batches are committed before the collector may look for cyclic garbage."""
DECODE_MESSAGES_MAX = 100
"""So many are decoded at a stretch before the database's answers get their turn."""
SESSION_TIMEOUT_MS = 10_000
POLL_INTERVAL_MAX_MS = 300_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be committed together; `received` None where some cannot be understood."""

    records: list[ConsumerRecord]
    received: list[ReceivedMessage[Any]] | None


class Consumer:
    """One subscription of one process.

    Owns a client of the broker, from `run` until it returns; the database, the stop event and the
    progress are the caller's. Runs in one task, with one more that reads ahead while a batch is
    committed. Decoding blocks the event loop for `DECODE_MESSAGES_MAX` messages at most.
    """

    def __init__(
        self,
        database: Database,
        bootstrap: str,
        service: str,
        subscription: Subscription,
        *,
        progress: Progress,
        stop: asyncio.Event,
        assignment: Literal["all", "group"] = "all",
        quota: LetterQuota | None = None,
        access: BrokerAccess = OPEN,
    ) -> None:
        """Does nothing yet. `all` takes every partition; `group` shares them with the others of
        the same service, and Kafka decides who has which."""
        self._database = database
        self._bootstrap = bootstrap
        self._access = access
        self._service = service
        self._subscription = subscription
        self._topic = subscription.event.TOPIC
        self._name = f"{service}.{self._topic}"
        self._progress = progress
        self._stop = stop
        self._assignment = assignment
        self._quota = quota or LetterQuota()
        self._kafka: Any = None
        self._begin: dict[TopicPartition, int] = {}
        self._next: dict[Partition, int] = {}
        self._fetched: deque[list[ConsumerRecord]] = deque()
        self._floods = Floods()
        self._gc_pause = GarbageCollectionPause()
        self._must_seek = asyncio.Event()

    async def run(self) -> None:
        """Consume until the stop event is set: finish the batch at hand, leave the group, return.

        Waits for as long as broker or database are away. BrokerMismatch and what blames no message
        end it at once. Cancelling it is safe too: a commit that has begun is seen through, another
        is rolled back.
        """
        try:
            await self._retry("subscribe", self._start)
            self._progress.ready = True
            await self._consume()
        except Stopped:
            return
        finally:
            self._progress.ready = False
            await self._leave()

    async def _start(self) -> None:
        await self._leave()
        grouped = self._assignment == "group"
        kafka = AIOKafkaConsumer(
            **self._access.options(self._bootstrap),
            client_id=self._name,
            group_id=self._name if grouped else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
            fetch_max_bytes=FETCH_BYTES_MAX,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 4,
            max_poll_interval_ms=POLL_INTERVAL_MAX_MS,
        )
        self._kafka = kafka
        with broker_calls():
            await kafka.start()
            if grouped:
                kafka.subscribe([self._topic], listener=AssignmentListener(self._must_seek))
            else:
                kafka.assign(await fetch_partitions(self._bootstrap, self._topic, self._access))
                self._must_seek.set()

    async def _leave(self) -> None:
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            await kafka.stop()

    async def _consume(self) -> None:
        """Commit batch after batch, each while the next one is read."""
        batch: Batch | None = None
        while not self._stop.is_set():
            batches_left = PAUSE_BATCHES_MAX if batch else 1
            with self._gc_pause if batch else nullcontext():
                while batches_left and not self._stop.is_set():
                    batch = await self._next_batch(batch)
                    batches_left = batches_left - 1 if batch else 0

    async def _next_batch(self, batch: Batch | None) -> Batch | None:
        """Commit `batch` and return the one that was read meanwhile."""
        if self._must_seek.is_set():
            # What was read ahead is void: it was read before the seek, or is another's by now.
            batch = None
            self._fetched.clear()
            self._must_seek.clear()
            await self._retry("seek", self._seek)
        if batch is None and not self._fetched:
            await self._retry("pass markers", self._pass_markers)
        self._progress.paused = self._floods.apply(self._kafka, now_s=time.monotonic())
        batch = await self._commit_and_read(batch)
        self._observe_lag()
        return batch

    async def _seek(self) -> None:
        """Put every partition at its stored offset; begin new ones at the start of the log."""
        with broker_calls():
            chosen = sorted(self._kafka.assignment())
            self._kafka.resume(*chosen)  # a paused one would tell nothing of its log
            first = await self._kafka.beginning_offsets(chosen)
            begin: dict[Partition, int] = {(tp.topic, tp.partition): first[tp] for tp in chosen}
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await insert_offsets(tx, self._name, begin)
                stored = await fetch_offsets(tx, self._name, list(begin))
            self._begin = {tp: stored[tp.topic, tp.partition] for tp in chosen}
            await seek_to_stored(self._kafka, self._begin, first)
            self._next = stored

    # Without this a log that ends with a marker would lag for ever, and whoever deletes what was
    # consumed would seem to delete what was not.
    async def _pass_markers(self) -> None:
        """Store that nothing is left to read; only while nothing is read, or waits to be."""
        if steps := await passed_markers(self._kafka, self._next):
            try:
                async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                    await advance(tx, self._name, steps)
            except OffsetMoved:
                self._must_seek.set()
            else:
                self._advance_offsets(steps, 0)

    # The next batch is fetched and decoded while this one waits for the database, so that both the
    # processor and the database have work. It is only read: were it begun before this one is
    # committed, a batch that fails would have to undo what came after it.
    async def _commit_and_read(self, batch: Batch | None) -> Batch | None:
        ahead = asyncio.create_task(self._read())
        try:
            if batch:
                await self._process(batch.records, batch.received)
        except OffsetMoved:
            log.info("another process consumes here too", consumer=self._name)
            self._must_seek.set()
        except PartitionFlooded as flood:
            log.warning("partition paused", consumer=self._name, reason=str(flood))
            self._floods.pause(flood, now_s=time.monotonic())
            self._must_seek.set()
        except BaseException:  # raised again, once what reads ahead has ended with us
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
            raise
        return await ahead

    async def _read(self) -> Batch | None:
        """The next batch; None when nothing came for a while, or the consumer has rejoined."""
        if not self._fetched:
            await self._fetch()
        if not self._fetched:
            return None
        records = self._fetched.popleft()
        received: list[ReceivedMessage[Any]] = []
        for start in range(0, len(records), DECODE_MESSAGES_MAX):
            part = records[start : start + DECODE_MESSAGES_MAX]
            try:
                received += self._decode(part)
            except Poison:
                return Batch(records, None)
            await asyncio.sleep(0)
        return Batch(records, received)

    def _decode(self, records: list[ConsumerRecord]) -> list[ReceivedMessage[Any]]:
        kind, read = self._subscription.event, self._subscription.read
        return [decode_record(record, kind, read) for record in records]

    async def _fetch(self) -> None:
        try:
            fetched = await self._kafka.getmany(
                timeout_ms=POLL_MS, max_records=self._subscription.batch_messages_max
            )
        except CLIENT_FAILURES as failure:
            if not is_passing(failure):
                raise
            log.warning("rejoining group", consumer=self._name, reason=repr(failure))
            await self._retry("subscribe", self._start)
            return
        records = (from_offset(records, self._begin.get(tp, 0)) for tp, records in fetched.items())
        self._fetched.extend(batches(chain.from_iterable(records), BATCH_BYTES_MAX))

    # By halves and not one by one: of 500 messages with one that is poisoned, some 20 transactions
    # do instead of 500. The good ones before it are committed, so that their order holds.
    async def _process(
        self, records: list[ConsumerRecord], received: list[ReceivedMessage[Any]] | None = None
    ) -> None:
        """Commit the batch, halved as long as some message in it is poisoned.

        OffsetMoved when another process was quicker, PartitionFlooded when too many were poisoned:
        what is left of the batch is then void."""
        steps = await self._steps(records)
        try:
            messages = received or self._decode(records)
            await self._retry(f"consume {self._name}", lambda: self._commit(messages, steps))
        except (Poison, Rejected) as failure:
            await self._divide(records, steps, str(failure), "data")
        except (OffsetMoved, Stopped):
            raise
        except Exception as failure:  # raised again, unless a message is to blame
            if (blame := blame_of(failure)) is None:
                raise
            if received is not None and len(records) == 1:  # another process may have been at it
                await self._process(records)
            else:
                await self._divide(records, steps, f"{type(failure).__name__}: {failure}", blame)
        else:
            log_messages("handled", messages)
            self._floods.good(steps)
            self._advance_offsets(steps, len(records))

    async def _divide(
        self, records: list[ConsumerRecord], steps: dict[Partition, Step], reason: str, blame: Blame
    ) -> None:
        """Process the halves of a batch that failed; of one message make a dead letter."""
        if len(records) == 1:
            await self._store_dead_letter(records[0], steps, reason)
            for partition in steps:
                self._floods.bad(partition, blame)
            return
        half = len(records) // 2
        await self._process(records[:half])
        await self._process(records[half:])

    async def _steps(self, records: list[ConsumerRecord]) -> dict[Partition, Step]:
        """How the batch moves the stored offsets.

        BrokerMismatch when the log goes back, or jumps over messages that were deleted unread."""
        steps: dict[Partition, Step] = {}
        jumped: dict[Partition, int] = {}
        for number, part in groupby(records, attrgetter("partition")):  # each lies together
            of_partition = list(part)
            first = of_partition[0].offset
            expected = self._next[self._topic, number]
            if first < expected:
                raise BrokerMismatch(
                    f"{self._topic}/{number} continues at {first} where {expected} was due"
                )
            if first > expected:
                jumped[self._topic, number] = expected
            steps[self._topic, number] = Step(expected, of_partition[-1].offset + 1)
        await self._retry("check the log", lambda: check_jumps(self._kafka, jumped))
        return steps

    async def _commit(
        self, received: list[ReceivedMessage[Any]], steps: dict[Partition, Step]
    ) -> None:
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await advance(tx, self._name, steps)
            await self._subscription.handle(tx, received)

    async def _store_dead_letter(
        self, record: ConsumerRecord, steps: dict[Partition, Step], reason: str
    ) -> None:
        async def commit() -> bool:
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await advance(tx, self._name, steps)
                return await store_dead_letter(
                    tx, self._service, self._name, record, reason, self._quota
                )

        stored = await self._retry("store dead letter", commit)
        log.warning(
            "dead letter" if stored else "dead letter dropped",
            consumer=self._name,
            tenant_id=tenant_of(record),
            offset=record.offset,
            reason=reason,
        )
        self._progress.dead += 1
        self._progress.dropped += not stored
        self._advance_offsets(steps, 1)

    def _advance_offsets(self, steps: dict[Partition, Step], messages: int) -> None:
        """Take note that so many messages are committed."""
        for partition, step in steps.items():
            if self._next.get(partition) == step.expected:
                self._next[partition] = step.next
        self._progress.advance(messages, now_s=time.monotonic())

    def _observe_lag(self) -> None:
        lag = 0
        for tp in self._kafka.assignment():
            end = readable_end(self._kafka, tp)
            if end is not None and (tp.topic, tp.partition) in self._next:
                lag += max(0, end - self._next[tp.topic, tp.partition])
        self._progress.observe_lag(lag, now_s=time.monotonic())

    async def _retry(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` returns once it is not Transient; Stopped when asked to end in between."""
        return await retry_transient(what, attempt, stop=self._stop, on_retry=self._count_retry)

    def _count_retry(self, failure: Transient) -> None:
        self._gc_pause.end()  # failures are cyclic garbage, and retries may last for hours
        self._progress.retry(failure, now_s=time.monotonic())
