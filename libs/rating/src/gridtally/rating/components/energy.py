"""Flat energy charge: one rate for every kWh of a flow."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridtally.rating.components.per_kwh import PerKwhCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCharge(PerKwhCharge):
    """One rate for every kWh of a flow, whenever it is used."""

    kind: ClassVar[Literal["energy", "adjustment"]] = "energy"
