"""Cutting a time into pieces: local days and months, hours and quarters of them.

Days begin at local midnight, so one may have 23 or 25 hours; hours and quarters are counted from
there. The first and last piece are cut where the time itself begins and ends.
"""

from datetime import date, datetime, timedelta
from typing import Literal

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON, ONE_DAY, local_date, midnight_utc
from gridtally.ledger.metering.analytics.domain.consumption import Window

By = Literal["15min", "hour", "day", "month"]
STEPS: dict[By, timedelta] = {"15min": timedelta(minutes=15), "hour": timedelta(hours=1)}


def pieces(by: By, zone: str, window: Window, pieces_max: int) -> list[Window]:
    """The pieces of a window in a zone, in order.

    Rejected for more than `pieces_max`, or for days that lie too far away.
    """
    from_at, to_at = window
    first, last = _day(zone, from_at), _day(zone, to_at)
    at_least = (last - first) // (timedelta(days=31) if by == "month" else STEPS.get(by, ONE_DAY))
    if at_least > pieces_max:
        raise _too_wide(pieces_max)
    cut: list[Window] = []
    begin, day = from_at, first
    while begin < to_at:
        next_day = _next_month(day) if by == "month" else day + ONE_DAY
        edge, end_of_day = midnight_utc(zone, day), midnight_utc(zone, next_day)
        step = STEPS.get(by, end_of_day - edge)
        while edge < end_of_day:
            end = min(edge + step, end_of_day, to_at)
            if end > begin:
                cut.append((begin, end))
                begin = end
            edge += step
        if len(cut) > pieces_max:
            raise _too_wide(pieces_max)
        day = next_day
    return cut


def _day(zone: str, at: datetime) -> date:
    if not EARLIEST_ON - ONE_DAY <= at.date() <= LATEST_ON + ONE_DAY:  # by any zone's calendar
        raise Rejected("window_too_far", f"tables lie between {EARLIEST_ON} and {LATEST_ON}")
    return local_date(zone, at)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _too_wide(pieces_max: int) -> Rejected:
    return Rejected("window_too_wide", f"there would be more than {pieces_max} rows")
