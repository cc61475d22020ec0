"""Local days: which of them there is a clock for, and periods of them, as requests name them."""

from datetime import date

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import Period

FIRST_ON, LAST_ON = date(1900, 1, 1), date(2200, 1, 1)
"""Nobody knows the clock changes of other days."""


def requested_period(start_on: date, end_on: date, days_max: int, within: str = "/query") -> Period:
    """The days from `from` up to, but without, `to`, which stand at `within` in the request.

    Rejected for none, for too many and for days too far from today.
    """
    if not start_on < end_on:
        fault = Fault(f"{within}/to", "must lie after from")
        raise Rejected("empty_period", "the period holds no day", (fault,))
    for name, day in (("from", start_on), ("to", end_on)):
        if not FIRST_ON <= day <= LAST_ON:
            fault = Fault(f"{within}/{name}", f"must lie between {FIRST_ON} and {LAST_ON}")
            raise Rejected("distant_date", f"{day} is too far from today", (fault,))
    period = Period(start_on, end_on)
    if period.days > days_max:
        fault = Fault(f"{within}/to", f"must lie at most {days_max} days after from")
        raise Rejected("long_period", f"the period has {period.days} days", (fault,))
    return period
