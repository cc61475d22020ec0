"""Agreements: a customer's meter on a tariff, from one local date to another."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from gridtally.kernel.billing_calendars import (
    CALENDAR_MONTHS,
    BillingCalendar,
    Calendars,
    EarlierCalendar,
)
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, month_of, months_after

ClosingPolicy = Literal["wait", "bill_present", "estimate"]
GRACE_HOURS_MAX = 24 * 366
BACK_BILLING_MONTHS_MAX = 120


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """That an agreement is to have another billing calendar from a local day on; None for today."""

    calendar: BillingCalendar
    from_on: date | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """In force on local days from `start_on` up to, but without, `end_on`; open where None, and
    cancelled where both are the same day.

    `closing` and `grace_hours` state how its periods close; `version` counts its changes from 1.
    Its periods are those of its `billing_calendar`, and of the `earlier_calendars` before. Days
    before `billing_starts_on`, where there is such a day, have costs but are invoiced elsewhere.
    What was billed is corrected for `back_billing_months` after the period, or however late.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None
    closing: ClosingPolicy
    grace_hours: int
    version: int
    billing_calendar: BillingCalendar = CALENDAR_MONTHS
    earlier_calendars: tuple[EarlierCalendar, ...] = ()
    billing_starts_on: date | None = None
    back_billing_months: int | None = None

    def __post_init__(self) -> None:
        if self.end_on is not None and self.end_on < self.start_on:
            raise ValueError("an agreement must begin (start_on) before it ends (end_on)")
        if not 0 <= self.grace_hours <= GRACE_HOURS_MAX:
            raise ValueError(f"grace_hours must lie between 0 and {GRACE_HOURS_MAX}")
        if self.back_billing_months not in (None, *range(1, BACK_BILLING_MONTHS_MAX + 1)):
            raise ValueError(
                f"back_billing_months must lie between 1 and {BACK_BILLING_MONTHS_MAX}"
            )
        _ = self.calendars  # which refuses earlier calendars in disorder

    def __contains__(self, day: date) -> bool:
        return self.start_on <= day and (self.end_on is None or day < self.end_on)

    @property
    def is_cancelled(self) -> bool:
        """Whether it has no days."""
        return self.end_on == self.start_on

    @property
    def billed_from_on(self) -> date:
        """The first local day that is invoiced: its periods begin here."""
        return max(self.start_on, self.billing_starts_on or self.start_on)

    @property
    def calendars(self) -> Calendars:
        """Its billing calendar and those that it had before."""
        return Calendars(self.billing_calendar, self.earlier_calendars)

    def period_of(self, day: date) -> Period:
        """The billing period of a local day, cut at its own ends, where its invoices begin, and
        where its calendar changed.

        Rejected where it is not in force on that day.
        """
        if day < self.start_on:
            raise Rejected("agreement_not_begun", f"the agreement begins on {self.start_on}")
        if self.end_on is not None and day >= self.end_on:
            raise Rejected("agreement_ended", f"the agreement ended on {self.end_on}")
        billed_from_on = self.billed_from_on
        if day >= billed_from_on:
            return self.calendars.period_of(day, billed_from_on, self.end_on)
        history_ends_on = min(billed_from_on, self.end_on or billed_from_on)
        return self.calendars.period_of(day, self.start_on, history_ends_on)

    def expected_period_of(self, day: date) -> Period:
        """The same, up to its probable end where the next date of its read cycle is unknown."""
        period = self.period_of(day)
        expected_on = self.billing_calendar.expected_end_on(day)
        if day < expected_on < period.end_on and self.calendars.is_current(day):
            return Period(period.start_on, expected_on)
        return period

    def periods_between(self, start_on: date, end_on: date) -> list[Period]:
        """Its billing periods from one of its days to another, cut at both."""
        return list(self.calendars.periods(start_on, end_on, end_on))

    def with_calendar(self, calendar: BillingCalendar, from_on: date) -> "Agreement":
        """The same with this calendar from a day on, on which the period before ends."""
        changed = self.calendars.changed(calendar, from_on, self.start_on)
        return replace(self, billing_calendar=changed.current, earlier_calendars=changed.earlier)

    def cancelled_from(self, day: date) -> "Agreement":
        """The next version, which ends on a day, or has no days at all where it began no earlier.

        Rejected where it has ended by then.
        """
        if self.end_on is not None and day >= self.end_on:
            raise Rejected("agreement_ended", f"the agreement ended on {self.end_on}")
        return replace(self, end_on=max(day, self.start_on), version=self.version + 1)

    def has_left(self, period: Period) -> bool:
        """Whether the period begins after its end, since it ends earlier than it did: what is left
        of such a period, if anything, begins on another day."""
        return self.end_on is not None and period.start_on >= self.end_on

    def spans(self, period: Period) -> bool:
        """Whether it is in force on every day of the period."""
        return self.start_on <= period.start_on and (
            self.end_on is None or period.end_on <= self.end_on
        )


def corrected_until_on(period: Period, back_billing_months: int) -> date:
    """The last local day on which the invoice of a period is corrected: the day so many months
    after its end, or the last one of a shorter month."""
    month = month_of(months_after(period.end_on.replace(day=1), back_billing_months))
    return min(month.start_on + timedelta(days=period.end_on.day - 1), month.dates()[-1])
