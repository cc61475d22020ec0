"""Bands: windows of local time that say when each band is on.

A window covers [from, to) on every day of its seasons and day types. One that crosses midnight
(22:00 to 06:00) covers both ends of each such day: its early hours belong to the day they lie on.
Refuses windows that overlap, gaps without a default band, and edges that cut an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from rating.calendars import WEEKDAYS, Calendar, DayKind
from rating.limits import BANDS_MAX, WINDOWS_MAX
from rating.span import MINUTES_PER_DAY, Span

UNCOVERED = -1
"""The place of no band, where gaps are allowed."""
Schedule = dict[DayKind, NDArray[np.int16]]
"""For each kind of day, the band's place for each local minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`band` is on from `from_time` to `to_time` (00:00 is the day's end) on the named days.

    No season or day type named means all of them.
    """

    band: str
    from_time: time
    to_time: time
    seasons: tuple[str, ...] = ()
    day_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for edge in (self.from_time, self.to_time):
            if edge.second or edge.microsecond or edge.tzinfo:
                raise ValueError("a window's edges are whole local minutes, HH:MM")
        if self.from_time == self.to_time != time():
            raise ValueError("a window must not end when it starts (00:00 to 00:00 is a day)")

    def covers(self) -> NDArray[np.bool_]:
        """Which of a day's 1440 local minutes it covers."""
        start, end = (edge.hour * 60 + edge.minute for edge in (self.from_time, self.to_time))
        minute = np.arange(MINUTES_PER_DAY)
        end = end or MINUTES_PER_DAY
        if start < end:
            return (start <= minute) & (minute < end)
        return (start <= minute) | (minute < end)


@dataclass(frozen=True, slots=True)
class Bands:
    """The names of bands in order, and when each is on; what no window covers is of the default.

    `gaps` allows local time without a band, for charges that are not always on.
    """

    names: tuple[str, ...]
    windows: tuple[Window, ...]
    default: str | None
    gaps: bool = False

    def check(self) -> None:
        """ValueError for names that repeat, are unknown or never on."""
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


def schedule(bands: Bands, calendar: Calendar) -> Schedule:
    """The band of every minute of every kind of day; ValueError for overlaps and gaps."""
    _check_names(bands.windows, calendar)
    day_types = {day_type.name: day_type for day_type in calendar.day_types}
    places = {name: place for place, name in enumerate(bands.names)}
    gap = UNCOVERED if bands.default is None else places[bands.default]
    band_of = np.array([*(places[window.band] for window in bands.windows), gap], np.int16)
    covers_of = [window.covers() for window in bands.windows]
    bands_of: Schedule = {}
    for kind in calendar.kinds():
        covered_by = np.full(MINUTES_PER_DAY, UNCOVERED, np.int16)
        for number, (window, covers) in enumerate(zip(bands.windows, covers_of, strict=True)):
            if window.seasons and kind.season not in window.seasons:
                continue
            if window.day_types and not any(
                day_types[name].holds(kind.weekday, holiday=kind.holiday)
                for name in window.day_types
            ):
                continue
            if (twice := covers & (covered_by != UNCOVERED)).any():
                minute = int(twice.argmax())
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


def chosen_by_band(
    bands: Bands | None, component_id: str, span: Span
) -> list[tuple[int, NDArray[np.bool_]]]:
    """The place of each band that is on during the span, and its intervals.

    Place 0 and all of them where there are no bands. Rejected as `places_in` is.
    """
    if bands is None:
        return [(0, span.chosen)]
    place_of = places_in(bands, component_id, span)
    every = [(place, span.chosen & (place_of == place)) for place in range(len(bands.names))]
    return [(place, chosen) for place, chosen in every if chosen.any()]


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


def _when(kind: DayKind, minute: int) -> str:
    day = f"{WEEKDAYS[kind.weekday]}{' (holiday)' if kind.holiday else ''}"
    season = f" of season {kind.season}" if kind.season else ""
    return f"{day}{season} at {minute // 60:02}:{minute % 60:02}"


def places_in(bands: Bands, component_id: str, span: Span) -> NDArray[np.int16]:
    """The band's place for each interval of the period; `UNCOVERED` where there is none.

    Rejected where a band changes inside an interval of the span: finer intervals are needed then.
    """
    local_days, minutes = np.divmod(span.local_minutes, MINUTES_PER_DAY)
    first = int(local_days.min())
    kinds = [
        span.calendar.kind_of(date(1970, 1, 1) + timedelta(days=day))
        for day in range(first, int(local_days.max()) + 1)
    ]
    bands_of = schedule(bands, span.calendar)
    places = np.stack([bands_of[kind] for kind in kinds])[local_days - first, minutes]
    cut = (places != places[:, :1]) & span.chosen[:, None]
    if cut.any():
        slot, within = np.argwhere(cut)[0]
        start, edge = (
            datetime(1970, 1, 1) + timedelta(minutes=int(minute))  # noqa: DTZ001 - local clock
            for minute in span.local_minutes[slot, (0, within)]
        )
        raise Rejected(
            "edge_inside_interval",
            f"{component_id}: the band changes at {edge:%Y-%m-%d %H:%M}, inside the "
            f"{places.shape[1]}-minute interval that starts at {start:%H:%M}: "
            "finer intervals are needed",
        )
    first_places: NDArray[np.int16] = places[:, 0]
    return first_places
