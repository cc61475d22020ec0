"""Billing calendars, as events and APIs state them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gridtally.contracts.model import Code, ContractModel, Day
from gridtally.kernel import billing_calendars as kernel
from gridtally.kernel.billing_calendars import (
    EARLIER_CALENDARS_MAX,
    MONTHS_PER_YEAR,
    READ_DATES_MAX,
    START_DAY_MAX,
)


class CalendarTerms(ContractModel):
    """Into which periods the days of an agreement are divided; without anything, into months."""

    months: Literal[1, 2, 3, 6, 12] = 1
    """How many months a period has."""
    anchor_month: Annotated[int, Field(ge=1, le=MONTHS_PER_YEAR)] = 1
    """The number of a month in which a period begins; 1 is January."""
    start_day: Annotated[int, Field(ge=1, le=START_DAY_MAX)] = 1
    """The number of the day of the month on which a period begins; in a month without it, the
    last day."""
    read_cycle: Code | None = None
    """In place of months, the tenant's read cycle, on whose dates periods begin."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        self.calendar()
        return self

    def calendar(self) -> kernel.BillingCalendar:
        """The calendar that it describes."""
        return kernel.BillingCalendar(**dict(self))


class BillingCalendar(CalendarTerms):
    """Into which periods the days of an agreement are divided, with the dates of its read cycle."""

    read_dates: Annotated[tuple[Day, ...], Field(max_length=READ_DATES_MAX)] = ()
    """The dates of the read cycle so far, in order."""


class EarlierCalendar(ContractModel):
    """The billing calendar that an agreement had until a day."""

    until_on: Day
    """The local date from which it is in force no more; the period before ends there."""
    calendar: BillingCalendar
    """What it was."""

    def earlier(self) -> kernel.EarlierCalendar:
        """The calendar that it describes, and until when it was in force."""
        return kernel.EarlierCalendar(self.until_on, self.calendar.calendar())


EarlierCalendars = Annotated[tuple[EarlierCalendar, ...], Field(max_length=EARLIER_CALENDARS_MAX)]
