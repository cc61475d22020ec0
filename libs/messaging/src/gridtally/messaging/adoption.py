"""Adoption: what a service has said before, taken over from its own topics.

A database that was put back to an earlier copy lacks what was published after it. Owns that this
is read, up to the end of the log, before the service says anything new, and that the API waits
meanwhile. What lies before the own offsets, which the relay moves with each acknowledgement, is
known, and so is what still waits in the outbox: in normal running nothing is read at all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from gridtally.contracts.envelope import source_of
from gridtally.contracts.model import Event
from gridtally.database import ALL_TENANTS, Database, WriteConnection, snapshot, transaction
from gridtally.database.adoption_lock import GATE_TTL_S, lock_for_adoption
from gridtally.kernel.errors import Poison, Rejected, Transient
from gridtally.messaging.broker import fetch_partitions
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.consumer import FETCH_BYTES_MAX, PARTITION_FETCH_BYTES_MAX, POLL_MS
from gridtally.messaging.data_errors import blame_of
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.offsets import Partition, fetch_own_offsets, move_own_offsets
from gridtally.messaging.outbox import delete_sent
from gridtally.messaging.received_messages import ReceivedMessage, decode_record
from gridtally.messaging.seek import from_offset, readable_end, seek_to_stored

ADOPTED_MESSAGES_MAX = 500
"""In one transaction."""
DEFERRED_MESSAGES_MAX = 100_000
"""What waits in memory for a later message of its topic."""

Messages = Sequence[ReceivedMessage[Any]]
Adopt = Callable[[WriteConnection, Messages], Awaitable[Messages]]
"""Stores just what the messages say, for all tenants, unless it is known; a tombstone has no event.
Returns those that can only be stored after another message of the topic."""
log = structlog.get_logger(__name__)


class NotAdopted(Exception):
    """More waits for other messages of its topic than can be kept in memory."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A topic of a service's own, and how what it says is taken over."""

    event: type[Event]
    adopt: Adopt


@dataclass(slots=True)
class _Tail:
    """What of one topic is not known: by partition, from where, and up to where."""

    start: dict[TopicPartition, int]
    end: dict[TopicPartition, int]


class Adopter:
    """Reads a service's own topics to their ends.

    Owns a client of the broker while it runs, and the database's lock for adoption once something
    is found there that is not known; `locker` opens the connection that holds it.
    """

    def __init__(
        self,
        database: Database,
        bootstrap: str,
        service: str,
        adoptions: Sequence[Adoption],
        locker: Callable[[], Awaitable[Database]],
        *,
        access: BrokerAccess = OPEN,
    ) -> None:
        """Does nothing yet. The topics are adopted in their order."""
        self._database = database
        self._bootstrap = bootstrap
        self._access = access
        self._service = service
        self._source = source_of(service)
        self._adoptions = adoptions
        self._locker = locker

    async def run(self) -> int:
        """Adopt what is not known; how many messages that was.

        Waits for another process that adopts. Transient when broker or database are away: what is
        adopted until then is kept. BrokerMismatch where the log lacks what comes after the copy.
        """
        async with self._reader() as kafka:
            if not await self._tails(kafka):
                return 0
            async with await self._locker() as locking:
                await lock_for_adoption(locking)
                await asyncio.sleep(GATE_TTL_S)  # until every process has seen that it must wait
                adopted = 0
                for event, tail in (await self._tails(kafka)).items():
                    adopted += await self._adopt(kafka, event, tail)
        log.info("adopted", messages=adopted)
        return adopted

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Any]:
        kafka = AIOKafkaConsumer(
            **self._access.options(self._bootstrap),
            client_id=f"{self._service}.own",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES_MAX,
            fetch_max_bytes=FETCH_BYTES_MAX,
        )
        try:
            with broker_calls():
                await kafka.start()
            yield kafka
        finally:
            await kafka.stop()

    async def _tails(self, kafka: Any) -> Mapping[Adoption, _Tail]:
        """By topic what is not known, of those with such a tail."""
        with broker_calls():
            partitions = [
                tp
                for adoption in self._adoptions
                for tp in await fetch_partitions(
                    self._bootstrap, adoption.event.TOPIC, self._access
                )
            ]
            kafka.assign(partitions)
            first = await kafka.beginning_offsets(partitions)
            end = await kafka.end_offsets(partitions)
        async with snapshot(self._database, tenant=ALL_TENANTS) as read:
            known = await fetch_own_offsets(read, [a.event.TOPIC for a in self._adoptions])
        tails: dict[Adoption, _Tail] = {}
        for adoption in self._adoptions:
            start = {
                tp: known.get((tp.topic, tp.partition), first[tp])
                for tp in partitions
                if tp.topic == adoption.event.TOPIC
            }
            behind = {tp: offset for tp, offset in start.items() if offset < end[tp]}
            if behind:
                tails[adoption] = _Tail(behind, {tp: end[tp] for tp in behind})
        return tails

    async def _adopt(self, kafka: Any, adoption: Adoption, tail: _Tail) -> int:
        """Adopt the tail of one topic; how many messages it had."""
        adopted = 0
        deferred: list[ReceivedMessage[Any]] = []
        async for records, ends in self._read(kafka, tail):
            messages = self._decode(records, adoption)
            for start in range(0, max(1, len(messages)), ADOPTED_MESSAGES_MAX):
                part = messages[start : start + ADOPTED_MESSAGES_MAX]
                deferred += await self._store(adoption, part)
            deferred = _without_replaced(deferred, messages)
            if len(deferred) > DEFERRED_MESSAGES_MAX:
                raise NotAdopted(f"{len(deferred)} messages of {adoption.event.TOPIC}")
            deferred = await self._store_deferred(adoption, deferred)
            adopted += len(messages)
            if not deferred:  # else they are read again, should this process end meanwhile
                await self._move(ends)
        for message in deferred:
            self._report(message, "contradicts what is stored")
        await self._move({(tp.topic, tp.partition): end for tp, end in tail.end.items()})
        log.info("topic adopted", topic=adoption.event.TOPIC, messages=adopted)
        return adopted

    async def _move(self, ends: Mapping[Partition, int]) -> None:
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await move_own_offsets(tx, ends)

    async def _read(
        self, kafka: Any, tail: _Tail
    ) -> AsyncIterator[tuple[list[ConsumerRecord], dict[Partition, int]]]:
        """The tail in parts, each with the offsets up to which it was read."""
        with broker_calls():
            kafka.assign(sorted(tail.start))
            first = await kafka.beginning_offsets(sorted(tail.start))
        await seek_to_stored(kafka, tail.start, first)
        waiting = set(tail.start)
        while waiting:
            with broker_calls():
                fetched = await kafka.getmany(timeout_ms=POLL_MS, max_records=ADOPTED_MESSAGES_MAX)
                reached = {tp: await kafka.position(tp) for tp in sorted(waiting)}
            records = [
                record
                for tp, of_partition in fetched.items()
                for record in from_offset(of_partition, tail.start[tp])
            ]
            yield records, {(tp.topic, tp.partition): offset for tp, offset in reached.items()}
            waiting = {tp for tp in waiting if reached[tp] < _end_of(kafka, tp, tail.end[tp])}

    def _decode(
        self, records: Sequence[ConsumerRecord], adoption: Adoption
    ) -> list[ReceivedMessage[Any]]:
        """What this service has sent; others' messages on its topic are no words of its own."""
        messages = []
        for record in records:
            try:
                message = decode_record(record, adoption.event)
            except Poison as failure:
                log.warning(
                    "not adopted",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    reason=str(failure),
                )
                continue
            if message.envelope.source == self._source:
                messages.append(message)
        return messages

    async def _store(self, adoption: Adoption, messages: Messages) -> list[ReceivedMessage[Any]]:
        """Adopt a part in one transaction, halved where the data of one message is at fault; what
        must wait for another message."""
        try:
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                sent = await delete_sent(tx, [(m.topic, m.envelope.event_id) for m in messages])
                unknown = [m for m in messages if m.envelope.event_id not in sent]
                return list(await adoption.adopt(tx, unknown))
        except Transient:
            raise
        except Exception as failure:  # raised again, unless the data is to blame
            if not isinstance(failure, Poison | Rejected) and blame_of(failure) != "data":
                raise
            if len(messages) == 1:
                self._report(messages[0], str(failure))
                return []
        half = len(messages) // 2
        return [
            *await self._store(adoption, messages[:half]),
            *await self._store(adoption, messages[half:]),
        ]

    async def _store_deferred(
        self, adoption: Adoption, deferred: list[ReceivedMessage[Any]]
    ) -> list[ReceivedMessage[Any]]:
        """Try again what waited, as long as that helps; what still waits."""
        while deferred:
            left = await self._store(adoption, deferred)
            if len(left) == len(deferred):
                break
            deferred = left
        return deferred

    def _report(self, message: ReceivedMessage[Any], reason: str) -> None:
        log.error(
            "not adopted",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            tenant_id=message.envelope.tenant_id,
            reason=reason,
        )


def _without_replaced(
    deferred: Sequence[ReceivedMessage[Any]], later: Messages
) -> list[ReceivedMessage[Any]]:
    """The deferred messages of whose keys nothing later has come."""
    newest = {message.key: message.offset for message in later}
    return [message for message in deferred if newest.get(message.key, -1) <= message.offset]


def _end_of(kafka: Any, tp: TopicPartition, end: int) -> int:
    """Where reading ends: not behind a transaction that somebody else has left open."""
    readable = readable_end(kafka, tp)
    return end if readable is None else min(end, readable)
