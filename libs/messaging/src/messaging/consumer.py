"""Consuming: one batch, one transaction, with the stored offset moved inside it.

Owns fetching, decoding, isolation of poisoned messages and the seek to the stored offset. Kafka's
committed offsets are not used at all. Refuses to skip: what cannot be understood is a dead letter,
what cannot be stored now is tried again, anything else ends the process.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from contracts.envelope import Envelope, read_envelope
from contracts.model import Event
from contracts.topics import TOPICS
from database import ALL_TENANTS, Database, WriteConnection, transaction
from kernel.errors import Poison, Rejected
from messaging.broker import BrokerMismatch, check_bounds, fetch_partitions
from messaging.dead_letters import Budget, bury
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

E = TypeVar("E", bound=Event)
POLL_MS = 200
PARTITION_FETCH_BYTES_MAX = 1024 * 1024
FETCH_BYTES_MAX = 8 * 1024 * 1024
BATCH_BYTES_MAX = 2 * 1024 * 1024
"""The most that one transaction takes of values; decoded they take tens of times that memory."""
SESSION_TIMEOUT_MS = 10_000
POLL_INTERVAL_MAX_MS = 300_000
FAULTS_SHOWN_MAX = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Received(Generic[E]):
    """A message as a handler sees it; `event` None is a tombstone (or was not decoded)."""

    event: E | None
    envelope: Envelope
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None


Handler = Callable[[WriteConnection, Sequence[Received[Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which event goes to which handler, and how many of them at once.

    The handler runs inside the transaction that moves the offsets, for all tenants. With
    `decode=False` it gets the value's bytes and decodes them itself; it raises Poison for a
    message that cannot be understood.
    """

    event: type[Event]
    handle: Handler
    batch_messages_max: int = 500
    decode: bool = True


def decode_record(record: ConsumerRecord, subscription: Subscription) -> Received[Any]:
    """The message's envelope and event; Poison where they cannot be understood."""
    envelope = read_envelope(record.headers)
    if envelope.event_type != record.topic:
        raise Poison(f"{record.topic} carries no {envelope.event_type}")
    event = None
    if record.value is not None and subscription.decode:
        if b"\\u0000" in record.value:
            raise Poison("the value holds NUL characters, which no text column takes")
        try:
            event = subscription.event.model_validate_json(record.value)
        except ValidationError as invalid:
            faults = invalid.errors(include_url=False, include_input=False)[:FAULTS_SHOWN_MAX]
            shown = "; ".join(f"{'/'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
            raise Poison(f"the value is not a {record.topic}: {shown}") from None
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise Poison("the key is not UTF-8") from None
    return Received(
        event, envelope, record.topic, record.partition, record.offset, key, record.value
    )


def batches(records: list[ConsumerRecord], bytes_max: int) -> Iterator[list[ConsumerRecord]]:
    """The records in their order, in batches of at most `bytes_max` or of one record."""
    batch: list[ConsumerRecord] = []
    size = 0
    for record in records:
        weight = len(record.value or b"")
        if batch and size + weight > bytes_max:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += weight
    if batch:
        yield batch


@contextmanager
def collector_resting() -> Iterator[None]:
    """Look for cyclic garbage after a batch, not within.

    A batch keeps some hundred thousand objects alive at once and makes hardly a cycle; looking
    through them again and again took 40 % of ingest's time.
    """
    resting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if resting:
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
        self._next: dict[Partition, int] = {}
        self._budget = Budget()
        self._must_seek = asyncio.Event()

    async def run(self) -> None:
        """Consume until told to stop: finish the batch at hand, leave the group, return."""
        try:
            await persist("subscribe", self._start, stop=self._stop, on_retry=self._count_retry)
            self._progress.ready = True
            while not self._stop.is_set():
                await self._fetch_and_process()
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
        # The log's end is asked for last: meanwhile another process may have consumed further.
        end = await self._kafka.end_offsets(chosen)
        check_bounds(stored, begin, {(tp.topic, tp.partition): end[tp] for tp in chosen})
        for tp in chosen:
            self._kafka.seek(tp, stored[tp.topic, tp.partition])
        self._next = stored

    async def _fetch_and_process(self) -> None:
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
        records = [record for batch in fetched.values() for record in batch]
        if self._must_seek.is_set():
            self._must_seek.clear()
            await persist("seek", self._seek_again, stop=self._stop, on_retry=self._count_retry)
        elif records:
            self._check_continuity(fetched)
            try:
                for batch in batches(records, BATCH_BYTES_MAX):
                    await self._process(batch)
            except OffsetMoved:
                log.info("another process consumes here too", consumer=self._name)
                self._must_seek.set()
        self._observe_lag()

    def _check_continuity(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """BrokerMismatch when the log jumps: a broker that lost messages must not go unnoticed."""
        gaps_are_normal = TOPICS[self._topic].compacted
        for tp, batch in fetched.items():
            expected, found = self._next[tp.topic, tp.partition], batch[0].offset
            if found < expected or (found > expected and not gaps_are_normal):
                raise BrokerMismatch(
                    f"{tp.topic}/{tp.partition} goes on at {found} where {expected} was due"
                )

    async def _process(self, records: list[ConsumerRecord]) -> None:
        """Commit the batch, halved as long as some message in it is poisoned.

        OffsetMoved when another process was quicker; what is left of the batch is then void.
        """
        steps = self._steps(records)
        try:
            await persist(
                f"consume {self._name}",
                lambda: self._commit(records, steps),
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
            self._budget.good(len(records))
            self._moved(steps, len(records))

    def _steps(self, records: list[ConsumerRecord]) -> dict[Partition, Step]:
        last = {(record.topic, record.partition): record.offset for record in records}
        return {place: Step(self._next[place], offset + 1) for place, offset in last.items()}

    async def _commit(self, records: list[ConsumerRecord], steps: dict[Partition, Step]) -> None:
        with collector_resting():
            received = [decode_record(record, self._subscription) for record in records]
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await advance(tx, self._name, steps)
                await self._subscription.handle(tx, received)

    async def _bury(self, record: ConsumerRecord, steps: dict[Partition, Step], why: str) -> None:
        self._budget.bad()

        async def commit() -> None:
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await advance(tx, self._name, steps)
                await bury(tx, self._service, self._name, record, why)

        await persist("bury", commit, stop=self._stop, on_retry=self._count_retry)
        log.warning("dead letter", consumer=self._name, offset=record.offset, reason=why)
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
        self._progress.retries += 1
        self._progress.observe_lag(max(1, self._progress.lag), now_s=time.monotonic())


class _NoteAssignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the consumer that it must seek; aiokafka would swallow an error in here."""

    def __init__(self, must_seek: asyncio.Event) -> None:
        self._must_seek = must_seek

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Nothing to hand over: what is not committed, the next owner reads again."""

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """What is fetched from now on counts only after a seek."""
        self._must_seek.set()
