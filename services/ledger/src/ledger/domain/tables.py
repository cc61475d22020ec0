"""Cutting a time into pieces: local days and months, hours and quarters of them.

Days begin at local midnight, so one may have 23 or 25 hours; hours and quarters are counted from
there. The first and last piece are cut where the time itself begins and ends.
"""

from datetime import date, datetime, timedelta
from typing import Literal

from kernel.errors import Rejected
from kernel.periods import ONE_DAY, local_date, midnight_utc
from ledger.domain.moments import EARLIEST_ON, LATEST_ON

By = Literal["15min", "hour", "day", "month"]
STEPS: dict[By, timedelta] = {"15min": timedelta(minutes=15), "hour": timedelta(hours=1)}


def pieces(
    by: By, zone: str, from_at: datetime, to_at: datetime, rows_max: int
) -> list[tuple[datetime, datetime]]:
    """The pieces of [from_at, to_at) in a zone; Rejected for more than `rows_max`, or for days
    that lie too far away."""
    first, last = _day(zone, from_at), _day(zone, to_at)
    least = (last - first) // (timedelta(days=31) if by == "month" else STEPS.get(by, ONE_DAY))
    if least > rows_max:
        raise _too_wide(rows_max)
    found, begin = [], from_at
    day = first
    while begin < to_at:
        after = _month_after(day) if by == "month" else day + ONE_DAY
        begin_of_next = midnight_utc(zone, after)
        edge = midnight_utc(zone, day)
        step = STEPS.get(by, begin_of_next - edge)
        while edge < begin_of_next:
            end = min(edge + step, begin_of_next, to_at)
            if end > begin:
                found.append((begin, end))
                begin = end
            edge += step
        if len(found) > rows_max:
            raise _too_wide(rows_max)
        day = after
    return found


def _day(zone: str, at: datetime) -> date:
    if not EARLIEST_ON - ONE_DAY <= at.date() <= LATEST_ON + ONE_DAY:  # by any zone's calendar
        raise Rejected("window_too_far", f"tables lie between {EARLIEST_ON} and {LATEST_ON}")
    return local_date(zone, at)


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _too_wide(rows_max: int) -> Rejected:
    return Rejected("window_too_wide", f"there would be more than {rows_max} rows")
