"""Adjustment: a fuel, levy or rebate amount on every kWh of a flow."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rating.components.per_kwh import PerKwhCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment(PerKwhCharge):
    """What comes on top of the energy's price; a negative one is a rebate."""

    kind: ClassVar[Literal["energy", "adjustment"]] = "adjustment"
