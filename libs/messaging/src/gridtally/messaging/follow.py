"""Following a topic from outside, as a downstream subscriber does: no database, no group.

Owns nothing but a position in memory; whoever must not miss a message stores it in a database and
uses a `Consumer`.
"""

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer

from gridtally.contracts.model import Event
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.consumer import POLL_MS
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.received_messages import ReceivedMessage, decode_record


async def follow(
    bootstrap: str, *events: type[Event], from_start: bool = True, access: BrokerAccess = OPEN
) -> AsyncIterator[list[ReceivedMessage[Any]]]:
    """Batches of these topics' messages as they come, for ever; empty ones when nothing does.

    Transient when the broker goes away; Poison for a message that cannot be understood.
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
                decode_record(record, kinds[partition.topic])
                for partition, records in fetched.items()
                for record in records
            ]
    finally:
        await consumer.stop()
