"""A house's own profile: its load by its yearly use and its habits, its sun by its panels."""

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.simulation.profiles.load import load_shape_wh
from gridtally.simulation.profiles.sun import sun_shape_wh

HABITS_SIGMA = 0.3
"""How much a house's quarters of an hour differ from the profile of all houses."""


@dataclass(frozen=True, slots=True)
class HouseShape:
    """Where a house stands, what it uses in a year and what its panels are."""

    latitude: float
    longitude: float
    tilt_degrees: float
    azimuth_degrees: float
    kwp: float
    annual_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Whole Wh in each quarter of an hour; what is made serves the load first."""

    load: NDArray[np.int64]
    solar: NDArray[np.int64]
    net: NDArray[np.int64] = field(init=False)
    """Load less solar."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "net", self.load - self.solar)

    @property
    def imported(self) -> NDArray[np.int64]:
        """What the grid brings."""
        return np.maximum(self.net, 0)

    @property
    def exported(self) -> NDArray[np.int64]:
        """What the grid takes."""
        return np.maximum(-self.net, 0)


def profile_of(zone: str, month: Period, shape: HouseShape, *, house: UUID, seed: int) -> Profile:
    """A house's calendar month; the same house and seed give the same month for ever.

    Each month is drawn by itself, so that it is the same whether a month or a year is made. A house
    uses `annual_kwh` on average over all seeds, and within a part in a hundred in one year.
    """
    load = load_shape_wh(zone, month, southern=shape.latitude < 0)
    drawn = np.random.default_rng([seed, house.int, month.start_on.toordinal()])
    habits = drawn.standard_normal(load.size)
    habits *= HABITS_SIGMA
    habits -= HABITS_SIGMA**2 / 2
    np.exp(habits, out=habits)
    used = load * shape.annual_kwh
    used *= habits
    solar = _solar_wh(zone, month, shape) if shape.kwp else np.zeros(load.size, np.int64)
    return Profile(load=np.rint(used, out=used).astype(np.int64), solar=solar)


# Neighbours often say the same of their panels, and the sky is clear above all of them.
@lru_cache(maxsize=64)
def _solar_wh(zone: str, month: Period, shape: HouseShape) -> NDArray[np.int64]:
    sun = sun_shape_wh(
        zone,
        month,
        latitude=shape.latitude,
        longitude=shape.longitude,
        tilt_degrees=shape.tilt_degrees,
        azimuth_degrees=shape.azimuth_degrees,
    )
    solar = np.rint(sun * shape.kwp).astype(np.int64)
    solar.flags.writeable = False
    return solar
