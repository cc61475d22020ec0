"""Calendars: what tells days apart for many tariffs, and what kind of day each date is.

What seasons, day types and holidays mean is the rating engine's. Refuses what it cannot read.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import Period
from gridtally.rating import calendar as rating
from gridtally.rating.json_form import read_fields
from gridtally.tariff.domain.versions import Document

DAYS_MAX = 1100
"""Three years of days are shown at once."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Seasons, day types and holidays that many tariffs share; what they are its versions say."""

    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """What kind of day a local date is; a holiday that the document itself dates has no name."""

    day: date
    weekday: rating.Weekday
    season: str | None
    day_types: tuple[str, ...]
    holiday: bool
    holiday_name: str | None


def calendar_described(document: Document) -> rating.Calendar:
    """The calendar that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    fields = read_fields(rating.Calendar, document, "/document", faults)
    if not faults:
        try:
            return rating.Calendar(**fields)
        except ValueError as error:
            faults.append(Fault("/document", str(error)))
    detail = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
    raise Rejected("invalid_calendar", detail, tuple(faults))


def days_of(calendar: rating.Calendar, period: Period) -> list[CalendarDay]:
    """Every day of a period of at most `DAYS_MAX`."""
    return [_day(calendar, day) for day in period.dates()]


def _day(calendar: rating.Calendar, day: date) -> CalendarDay:
    kind = calendar.kind_of(day)
    return CalendarDay(
        day=day,
        weekday=rating.WEEKDAYS[kind.weekday],
        season=kind.season,
        day_types=tuple(day_type.name for day_type in calendar.day_types if day_type.holds(kind)),
        holiday=kind.holiday,
        holiday_name=calendar.holidays.name_of(day) if calendar.holidays is not None else None,
    )
