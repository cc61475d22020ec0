"""Floods: partitions that bring nothing but poisoned messages, and how long each is left alone.

A partition is paused again and again, so that a person has time to look before a defect of ours
gives up everything, and for far longer where our code did not survive the last message; the others
go on, and nothing ends. Counted is by partition and by nothing that
a sender writes, such as a tenant: the broker alone says which partition a message is in.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from gridtally.messaging.data_errors import Blame
from gridtally.messaging.offsets import Partition

FLOOD_MESSAGES = 100
"""So many poisoned messages in a row, of one partition, are a flood."""
PAUSE_S = 1.0
PAUSE_S_MAX = 10.0
"""How long a flooded partition is left alone: the first time, and at most."""
DEFECT_PAUSE_FACTOR = 60
"""Ten minutes for a hundred letters at most: a tenant's quota of 10 000 lasts for sixteen hours."""


class PartitionFlooded(Exception):
    """Too many poisoned messages in a row; `partition` is to be left alone for `pause_s`."""

    def __init__(self, partition: Partition, pause_s: float) -> None:
        topic, number = partition
        super().__init__(f"{topic}/{number} brings nothing but dead letters")
        self.partition = partition
        self.pause_s = pause_s


class Floods:
    """The poisoned messages in a row, and the pauses, of one consumer's partitions."""

    def __init__(self) -> None:
        self._in_a_row: Counter[Partition] = Counter()
        self._until_s: dict[Partition, float] = {}

    def good(self, partitions: Iterable[Partition]) -> None:
        """Messages of these were understood."""
        for partition in partitions:
            self._in_a_row.pop(partition, None)

    def bad(self, partition: Partition, blame: Blame) -> None:
        """One was not; PartitionFlooded after each `FLOOD_MESSAGES`, each time for twice as long,
        `PAUSE_S_MAX` at most, and so many times that where the last one is a defect's."""
        self._in_a_row[partition] += 1
        floods, rest = divmod(self._in_a_row[partition], FLOOD_MESSAGES)
        if rest == 0:
            pause_s = min(PAUSE_S_MAX, PAUSE_S * 2.0 ** (floods - 1))
            factor = DEFECT_PAUSE_FACTOR if blame == "defect" else 1
            raise PartitionFlooded(partition, pause_s * factor)

    def pause(self, flood: PartitionFlooded, *, now_s: float) -> None:
        """Leave a partition alone for a while; `now_s` are monotonic seconds."""
        self._until_s[flood.partition] = now_s + flood.pause_s

    def apply(self, kafka: Any, *, now_s: float) -> int:
        """Tell aiokafka's consumer which partitions to fetch nothing of; how many these are."""
        for tp in kafka.assignment():
            until_s = self._until_s.get((tp.topic, tp.partition))
            if until_s is not None and until_s > now_s:
                kafka.pause(tp)
            elif until_s is not None:
                kafka.resume(tp)
                del self._until_s[tp.topic, tp.partition]
        return len(self._until_s)
