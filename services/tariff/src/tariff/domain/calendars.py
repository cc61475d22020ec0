"""Calendars: versions of what tells days apart, and what kind of day each date is.

Owns the life of a calendar's version: a draft may change, a published version never does. What
seasons, day types and holidays mean is the rating engine's. Refuses what it cannot read.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.errors import Fault, Rejected
from kernel.periods import Period
from rating.calendars import WEEKDAYS, Weekday
from rating.calendars import Calendar as Rated
from rating.json_form import read_fields
from tariff.domain.versions import Document, Status, Step

DAYS_MAX = 1100
"""Three years of days are shown at once."""


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A version of a calendar; numbers count from 1, and the highest published one is in use.

    `document` is its JSON form, `contracts.tariff.Calendar`.
    """

    id: UUID
    calendar_id: UUID
    number: int
    status: Status
    document: Document
    published: Step | None = None


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """What kind of day a local date is; a holiday of one's own has no name."""

    day: date
    weekday: Weekday
    season: str | None
    day_types: tuple[str, ...]
    holiday: bool
    holiday_name: str | None


def calendar_described(document: Document) -> Rated:
    """The calendar that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    fields = read_fields(Rated, document, "/document", faults)
    if not faults:
        try:
            return Rated(**fields)
        except ValueError as error:
            faults.append(Fault("/document", str(error)))
    told = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
    raise Rejected("invalid_calendar", told, tuple(faults))


def days_of(calendar: Rated, period: Period) -> list[CalendarDay]:
    """Every day of a period of at most `DAYS_MAX`."""
    return [_day(calendar, day) for day in period.dates()]


def _day(calendar: Rated, day: date) -> CalendarDay:
    kind = calendar.kind_of(day)
    return CalendarDay(
        day=day,
        weekday=WEEKDAYS[kind.weekday],
        season=kind.season,
        day_types=tuple(
            day_type.name
            for day_type in calendar.day_types
            if day_type.holds(kind.weekday, holiday=kind.holiday)
        ),
        holiday=kind.holiday,
        holiday_name=calendar.holidays.name_of(day) if calendar.holidays is not None else None,
    )
