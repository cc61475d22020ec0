"""What was published before a restore: channel-days, closed periods and ends of alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.ingest.domain.alerts import Clearing


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """A channel-day in a version of it; `values` in Wh (varh), None where there is none, with one
    letter of `quality` each."""

    tenant_id: str
    meter_id: UUID
    flow: str
    minutes: int
    day: date
    zone: str
    version: int
    recorded_at: datetime
    correlation_id: str
    quality: str
    values: tuple[int | None, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Which channel-day it is."""
        return self.tenant_id, self.meter_id, self.flow, self.minutes, self.day

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return sum(value is not None for value in self.values)


@dataclass(frozen=True, slots=True)
class PublishedPeriod:
    """A closed period in a revision of it; `energy_wh` by flow."""

    tenant_id: str
    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    closed_by: str
    closed_at: datetime
    expected: int
    present: int
    energy_wh: Mapping[str, int]
    digest: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class PublishedClearing:
    """The end of an alert, with the worst that was measured while it lasted."""

    tenant_id: str
    id: UUID
    worst_value: Decimal
    cleared_at: datetime
    reason: Clearing
