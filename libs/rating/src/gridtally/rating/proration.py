"""Proration: how much of a charge per month, year or period falls on some days.

Owns the declared conventions, as exact fractions. Refuses those that do not go with what a rate is
for.
"""

import math
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Literal

from gridtally.kernel.periods import Period, month_of, months_between

Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""What a day of a monthly charge costs: one of the month's own days, 1/30 of a month, or 12/365 of
one, also in a whole month; `none` charges the whole month on its first billed day."""
YearProration = Literal["actual_days", "thirty_days", "year_over_twelve", "twelfths", "none"]
"""What a day of a yearly charge costs: one of the year's own 365 or 366 days, 1/360 or 1/365; with
`twelfths` each month costs the same, and its days are parts of it. `none` is for months alone."""
Shares = Literal[YearProration, "billed_days"]
"""A proration, or for parts of what is not prorated: a month is due once, and each of its billed
days costs as much."""
Per = Literal["day", "month", "period", "year"]
"""What a rate is for; a period is the billed one, whatever its length."""

YEAR_PARTS: dict[YearProration, int] = {
    "actual_days": 365 * 366,
    "thirty_days": 360,
    "year_over_twelve": 365,
    "twelfths": 12 * math.lcm(28, 29, 30, 31),
}
"""By how many equal parts of a year any number of days is a whole number of parts."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a rate is for: a local day, a month, a year, or the billed `period` as a whole.

    `within` are the version's days of the period.
    """

    per: Per
    proration: Shares
    within: Period
    period: Period

    def divided(self) -> "Term":
        """The same for parts of `within`: a month that is due in full is due to them by days."""
        return replace(self, proration="billed_days") if self.proration == "none" else self

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
    """ValueError for a proration that does not go with what the rate is for."""
    if proration == "twelfths" and per != "year":
        raise ValueError("the proration 'twelfths' is for a rate per year")
    if proration == "none" and per == "year":
        raise ValueError("a rate per year needs a proration: 'none' would charge it on every bill")


def months_in(
    part: Period, within: Period, proration: Proration | Literal["billed_days"]
) -> Fraction:
    """How many months' charges fall on the days of `part`, a piece of the billed days `within`.

    The pieces of a month add up, except that `none` charges a whole month for each `within`, as
    `billed_days` do for all pieces of it together.
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
            case "billed_days":
                billed = month.overlap(within)
                assert billed is not None  # noqa: S101 - the piece lies in both
                months += Fraction(piece.days, billed.days)
    return months


def years_in(part: Period, within: Period, proration: Shares) -> Fraction:
    """How many years' charges fall on the days of `part`; the pieces of a year add up."""
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
