"""Dead letters: messages that can never be understood, kept with the reason, in bounds.

Owns the budget: a consumer that finds more than one poisoned message in a hundred, or a hundred
in a row, has met something else than bad messages, and stops. One tenant's flood is no such sign as
long as others are understood.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from contracts.envelope import TENANT, Envelope
from contracts.topics import DeadLetter, dead_letter_topic
from database import WriteConnection
from kernel.ids import derive_id
from messaging.outbox import enqueue
from messaging.outgoing import Outgoing

IN_A_ROW_MAX = 100
SHARE_MAX = 0.01
SAMPLE_MIN = 1_000
"""The share is judged only over so many messages or more."""
SENDERS_MAX = 10_000
"""So many tenants are counted apart; what comes of further ones is counted as of nobody known."""
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
class _Sender:
    """What came of one tenant's messages."""

    seen: int = 0
    dead: int = 0


class Budget:
    """Counts good and poisoned messages of one consumer by tenant since its start.

    Judged is what all tenants sent but the one with the most poisoned messages, so that no tenant
    can stop the consumer for the others; as long as nobody else was heard, all that came.
    """

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}
        self._seen = 0
        self._dead = 0
        self._row: Counter[str] = Counter()

    def good(self, messages: Mapping[str, int]) -> None:
        """So many were understood, by tenant."""
        for tenant_id, count in messages.items():
            self._sender(tenant_id).seen += count
            self._seen += count
        self._row.clear()

    def bad(self, tenant_id: str) -> None:
        """One was not; TooManyDeadLetters when it is one too many."""
        sender = self._sender(tenant_id)
        sender.seen += 1
        sender.dead += 1
        self._seen += 1
        self._dead += 1
        self._row[tenant_id] += 1
        self._judge_row()
        self._judge_share()

    def _sender(self, tenant_id: str) -> _Sender:
        if tenant_id not in self._senders and len(self._senders) >= SENDERS_MAX:
            tenant_id = NO_TENANT
        return self._senders.setdefault(tenant_id, _Sender())

    def _judge_row(self) -> None:
        in_a_row = self._row.total()
        if len(self._senders) > 1:
            in_a_row -= max(self._row.values())
        if in_a_row > IN_A_ROW_MAX:
            raise TooManyDeadLetters(f"more than {IN_A_ROW_MAX} poisoned messages in a row")

    def _judge_share(self) -> None:
        seen, dead = self._seen, self._dead
        if len(self._senders) > 1:
            worst = max(self._senders.values(), key=lambda sender: sender.dead)
            seen, dead = seen - worst.seen, dead - worst.dead
        if seen >= SAMPLE_MIN and dead > seen * SHARE_MAX:
            raise TooManyDeadLetters(f"{dead} of {seen} messages are poisoned")


def tenant_of(record: ConsumerRecord) -> str:
    """Whose message it says it is, even where nothing else in it can be understood."""
    said = dict(record.headers).get("ce_tenantid") or b""
    tenant_id = said.decode(errors="replace")
    return tenant_id if TENANT.fullmatch(tenant_id) else NO_TENANT


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
