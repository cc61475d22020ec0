"""Estimating intervals that nobody measured: by which method, and in whole Wh.

A short gap between two values is a straight line; a longer one is what the same weekday and slot
had in earlier weeks (holidays as Sundays); a channel without such weeks is what its group had,
scaled to its own level. Whatever is missing after that stays missing: nothing is made up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MISSING = -1
THOUSANDTHS = 1_000
"""Of a Wh: what means are counted in before they become whole."""
NO_METHOD = ord("-")
STRAIGHT_LINE, SAME_WEEKDAY, GROUP_PROFILE = ord("L"), ord("W"), ord("G")
METHODS = {
    "straight_line": STRAIGHT_LINE,
    "same_weekday": SAME_WEEKDAY,
    "group_profile": GROUP_PROFILE,
}
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rules:
    """The longest gap in intervals that is a straight line, and from how many earlier days of the
    same kind, the latest ones, the mean is taken."""

    line_intervals_max: int
    days_max: int = 4


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's intervals in order of time, without holes between them, one entry each.

    `values` in Wh, of which those count that are `is_known`: measured. `is_wanted` are those to be
    estimated. `days` numbers the local days from 0 and `slots` the wall clock's slots of a day;
    `kinds` has one entry per day, the same for days that are alike (weekdays; holidays are
    Sundays). `group` is what others like it had on average, in thousandths of a Wh, MISSING where
    nobody had anything.
    """

    values: Index
    is_known: Flags
    is_wanted: Flags
    days: Index
    slots: Index
    kinds: Index
    group: Index


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value for each interval, MISSING where none was made, and the letter of its method."""

    values: Index
    methods: npt.NDArray[np.uint8]


def estimate(channel: Channel, rules: Rules) -> Estimate:
    """Estimate what is wanted, each interval by the first method that can."""
    made = Estimate(
        np.full(channel.values.size, MISSING, np.int64),
        np.full(channel.values.size, NO_METHOD, np.uint8),
    )
    _lines(channel, rules, made)
    for method, guess in (
        (SAME_WEEKDAY, _same_weekday(channel, rules)),
        (GROUP_PROFILE, _group_profile(channel)),
    ):
        chosen = channel.is_wanted & (made.methods == NO_METHOD) & (guess != MISSING)
        for part in runs(chosen):
            made.values[part] = whole(guess[part])
            made.methods[part] = method
    return made


def runs(flags: Flags) -> list[slice]:
    """Where flags are set, as slices of intervals that follow one another."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def whole(guess: Index) -> Index:
    """Whole Wh whose running sum is nowhere further than half a Wh from that of `guess`, which is
    in thousandths (≥ 0)."""
    running = (np.cumsum(guess) + THOUSANDTHS // 2) // THOUSANDTHS
    numbers: Index = np.diff(running, prepend=0)
    return numbers


def _lines(channel: Channel, rules: Rules, made: Estimate) -> None:
    for part in runs(channel.is_wanted):
        length = part.stop - part.start
        if length > rules.line_intervals_max or part.start == 0 or part.stop == channel.values.size:
            continue
        if not (channel.is_known[part.start - 1] and channel.is_known[part.stop]):
            continue
        before, after = channel.values[part.start - 1], channel.values[part.stop]
        steps = np.arange(1, length + 1)
        line = before * THOUSANDTHS + (after - before) * THOUSANDTHS * steps // (length + 1)
        made.values[part] = whole(line)
        made.methods[part] = STRAIGHT_LINE


def _same_weekday(channel: Channel, rules: Rules) -> Index:
    """For each wanted interval the mean of its slot on the latest earlier days of the same kind
    that have it, in thousandths of a Wh; MISSING where none has."""
    guess = np.full(channel.values.size, MISSING, np.int64)
    table = np.full((channel.kinds.size, int(channel.slots.max(initial=0)) + 1), MISSING, np.int64)
    known = np.flatnonzero(channel.is_known)
    table[channel.days[known], channel.slots[known]] = channel.values[known]
    for day in np.unique(channel.days[channel.is_wanted]).tolist():
        earlier = np.flatnonzero(channel.kinds[:day] == channel.kinds[day])[::-1]
        of_kind = table[earlier]
        there = of_kind != MISSING
        counted = there & (np.cumsum(there, axis=0) <= rules.days_max)
        counts = counted.sum(axis=0)
        sums = np.where(counted, of_kind, 0).sum(axis=0)
        mean = np.where(counts > 0, sums * THOUSANDTHS // np.maximum(counts, 1), MISSING)
        wanted = np.flatnonzero(channel.is_wanted & (channel.days == day))
        guess[wanted] = mean[channel.slots[wanted]]
    return guess


def _group_profile(channel: Channel) -> Index:
    """What the group had, times what the channel had for each Wh of the group where both are known,
    in thousandths of a Wh; as it is, where the channel has nothing at all."""
    both = channel.is_known & (channel.group != MISSING)
    of_group = channel.group[both].sum()
    if of_group <= 0:
        return channel.group
    level = np.true_divide(channel.values[both].sum() * THOUSANDTHS, of_group)
    scaled = np.floor(channel.group * level).astype(np.int64)
    return np.where(channel.group == MISSING, MISSING, scaled)
