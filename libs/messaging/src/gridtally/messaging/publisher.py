"""Sending to the broker: an answer only after every in-sync replica has the messages.

Owns the producer and rebuilds it when it has failed for good. Refuses to give up silently: what
is not acknowledged raises Transient, and the caller still has it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from gridtally.kernel.errors import Transient
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.failures import CLIENT_FAILURES, broker_calls, is_passing
from gridtally.messaging.offsets import Partition
from gridtally.messaging.outgoing_messages import OutgoingMessage

LINGER_MS = 2
BATCH_BYTES_MAX = 262_144
REQUEST_BYTES_MAX = 8 * 1024 * 1024
ACK_TIMEOUT_S = 30
REQUEST_TIMEOUT_MS = 10_000
DISCARD_TIMEOUT_S = 1
KEYS_CACHED_MAX = 65_536


@lru_cache(maxsize=KEYS_CACHED_MAX)
def _hash_of(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFF_FFFF


def partition_for(key: bytes, partitions: list[int], _available: list[int]) -> int:
    """Kafka's own choice for a key, cached: in Python the hash costs more than the send."""
    return partitions[_hash_of(key) % len(partitions)]


def _ends(sent: Sequence[Any]) -> dict[Partition, int]:
    """Of each partition the offset after the last message that it took."""
    ends: dict[Partition, int] = {}
    for metadata in sent:
        partition = metadata.topic, metadata.partition
        ends[partition] = max(ends.get(partition, 0), metadata.offset + 1)
    return ends


class Publisher:
    """A producer with `acks=all`, idempotent where the broker can; one per process.

    Owns its client of the broker, which the first `publish` opens and `aclose`, or the end of the
    context, closes; whoever made the Publisher does that once nobody publishes any more. Any number
    of tasks may publish at once.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        idempotent: bool = True,
        access: BrokerAccess = OPEN,
    ) -> None:
        """Opens nothing and does not wait."""
        self._bootstrap = bootstrap
        self._access = access
        self._client_id = client_id
        self._idempotent = idempotent
        self._producer: Any = None
        self._building = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait until all is sent that was handed to `publish`, and leave the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def publish(self, messages: Sequence[OutgoingMessage]) -> dict[Partition, int]:
        """Send all and wait for all acknowledgements; Transient when any is missing.

        Returns, of each partition that took some of them, the offset after the last one.

        Waits for `ACK_TIMEOUT_S` at most, after it has connected. Messages of one key keep their
        order. After Transient, or when it is cancelled, some may have been delivered: the caller
        sends them again and the consumers recognize them by their ids.
        """
        producer = await self._ready()
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                acknowledgements = [
                    await producer.send(
                        message.topic,
                        value=message.value,
                        key=message.key.encode(),
                        headers=message.envelope.headers(),
                    )
                    for message in messages
                ]
                return _ends(await asyncio.gather(*acknowledgements))
        except CLIENT_FAILURES as failure:
            await self._discard(producer)
            if not is_passing(failure):
                raise
            raise Transient(f"the broker did not acknowledge: {failure!r}") from failure

    async def _ready(self) -> Any:
        async with self._building:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._access.options(self._bootstrap),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=self._idempotent,
                    compression_type="zstd",
                    linger_ms=LINGER_MS,
                    max_batch_size=BATCH_BYTES_MAX,
                    max_request_size=REQUEST_BYTES_MAX,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                    partitioner=partition_for,
                )
                async with AsyncExitStack() as undone:
                    undone.push_async_callback(producer.stop)  # its tasks outlive a failed start
                    with broker_calls():
                        await producer.start()
                    undone.pop_all()
                self._producer = producer
            return self._producer

    async def _discard(self, producer: Any) -> None:
        """Close a producer whose sequence is broken, since it never recovers."""
        if self._producer is producer:
            self._producer = None
            try:
                async with asyncio.timeout(DISCARD_TIMEOUT_S):
                    await producer.stop()
            except CLIENT_FAILURES:
                return
