"""Counted energy becomes interval energy: whole Wh that add up to what the register counted.

Moments are microseconds since 1970, in arrays: a year of quarters of an hour is 35 000 of them.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import ONE_DAY, local_date, midnight_utc
from gridtally.metering.readings import INT64_MAX, CountedEnergy, microseconds

MISSING = -1
"""Of an interval of which nothing is known."""
Edges = NDArray[np.int64]
"""Where intervals begin and end, rising: one more than there are intervals."""
Energy = NDArray[Any]
"""Wh of intervals, or MISSING: of 64 bits, or Python's integers where those do not hold it."""
_US_PER_MINUTE = 60_000_000
_SLOTS_MIN = 8
"""Of fewer intervals it costs more to make arrays."""


def spread_evenly(counted: Sequence[CountedEnergy], edges: Edges) -> Energy:
    """The Wh of each interval between two edges; MISSING where nothing is known of it.

    `counted` is in order of time, none of it overlaps. An interval that is covered in part has that
    part.
    """
    values = [MISSING] * max(edges.size - 1, 0)
    edges_us = edges.tolist()
    starts = np.array([energy.start_us for energy in counted], np.int64)
    ends = np.array([energy.end_us for energy in counted], np.int64)
    first_slots = np.maximum(np.searchsorted(edges, starts, "right") - 1, 0).tolist()
    end_slots = np.minimum(np.searchsorted(edges, ends, "left"), len(values)).tolist()
    for energy, first, end in zip(counted, first_slots, end_slots, strict=True):
        if first >= end:
            continue
        start_us, end_us = energy.start_us, energy.end_us
        if end - first < _SLOTS_MIN:
            # As whoever reads each interval or oftener has it, so by hand.
            before_wh = energy.whole_wh(max(edges_us[first], start_us))
            for slot in range(first, end):
                at_us = edges_us[slot + 1]
                total_wh = energy.whole_wh(min(at_us, end_us))
                known_wh = values[slot]
                part_wh = total_wh - before_wh
                values[slot] = part_wh if known_wh == MISSING else known_wh + part_wh
                before_wh = total_wh
        else:
            inside = np.clip(edges[first : end + 1], start_us, end_us)
            parts = np.diff(energy.whole_wh_at(inside)).tolist()
            if values[first] != MISSING:  # what came before ends in the same interval
                parts[0] += values[first]
            values[first:end] = parts
    fits = max(values, default=MISSING) <= INT64_MAX
    return np.array(values, np.int64 if fits else object)


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
