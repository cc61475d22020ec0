"""Prices of a series by local day, and what is missing.

Owns how many prices a day has, on days of 23 and 25 hours too. Prices are integers of 10⁻⁸ of the
currency per kWh, so that nothing is rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from gridtally.files.numbers import not_a_number
from gridtally.kernel.money import DECIMALS_MAX, parse_measured
from gridtally.kernel.periods import Period, midnight_utc, slots_in_day
from gridtally.rating.prices import check_price
from gridtally.tariff.domain.local_days import FIRST_ON, LAST_ON
from gridtally.tariff.domain.price_series import PriceSeries

DAYS_MAX = 1100
"""Three years of days are read at once."""
Prices = tuple[int | None, ...]
"""One per interval of a day; None where none is known."""


@dataclass(frozen=True, slots=True)
class PriceDay:
    """The prices of a local day as one version of it; versions count from 1."""

    day: date
    version: int
    prices: Prices
    recorded_at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive intervals without a price: UTC instants, `end_at` not included."""

    start_at: datetime
    end_at: datetime
    intervals: int


def gaps(series: PriceSeries, period: Period, known: Mapping[date, Prices]) -> list[Gap]:
    """The intervals of a period without a price, those next to one another as one gap.

    A day that the series' intervals do not fill, such as one of 23½ hours, can have no prices and
    is no gap.
    """
    step = timedelta(minutes=series.minutes)
    gaps_so_far: list[Gap] = []
    for day in period.dates():
        begin_at = midnight_utc(series.zone, day)
        try:
            prices = known.get(day) or (None,) * slots_on(series, day)
        except ValueError:
            continue
        for slot, price in enumerate(prices):
            if price is not None:
                continue
            start_at = begin_at + slot * step
            if gaps_so_far and gaps_so_far[-1].end_at == start_at:
                last = gaps_so_far.pop()
                gaps_so_far.append(Gap(last.start_at, start_at + step, last.intervals + 1))
            else:
                gaps_so_far.append(Gap(start_at, start_at + step, 1))
    return gaps_so_far


@lru_cache(maxsize=4096)
def slots_on(series: PriceSeries, day: date) -> int:
    """How many prices a local day has; ValueError where the intervals do not fill it, and for a
    day too far from today."""
    if not FIRST_ON <= day < LAST_ON:
        raise ValueError(f"must lie between {FIRST_ON} and {LAST_ON}")
    return slots_in_day(series.zone, day, series.minutes)


def scaled(price: str) -> int:
    """A price per kWh as an integer of 10⁻⁸; ValueError beyond 8 decimals or a million."""
    try:
        number = parse_measured(price)
    except ValueError:
        raise ValueError(not_a_number(price)) from None
    check_price(number)
    return int(number.scaleb(DECIMALS_MAX))


def unscaled(price: int) -> Decimal:
    """The price that an integer stands for, without zeros at its end."""
    number = Decimal(price).scaleb(-DECIMALS_MAX).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
