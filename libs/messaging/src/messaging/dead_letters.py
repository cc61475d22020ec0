"""Dead letters: messages that can never be understood, kept with the reason, in bounds.

Owns the budget: a consumer that finds more than one poisoned message in a hundred, or a hundred
in a row, has met something else than bad messages, and stops.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from contracts.envelope import Envelope
from contracts.topics import DeadLetter, dead_letter_topic
from database import WriteConnection
from kernel.ids import derive_id
from messaging.outbox import enqueue
from messaging.outgoing import Outgoing

IN_A_ROW_MAX = 100
SHARE_MAX = 0.01
SAMPLE_MIN = 1_000
"""The share is judged only over so many messages or more."""
REASON_CHARS_MAX = 2_000
VALUE_BYTES_MAX = 500_000
HEADERS_MAX = 50
HEADER_BYTES_MAX = 1_000
"""What a letter shows: as JSON text a byte may take six, and the broker refuses over 8 MiB."""
NO_TENANT = "-"
"""A message that cannot be understood may not say whose it is; its headers are in the letter."""

_INSERT = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", reason, key, headers, value)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""


class TooManyDeadLetters(Exception):
    """The messages are not at fault; something is, and a person must look."""


@dataclass(slots=True)
class Budget:
    """Counts good and poisoned messages of one consumer since its start."""

    seen: int = 0
    dead: int = 0
    in_a_row: int = 0

    def good(self, messages: int) -> None:
        """So many were understood."""
        self.seen += messages
        self.in_a_row = 0

    def bad(self) -> None:
        """One was not; TooManyDeadLetters when it is one too many."""
        self.seen += 1
        self.dead += 1
        self.in_a_row += 1
        if self.in_a_row > IN_A_ROW_MAX:
            raise TooManyDeadLetters(f"more than {IN_A_ROW_MAX} poisoned messages in a row")
        if self.seen >= SAMPLE_MIN and self.dead > self.seen * SHARE_MAX:
            raise TooManyDeadLetters(f"{self.dead} of {self.seen} messages are poisoned")


async def bury(
    tx: WriteConnection, service: str, consumer: str, record: ConsumerRecord, reason: str
) -> None:
    """Keep the message with its reason, and publish it on the dead-letter topic."""
    reason = reason[:REASON_CHARS_MAX]
    headers = [(name, content.decode(errors="replace")) for name, content in record.headers]
    await tx.raw.execute(
        _INSERT,
        consumer,
        record.topic,
        record.partition,
        record.offset,
        reason,
        record.key,
        json.dumps(headers),
        record.value,
    )
    place = f"{record.topic}/{record.partition}/{record.offset}"
    event_id = derive_id("dead letter", consumer, place)
    topic = dead_letter_topic(service)
    envelope = Envelope(
        event_id=event_id,
        event_type=topic,
        source=f"gridtally/{service}",
        occurred_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        tenant_id=NO_TENANT,
        correlation_id=place,
    )
    letter = DeadLetter(
        consumer=consumer,
        place=place,
        reason=reason,
        headers=[
            (name[:HEADER_BYTES_MAX], content[:HEADER_BYTES_MAX].decode(errors="replace"))
            for name, content in record.headers[:HEADERS_MAX]
        ],
        value=(record.value or b"")[:VALUE_BYTES_MAX].decode(errors="replace"),
    )
    await enqueue(tx, [Outgoing(topic, place, envelope, letter.model_dump_json().encode())])
