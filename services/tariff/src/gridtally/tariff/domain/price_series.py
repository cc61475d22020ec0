"""Series of spot prices. The prices themselves are `prices`."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

SeriesMinutes = Literal[5, 10, 15, 30, 60]


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Prices in `currency` per kWh that change every `minutes`, cut into local days of `zone`."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    minutes: SeriesMinutes
