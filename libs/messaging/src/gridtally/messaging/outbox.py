"""The outbox: events stored with the state that they report, and the relay that sends them.

Order per key holds because a key always falls into the same shard, a shard is held by one relay
at a time (`FOR UPDATE SKIP LOCKED`), and rows leave it in the order they came. A row is deleted
after the broker's acknowledgement, never before, so it is sent at least once. Whoever writes two
events of one key at a time must hold the row lock of what they are about, as every handler does.
"""

import asyncio
import zlib
from collections.abc import Sequence
from uuid import UUID

from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, Database, WriteConnection, transaction
from gridtally.database.rows import columns_of
from gridtally.messaging.message_log import log_messages
from gridtally.messaging.offsets import move_own_offsets
from gridtally.messaging.outgoing_messages import OutgoingMessage
from gridtally.messaging.polling import run_polling
from gridtally.messaging.progress import Progress
from gridtally.messaging.publisher import Publisher
from gridtally.messaging.tables import OUTBOX_SHARDS

RELAY_ROWS_MAX = 2_000
RELAY_BYTES_MAX = 8 * 1024 * 1024
SHARDS_PER_CLAIM_MAX = OUTBOX_SHARDS // 2
"""A second relay always finds shards left to work on."""
IDLE_POLL_S = 0.1


def shard_of(key: str) -> int:
    """The shard that a key always falls into."""
    return zlib.crc32(key.encode()) % OUTBOX_SHARDS


# One array for each column, so that a batch is one statement however many messages it has.
_ENQUEUE = """
INSERT INTO outbox (shard, topic, key, event_id, event_type, source, occurred_at, tenant_id,
                    correlation_id, value)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::bytea[])
"""


async def enqueue(tx: WriteConnection, messages: Sequence[OutgoingMessage]) -> None:
    """Put messages into the outbox of this transaction, in one statement."""
    if not messages:
        return
    envelopes = [message.envelope for message in messages]
    await tx.raw.execute(
        _ENQUEUE,
        [shard_of(message.key) for message in messages],
        [message.topic for message in messages],
        [message.key for message in messages],
        [envelope.event_id for envelope in envelopes],
        [envelope.event_type for envelope in envelopes],
        [envelope.source for envelope in envelopes],
        [envelope.occurred_at for envelope in envelopes],
        [envelope.tenant_id for envelope in envelopes],
        [envelope.correlation_id for envelope in envelopes],
        [message.value for message in messages],
    )


# Shards with work that no other relay holds. The locks are on the shards and not on the rows: rows
# of one key that two relays took in turns could arrive in any order. `random()` keeps one busy
# shard from starving the others, SKIP LOCKED keeps relays from waiting for one another.
_CLAIM = """
SELECT s.shard FROM outbox_shard s
 WHERE EXISTS (SELECT FROM outbox o WHERE o.shard = s.shard)
 ORDER BY random() LIMIT $1 FOR UPDATE SKIP LOCKED
"""
# The oldest rows of the claimed shards, at most $2 of them, up to $3 bytes of values together; the
# first row comes however large it is, since a row above the limit would otherwise stay for ever.
_TAKE = """
SELECT shard, seq, topic, key, event_id, event_type, source, occurred_at, tenant_id,
       correlation_id, value
  FROM (SELECT *, sum(coalesce(length(value), 0)) OVER (ORDER BY shard, seq) AS bytes
          FROM (SELECT * FROM outbox WHERE shard = ANY($1::smallint[])
                 ORDER BY shard, seq LIMIT $2) AS oldest) AS measured
 WHERE bytes <= $3 OR bytes = length(value)
 ORDER BY shard, seq
"""
# What was acknowledged, and nothing that was put there meanwhile.
_DELETE = """
DELETE FROM outbox o USING unnest($1::smallint[], $2::bigint[]) AS sent (shard, seq)
 WHERE o.shard = sent.shard AND o.seq = sent.seq
"""


# What is on the topic already, though its acknowledgement is not noted here.
_DELETE_SENT = """
DELETE FROM outbox o USING unnest($1::text[], $2::uuid[]) AS sent (topic, event_id)
 WHERE o.topic = sent.topic AND o.event_id = sent.event_id
RETURNING o.event_id
"""


async def delete_sent(tx: WriteConnection, sent: Sequence[tuple[str, UUID]]) -> set[UUID]:
    """Delete the rows of these topics and event ids, which were sent; return their event ids."""
    rows = await tx.raw.fetch(_DELETE_SENT, *columns_of(sent, 2))
    return {row["event_id"] for row in rows}


async def relay_once(database: Database, publisher: Publisher) -> int:
    """Send what one claim takes; the number of messages sent. Transient leaves all as it was.

    The shards stay claimed, and the transaction open, until the broker has acknowledged.
    """
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        shards = [row["shard"] for row in await tx.raw.fetch(_CLAIM, SHARDS_PER_CLAIM_MAX)]
        if not shards:
            return 0
        rows = await tx.raw.fetch(_TAKE, shards, RELAY_ROWS_MAX, RELAY_BYTES_MAX)
        messages = [
            OutgoingMessage(
                row["topic"],
                row["key"],
                Envelope(
                    row["event_id"],
                    row["event_type"],
                    row["source"],
                    row["occurred_at"],
                    row["tenant_id"],
                    row["correlation_id"],
                ),
                row["value"],
            )
            for row in rows
        ]
        await move_own_offsets(tx, await publisher.publish(messages))
        await tx.raw.execute(_DELETE, [row["shard"] for row in rows], [row["seq"] for row in rows])
    log_messages("sent", messages)
    return len(messages)


async def run_relay(
    database: Database, publisher: Publisher, progress: Progress, stop: asyncio.Event
) -> None:
    """Send the outbox until `stop` is set; what fails is tried again, nothing is left out."""
    progress.ready = True
    await run_polling(
        "relay", lambda: relay_once(database, publisher), progress, stop, idle_s=IDLE_POLL_S
    )
