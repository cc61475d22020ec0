"""Judging days: every rule over all days of a batch, and the verdicts where one speaks.

Each rule is a function from the batch to a number for every day, NaN where it has nothing to say;
`judge` holds these against the limits. All arrays have one entry per day unless it says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridtally.metering.validation.batch import (
    HOURS,
    MISSING,
    ChannelDays,
    Flags,
    Floats,
    Index,
    Measures,
    Timeline,
    lay_out,
    measure,
)
from gridtally.metering.validation.history import Histories, grow
from gridtally.metering.validation.rules import RULE_NAMES, RuleName

DAYS_BEFORE_MIN = 7
"""Fewer remembered days say nothing of what is usual."""
WEEKDAYS_MIN, REST_DAYS_MIN = 5.0, 4.0
"""The same of the shape of weekdays and of rest days."""
EXCHANGE_DAYS = 7
"""For how long after an exchange its days are held against those before it."""
TENFOLD_TOLERANCE = 0.2
"""How far, in powers of ten, a factor may be from one of ten, a hundred or a thousand."""
DARK_HOURS = (23, 0, 1, 2)
DRIFT_DAYS = 7
QUARTER_HOURS = 6
SAME_WEEKDAYS_MIN = 3
"""Of the four in the remembered days; fewer say nothing of what is usual on a weekday."""
_NOTHING = np.nan


@dataclass(frozen=True, slots=True)
class Limits:
    """For each kind of channel (a row) and each of RULE_NAMES (a column) the limit, NaN where the
    rule is off, and the least energy."""

    limits: Floats
    least: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule speaks of a day, by its index: what was measured, against which limit, and in which
    intervals, `count` from `slot` on."""

    day: int
    rule: RuleName
    value: float
    limit: float
    slot: int
    count: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts on a batch, and what is remembered of its channels from now on."""

    verdicts: list[Verdict]
    histories: Histories


class _Case:
    """A batch with what is measured of it, worked out when the first rule asks."""

    def __init__(self, days: ChannelDays, histories: Histories, limits: Limits) -> None:
        self.days, self.histories, self.limits = days, histories, limits
        self.measures: Measures = measure(days, histories)
        self.timeline: Timeline = lay_out(days, histories, self.measures)
        window = self.timeline.window
        ordinals = self.timeline.ordinals[window]
        self.is_before: Flags = (ordinals > 0) & (ordinals < days.ordinals[:, None])
        self.has_past: Flags = self.is_before.sum(axis=1) >= DAYS_BEFORE_MIN
        self.usual_total = _median(self.timeline.totals[window], self.is_before)
        self.usual_peak = _median(self.timeline.peaks[window], self.is_before)
        rest = days.is_rest.astype(np.int64)
        enough = np.where(days.is_rest, REST_DAYS_MIN, WEEKDAYS_MIN)
        self.usual_shape: Floats = histories["shapes"][days.channels, rest].astype(np.float64)
        self.has_shape: Flags = histories["weights"][days.channels, rest] >= enough
        self.runs = _runs(days, histories, self.measures.is_whole)

    def least(self, rule: RuleName) -> Floats:
        """The energy below which the rule does not look at a day."""
        least: Floats = self.limits.least[self.days.kinds, RULE_NAMES.index(rule)]
        return least


def judge(days: ChannelDays, histories: Histories, limits: Limits) -> Judgement:
    """Judge days of channels against what is remembered of these; `histories` begins with those of
    `days.channels` and may go on with those of opposite flows.

    A day is held against days before it alone, so that it is judged the same when it comes again.
    """
    case = _Case(days, histories, limits)
    shifts = _shifts(case)
    verdicts: list[Verdict] = []
    for column, rule in enumerate(RULE_NAMES):
        of_days = limits.limits[days.kinds, column]
        if np.isnan(of_days).all():
            continue
        values = _drift(case, shifts) if rule == "clock_drift" else _MEASURED_BY[rule](case)
        for day in np.flatnonzero(values >= of_days).tolist():
            slot, count = _where(case, rule, day)
            verdicts.append(
                Verdict(day, rule, round(float(values[day]), 3), float(of_days[day]), slot, count)
            )
    runs = case.runs[days.begins + days.slots - 1]
    return Judgement(verdicts, grow(histories, days, case.measures, case.timeline, shifts, runs))


def _median(values: Floats, is_counted: Flags) -> Floats:
    """The lower median of the counted values of each row; NaN where none is."""
    ordered = np.sort(np.where(is_counted, values, np.inf), axis=1)
    counts = is_counted.sum(axis=1)
    middle = ordered[np.arange(counts.size), np.maximum(counts - 1, 0) // 2]
    return np.where(counts > 0, middle, _NOTHING)


def _runs(days: ChannelDays, histories: Histories, is_whole: Flags) -> Index:
    """For each interval of all days, in how many intervals in a row its value has been there up to
    it; days that follow a whole one count on, also from what is remembered."""
    values, count = days.values, days.values.size
    begins_run = np.ones(count, np.bool_)
    begins_run[1:] = values[1:] != values[:-1]
    last_on = histories["ordinals"][days.channels, -1]
    is_first = np.ones(days.channels.size, np.bool_)
    is_first[1:] = (days.channels[1:] != days.channels[:-1]) | (
        days.ordinals[1:] != days.ordinals[:-1] + 1
    )
    is_first[1:] |= ~is_whole[:-1]
    begins_run[days.begins[is_first]] = True
    numbers = np.arange(count)
    starts = np.maximum.accumulate(np.where(begins_run, numbers, 0))
    carried = np.zeros(count, np.int64)
    follows = is_first & (last_on > 0) & (days.ordinals == last_on + 1)
    follows &= values[days.begins] == histories["last_value"][days.channels]
    carried[days.begins[follows]] = histories["last_run"][days.channels[follows]]
    return numbers - starts + 1 + carried[starts]


def _longest(case: _Case, counts: npt.NDArray[np.bool_]) -> Floats:
    """The hours of each day's longest run among the intervals that count."""
    longest = np.maximum.reduceat(np.where(counts, case.runs, 0), case.days.begins)
    return longest * case.days.minutes / 60


def _spike(case: _Case) -> Floats:
    usual = np.maximum(case.usual_peak, 1)
    is_seen = case.has_past & (case.measures.peak >= case.least("spike"))
    return np.where(is_seen, case.measures.peak / usual, _NOTHING)


def _physical_limit(case: _Case) -> Floats:
    return 100 * case.measures.peak / case.days.maxima


def _zero_run(case: _Case) -> Floats:
    return _longest(case, case.days.values == 0)


def _flat_run(case: _Case) -> Floats:
    least = np.repeat(case.least("flat_run"), case.days.slots)
    return _longest(case, case.days.values >= np.maximum(least, 1))


def _gap(case: _Case) -> Floats:
    """What is missing between the first and the last value of each day."""
    days = case.days
    is_there = days.values != MISSING
    numbers = np.arange(days.values.size)
    first = np.minimum.reduceat(np.where(is_there, numbers, days.values.size), days.begins)
    last = np.maximum.reduceat(np.where(is_there, numbers, -1), days.begins)
    inside = last - first + 1 - case.measures.present
    return np.where(case.measures.present > 0, inside, 0).astype(np.float64)


def _overlap(case: _Case) -> Floats:
    return case.days.overlaps.astype(np.float64)


def _judged_elsewhere(case: _Case) -> Floats:
    """Nothing: the meter's own events say it, or its register, and not the values of days."""
    return np.full(case.days.slots.size, _NOTHING)


def _back_feed(case: _Case) -> Floats:
    return np.where(case.days.has_generation, _NOTHING, case.measures.total)


def _dark_energy(case: _Case) -> Floats:
    dark: Floats = case.measures.hours[:, DARK_HOURS].sum(axis=1)
    return dark


def _factor(case: _Case, rule: RuleName) -> Floats:
    """How many times more or less than usual a whole day has; NaN where one has too little."""
    total, usual = case.measures.total, case.usual_total
    is_seen = case.measures.is_whole & case.has_past
    is_seen &= np.maximum(total, usual) >= case.least(rule)
    ratio = np.maximum(total, 1) / np.maximum(usual, 1)
    return np.where(is_seen, ratio, _NOTHING)


def _exchange_jump(case: _Case) -> Floats:
    """Against the days before the exchange alone, however many have come since."""
    days, window = case.days, case.timeline.window
    since = days.ordinals - days.exchanged
    is_after = (days.exchanged > 0) & (since > 0) & (since <= EXCHANGE_DAYS)
    if not is_after.any():
        return np.full(since.size, _NOTHING)
    is_before = case.is_before & (case.timeline.ordinals[window] < days.exchanged[:, None])
    usual = np.maximum(_median(case.timeline.totals[window], is_before), 1)
    total = np.maximum(case.measures.total, 1)
    is_seen = is_after & case.measures.is_whole & (is_before.sum(axis=1) >= DAYS_BEFORE_MIN)
    is_seen &= np.maximum(total, usual) >= case.least("exchange_jump")
    return np.where(is_seen, np.maximum(total / usual, usual / total), _NOTHING)


def _multiplier(case: _Case) -> Floats:
    """A day that somebody came home to is ten times another too, but not in each of its hours."""
    ratio = _factor(case, "multiplier")
    powers = np.log10(ratio)
    nearest = np.round(powers)
    is_power = (
        (nearest != 0) & (np.abs(nearest) <= 3) & (np.abs(powers - nearest) <= TENFOLD_TOLERANCE)
    )
    is_power &= case.has_shape & case.measures.has_hours
    value = np.full(ratio.size, _NOTHING)
    for day in np.flatnonzero(is_power).tolist():
        expected = case.usual_shape[day] * case.usual_total[day]
        counted = expected > 0
        with np.errstate(divide="ignore"):
            of_hours = np.log10(case.measures.hours[day, counted] / expected[counted])
        if abs(np.median(of_hours) - nearest[day]) <= 2 * TENFOLD_TOLERANCE:
            value[day] = max(ratio[day], 1 / ratio[day])
    return value


def _unusual_use(case: _Case) -> Floats:
    """The quarter of the day that is furthest from what is usual: the median of that weekday, with
    the share that these hours have on days of the kind. Quarters, since single hours of a house
    differ by ten times from week to week."""
    days, window = case.days, case.timeline.window
    ago = days.ordinals[:, None] - case.timeline.ordinals[window]
    is_same = case.is_before & (ago % 7 == 0)
    usual_day = _median(case.timeline.totals[window], is_same)
    quarters = (-1, HOURS // QUARTER_HOURS, QUARTER_HOURS)
    usual = usual_day[:, None] * case.usual_shape.reshape(quarters).sum(axis=2)
    energy = case.measures.hours.reshape(quarters).sum(axis=2)
    is_much = np.maximum(energy, usual) >= case.least("unusual_use")[:, None]
    ratio = np.maximum(energy, 1) / np.maximum(usual, 1)
    furthest = np.where(is_much, np.maximum(ratio, 1 / ratio), 1).max(axis=1)
    is_seen = (is_same.sum(axis=1) >= SAME_WEEKDAYS_MIN) & case.has_shape
    return np.where(is_seen & case.measures.has_hours, furthest, _NOTHING)


def _likeness(shape: Floats, other: Floats) -> Floats:
    """1 for the same shape, 0 where they have no hour in common."""
    likeness: Floats = 1 - np.abs(shape - other).sum(axis=1) / 2
    return likeness


def _wrong_sign(case: _Case) -> Floats:
    days = case.days
    rest = days.is_rest.astype(np.int64)
    opposite = np.maximum(days.opposites, 0)
    enough = np.where(days.is_rest, REST_DAYS_MIN, WEEKDAYS_MIN)
    is_seen = (days.opposites >= 0) & case.has_shape & case.measures.has_hours
    is_seen &= case.histories["weights"][opposite, rest] >= enough
    is_seen &= case.measures.total >= case.least("wrong_sign")
    of_opposite = case.histories["shapes"][opposite, rest].astype(np.float64)
    shape = case.measures.shape
    more = _likeness(shape, of_opposite) - _likeness(shape, case.usual_shape)
    return np.where(is_seen, more, _NOTHING)


def _shifts(case: _Case) -> tuple[Floats, Floats]:
    """How much better each day fits its channel when the usual shape is an hour later, and an hour
    earlier: the share of what it is off by, below zero where it fits worse; 0 where nothing is
    known."""
    shape, usual = case.measures.shape, case.usual_shape
    off = np.abs(shape - usual).sum(axis=1)
    is_seen = case.has_shape & case.measures.has_hours
    is_seen &= case.measures.total >= case.least("clock_drift")

    def better(hours: int) -> Floats:
        shifted = np.abs(shape - np.roll(usual, hours, axis=1)).sum(axis=1)
        return np.where(is_seen, (off - shifted) / np.maximum(off, 1e-9), 0.0)

    return better(1), better(-1)


def _drift(case: _Case, shifts: tuple[Floats, Floats]) -> Floats:
    """The mean of each day and the six before it that are remembered, in the better direction: a
    single day may have another shape for a hundred reasons."""
    timeline, channels = case.timeline, int(case.days.channels[-1]) + 1
    taken = np.flatnonzero(case.measures.is_taken)
    window = timeline.window[:, -(DRIFT_DAYS - 1) :]
    means = []
    for name, of_days in zip(("late", "early"), shifts, strict=True):
        known = case.histories[name][:channels].ravel()
        joined = np.concatenate((known, of_days[taken]))[timeline.sources]
        means.append((joined[window].sum(axis=1) + of_days) / DRIFT_DAYS)
    is_before = case.is_before[:, -(DRIFT_DAYS - 1) :].all(axis=1)
    return np.where(is_before, np.maximum(*means), _NOTHING)


def _repeated_hour(case: _Case) -> Floats:
    """Percent of the repeated hour that equals the hour before; a load that never changes says
    nothing."""
    days = case.days
    value = np.full(days.slots.size, _NOTHING)
    repeated = (days.repeated >= 0) & case.measures.is_whole
    for minutes in np.unique(days.minutes[repeated]).tolist():
        same = np.flatnonzero(repeated & (days.minutes == minutes))
        first = days.begins[same] + days.repeated[same]
        hour = days.values[first[:, None] + np.arange(60 // minutes)]
        before = days.values[first[:, None] + np.arange(-(60 // minutes), 0)]
        is_seen = hour.sum(axis=1) >= np.maximum(case.least("repeated_hour")[same], 1)
        if minutes < 60:
            is_seen &= before.max(axis=1) > before.min(axis=1)
        value[same] = np.where(is_seen, 100 * (hour == before).mean(axis=1), _NOTHING)
    return value


_MEASURED_BY: dict[RuleName, Callable[[_Case], Floats]] = {
    "spike": _spike,
    "physical_limit": _physical_limit,
    "zero_run": _zero_run,
    "flat_run": _flat_run,
    "gap": _gap,
    "overlap": _overlap,
    "back_feed": _back_feed,
    "dark_energy": _dark_energy,
    "exchange_jump": _exchange_jump,
    "multiplier": _multiplier,
    "wrong_sign": _wrong_sign,
    "repeated_hour": _repeated_hour,
    "unusual_use": _unusual_use,
    "tamper": _judged_elsewhere,
    "register_sum": _judged_elsewhere,
}


def _where(case: _Case, rule: RuleName, day: int) -> tuple[int, int]:
    """The intervals of a day that a verdict is about: the first, and how many."""
    days = case.days
    slots = int(days.slots[day])
    part = slice(int(days.begins[day]), int(days.begins[day]) + slots)
    values = days.values[part]
    match rule:
        case "spike" | "physical_limit":
            return int(values.argmax()), 1
        case "zero_run" | "flat_run":
            least = max(case.least(rule)[day], 1)
            counts = values == 0 if rule == "zero_run" else values >= least
            runs = np.where(counts, case.runs[part], 0)
            end = int(runs.argmax())
            length = min(int(runs[end]), end + 1)
            return end + 1 - length, length
        case "gap":
            there = np.flatnonzero(values != MISSING)
            holes = np.flatnonzero(values[there[0] : there[-1]] == MISSING) + int(there[0])
            return int(holes[0]), int(holes[-1] - holes[0]) + 1
        case "repeated_hour":
            return int(days.repeated[day]), 60 // int(days.minutes[day])
        case "dark_energy":
            per_hour = 60 // int(days.minutes[day])
            lit = np.flatnonzero(values > 0)
            in_dark = [slot for slot in lit.tolist() if slot // per_hour % HOURS in DARK_HOURS]
            return (in_dark[0], in_dark[-1] - in_dark[0] + 1) if in_dark else (0, slots)
        case _:
            return 0, slots
