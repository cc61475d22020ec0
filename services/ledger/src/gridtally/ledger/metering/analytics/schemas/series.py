"""A meter at a moment or through a time, in answers."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.ledger.metering.analytics.domain.consumption import SourceConsumption
from gridtally.ledger.metering.analytics.domain.series import By
from gridtally.ledger.metering.readings.schemas.readings import Energy
from gridtally.metering.curves import Quality


class Value(BaseModel):
    """What a meter shows at a moment, in kWh: its register times the multiplier, or the sum of its
    inputs. Null where an input was not read around that moment; `missing` names those."""

    meter_id: UUID
    at: datetime
    value: Annotated[Energy | None, Field(description="What it shows, in kWh")]
    quality: Quality
    missing: Annotated[
        list[UUID], Field(description="The meters that were not read around that moment")
    ]


class SeriesRow(BaseModel):
    """A piece of a series: what was counted in it, and what the meter shows at its end."""

    start_at: datetime
    end_at: datetime
    kwh: Energy | None
    value: Annotated[
        Energy | None, Field(description="What the meter shows at the end of the piece, in kWh")
    ]
    quality: Quality
    complete: bool

    @classmethod
    def of(cls, counted: SourceConsumption, shown_kwh: Decimal | None) -> Self:
        """A piece as the API shows it."""
        return cls(
            start_at=counted.window[0],
            end_at=counted.window[1],
            kwh=counted.consumption.kwh,
            value=shown_kwh,
            quality=counted.consumption.quality,
            complete=counted.consumption.complete,
        )


class Series(BaseModel):
    """A meter through a time, piece by piece."""

    meter_id: UUID
    by: By
    zone: str
    items: list[SeriesRow]
