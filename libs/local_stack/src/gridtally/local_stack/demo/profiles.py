"""How a home uses and makes electricity over a month: published shapes, not invented ones.

The load follows the BDEW standard load profile H0 (VDEW 1999, by `demandlib`), the sun the
Haurwitz clear-sky model (by `pvlib`). Owns only their mapping to metered intervals.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from demandlib.bdew import ElecSlp
from numpy.typing import NDArray
from pvlib.location import Location

from gridtally.kernel.periods import Period

MINUTES = 15
SUN_AT_ONE_KWP_W_M2 = 1_000.0
SYSTEM_YIELD = 0.8
"""Share of the nameplate power that arrives: inverter, temperature, tilt."""
WH_PER_KW = 1_000 * MINUTES // 60

Shape = NDArray[np.float64]
Energy = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GeoLocation:
    """Where homes stand: the zone of their clocks and their latitude and longitude."""

    zone: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Profiles:
    """Mean kW per interval of the period, for 1 000 kWh a year and for 1 kWp of panels."""

    load_kw: Shape
    sun_kw: Shape


def profiles_of(location: GeoLocation, period: Period) -> Profiles:
    """The shapes over every interval between the period's local midnights."""
    start_at, end_at = period.bounds_utc(location.zone)
    starts = pd.date_range(start_at, end_at, freq=f"{MINUTES}min", inclusive="left")
    local = starts.tz_convert(location.zone).tz_localize(None)
    years = sorted({moment.year for moment in local})
    by_wall_clock = pd.concat(
        [ElecSlp(year).get_scaled_power_profiles({"h0_dyn": 1_000.0})["h0_dyn"] for year in years]
    )
    middle = starts + timedelta(minutes=MINUTES / 2)
    sun = Location(location.latitude, location.longitude).get_clearsky(middle, model="haurwitz")[
        "ghi"
    ]
    return Profiles(
        load_kw=by_wall_clock.reindex(local).to_numpy(),
        sun_kw=sun.to_numpy() / SUN_AT_ONE_KWP_W_M2 * SYSTEM_YIELD,
    )


def metered(
    shapes: Profiles, *, annual_kwh: float, panels_kwp: float, seed: int
) -> tuple[Energy, Energy]:
    """What the meter counts, in whole Wh per interval: (import, export).

    The same seed gives the same home for ever.
    """
    random = np.random.default_rng(seed)
    habits = random.lognormal(mean=-0.045, sigma=0.3, size=shapes.load_kw.size)
    clouds = random.beta(4, 2, size=shapes.sun_kw.size)
    load_kw = shapes.load_kw * annual_kwh / 1_000 * habits
    net_wh = np.rint((load_kw - shapes.sun_kw * panels_kwp * clouds) * WH_PER_KW).astype(np.int64)
    return np.maximum(net_wh, 0), np.maximum(-net_wh, 0)
