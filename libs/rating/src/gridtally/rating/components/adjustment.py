"""Adjustment: a fuel, levy or rebate amount on every kWh of a flow."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridtally.rating.components.per_kwh import PerKwhCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment(PerKwhCharge):
    """A fuel, levy or rebate amount on every kWh of a flow, beside the price of the energy."""

    kind: ClassVar[Literal["energy", "adjustment"]] = "adjustment"
