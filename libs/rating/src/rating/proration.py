"""Proration: how much of a monthly charge falls on some of the month's days."""

from decimal import Decimal
from typing import Literal

from kernel.money import EXACT
from kernel.periods import Period, month_of, months_between

Proration = Literal["actual_days", "thirty_days", "year_over_twelve", "none"]
"""Each day costs one of the month's own days, 1/30 of a month, or 12/365 of one, also in a whole
month; `none` charges the whole month on its first billed day."""
SHARE_STEP = Decimal("1E-15")


def months_in(part: Period, within: Period, proration: Proration) -> Decimal:
    """How many months' charge falls on the days of `part`, a piece of the billed `within`.

    To 15 decimals, cut from a running total, so the pieces of a month add up exactly. Only `none`
    looks at `within`: cutting that again charges the month again.
    """
    months = Decimal(0)
    for piece in months_between(part.start_on, part.end_on):
        month = month_of(piece.start_on)
        if proration == "none":
            months += max(month.start_on, within.start_on) in piece
            continue
        start_day = (piece.start_on - month.start_on).days
        end_day = start_day + piece.days
        months += _upto(end_day, month, proration) - _upto(start_day, month, proration)
    return _plain(months)


def _upto(days: int, month: Period, proration: Proration) -> Decimal:
    match proration:
        case "actual_days":
            share = EXACT.divide(Decimal(days), Decimal(month.days))
        case "thirty_days":
            share = EXACT.divide(Decimal(days), Decimal(30))
        case _:
            share = EXACT.divide(Decimal(days * 12), Decimal(365))
    return share.quantize(SHARE_STEP, context=EXACT)


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros, nor an exponent above zero."""
    return (
        number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()
    )
