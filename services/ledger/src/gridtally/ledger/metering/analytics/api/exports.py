"""Readings and what meters counted, as files: CSV, Parquet and Excel.

An export of readings is one query of one snapshot: nothing that is entered meanwhile shows in it.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse

from gridtally.contracts.metering import ActiveFlow, Quality, ReadingKind
from gridtally.database import snapshot
from gridtally.exports.columns import Column, Format, Row
from gridtally.exports.export import Export
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.http.windows import From, OptionalFrom, OptionalTo, To
from gridtally.ledger.callers import Reader, named_filters
from gridtally.ledger.metering.analytics.domain.consumption import SourceConsumption, sources_of
from gridtally.ledger.metering.analytics.domain.series import pieces
from gridtally.ledger.metering.analytics.handlers.consumption import count, fetch_register_data
from gridtally.ledger.metering.analytics.schemas.windows import window_of
from gridtally.ledger.metering.analytics.store.exports import copy_readings
from gridtally.ledger.metering.readings.api.readings import window_at
from gridtally.ledger.metering.readings.schemas.readings import AsOf
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.ledger.registry.handlers.properties import fetch_property

router = Router(prefix="/v1", tags=["exports"])
BATCH_ROWS = 5_000
EXPORT_PIECES_MAX = 4_000
"""The most rows per meter of a table as a file: ten years of days."""
As = Annotated[Format, Query(alias="format", description="The kind of file")]
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"}
}

READING_COLUMNS = (
    Column("id", "id"), Column("meter_id", "id"), Column("property_id", "id"), Column("flow"),
    Column("kind"), Column("value", "decimal"), Column("multiplier", "decimal"),
    Column("quality"), Column("note"), Column("read_at", "instant"),
    Column("created_at", "instant"), Column("version", "whole"), Column("exchange_id", "id"),
)  # fmt: skip
STORED_COLUMNS = ["reading_id", *(column.name for column in READING_COLUMNS[1:])]
"""What a reading shows as `id` is its `reading_id`; `id` is each entry's own."""
CONSUMPTION_COLUMNS = (
    Column("meter_id", "id"), Column("meter_type"), Column("name"), Column("flow"),
    Column("start_at", "instant"), Column("end_at", "instant"), Column("kwh", "decimal"),
    Column("quality"), Column("complete", "truth"), Column("rollovers", "whole"),
    Column("exchanges", "whole"), Column("decreases", "whole"),
)  # fmt: skip


@router.get("/readings/export", response_class=StreamingResponse, responses=FILE)
async def export_readings(
    db: Db,
    caller: Reader,
    exports: Exports,
    format_: As = "csv",
    meter_id: UUID | None = None,
    property_id: UUID | None = None,
    flow: ActiveFlow | None = None,
    kind: ReadingKind | None = None,
    quality: Quality | None = None,
    from_at: OptionalFrom = None,
    to_at: OptionalTo = None,
    as_of: AsOf = None,
) -> StreamingResponse:
    """Readings that count, in the order they were taken, as a file: all of them, now or as known
    at `as_of`. A day begins where the property or meter is that is named, else at midnight of the
    tenant's zone."""
    filters = named_filters(
        meter_id=meter_id, property_id=property_id, flow=flow, kind=kind, quality=quality
    )
    window = await window_at(db, caller.tenant_id, (from_at, to_at), meter_id, property_id)
    selection = Selection(filters, *window, as_of)

    async def fill(file: Export) -> None:
        async with snapshot(db, tenant=caller.tenant_id) as read:
            await copy_readings(read, caller.tenant_id, selection, STORED_COLUMNS, file.take_csv)

    return await exports.export(caller.tenant_id, "readings", format_, READING_COLUMNS, fill)


@router.get(
    "/properties/{property_id}/consumption/export",
    response_class=StreamingResponse,
    responses=FILE,
)
async def export_consumption(
    property_id: UUID,
    db: Db,
    caller: Reader,
    exports: Exports,
    from_at: From,
    to_at: To,
    format_: As = "csv",
    by: Literal["day", "month"] = "month",
    as_of: AsOf = None,
) -> StreamingResponse:
    """What each meter of a property counted on each local day, or in each month, as a file."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        property_, meters = await fetch_property(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, property_.zone)
        rows = pieces(by, property_.zone, window, EXPORT_PIECES_MAX)
        sources = sources_of(meters)
        data = await fetch_register_data(read, caller.tenant_id, sources, window, as_of)

    async def fill(file: Export) -> None:
        step = max(BATCH_ROWS // max(len(sources), 1), 1)
        for start in range(0, len(rows), step):
            counted = await count(data, sources, rows[start : start + step])
            await file.take_rows([_consumption_row(part) for part in counted])

    return await exports.export(caller.tenant_id, "consumption", format_, CONSUMPTION_COLUMNS, fill)


def _consumption_row(counted: SourceConsumption) -> Row:
    meter, consumption, events = (
        counted.source.meter,
        counted.consumption,
        counted.consumption.events,
    )
    return (
        meter.id, meter.meter_type, meter.name, counted.source.flow, *counted.window,
        consumption.kwh, consumption.quality, consumption.complete, events.rollovers,
        events.exchanges, events.decreases,
    )  # fmt: skip
