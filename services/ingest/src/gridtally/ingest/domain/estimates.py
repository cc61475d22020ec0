"""Estimates of what a period lacks: from which intervals they are made, and in which blocks.

Owns the window of a channel that an estimate looks at and what of it counts. How an interval is
estimated is `gridtally.metering.estimation`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import holidays
import numpy as np
import numpy.typing as npt

from gridtally.ingest.domain.channels import expectation
from gridtally.ingest.domain.local_days import slots_per_day
from gridtally.ingest.domain.merge import ACTUAL, MISSING, Index
from gridtally.ingest.domain.meters import Channel
from gridtally.ingest.domain.periods import FlowSeries, OpenPeriod
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc, zone_named
from gridtally.metering import estimation

LOOKBACK_DAYS = 42
BLOCK_VALUES_MAX = 3_000
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class EstimationSettings:
    """How a tenant estimates: the longest gap that is a straight line, from how many earlier days
    of a kind a mean is taken, and whose holidays count as Sundays (`DE`, `DE-BY`), if any."""

    line_hours_max: int = 2
    days_max: int = 4
    holidays: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class ChannelEstimate:
    """What was made of a channel: one entry for each interval of `window`."""

    tenant_id: str
    meter_id: UUID
    zone: str
    channel: Channel
    window: Period
    estimate: estimation.Estimate

    def days(self) -> Iterator[tuple[date, npt.NDArray[np.int64], str]]:
        """Each local day with an estimate: its values (MISSING: none) and the methods' letters."""
        begin = 0
        slots = slots_per_day(self.zone, self.channel.minutes, self.window)
        for day, count in zip(self.window.dates(), slots, strict=True):
            part = slice(begin, begin + count)
            begin += count
            values = self.estimate.values[part]
            if (values != MISSING).any():
                yield day, values, self.estimate.methods[part].tobytes().decode()

    def blocks(self) -> Iterator[tuple[datetime, list[int]]]:
        """When each run of estimated intervals begins, and their values; none above what the
        channel can carry."""
        begin_at = midnight_utc(self.zone, self.window.start_on)
        step = timedelta(minutes=self.channel.minutes)
        for run in estimation.runs(self.estimate.values != MISSING):
            for first in range(run.start, run.stop, BLOCK_VALUES_MAX):
                values = self.estimate.values[first : min(run.stop, first + BLOCK_VALUES_MAX)]
                limited = np.minimum(values, self.channel.interval_wh_max)
                yield begin_at + first * step, limited.tolist()


def window_of(period: OpenPeriod) -> Period:
    """The local days that an estimate of a period looks at: six weeks before, and a day after."""
    return Period(
        period.period.start_on - timedelta(days=LOOKBACK_DAYS), period.period.end_on + ONE_DAY
    )


def columns(
    period: OpenPeriod,
    channel: Channel,
    series: FlowSeries,
    settings: EstimationSettings,
    group: Index | None = None,
) -> estimation.Channel:
    """A channel's intervals over the window; wanted is what the period lacks of those expected.

    `group` is what others had on average, over the same window.
    """
    zone, window = period.meter.zone, window_of(period)
    slots = slots_per_day(zone, channel.minutes, window)
    begins = np.concatenate(([0], np.cumsum(slots)))
    first_day = (period.period.start_on - window.start_on).days
    expected = expectation(zone, period.period, channel)
    is_wanted = np.zeros(series.values.size, np.bool_)
    offset = int(begins[first_day])
    is_wanted[offset + expected.first : offset + max(expected.first, expected.end)] = True
    dates = list(window.dates())
    values = series.values.astype(np.int64)
    return estimation.Channel(
        values=values,
        is_known=(series.quality == ACTUAL) & (values != MISSING),
        is_wanted=is_wanted & (values == MISSING),
        days=np.repeat(np.arange(len(slots)), slots),
        slots=np.concatenate([wall_slots(zone, channel.minutes, day) for day in dates]),
        kinds=np.array([kind_of_day(day, settings.holidays) for day in dates]),
        group=np.full(values.size, MISSING, np.int64) if group is None else group,
    )


def rules(settings: EstimationSettings, minutes: int) -> estimation.Rules:
    """The tenant's rules for channels of such intervals."""
    return estimation.Rules(settings.line_hours_max * 60 // minutes, settings.days_max)


def wall_slots(zone: str, minutes: int, day: date) -> npt.NDArray[np.int64]:
    """The slot of the wall clock for each interval of a local day: the same twice where the clocks
    repeat an hour."""
    if midnight_utc(zone, day + ONE_DAY) - midnight_utc(zone, day) == ONE_DAY:
        return np.arange(ONE_DAY // timedelta(minutes=minutes))
    return _slots_of_a_clock_change(zone, minutes, day)


# Worked out moment by moment, so remembered; but for these few days alone, since each of a zone's
# days would be an array of its own.
@lru_cache(maxsize=512)
def _slots_of_a_clock_change(zone: str, minutes: int, day: date) -> npt.NDArray[np.int64]:
    begin_at, local = midnight_utc(zone, day), zone_named(zone)
    count = slots_per_day(zone, minutes, Period(day, day + ONE_DAY))[0]
    moments = [(begin_at + timedelta(minutes=minutes) * n).astimezone(local) for n in range(count)]
    return np.array([(at.hour * 60 + at.minute) // minutes for at in moments])


def kind_of_day(day: date, holidays_of: str | None) -> int:
    """The weekday from Monday, 0; a holiday is a Sunday."""
    if holidays_of is not None and day in _calendar(holidays_of, day.year):
        return SUNDAY
    return day.weekday()


@lru_cache(maxsize=1_024)
def _calendar(code: str, year: int) -> frozenset[date]:
    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def check_holidays(code: str) -> None:
    """ValueError where nobody knows such a country or part of one."""
    try:
        _calendar(code, 2025)
    except NotImplementedError:
        raise ValueError(
            f"{code!r} is no country, or part of one, whose holidays are known"
        ) from None


def group_mean(
    window: Period, zone: str, minutes: int, days: Sequence[tuple[date, npt.NDArray[np.int32], str]]
) -> Index:
    """The mean of the actual values of days of any meters, for each interval of the window, in
    thousandths of a Wh; MISSING where there is none."""
    slots = slots_per_day(zone, minutes, window)
    begins = np.concatenate(([0], np.cumsum(slots)))
    sums, counts = np.zeros(int(begins[-1]), np.int64), np.zeros(int(begins[-1]), np.int64)
    for day, values, quality in days:
        begin = int(begins[(day - window.start_on).days])
        is_actual = np.frombuffer(quality.encode(), np.uint8) == ACTUAL
        sums[begin : begin + values.size] += np.where(is_actual, values, 0)
        counts[begin : begin + values.size] += is_actual
    mean = sums * estimation.THOUSANDTHS // np.maximum(counts, 1)
    return np.where(counts > 0, mean, MISSING)
