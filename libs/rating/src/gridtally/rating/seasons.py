"""Seasons within a bill: what a season that begins between two bills makes of charges by band.

Owns which of a bill's days are a band's. Convention: a day of the meter lies in the season of its
date; where the tariff's days begin at another moment, the hours between count with their day.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise
from typing import Literal, TypeVar

from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.bands import Bands, Window, schedule
from gridtally.rating.calendar import Calendar

K = TypeVar("K", bound=Hashable)
OnSeasonChange = Literal["by_days", "most_days", "each_in_full"]
"""Where seasons meet within a bill: each counts for its days, the one with most days for all of
them, or each as if all days were its own."""


@dataclass(frozen=True, slots=True)
class SeasonPart:
    """Consecutive `days` on which nothing changes with the season.

    What is used on the days `counted_on` counts with them: they are the same, but for hours that
    are of another day on the tariff's clock than on the meter's.
    """

    days: Period
    counted_on: Period


def names_seasons(windows: Sequence[Window]) -> bool:
    """Whether any band depends on the season."""
    return any(window.seasons for window in windows)


def check_season_change(rule: OnSeasonChange, windows: Sequence[Window]) -> None:
    """ValueError for a rule where no band depends on the season."""
    if rule != "by_days" and not names_seasons(windows):
        raise ValueError("on_season_change says nothing without windows that name seasons")


def bands_on(bands: Bands, calendar: Calendar, days: Period, rule: OnSeasonChange) -> Bands:
    """The bands that the days are charged by: with `most_days` those of one season alone.

    It is the season that most days lie in, of two with as many the earlier.
    """
    if rule != "most_days" or not names_seasons(bands.windows):
        return bands
    lengths: dict[str | None, int] = {}
    for season, run in _runs(days, calendar.season_of):
        lengths[season] = lengths.get(season, 0) + run.days
    most = max(lengths, key=lambda season: lengths[season])
    windows = tuple(
        replace(window, seasons=())
        for window in bands.windows
        if not window.seasons or most in window.seasons
    )
    return replace(bands, windows=windows)


def parts_by_band(
    bands: Bands, calendar: Calendar, days: Period, rule: OnSeasonChange
) -> list[list[SeasonPart]]:
    """For each band the stretches of days whose season has it; one where it is in all seasons.

    None at all for a band that is in none of their seasons.
    """
    if rule != "by_days" or not names_seasons(bands.windows):
        return [[SeasonPart(days, days)] for _ in bands.names]
    seasons_of_days = _runs(days, calendar.season_of)
    return [
        _parts_within(days, [run for season, run in seasons_of_days if season in seasons])
        for seasons in _seasons_by_band(bands, calendar)
    ]


def parts_of_all(
    bands: Bands, calendar: Calendar, days: Period, rule: OnSeasonChange
) -> list[SeasonPart]:
    """The stretches of days between which the season changes what bands there are."""
    if rule != "by_days" or not names_seasons(bands.windows):
        return [SeasonPart(days, days)]
    seasons_of = _seasons_by_band(bands, calendar)

    def bands_there_are(day: date) -> Hashable:
        season = calendar.season_of(day)
        return tuple(season in seasons for seasons in seasons_of)

    return [SeasonPart(run, run) for _, run in _runs(days, bands_there_are)]


def _parts_within(days: Period, own: Sequence[Period]) -> list[SeasonPart]:
    """A part for each stretch of a band's own days; each counts on until the next begins."""
    joined: list[Period] = []
    for run in own:
        if joined and joined[-1].end_on == run.start_on:
            joined[-1] = Period(joined[-1].start_on, run.end_on)
        else:
            joined.append(run)
    if not joined:
        return []
    edges = [days.start_on, *(run.start_on for run in joined[1:]), days.end_on]
    return [
        SeasonPart(run, Period(start_on, end_on))
        for run, (start_on, end_on) in zip(joined, pairwise(edges), strict=True)
    ]


def _seasons_by_band(bands: Bands, calendar: Calendar) -> list[set[str | None]]:
    """For each band the seasons that have it on any kind of day."""
    bands_of = schedule(bands, calendar)
    return [
        {kind.season for kind, band_of in bands_of.items() if (band_of == band_index).any()}
        for band_index in range(len(bands.names))
    ]


def _runs(days: Period, key: Callable[[date], K]) -> list[tuple[K, Period]]:
    """The stretches of consecutive days that are alike."""
    runs = []
    for shared, group in groupby(days.dates(), key):
        dates = list(group)
        runs.append((shared, Period(dates[0], dates[-1] + ONE_DAY)))
    return runs
