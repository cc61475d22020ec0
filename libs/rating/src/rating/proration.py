"""Proration: how much of a charge per month, year or period falls on some days."""

import math
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from kernel.periods import Period, month_of, months_between

Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""Each day costs one of the month's own days, 1/30 of a month, or 12/365 of one, also in a whole
month; `none` charges the whole month on its first billed day."""
YearProration = Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"]
"""Of a year each day costs one of the year's own 365 or 366 days, 1/360 or 1/365; with `twelfths`
each month costs the same, and its days are parts of it. `none` is for months alone."""
Per = Literal["day", "month", "period", "year"]


YEAR_PARTS: dict[YearProration, int] = {
    "actual_days": 365 * 366,
    "thirty_days": 360,
    "year_over_twelve": 365,
    "twelfths": 12 * math.lcm(28, 29, 30, 31),
}
"""Of how many equal parts of a year any days are a whole number."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a rate is for: a local day, a month, a year, or the billed `period` as a whole.

    `within` are the version's days of the period.
    """

    per: Per
    proration: YearProration
    within: Period
    period: Period

    def times(self, part: Period) -> Fraction:
        """How many times the rate is due on the days of `part`, a piece of `within`."""
        match self.per:
            case "day":
                return Fraction(part.days)
            case "period":
                return Fraction(part.days, self.period.days)
            case "month":
                assert self.proration != "twelfths"  # noqa: S101 - see check_proration
                return months_in(part, self.within, self.proration)
            case "year":
                return years_in(part, self.within, self.proration)


def check_proration(per: Per, proration: YearProration) -> None:
    """ValueError for a proration that says nothing about what the rate is for."""
    if proration == "twelfths" and per != "year":
        raise ValueError("the proration 'twelfths' is for a rate per year")
    if proration == "none" and per == "year":
        raise ValueError("a rate per year needs a proration: 'none' would charge it on every bill")


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


def years_in(part: Period, within: Period, proration: YearProration) -> Fraction:
    """How many years' charge falls on the days of `part`; the pieces of a year add up."""
    if proration == "twelfths":
        return months_in(part, within, "actual_days") / 12
    if proration != "actual_days":
        return months_in(part, within, proration) / 12
    years = Fraction(0)
    for number in range(part.start_on.year, part.end_on.year + 1):
        year = Period(date(number, 1, 1), date(number + 1, 1, 1))
        if (piece := year.overlap(part)) is not None:
            years += Fraction(piece.days, year.days)
    return years
