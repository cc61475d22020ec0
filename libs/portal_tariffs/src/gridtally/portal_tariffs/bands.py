"""Time bands: when each is in force, as windows and day types of a native tariff.

Conventions: a band without days is in force on all of them, one without times all day; 23:59 at an
end is midnight; of times across midnight the early hours belong to the weekday on which they lie.
Refuses bands that overlap, and reports hours in which there is none.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from gridtally.portal_tariffs.report import Fields, Report, Value, fields_at, in_words, list_at
from gridtally.rating.bands import Window
from gridtally.rating.calendar import WEEKDAYS
from gridtally.rating.field_types import BANDS_MAX, NAME_FORM, WINDOWS_MAX

MINUTES_PER_DAY = 1440
SHOWN_MAX = 3
"""Of the hours that a report names."""
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {
    name: (day,)
    for day, full_name in zip(WEEKDAYS, _FULL_NAMES, strict=True)
    for name in (day, full_name)
}
"""The weekdays by their names."""
GROUPS = {
    **dict.fromkeys(("weekday", "weekdays"), WEEKDAYS[:5]),
    **dict.fromkeys(("weekend", "weekends"), WEEKDAYS[5:]),
    **dict.fromkeys(("all", "every day", "everyday", "daily"), WEEKDAYS),
}
"""Several weekdays by a name of theirs."""
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeBand:
    """A band: what components call it (`id` or `name`), what bills do, and when it is in force."""

    path: str
    names: frozenset[str]
    label: str
    days: tuple[str, ...]
    times: tuple[tuple[str, str], ...]

    @property
    def windows(self) -> list[dict[str, object]]:
        """Its windows as a native component has them."""
        on: dict[str, object] = {}
        if len(self.days) < len(WEEKDAYS):
            on["day_types"] = [day_type_of(self.days)]
        return [
            {"band": self.label, "from_time": start, "to_time": end} | on
            for start, end in self.times
        ]

    def minutes(self) -> Iterator[NDArray[np.bool_]]:
        """For each of its times, the minutes that it covers: 7 weekdays × 1440."""
        on = np.array([day in self.days for day in WEEKDAYS])
        for start, end in self.times:
            window = Window(band=self.label, from_time=_clock(start), to_time=_clock(end))
            yield on[:, None] & window.covers()


def read_bands(value: Value | None, report: Report) -> list[TimeBand]:
    """The document's time bands; none where it has none. Faults and notes go to the report."""
    if value is None or value.content == []:
        return []
    bands = []
    faults_before = len(report.faults)
    for entry in list_at(value, BANDS_MAX, report):
        fields = fields_at(entry.path, entry.content, report)
        if fields is not None:
            band = _band(fields)
            fields.report_rest()
            bands += [band] if band is not None else []
    _check_names(bands, report)
    if sum(len(band.times) for band in bands) > WINDOWS_MAX:
        report.fault(value.path, f"at most {WINDOWS_MAX} times in all bands")
    elif len(report.faults) == faults_before:
        _check_week(value.path, bands, report)
    return bands


def band_named(name: str, bands: Sequence[TimeBand]) -> TimeBand | None:
    """The band of an id or name."""
    return next((band for band in bands if name in band.names), None)


def covers_week(bands: Collection[TimeBand]) -> bool:
    """Whether some band is in force at any time of the week."""
    covered = np.zeros((len(WEEKDAYS), MINUTES_PER_DAY), np.bool_)
    for band in bands:
        for minutes in band.minutes():
            covered |= minutes
    return bool(covered.all())


def day_types(bands: Collection[TimeBand]) -> list[dict[str, object]]:
    """The native day types that the windows of these bands name."""
    sets = {band.days for band in bands if len(band.days) < len(WEEKDAYS)}
    return [
        {"name": day_type_of(days), "weekdays": list(days)}
        for days in sorted(sets, key=lambda days: [WEEKDAYS.index(day) for day in days])
    ]


def day_type_of(days: Collection[str]) -> str:
    """What these weekdays are called."""
    ordered = tuple(day for day in WEEKDAYS if day in days)
    names = {WEEKDAYS[:5]: "weekday", WEEKDAYS[5:]: "weekend"}
    return names.get(ordered, "-".join(ordered))


def _band(fields: Fields) -> TimeBand | None:
    band_id, name = fields.text("id", "band_id"), fields.text("name")
    if band_id is None and name is None:
        fields.report.fault(fields.path, "needs an id or a name")
    names = frozenset(given for given in (band_id, name) if given is not None)
    days, times = _days(fields), _times(fields)
    if not (names and days and times):
        return None
    given = band_id or name or ""
    label = given
    if not NAME_FORM.fits(given):
        label = re.sub(r"[^A-Za-z0-9_.:-]+", "-", given).strip("-_.:")[:64]
        if not NAME_FORM.fits(label):
            fields.report.fault(fields.path, f"{in_words(given)} cannot be a name of a band")
            return None
        fields.report.note(
            "convention", f"{fields.path}/id", f"bills call the band {label}, not {in_words(given)}"
        )
    if len(days) < len(WEEKDAYS) and any(_crosses_midnight(*span) for span in times):
        detail = "across midnight: the early hours belong to the weekday on which they lie"
        fields.report.note("convention", f"{fields.path}/times", detail)
    return TimeBand(fields.path, names, label, days, times)


def _days(fields: Fields) -> tuple[str, ...]:
    value = fields.take("days")
    if value is None:
        fields.report.note("convention", f"{fields.path}/days", "absent: read as every day")
        return WEEKDAYS
    if isinstance(value.content, str):
        entries = [value]
    else:
        entries = list_at(value, len(WEEKDAYS), fields.report)
    days: list[str] = []
    for entry in entries:
        word = entry.content.strip().lower() if isinstance(entry.content, str) else ""
        named = DAYS.get(word) or GROUPS.get(word)
        if named is None:
            fields.report.fault(
                entry.path,
                f"{in_words(entry.content)} is no weekday: write mon, tue, … sun, weekdays, "
                "weekends or all; which days are holidays is not in such a document",
            )
        elif set(named) & set(days):
            fields.report.fault(entry.path, f"{in_words(entry.content)} is there twice")
        else:
            days += named
    return tuple(day for day in WEEKDAYS if day in days)


def _times(fields: Fields) -> tuple[tuple[str, str], ...]:
    value = fields.take("times")
    if value is None:
        fields.report.note("convention", f"{fields.path}/times", "absent: read as all day")
        return (("00:00", "24:00"),)
    spans = []
    for entry in list_at(value, WINDOWS_MAX, fields.report):
        span = fields_at(entry.path, entry.content, fields.report)
        if span is None:
            continue
        start, end = _time(span, "from"), _time(span, "to")
        span.report_rest()
        if start is None or end is None:
            continue
        if end == "23:59":
            fields.report.note("convention", f"{entry.path}/to", "23:59: read as midnight")
            end = "24:00"
        if start == "24:00" or (start == end and start != "00:00"):
            fields.report.fault(entry.path, f"{start} to {end} is no time: a day is 00:00 to 24:00")
            continue
        spans.append((start, "24:00" if end == "00:00" else end))
    return tuple(spans)


def _time(span: Fields, name: str) -> str | None:
    value = span.take(name)
    if value is None:
        span.report.fault(f"{span.path}/{name}", "is missing: HH:MM, such as 07:30")
        return None
    text = value.content.strip() if isinstance(value.content, str) else ""
    if not _TIME.fullmatch(text):
        span.report.fault(value.path, f"{in_words(value.content)} is no time: HH:MM, such as 07:30")
        return None
    return text.zfill(5)


def _clock(text: str) -> time:
    return time() if text == "24:00" else time.fromisoformat(text)


def _crosses_midnight(start: str, end: str) -> bool:
    return start > end


def _check_names(bands: Sequence[TimeBand], report: Report) -> None:
    """Faults where a component could mean two bands, or a bill shows two by one name."""
    for band_index, band in enumerate(bands):
        for other in bands[:band_index]:
            if band.label == other.label or band.names & other.names:
                report.fault(band.path, f"is called as {other.path} is")


def _check_week(path: str, bands: Sequence[TimeBand], report: Report) -> None:
    """A fault where two times are in force at once, and what is lacking where there is none."""
    covered_by = np.full((len(WEEKDAYS), MINUTES_PER_DAY), -1, np.int16)
    for band_index, band in enumerate(bands):
        for minutes in band.minutes():
            if (overlap := minutes & (covered_by >= 0)).any():
                other = bands[int(covered_by[overlap][0])]
                detail = (
                    f"is in force together with {other.path} on {_in_words(overlap)}: of times "
                    "that overlap it is not known which counts; a charge for all hours is a "
                    "component without a band"
                )
                report.fault(band.path, detail)
            covered_by[minutes] = band_index
    if (open_at := covered_by < 0).any():
        detail = f"no band is in force on {_in_words(open_at)}: components by band charge nothing"
        report.lack(path, detail)


def _in_words(minutes: NDArray[np.bool_]) -> str:
    """Minutes of the week by their days and times, the first of them."""
    spans_by_day = [(day, _spans(of_day)) for day, of_day in zip(WEEKDAYS, minutes, strict=True)]
    shown = []
    for spans, days in groupby(spans_by_day, key=lambda of_day: of_day[1]):
        names = [day for day, _ in days]
        if spans:
            run = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
            shown.append(f"{run} {', '.join(spans[:SHOWN_MAX])}{', …' * (len(spans) > SHOWN_MAX)}")
    return "; ".join(shown[:SHOWN_MAX]) + "; …" * (len(shown) > SHOWN_MAX)


def _spans(of_day: NDArray[np.bool_]) -> list[str]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], of_day, [False])).astype(np.int8)))
    return [
        f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"
        for start, end in edges.reshape(-1, 2)
    ]
