"""The readings of one meter in answers: entered, or computed where it is derived."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.metering import ActiveFlow, ReadingKind
from gridtally.ledger.metering.analytics.domain.consumption import Value
from gridtally.ledger.metering.readings.domain.readings import RecordedEntry
from gridtally.ledger.metering.readings.schemas.readings import Energy, Reading
from gridtally.ledger.registry.domain.meters import Meter
from gridtally.ledger.registry.schemas.meters import ROLLOVER_TEXT
from gridtally.metering.curves import Quality


class ReadingOfMeter(BaseModel):
    """A reading of a meter. One of a derived meter is `computed` from those of its inputs, in kWh
    after their multipliers: it has no id, register, version or history, which are null."""

    id: UUID | None
    meter_id: UUID
    property_id: UUID
    flow: ActiveFlow | None
    kind: ReadingKind | Literal["computed"]
    value: Energy
    unit: Literal["kWh"] = "kWh"
    digits: int | None
    decimals: int | None
    multiplier: Energy | None
    rollover_kwh: Annotated[Energy | None, Field(description=ROLLOVER_TEXT)]
    quality: Quality
    note: str
    read_at: datetime
    created_at: datetime | None
    version: Annotated[int | None, Field(description="Number of this entry of the reading, from 1")]
    entry_id: UUID | None
    supersedes_id: UUID | None
    exchange_id: UUID | None

    @classmethod
    def of(cls, recorded: RecordedEntry) -> Self:
        """An entry as the API shows it."""
        return cls.model_validate(Reading.of(recorded), from_attributes=True)

    @classmethod
    def computed(cls, meter: Meter, read_at: datetime, value: Value) -> Self:
        """What a derived meter shows at a moment, as the API shows it."""
        fields: dict[str, object] = dict.fromkeys(cls.model_fields)
        return cls.model_validate(
            fields
            | {
                "meter_id": meter.id,
                "property_id": meter.property_id,
                "kind": "computed",
                "value": value.kwh,
                "unit": "kWh",
                "quality": value.quality,
                "note": "",
                "read_at": read_at,
            }
        )
