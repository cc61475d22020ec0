"""Streams of readings as server-sent events.

Owns the words of the API on streams, also over a WebSocket, which OpenAPI knows nothing of.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from gridtally.http.json_bodies import Router
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.api.live_readings.streams import (
    LastEventId,
    Ping,
    Selection,
    Stream,
    opened,
)

router = Router(prefix="/v1/readings/stream", tags=["readings"])

RECONNECT_MS = 2_000
EVENT_STREAM = "text/event-stream"
DESCRIPTION = """\
Server-sent events. `reading` is the newest state of a channel-day: the fields of `usage.recorded`
and `first_changed_slot` (from 0; null where any may have changed). `register` is a reading of a
register: `reading_id`, `version`, `meter_id`, `flow`, `kind`, `value` in kWh, `quality`, `read_at`.
`gap` says that events were left out, and why (`reason`: `slow_reader`, `broker_away`, `too_old`):
read again what you show."""
SWITCHED = """\
To a WebSocket, where the request asks for one (`Upgrade: websocket`): the same events as JSON texts
`{"event", "id", "data"}`, and `{"event": "ping", "id"}` where nothing else has come for a quarter
of a minute. Who can send no `Authorization` sends, as the first and only message and within ten
seconds, `{"key", "last_event_id"}` (the second may be left out). A refusal is the answer that it is
without a WebSocket; after the first message it closes with 4000 and that status, and the problem's
code as the reason. Closed with 1000 after half an hour, 1012 when the process ends (come back with
the id of the last event for both), 4401 when the key is revoked, 1008 for a further message, 1009
for one of more than 8 KiB, 1007 and 1002 for what is no text or no WebSocket, 1011
for a failure."""
_ANSWERS: dict[int | str, dict[str, Any]] = {
    101: {"description": SWITCHED},
    200: {
        "description": DESCRIPTION,
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    },
}


async def _stream(
    request: Request,
    caller: Reader,
    selection: Annotated[Selection, Depends()],
    last_event_id: LastEventId = None,
) -> AsyncIterator[Stream]:
    last_id = last_event_id or selection.last_event_id
    async with opened(request.app, caller, selection, last_id or None) as stream:
        yield stream


@router.get("", responses=_ANSWERS, response_class=StreamingResponse)
async def stream_readings(stream: Annotated[Stream, Depends(_stream)]) -> StreamingResponse:
    """Readings as they are published, as server-sent events, until the caller goes away.

    At most ten events a second; where more have come, the newest version of each channel-day is
    sent, and a `gap` where too many wait. A stream ends after half an hour: come back with the id
    of the last event. A comment comes where nothing else has for a quarter of a minute. A WebSocket
    may be opened here instead, see the answer 101.
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
