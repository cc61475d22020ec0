"""Dead letters: messages that can never be understood, stored with the reason, in bounds.

A tenant has a quota of letters that nobody has resolved yet, and so have all those that name none.
Beyond it the newest are not stored but counted; the source topic has them within its retention.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from gridtally.contracts.envelope import Envelope, named_tenant, source_of
from gridtally.contracts.topics import NO_TENANT, DeadLetter, dead_letter_topic
from gridtally.database import WriteConnection
from gridtally.kernel.ids import derive_id
from gridtally.messaging.outbox import enqueue
from gridtally.messaging.outgoing_messages import OutgoingMessage

REASON_CHARS_MAX = 2_000
VALUE_BYTES_MAX = 500_000
HEADERS_MAX = 50
HEADER_BYTES_MAX = 1_000
"""What a letter shows at most: as JSON a byte may take six, and the broker refuses over 8 MiB."""


@dataclass(frozen=True, slots=True)
class LetterQuota:
    """How many letters, and bytes of their values, may wait for a decision, of one tenant."""

    letters_max: int = 10_000
    bytes_max: int = 256 * 1024 * 1024


def tenant_of(record: ConsumerRecord) -> str:
    """The tenant that a message names, even where nothing else in it can be understood."""
    return named_tenant(record.headers, record.value) or NO_TENANT


# The message as it came, with its reason. A redelivery changes nothing: the offset names it.
_INSERT = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", id, tenant_id, reason, key, headers,
                         value, value_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
"""
# No further than the quota, from the index alone.
_FITS = """
SELECT count(*) < $1 AND coalesce(sum(value_bytes), 0) + $2 <= $3
  FROM dead_letter WHERE status = 'open' AND tenant_id = $4
"""
_FITS_OF_NOBODY = """
SELECT count(*) < $1 AND coalesce(sum(value_bytes), 0) + $2 <= $3
  FROM dead_letter WHERE status = 'open' AND tenant_id IS NULL
"""
_COUNT_DROPPED = """
INSERT INTO dead_letter_count (tenant_id, topic, dropped) VALUES ($1, $2, 1)
ON CONFLICT (tenant_id, topic) DO UPDATE SET dropped = dead_letter_count.dropped + 1
"""


async def _has_room(tx: WriteConnection, tenant_id: str, size: int, quota: LetterQuota) -> bool:
    """Whether another letter of so many bytes fits into the tenant's quota."""
    sizes = quota.letters_max, size, quota.bytes_max
    if tenant_id == NO_TENANT:
        return bool(await tx.raw.fetchval(_FITS_OF_NOBODY, *sizes))
    return bool(await tx.raw.fetchval(_FITS, *sizes, tenant_id))


async def store_dead_letter(
    tx: WriteConnection,
    service: str,
    consumer: str,
    record: ConsumerRecord,
    reason: str,
    quota: LetterQuota,
) -> bool:
    """Store the message with its reason, and publish it on the dead-letter topic.

    Returns False, and only counts it, where the quota of its tenant is full.
    """
    tenant_id = tenant_of(record)
    value_bytes = len(record.value or b"")
    if not await _has_room(tx, tenant_id, value_bytes, quota):
        await tx.raw.execute(_COUNT_DROPPED, tenant_id, record.topic)
        return False
    reason = reason[:REASON_CHARS_MAX]
    headers = [(name, content.decode(errors="replace")) for name, content in record.headers]
    location = f"{record.topic}/{record.partition}/{record.offset}"
    event_id = derive_id("dead letter", consumer, location)
    await tx.raw.execute(
        _INSERT,
        consumer,
        record.topic,
        record.partition,
        record.offset,
        event_id,
        None if tenant_id == NO_TENANT else tenant_id,
        reason,
        record.key,
        json.dumps(headers),
        record.value,
        value_bytes,
    )
    topic = dead_letter_topic(service)
    envelope = Envelope(
        event_id=event_id,
        event_type=topic,
        source=source_of(service),
        occurred_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        tenant_id=NO_TENANT,
        correlation_id=location,
    )
    letter = DeadLetter(
        consumer=consumer,
        location=location,
        reason=reason,
        headers=[
            (name[:HEADER_BYTES_MAX], content[:HEADER_BYTES_MAX].decode(errors="replace"))
            for name, content in record.headers[:HEADERS_MAX]
        ],
        value=(record.value or b"")[:VALUE_BYTES_MAX].decode(errors="replace"),
    )
    await enqueue(
        tx, [OutgoingMessage(topic, location, envelope, letter.model_dump_json().encode())]
    )
    return True
