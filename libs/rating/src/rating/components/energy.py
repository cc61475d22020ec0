"""Flat energy charge: one rate for every kWh of a flow."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rating.components.per_kwh import PerKwhCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCharge(PerKwhCharge):
    """What the energy itself costs."""

    kind: ClassVar[Literal["energy", "adjustment"]] = "energy"
