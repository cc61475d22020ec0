"""Readings and what meters counted, as files: CSV, Parquet and Excel.

An export of readings is one query of one snapshot: nothing that is entered meanwhile shows in it.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from contracts.metering import Flow, ReadingKind
from contracts.metering import Quality as Entered
from database import snapshot
from ledger.api.analytics import From as Begin
from ledger.api.analytics import To as End
from ledger.api.analytics import window_of
from ledger.api.models import Reader, given
from ledger.api.readings import From, To
from ledger.api.registers import AsOf
from ledger.domain.tables import pieces
from ledger.handlers import energy
from ledger.handlers.energy import Counted
from ledger.store import readings
from ledger.store.readings import Selection
from serving.context import Db, Exports
from serving.exports import Column, Export, Format, Row

router = APIRouter(prefix="/v1", tags=["exports"])
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
    Column("meter_id", "id"), Column("type"), Column("name"), Column("flow"),
    Column("start_at", "instant"), Column("end_at", "instant"), Column("kwh", "decimal"),
    Column("quality"), Column("complete", "truth"), Column("rollovers", "whole"),
    Column("exchanges", "whole"), Column("falls", "whole"),
)  # fmt: skip


@router.get("/readings/export", response_class=StreamingResponse, responses=FILE)
async def export_readings(
    db: Db,
    caller: Reader,
    exports: Exports,
    format_: As = "csv",
    meter_id: UUID | None = None,
    property_id: UUID | None = None,
    flow: Flow | None = None,
    kind: ReadingKind | None = None,
    quality: Entered | None = None,
    from_at: From = None,
    to_at: To = None,
    as_of: AsOf = None,
) -> StreamingResponse:
    """Readings that count, in the order they were taken, as a file: all of them, now or as known
    at `as_of`."""
    filters = given(
        meter_id=meter_id, property_id=property_id, flow=flow, kind=kind, quality=quality
    )
    selection = Selection(filters, from_at, to_at, as_of)

    async def fill(file: Export) -> None:
        async with snapshot(db, tenant=caller.tenant_id) as read:
            await readings.copy_readings(
                read, caller.tenant_id, selection, STORED_COLUMNS, file.take_csv
            )

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
    from_at: Begin,
    to_at: End,
    format_: As = "csv",
    by: Literal["day", "month"] = "month",
    as_of: AsOf = None,
) -> StreamingResponse:
    """What each meter of a property counted on each local day, or in each month, as a file."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        place, own = await energy.fetch_place(read, caller.tenant_id, property_id)
        window = window_of(from_at, to_at, place.zone)
        rows = pieces(by, place.zone, *window, EXPORT_PIECES_MAX)
        counters = energy.counters_of(own)
        known = await energy.fetch_known(read, caller.tenant_id, counters, window, as_of)

    async def fill(file: Export) -> None:
        step = max(BATCH_ROWS // max(len(counters), 1), 1)
        for start in range(0, len(rows), step):
            found = await energy.count(known, counters, rows[start : start + step])
            await file.take_rows([_consumption_row(one) for one in found])

    return await exports.export(caller.tenant_id, "consumption", format_, CONSUMPTION_COLUMNS, fill)


def _consumption_row(one: Counted) -> Row:
    meter, found = one.counter.meter, one.consumption
    return (
        meter.id, meter.type, meter.name, one.counter.flow, *one.window, found.kwh, found.quality,
        found.complete, found.events.rollovers, found.events.exchanges, found.events.falls,
    )  # fmt: skip
