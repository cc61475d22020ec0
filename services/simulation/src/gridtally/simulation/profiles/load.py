"""What households use: the standard load profile H0, made smooth over the year.

Source: VDEW, "Repräsentative VDEW-Lastprofile", 1999, with the dynamic factor of the BDEW
(1.24 + 2.1e-3 t - 7.02e-5 t² + 3.2e-7 t³ - 3.92e-10 t⁴, t the day of the year). Holidays are
nobody's in particular: a day is what its weekday is. South of the equator the seasons are half a
year later.
"""

from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.simulation.profiles.local_clock import LocalClock, local_clock
from gridtally.simulation.profiles.standard_load_profile import H0_TENTHS_OF_W

HALF_A_YEAR_DAYS = 183
DAYS_PER_YEAR = 365
WH_PER_KWH = 1000
_H0 = np.array(H0_TENTHS_OF_W, np.float64)
_SEASON_BEGINS = ((0, 0), (79, 2), (134, 1), (257, 2), (304, 0))
"""The day of the year (from 0) on which a season of the profile begins, and its index: transition
on the 21st of March, summer on the 15th of May, transition on the 15th of September, winter on the
1st of November."""
_DAY_TYPE_OF_WEEKDAY = np.array([0, 0, 0, 0, 0, 1, 2])


@lru_cache(maxsize=64)
def load_shape_wh(zone: str, month: Period, *, southern: bool) -> NDArray[np.float64]:
    """Wh in each quarter of an hour of a calendar month, of a household that uses 1 kWh a year.

    The twelve months of a year add up to that exactly.
    """
    year = month.start_on.year
    return _unscaled(local_clock(zone, month), southern=southern) * (
        WH_PER_KWH / _year_sum(zone, year, southern=southern)
    )


@lru_cache(maxsize=256)
def _year_sum(zone: str, year: int, *, southern: bool) -> np.float64:
    whole = Period(date(year, 1, 1), date(year + 1, 1, 1))
    total: np.float64 = _unscaled(local_clock(zone, whole), southern=southern).sum()
    return total


def _unscaled(clock: LocalClock, *, southern: bool) -> NDArray[np.float64]:
    """The profile times its dynamic factor, in a unit of its own."""
    days = clock.day_of_year
    if southern:
        days = (days + HALF_A_YEAR_DAYS) % DAYS_PER_YEAR
    begins, seasons = (np.array(column) for column in zip(*_SEASON_BEGINS, strict=True))
    season = seasons[np.searchsorted(begins, days, side="right") - 1]
    t = days + 1.0
    factor = 1.24 + t * (2.1e-3 + t * (-7.02e-5 + t * (3.2e-7 - t * 3.92e-10)))
    shape: NDArray[np.float64] = (
        _H0[season, _DAY_TYPE_OF_WEEKDAY[clock.weekday], clock.quarter] * factor
    )
    return shape
