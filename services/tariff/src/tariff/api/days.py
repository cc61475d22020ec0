"""Periods of local days that a caller asks for."""

from datetime import date

from kernel.errors import Fault, Rejected
from kernel.periods import Period


def asked_period(start_on: date, end_on: date, days_max: int) -> Period:
    """The days from `from` up to, but without, `to`; Rejected for none and for too many."""
    if not start_on < end_on:
        fault = Fault("/query/to", "must lie after from")
        raise Rejected("empty_period", "the period holds no day", (fault,))
    period = Period(start_on, end_on)
    if period.days > days_max:
        fault = Fault("/query/to", f"must lie at most {days_max} days after from")
        raise Rejected("long_period", f"the period has {period.days} days", (fault,))
    return period
