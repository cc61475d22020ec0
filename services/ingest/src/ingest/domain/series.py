"""Reading back: a channel's intervals in a window, and their exact sums at coarser resolutions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

from ingest.domain.merge import MISSING, NO_QUALITY, Letters, Wh
from kernel.periods import ONE_DAY, day_minutes, midnight_utc, month_of

Resolution = Literal["native", "15", "30", "60", "1440", "month"]
WORST_FIRST = "ESA"
"""The quality of a sum is that of its worst value."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Energy from `start_at` on; None where nothing is there, `missing` of its parts are not."""

    start_at: datetime
    energy_wh: int | None
    quality: str
    missing: int


StoredDays = dict[date, tuple[Wh, Letters]]


def series(
    zone: str, minutes: int, days: StoredDays, window: tuple[date, date], resolution: Resolution
) -> Iterator[Interval]:
    """The intervals of whole local days, `window` half-open, at `resolution` (≥ `minutes`)."""
    if resolution == "month":
        day = window[0]
        while day < window[1]:
            end_on = min(month_of(day).end_on, window[1])
            parts = [_day(zone, minutes, days, d) for d in _dates(day, end_on)]
            values, quality = (np.concatenate(part) for part in zip(*parts, strict=True))
            yield _sum(midnight_utc(zone, day), values, quality)
            day = end_on
        return
    for day in _dates(*window):
        values, quality = _day(zone, minutes, days, day)
        width = minutes if resolution == "native" else int(resolution)
        per_sum = max(1, values.size if width == 1440 else width // minutes)
        begin = midnight_utc(zone, day)
        for at in range(0, values.size, per_sum):
            part = slice(at, at + per_sum)
            yield _sum(begin + timedelta(minutes=at * minutes), values[part], quality[part])


def _dates(start_on: date, end_on: date) -> list[date]:
    return [start_on + n * ONE_DAY for n in range((end_on - start_on).days)]


def _day(zone: str, minutes: int, days: StoredDays, day: date) -> tuple[Wh, Letters]:
    stored = days.get(day)
    if stored is not None:
        return stored
    slots = day_minutes(zone, day) // minutes
    return np.full(slots, MISSING, np.int32), np.full(slots, NO_QUALITY, np.uint8)


def _sum(start_at: datetime, values: Wh, quality: Letters) -> Interval:
    held = values != MISSING
    count = int(np.count_nonzero(held))
    energy_wh = int(values[held].sum(dtype=np.int64)) if count else None
    return Interval(start_at, energy_wh, worst(quality[held].tobytes()), values.size - count)


def worst(letters: Sequence[int]) -> str:
    """The worst quality among letters; `-` of none."""
    found = set(letters)
    return next((letter for letter in WORST_FIRST if ord(letter) in found), "-")
