"""Counted energy becomes interval energy: whole Wh that add up to what the register counted.

Moments are microseconds since 1970, in arrays: a year of quarters of an hour is 35 000 of them.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc
from gridtally.metering.readings import CountedEnergy, microseconds

MISSING = -1
"""Of an interval of which nothing is known."""
Edges = NDArray[np.int64]
"""Where intervals begin and end, rising: one more than there are intervals."""
Energy = NDArray[Any]
"""Wh of intervals, or MISSING: of 64 bits, or Python's integers where those do not hold it."""
_US_PER_MINUTE = 60_000_000


def spread_evenly(counted: Sequence[CountedEnergy], edges: Edges) -> Energy:
    """The Wh of each interval between two edges; MISSING where nothing is known of it.

    `counted` is in order of time. An interval that is covered in part has that part.
    """
    values: Energy = np.full(max(edges.size - 1, 0), MISSING, np.int64)
    for energy in counted:
        first = max(int(np.searchsorted(edges, energy.start_us, "right")) - 1, 0)
        end = min(int(np.searchsorted(edges, energy.end_us, "left")), values.size)
        if first >= end:
            continue
        moments = np.clip(edges[first : end + 1], energy.start_us, energy.end_us)
        parts = np.diff(energy.whole_wh_at(moments))
        if parts.dtype != values.dtype:
            values = values.astype(object)
        before = values[first:end]
        values[first:end] = np.where(before == MISSING, 0, before) + parts
    return values


def edges_around(zone: str, minutes: int, from_at: datetime, to_at: datetime) -> Edges:
    """The edges of the intervals of local days that touch [from_at, to_at]."""
    days = []
    day, last = local_date(zone, from_at), local_date(zone, to_at)
    while day <= last:
        days.append(_edges_of(zone, day, minutes))
        day += ONE_DAY
    days.append(np.array([microseconds(midnight_utc(zone, day))], np.int64))
    edges = np.concatenate(days)
    first = int(np.searchsorted(edges, microseconds(from_at), "right")) - 1
    end = min(int(np.searchsorted(edges, microseconds(to_at), "left")), edges.size - 1)
    return edges[first : max(end, first + 1) + 1]


def _edges_of(zone: str, day: date, minutes: int) -> Edges:
    begin_us = microseconds(midnight_utc(zone, day))
    end_us = microseconds(midnight_utc(zone, day + ONE_DAY))
    return np.arange(begin_us, end_us, minutes * _US_PER_MINUTE, dtype=np.int64)
