"""Exact arithmetic of bills: Decimals that refuse to lose a digit, and when a quotient is shown.

A share of a month or of a total may have no finite decimal. Inside a batch every number is held in
parts of its meter's divisor, a whole number that makes all of the bill's shares finite.
"""

from collections.abc import Iterable
from decimal import ROUND_05UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import reduce

from kernel.money import EXACT, PRECISION_DIGITS
from rating.limits import decimals_in

DIGITS_MAX = 1000
"""Digits of a number in parts of a divisor; a few dozen are usual, and more costs nothing."""
SHOWN_DECIMALS = 20
NOTHING = Decimal(0)
LOSSLESS = Context(prec=DIGITS_MAX, traps=[InvalidOperation, Overflow, Inexact])
"""Raises `decimal.Inexact` where a step would lose a digit."""
_SHOWN_STEP = Decimal("1E-20")
_TO_ROUND = Context(PRECISION_DIGITS, rounding=ROUND_05UP, traps=[InvalidOperation, Overflow])


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(LOSSLESS.add, amounts, NOTHING)


def whole(parts: Decimal, divisor: int) -> Decimal:
    """The number that these are `divisor` parts of: exactly, or to 20 decimals."""
    if divisor == 1:
        return parts
    return quotient(parts, Decimal(divisor))


def to_round(parts: Decimal, divisor: int) -> Decimal:
    """The number that these are `divisor` parts of, to be rounded to fewer digits.

    Where it has no end its last digit is neither 0 nor 5, so that it rounds as all of it would.
    """
    return parts if divisor == 1 else _TO_ROUND.divide(parts, Decimal(divisor))


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """How often one goes into the other: exactly, or to 20 decimals."""
    number = EXACT.divide(dividend, divisor)
    if decimals_in(number) > SHOWN_DECIMALS:
        return number.quantize(_SHOWN_STEP, context=EXACT)
    return number
