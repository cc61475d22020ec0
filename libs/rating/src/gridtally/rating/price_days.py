"""Prices: the published prices of local days, joined to series that rating takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from gridtally.kernel.money import DECIMALS_MAX
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc
from gridtally.rating.prices import PRICE_MISSING, PriceSeries


@dataclass(frozen=True, slots=True)
class PriceDay:
    """The prices per kWh of a local day in `zone`, one for every `minutes`; None where unknown."""

    day: date
    zone: str
    minutes: int
    currency: str
    version: int
    prices: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VersionedSeries:
    """A series, and the days whose prices are in it."""

    series: PriceSeries
    days: Mapping[date, PriceDay]

    @property
    def versions(self) -> dict[date, int]:
        """The version of each local day's prices."""
        return {day: price_day.version for day, price_day in self.days.items()}

    def days_for(self, period: Period) -> list[PriceDay]:
        """The days that a bill of this period rests on: one more at each end, since the market's
        days may begin at other instants than the meter's."""
        dates = Period(period.start_on - ONE_DAY, period.end_on + ONE_DAY).dates()
        return [self.days[day] for day in dates if day in self.days]

    def versions_for(self, period: Period) -> dict[str, int]:
        """The version of each of these days."""
        return {own.day.isoformat(): own.version for own in self.days_for(period)}


def versioned_series(price_days: Sequence[PriceDay]) -> VersionedSeries:
    """The series of these days (at least one), missing where there is none between them.

    Days of different resolutions meet in one that divides all: an hour's price is that of each of
    its quarters. Days in another currency or zone than the last are missing.
    """
    ordered = sorted(price_days, key=lambda price_day: price_day.day)
    last = ordered[-1]
    used = [
        price_day
        for price_day in ordered
        if (price_day.currency, price_day.zone) == (last.currency, last.zone)
    ]
    minutes = math.gcd(*(price_day.minutes for price_day in used))
    first = _start_at(used[0])
    length = _start_at(last) - first + len(last.prices) * timedelta(minutes=last.minutes)
    prices = np.full(length // timedelta(minutes=minutes), PRICE_MISSING, np.int64)
    for price_day in used:
        start = (_start_at(price_day) - first) // timedelta(minutes=minutes)
        scaled = [
            PRICE_MISSING if price is None else int(price.scaleb(DECIMALS_MAX))
            for price in price_day.prices
        ]
        repeated = np.repeat(np.array(scaled, np.int64), price_day.minutes // minutes)
        prices[start : start + len(repeated)] = repeated
    series = PriceSeries(last.currency, first, minutes, prices)
    return VersionedSeries(series, {price_day.day: price_day for price_day in used})


def _start_at(price_day: PriceDay) -> datetime:
    return midnight_utc(price_day.zone, price_day.day).astimezone(UTC)
