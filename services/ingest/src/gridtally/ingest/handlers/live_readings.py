"""Live readings of one process: what is published goes to those who listen.

Each process follows the topics by itself, from their end on, so only what is committed appears, and
any of several processes can serve any listener. It does so only while somebody listens. A listener
that comes back with an id is first given what was published since, read again from the log, if that
is no more than some minutes old; else a gap tells it to read again what it shows.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from gridtally.contracts.metering import ReadingRecorded, UsageRecorded
from gridtally.ingest.domain.live_readings import (
    Backlog,
    Gap,
    LiveEvent,
    Positions,
    Wanted,
    first_changed_slot,
    packed_slots,
    read_id,
    written_id,
)
from gridtally.ingest.events.live_readings import live_event
from gridtally.kernel.errors import Poison, Rejected, Transient
from gridtally.kernel.periods import Clock
from gridtally.messaging import BrokerMismatch, Progress, ReceivedMessage, Tail, TailMessage
from gridtally.messaging.broker_access import OPEN, BrokerAccess
from gridtally.messaging.retries import pause

TOPICS = (UsageRecorded, ReadingRecorded)
LETTERS = {UsageRecorded.TOPIC: "", ReadingRecorded.TOPIC: "r"}
NO_METER = UUID(int=0)
REPLAYED_FOR = timedelta(minutes=10)
REPLAYED_MESSAGES_MAX = 100_000
"""Of all tenants: a listener that has missed more reads again what it shows."""
REPLAYS_MAX = 4
"""At once; each has a connection to the broker."""
REPLAY_LIMIT_S = 20.0
START_LIMIT_S = 20.0
KNOWN_DAYS_MAX = 10_000
"""Channel-days whose last version is remembered, to say from where on the next one differs."""
IDLE_POLL_S = 0.1
RETRY_S = 0.5
CHECK_EVERY_S = 5.0

log = structlog.get_logger(__name__)


class Listener:
    """One who listens; `wanted` may be changed while it does."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.backlog = Backlog()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something waits for it."""
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Whether something waits, now or within so many seconds."""
        if not self.backlog:
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), seconds)
            except TimeoutError:
                return False
        return bool(self.backlog)

    def take(self) -> LiveEvent | Gap | None:
        """What it is sent next."""
        return self.backlog.take()


class LiveReadings:
    """Follows the topics while somebody listens; one per process, whose loop calls `run`."""

    def __init__(
        self,
        bootstrap: str,
        clock: Clock,
        stop: asyncio.Event,
        *,
        access: BrokerAccess = OPEN,
    ) -> None:
        self._bootstrap = bootstrap
        self._access = access
        self._clock = clock
        self.stop = stop
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._positions: dict[tuple[str, int], int] = {}
        self._following = asyncio.Event()
        self._was_away = False
        self._known: OrderedDict[Hashable, tuple[int, bytes]] = OrderedDict()
        self._replays = asyncio.Semaphore(REPLAYS_MAX)

    @property
    def position(self) -> str | None:
        """The id of all that was published so far; None while the broker is away."""
        return written_id(self._positions, LETTERS) if self._following.is_set() else None

    def listeners(self, tenant_id: str) -> tuple[int, int]:
        """How many there are, and how many of a tenant."""
        counts = {tenant: len(listeners) for tenant, listeners in self._listeners.items()}
        return sum(counts.values()), counts.get(tenant_id, 0)

    @asynccontextmanager
    async def listening(self, wanted: Wanted, last_id: str | None) -> AsyncIterator[Listener]:
        """A listener, from `last_id` on, or from now on.

        Rejected for an id that is none of ours; Transient where the broker does not answer.
        """
        since = None if last_id is None else read_id(last_id, LETTERS)
        if last_id is not None and since is None:
            raise Rejected("invalid_request", "Last-Event-ID is the id of no event of this stream")
        listener = Listener(wanted)
        of_tenant = self._listeners[wanted.tenant_id]
        of_tenant.add(listener)
        try:
            try:
                await asyncio.wait_for(self._following.wait(), START_LIMIT_S)
            except TimeoutError as late:
                raise Transient("the broker does not answer") from late
            if since is not None:
                await self._catch_up(listener, since)
            yield listener
        finally:
            of_tenant.discard(listener)
            if not of_tenant:
                self._listeners.pop(wanted.tenant_id, None)

    async def run(self, progress: Progress, stop: asyncio.Event) -> None:
        """Follow while somebody listens, until `stop` is set."""
        while not stop.is_set():
            if not self._listeners:
                await pause(stop, IDLE_POLL_S)
                continue
            try:
                async with Tail(self._bootstrap, *TOPICS, access=self._access) as tail:
                    await self._follow(tail, progress, stop)
            except (Transient, BrokerMismatch) as failure:
                self._was_away = True
                log.warning("live readings interrupted", reason=str(failure))
                await pause(stop, RETRY_S)

    async def _follow(self, tail: Tail, progress: Progress, stop: asyncio.Event) -> None:
        self._positions = tail.positions
        if self._was_away:
            self._tell_all()
        self._was_away = False
        self._following.set()
        checked_s = time.monotonic()
        try:
            while self._listeners and not stop.is_set():
                messages = await tail.batch()
                for message in messages:
                    self._positions[message.partition] = message.offset + 1
                    self._pass_on(message)
                progress.handled += len(messages)
                if time.monotonic() - checked_s > CHECK_EVERY_S:
                    await tail.check()
                    checked_s = time.monotonic()
        finally:  # at once: who comes now waits until the topics are followed again
            self._following.clear()
            self._known.clear()

    def _tell_all(self) -> None:
        """Whoever listens may have missed something while the broker was away."""
        at = written_id(self._positions, LETTERS)
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.backlog.lose("broker_away", at)
                listener.wake()

    def _pass_on(self, message: TailMessage) -> None:
        """Give a message to all who want it; the values of others are not even read."""
        tenant_id, meter_id = _key_of(message)
        interested = [
            listener
            for listener in self._listeners.get(tenant_id, ())
            if listener.wanted.has_meter(tenant_id, meter_id)
        ]
        event = self._event_of(message) if interested else None
        for listener in interested:
            if event is not None and listener.wanted.has(event):
                listener.backlog.add(event)
                listener.wake()

    def _event_of(self, message: TailMessage) -> LiveEvent | None:
        received = _decoded(message)
        if received is None:
            return None
        event = live_event(received, written_id(self._positions, LETTERS))
        usage = received.event
        if event is None or not isinstance(usage, UsageRecorded):
            return event
        slots = packed_slots(usage.values, usage.quality)
        version, before = self._known.get(event.subject, (0, slots))
        self._known[event.subject] = usage.version, slots
        self._known.move_to_end(event.subject)
        if len(self._known) > KNOWN_DAYS_MAX:
            self._known.popitem(last=False)
        # Of versions that we were not sent we do not know what they have changed.
        is_next = version == usage.version - 1
        slot = first_changed_slot(before, slots) if is_next else None
        return replace(event, first_changed_slot=slot)

    async def _catch_up(self, listener: Listener, since: Positions) -> None:
        """Let what was published since then wait before all else, or a gap in its place."""
        end = dict(self._positions)
        try:
            async with asyncio.timeout(REPLAY_LIMIT_S), self._replays:
                missed = await self._missed(listener.wanted, since, end)
        except (TimeoutError, BrokerMismatch, Transient):
            missed = None
        if missed is None:
            listener.backlog.lose("too_old", written_id(end, LETTERS))
        else:
            listener.backlog.put_before(missed)

    async def _missed(
        self, wanted: Wanted, since: Positions, end: Positions
    ) -> list[LiveEvent] | None:
        """What was published from `since` to `end`; None where that is too much or too old."""
        if since.keys() != end.keys():
            return None
        if since == end:
            return []
        count = sum(max(0, end[partition] - offset) for partition, offset in since.items())
        if count > REPLAYED_MESSAGES_MAX:
            return None
        newest, oldest_at = Backlog(), self._clock() - REPLAYED_FOR
        at = dict(since)
        async with (
            Tail(self._bootstrap, *TOPICS, start=since, access=self._access) as tail,
            aclosing(tail.until(end)) as batches,
        ):
            async for messages in batches:
                for message in messages:
                    if message.logged_at < oldest_at:
                        return None
                    at[message.partition] = message.offset + 1
                    received = _decoded(message) if wanted.has_meter(*_key_of(message)) else None
                    event = received and live_event(received, written_id(at, LETTERS))
                    if event is not None and wanted.has(event):
                        newest.add(event)
        return newest.take_all()


def _key_of(message: TailMessage) -> tuple[str, UUID]:
    """Tenant and meter of a message, by its key alone."""
    tenant_id, _, resource = message.key.partition(":")
    try:
        return tenant_id, UUID(resource)
    except ValueError:
        return "", NO_METER


def _decoded(message: TailMessage) -> ReceivedMessage[Any] | None:
    try:
        return message.decode()
    except Poison as poison:  # whoever consumes the topic has a dead letter
        log.warning("live reading left out", reason=str(poison))
        return None
