"""Seeking: a consumer continues exactly at the stored offsets, on brokers of two kinds.

Apache Kafka finds every offset. The stand-in Tansu finds whole batches: asked for an offset inside
a batch it continues at the next one, and the end that it reports lies inside its last batch. So the
broker is asked from before the offset, further and further back, until nothing can have been
skipped, and `from_offset` drops what comes too early. Refuses a log that ends before the offset.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from gridtally.kernel.errors import Transient
from gridtally.messaging.broker import BrokerMismatch, check_bounds
from gridtally.messaging.failures import broker_calls
from gridtally.messaging.offsets import Partition, Step

ANSWER_LIMIT_S = 10.0
QUIET_S = 2.0
"""A broker that has answered, but brings nothing for so long, has nothing there."""
PROBE_POLL_MS = 200

Offsets = Mapping[TopicPartition, int]


# One probe more for each partition than a plain `seek`, and doubling steps back only where a probe
# has begun too late, so that Kafka pays for a single fetch. The plain way, to seek and trust, skips
# up to a batch of messages on a broker that finds batches, and nobody would notice.
async def seek_to_stored(kafka: Any, stored: Offsets, first: Offsets) -> None:
    """Put each partition of `kafka` (aiokafka's consumer) where its stored next offset comes.

    `first` are the beginnings of the log. What comes from there may begin before the stored
    offset: see `from_offset`. BrokerMismatch where the offset lies outside the log; Transient when
    the broker does not answer.
    """
    # The log's end is asked for now: meanwhile another process may have consumed further.
    reported_end = await kafka.end_offsets(sorted(stored))
    sought = {
        tp: max(first[tp], min(offset, reported_end[tp] - 1)) for tp, offset in stored.items()
    }
    doubtful = {tp for tp in stored if first[tp] < min(stored[tp], reported_end[tp])}
    back = 1
    while doubtful:
        for tp in doubtful:
            kafka.seek(tp, sought[tp])
        begins = await _probe(kafka, doubtful)
        doubtful = {tp for tp in begins if begins[tp] > stored[tp] and sought[tp] > first[tp]}
        for tp in doubtful:
            sought[tp] = max(first[tp], stored[tp] - back)
        back *= 2
    for tp in stored:
        kafka.seek(tp, sought[tp])  # refused where a rebalance has taken the partition away
    end = {tp: max(reported_end[tp], kafka.highwater(tp) or 0) for tp in stored}
    check_bounds(
        *({(tp.topic, tp.partition): at[tp] for tp in stored} for at in (stored, first, end))
    )


async def check_jumps(kafka: Any, expected: Mapping[Partition, int]) -> None:
    """BrokerMismatch where the log begins after an offset that was expected, but did not come.

    Offsets jump where the markers of transactions stand, aborted messages, or such as compaction
    has removed: then nobody misses anything. Messages that were deleted unread are missing.
    Transient when the broker does not answer.
    """
    if not expected:
        return
    with broker_calls():
        first = await kafka.beginning_offsets(
            [TopicPartition(*partition) for partition in expected]
        )
    for (topic, number), offset in expected.items():
        if (begins := first[TopicPartition(topic, number)]) > offset:
            raise BrokerMismatch(
                f"the next offset of {topic}/{number} is {offset}, but the broker's log begins at "
                f"{begins}: messages are missing there"
            )


async def passed_markers(kafka: Any, stored: Mapping[Partition, int]) -> dict[Partition, Step]:
    """The steps past what holds no message at the end of the log of each partition.

    Only for whoever has handled all that `kafka` has brought. Raises as `check_jumps` does.
    """
    with broker_calls():
        positions = {
            (tp.topic, tp.partition): await kafka.position(tp) for tp in sorted(kafka.assignment())
        }
    steps = {
        partition: Step(offset, positions[partition])
        for partition, offset in stored.items()
        if positions.get(partition, offset) > offset
    }
    await check_jumps(kafka, {partition: step.expected for partition, step in steps.items()})
    return steps


def readable_end(kafka: Any, tp: TopicPartition) -> int | None:
    """Where the log ends for those who read no open transaction; None while not yet known."""
    stable: int | None = kafka.last_stable_offset(tp)
    end: int | None = kafka.highwater(tp)
    return stable if stable is not None and stable >= 0 else end


def from_offset(records: Sequence[ConsumerRecord], offset: int) -> Sequence[ConsumerRecord]:
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
            raise Transient(f"the broker reports nothing of {missing[0].topic}")
        await asyncio.sleep(0)
    return begins


def _has_answered(kafka: Any, tp: TopicPartition) -> bool:
    """Whether the broker has reported the partition's end; not of one that was taken away."""
    return tp in kafka.assignment() and kafka.highwater(tp) is not None


class AssignmentListener(ConsumerRebalanceListener):  # type: ignore[misc] # untyped
    """Lets the consumer know that it must seek; aiokafka would swallow an error in here."""

    def __init__(self, must_seek: asyncio.Event) -> None:
        self._must_seek = must_seek

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Nothing to hand over: what is not committed, the next owner reads again."""

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """What is fetched from now on counts only after a seek."""
        self._must_seek.set()
