"""The end of a few topics, for those who only look: no database, no group, nothing decoded unasked.

Owns positions in memory, and reading again from such a position. Whoever must not miss a message
stores its position in a database and uses a `Consumer`.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from gridtally.contracts.model import Event
from gridtally.kernel.errors import Transient
from gridtally.messaging.broker import BrokerMismatch, fetch_partitions
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.consumer import POLL_MS
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.offsets import Partition
from gridtally.messaging.received_messages import ReceivedMessage, decode_record
from gridtally.messaging.seek import from_offset, seek_to_stored

BATCH_MESSAGES_MAX = 1_000
ANSWER_LIMIT_S = 5.0
START_LIMIT_S = 15.0

Positions = Mapping[Partition, int]
"""The next offset of each partition."""


class TailMessage(NamedTuple):
    """A message as it lies in the log: its key is read, its value only by `decode`."""

    partition: Partition
    offset: int
    logged_at: datetime
    key: str
    record: ConsumerRecord
    kind: type[Event]

    def decode(self) -> ReceivedMessage[Any]:
        """The envelope and the event; Poison where they are none."""
        return decode_record(self.record, self.kind)


class Tail:
    """Follows from the end of the topics on, or from positions; `async with Tail(…) as tail`.

    Transient when the broker does not answer, BrokerMismatch where its log does not have the
    positions, or has them no longer.
    """

    def __init__(
        self,
        bootstrap: str,
        *events: type[Event],
        start: Positions | None = None,
        access: BrokerAccess = OPEN,
    ) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._kinds = {event.TOPIC: event for event in events}
        self._start = start
        self._next: dict[TopicPartition, int] = {}
        # The stand-in Tansu reports ends inside its last batch, which positions may be beyond.
        self._ends: dict[TopicPartition, int] = {}
        # Where the log does not have a position, we hear of it, instead of being put elsewhere.
        self._kafka: Any = AIOKafkaConsumer(
            **access.options(bootstrap),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
        )

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._begin()
        except TimeoutError as late:
            await self._kafka.stop()
            raise Transient("the broker does not answer in time") from late
        except BaseException:  # raised again: what was not entered, nobody else would stop
            await self._kafka.stop()
            raise
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self._kafka.stop()

    @property
    def positions(self) -> dict[Partition, int]:
        """Where it goes on."""
        return {(tp.topic, tp.partition): offset for tp, offset in self._next.items()}

    async def batch(self) -> list[TailMessage]:
        """What has come, in the order of each partition; nothing after a fifth of a second."""
        try:
            with broker_calls():
                fetched = await self._kafka.getmany(
                    timeout_ms=POLL_MS, max_records=BATCH_MESSAGES_MAX
                )
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as gone:
            raise BrokerMismatch("the log has lost what comes next") from gone
        messages = []
        for tp, records in fetched.items():
            for record in from_offset(records, self._next[tp]):
                messages.append(self._message(tp, record))
                self._next[tp] = record.offset + 1
        return messages

    async def check(self) -> None:
        """Raise as the class says where the broker is away, or its log ends before we are."""
        try:
            with broker_calls():
                ends = await asyncio.wait_for(
                    self._kafka.end_offsets(list(self._next)), ANSWER_LIMIT_S
                )
        except TimeoutError as late:
            raise Transient("the broker does not answer in time") from late
        if any(ends[tp] < end for tp, end in self._ends.items()):
            raise BrokerMismatch("the log ends before where it ended")
        self._ends = ends

    async def until(self, end: Positions) -> AsyncGenerator[list[TailMessage], None]:
        """The batches until every partition has come to its end, of messages before it."""
        while True:
            messages = await self.batch()
            yield [message for message in messages if message.offset < end[message.partition]]
            at = {partition: await self._position(partition) for partition in end}
            if all(at[partition] >= end[partition] for partition in end):
                return

    async def _position(self, partition: Partition) -> int:
        """Past what stands in the log and is no message, too."""
        with broker_calls():
            return int(await self._kafka.position(TopicPartition(*partition)))

    async def _begin(self) -> None:
        with broker_calls():
            await self._kafka.start()
            partitions = [
                tp
                for topic in self._kinds
                for tp in await fetch_partitions(self._bootstrap, topic, self._access)
            ]
            self._kafka.assign(partitions)
            if self._start is None:
                self._next = await self._kafka.end_offsets(partitions)
                self._ends = dict(self._next)
                for tp, offset in self._next.items():
                    self._kafka.seek(tp, offset)
                return
            self._next = {TopicPartition(*at): offset for at, offset in self._start.items()}
            if set(self._next) != set(partitions):
                raise BrokerMismatch("the positions are of other partitions")
            first = await self._kafka.beginning_offsets(partitions)
            await seek_to_stored(self._kafka, self._next, first)

    def _message(self, tp: TopicPartition, record: ConsumerRecord) -> TailMessage:
        return TailMessage(
            (tp.topic, tp.partition),
            record.offset,
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
            (record.key or b"").decode(errors="replace"),
            record,
            self._kinds[tp.topic],
        )
