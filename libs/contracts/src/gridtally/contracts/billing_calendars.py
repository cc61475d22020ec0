"""Billing calendars, as events and APIs state them."""

from typing import Annotated, Literal

from pydantic import Field

from gridtally.contracts.model import ContractModel, Day
from gridtally.kernel import billing_calendars as kernel
from gridtally.kernel.billing_calendars import EARLIER_CALENDARS_MAX, MONTHS_PER_YEAR, START_DAY_MAX


class BillingCalendar(ContractModel):
    """Into which periods the days of an agreement are divided; without anything, into months."""

    months: Literal[1, 2, 3, 6, 12] = 1
    """How many months a period has."""
    anchor_month: Annotated[int, Field(ge=1, le=MONTHS_PER_YEAR)] = 1
    """The number of a month in which a period begins; 1 is January."""
    start_day: Annotated[int, Field(ge=1, le=START_DAY_MAX)] = 1
    """The number of the day of the month on which a period begins; in a month without it, the
    last day."""

    def calendar(self) -> kernel.BillingCalendar:
        """The calendar that it describes."""
        return kernel.BillingCalendar(**dict(self))


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
