"""Consuming: one batch, one transaction, with the stored offset moved inside it.

Owns fetching, isolation of poisoned messages and the seek to the stored offset. While a batch is
committed the next one is fetched and decoded, but never begun: one batch is in flight. Kafka's
committed offsets are not used at all. Refuses to skip: what cannot be understood is a dead letter,
what cannot be stored now is tried again, anything else ends the process.
"""

import asyncio
import gc
import time
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Literal

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from contracts.topics import TOPICS
from database import ALL_TENANTS, Database, transaction
from kernel.errors import Poison, Rejected
from messaging.broker import BrokerMismatch, fetch_partitions
from messaging.dead_letters import Budget, bury, tenant_of
from messaging.decoding import Received, Subscription, batches, decode_record
from messaging.failures import broker_calls, is_passing
from messaging.offsets import (
    OffsetMoved,
    Partition,
    Step,
    advance,
    fetch_offsets,
    insert_offsets,
)
from messaging.progress import Progress
from messaging.retries import Stopped, persist
from messaging.seeking import due, go_to
from messaging.trail import log_messages

POLL_MS = 200
PARTITION_FETCH_BYTES_MAX = 1024 * 1024
FETCH_BYTES_MAX = 8 * 1024 * 1024
BATCH_BYTES_MAX = 2 * 1024 * 1024
"""The most that one transaction takes of values; decoded they take tens of times that memory."""
REST_BATCHES_MAX = 3
"""So many batches are committed before the collector looks for cyclic garbage, if it must."""
DECODE_MESSAGES_MAX = 100
"""So many are decoded at a stretch before the database's answers get their turn."""
SESSION_TIMEOUT_MS = 10_000
POLL_INTERVAL_MAX_MS = 300_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be committed together; `received` None where some cannot be understood."""

    records: list[ConsumerRecord]
    received: list[Received[Any]] | None


class CollectorRest:
    """While it lasts nobody looks for cyclic garbage; it lasts for a block, or until `end`.

    A batch keeps some hundred thousand objects alive at once and makes hardly a cycle; looking
    through them again and again took 40 % of ingest's time.
    """

    def __init__(self) -> None:
        self._resting = False

    def __enter__(self) -> None:
        self._resting = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The collector is as it was before."""
        if self._resting:
            self._resting = False
            gc.enable()


class Consumer:
    """One subscription of one process; `run` until the stop event is set."""

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
    ) -> None:
        self._database = database
        self._bootstrap = bootstrap
        self._service = service
        self._subscription = subscription
        self._topic = subscription.event.TOPIC
        self._name = f"{service}.{self._topic}"
        self._progress = progress
        self._stop = stop
        self._assignment = assignment
        self._kafka: Any = None
        self._begin: dict[TopicPartition, int] = {}
        self._next: dict[Partition, int] = {}
        self._fetched: deque[list[ConsumerRecord]] = deque()
        self._budget = Budget()
        self._rest = CollectorRest()
        self._must_seek = asyncio.Event()

    async def run(self) -> None:
        """Consume until told to stop: finish the batch at hand, leave the group, return."""
        try:
            await persist("subscribe", self._start, stop=self._stop, on_retry=self._count_retry)
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
            bootstrap_servers=self._bootstrap,
            client_id=self._name,
            group_id=self._name if grouped else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
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
                kafka.subscribe([self._topic], listener=_NoteAssignment(self._must_seek))
            else:
                kafka.assign(await fetch_partitions(self._bootstrap, self._topic))
                self._must_seek.set()

    async def _leave(self) -> None:
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            await kafka.stop()

    async def _seek(self) -> None:
        """Put every partition where its stored offset says; begin new ones at the start."""
        chosen = sorted(self._kafka.assignment())
        first = await self._kafka.beginning_offsets(chosen)
        begin: dict[Partition, int] = {(tp.topic, tp.partition): first[tp] for tp in chosen}
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await insert_offsets(tx, self._name, begin)
            stored = await fetch_offsets(tx, self._name, list(begin))
        self._begin = {tp: stored[tp.topic, tp.partition] for tp in chosen}
        await go_to(self._kafka, self._begin, first)
        self._next = stored

    async def _consume(self) -> None:
        """Commit batch after batch, each while the next one is read."""
        batch: Batch | None = None
        while not self._stop.is_set():
            turns = REST_BATCHES_MAX if batch else 1
            with self._rest if batch else nullcontext():
                while turns and not self._stop.is_set():
                    batch = await self._turn(batch)
                    turns = turns - 1 if batch else 0

    async def _turn(self, batch: Batch | None) -> Batch | None:
        if self._must_seek.is_set():
            # What was read ahead is void: it was read before the seek, or is another's by now.
            batch = None
            self._fetched.clear()
            self._must_seek.clear()
            await persist("seek", self._seek_again, stop=self._stop, on_retry=self._count_retry)
        batch = await self._commit_and_read(batch)
        self._observe_lag()
        return batch

    async def _commit_and_read(self, batch: Batch | None) -> Batch | None:
        ahead = asyncio.create_task(self._read())
        try:
            if batch:
                await self._process(batch.records, batch.received)
        except OffsetMoved:
            log.info("another process consumes here too", consumer=self._name)
            self._must_seek.set()
        except BaseException:  # raised again, once what reads ahead has ended with us
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
            raise
        return await ahead

    async def _read(self) -> Batch | None:
        """The next batch; None when nothing came for a while, or the broker was joined anew."""
        if not self._fetched:
            await self._fetch()
        if not self._fetched:
            return None
        records = self._fetched.popleft()
        received: list[Received[Any]] = []
        for start in range(0, len(records), DECODE_MESSAGES_MAX):
            part = records[start : start + DECODE_MESSAGES_MAX]
            try:
                received += self._decode(part)
            except Poison:
                return Batch(records, None)
            await asyncio.sleep(0)
        return Batch(records, received)

    def _decode(self, records: list[ConsumerRecord]) -> list[Received[Any]]:
        kind, read = self._subscription.event, self._subscription.read
        return [decode_record(record, kind, read) for record in records]

    async def _fetch(self) -> None:
        try:
            fetched = await self._kafka.getmany(
                timeout_ms=POLL_MS, max_records=self._subscription.batch_messages_max
            )
        except (KafkaError, OSError) as failure:
            if not is_passing(failure):
                raise
            log.warning("rejoining", consumer=self._name, reason=repr(failure))
            await persist("subscribe", self._start, stop=self._stop, on_retry=self._count_retry)
            return
        records = (due(records, self._begin.get(tp, 0)) for tp, records in fetched.items())
        self._fetched.extend(batches(chain.from_iterable(records), BATCH_BYTES_MAX))

    async def _process(
        self, records: list[ConsumerRecord], received: list[Received[Any]] | None = None
    ) -> None:
        """Commit the batch, halved as long as some message in it is poisoned.

        OffsetMoved when another process was quicker; what is left of the batch is then void.
        """
        steps = self._steps(records)
        try:
            messages = received or self._decode(records)
            await persist(
                f"consume {self._name}",
                lambda: self._commit(messages, steps),
                stop=self._stop,
                on_retry=self._count_retry,
            )
        except (Poison, Rejected) as failure:
            if len(records) == 1:
                await self._bury(records[0], steps, str(failure))
                return
            half = len(records) // 2
            await self._process(records[:half])
            await self._process(records[half:])
        else:
            log_messages("handled", messages)
            self._budget.good(Counter(one.envelope.tenant_id for one in messages))
            self._moved(steps, len(records))

    def _steps(self, records: list[ConsumerRecord]) -> dict[Partition, Step]:
        """How the batch moves the stored offsets.

        BrokerMismatch when the log jumps: a broker that lost messages must not go unnoticed.
        """
        gaps_are_normal = TOPICS[self._topic].compacted
        steps: dict[Partition, Step] = {}
        for number, part in groupby(records, attrgetter("partition")):  # each lies together
            together = list(part)
            found = together[0].offset
            expected = self._next[self._topic, number]
            if found < expected or (found > expected and not gaps_are_normal):
                raise BrokerMismatch(
                    f"{self._topic}/{number} goes on at {found} where {expected} was due"
                )
            steps[self._topic, number] = Step(expected, together[-1].offset + 1)
        return steps

    async def _commit(self, received: list[Received[Any]], steps: dict[Partition, Step]) -> None:
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await advance(tx, self._name, steps)
            await self._subscription.handle(tx, received)

    async def _bury(self, record: ConsumerRecord, steps: dict[Partition, Step], why: str) -> None:
        tenant_id = tenant_of(record)
        self._budget.bad(tenant_id)

        async def commit() -> None:
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await advance(tx, self._name, steps)
                await bury(tx, self._service, self._name, record, why)

        await persist("bury", commit, stop=self._stop, on_retry=self._count_retry)
        log.warning(
            "dead letter",
            consumer=self._name,
            tenant_id=tenant_id,
            offset=record.offset,
            reason=why,
        )
        self._progress.dead += 1
        self._moved(steps, 1)

    async def _seek_again(self) -> None:
        with broker_calls():
            await self._seek()

    def _moved(self, steps: dict[Partition, Step], messages: int) -> None:
        for place, step in steps.items():
            if self._next.get(place) == step.expected:
                self._next[place] = step.next
        self._progress.advance(messages, now_s=time.monotonic())

    def _observe_lag(self) -> None:
        lag = 0
        for tp in self._kafka.assignment():
            end = self._kafka.highwater(tp)
            if end is not None and (tp.topic, tp.partition) in self._next:
                lag += max(0, end - self._next[tp.topic, tp.partition])
        self._progress.observe_lag(lag, now_s=time.monotonic())

    def _count_retry(self) -> None:
        self._rest.end()  # failures are cyclic garbage, and retries may go on for hours
        self._progress.retries += 1
        self._progress.observe_lag(max(1, self._progress.lag), now_s=time.monotonic())


class _NoteAssignment(ConsumerRebalanceListener):  # type: ignore[misc] # untyped
    """Tells the consumer that it must seek; aiokafka would swallow an error in here."""

    def __init__(self, must_seek: asyncio.Event) -> None:
        self._must_seek = must_seek

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Nothing to hand over: what is not committed, the next owner reads again."""

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """What is fetched from now on counts only after a seek."""
        self._must_seek.set()
