"""Following a topic from outside, as a downstream subscriber does: no database, no group.

Owns nothing but a position in memory; whoever must not miss a message stores it in a database and
uses a `Consumer`.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from gridtally.contracts.model import Event
from gridtally.kernel.errors import Poison
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.consumer import POLL_MS
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.received_messages import ReceivedMessage, decode_record

PassOver = Callable[[str, str], None]
"""Hears the topic of a message that cannot be understood, and why."""


async def follow(
    bootstrap: str,
    *events: type[Event],
    from_start: bool = True,
    access: BrokerAccess = OPEN,
    pass_over: PassOver | None = None,
) -> AsyncIterator[list[ReceivedMessage[Any]]]:
    """Batches of these topics' messages as they come, for ever; empty ones when nothing does.

    Transient when the broker goes away; Poison for a message that cannot be understood, unless
    `pass_over` hears of it.
    """
    kinds = {event.TOPIC: event for event in events}
    consumer = AIOKafkaConsumer(
        *kinds,
        **access.options(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest" if from_start else "latest",
    )
    try:
        with broker_calls():
            await consumer.start()
        while True:
            with broker_calls():
                fetched = await consumer.getmany(timeout_ms=POLL_MS)
            yield [
                message
                for partition, records in fetched.items()
                for message in _decoded(records, kinds[partition.topic], pass_over)
            ]
    finally:
        await consumer.stop()


def _decoded(
    records: list[ConsumerRecord], kind: type[Event], pass_over: PassOver | None
) -> Iterator[ReceivedMessage[Any]]:
    for record in records:
        try:
            yield decode_record(record, kind)
        except Poison as poison:
            if pass_over is None:
                raise
            pass_over(record.topic, str(poison))
