"""Exact arithmetic of bills: Decimals that refuse to lose a digit, and how quotients are shown.

A part of a month or of a total may have no finite decimal (10 of 31 days, a third of 1 kWh). Inside
a batch every number is therefore stored as so many parts of its meter's divisor: a whole number,
chosen for the meter, that makes all of the bill's parts finite. Fractions would be exact too, but
reduce every result; Decimals add and multiply in C and are divided once, when a line is written.
"""

from collections.abc import Iterable
from decimal import ROUND_05UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from functools import reduce

from gridtally.kernel.money import EXACT, PRECISION_DIGITS
from gridtally.rating.field_types import decimals_in

DIGITS_MAX = 1000
"""Digits of a number in parts of a divisor; a few dozen are usual, and more costs nothing."""
SHOWN_DECIMALS = 20
ZERO = Decimal(0)
LOSSLESS = Context(prec=DIGITS_MAX, traps=[InvalidOperation, Overflow, Inexact])
"""Raises `decimal.Inexact` where a step would lose a digit."""
_SHOWN_STEP = Decimal("1E-20")
_FOR_ROUNDING = Context(PRECISION_DIGITS, rounding=ROUND_05UP, traps=[InvalidOperation, Overflow])


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(LOSSLESS.add, amounts, ZERO)


def exact_number(parts: Decimal, divisor: int) -> Decimal:
    """The number that these are `divisor` parts of: exactly, or to 20 decimals."""
    if divisor == 1:
        return parts
    return quotient(parts, Decimal(divisor))


def for_rounding(parts: Decimal, divisor: int) -> Decimal:
    """The number that these are `divisor` parts of, in 50 digits, to be rounded to fewer.

    Rounding twice may go wrong: 0.5 and a 1 beyond the 50th digit would become a tie. With
    `ROUND_05UP` (the General Decimal Arithmetic Specification has it for this) the last digit of a
    number without end is neither 0 nor 5, so that it rounds as all of the number would.
    """
    return parts if divisor == 1 else _FOR_ROUNDING.divide(parts, Decimal(divisor))


def shown(amount: Fraction) -> Decimal:
    """A fraction as a decimal: exactly, or to 20 decimals."""
    numerator, denominator = Decimal(amount.numerator), Decimal(amount.denominator)
    try:
        return LOSSLESS.divide(numerator, denominator)
    except Inexact:
        return quotient(numerator, denominator)


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """How often the divisor goes into the dividend: exactly, or to 20 decimals."""
    number = EXACT.divide(dividend, divisor)
    if decimals_in(number) > SHOWN_DECIMALS:
        return number.quantize(_SHOWN_STEP, context=EXACT)
    return number
