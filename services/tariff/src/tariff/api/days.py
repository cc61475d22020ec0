"""Periods of local days that a caller asks for."""

from datetime import date

from kernel.errors import Fault, Rejected
from kernel.periods import Period
from tariff.domain.prices import FIRST_ON, LAST_ON


def asked_period(start_on: date, end_on: date, days_max: int, within: str = "/query") -> Period:
    """The days from `from` up to, but without, `to`, which are fields of `within`.

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
