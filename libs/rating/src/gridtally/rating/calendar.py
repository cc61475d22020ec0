"""Calendars: seasons, day types and holidays by which a tariff tells local days apart.

Knows dates, and when a day begins. Refuses names that are not defined, and holidays of places and
categories that are not known.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from itertools import product
from typing import Annotated, Literal, get_args

from gridtally.rating.field_types import (
    DAY_TYPES_MAX,
    HOLIDAY_DATES_MAX,
    SEASONS_MAX,
    Length,
    LocalTime,
    MonthDay,
    Name,
    check_name,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
CATEGORIES_MAX = 12
_MONTH_DAY = re.compile(r"\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year, from its start until the next season starts."""

    name: Name
    """What windows call it."""
    start: MonthDay
    """Its first day of every year."""

    def __post_init__(self) -> None:
        check_name("season", self.name)
        try:
            if not _MONTH_DAY.fullmatch(self.start):
                raise ValueError
            date.fromisoformat(f"2001-{self.start}")  # no leap year: a season starts every year
        except ValueError:
            raise ValueError(f"season start {self.start!r} is no MM-DD of every year") from None


@dataclass(frozen=True, slots=True)
class DayKind:
    """All that a tariff can see of a local day; `weekday` counts from Monday, 0.

    `dated` are the day types that name its date: where there is any, the day is of no other.
    """

    season: str | None
    weekday: int
    holiday: bool
    dated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DayType:
    """Days that are alike by their weekday, by whether they are holidays, or by their dates."""

    name: Name
    """What windows call it."""
    weekdays: tuple[Weekday, ...] = ()
    """The weekdays of this type."""
    holidays: Literal["by_weekday", "included", "excluded"] = "by_weekday"
    """Whether a holiday counts by its weekday, or is always or never of this type."""
    dates: Annotated[tuple[date, ...], Length(most=HOLIDAY_DATES_MAX)] | None = None
    """Dates of this type, such as the red days of the year or those of critical peaks; an empty
    list where none is known yet, null for a type that is not by dates. A date that a day type names
    is of no other type, unless that one names it too."""

    def __post_init__(self) -> None:
        check_name("day type", self.name)
        if not self.weekdays and self.holidays != "included" and self.dates is None:
            raise ValueError(
                f"day type {self.name!r} holds no day: if its dates are not known yet, give an "
                "empty list of dates"
            )
        if len(self.dates or ()) > HOLIDAY_DATES_MAX:
            raise ValueError(f"day type {self.name!r}: at most {HOLIDAY_DATES_MAX} dates")

    def holds(self, day: DayKind) -> bool:
        """Whether such days are of this type."""
        if day.dated:
            return self.name in day.dated
        if day.holiday and self.holidays != "by_weekday":
            return self.holidays == "included"
        return WEEKDAYS[day.weekday] in self.weekdays


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays of a country or of its subdivision, and the tariff's own dates."""

    country: str | None = None
    """Its code by ISO 3166-1, `DE`; null for own dates alone."""
    subdivision: str | None = None
    """The subdivision's code by ISO 3166-2 without the country, `BE`."""
    observed: bool = True
    """Whether the days count too on which a holiday that falls on a weekend is observed."""
    dates: Annotated[tuple[date, ...], Length(most=HOLIDAY_DATES_MAX)] = ()
    """Further holidays of the tariff's own."""
    categories: Annotated[tuple[Name, ...], Length(most=CATEGORIES_MAX)] = ("public",)
    """Which of the country's holidays: `public`, and where it has such `bank`, `government`,
    `school`, `optional`, `half_day` and others, as the package `holidays` names them."""

    def __post_init__(self) -> None:
        if self.country is not None:
            self._named(2025)
        elif self.subdivision is not None:
            raise ValueError("a subdivision needs its country")
        elif self.categories != ("public",):
            raise ValueError("categories of holidays need a country")
        if len(self.dates) > HOLIDAY_DATES_MAX:
            raise ValueError(f"at most {HOLIDAY_DATES_MAX} own dates")

    def __contains__(self, day: date) -> bool:
        return day in self.dates or self.name_of(day) is not None

    def name_of(self, day: date) -> str | None:
        """What a public holiday is called; None for other days, own dates among them."""
        if self.country is None:
            return None
        return self._named(day.year).get(day)

    def _named(self, year: int) -> Mapping[date, str]:
        assert self.country is not None  # noqa: S101 - the callers have looked
        return _holidays(self.country, self.subdivision, self.categories, self.observed, year)


@lru_cache(maxsize=1024)
def _holidays(
    country: str,
    subdivision: str | None,
    categories: tuple[str, ...],
    observed: bool,  # noqa: FBT001 - part of the cache's key
    year: int,
) -> Mapping[date, str]:
    """The year's holidays with their names; ValueError where none are known."""
    import holidays

    try:
        own = holidays.country_holidays(country, subdiv=subdivision)
        if unknown := [name for name in categories if name not in own.supported_categories]:
            raise ValueError(
                f"{country} has no holidays of the category {unknown[0]!r}, only "
                f"{', '.join(sorted(own.supported_categories))}"
            )
        names = holidays.country_holidays(
            country,
            subdiv=subdivision,
            years=year,
            observed=observed,
            categories=categories,
            language=own.default_language,  # the country's own, whatever this machine speaks
        )
    except NotImplementedError:
        region = country if subdivision is None else f"{country}-{subdivision}"
        raise ValueError(f"no public holidays are known for {region!r}") from None
    return dict(names)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a tariff tells local days apart: the seasons, day types and holidays that it names."""

    seasons: Annotated[tuple[Season, ...], Length(most=SEASONS_MAX)] = ()
    """The parts of the year; none where the whole year is alike."""
    day_types: Annotated[tuple[DayType, ...], Length(most=DAY_TYPES_MAX)] = ()
    """The kinds of days that windows name; one day may be of several."""
    holidays: Holidays | None = None
    """The days that are holidays; null for none."""
    day_begins: LocalTime = time()
    """When a day begins on the clock of the tariff's zone: the hours until then are of the date
    before, with its season, its day types and whether it is a holiday."""
    other_dates: Literal["by_weekday", "refused"] = "by_weekday"
    """What a date is that no day type names: of the day types of its weekday; or, where every date
    must be named (each day's colour), the reason to make no bill of it."""

    def __post_init__(self) -> None:
        if self.day_begins.second or self.day_begins.microsecond or self.day_begins.tzinfo:
            raise ValueError("day_begins is a whole local minute, HH:MM")
        if len(self.seasons) > SEASONS_MAX or len(self.day_types) > DAY_TYPES_MAX:
            raise ValueError(f"at most {SEASONS_MAX} seasons and {DAY_TYPES_MAX} day types")
        if self.other_dates == "refused" and all(
            day_type.dates is None for day_type in self.day_types
        ):
            raise ValueError("other_dates are refused where no day type is by dates")
        for what, keys in (
            ("season", [season.name for season in self.seasons]),
            ("season start", [season.start for season in self.seasons]),
            ("day type", [day_type.name for day_type in self.day_types]),
        ):
            if repeated := {key for key in keys if keys.count(key) > 1}:
                raise ValueError(f"{what} {min(repeated)!r} is there twice")

    def kind_of(self, day: date) -> DayKind:
        """What kind of day a local date is."""
        return DayKind(
            season=self.season_of(day),
            weekday=day.weekday(),
            holiday=self.holidays is not None and day in self.holidays,
            dated=self._dated(day),
        )

    @property
    def first_minute(self) -> int:
        """The minute of the clock with which a day begins."""
        return self.day_begins.hour * 60 + self.day_begins.minute

    def _dated(self, day: date) -> frozenset[str]:
        return frozenset(
            day_type.name for day_type in self.day_types if day in (day_type.dates or ())
        )

    def kinds(self) -> Iterator[DayKind]:
        """Every kind of day there can be."""
        names: list[str | None] = [season.name for season in self.seasons]
        dates = {day for day_type in self.day_types for day in (day_type.dates or ())}
        named = {*map(self._dated, dates)}
        if self.other_dates == "by_weekday":
            named.add(frozenset())
        dated = sorted(named, key=sorted)
        weekdays = range(len(WEEKDAYS))
        holiday = (False, True) if self.holidays else (False,)
        for kind in product(names or [None], weekdays, holiday, dated):
            yield DayKind(*kind)

    def season_of(self, day: date) -> str | None:
        """The season that a local date lies in; None where the calendar has none."""
        if not self.seasons:
            return None
        begun = [season for season in self.seasons if season.start <= f"{day:%m-%d}"]
        return max(begun or self.seasons, key=lambda season: season.start).name
