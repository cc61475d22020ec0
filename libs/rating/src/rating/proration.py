"""Proration: how much of a monthly charge falls on some of the month's days."""

from fractions import Fraction
from typing import Literal

from kernel.periods import Period, month_of, months_between

Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""Each day costs one of the month's own days, 1/30 of a month, or 12/365 of one, also in a whole
month; `none` charges the whole month on its first billed day."""


def months_in(part: Period, within: Period, proration: Proration) -> Fraction:
    """How many months' charge falls on the days of `part`, a piece of the billed `within`.

    The pieces of a month add up, except that `none` charges each billed `within` a whole one.
    """
    months = Fraction(0)
    for piece in months_between(part.start_on, part.end_on):
        month = month_of(piece.start_on)
        match proration:
            case "actual_days":
                months += Fraction(piece.days, month.days)
            case "thirty_days":
                months += Fraction(piece.days, 30)
            case "year_over_twelve":
                months += Fraction(piece.days * 12, 365)
            case "none":
                months += max(month.start_on, within.start_on) in piece
    return months
