"""Price series: what a kWh costs in each interval of a market's clock, as scaled integers.

A missing price is not zero: rating refuses a bill that needs one and names the hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.money import DECIMALS_MAX
from gridtally.kernel.periods import RESOLUTIONS_MIN
from gridtally.rating.field_types import check_rate, decimals_in

PRICE_MISSING = -(2**63)
"""The price of an interval that has none: below everything that can be paid."""
PRICE_MAX = Decimal(10**6)
"""Per kWh, in either direction: scaled to 10 decimals it leaves 64 bits room for energy."""
PRICES_MAX = 500_000
"""Fourteen years of 15 minutes, nearly five of 5."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_price(price: Decimal) -> None:
    """ValueError unless a price per kWh has at most 8 decimals and is less than a million."""
    check_rate(price)
    if abs(price) >= PRICE_MAX:
        raise ValueError(f"prices lie between -{PRICE_MAX} and {PRICE_MAX} per kWh")


@dataclass(frozen=True, slots=True, eq=False)
class PriceSeries:
    """Prices per kWh from `start_at` (UTC) on, one for every `minutes`, × 10^`decimals`."""

    currency: str
    start_at: datetime
    minutes: int
    prices: NDArray[np.int64] = field(repr=False)
    decimals: int = DECIMALS_MAX

    def __post_init__(self) -> None:
        if self.minutes not in RESOLUTIONS_MIN:
            raise ValueError(f"prices of {self.minutes} minutes: one of {RESOLUTIONS_MIN}")
        if self.start_at.utcoffset() is None:
            raise ValueError("the first price needs an instant with its offset from UTC")
        if self.prices.dtype != np.int64 or self.prices.ndim != 1:
            raise ValueError("prices must be one row of int64")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"prices have at most {DECIMALS_MAX} decimals")
        if len(self.prices) > PRICES_MAX:
            raise ValueError(f"a series holds at most {PRICES_MAX} prices")
        known = self.prices[self.prices != PRICE_MISSING]
        bound = int(PRICE_MAX) * 10**self.decimals
        if len(known) and not -bound < known.min() <= known.max() < bound:
            raise ValueError(f"prices lie between -{PRICE_MAX} and {PRICE_MAX} per kWh")

    @property
    def start_minute(self) -> int:
        """Minutes from 1970 in UTC to the first price."""
        return int((self.start_at - _EPOCH).total_seconds()) // 60

    def at(self, minutes_utc: NDArray[np.int64]) -> NDArray[np.int64]:
        """The price in force at each instant (minutes since 1970), scaled as the series is.

        `PRICE_MISSING` where there is none.
        """
        indexes = (minutes_utc - self.start_minute) // self.minutes
        inside = (indexes >= 0) & (indexes < len(self.prices))
        prices = np.full(indexes.shape, PRICE_MISSING, np.int64)
        prices[inside] = self.prices[indexes[inside]]
        return prices


Prices = Mapping[str, PriceSeries]
"""By the code under which a tariff names each."""


def series_of(currency: str, minutes: int, prices: Mapping[datetime, Decimal]) -> PriceSeries:
    """The series of prices per kWh by the instant (aware) from which each holds for `minutes`.

    Instants between the first and the last that have none are missing. ValueError for no price at
    all, and for instants off the grid of the first, prices out of bounds or with too many decimals.
    """
    if not prices:
        raise ValueError("there is no price")
    first, last = min(prices), max(prices)
    step = timedelta(minutes=minutes)
    if minutes not in RESOLUTIONS_MIN:
        raise ValueError(f"prices of {minutes} minutes: one of {RESOLUTIONS_MIN}")
    count = (last - first) // step + 1
    if count > PRICES_MAX:
        raise ValueError(f"a series holds at most {PRICES_MAX} prices")
    decimals = max(decimals_in(price) for price in prices.values())
    if decimals > DECIMALS_MAX:
        raise ValueError(f"prices have at most {DECIMALS_MAX} decimals per kWh, not {decimals}")
    scaled = np.full(count, PRICE_MISSING, np.int64)
    for at, price in prices.items():
        index, remainder = divmod(at - first, step)
        if remainder:
            raise ValueError(
                f"the price at {at.isoformat()} is not a multiple of {minutes} minutes after "
                f"the first"
            )
        if not price.is_finite() or abs(price) >= PRICE_MAX:
            raise ValueError(f"prices lie between -{PRICE_MAX} and {PRICE_MAX} per kWh")
        scaled[index] = int(price.scaleb(decimals))
    return PriceSeries(currency, first.astimezone(UTC), minutes, scaled, decimals)
