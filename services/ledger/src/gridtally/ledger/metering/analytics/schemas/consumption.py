"""What meters counted, in answers."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from gridtally.contracts.metering import ActiveFlow, MeterType
from gridtally.ledger.metering.analytics.domain.consumption import SourceConsumption
from gridtally.ledger.metering.readings.schemas.readings import Energy
from gridtally.metering.curves import Quality


class Consumption(BaseModel):
    """What a register, or a derived meter, counted in a time, in kWh.

    Where readings cover a part of it only, `kwh` is for that part, from `known_from` to
    `known_to`, and it is not `complete`. `decreases` are drops too small to be rollovers: most
    likely mistaken readings.
    """

    meter_id: UUID
    meter_type: MeterType
    name: str
    flow: ActiveFlow | None
    is_derived: bool
    start_at: datetime
    end_at: datetime
    kwh: Energy | None
    quality: Quality
    complete: bool
    known_from: datetime | None
    known_to: datetime | None
    rollovers: int
    exchanges: int
    decreases: int

    @classmethod
    def of(cls, counted: SourceConsumption) -> Self:
        """What was counted as the API shows it."""
        meter, consumption = counted.source.meter, counted.consumption
        return cls(
            meter_id=meter.id,
            meter_type=meter.meter_type,
            name=meter.name,
            flow=counted.source.flow,
            is_derived=meter.is_derived,
            start_at=counted.window[0],
            end_at=counted.window[1],
            kwh=consumption.kwh,
            quality=consumption.quality,
            complete=consumption.complete,
            known_from=consumption.begin_at,
            known_to=consumption.end_at,
            rollovers=consumption.events.rollovers,
            exchanges=consumption.events.exchanges,
            decreases=consumption.events.decreases,
        )


class PropertyConsumption(BaseModel):
    """What each meter of a property counted in a time."""

    property_id: UUID
    zone: str
    from_at: datetime
    to_at: datetime
    as_of: datetime | None
    items: list[Consumption]


class ConsumptionTable(PropertyConsumption):
    """What each meter of a property counted on each local day or in each month."""

    by: Literal["day", "month"]
