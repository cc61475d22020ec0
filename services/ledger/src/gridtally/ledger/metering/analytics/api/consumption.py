"""`/v1/properties/{id}/consumption`: what a property's meters counted in a time."""

from typing import Literal
from uuid import UUID

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.windows import From, To
from gridtally.ledger.callers import Reader
from gridtally.ledger.metering.analytics.domain.consumption import sources_of
from gridtally.ledger.metering.analytics.domain.series import pieces
from gridtally.ledger.metering.analytics.handlers.consumption import count, fetch_register_data
from gridtally.ledger.metering.analytics.schemas.consumption import (
    Consumption,
    ConsumptionTable,
    PropertyConsumption,
)
from gridtally.ledger.metering.analytics.schemas.windows import window_of
from gridtally.ledger.metering.readings.schemas.readings import AsOf
from gridtally.ledger.registry.handlers.properties import fetch_property

router = Router(prefix="/v1", tags=["analytics"])
TABLE_ROWS_MAX = 20_000
"""The most rows of a table in one answer."""


@router.get("/properties/{property_id}/consumption")
async def get_consumption(
    property_id: UUID, db: Db, caller: Reader, from_at: From, to_at: To, as_of: AsOf = None
) -> PropertyConsumption:
    """What each meter of a property counted in a time, over rollovers and exchanges. Between two
    readings it is a straight line, and the quality says so."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        property_, meters = await fetch_property(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, property_.zone)
        sources = sources_of(meters)
        data = await fetch_register_data(read, caller.tenant_id, sources, window, as_of)
    counted = await count(data, sources, [window])
    return PropertyConsumption(
        property_id=property_id,
        zone=property_.zone,
        from_at=window[0],
        to_at=window[1],
        as_of=as_of,
        items=[Consumption.of(part) for part in counted],
    )


@router.get("/properties/{property_id}/consumption/table")
async def get_consumption_table(
    property_id: UUID,
    db: Db,
    caller: Reader,
    from_at: From,
    to_at: To,
    by: Literal["day", "month"] = "month",
    as_of: AsOf = None,
) -> ConsumptionTable:
    """What each meter of a property counted on each local day, or in each month."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        property_, meters = await fetch_property(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, property_.zone)
        sources = sources_of(meters)
        windows = pieces(by, property_.zone, window, TABLE_ROWS_MAX // max(len(sources), 1))
        data = await fetch_register_data(read, caller.tenant_id, sources, window, as_of)
    counted = await count(data, sources, windows)
    return ConsumptionTable(
        property_id=property_id,
        zone=property_.zone,
        from_at=window[0],
        to_at=window[1],
        as_of=as_of,
        by=by,
        items=[Consumption.of(part) for part in counted],
    )
