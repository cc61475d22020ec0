"""`/v1/properties/{id}/current-readings`: the last reading of each of a property's meters."""

from uuid import UUID

from gridtally.database import snapshot
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.ledger.callers import Reader
from gridtally.ledger.metering.analytics.handlers.current_readings import fetch_current_readings
from gridtally.ledger.metering.analytics.schemas.current_readings import (
    CurrentReading,
    CurrentReadings,
)
from gridtally.ledger.metering.readings.schemas.readings import AsOf
from gridtally.ledger.registry.handlers.properties import fetch_property

router = Router(prefix="/v1", tags=["analytics"])


@router.get("/properties/{property_id}/current-readings")
async def get_current_readings(
    property_id: UUID, db: Db, caller: Reader, now: Now, as_of: AsOf = None
) -> CurrentReadings:
    """The last reading of each of a property's meters, with the derived ones computed."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        _, meters = await fetch_property(read, caller.tenant_id, property_id)
        readings = await fetch_current_readings(read, caller.tenant_id, meters, as_of or now, as_of)
    items = [CurrentReading.of(current) for current in readings]
    return CurrentReadings(property_id=property_id, as_of=as_of, items=items)
