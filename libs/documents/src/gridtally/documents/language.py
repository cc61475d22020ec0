"""Words and numbers by language: message catalogues, and formats by Unicode's locale data.

A language is a code such as `de` or `de-AT`: words follow its first part, numbers and dates all of
it. What is in no catalogue is English. A catalogue's keys are the English texts; fields stand in
braces.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal, get_args

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from gridtally.kernel.money import minor_decimals
from gridtally.kernel.periods import ONE_DAY

Translated = Literal["de", "fr", "sv"]
LANGUAGES: tuple[str, ...] = ("en", *get_args(Translated))
"""The languages that documents are written in."""
RATE_DECIMALS_MAX = 10
EXACT_DECIMALS_MAX = 8
WH_PER_KWH = 1000
_DECIMALS = re.compile(r"0\.[0#]+")


def catalogue(language: str) -> dict[str, str]:
    """The messages of documents by their English text; none for English."""
    return messages_of(__package__, language)


@cache
def messages_of(package: str, language: str) -> dict[str, str]:
    """The messages of a package's catalogue of a language by their English text; none for
    English."""
    if language not in get_args(Translated):
        return {}
    path = resources.files(package) / "catalogues" / f"{language}.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    return {str(message.id): str(message.string) for message in messages if message.id}


@dataclass(frozen=True, slots=True)
class Wording:
    """The words and formats of one language; `locale` as Unicode's data names it."""

    language: str
    locale: Locale

    def say(self, text: str, **fields: str) -> str:
        """The text in this language, with its fields filled in."""
        return catalogue(self.language).get(text, text).format(**fields)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency: 1.234,50 €."""
        pattern = self.locale.currency_formats["standard"]
        decimals = max(minor_decimals(currency), _decimals(amount))
        with_decimals = _with_decimals(pattern.pattern, decimals, decimals)
        return format_currency(
            amount,
            currency,
            with_decimals,
            locale=self.locale,
            currency_digits=False,
            decimal_quantization=False,
        )

    def amount(self, amount: Decimal, currency: str) -> str:
        """An amount without its currency, for a column."""
        decimals = max(minor_decimals(currency), _decimals(amount))
        return self._number(amount, decimals, decimals)

    def change(self, amount: Decimal, currency: str) -> str:
        """An amount with its sign, as what is added or taken off."""
        sign = "+" if amount > 0 else ""
        return f"{sign}{self.amount(amount, currency)}"

    def exact(self, amount: Decimal) -> str:
        """An amount before rounding, to eight decimals at most."""
        return self._number(amount, 2, EXACT_DECIMALS_MAX)

    def rate(self, rate: Decimal) -> str:
        """A price of a unit."""
        return self._number(rate, 2, RATE_DECIMALS_MAX)

    def percent(self, fraction: Decimal) -> str:
        """A fraction in percent: 19 %."""
        return f"{self._number(fraction * 100, 0, 4)}\u00a0%"

    def quantity(self, quantity: Decimal) -> str:
        """A quantity, to six decimals at most."""
        return self._number(quantity, 0, 6)

    def kwh(self, energy_wh: int) -> str:
        """Energy of whole watt-hours, in kWh to a tenth; to a thousandth below one kWh."""
        decimals = 1 if abs(energy_wh) >= WH_PER_KWH or not energy_wh else 3
        return f"{self._number(Decimal(energy_wh).scaleb(-3), decimals, decimals)}\u00a0kWh"

    def short_kwh(self, energy_wh: int) -> str:
        """Energy without needless decimals, for the axis of a chart."""
        return f"{self._number(Decimal(energy_wh).scaleb(-3), 0, 3)}\u00a0kWh"

    def country(self, code: str) -> str:
        """A country's name by its code of two letters; the code where it has none."""
        return str(self.locale.territories.get(code, code))

    def day(self, day: date) -> str:
        """A date: 31. März 2025."""
        return format_date(day, "long", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Day and month, for the axis of a chart: 31.3."""
        return format_skeleton("Md", day, locale=self.locale)

    def days(self, start_on: date, end_on: date) -> str:
        """The days from the first to the last, `end_on` excluded: 1.–31. März 2025."""
        last = end_on - ONE_DAY
        if last == start_on:
            return self.day(start_on)
        return format_interval(start_on, last, "yMMMd", locale=self.locale)

    def _number(self, number: Decimal, least: int, most: int) -> str:
        pattern = self.locale.decimal_formats[None].pattern
        rounded = round(number, most) if _decimals(number) > most else number
        return format_decimal(
            rounded + 0 or abs(rounded),
            _with_decimals(pattern, least, most),
            locale=self.locale,
            decimal_quantization=False,
        )


def wording_of(language: str | None, otherwise: str = "en") -> Wording:
    """The wording of a language; of the other one where there is no catalogue for it."""
    for code in (language, otherwise):
        if code is not None and is_written(code):
            return Wording(code.partition("-")[0], Locale.parse(code, sep="-"))
    return Wording("en", Locale("en"))


def is_written(language: str) -> bool:
    """Whether documents can be written in the language."""
    try:
        Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return language.partition("-")[0] in LANGUAGES


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _with_decimals(pattern: str, least: int, most: int) -> str:
    """The locale's pattern with another number of decimals: `#,##0.###` › `#,##0.00##`."""
    digits = "0" * least + "#" * (most - least)
    return _DECIMALS.sub(f"0.{digits}" if digits else "0", pattern)
