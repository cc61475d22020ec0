"""Readings as they come, for whoever listens: server-sent events.

Owns how long a stream goes on, how quickly it sends, how many there are, and that its key is still
in force. A stream ends by itself after half an hour; the id of its last event is where the next one
goes on. What is published is `handlers.live_readings`'.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from gridtally.database import Database, snapshot
from gridtally.http.auth import Principal, is_still_let_in
from gridtally.http.json_bodies import Router
from gridtally.http.problems import HttpRefusal
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.domain.live_readings import ID_CHARS_MAX, Gap, LiveEvent, Wanted
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.handlers.live_readings import Listener, LiveReadings
from gridtally.ingest.store.meters import fetch_meters, fetch_meters_of_property
from gridtally.kernel.errors import Fault, NotFound, Rejected, Transient

router = Router(prefix="/v1/readings", tags=["readings"])

STREAMS_MAX = 1_000
"""Of one process."""
STREAMS_OF_TENANT_MAX = 250
RETRY_AFTER_S = 10
STREAM_LIMIT_S = 30 * 60.0
EVENTS_PER_S_MAX = 10
PING_EVERY_S = 15.0
CHECK_EVERY_S = 60.0
"""How often the key, and the meters of a property, are looked up again."""
WAIT_S = 0.5
"""So soon a stream hears that its process ends."""
RECONNECT_MS = 2_000
METERS_OF_PROPERTY_MAX = 10_000
SCOPE = "ingest:read"
EVENT_STREAM = "text/event-stream"
DESCRIPTION = """\
Server-sent events. `reading` is the newest state of a channel-day: the fields of `usage.recorded`
and `first_changed_slot` (from 0; null where any may have changed). `register` is a reading of a
register: `reading_id`, `version`, `meter_id`, `flow`, `kind`, `value` in kWh, `quality`, `read_at`.
`gap` says that events were left out, and why (`reason`: `slow_reader`, `broker_away`, `too_old`):
read again what you show."""
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": DESCRIPTION,
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


@dataclass(frozen=True, slots=True)
class Ping:
    """Nothing is new up to a position; None where that is not known."""

    id: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a stream is asked for."""

    meter_id: Annotated[UUID | None, Query(description="Of this meter alone")] = None
    property_id: Annotated[
        UUID | None, Query(description="Of the meters of this property, as they are by then")
    ] = None
    flow: Annotated[Flow | None, Query(description="Of this flow alone")] = None
    last_event_id: Annotated[
        str | None,
        Query(
            max_length=ID_CHARS_MAX,
            description="For whoever can send no header: as `Last-Event-ID`",
        ),
    ] = None


class Stream:
    """One stream: its listener, and what it is sent and when."""

    def __init__(
        self, app: FastAPI, caller: Principal, selection: Selection, listener: Listener
    ) -> None:
        self._app = app
        self._live: LiveReadings = app.state.live
        self._caller = caller
        self._selection = selection
        self._listener = listener

    async def events(self) -> AsyncIterator[LiveEvent | Gap | Ping]:
        """What is sent, at most `EVENTS_PER_S_MAX` a second, until the stream is to end."""
        begun_s = sent_at_s = checked_s = time.monotonic()
        sent_s: deque[float] = deque(maxlen=EVENTS_PER_S_MAX)
        yield Ping(None if self._listener.backlog else self._live.position)
        while not self._live.stop.is_set() and time.monotonic() - begun_s < STREAM_LIMIT_S:
            if time.monotonic() - checked_s > CHECK_EVERY_S:
                if not await self._is_still_let_in():
                    return
                checked_s = time.monotonic()
            if len(sent_s) == EVENTS_PER_S_MAX:
                await asyncio.sleep(max(0.0, sent_s[0] + 1 - time.monotonic()))
            if await self._listener.wait(WAIT_S) and (event := self._listener.take()):
                sent_at_s = time.monotonic()
                sent_s.append(sent_at_s)
                yield event
            elif time.monotonic() - sent_at_s > PING_EVERY_S:
                sent_at_s = time.monotonic()
                yield Ping(self._live.position)

    async def _is_still_let_in(self) -> bool:
        """Whether the key is in force; looks up the meters of a property on the way."""
        try:
            if not await is_still_let_in(self._app.state, self._caller, SCOPE):
                return False
            if self._selection.property_id is not None:
                self._listener.wanted = await _wanted(
                    self._app.state.database, self._caller.tenant_id, self._selection
                )
        except Transient:  # nobody can have revoked it meanwhile
            return True
        return True


@asynccontextmanager
async def opened(
    app: FastAPI, caller: Principal, selection: Selection, last_id: str | None
) -> AsyncIterator[Stream]:
    """A stream, which counts until the end of the block.

    HttpRefusal 503 where there are too many, NotFound and Rejected for what cannot be listened to.
    """
    live: LiveReadings = app.state.live
    wanted = await _wanted(app.state.database, caller.tenant_id, selection)
    count, of_tenant = live.listeners(caller.tenant_id)
    if count >= STREAMS_MAX or of_tenant >= STREAMS_OF_TENANT_MAX:
        detail = "too many streams are open; ask again when some have ended"
        raise HttpRefusal(503, "too_many_streams", detail, {"Retry-After": str(RETRY_AFTER_S)})
    async with live.listening(wanted, last_id) as listener:
        yield Stream(app, caller, selection, listener)


async def _wanted(db: Database, tenant_id: str, selection: Selection) -> Wanted:
    if selection.meter_id is not None and selection.property_id is not None:
        faults = (Fault("/query/property_id", "is not taken beside `meter_id`"),)
        raise Rejected("invalid_request", "the query is not as it must be", faults)
    meter_ids = None
    if selection.meter_id is not None:
        async with snapshot(db, tenant=tenant_id) as read:
            known = await fetch_meters(read, [(tenant_id, selection.meter_id)])
        if not known:
            raise NotFound("meter_unknown", "ingest does not know this meter")
        meter_ids = frozenset([selection.meter_id])
    elif selection.property_id is not None:
        async with snapshot(db, tenant=tenant_id) as read:
            meter_ids = await fetch_meters_of_property(
                read, tenant_id, selection.property_id, METERS_OF_PROPERTY_MAX
            )
    return Wanted(tenant_id, meter_ids, selection.flow)


async def _stream(
    request: Request,
    caller: Reader,
    selection: Annotated[Selection, Depends()],
    last_event_id: Annotated[
        str | None,
        Header(
            max_length=ID_CHARS_MAX,
            description="The id of the last event that came: those since are sent first, or a gap"
            " where they are older than ten minutes or too many",
        ),
    ] = None,
) -> AsyncIterator[Stream]:
    last_id = last_event_id or selection.last_event_id
    async with opened(request.app, caller, selection, last_id or None) as stream:
        yield stream


@router.get("/stream", responses=_ANSWERS, response_class=StreamingResponse)
async def stream_readings(stream: Annotated[Stream, Depends(_stream)]) -> StreamingResponse:
    """Readings as they are published, as server-sent events, until the caller goes away.

    At most ten events a second; where more have come, the newest version of each channel-day is
    sent, and a `gap` where too many wait. A stream ends after half an hour: come back with the id
    of the last event. A comment comes where nothing else has for a quarter of a minute.
    """
    return StreamingResponse(
        _encoded(stream), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"}
    )


async def _encoded(stream: Stream) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RECONNECT_MS)
    async for event in stream.events():
        match event:
            case Ping():
                yield format_sse_event(comment="ping", id=event.id)
            case _:
                data = event.json().decode()
                yield format_sse_event(event=event.name, data_str=data, id=event.id)
