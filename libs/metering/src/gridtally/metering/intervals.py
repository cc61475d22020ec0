"""Counted energy becomes interval energy: whole Wh that add up to what the register counted."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc
from gridtally.metering.readings import CountedEnergy, microseconds


def spread_evenly(counted: Sequence[CountedEnergy], edges: Sequence[datetime]) -> list[int | None]:
    """The Wh of each interval between two edges; None where nothing is known of it.

    `edges` (UTC) rise, one more than there are intervals, and `counted` is in order of time. An
    interval that is covered in part has that part. Both are walked once, side by side.
    """
    values: list[int | None] = [None] * max(len(edges) - 1, 0)
    first = 0
    edges_us = [microseconds(edge) for edge in edges]
    for energy in counted:
        while first < len(values) and edges_us[first + 1] <= energy.start_us:
            first += 1
        slot = first
        while slot < len(values) and edges_us[slot] < energy.end_us:
            start_us = max(edges_us[slot], energy.start_us)
            end_us = min(edges_us[slot + 1], energy.end_us)
            part_wh = energy.whole_wh(end_us) - energy.whole_wh(start_us)
            values[slot] = (values[slot] or 0) + part_wh
            slot += 1
    return values


def edges_around(zone: str, minutes: int, from_at: datetime, to_at: datetime) -> list[datetime]:
    """The edges of the intervals of local days that touch [from_at, to_at], in UTC."""
    step = timedelta(minutes=minutes)
    edges: list[datetime] = []
    day, last = local_date(zone, from_at), local_date(zone, to_at)
    while day <= last:
        edges.extend(_edges_of(zone, day, step))
        day += ONE_DAY
    edges.append(midnight_utc(zone, day))
    first = max(index for index, edge in enumerate(edges) if edge <= from_at)
    end = min((index for index, edge in enumerate(edges) if edge >= to_at), default=len(edges) - 1)
    return edges[first : max(end, first + 1) + 1]


def _edges_of(zone: str, day: date, step: timedelta) -> Iterator[datetime]:
    at, next_midnight = midnight_utc(zone, day), midnight_utc(zone, day + ONE_DAY)
    while at < next_midnight:
        yield at
        at += step
