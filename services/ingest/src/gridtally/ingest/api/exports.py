"""Intervals of many meters as a file: CSV, Parquet or Excel, a row for each interval."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from gridtally.database import snapshot
from gridtally.exports.columns import Column, Format
from gridtally.exports.export import Export
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.ingest.api.bulk_series import ChannelSelection, known_meters
from gridtally.ingest.api.callers import Archived, Reader
from gridtally.ingest.store.exports import copy_intervals

router = Router(prefix="/v1/series", tags=["series"])

FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"}
}
COLUMNS = (
    Column("meter_id", "id"), Column("flow"), Column("day", "day"), Column("start_at", "instant"),
    Column("minutes", "whole"), Column("energy_wh", "whole"), Column("quality"),
    Column("recorded_at", "instant"),
)  # fmt: skip


@router.post("/export", response_class=StreamingResponse, responses=FILE)
async def export_series(
    selection: ChannelSelection,
    db: Db,
    archive: Archived,
    caller: Reader,
    exports: Exports,
    format_: Annotated[Format, Query(alias="format", description="The kind of file")] = "csv",
) -> StreamingResponse:
    """Every interval of many meters as a file, a row each, streamed: by meter, flow and time.

    Of a local day that has anything all intervals are there, those without a value with an empty
    energy; a day that has nothing has no row. NDJSON, with an array for each channel, is what
    `/v1/series/query` answers.
    """
    await known_meters(db, caller, selection)

    async def fill(file: Export) -> None:
        async with snapshot(db, tenant=caller.tenant_id) as read:
            await copy_intervals(
                read,
                archive,
                caller.tenant_id,
                selection.meter_ids,
                selection.flows,
                selection.window,
                file.take_csv,
            )

    return await exports.export(caller.tenant_id, "series", format_, COLUMNS, fill)
