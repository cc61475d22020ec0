"""Streams of readings as they come, in whatever form they are sent.

Owns how long a stream goes on, how quickly it sends, how many there are, and that its key is still
in force. A stream ends by itself after half an hour; the id of its last event is where the next one
goes on. What is published is `handlers.live_readings`'.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Header, Query

from gridtally.database import Database, snapshot
from gridtally.http.auth import Principal, is_still_let_in
from gridtally.http.problems import HttpRefusal
from gridtally.ingest.domain.live_readings import ID_CHARS_MAX, Gap, LiveEvent, Wanted
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.handlers.live_readings import Listener, LiveReadings
from gridtally.ingest.store.meters import fetch_meters, fetch_meters_of_property
from gridtally.kernel.errors import Fault, NotFound, Rejected, Transient

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
METERS_OF_PROPERTY_MAX = 10_000
SCOPE = "ingest:read"


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


LastEventId = Annotated[
    str | None,
    Header(
        max_length=ID_CHARS_MAX,
        description="The id of the last event that came: those since are sent first, or a gap"
        " where they are older than ten minutes or too many",
    ),
]


class Stream:
    """One stream: its listener, and what it is sent and when.

    `is_let_in` is False where it ended since its key was revoked.
    """

    def __init__(
        self, app: FastAPI, caller: Principal, selection: Selection, listener: Listener
    ) -> None:
        self._app = app
        self._live: LiveReadings = app.state.live
        self._caller = caller
        self._selection = selection
        self._listener = listener
        self.is_let_in = True

    @property
    def is_stopped(self) -> bool:
        """Whether the process ends."""
        return self._live.stop.is_set()

    async def events(self) -> AsyncGenerator[LiveEvent | Gap | Ping]:
        """What is sent, at most `EVENTS_PER_S_MAX` a second, until the stream is to end."""
        begun_s = sent_at_s = checked_s = time.monotonic()
        sent_s: deque[float] = deque(maxlen=EVENTS_PER_S_MAX)
        yield Ping(None if self._listener.backlog else self._live.position)
        while not self.is_stopped and time.monotonic() - begun_s < STREAM_LIMIT_S:
            if time.monotonic() - checked_s > CHECK_EVERY_S:
                self.is_let_in = await self._is_still_let_in()
                if not self.is_let_in:
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
