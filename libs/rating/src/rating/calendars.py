"""Calendars: seasons, day types and holidays by which a tariff tells local days apart.

Knows dates, not times. Refuses names that are not defined and holidays of unknown places.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, get_args

from rating.limits import DAY_TYPES_MAX, HOLIDAY_DATES_MAX, SEASONS_MAX, check_name

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_MONTH_DAY = re.compile(r"\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Season:
    """Starts on `start` (`MM-DD`) of every year and lasts until the next season starts."""

    name: str
    start: str

    def __post_init__(self) -> None:
        check_name("season", self.name)
        try:
            if not _MONTH_DAY.fullmatch(self.start):
                raise ValueError
            date.fromisoformat(f"2001-{self.start}")  # no leap year: a season starts every year
        except ValueError:
            raise ValueError(f"season start {self.start!r} is no MM-DD of every year") from None


@dataclass(frozen=True, slots=True)
class DayType:
    """Days by weekday; a holiday counts `by_weekday`, or is always `included` or `excluded`."""

    name: str
    weekdays: tuple[Weekday, ...]
    holidays: Literal["by_weekday", "included", "excluded"] = "by_weekday"

    def __post_init__(self) -> None:
        check_name("day type", self.name)
        if not self.weekdays and self.holidays != "included":
            raise ValueError(f"day type {self.name!r} holds no day")

    def holds(self, weekday: int, *, holiday: bool) -> bool:
        """Whether a day on that weekday (Monday is 0) is of this type."""
        if holiday and self.holidays != "by_weekday":
            return self.holidays == "included"
        return WEEKDAYS[weekday] in self.weekdays


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays of a country or its subdivision (ISO 3166 codes), and own dates.

    `observed` adds the days on which a holiday that falls on a weekend is kept.
    """

    country: str | None = None
    subdivision: str | None = None
    observed: bool = True
    dates: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.country is not None:
            _public_holidays(self.country, self.subdivision, self.observed, 2025)
        elif self.subdivision is not None:
            raise ValueError("a subdivision needs its country")
        if len(self.dates) > HOLIDAY_DATES_MAX:
            raise ValueError(f"at most {HOLIDAY_DATES_MAX} own dates")

    def __contains__(self, day: date) -> bool:
        return day in self.dates or self.name_of(day) is not None

    def name_of(self, day: date) -> str | None:
        """What a public holiday is called; None for other days, own dates among them."""
        if self.country is None:
            return None
        return _public_holidays(self.country, self.subdivision, self.observed, day.year).get(day)


@lru_cache(maxsize=1024)
def _public_holidays(
    country: str,
    subdivision: str | None,
    observed: bool,  # noqa: FBT001 - part of the cache's key
    year: int,
) -> Mapping[date, str]:
    import holidays

    try:
        own = holidays.country_holidays(country, subdiv=subdivision)
        found = holidays.country_holidays(
            country,
            subdiv=subdivision,
            years=year,
            observed=observed,
            language=own.default_language,  # the country's own, whatever this machine speaks
        )
    except NotImplementedError:
        place = country if subdivision is None else f"{country}-{subdivision}"
        raise ValueError(f"no public holidays are known for {place!r}") from None
    return dict(found)


@dataclass(frozen=True, slots=True)
class DayKind:
    """All that a tariff can see of a local day; `weekday` counts from Monday, 0."""

    season: str | None
    weekday: int
    holiday: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The seasons, day types and holidays that a tariff version speaks of."""

    seasons: tuple[Season, ...] = ()
    day_types: tuple[DayType, ...] = ()
    holidays: Holidays | None = None

    def __post_init__(self) -> None:
        if len(self.seasons) > SEASONS_MAX or len(self.day_types) > DAY_TYPES_MAX:
            raise ValueError(f"at most {SEASONS_MAX} seasons and {DAY_TYPES_MAX} day types")
        for what, keys in (
            ("season", [season.name for season in self.seasons]),
            ("season start", [season.start for season in self.seasons]),
            ("day type", [day_type.name for day_type in self.day_types]),
        ):
            if twice := {key for key in keys if keys.count(key) > 1}:
                raise ValueError(f"{what} {min(twice)!r} is there twice")

    def kind_of(self, day: date) -> DayKind:
        """What kind of day a local date is."""
        return DayKind(
            season=self._season_of(day),
            weekday=day.weekday(),
            holiday=self.holidays is not None and day in self.holidays,
        )

    def kinds(self) -> Iterator[DayKind]:
        """Every kind of day there can be."""
        names: list[str | None] = [season.name for season in self.seasons]
        for season in names or [None]:
            for weekday in range(len(WEEKDAYS)):
                for holiday in (False, True) if self.holidays else (False,):
                    yield DayKind(season, weekday, holiday)

    def _season_of(self, day: date) -> str | None:
        if not self.seasons:
            return None
        begun = [season for season in self.seasons if season.start <= f"{day:%m-%d}"]
        return max(begun or self.seasons, key=lambda season: season.start).name
