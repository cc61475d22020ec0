"""Forecasts: what intervals without a value will probably carry, from the last six weeks.

The method has a name, `weekday_and_time`: the mean of the same weekday and local time of day, times
the level of the last seven days, which is what they carried over what their means say. The spread
is what the levels of the other weeks would make. Whole Wh throughout; what is recorded stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.recorded_usage import RecordedUsage, Wh
from gridtally.kernel.energy import INTERVAL_WH_MAX
from gridtally.kernel.periods import ONE_DAY, Period, zone_named
from gridtally.rating.plan.span import chosen_slots, local_minutes
from gridtally.rating.prices import PRICE_MISSING, PRICES_MAX, PriceSeries
from gridtally.rating.usage import MISSING, Flow

Method = Literal["weekday_and_time"]
METHOD: Method = "weekday_and_time"
WEEKS = 6
REFERENCE_DAYS_MAX = WEEKS * 7
SAME = Fraction(1)
LEVEL_DECIMALS = 4
_WEEK_MINUTES, _DAY_MINUTES = 7 * 24 * 60, 24 * 60
_MONDAY_MINUTES = 3 * _DAY_MINUTES
"""1970-01-01, from which local minutes count, is the fourth day of its week."""
_FINE = 1_000
"""Means are whole thousandths of a Wh."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowForecast:
    """A flow's mean by weekday and time of day, in thousandths of a Wh, and the level of each
    reference week, the last week first; None where a week has less than a day of values.

    `first_on` is the first day with a value: nothing is expected before.
    """

    first_on: date
    minutes: int
    means: NDArray[np.int64]
    levels: Sequence[Fraction | None]

    def values(self, week: int) -> NDArray[np.int32]:
        """The forecast of each weekday and time of day, at the level of a reference week."""
        level = self.levels[week] if week < len(self.levels) else None
        level = SAME if level is None else level
        divisor = 2 * level.denominator * _FINE
        scaled = [
            (2 * mean * level.numerator + divisor // 2) // divisor for mean in self.means.tolist()
        ]
        return np.array([min(value, INTERVAL_WH_MAX) for value in scaled], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What a meter will probably use; `reference` are the days that it rests on."""

    zone: str
    reference: Period
    flows: Mapping[Flow, FlowForecast]

    @property
    def weeks(self) -> list[int]:
        """The reference weeks of which a level is known, the last week, 0, first."""
        known = {
            week
            for own in self.flows.values()
            for week, level in enumerate(own.levels)
            if level is not None
        }
        return sorted(known | {0})

    def levels(self) -> dict[Flow, Decimal]:
        """What the last seven days carried over the mean of the reference days, by flow."""
        step = 10**LEVEL_DECIMALS
        return {
            flow: Decimal(round(level * step)).scaleb(-LEVEL_DECIMALS)
            for flow, own in self.flows.items()
            if (level := own.levels[0] if own.levels else None) is not None
        }

    def filled(self, flow: Flow, series: Wh, period: Period, week: int = 0) -> Wh:
        """The series in which intervals without a value have what is expected of them."""
        own = self.flows.get(flow)
        missing = series == MISSING
        if own is not None and period.start_on < own.first_on:
            before = Period(period.start_on, min(own.first_on, period.end_on))
            missing[: before.slots(self.zone, own.minutes)] = False
        if own is None or not missing.any():
            return series
        filled = series.copy()
        filled[missing] = own.values(week)[_cells(self.zone, period, own.minutes)[missing]]
        return filled


def forecast(usage: RecordedUsage, within: Period) -> Forecast | None:
    """The forecast from the last days with values within these; None where there are none."""
    recorded = [
        day
        for own in usage.days.values()
        for day, values in own.items()
        if day in within and (values != MISSING).any()
    ]
    if not recorded:
        return None
    end_on = max(recorded) + ONE_DAY
    start_on = max(min(recorded), end_on - timedelta(days=REFERENCE_DAYS_MAX))
    reference = Period(start_on, end_on)
    flows = {flow: _flow_forecast(usage, flow, reference) for flow in usage.minutes}
    known = {flow: own for flow, own in flows.items() if own is not None}
    return Forecast(usage.zone, reference, known)


def _flow_forecast(usage: RecordedUsage, flow: Flow, reference: Period) -> FlowForecast | None:
    minutes = usage.minutes_of(flow)
    series = usage.series(flow, reference)
    present = series != MISSING
    if not present.any():
        return None
    cells = _cells(usage.zone, reference, minutes)
    means = _means(cells[present], series[present].astype(np.int64) * _FINE, minutes)
    levels = []
    for week in _weeks(reference):
        chosen = chosen_slots(usage.zone, reference, minutes, week)
        levels.append(_level(series, cells, means, chosen & present, minutes))
    own = usage.days[flow]
    first_on = min(day for day, values in own.items() if (values != MISSING).any())
    return FlowForecast(first_on, minutes, means, levels)


def _weeks(reference: Period) -> list[Period]:
    """The reference days in weeks, the last first; the first days may be fewer."""
    weeks = []
    end_on = reference.end_on
    while end_on > reference.start_on:
        start_on = max(reference.start_on, end_on - timedelta(days=7))
        weeks.append(Period(start_on, end_on))
        end_on = start_on
    return weeks


def _level(
    series: Wh,
    cells: NDArray[np.int16],
    means: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    minutes: int,
) -> Fraction | None:
    """What the chosen intervals carried over what their means say; less than a day says nothing."""
    if np.count_nonzero(chosen) * minutes < _DAY_MINUTES:
        return None
    expected = int(means[cells[chosen]].sum())
    carried = int(series.sum(where=chosen, dtype=np.int64)) * _FINE
    return Fraction(carried, expected) if expected else SAME


def _means(cells: NDArray[np.int16], values: NDArray[np.int64], minutes: int) -> NDArray[np.int64]:
    """The whole mean of each weekday and time of day; where it has no value, that of the time of
    day on all days, and else that of all."""
    per_week, per_day = _WEEK_MINUTES // minutes, _DAY_MINUTES // minutes
    by_cell = _sums(cells, values, per_week)
    by_time = _sums(cells % per_day, values, per_day)
    of_all = _sums(np.zeros_like(cells), values, 1)
    means, unknown = np.zeros(per_week, np.int64), np.ones(per_week, np.bool_)
    for sums, counts in (by_cell, by_time, of_all):
        repeats = per_week // len(sums)
        own_sums, own_counts = np.tile(sums, repeats), np.tile(counts, repeats)
        now_known = unknown & (own_counts > 0)
        means[now_known] = own_sums[now_known] // own_counts[now_known]
        unknown &= ~now_known
    return means


def _sums(
    keys: NDArray[np.int16], values: NDArray[np.int64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sums, counts = np.zeros(length, np.int64), np.zeros(length, np.int64)
    np.add.at(sums, keys, values)
    np.add.at(counts, keys, 1)
    return sums, counts


@lru_cache(maxsize=32)
def _cells(zone: str, period: Period, minutes: int) -> NDArray[np.int16]:
    """Each interval's weekday and time of day, as the number of such an interval in a week.

    By the local clock: an hour that comes twice is the same time of day twice.
    """
    local = local_minutes(zone, period, minutes, zone)[:, 0]
    return ((local + _MONDAY_MINUTES) % _WEEK_MINUTES // minutes).astype(np.int16)


def expected_prices(
    series: PriceSeries, zone: str, from_at: datetime, to_at: datetime
) -> PriceSeries:
    """The series in which prices that are missing from one instant to another are expected: the
    mean of the same weekday and time of day of those six weeks before that are known."""
    step = timedelta(minutes=series.minutes)
    slots = max(-((series.start_at - to_at) // step), len(series.prices))
    if slots > PRICES_MAX:  # days that far off have no expected price: the bill is refused
        return series
    prices = np.full(slots, PRICE_MISSING, np.int64)
    prices[: len(series.prices)] = series.prices
    first = max(-((series.start_at - from_at) // step), 0)
    end = max(-((series.start_at - to_at) // step), first)
    wanted = first + np.flatnonzero(prices[first:end] == PRICE_MISSING)
    oldest = max(first - timedelta(days=REFERENCE_DAYS_MAX) // step, 0)
    known = oldest + np.flatnonzero(prices[oldest:] != PRICE_MISSING)
    if not len(wanted) or not len(known):
        return series
    means = _means(_price_cells(series, zone, known), prices[known], series.minutes)
    prices[wanted] = means[_price_cells(series, zone, wanted)]
    return replace(series, prices=prices)


def _price_cells(series: PriceSeries, zone: str, slots: NDArray[np.int64]) -> NDArray[np.int16]:
    """The weekday and time of day, on the local clock, of each of these prices."""
    step, local = timedelta(minutes=series.minutes), zone_named(zone)
    starts = [(series.start_at + slot * step).astimezone(local) for slot in slots.tolist()]
    minutes = [at.weekday() * _DAY_MINUTES + at.hour * 60 + at.minute for at in starts]
    return (np.array(minutes, np.int64) // series.minutes).astype(np.int16)
