"""Money: exact decimal amounts, how they are written, and the one declared way to round them.

Refuses floats. A rule is data (`Rounding`), so that a tariff can name it.
"""

import decimal
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

_MODES: dict[str, str] = {
    "half_even": decimal.ROUND_HALF_EVEN,
    "half_up": decimal.ROUND_HALF_UP,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
}
DECIMALS_MAX = 8
_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(DECIMALS_MAX + 1))
MINOR_DECIMALS = 2
_MINOR_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
         "VUV", "XAF", "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""Currencies whose minor unit is no hundredth: ISO 4217:2015, list one, as its maintenance agency
(SIX) published it on 1 January 2024."""
NO_CURRENCY = "XXX"
"""ISO 4217's code for amounts in no currency, of what names none."""
PRECISION_DIGITS = 50
TEXT_CHARS_MAX = 1_000
"""Of a number; the longest that a bill carries forward have a few dozen digits."""
_QUOTED_CHARS_MAX = 40
_WRITTEN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MEASURED = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
EXACT = decimal.Context(prec=PRECISION_DIGITS, traps=[decimal.InvalidOperation, decimal.Overflow])
"""The context that all money is computed in: wide enough that sums and products stay exact."""


def shown_currency(currency: str) -> str:
    """A currency as people read it beside an amount: nothing for none."""
    return "" if currency == NO_CURRENCY else currency


@dataclass(frozen=True, slots=True)
class Rounding:
    """A declared rounding rule: `mode`, number of `decimals`, and where it acts (`per`)."""

    mode: str = "half_even"
    decimals: int = 2
    per: Literal["line", "invoice"] = "line"

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ValueError(f"rounding mode {self.mode!r} is none of {', '.join(_MODES)}")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"decimals must lie between 0 and {DECIMALS_MAX}")
        if self.per not in ("line", "invoice"):
            raise ValueError("rounding acts per 'line' or per 'invoice'")

    def round(self, amount: Decimal) -> Decimal:
        """`amount` to this rule's decimals; zero is 0.00, never -0.00."""
        step = _STEPS[self.decimals]
        rounded = amount.quantize(step, rounding=_MODES[self.mode], context=EXACT)
        return rounded or rounded.copy_abs()


def minor_decimals(currency: str) -> int:
    """The decimals of a currency's smallest unit that changes hands, by ISO 4217."""
    return _MINOR_DECIMALS.get(currency, MINOR_DECIMALS)


def is_payable(amount: Decimal, currency: str) -> bool:
    """Whether an amount is whole minor units of its currency."""
    return amount == amount.quantize(_STEPS[minor_decimals(currency)], context=EXACT)


def in_currency(amount: Decimal, currency: str) -> Decimal:
    """The same amount, written with the decimals of its currency, or more where it needs more.

    A database gives every amount the scale of its column: `-351.20000000` EUR is `-351.20`, `5.00`
    JPY is `5`, and `0.125` EUR, of a tariff that rounds so, stays. Zero is never -0.
    """
    minor = amount.quantize(_STEPS[minor_decimals(currency)], context=EXACT)
    shortest = minor if minor == amount else amount.normalize(EXACT)
    return shortest or shortest.copy_abs()


def plain(amount: Decimal) -> str:
    """The decimal as text without an exponent, as APIs and events have it; zero is never -0."""
    text = str(amount or amount.copy_abs())
    # `format` reads its specification anew each time, which takes four times as long as `str`.
    return format(amount or amount.copy_abs(), "f") if "E" in text else text


def parse_decimal(text: str) -> Decimal:
    """A decimal as documents, APIs and commands write it: a minus, digits, a point and digits.

    ValueError for anything else: `1e5`, `1_0`, `+1`, `.5`, `NaN`, blanks, other scripts' digits.
    """
    return _parsed(text, _WRITTEN)


def parse_measured(text: str) -> Decimal:
    """A decimal as other programs write it in their files: also ` 1`, `+1`, `.5`, `5.`, `1.2e-05`.

    ValueError for anything else.
    """
    return _parsed(text.strip(), _MEASURED)


def _parsed(text: str, form: re.Pattern[str]) -> Decimal:
    if len(text) > TEXT_CHARS_MAX or form.fullmatch(text) is None:
        short = len(text) <= _QUOTED_CHARS_MAX
        quoted = repr(text) if short else f"{text[:_QUOTED_CHARS_MAX]!r}…"
        raise ValueError(f"{quoted} is not a decimal number")
    value = Decimal(text)
    if abs(value.adjusted()) > PRECISION_DIGITS // 2:
        raise ValueError(f"{text[:_QUOTED_CHARS_MAX]!r} is not a number of reasonable size")
    return value
