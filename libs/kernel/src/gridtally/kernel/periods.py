"""Time: zones, local days of 23 to 25 hours, half-open periods of local dates.

Instants are aware UTC datetimes (`*_at`); days are local dates (`*_on`). Refuses naive datetimes
and has no clock: whoever needs `now` is given it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RESOLUTIONS_MIN = (5, 10, 15, 30, 60)
"""The interval lengths that Gridtally meters in, in minutes."""
ONE_DAY = timedelta(days=1)
EARLIEST_ON, LATEST_ON = date(1900, 1, 1), date(2199, 12, 31)
"""The days that people name: no meter was read and no money came before or after them."""
Clock = Callable[[], datetime]
"""The present instant, in UTC."""
YEARS = range(2, 9999)
_NO_ZONE = re.compile(r"(posix|right)/|(Factory|localtime|posixrules)$")


def in_utc(at: datetime) -> datetime:
    """The aware instant in UTC; ValueError for one of the first or the last year of all.

    There is no room around those for a local day, and PostgreSQL's driver writes their first and
    last instants as infinity, which it reads without a time zone.
    """
    try:
        instant = at.astimezone(UTC)
    except OverflowError:
        instant = at
    if instant.year not in YEARS:
        raise ValueError(f"an instant lies in the years {YEARS[0]} to {YEARS[-1]} in UTC")
    return instant


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name; ValueError for an unknown one, and for the other files that lie
    beside zones: one machine's own time (`localtime`), or another count of seconds (`right/UTC`).
    """
    try:
        if _NO_ZONE.match(name):
            raise ValueError("a file of the zone database, which is no zone")
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone") from None


@lru_cache(maxsize=65_536)
def midnight_utc(zone: str, day: date) -> datetime:
    """The instant at which the local `day` begins: its first existing wall-clock moment.

    Where the clocks skip midnight itself the day begins when they resume.
    """
    midnight = datetime.combine(day, time(), zone_named(zone))
    after = midnight.astimezone(UTC)
    if after.astimezone(midnight.tzinfo).time() == time():
        return after
    # Midnight lies in a gap: with fold=0 it is taken for an instant after that, with 1 before.
    return _first_instant_of(zone, day, midnight.replace(fold=1).astimezone(UTC), after)


def _first_instant_of(zone: str, day: date, before: datetime, after: datetime) -> datetime:
    """By bisection to the second, the first UTC instant at which the local `day` has begun."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if local_date(zone, middle) < day:
            before = middle
        else:
            after = middle
    return after


def day_minutes(zone: str, day: date) -> int:
    """The length of the local `day` in minutes: 1440, or 1380, 1500 … when clocks change."""
    length = midnight_utc(zone, day + ONE_DAY) - midnight_utc(zone, day)
    return int(length.total_seconds()) // 60


def slots_in_day(zone: str, day: date, minutes: int) -> int:
    """The number of intervals of `minutes` in the local `day`.

    ValueError where they do not fill it (hourly values on a day of 23½ hours).
    """
    slots, rest = divmod(day_minutes(zone, day), minutes)
    if rest:
        raise ValueError(f"intervals of {minutes} minutes do not fill {day} in {zone}")
    return slots


def local_date(zone: str, at: datetime) -> date:
    """The local date of an instant."""
    return at.astimezone(zone_named(zone)).date()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Local days from `start_on` up to, but without, `end_on`."""

    start_on: date
    end_on: date

    def __post_init__(self) -> None:
        if self.start_on >= self.end_on:
            raise ValueError(
                f"a period must begin ({self.start_on}) before it ends ({self.end_on})"
            )

    @property
    def days(self) -> int:
        """The number of local days."""
        return (self.end_on - self.start_on).days

    def __contains__(self, day: date) -> bool:
        return self.start_on <= day < self.end_on

    def dates(self) -> list[date]:
        """Each local day in turn."""
        return [self.start_on + timedelta(days=index) for index in range(self.days)]

    def bounds_utc(self, zone: str) -> tuple[datetime, datetime]:
        """The instants of the local midnights at which it begins and ends."""
        return midnight_utc(zone, self.start_on), midnight_utc(zone, self.end_on)

    def slots(self, zone: str, minutes: int) -> int:
        """The number of intervals of `minutes` in the whole period."""
        return sum(slots_in_day(zone, day, minutes) for day in self.dates())

    def overlap(self, other: "Period") -> "Period | None":
        """The days of both; None where they have none in common."""
        start_on = max(self.start_on, other.start_on)
        end_on = min(self.end_on, other.end_on)
        return Period(start_on, end_on) if start_on < end_on else None


def month_of(day: date) -> Period:
    """The calendar month that `day` lies in."""
    start_on = day.replace(day=1)
    return Period(start_on, (start_on + timedelta(days=32)).replace(day=1))


def months_after(first_on: date, months: int) -> date:
    """The first of the month so many months after the one that begins on `first_on`, or before."""
    number = first_on.year * 12 + first_on.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def months_between(start_on: date, end_on: date) -> list[Period]:
    """The calendar months from `start_on` to `end_on` (exclusive), cut at both ends."""
    whole = Period(start_on, end_on)
    months: list[Period] = []
    month = month_of(start_on)
    while (part := month.overlap(whole)) is not None:
        months.append(part)
        month = month_of(month.end_on)
    return months
