"""The quarters of an hour of local days: their instants, and what the wall clock shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period, midnight_utc, zone_named

MINUTES = 15
QUARTER_S = 60 * MINUTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class LocalClock:
    """Each quarter of an hour of a period, in order.

    `starts_s` are seconds since 1970 in UTC; `quarter` counts from midnight of the wall clock,
    `day_of_year` from 0 and `weekday` from Monday. An hour that comes twice has the same quarters
    twice, and one that is skipped has none.
    """

    starts_s: NDArray[np.int64]
    quarter: NDArray[np.int64]
    day_of_year: NDArray[np.int64]
    weekday: NDArray[np.int64]


@lru_cache(maxsize=64)
def local_clock(zone: str, period: Period) -> LocalClock:
    """The quarters between the period's local midnights; ValueError where they do not fill it."""
    slots = period.slots(zone, MINUTES)
    begin_s = _seconds(midnight_utc(zone, period.start_on))
    starts_s = begin_s + QUARTER_S * np.arange(slots, dtype=np.int64)
    local = (starts_s + _offsets(zone, starts_s)).astype("M8[s]")
    day = local.astype("M8[D]")
    return LocalClock(
        starts_s=starts_s,
        quarter=(local - day).astype(np.int64) // QUARTER_S,
        day_of_year=(day - day.astype("M8[Y]")).astype(np.int64),
        weekday=(day.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
    )


def _offsets(zone: str, starts_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """The clock's offset from UTC at each start, in seconds; asked once for each hour."""
    info = zone_named(zone)
    hours, hour_of = np.unique(starts_s // 3600, return_inverse=True)
    offsets = [
        int(_offset(_EPOCH + timedelta(hours=int(hour)), info).total_seconds()) for hour in hours
    ]
    at_hour = np.array(offsets, np.int64)[hour_of]
    # A clock that changes within the hour (of UTC) is asked quarter by quarter there.
    following = np.append(offsets[1:], offsets[-1:])[hour_of]
    for index in np.flatnonzero(at_hour != following):
        at = _EPOCH + timedelta(seconds=int(starts_s[index]))
        at_hour[index] = int(_offset(at, info).total_seconds())
    return at_hour


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    return offset or timedelta()


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1)
