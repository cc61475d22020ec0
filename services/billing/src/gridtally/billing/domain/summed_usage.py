"""Summed usage: days of derived meters, added up from what is recorded of their parts.

By the rules of ingest, which publishes those that are billed: an interval is there when those of
all parts are; a sum above zero is import, what lies below it export.
"""

from collections.abc import Collection, Mapping, Sequence
from math import lcm
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.fleet_costs.costs import FIRST_ON, ChannelDays
from gridtally.billing.domain.recorded_usage import ReadingBlock, RecordedUsage, Wh
from gridtally.kernel.energy import INTERVAL_WH_MAX
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc, slots_in_day
from gridtally.metering.derived_meters import Factors
from gridtally.rating.usage import MISSING, Flow


def zone_of(factors: Factors, usages: Mapping[UUID, RecordedUsage]) -> str | None:
    """The zone of the parts, the first of which counts; None where one was never recorded."""
    if any(meter_id not in usages for meter_id, _ in factors):
        return None
    return usages[min(factors)[0]].zone


# Whole numbers of 64 bits: a thousand registers of four bytes each, with signs, cannot overflow.
def add_up(
    zone: str,
    days: Period,
    factors: Factors,
    usages: Mapping[UUID, RecordedUsage],
    minutes_filled: int = 1,
) -> tuple[int, dict[Flow, Wh]]:
    """Days of a derived meter in a zone: the interval length, and by flow all intervals.

    The shortest intervals that those of all parts fill, and `minutes_filled`. All parts have
    recorded usage. Export is there where anything is subtracted.
    """
    lengths = [usages[meter_id].minutes_of(flow) for meter_id, flow in factors]
    minutes = lcm(minutes_filled, *lengths)
    slots = days.slots(zone, minutes)
    net = np.zeros(slots, np.int64)
    is_there = np.ones(slots, np.bool_)
    for (meter_id, flow), factor in factors.items():
        values = _aligned(usages[meter_id], flow, zone, days).reshape(slots, -1)
        is_there &= (values != MISSING).all(axis=1)
        net += factor * np.where(values == MISSING, 0, values).sum(axis=1, dtype=np.int64)
    is_there &= np.abs(net) <= INTERVAL_WH_MAX
    by_flow: dict[Flow, NDArray[np.int64]] = {"import": np.maximum(net, 0)}
    if any(factor < 0 for factor in factors.values()):
        by_flow["export"] = np.maximum(-net, 0)
    return minutes, {
        flow: np.where(is_there, values, MISSING).astype(np.int32)
        for flow, values in by_flow.items()
    }


def _aligned(usage: RecordedUsage, flow: Flow, zone: str, days: Period) -> Wh:
    """A part's intervals on the local days of a zone; all missing where they do not begin with
    those days."""
    if usage.zone == zone:
        return usage.series(flow, days)
    minutes = usage.minutes_of(flow)
    wider = Period(days.start_on - ONE_DAY, days.end_on + ONE_DAY)
    offset = midnight_utc(zone, days.start_on) - midnight_utc(usage.zone, wider.start_on)
    first, beside = divmod(int(offset.total_seconds()), minutes * 60)
    slots = days.slots(zone, minutes)
    if beside:
        return np.full(slots, MISSING, np.int32)
    return usage.series(flow, wider)[first : first + slots]


def summed_days(
    meter_id: UUID,
    parts: Sequence[tuple[Period, Factors]],
    usages: Mapping[UUID, RecordedUsage],
    recorded: Collection[int],
) -> list[ChannelDays]:
    """The days of a derived meter of which something is there, without those that are `recorded`,
    by their numbers; `parts` are what it is the sum of, by runs of days."""
    blocks = []
    for days, factors in parts:
        if (zone := zone_of(factors, usages)) is None:
            continue
        minutes, series = add_up(zone, days, factors, usages)
        lengths = np.array([slots_in_day(zone, day, minutes) for day in days.dates()])
        first = np.cumsum(lengths) - lengths
        numbers = (days.start_on - FIRST_ON).days + np.arange(days.days)
        is_asked = ~np.isin(numbers, list(recorded))
        for length in np.unique(lengths).tolist():
            chosen = np.flatnonzero(is_asked & (lengths == length))
            for flow, values in series.items():
                energy = values[first[chosen][:, None] + np.arange(length)]
                is_there = (energy != MISSING).any(axis=1)
                own = numbers[chosen][is_there]
                blocks.append(ChannelDays(meter_id, flow, zone, minutes, own, energy[is_there]))
    return [block for block in blocks if len(block.days)]


def changed_sums(
    zone: str,
    minutes: int,
    parts: Sequence[tuple[Period, Factors]],
    before: Mapping[UUID, RecordedUsage],
    after: Mapping[UUID, RecordedUsage],
) -> list[tuple[ReadingBlock, ReadingBlock]]:
    """The days of a derived meter that change with its parts, by flow, as they would be added up
    before and after, in intervals of at least so many `minutes`."""
    changed = []
    for days, factors in parts:
        if zone_of(factors, before) is None:
            continue
        length, new = add_up(zone, days, factors, after, minutes)
        _, old = add_up(zone, days, factors, before, length)
        first = 0
        for day in days.dates():
            own = slice(first, first + slots_in_day(zone, day, length))
            first = own.stop
            at = midnight_utc(zone, day)
            changed += [
                (
                    ReadingBlock(flow, at, length, old[flow][own]),
                    ReadingBlock(flow, at, length, values[own]),
                )
                for flow, values in new.items()
                if not np.array_equal(old[flow][own], values[own])
            ]
    return changed
