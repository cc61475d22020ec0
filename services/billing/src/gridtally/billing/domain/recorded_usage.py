"""Recorded usage: what billing stores of a meter's local days, and readings put in its place.

Owns how single days become the series that a bill is made of. Missing stays missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.fleet_costs.costs import FIRST_ON, ChannelDays
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import ONE_DAY, Period, local_date, midnight_utc, slots_in_day
from gridtally.rating.usage import MISSING, Flow

Wh = NDArray[np.int32]
DEFAULT_MINUTES = 15
"""The intervals of a flow of which nothing was ever recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBlock:
    """Consecutive intervals of a flow from `start_at` (UTC) on, in Wh; `MISSING` takes a value
    away."""

    flow: Flow
    start_at: datetime
    minutes: int
    values: Wh

    @property
    def last_at(self) -> datetime:
        """When the last interval starts."""
        return self.start_at + (len(self.values) - 1) * timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedUsage:
    """A meter's local days in `zone`: by flow its interval length, and each day's Wh."""

    zone: str
    minutes: Mapping[Flow, int]
    days: Mapping[Flow, Mapping[date, Wh]]

    @property
    def last_on(self) -> date | None:
        """The last day of which a value is there; None where there is none at all."""
        present = [
            day
            for own in self.days.values()
            for day, values in own.items()
            if (values != MISSING).any()
        ]
        return max(present, default=None)

    def minutes_of(self, flow: Flow) -> int:
        """The interval length of a flow; of one that was never recorded, that of the others."""
        others = min(self.minutes.values(), default=DEFAULT_MINUTES)
        return self.minutes.get(flow, others)

    def series(self, flow: Flow, period: Period) -> Wh:
        """All intervals of the period, `MISSING` where nothing was recorded."""
        minutes, own = self.minutes_of(flow), self.days.get(flow, {})
        series = []
        for day in period.dates():
            slots = _slots(self.zone, day, minutes)
            values = own.get(day)
            if values is not None and len(values) != slots:
                raise Rejected("usage_impossible", f"{len(values)} values on {day}, not {slots}")
            series.append(np.full(slots, MISSING, np.int32) if values is None else values)
        return np.concatenate(series)

    def until(self, period: Period) -> datetime | None:
        """The end (UTC) of the last interval of the period that has a value."""
        ends = []
        for flow, minutes in self.minutes.items():
            present = np.flatnonzero(self.series(flow, period) != MISSING)
            if len(present):
                length = timedelta(minutes=minutes)
                ends.append(midnight_utc(self.zone, period.start_on) + (present[-1] + 1) * length)
        return max(ends, default=None)

    def with_readings(self, blocks: Sequence[ReadingBlock]) -> "RecordedUsage":
        """The same with these readings in the place of what was recorded, later blocks last.

        Rejected where a block is not in the flow's intervals; its faults point into `/readings`.
        """
        minutes = dict(self.minutes)
        days = {flow: dict(own) for flow, own in self.days.items()}
        for index, block in enumerate(blocks):
            if minutes.setdefault(block.flow, block.minutes) != block.minutes:
                raise _misfit(
                    index, "minutes", f"{block.flow} has intervals of {minutes[block.flow]} minutes"
                )
            own = days.setdefault(block.flow, {})
            for day, first, values in _cut(self.zone, block, index):
                slots = _slots(self.zone, day, block.minutes)
                whole = own.get(day, np.full(slots, MISSING, np.int32)).copy()
                whole[first : first + len(values)] = values
                own[day] = whole
        return replace(self, minutes=minutes, days=days)


def _cut(zone: str, block: ReadingBlock, index: int) -> list[tuple[date, int, Wh]]:
    """The block by local days: the day, the index of its first interval, and the values."""
    parts = []
    length = timedelta(minutes=block.minutes)
    at, values = block.start_at, block.values
    while len(values):
        day = local_date(zone, at)
        first, remainder = divmod(at - midnight_utc(zone, day), length)
        if remainder:
            raise _misfit(
                index, "start_at", f"must be a multiple of {block.minutes} minutes after midnight"
            )
        count = min(_slots(zone, day, block.minutes) - first, len(values))
        parts.append((day, first, values[:count]))
        at, values = at + count * length, values[count:]
    return parts


def _misfit(index: int, name: str, detail: str) -> Rejected:
    fault = Fault(f"/readings/{index}/{name}", detail)
    return Rejected("readings_misfit", "the readings do not fit the meter's intervals", (fault,))


def _slots(zone: str, day: date, minutes: int) -> int:
    try:
        return slots_in_day(zone, day, minutes)
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None


def recorded_usage(
    channel_days: Sequence[ChannelDays], default_zone: str, rated: Period | None
) -> RecordedUsage:
    """What was recorded of one meter, in the zone and the intervals of each flow's last day.

    Days of another zone or interval are left out. Rejected where they are to be rated; nothing is
    where that is None.
    """
    newest = max((block for block in channel_days if len(block.days)), key=_last, default=None)
    zone = default_zone if newest is None else newest.zone
    minutes: dict[Flow, int] = {}
    for block in sorted(channel_days, key=_last):
        if block.zone == zone and len(block.days):
            minutes[block.flow] = block.minutes
    days: dict[Flow, dict[date, Wh]] = {flow: {} for flow in minutes}
    for block in channel_days:
        own = [FIRST_ON + int(day) * ONE_DAY for day in block.days]
        if (block.zone, block.minutes) == (zone, minutes.get(block.flow)):
            days[block.flow].update(zip(own, block.energy, strict=True))
        elif rated is not None and any(day in rated for day in own):
            raise Rejected(
                "usage_impossible", "the meter changed its zone or its interval within these days"
            )
    return RecordedUsage(zone, MappingProxyType(minutes), days)


def _last(block: ChannelDays) -> int:
    return int(block.days[-1]) if len(block.days) else -1
