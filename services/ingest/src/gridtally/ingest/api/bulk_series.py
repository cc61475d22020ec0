"""`/v1/series`: the series of many meters in one request, streamed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

import orjson
from fastapi import Header
from fastapi.responses import StreamingResponse
from pydantic import Field, model_validator

from gridtally.contracts.model import Instant
from gridtally.database import Database, snapshot
from gridtally.http.auth import Principal
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Archived, Reader
from gridtally.ingest.api.meters import DAYS_MAX, LATEST_ON
from gridtally.ingest.domain.bulk_series import (
    AS_KNOWN_VALUES_MAX,
    BATCH_VALUES_MAX,
    BulkResolution,
    ChannelSeries,
    at_resolution,
    batches,
    check_resolution,
    chosen,
)
from gridtally.ingest.domain.derived_meters import refuse_earlier_knowledge
from gridtally.ingest.domain.local_days import OLDEST_ON
from gridtally.ingest.domain.merge import MISSING
from gridtally.ingest.domain.meters import Flow, Meter
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.bulk_series import fetch_rows, fetch_series_known_at, series_of
from gridtally.ingest.store.meters import fetch_meters
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period

router = Router(prefix="/v1/series", tags=["series"])

METERS_MAX = 10_000
NAMED_MAX = 3
"""Of unknown meters, so many are named."""
ARROW, NDJSON = "application/vnd.apache.arrow.stream", "application/x-ndjson"
Encode = Callable[[Sequence[ChannelSeries]], bytes]


class ChannelSelection(Body):
    """Which channels, and which local days."""

    meter_ids: Annotated[list[UUID], Field(min_length=1, max_length=METERS_MAX)]
    """The meters, each once."""
    flows: Annotated[list[Flow], Field(min_length=1, max_length=6)]
    """The flows; a meter that does not measure one has no row for it."""
    start_on: date
    """The first local day, on each meter's own clock."""
    end_on: date
    """The local day after the last one."""

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if not OLDEST_ON <= self.start_on < self.end_on < LATEST_ON:
            raise ValueError(f"end_on must be later than start_on, and both from {OLDEST_ON} on")
        if (self.end_on - self.start_on).days > DAYS_MAX:
            raise ValueError(f"ask for at most {DAYS_MAX} days at once")
        for name, values in (("meter_ids", self.meter_ids), ("flows", self.flows)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} has a value twice")
        return self

    @property
    def window(self) -> Period:
        """The local days."""
        return Period(self.start_on, self.end_on)


class SeriesQuery(ChannelSelection):
    """Which channels, which local days and at which resolution."""

    resolution: BulkResolution = "native"
    """The length of an interval in minutes: each channel's own, or exact sums over whole intervals
    of the local day. A sum is null where a part of it is missing."""
    as_known_at: Instant | None = None
    """Answer from what had been received by this instant; null for what is there now. Much slower,
    since each day is made again of its blocks."""


class SeriesRow(AnswerModel):
    """A channel's series: a line of NDJSON, or a row of an Arrow record batch."""

    meter_id: UUID
    """The meter."""
    flow: Flow
    """What was measured."""
    zone: str
    """The meter's zone, whose midnights the series begins and ends at."""
    minutes: int
    """The length of an interval in minutes; of `1440` a local day, however long it is."""
    start_on: date
    """The first local day."""
    end_on: date
    """The local day after the last one."""
    values: list[int | None]
    """The energy of each interval in Wh (varh), in order; null where there is none."""
    quality: str
    """A letter for each value, the worst of its parts: `A` actual, `S` substituted, `E` estimated,
    `-` missing, `N` not measured by the meter."""


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row for each channel, in the order of `meter_ids`, while it is read",
        "model": SeriesRow,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": "A `SeriesRow` per line."}},
            ARROW: {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "Record batches with the columns of `SeriesRow`.",
                }
            },
        },
    }
}


@router.post("/query", responses=_ANSWERS, response_class=StreamingResponse)
async def query_series(
    query: SeriesQuery,
    db: Db,
    archive: Archived,
    caller: Reader,
    exports: Exports,
    accept: Annotated[str, Header(max_length=200, description=f"`{NDJSON}` or `{ARROW}`")] = NDJSON,
) -> StreamingResponse:
    """The series of many meters: NDJSON, or Arrow's IPC stream where `Accept` asks for that.

    A batch of channels is in memory at a time, each read as it is at that moment; name
    `as_known_at` where all must be of one moment.
    """
    meters = await known_meters(db, caller, query)
    check_resolution(meters, query.flows, query.resolution)
    if query.as_known_at is not None:
        refuse_earlier_knowledge(meters)
    chunks = _chunks(_Source(db, archive, caller.tenant_id), query, meters, _format(accept))
    return await exports.stream(caller.tenant_id, chunks, _format(accept))


async def known_meters(db: Database, caller: Principal, selection: ChannelSelection) -> list[Meter]:
    """The meters that are asked for, in their order; NotFound where ingest knows one not."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        known = await fetch_meters(read, [(caller.tenant_id, id_) for id_ in selection.meter_ids])
    unknown = [str(id_) for id_ in selection.meter_ids if (caller.tenant_id, id_) not in known]
    if unknown:
        names = ", ".join(unknown[:NAMED_MAX])
        raise NotFound("meter_unknown", f"ingest knows {len(unknown)} meters not: {names}")
    return [known[caller.tenant_id, id_] for id_ in selection.meter_ids]


def _format(accept: str) -> str:
    """The media type that a caller takes; HttpRefusal 406 where it takes neither."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if ARROW in wanted:
        return ARROW
    if {NDJSON, "application/*", "*/*", "application/json"} & set(wanted):
        return NDJSON
    raise HttpRefusal(406, "not_acceptable", f"series come as {NDJSON} or {ARROW}")


class _Source(NamedTuple):
    """Whose readings are read, and from where."""

    db: Database
    archive: Archive
    tenant_id: str


async def _chunks(
    source: _Source, query: SeriesQuery, meters: Sequence[Meter], format_: str
) -> AsyncGenerator[bytes, None]:
    """The stream, a batch of channels at a time; what blocks is done in threads.

    While a batch is encoded and sent the database reads the next one, so that neither waits for the
    other. A caller that leaves cancels what is read ahead.
    """
    encode, begin, end = _encoder(format_, query.resolution)
    values_max = BATCH_VALUES_MAX if query.as_known_at is None else AS_KNOWN_VALUES_MAX
    parts = batches(meters, query.flows, query.window.days, values_max)
    batch = next(parts)
    ahead = asyncio.create_task(_read(source, query, batch))
    try:
        yielded = begin
        while True:
            series = await ahead
            following = next(parts, None)
            if following is not None:
                ahead = asyncio.create_task(_read(source, query, following))
            # The first batch is read before anything is sent, so that it may fail.
            yield yielded + await asyncio.to_thread(_encoded, series, query, encode)
            if following is None:
                break
            yielded = b""
        yield end
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


async def _read(
    source: _Source, query: SeriesQuery, meters: Sequence[Meter]
) -> Iterable[ChannelSeries]:
    """The series of some meters, which are made of what was read as they are taken."""
    db, archive, tenant_id = source
    async with snapshot(db, tenant=tenant_id) as read:
        if query.as_known_at is None:
            rows = await fetch_rows(read, archive, tenant_id, meters, query.flows, query.window)
            return series_of(rows, meters, query.flows, query.window)
        return [
            await fetch_series_known_at(
                read, archive, tenant_id, meter, channel, query.window, query.as_known_at
            )
            for meter in meters
            for channel in chosen(meter, query.flows)
        ]


def _encoded(channels: Iterable[ChannelSeries], query: SeriesQuery, encode: Encode) -> bytes:
    return encode([at_resolution(series, query.resolution) for series in channels])


def _encoder(format_: str, resolution: BulkResolution) -> tuple[Encode, bytes, bytes]:
    """What makes a batch's bytes, and what stands before and after all batches."""
    if format_ == NDJSON:
        return _lines, b"", b""
    # Here and not above: Arrow takes tens of megabytes, which only a process that needs it has.
    from gridtally.exports.series import SeriesStream

    stream = SeriesStream(wide=resolution != "native")
    return lambda found: stream.batch(_columns(found)), stream.begin, stream.end


def _columns(found: Sequence[ChannelSeries]) -> dict[str, Any]:
    return {
        "meter_id": [str(series.meter_id) for series in found],
        "flow": [series.flow for series in found],
        "zone": [series.zone for series in found],
        "minutes": [series.minutes for series in found],
        "start_on": [series.window.start_on for series in found],
        "end_on": [series.window.end_on for series in found],
        "values": [series.values for series in found],
        "quality": [series.quality.tobytes() for series in found],
    }


def _lines(found: Sequence[ChannelSeries]) -> bytes:
    lines = (orjson.dumps(_line(series), option=orjson.OPT_APPEND_NEWLINE) for series in found)
    return b"".join(lines)


def _line(series: ChannelSeries) -> dict[str, Any]:
    values: list[int | None] = series.values.tolist()
    if MISSING in values:
        values = [None if value == MISSING else value for value in values]
    return {
        "meter_id": str(series.meter_id),
        "flow": series.flow,
        "zone": series.zone,
        "minutes": series.minutes,
        "start_on": series.window.start_on,
        "end_on": series.window.end_on,
        "values": values,
        "quality": series.quality.tobytes().decode("ascii"),
    }
