"""The last readings of a property's meters, in answers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.metering import ActiveFlow, MeterType
from gridtally.ledger.metering.analytics.domain import current_readings
from gridtally.ledger.metering.readings.schemas.readings import Energy
from gridtally.metering.curves import Quality


class CurrentReading(BaseModel):
    """The last reading of a meter. That of a derived meter is the sum of its inputs' last values,
    as old as the oldest of them; `aligned` where all were taken at one moment."""

    meter_id: UUID
    meter_type: MeterType
    name: str
    flow: ActiveFlow | None
    is_derived: bool
    value: Annotated[
        Energy | None,
        Field(description="In kWh; of a register before the multiplier, of a sum after it"),
    ]
    multiplier: Energy | None
    quality: Quality
    read_at: datetime | None
    reading_id: UUID | None
    aligned: Annotated[
        bool, Field(description="Whether all values of a sum were taken at one moment")
    ]
    missing: Annotated[list[UUID], Field(description="The meters that were not read until then")]

    @classmethod
    def of(cls, current: current_readings.CurrentReading) -> Self:
        """A current reading as the API shows it."""
        meter = current.source.meter
        return cls(
            meter_id=meter.id,
            meter_type=meter.meter_type,
            name=meter.name,
            flow=current.source.flow,
            is_derived=meter.is_derived,
            value=current.value,
            multiplier=current.multiplier,
            quality=current.quality,
            read_at=current.read_at,
            reading_id=current.reading_id,
            aligned=current.aligned,
            missing=list(current.missing),
        )


class CurrentReadings(BaseModel):
    """The last readings of all meters of a property."""

    property_id: UUID
    as_of: datetime | None
    items: list[CurrentReading]
