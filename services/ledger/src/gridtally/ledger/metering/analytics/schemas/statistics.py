"""Figures about the values of a meter, in answers."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from gridtally.contracts.metering import ActiveFlow
from gridtally.ledger.metering.analytics.domain import statistics
from gridtally.ledger.metering.readings.schemas.readings import Energy


class TimedValue(BaseModel):
    """A value and its moment; that of a derived meter is no reading."""

    value: Energy
    read_at: datetime
    reading_id: UUID | None

    @classmethod
    def of(cls, timed: statistics.TimedValue) -> Self:
        """A value as the API shows it."""
        return cls(value=timed.value, read_at=timed.at, reading_id=timed.reading_id)


class Statistics(BaseModel):
    """The readings of a meter's register in a time: values as read, before the multiplier. `mean`
    has six decimals, rounded half to even."""

    meter_id: UUID
    flow: ActiveFlow | None
    count: int
    min: Energy | None
    max: Energy | None
    mean: Energy | None
    first: TimedValue | None
    last: TimedValue | None

    @classmethod
    def of(cls, meter_id: UUID, flow: ActiveFlow | None, figures: statistics.Statistics) -> Self:
        """Figures as the API shows them."""
        first, last = figures.first, figures.last
        return cls(
            meter_id=meter_id,
            flow=flow,
            count=figures.count,
            min=figures.min,
            max=figures.max,
            mean=figures.mean,
            first=None if first is None else TimedValue.of(first),
            last=None if last is None else TimedValue.of(last),
        )
