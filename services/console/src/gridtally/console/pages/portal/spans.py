"""Which days a page of usage shows, and which it compares them with: pure sums on the calendar."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Per = Literal["day", "month", "year"]
PERS: tuple[Per, ...] = ("day", "month", "year")
YEARS = 3
YEAR_MIN, YEAR_MAX = 2000, 2199
LAST_MONTH = 12


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` up to, but without, `end`, of a month or a year that may be unfinished.

    `whole_end` is where they would end.
    """

    first: date
    end: date
    whole_end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.first).days

    @property
    def is_unfinished(self) -> bool:
        """Whether a part of it is still to come."""
        return self.end < self.whole_end

    def window(self) -> dict[str, str]:
        """As the API of costs takes it."""
        return {"from_": f"{self.first}T00:00:00Z", "to": f"{self.end}T00:00:00Z"}


def month_of(day: date, today: date) -> Span:
    """The month of a day, up to today."""
    return _until(day.replace(day=1), next_month(day), today)


def year_of(year: int, today: date) -> Span:
    """A year, up to today."""
    return _until(date(year, 1, 1), date(year + 1, 1, 1), today)


def next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(day: date) -> date:
    """The first day of the month before that of a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def chosen(per: Per, at: str, today: date) -> Span:
    """The month `at` as 2025-10, or the year as 2025; without one, or with a wrong one, today's."""
    try:
        year, _, month = at.partition("-")
        first = date(int(year), int(month or 1), 1)
    except ValueError:
        first = today
    if not YEAR_MIN <= first.year <= YEAR_MAX or first > today:
        first = today
    return month_of(first, today) if per == "day" else year_of(first.year, today)


def same_of(earlier: Span, span: Span) -> Span:
    """As many days of an earlier month or year as the span has, which may be unfinished."""
    if not span.is_unfinished:
        return earlier
    return Span(
        earlier.first,
        min(earlier.first + timedelta(days=span.days), earlier.whole_end),
        earlier.whole_end,
    )


def before(per: Per, span: Span, today: date) -> Span:
    """The month or year before, as far as this one has come."""
    earlier = (
        month_of(month_before(span.first), today)
        if per == "day"
        else year_of(span.first.year - 1, today)
    )
    return same_of(earlier, span)


def year_before(span: Span, today: date) -> Span:
    """The same month a year ago, as far as this one has come."""
    return same_of(month_of(span.first.replace(year=span.first.year - 1), today), span)


def address_of(per: Per, first: date) -> str:
    """How an address names the month or year that begins on a day."""
    return f"{first:%Y-%m}" if per == "day" else f"{first:%Y}"


def _until(first: date, whole_end: date, today: date) -> Span:
    end = min(whole_end, max(today + timedelta(days=1), first + timedelta(days=1)))
    return Span(first, end, whole_end)
