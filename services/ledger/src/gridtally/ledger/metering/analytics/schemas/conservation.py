"""The balance of a property's energy, in answers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.metering import ActiveFlow, MeterType
from gridtally.ledger.metering.analytics.domain import conservation
from gridtally.ledger.metering.analytics.domain.consumption import Consumption
from gridtally.ledger.metering.readings.schemas.readings import Energy
from gridtally.metering.curves import Quality


class BalanceTerm(BaseModel):
    """A register on one side of a conservation check, added (`1`) or subtracted (`-1`)."""

    meter_id: UUID
    property_id: UUID
    meter_type: MeterType
    name: str
    flow: ActiveFlow
    sign: int
    kwh: Energy | None
    quality: Quality
    complete: bool

    @classmethod
    def of(cls, term: conservation.BalanceTerm, consumption: Consumption) -> Self:
        """A register and what it counted, as the API shows them."""
        return cls(
            meter_id=term.meter.id,
            property_id=term.meter.property_id,
            meter_type=term.meter.meter_type,
            name=term.meter.name,
            flow=term.flow,
            sign=term.sign,
            kwh=consumption.kwh,
            quality=consumption.quality,
            complete=consumption.complete,
        )


class Conservation(BaseModel):
    """Whether what was supplied went through the meters below: supplied = metered + unaccounted.

    `unaccounted` is losses, what nobody meters, and errors; null where a part is not completely
    known. `ok` where it is not negative and at most `loss_percent_max` of what was supplied.
    """

    property_id: UUID
    from_at: datetime
    to_at: datetime
    supplied: list[BalanceTerm]
    metered: list[BalanceTerm]
    supplied_kwh: Energy | None
    metered_kwh: Energy | None
    unaccounted_kwh: Energy | None
    unaccounted_percent: Energy | None
    quality: Quality
    ok: Annotated[bool | None, Field(description="Whether what is unaccounted for can be a loss")]
