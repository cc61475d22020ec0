"""Price series: what a kWh costs in each interval of a market's clock, as scaled integers.

A missing price is not zero: rating refuses a bill that needs one and names the hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernel.money import DECIMALS_MAX

PRICE_MISSING = -(2**63)
"""Stands where an interval has no price: below everything that can be paid."""
PRICE_RESOLUTIONS_MIN = (15, 30, 60)


@dataclass(frozen=True, slots=True, eq=False)
class PriceSeries:
    """Prices per kWh from `start_at` (UTC) on, one for every `minutes`, × 10^`decimals`."""

    currency: str
    start_at: datetime
    minutes: int
    prices: NDArray[np.int64] = field(repr=False)
    decimals: int = DECIMALS_MAX

    def __post_init__(self) -> None:
        if self.minutes not in PRICE_RESOLUTIONS_MIN:
            raise ValueError(f"prices of {self.minutes} minutes: one of {PRICE_RESOLUTIONS_MIN}")
        if self.start_at.utcoffset() is None:
            raise ValueError("the first price needs an instant with its offset from UTC")
        if self.prices.dtype != np.int64 or self.prices.ndim != 1:
            raise ValueError("prices must be one row of int64")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"prices have at most {DECIMALS_MAX} decimals")


Prices = Mapping[str, PriceSeries]
"""By the name under which a tariff asks for them."""
