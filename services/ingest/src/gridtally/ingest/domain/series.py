"""Reading back: a channel's intervals in a window, and their exact sums at coarser resolutions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

from gridtally.ingest.domain.channels import expectation, limit_to_channel
from gridtally.ingest.domain.local_days import days_between
from gridtally.ingest.domain.merge import MISSING, NO_CHANNEL, NO_QUALITY, Qualities, Wh
from gridtally.ingest.domain.meters import Channel
from gridtally.kernel.periods import ONE_DAY, Period, day_minutes, midnight_utc, month_of

Resolution = Literal["native", "15", "30", "60", "1440", "month"]
WORST_FIRST = "ESA"
"""The quality of a sum is that of its worst value."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Energy from `start_at` on, None where no value is there; `missing` counts its empty parts."""

    start_at: datetime
    energy_wh: int | None
    quality: str
    missing: int


StoredDays = dict[date, tuple[Wh, Qualities]]


def series(
    zone: str, minutes: int, days: StoredDays, window: tuple[date, date], resolution: Resolution
) -> Iterator[Interval]:
    """The intervals of whole local days, `window` half-open, at `resolution` (≥ `minutes`)."""
    if resolution == "month":
        day = window[0]
        while day < window[1]:
            end_on = min(month_of(day).end_on, window[1])
            parts = [day_values(zone, minutes, days, date_) for date_ in days_between(day, end_on)]
            values, quality = (np.concatenate(part) for part in zip(*parts, strict=True))
            yield _sum(midnight_utc(zone, day), values, quality)
            day = end_on
        return
    for day in days_between(*window):
        values, quality = day_values(zone, minutes, days, day)
        width = minutes if resolution == "native" else int(resolution)
        per_sum = max(1, values.size if width == 1440 else width // minutes)
        begin = midnight_utc(zone, day)
        for first in range(0, values.size, per_sum):
            part = slice(first, first + per_sum)
            yield _sum(begin + timedelta(minutes=first * minutes), values[part], quality[part])


def within_channel(
    zone: str, channel: Channel, days: StoredDays, window: tuple[date, date]
) -> StoredDays:
    """All days of the window, without what the channel cannot have measured."""
    limited: StoredDays = {}
    for day in days_between(*window):
        stored_values, stored_quality = day_values(zone, channel.minutes, days, day)
        values, quality = stored_values.copy(), stored_quality.copy()
        expected = expectation(zone, Period(day, day + ONE_DAY), channel)
        limit_to_channel(values, quality, expected)
        limited[day] = (values, quality)
    return limited


def day_values(zone: str, minutes: int, days: StoredDays, day: date) -> tuple[Wh, Qualities]:
    """What is stored of a local day; `MISSING` throughout where nothing is."""
    stored = days.get(day)
    if stored is not None:
        return stored
    slots = day_minutes(zone, day) // minutes
    return np.full(slots, MISSING, np.int32), np.full(slots, NO_QUALITY, np.uint8)


def _sum(start_at: datetime, values: Wh, quality: Qualities) -> Interval:
    present = values != MISSING
    count = int(np.count_nonzero(present))
    energy_wh = int(values[present].sum(dtype=np.int64)) if count else None
    missing = int(np.count_nonzero(~present & (quality != NO_CHANNEL)))
    letter = worst(quality[present].tobytes()) if count or missing else chr(NO_CHANNEL)
    return Interval(start_at, energy_wh, letter, missing)


def worst(codes: Sequence[int]) -> str:
    """The worst quality among the codes of values, as its letter; `-` of none."""
    different = set(codes)
    return next((letter for letter in WORST_FIRST if ord(letter) in different), "-")
