"""Usage: the newest state of a channel-day, as it is published."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridtally.ingest.domain.merge import Wh


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A channel-day to be published, in its newest version; one letter of `quality` per value."""

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
    values: Wh
