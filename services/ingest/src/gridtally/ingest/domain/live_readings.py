"""What a live stream of readings shows, and what of it waits for a slow reader.

Owns which events a subscriber wants, that a newer version replaces an older one that still waits,
what is dropped when too many wait, and how a position is written as an event's id.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from struct import Struct
from typing import ClassVar, Literal
from uuid import UUID

QUEUED_MAX = 256
"""So many events wait for a subscriber; of more the oldest are dropped, and a gap says so."""
ID_CHARS_MAX = 2_000
POSITION_MAX = 2**63 - 1
EventName = Literal["reading", "register", "gap"]
GapReason = Literal["slow_reader", "broker_away", "too_old"]
Positions = Mapping[tuple[str, int], int]
"""The next offset of each topic's partition."""
_SLOT = Struct("<qB")
_PART = re.compile(r"([a-z]?)(\d{1,6}):(\d{1,19})")


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """A change of a channel-day or of a register reading, as subscribers are sent it.

    `subject` is what a newer version replaces. `fields` is a JSON object but for its first brace;
    `first_changed_slot` stands before them, None where all may have changed, or nothing is divided.
    """

    name: EventName
    tenant_id: str
    meter_id: UUID
    flow: str
    subject: Hashable
    version: int
    first_changed_slot: int | None
    fields: bytes
    id: str

    def json(self) -> bytes:
        """What is sent."""
        if self.name == "register":
            return b"{" + self.fields
        slot = "null" if self.first_changed_slot is None else str(self.first_changed_slot)
        return b'{"first_changed_slot":' + slot.encode() + b"," + self.fields


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that this subscriber was not sent: it reads again what it shows."""

    reason: GapReason
    id: str
    name: ClassVar[EventName] = "gap"

    def json(self) -> bytes:
        """What is sent."""
        return b'{"reason":"%b"}' % self.reason.encode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a subscriber wants: of a tenant, and of these meters and this flow where they
    are named."""

    tenant_id: str
    meter_ids: frozenset[UUID] | None = None
    flow: str | None = None

    def has_meter(self, tenant_id: str, meter_id: UUID) -> bool:
        """Whether events of the meter may be for it."""
        of_tenant = tenant_id == self.tenant_id
        return of_tenant and (self.meter_ids is None or meter_id in self.meter_ids)

    def has(self, event: LiveEvent) -> bool:
        """Whether the event is for it."""
        is_flow = self.flow is None or event.flow == self.flow
        return is_flow and self.has_meter(event.tenant_id, event.meter_id)


class Backlog:
    """What waits for one subscriber, in the order in which it is sent; `QUEUED_MAX` at the most."""

    def __init__(self) -> None:
        self._queued: OrderedDict[Hashable, LiveEvent] = OrderedDict()
        self._gap: Gap | None = None

    def __len__(self) -> int:
        return len(self._queued) + (self._gap is not None)

    def add(self, event: LiveEvent) -> None:
        """Let an event wait, in place of an older version that still does."""
        earlier = self._queued.get(event.subject)
        if earlier is not None:
            if earlier.version >= event.version:
                return
            del self._queued[event.subject]
            event = replace(event, first_changed_slot=_first_of(earlier, event))
        # Last, so that whatever has waited before it is sent before its id says that it was.
        self._queued[event.subject] = event
        if len(self._queued) > QUEUED_MAX:
            _, dropped = self._queued.popitem(last=False)
            self._gap = Gap("slow_reader", dropped.id)

    def lose(self, reason: GapReason, at: str) -> None:
        """All that waits is covered by a gap, which ends at this position."""
        self._queued.clear()
        self._gap = Gap(reason, at)

    def put_before(self, events: Sequence[LiveEvent]) -> None:
        """Events that come before those that wait."""
        waiting = list(self._queued.values())
        self._queued.clear()
        for event in (*events, *waiting):
            self.add(event)

    def take(self) -> LiveEvent | Gap | None:
        """What is sent next; None where nothing waits."""
        if self._gap is not None:
            gap, self._gap = self._gap, None
            return gap
        return self._queued.popitem(last=False)[1] if self._queued else None

    def take_all(self) -> list[LiveEvent] | None:
        """All that waits; None where some was dropped."""
        events = list(self._queued.values())
        self._queued.clear()
        return events if self._gap is None else None


def _first_of(earlier: LiveEvent, later: LiveEvent) -> int | None:
    """The first slot that either has changed; None where it may be any."""
    slots = earlier.first_changed_slot, later.first_changed_slot
    return None if slots[0] is None or slots[1] is None else min(slots[0], slots[1])


def packed_slots(values: Sequence[int | None], quality: str) -> bytes:
    """What the slots of a day have, in nine bytes each: many days are remembered."""
    slots = zip_longest(values, quality.encode(), fillvalue=0)
    return b"".join(
        _SLOT.pack(-1 if value is None else value, letter or 0) for value, letter in slots
    )


def first_changed_slot(before: bytes, after: bytes) -> int | None:
    """The first slot in which two versions of a day differ; None where they are equal."""
    if before == after:
        return None
    slots = range(0, max(len(before), len(after)), _SLOT.size)
    return next(
        start // _SLOT.size
        for start in slots
        if before[start : start + _SLOT.size] != after[start : start + _SLOT.size]
    )


def written_id(positions: Positions, letters: Mapping[str, str]) -> str:
    """Positions as the id of an event: `partition:offset[,…]`, each with its topic's letter."""
    return ",".join(
        f"{letters[topic]}{number}:{offset}"
        for (topic, number), offset in sorted(positions.items())
    )


def read_id(text: str, letters: Mapping[str, str]) -> Positions | None:
    """The positions that an id says; None where it is none of ours."""
    topics = {letter: topic for topic, letter in letters.items()}
    positions: dict[tuple[str, int], int] = {}
    if len(text) > ID_CHARS_MAX:
        return None
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or match[1] not in topics or int(match[3]) > POSITION_MAX:
            return None
        partition = topics[match[1]], int(match[2])
        if partition in positions:
            return None
        positions[partition] = int(match[3])
    return positions
