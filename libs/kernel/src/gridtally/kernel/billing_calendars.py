"""Billing calendars: into which periods the days of an agreement are divided.

Owns which local days are billed together, and what a change of calendar does to them: periods
follow one another without gap or overlap. Refuses to know meters, and when a period closes.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from gridtally.kernel.periods import ONE_DAY, Period, months_after

MONTHS_PER_YEAR = 12
MONTHS_CHOICES = (1, 2, 3, 6, 12)
"""So many months a period may have: each divides a year, so that every year has the same ones."""
START_DAY_MAX = 31
PERIOD_DAYS_MAX = 366
"""So many days a period has at most: one of twelve months."""
READ_DATES_MAX = 500
"""So many dates a read cycle has at most: those of 41 years of months."""
READ_YEARS = range(2000, 2200)
"""The years in which dates of a read cycle may lie."""
EARLIER_CALENDARS_MAX = 100
"""So often an agreement may change its calendar."""


@dataclass(frozen=True, slots=True)
class BillingCalendar:
    """Periods of so many `months`, each from the `start_day` of a month on, one of which begins in
    `anchor_month` (1 is January); in a month without that day, from its last day on.

    Or those of a `read_cycle`, each of which begins on one of its `read_dates`. While the date that
    follows is not known, a period goes on, up to `PERIOD_DAYS_MAX` days; before any is known, the
    cycle is but named.
    """

    months: int = 1
    anchor_month: int = 1
    start_day: int = 1
    read_cycle: str | None = None
    read_dates: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.read_cycle is not None:
            if (self.months, self.anchor_month, self.start_day) != (1, 1, 1):
                raise ValueError("a read cycle has dates of its own, no months")
            if self.read_dates:
                check_read_dates(self.read_dates)
        elif self.read_dates:
            raise ValueError("dates are those of a read_cycle")
        if self.months not in MONTHS_CHOICES:
            raise ValueError(f"a billing period has 1, 2, 3, 6 or 12 months, not {self.months}")
        if not 1 <= self.anchor_month <= MONTHS_PER_YEAR:
            raise ValueError(f"anchor_month {self.anchor_month} is no month (1 to 12)")
        if not 1 <= self.start_day <= START_DAY_MAX:
            raise ValueError(f"start_day {self.start_day} is no day of a month (1 to 31)")

    def period_of(self, day: date) -> Period:
        """The period that a local day lies in, uncut."""
        if self.read_cycle is not None:
            return self._between_dates(day)
        month = day.replace(day=1)
        if day < self._begins_in(month):
            month = months_after(month, -1)
        since = (month.month - self.anchor_month) % self.months
        first = months_after(month, -since)
        return Period(self._begins_in(first), self._begins_in(months_after(first, self.months)))

    def expected_end_on(self, day: date) -> date:
        """When the period of a day ends, or will probably end: without a date that follows, after
        as many days as the last one had, or 30, and not before the day has passed."""
        end_on = self.period_of(day).end_on
        if self.read_cycle is None or day < self.read_dates[-1]:
            return end_on
        last = self.read_dates[-1]
        usual = last - self.read_dates[-2] if len(self.read_dates) > 1 else timedelta(days=30)
        return min(end_on, max(last + usual, day + ONE_DAY))

    def _between_dates(self, day: date) -> Period:
        dates = self.read_dates
        index = bisect_right(dates, day)
        if 0 < index < len(dates):
            return Period(dates[index - 1], dates[index])
        known = dates[min(index, len(dates) - 1)]  # the first one, or the last
        longest = timedelta(days=PERIOD_DAYS_MAX)
        start_on = known + longest * ((day - known) // longest)
        return Period(start_on, start_on + longest)

    def _begins_in(self, month: date) -> date:
        """The day on which a period would begin in the month that has this first day."""
        last = months_after(month, 1) - ONE_DAY
        return month.replace(day=min(self.start_day, last.day))


def check_read_dates(dates: Sequence[date]) -> None:
    """ValueError where dates are in disorder, or too far from one another for a period."""
    if not 1 <= len(dates) <= READ_DATES_MAX:
        raise ValueError(f"a read cycle has 1 to {READ_DATES_MAX} dates, not {len(dates)}")
    if dates[0].year not in READ_YEARS or dates[-1].year not in READ_YEARS:
        raise ValueError(f"dates lie in the years {READ_YEARS[0]} to {READ_YEARS[-1]}")
    for before, after in pairwise(dates):
        if not 0 < (after - before).days <= PERIOD_DAYS_MAX:
            raise ValueError(
                f"dates follow one another by at most {PERIOD_DAYS_MAX} days, "
                f"and {after} does not so follow {before}"
            )


CALENDAR_MONTHS = BillingCalendar()
"""Every calendar month is a period."""


@dataclass(frozen=True, slots=True)
class EarlierCalendar:
    """The billing calendar that an agreement had up to, but without, a local day."""

    until_on: date
    calendar: BillingCalendar


@dataclass(frozen=True, slots=True)
class Calendars:
    """The billing calendar of an agreement, and those that it had before, oldest first."""

    current: BillingCalendar = CALENDAR_MONTHS
    earlier: tuple[EarlierCalendar, ...] = ()

    def __post_init__(self) -> None:
        ends = [earlier.until_on for earlier in self.earlier]
        if ends != sorted(set(ends)):
            raise ValueError("earlier calendars must end one after the other")
        if len(ends) > EARLIER_CALENDARS_MAX:
            raise ValueError(f"a calendar changes {EARLIER_CALENDARS_MAX} times at most")
        for calendar in (self.current, *(earlier.calendar for earlier in self.earlier)):
            if calendar.read_cycle is not None and not calendar.read_dates:
                raise ValueError(f"no dates of the read cycle {calendar.read_cycle} are known")

    def changed(self, calendar: BillingCalendar, from_on: date, start_on: date) -> "Calendars":
        """The same, but from a day on this calendar, of an agreement that began on `start_on`.

        Changes from that day on are forgotten.
        """
        before = self._in_force(from_on - ONE_DAY)
        earlier = [known for known in self.earlier if start_on < known.until_on < from_on]
        if start_on < from_on and before != calendar:
            earlier.append(EarlierCalendar(from_on, before))
        return Calendars(calendar, tuple(earlier))

    def is_current(self, day: date) -> bool:
        """Whether the current calendar is in force on a day."""
        return not self.earlier or self.earlier[-1].until_on <= day

    def _in_force(self, day: date) -> BillingCalendar:
        return next(
            (known.calendar for known in self.earlier if day < known.until_on), self.current
        )

    def period_of(self, day: date, start_on: date, end_on: date | None) -> Period:
        """The period of a day of an agreement, cut at the agreement's dates and where its calendar
        changes. ValueError where the agreement is not in force on that day."""
        if day < start_on or (end_on is not None and day >= end_on):
            raise ValueError(f"{day} is no day from {start_on} to {end_on or 'now'}")
        whole = self._in_force(day).period_of(day)
        cuts = [start_on, *(known.until_on for known in self.earlier)]
        begins = [cut for cut in cuts if cut <= day]
        ends = [cut for cut in cuts if cut > day] + ([] if end_on is None else [end_on])
        return Period(max(whole.start_on, *begins), min([whole.end_on, *ends]))

    def periods(self, start_on: date, end_on: date | None, until_on: date) -> Iterator[Period]:
        """The periods of an agreement that begin before `until_on`, in turn."""
        while start_on < until_on and (end_on is None or start_on < end_on):
            period = self.period_of(start_on, start_on, end_on)
            yield period
            start_on = period.end_on


MONTHLY = Calendars()
"""Every calendar month is a period, and always was."""
