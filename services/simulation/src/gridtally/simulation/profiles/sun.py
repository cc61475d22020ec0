"""What panels make under a clear sky, at any place, tilt and azimuth.

The sun's position by Spencer's series (1971), the global horizontal irradiance by Haurwitz (1945),
the direct beam by Meinel (1976); the sky is taken as equally bright everywhere (isotropic), the
ground reflects a fifth. No clouds: a clear-sky year is what a place could have at most.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.simulation.profiles.local_clock import QUARTER_S, local_clock

SYSTEM_YIELD = 0.8
"""The share of the nameplate power that arrives: inverter, temperature, wiring."""
GROUND_REFLECTS = 0.2
SOLAR_CONSTANT_W_M2 = 1353.0
WH_PER_KW = 250.0
"""Of a quarter of an hour."""
SECONDS_PER_DAY = 86_400
DAYS_PER_YEAR = 365.0
_COS_ZENITH_MIN = 0.01
"""Below it the sun is on the horizon, and formulas for the air's thickness leave their range."""


@lru_cache(maxsize=512)
def sun_shape_wh(
    zone: str,
    period: Period,
    *,
    latitude: float,
    longitude: float,
    tilt_degrees: float,
    azimuth_degrees: float,
) -> NDArray[np.float64]:
    """Wh in each quarter of an hour of panels with 1 kW peak.

    Latitude north and longitude east are positive; a tilt of 0 lies flat; an azimuth of 0 faces
    north, 90 east, 180 south.
    """
    starts_s = local_clock(zone, period).starts_s
    cos_zenith, zenith, azimuth = _position(starts_s + QUARTER_S // 2, latitude, longitude)
    is_up = cos_zenith > _COS_ZENITH_MIN
    height = np.where(is_up, cos_zenith, 1.0)
    global_w_m2 = 1098.0 * height * np.exp(-0.057 / height)
    direct_w_m2 = SOLAR_CONSTANT_W_M2 * 0.7 ** (height**-0.678)
    diffuse_w_m2 = np.maximum(global_w_m2 - direct_w_m2 * height, 0.0)
    tilt, facing = np.radians(tilt_degrees), np.radians(azimuth_degrees)
    incidence = np.cos(tilt) * cos_zenith + np.sin(tilt) * np.sin(zenith) * np.cos(azimuth - facing)
    on_panels_w_m2 = (
        direct_w_m2 * np.maximum(incidence, 0.0)
        + diffuse_w_m2 * (1 + np.cos(tilt)) / 2
        + GROUND_REFLECTS * global_w_m2 * (1 - np.cos(tilt)) / 2
    )
    made: NDArray[np.float64] = np.where(is_up, on_panels_w_m2 / 1000 * SYSTEM_YIELD * WH_PER_KW, 0)
    return made


def _position(
    at_s: NDArray[np.int64], latitude: float, longitude: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The cosine of the sun's zenith angle, that angle, and its azimuth from north; in radians."""
    day = (at_s.astype("M8[s]").astype("M8[D]") - at_s.astype("M8[s]").astype("M8[Y]")).astype(int)
    hours = (at_s % SECONDS_PER_DAY) / 3600
    year_angle = 2 * np.pi * (day + (hours - 12) / 24) / DAYS_PER_YEAR
    one, two, three = year_angle, 2 * year_angle, 3 * year_angle
    declination = (
        0.006918
        - 0.399912 * np.cos(one)
        + 0.070257 * np.sin(one)
        - 0.006758 * np.cos(two)
        + 0.000907 * np.sin(two)
        - 0.002697 * np.cos(three)
        + 0.00148 * np.sin(three)
    )
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(one)
        - 0.032077 * np.sin(one)
        - 0.014615 * np.cos(two)
        - 0.040849 * np.sin(two)
    )
    hour_angle = np.radians((hours - 12) * 15 + longitude + equation_min / 4)
    north = np.radians(latitude)
    cos_zenith = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(
        hour_angle
    )
    zenith = np.arccos(np.clip(cos_zenith, -1, 1))
    azimuth = np.pi + np.arctan2(
        np.sin(hour_angle),
        np.cos(hour_angle) * np.sin(north) - np.tan(declination) * np.cos(north),
    )
    return cos_zenith, zenith, azimuth
