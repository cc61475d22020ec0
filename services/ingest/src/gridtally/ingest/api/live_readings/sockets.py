"""Streams of readings over WebSockets.

Owns how a caller without `Authorization` shows its key, which pages may open one, and how it is
closed. Whatever a caller says beside its key closes it.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated

import orjson
from fastapi import Depends, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridtally.contracts.problem import Problem
from gridtally.http.auth import KEY_NEEDED, let_in
from gridtally.http.json_bodies import Router
from gridtally.http.keys import unauthorized
from gridtally.http.problems import HttpRefusal, of_exception
from gridtally.ingest.api.live_readings.streams import (
    SCOPE,
    LastEventId,
    Ping,
    Selection,
    Stream,
    opened,
)
from gridtally.ingest.domain.live_readings import ID_CHARS_MAX, Gap, LiveEvent
from gridtally.kernel.errors import Rejected, Transient

router = Router(prefix="/v1/readings/stream", tags=["readings"])

GREETING_LIMIT_S = 10.0
"""So long a caller without `Authorization` may take to send its key."""
KEY_CHARS_MAX = 100
CLOSE_OVER = 1000
CLOSE_SAID_TOO_MUCH = 1008
CLOSE_STOPPED = 1012
CLOSE_REFUSED = 4000
"""And the status that the answer would have without a WebSocket."""


class Greeting(BaseModel):
    """The first message of a caller that can send no header."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: str = Field(max_length=KEY_CHARS_MAX)
    last_event_id: str | None = Field(default=None, max_length=ID_CHARS_MAX)


@router.websocket("")
async def follow_readings(
    socket: WebSocket,
    selection: Annotated[Selection, Depends()],
    last_event_id: LastEventId = None,
) -> None:
    """What `GET` says of it under 101."""
    _check_origin(socket)
    last_id = last_event_id or selection.last_event_id or None
    authorization = socket.headers.get("authorization")
    with suppress(WebSocketDisconnect):  # whoever goes away needs no answer
        if authorization is not None:
            caller = await let_in(socket, authorization, SCOPE)
            async with opened(socket.app, caller, selection, last_id) as stream:
                await socket.accept()
                await _serve(socket, stream)
            return
        await socket.accept()
        try:
            greeting = await _greeting(socket)
            caller = await let_in(socket, f"Bearer {greeting.key}", SCOPE)
            last_id = greeting.last_event_id or last_id
            async with opened(socket.app, caller, selection, last_id) as stream:
                await _serve(socket, stream)
        except (Rejected, HttpRefusal, Transient) as refusal:
            answer = of_exception(refusal, socket.state.correlation_id)
            problem = Problem.model_validate_json(bytes(answer.body))
            await socket.close(CLOSE_REFUSED + problem.status, problem.code)


def _check_origin(socket: WebSocket) -> None:
    """HttpRefusal 403 for a page that may not; programs send no `Origin`."""
    if not socket.app.state.websocket_origins.issuperset(socket.headers.getlist("origin")):
        detail = "no page of this origin may open a WebSocket here"
        raise HttpRefusal(403, "origin_refused", detail)


async def _greeting(socket: WebSocket) -> Greeting:
    """The first message. HttpRefusal 401 where none comes, Rejected for any other."""
    try:
        async with asyncio.timeout(GREETING_LIMIT_S):
            message = await socket.receive()
    except TimeoutError:
        raise unauthorized(KEY_NEEDED) from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    try:
        return Greeting.model_validate_json(message.get("text") or b"")
    except ValidationError:
        detail = "the first message is not the JSON of a key"
        raise Rejected("invalid_request", detail) from None


async def _serve(socket: WebSocket, stream: Stream) -> None:
    """Send until the stream is over or its caller goes or says anything; then close."""
    sending = asyncio.create_task(_send(socket, stream))
    hearing = asyncio.create_task(socket.receive())
    try:
        await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
        if not hearing.done():
            sending.result()
            ending = _ending(stream)
        elif hearing.result()["type"] == "websocket.disconnect":
            return
        else:
            ending = CLOSE_SAID_TOO_MUCH, "nothing more is expected"
    finally:
        sending.cancel()
        hearing.cancel()
        await asyncio.gather(sending, hearing, return_exceptions=True)
    await socket.close(*ending)


async def _send(socket: WebSocket, stream: Stream) -> None:
    async with aclosing(stream.events()) as events:
        async for event in events:
            await socket.send_text(_encoded(event).decode())


def _encoded(event: LiveEvent | Gap | Ping) -> bytes:
    match event:
        case Ping():
            return orjson.dumps({"event": "ping", "id": event.id})
        case _:
            data = orjson.Fragment(event.json())
            return orjson.dumps({"event": event.name, "id": event.id, "data": data})


def _ending(stream: Stream) -> tuple[int, str]:
    if not stream.is_let_in:
        return CLOSE_REFUSED + 401, "unauthorized"
    if stream.is_stopped:
        return CLOSE_STOPPED, "the process ends"
    return CLOSE_OVER, "come back with the id of the last event"
