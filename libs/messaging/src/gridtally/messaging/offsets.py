"""Stored offsets: how far each partition is consumed, beside what was made of it.

The compare-and-set in the business transaction is what makes redelivery, zombies and rebalances
harmless: whoever started from an offset that is no longer the stored one changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridtally.database import ReadConnection, WriteConnection

Partition = tuple[str, int]
"""A topic and a partition's number."""


class OffsetMoved(Exception):
    """Another process has consumed these messages meanwhile; roll back and look again."""


@dataclass(frozen=True, slots=True)
class Step:
    """From the offset that is expected to be stored to the next one after the batch."""

    expected: int
    next: int


# Moves each partition from the offset that this consumer believes to be stored, and only then. The
# row stays locked until the transaction ends, so of two processes that were given one partition the
# second waits here and then finds another offset: its whole batch is rolled back. Kafka's own
# committed offsets would be a second truth beside the database, moved before or after, never with.
_ADVANCE = """
UPDATE consumed c SET next = v.next
  FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[])
       AS v (topic, partition, expected, next)
 WHERE c.consumer = $1 AND c.topic = v.topic AND c.partition = v.partition
   AND c.next = v.expected
"""


async def advance(tx: WriteConnection, consumer: str, steps: Mapping[Partition, Step]) -> None:
    """Move the stored offsets, one step for each partition of a batch.

    Waits for another process that has moved one of them and is not done; OffsetMoved where an
    offset is not what was expected.
    """
    moved = await tx.raw.execute(
        _ADVANCE,
        consumer,
        [topic for topic, _ in steps],
        [number for _, number in steps],
        [step.expected for step in steps.values()],
        [step.next for step in steps.values()],
    )
    if int(moved.rpartition(" ")[2]) != len(steps):
        raise OffsetMoved(consumer)


# Every partition that this consumer has ever read.
_FETCH = "SELECT topic, partition, next FROM consumed WHERE consumer = $1"


async def fetch_offsets(
    read: ReadConnection, consumer: str, partitions: Sequence[Partition]
) -> dict[Partition, int]:
    """The stored next offset of those partitions that have one."""
    rows = await read.raw.fetch(_FETCH, consumer)
    stored = {(row["topic"], row["partition"]): row["next"] for row in rows}
    return {partition: stored[partition] for partition in partitions if partition in stored}


# A partition that another process has begun meanwhile is left as it is.
_INSERT = """
INSERT INTO consumed (consumer, topic, partition, next) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""


async def insert_offsets(
    tx: WriteConnection, consumer: str, first: Mapping[Partition, int]
) -> None:
    """Give partitions that are new their first offset; those that have one keep it."""
    await tx.raw.executemany(
        _INSERT, [(consumer, topic, number, offset) for (topic, number), offset in first.items()]
    )


OWN = "own"
"""The consumer whose offsets are those up to which a service knows what it has sent itself."""

# Two relays may note the same partition: the further one counts. Each has sent only what was
# committed here before, and so has whoever sent what lies before that. Sorted, so that they cannot
# wait for each other.
_MOVE_OWN = """
INSERT INTO consumed AS c (consumer, topic, partition, next)
SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[]) AS v (topic, partition, next)
 ORDER BY v.topic, v.partition
ON CONFLICT (consumer, topic, partition) DO UPDATE SET next = excluded.next
 WHERE c.next < excluded.next
"""


async def move_own_offsets(tx: WriteConnection, known: Mapping[Partition, int]) -> None:
    """Note that all this service has sent before these offsets is known in this database."""
    await tx.raw.execute(
        _MOVE_OWN,
        OWN,
        [topic for topic, _ in known],
        [number for _, number in known],
        list(known.values()),
    )


# Whoever consumes a topic of its own has read only what was sent from this database before.
_FETCH_KNOWN = """
SELECT topic, partition, max(next) AS next FROM consumed WHERE topic = ANY($1)
 GROUP BY topic, partition
"""


async def fetch_own_offsets(read: ReadConnection, topics: Sequence[str]) -> dict[Partition, int]:
    """Of each partition of a service's own topics the offset before which it knows everything."""
    rows = await read.raw.fetch(_FETCH_KNOWN, list(topics))
    return {(row["topic"], row["partition"]): row["next"] for row in rows}
