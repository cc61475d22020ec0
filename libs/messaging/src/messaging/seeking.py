"""Seeking: a consumer goes on exactly where the stored offsets say, on brokers of two kinds.

Apache Kafka finds every offset. The stand-in Tansu finds whole batches: asked for an offset inside
a batch it goes on at the next one, and the end that it tells lies inside its last batch. So the
broker is asked from before the offset, further and further back, until nothing can have been
skipped, and `due` passes over what comes too early. Refuses a log that ends before the offset.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from kernel.errors import Transient
from messaging.broker import check_bounds

ANSWER_LIMIT_S = 10.0
QUIET_S = 2.0
"""A broker that has answered, but brings nothing for so long, has nothing there."""
PROBE_POLL_MS = 200

Offsets = Mapping[TopicPartition, int]


async def go_to(kafka: Any, stored: Offsets, first: Offsets) -> None:
    """Put each partition of `kafka` (aiokafka's consumer) where its stored next offset comes.

    `first` are the beginnings of the log. What comes from there may begin before the stored
    offset: see `due`. BrokerMismatch where the offset lies outside the log; Transient when the
    broker does not answer.
    """
    # The log's end is asked for now: meanwhile another process may have consumed further.
    told = await kafka.end_offsets(sorted(stored))
    asked = {tp: max(first[tp], min(offset, told[tp] - 1)) for tp, offset in stored.items()}
    doubtful = {tp for tp in stored if first[tp] < min(stored[tp], told[tp])}
    back = 1
    while doubtful:
        for tp in doubtful:
            kafka.seek(tp, asked[tp])
        begins = await _probe(kafka, doubtful)
        doubtful = {tp for tp in begins if begins[tp] > stored[tp] and asked[tp] > first[tp]}
        for tp in doubtful:
            asked[tp] = max(first[tp], stored[tp] - back)
        back *= 2
    for tp in stored:
        kafka.seek(tp, asked[tp])  # refused where a rebalance has taken the partition away
    end = {tp: max(told[tp], kafka.highwater(tp) or 0) for tp in stored}
    check_bounds(
        *({(tp.topic, tp.partition): at[tp] for tp in stored} for at in (stored, first, end))
    )


def due(records: Sequence[ConsumerRecord], offset: int) -> Sequence[ConsumerRecord]:
    """The records of one partition without those before `offset`."""
    if not records or records[0].offset >= offset:
        return records
    return [record for record in records if record.offset >= offset]


async def _probe(kafka: Any, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The first offset that comes of each partition; without those that bring nothing."""
    begins: dict[TopicPartition, int] = {}
    begun_s = time.monotonic()
    while missing := [tp for tp in sorted(partitions) if tp not in begins]:
        fetched = await kafka.getmany(*missing, timeout_ms=PROBE_POLL_MS, max_records=1)
        begins |= {tp: records[0].offset for tp, records in fetched.items()}
        waited_s = time.monotonic() - begun_s
        if waited_s > QUIET_S and all(_has_answered(kafka, tp) for tp in missing):
            break
        if waited_s > ANSWER_LIMIT_S:
            raise Transient(f"the broker tells nothing of {missing[0].topic}")
        await asyncio.sleep(0)
    return begins


def _has_answered(kafka: Any, tp: TopicPartition) -> bool:
    """Whether the broker has told the partition's end; not of one that a rebalance took away."""
    return tp in kafka.assignment() and kafka.highwater(tp) is not None
