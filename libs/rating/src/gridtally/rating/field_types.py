"""Field types: what the names, numbers and lists of a tariff document look like.

Owns the form of every field, as a constraint in its annotation: whoever publishes a schema of
documents makes it of these annotations, so that a field is described once. The `check_*`
functions hold a value to its form however it was made. With these limits no product of quantity,
rate and tax needs more than the 50 digits of `gridtally.kernel.money.EXACT`, and rating traps
whatever would.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated

from gridtally.kernel.money import DECIMALS_MAX
from gridtally.kernel.periods import zone_named

COMPONENTS_MAX = 100
WINDOWS_MAX = 200
BANDS_MAX = 100
SEASONS_MAX = 12
DAY_TYPES_MAX = 24
HOLIDAY_DATES_MAX = 1000
PAYEE_CHARS_MAX = 100
ZONE_CHARS_MAX = 64
MONTHS_PER_YEAR = 12
FIRST_ON, LAST_ON = date(1900, 1, 1), date(2201, 1, 1)
"""Between them lie the days that can be billed: calendars and clocks of others end somewhere."""
ROUNDING_ID = "rounding"
"""The component id of the line that a bill with one rounding at its total adds."""


@dataclass(frozen=True, slots=True)
class TextForm:
    """A text that `pattern` matches from `^` to `$`; Python and JavaScript read it alike."""

    pattern: str

    def fits(self, text: str) -> bool:
        """Whether all of a text matches."""
        return re.fullmatch(self.pattern.removesuffix("$"), text) is not None


@dataclass(frozen=True, slots=True)
class DecimalForm:
    """A decimal, in JSON a text: so many digits before the point at most, and after it."""

    digits_max: int
    decimals_max: int
    signed: bool = False

    @property
    def pattern(self) -> str:
        """What its text matches."""
        sign = "-?" if self.signed else ""
        return rf"^{sign}[0-9]{{1,{self.digits_max}}}(\.[0-9]{{1,{self.decimals_max}}})?$"

    @property
    def below(self) -> Decimal:
        """What its size stays below."""
        return Decimal(10**self.digits_max)

    def fits(self, number: Decimal) -> bool:
        """Whether a number is finite, small enough and no finer than this."""
        return (
            number.is_finite()
            and abs(number) < self.below
            and (self.signed or number >= 0)
            and decimals_in(number) <= self.decimals_max
        )


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Length:
    """A text of so many characters, or a list of so many entries."""

    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class PassedBy:
    """A value that `check` does not refuse with ValueError."""

    check: Callable[[str], object]


RATE_FORM = DecimalForm(digits_max=9, decimals_max=DECIMALS_MAX, signed=True)
KW_FORM = DecimalForm(digits_max=6, decimals_max=3)
LIMIT_FORM = DecimalForm(digits_max=9, decimals_max=DECIMALS_MAX)
PERCENTAGE_FORM = DecimalForm(digits_max=3, decimals_max=DECIMALS_MAX)
NAME_FORM = TextForm(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")
CURRENCY_FORM = TextForm(r"^[A-Z]{3}$")

Name = Annotated[str, NAME_FORM]
"""What bands, components and the like are called."""
Currency = Annotated[str, CURRENCY_FORM]
"""A code of three letters by ISO 4217."""
Zone = Annotated[str, PassedBy(zone_named), Length(most=ZONE_CHARS_MAX)]
"""An IANA time zone."""
Payee = Annotated[str, Length(1, PAYEE_CHARS_MAX)]
Rate = Annotated[Decimal, RATE_FORM]
"""Money per unit; a negative one pays the customer."""
TaxRate = Annotated[Decimal, TextForm(r"^(0(\.[0-9]{1,8})?|1(\.0{1,8})?)$")]
"""A fraction: 0.19 is 19 %."""
Percentage = Annotated[Decimal, PERCENTAGE_FORM]
"""80 is 80 %."""
UpperLimit = Annotated[Decimal, LIMIT_FORM]
Kilowatts = Annotated[Decimal, KW_FORM]
Month = Annotated[int, Between(1, MONTHS_PER_YEAR)]
"""1 is January."""
LocalTime = Annotated[time, TextForm(r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""Hours and minutes of the tariff's clock."""
Instant = Annotated[
    datetime,
    TextForm(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$"
    ),
]
"""A date and time with its offset from UTC, `2025-07-15T17:00-04:00`."""
MonthDay = Annotated[str, TextForm(r"^[0-1][0-9]-[0-3][0-9]$")]
"""A day of every year, `MM-DD`."""


def check_name(what: str, name: str) -> None:
    """ValueError unless `name` is 1 to 64 letters, digits, `_`, `.`, `:` or `-`."""
    if not NAME_FORM.fits(name):
        raise ValueError(f"{what} {name!r} must be 1 to 64 letters, digits, '_', '.', ':' or '-'")


def check_rate(rate: Decimal) -> None:
    """ValueError unless `rate` is finite, below 10⁹ and has at most 8 decimals."""
    if not RATE_FORM.fits(rate):
        raise ValueError(
            f"rate {rate} must be below {RATE_FORM.below} with at most {DECIMALS_MAX} decimals"
        )


def check_connected_kw(connected_kw: Decimal) -> None:
    """ValueError unless the connected load is whole watts from 0 up to a million kW."""
    if not KW_FORM.fits(connected_kw):
        raise ValueError(
            f"connected load {connected_kw} kW must be 0 or more, below {KW_FORM.below}, "
            f"with at most {KW_FORM.decimals_max} decimals"
        )


def check_month(month: int) -> None:
    """ValueError unless the number is that of a month of the year."""
    if not 1 <= month <= MONTHS_PER_YEAR:
        raise ValueError(f"a month is 1 to 12, not {month}")


def check_days(start_on: date, end_on: date) -> None:
    """ValueError for local days that no bill can be for."""
    if not FIRST_ON <= start_on <= end_on <= LAST_ON:
        raise ValueError(f"{start_on} to {end_on} must lie between {FIRST_ON} and {LAST_ON}")


def decimals_in(number: Decimal) -> int:
    """How many decimals a finite number is written with."""
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
