"""The days that are judged together, in columns, and what is measured of all of them at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
MISSING = -1
"""A value that is not there."""
HOURS = 24
_MINUTES_A_DAY = 1_440


@dataclass(frozen=True, slots=True)
class ChannelDays:
    """Channel-days in the order of their channels and, within each, of their days (at least one).

    One entry per day: `channels` is its channel's index in the histories; `ordinals` its local day;
    `minutes` of an interval; `slots` of the day, which begin at `begins` in `values`; `kinds` its
    row in the limits; `maxima` the most that an interval can carry; `repeated` the slot in which
    the clocks begin an hour for the second time, -1 on other days; `overlaps` as the rule says;
    `exchanged` the ordinal of the meter's last exchange, 0 without one; `opposites` the index in
    the histories of the opposite flow, -1 without one. `values` are those of all days one after
    another; what is missing, or must not be judged, is MISSING.
    """

    channels: Index
    ordinals: Index
    minutes: Index
    slots: Index
    begins: Index
    values: npt.NDArray[np.int32]
    kinds: Index
    is_rest: Flags
    maxima: Floats
    repeated: Index
    overlaps: Index
    exchanged: Index
    has_generation: Flags
    opposites: Index


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of every day, one entry each.

    `hours` (days × 24) is the energy of the hours, `shape` their shares of the day's energy; both
    say something where `has_hours`: of whole days of 24 hours. `is_taken` are the whole days that
    are later than what is remembered of their channel.
    """

    present: Index
    total: Index
    peak: Index
    is_whole: Flags
    hours: Floats
    shape: Floats
    has_hours: Flags
    is_taken: Flags


@dataclass(frozen=True, slots=True)
class Timeline:
    """The days that each day is held against: of every channel the remembered ones, oldest first,
    then those of this batch that are taken; all channels one after another.

    `sources` says where an entry stands among all remembered days and then all taken ones; `window`
    (days × 28) which entries come before each day, `last_window` (channels × 28) the last ones.
    """

    ordinals: Index
    totals: Floats
    peaks: Floats
    sources: Index
    window: Index
    last_window: Index


def measure(days: ChannelDays, histories: npt.NDArray[np.void]) -> Measures:
    """Measure all days of a batch, each pass over the values of all of them.

    A loop over days with numpy calls for each took 40 times as long.
    """
    is_there = days.values != MISSING
    energy = np.where(is_there, days.values, 0)
    present = np.add.reduceat(is_there, days.begins, dtype=np.int64)
    total = np.add.reduceat(energy, days.begins, dtype=np.int64)
    is_whole = present == days.slots
    hours = _hours(days, energy)
    return Measures(
        present,
        total,
        np.maximum.reduceat(energy, days.begins).astype(np.int64),
        is_whole,
        hours,
        hours / np.maximum(total, 1)[:, None],
        is_whole & (days.slots * days.minutes == _MINUTES_A_DAY),
        is_whole & (days.ordinals > histories["ordinals"][days.channels, -1]),
    )


def _hours(days: ChannelDays, energy: npt.NDArray[np.int32]) -> Floats:
    """The energy of each elapsed hour of each day, days × 24; a 25th counts with the last."""
    sums = np.zeros((days.slots.size, HOURS))
    for minutes, slots in {*zip(days.minutes.tolist(), days.slots.tolist(), strict=True)}:
        same = np.flatnonzero((days.minutes == minutes) & (days.slots == slots))
        per_hour = 60 // minutes
        count = slots // per_hour
        rows = energy[days.begins[same][:, None] + np.arange(count * per_hour)]
        by_hour = rows.reshape(same.size, count, per_hour).sum(axis=2, dtype=np.int64)
        in_day = min(count, HOURS)
        sums[same, :in_day] = by_hour[:, :in_day]
        if count > HOURS:
            sums[same, HOURS - 1] += by_hour[:, HOURS:].sum(axis=1)
    return sums


def lay_out(days: ChannelDays, histories: npt.NDArray[np.void], measures: Measures) -> Timeline:
    """Lay the remembered days of each channel and its taken days of this batch side by side, so
    that the 28 days before any day are 28 entries in a row."""
    channels, width = int(days.channels[-1]) + 1, histories["ordinals"].shape[1]
    known = histories[:channels]
    taken = np.flatnonzero(measures.is_taken)
    counts = np.bincount(days.channels[taken], minlength=channels)
    starts = np.cumsum(counts + width) - (counts + width)
    before: Index = np.cumsum(measures.is_taken) - measures.is_taken
    rank = before - (np.cumsum(counts) - counts)[days.channels]
    old = (starts[:, None] + np.arange(width)).ravel()
    new = starts[days.channels[taken]] + width + rank[taken]
    sources = np.empty(old.size + new.size, np.int64)
    sources[old] = np.arange(old.size)
    sources[new] = old.size + np.arange(new.size)

    def joined(name: str, of_days: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate((known[name].ravel(), of_days[taken]))[sources]

    ring = np.arange(width)
    return Timeline(
        ordinals=joined("ordinals", days.ordinals),
        totals=joined("totals", measures.total.astype(np.float64)),
        peaks=joined("peaks", measures.peak.astype(np.float64)),
        sources=sources,
        window=(starts[days.channels] + rank)[:, None] + ring,
        last_window=(starts + counts)[:, None] + ring,
    )
