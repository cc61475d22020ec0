"""The portal's words and numbers in the customer's language, by the portal's own catalogues.

Formats are those of invoices (`gridtally.documents.language`), so that a page and the bill that it
speaks of write an amount alike. What is in no catalogue is English.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time

from gridtally.documents.language import Wording, is_written, messages_of, wording_of
from gridtally.kernel.money import minor_decimals

LANGUAGE_NAMES = (("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("sv", "Svenska"))


@dataclass(frozen=True, slots=True)
class PortalWording(Wording):
    """The words and formats of one language."""

    def say(self, text: str, **fields: str) -> str:
        """The text in this language, with its fields filled in."""
        return messages_of(__package__, self.language).get(text, text).format(**fields)

    def rounded(self, amount: Decimal, currency: str) -> str:
        """An exact amount in whole minor units, half up, with its currency."""
        return self.money(to_minor(amount, currency), currency)

    def energy(self, kwh: Decimal) -> str:
        """Energy in kWh, to a tenth from 10 kWh on, else to a hundredth."""
        decimals = 1 if abs(kwh) >= 10 else 2
        shown = kwh.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        return f"{self.quantity(shown)}\u00a0kWh"

    def month(self, first: date) -> str:
        """A month and its year: März 2025."""
        return format_skeleton("yMMMM", first, locale=self.locale)

    def short_month(self, first: date) -> str:
        """A month's name for the axis of a chart: Mär."""
        return format_skeleton("MMM", first, locale=self.locale)

    def period(self, start_on: date, end_on: date) -> str:
        """A half-open period: a month's name, else its first and last day."""
        next_month = (start_on.replace(day=1) + timedelta(days=32)).replace(day=1)
        if start_on.day == 1 and end_on == next_month:
            return self.month(start_on)
        return self.days(start_on, end_on)

    def moment(self, at: datetime, zone: str) -> str:
        """Day and time in a zone, to the minute."""
        local = at.astimezone(ZoneInfo(zone))
        day = format_date(local, "medium", locale=self.locale)
        return f"{day}, {format_time(local, 'short', locale=self.locale)}"


def to_minor(amount: Decimal, currency: str) -> Decimal:
    """An exact amount in whole minor units of its currency, half up."""
    return amount.quantize(Decimal(1).scaleb(-minor_decimals(currency)), ROUND_HALF_UP)


def words_of(*languages: str | None) -> PortalWording:
    """The wording of the first of these that the portal is written in, else English."""
    written = (code for code in languages if code is not None and is_written(code))
    made = wording_of(next(written, None))
    return PortalWording(made.language, made.locale)


def accepted(header: str) -> Iterable[str]:
    """The languages of an `Accept-Language`, in its order; its weights agree with that."""
    return [part.partition(";")[0].strip() for part in header[:200].split(",")]
