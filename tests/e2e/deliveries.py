"""How messages come to the broker: as they were sent, or as networks and retries garble them.

Garbled is: everything twice, and a tenth of it late. Of a key the *first* deliveries keep their
order, as every producer of ours guarantees; second ones come at any time after the first.
"""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from gridtally.contracts.metering import ReadingsReceived
from gridtally.contracts.topics import TOPICS
from gridtally.messaging import OutgoingMessage

LATE_SHARE = 0.1
REACH_MESSAGES = 2_000
"""How many messages may overtake a late one."""
POLL_MS = 100


def as_sent(messages: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
    """Once each, in order."""
    return list(messages)


def garbled(messages: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
    """Each twice, and a tenth overtaken by messages of other keys."""
    chance = random.Random(5)
    of_key: dict[str, deque[OutgoingMessage]] = defaultdict(deque)
    for message in messages:
        of_key[message.key].append(message)
    positions = [
        index + (chance.uniform(0, REACH_MESSAGES) if chance.random() < LATE_SHARE else 0)
        for index in range(len(messages))
    ]
    firsts = [
        of_key[messages[n].key].popleft()
        for n in sorted(range(len(messages)), key=positions.__getitem__)
    ]
    twice = [(float(index), message) for index, message in enumerate(firsts)]
    twice += [
        (position + chance.uniform(0, REACH_MESSAGES), message) for position, message in twice
    ]
    return [message for _, message in sorted(twice, key=lambda placed: placed[0])]


class Echo:
    """Puts what services publish on its topic a second time; a tenth of it later than the rest."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._chance = random.Random(6)
        self._echoed: set[tuple[str, bytes]] = set()
        self.idle = asyncio.Event()

    async def run(self) -> None:
        """For ever; `idle` is set while there is nothing left to repeat."""
        consumer = AIOKafkaConsumer(
            *(topic for topic in TOPICS if topic != ReadingsReceived.TOPIC),
            bootstrap_servers=self._bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
        )
        late: list[ConsumerRecord] = []
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all") as producer:
            await consumer.start()
            try:
                while True:
                    fetched = await consumer.getmany(timeout_ms=POLL_MS)
                    due, late = late, []
                    for record in (record for batch in fetched.values() for record in batch):
                        if self._is_new(record):
                            (late if self._chance.random() < LATE_SHARE else due).append(record)
                    for record in due:
                        await producer.send(
                            record.topic, record.value, record.key, headers=list(record.headers)
                        )
                    await producer.flush()
                    (self.idle.clear if due or late else self.idle.set)()
            finally:
                await consumer.stop()

    def _is_new(self, record: ConsumerRecord) -> bool:
        """Whether this event was not repeated yet; what we repeat comes back to us."""
        event = (record.topic, dict(record.headers)["ce_id"])
        known = event in self._echoed
        self._echoed.add(event)
        return not known
