"""Continuing at a stored offset, on a log that finds every offset and on one that finds batches."""

from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Transient
from gridtally.messaging import seek
from gridtally.messaging.broker import BrokerMismatch
from gridtally.messaging.seek import from_offset, seek_to_stored

TP = TopicPartition("readings.received.v1", 0)
OTHER = TopicPartition("readings.received.v1", 1)


@dataclass(frozen=True)
class Record:
    offset: int


class Log:
    """A broker's log of batches and a consumer on it; `finds` as Kafka or as Tansu does."""

    def __init__(self, finds, batches, *, first=0, answers=True):
        self.finds = finds
        self.batches = batches  # of each partition: lists of offsets, with gaps where compacted
        self.first = first
        self.answers = answers
        self.assigned = set(batches)
        self.position = {}
        self.seeks = 0

    async def end_offsets(self, partitions):
        return {tp: self._reported_end(self.batches[tp]) for tp in partitions}

    def _reported_end(self, batches):
        if not batches:
            return self.first
        return batches[-1][-1] + 1 if self.finds == "offsets" else batches[-1][0] + 1

    def assignment(self):
        return self.assigned

    def highwater(self, tp):
        assert tp in self.assigned
        if not self.answers:
            return None
        return self.batches[tp][-1][-1] + 1 if self.batches[tp] else self.first

    def seek(self, tp, offset):
        if tp not in self.assigned:
            raise IllegalStateError(tp)
        self.position[tp] = offset
        self.seeks += 1

    async def getmany(self, *partitions, timeout_ms, max_records):
        del timeout_ms
        came = {tp: self._from(tp) for tp in partitions if self.answers}
        return {tp: records[:max_records] for tp, records in came.items() if records}

    def _from(self, tp):
        at = self.position[tp]
        if self.finds == "offsets":
            offsets = [offset for batch in self.batches[tp] for offset in batch if offset >= at]
        else:
            offsets = [offset for batch in self.batches[tp] if batch[0] >= at for offset in batch]
        return [Record(offset) for offset in offsets]

    def continues_at(self, tp, stored):
        return [record.offset for record in from_offset(self._from(tp), stored)]


@pytest.fixture(params=["offsets", "batches"])
def finds(request):
    return request.param


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(seek, "QUIET_S", 0.01)
    monkeypatch.setattr(seek, "ANSWER_LIMIT_S", 0.02)


BATCHES = [[0, 1, 2], [3], [4, 5, 6, 7, 8, 9, 10], [11, 12]]


@pytest.mark.parametrize("stored", range(14))
async def test_it_continues_at_the_stored_offset_wherever_that_lies(finds, stored):
    log = Log(finds, {TP: BATCHES})
    await seek_to_stored(log, {TP: stored}, {TP: 0})
    assert log.continues_at(TP, stored) == list(range(stored, 13))


async def test_each_partition_continues_where_it_was(finds):
    log = Log(finds, {TP: BATCHES, OTHER: [[0, 1]]})
    await seek_to_stored(log, {TP: 6, OTHER: 2}, {TP: 0, OTHER: 0})
    assert (log.continues_at(TP, 6), log.continues_at(OTHER, 2)) == ([6, 7, 8, 9, 10, 11, 12], [])


OUTSIDE_THE_LOG = [
    ("beyond the end", BATCHES, 0, 14),
    ("far beyond the end", BATCHES, 0, 999),
    ("beyond an empty log's end", [], 0, 1),
    ("before the beginning", [[5, 6]], 5, 4),
]


@pytest.mark.parametrize(
    ("batches", "first", "stored"),
    [case[1:] for case in OUTSIDE_THE_LOG],
    ids=[case[0] for case in OUTSIDE_THE_LOG],
)
async def test_an_offset_outside_the_log_is_refused(finds, batches, first, stored):
    log = Log(finds, {TP: batches}, first=first)
    with pytest.raises(BrokerMismatch, match="messages are missing"):
        await seek_to_stored(log, {TP: stored}, {TP: first})


@given(st.lists(st.integers(1, 40), max_size=12), st.data())
async def test_nothing_is_skipped_in_any_log(sizes, data):
    offsets = iter(range(10_000))
    batches = [[next(offsets) for _ in range(size)] for size in sizes]
    end = sum(sizes)
    compacted = [  # compaction leaves gaps, but never takes the last record
        [offset for offset in batch if offset == end - 1 or data.draw(st.booleans())]
        for batch in batches
    ]
    stored = data.draw(st.integers(0, end))
    for finds in ("offsets", "batches"):
        whole = [batch for batch in compacted if batch]
        log = Log(finds, {TP: whole})
        await seek_to_stored(log, {TP: stored}, {TP: 0})
        assert log.continues_at(TP, stored) == [
            offset for batch in whole for offset in batch if offset >= stored
        ]
        assert log.seeks <= 12, "the way back doubles"


async def test_a_log_whose_tail_is_compacted_away_is_no_reason_to_wait():
    """Kafka retains the end, though the record before it may be gone."""

    class Tailless(Log):
        async def end_offsets(self, partitions):
            return dict.fromkeys(partitions, 20)

        def highwater(self, _tp):
            return 20

    log = Tailless("offsets", {TP: BATCHES})
    await seek_to_stored(log, {TP: 20}, {TP: 0})
    assert log.continues_at(TP, 20) == []


async def test_a_partition_that_a_rebalance_takes_away_meanwhile_is_no_broken_log(finds):
    class Rebalanced(Log):
        async def getmany(self, *partitions, **how):
            self.assigned.discard(TP)
            left = [tp for tp in partitions if tp in self.assigned]
            return await super().getmany(*left, **how)

    log = Rebalanced(finds, {TP: BATCHES, OTHER: BATCHES})
    with pytest.raises((IllegalStateError, Transient)):  # a consumer tries again after either
        await seek_to_stored(log, {TP: 6, OTHER: 7}, {TP: 0, OTHER: 0})


async def test_a_broker_that_does_not_answer_is_asked_again_later(finds):
    with pytest.raises(Transient):
        await seek_to_stored(Log(finds, {TP: BATCHES}, answers=False), {TP: 6}, {TP: 0})
