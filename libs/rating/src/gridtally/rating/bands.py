"""Bands: windows of local time that say when each band is in force.

A window covers [from, to) on every day of its seasons and day types. One that crosses midnight
(22:00 to 06:00) covers both ends of each such day: its early hours belong to the day they lie on.
Refuses windows that overlap, gaps without a default band, and edges that cut an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.rating.calendar import WEEKDAYS, Calendar, DayKind
from gridtally.rating.field_types import BANDS_MAX, WINDOWS_MAX, Length, LocalTime, Name
from gridtally.rating.plan.span import MINUTES_PER_DAY, Span

UNCOVERED = -1
"""The index of no band, where gaps are allowed."""
BandSchedule = dict[DayKind, NDArray[np.int16]]
"""For each kind of day, the band's index for each of its 1440 local minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A band is in force from a local time to another, also across midnight, on the named days.

    The early hours of a window that crosses midnight belong to the day on which they lie: that of
    their date, or with the calendar's `day_begins` until then the one before.
    """

    band: Name
    """The name of the band."""
    from_time: LocalTime
    """When it begins, on the clock of the tariff's zone."""
    to_time: LocalTime
    """When it ends; 00:00 and 24:00 are midnight. A window that ends when it begins is a day, of
    00:00 or of the calendar's `day_begins`."""
    seasons: tuple[Name, ...] = ()
    """The calendar's seasons that it is for; all of them where none is named."""
    day_types: tuple[Name, ...] = ()
    """The calendar's day types that it is for; all days where none is named."""

    def __post_init__(self) -> None:
        for edge in (self.from_time, self.to_time):
            if edge.second or edge.microsecond or edge.tzinfo:
                raise ValueError("a window's edges are whole local minutes, HH:MM")

    def covers(self) -> NDArray[np.bool_]:
        """Which of a day's 1440 local minutes it covers."""
        start, end = (edge.hour * 60 + edge.minute for edge in (self.from_time, self.to_time))
        minute = np.arange(MINUTES_PER_DAY)
        end = end or MINUTES_PER_DAY
        if start < end:
            return (start <= minute) & (minute < end)
        return (start <= minute) | (minute < end)


Windows = Annotated[tuple[Window, ...], Length(most=WINDOWS_MAX)]


@dataclass(frozen=True, slots=True)
class Bands:
    """The names of bands in order, and when each is in force; `default` is, where no window is.

    `gaps` allows local time without a band, for charges that are not always due.
    """

    names: tuple[str, ...]
    windows: tuple[Window, ...]
    default: str | None
    gaps: bool = False

    def check(self) -> None:
        """ValueError for names that repeat, are unknown or never in force."""
        if len(set(self.names)) < len(self.names):
            raise ValueError("two bands have the same name")
        if len(self.names) > BANDS_MAX or len(self.windows) > WINDOWS_MAX:
            raise ValueError(f"at most {BANDS_MAX} bands and {WINDOWS_MAX} windows")
        used = [window.band for window in self.windows]
        if self.default is not None:
            used.append(self.default)
        if unknown := [name for name in used if name not in self.names]:
            raise ValueError(f"band {unknown[0]!r} has no rate")
        if unused := [name for name in self.names if name not in used]:
            raise ValueError(f"band {unused[0]!r} is in no window and not the default")


def schedule(bands: Bands, calendar: Calendar) -> BandSchedule:
    """The band of every minute of every kind of day; ValueError for overlaps and gaps.

    A tariff sees only so many kinds of day (season × weekday × holiday, some dozens), so that each
    is painted once, minute by minute, and a year of days is looked up in them. Windows are painted
    by their number first: an overlap can then be named by the two windows that meet in it.
    """
    _check_names(bands.windows, calendar)
    _check_whole_days(bands.windows, calendar)
    day_types = {day_type.name: day_type for day_type in calendar.day_types}
    index_of = {name: band_index for band_index, name in enumerate(bands.names)}
    gap = UNCOVERED if bands.default is None else index_of[bands.default]
    band_of = np.array([*(index_of[window.band] for window in bands.windows), gap], np.int16)
    covers_of = [window.covers() for window in bands.windows]
    bands_of: BandSchedule = {}
    for kind in calendar.kinds():
        covered_by = np.full(MINUTES_PER_DAY, UNCOVERED, np.int16)
        for number, (window, covers) in enumerate(zip(bands.windows, covers_of, strict=True)):
            if window.seasons and kind.season not in window.seasons:
                continue
            if window.day_types and not any(
                day_types[name].holds(kind) for name in window.day_types
            ):
                continue
            if (overlap := covers & (covered_by != UNCOVERED)).any():
                minute = int(overlap.argmax())
                raise ValueError(
                    f"windows {covered_by[minute]} and {number} overlap {_when(kind, minute)}"
                )
            covered_by[covers] = number
        bands_of[kind] = band_of[covered_by]  # UNCOVERED, -1, picks the gap's band at the end
        if not bands.gaps and (open_at := bands_of[kind] == UNCOVERED).any():
            raise ValueError(
                f"no window covers {_when(kind, int(open_at.argmax()))} and there is no "
                "default band"
            )
    return bands_of


def _refuse_unknown(
    unknown: Sequence[int], days: NDArray[np.int64], first: int, component_id: str
) -> None:
    """Rejected where a day that counts is one that the calendar says nothing of."""
    for day in unknown:
        if (days == day).any():
            at = date(1970, 1, 1) + timedelta(days=first + day)
            raise Rejected(
                "day_unknown",
                f"{component_id}: the calendar names {at} in no day type, and refuses other dates "
                "(other_dates): add it to the dates of one, once it is known",
            )


def intervals_by_band(
    bands: Bands | None, component_id: str, span: Span
) -> list[tuple[int, NDArray[np.bool_]]]:
    """The index of each band that is in force during the span, and which intervals are its own.

    Index 0 and all of the span's where there are no bands. Rejected as `band_indexes` is.
    """
    if bands is None:
        return [(0, span.chosen)]
    band_of = band_indexes(bands, component_id, span)
    chosen_of = [
        (band_index, span.chosen & (band_of == band_index))
        for band_index in range(len(bands.names))
    ]
    return [(band_index, chosen) for band_index, chosen in chosen_of if chosen.any()]


def _check_names(windows: Sequence[Window], calendar: Calendar) -> None:
    seasons = {season.name for season in calendar.seasons}
    day_types = {day_type.name for day_type in calendar.day_types}
    for number, window in enumerate(windows):
        for what, names, known in (
            ("season", window.seasons, seasons),
            ("day type", window.day_types, day_types),
        ):
            if unknown := [name for name in names if name not in known]:
                raise ValueError(f"window {number}: the calendar has no {what} {unknown[0]!r}")


def _check_whole_days(windows: Sequence[Window], calendar: Calendar) -> None:
    for number, window in enumerate(windows):
        if window.from_time == window.to_time not in (time(), calendar.day_begins):
            raise ValueError(
                f"window {number} is a day that begins at {window.from_time:%H:%M}, while the "
                f"calendar's day_begins is {calendar.day_begins:%H:%M}: let days begin then "
                "(day_begins), or write 00:00 to 24:00 for days from midnight"
            )


def _when(kind: DayKind, minute: int) -> str:
    day = f"{WEEKDAYS[kind.weekday]}{' (holiday)' if kind.holiday else ''}"
    dated = f" of {' and '.join(sorted(kind.dated))}" if kind.dated else ""
    season = f" of season {kind.season}" if kind.season else ""
    return f"{day}{dated}{season} at {minute // 60:02}:{minute % 60:02}"


def band_indexes(bands: Bands, component_id: str, span: Span) -> NDArray[np.int16]:
    """The band's index for each interval of the period; `UNCOVERED` where there is none.

    Every minute of every interval is looked up (intervals × minutes), not only the first, since a
    clock that changes or a window at 12:10 may cut an interval of an hour. It is one indexing of
    day kinds × minutes, and happens only when a plan is made.
    Rejected where a band changes inside an interval of the span: finer intervals are needed then.
    """
    local_days = (span.local_minutes - span.calendar.first_minute) // MINUTES_PER_DAY
    minutes = span.local_minutes % MINUTES_PER_DAY
    first = int(local_days.min())
    kinds = [
        span.calendar.kind_of(date(1970, 1, 1) + timedelta(days=day))
        for day in range(first, int(local_days.max()) + 1)
    ]
    bands_of = schedule(bands, span.calendar)
    if unknown := [day for day, kind in enumerate(kinds) if kind not in bands_of]:
        _refuse_unknown(unknown, local_days[span.chosen] - first, first, component_id)
        of_no_band = np.full(MINUTES_PER_DAY, UNCOVERED, np.int16)
        bands_of = bands_of | {kinds[day]: of_no_band for day in unknown}
    band_of = np.stack([bands_of[kind] for kind in kinds])[local_days - first, minutes]
    cut = (band_of != band_of[:, :1]) & span.chosen[:, None]
    if cut.any():
        slot, within = np.argwhere(cut)[0]
        start, edge = (
            datetime(1970, 1, 1) + timedelta(minutes=int(minute))  # noqa: DTZ001 - local clock
            for minute in span.local_minutes[slot, (0, within)]
        )
        raise Rejected(
            "edge_inside_interval",
            f"{component_id}: the band changes at {edge:%Y-%m-%d %H:%M}, inside the "
            f"{band_of.shape[1]}-minute interval that starts at {start:%H:%M}: "
            "finer intervals are needed",
        )
    at_start: NDArray[np.int16] = band_of[:, 0]
    return at_start
