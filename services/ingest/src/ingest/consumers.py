"""What ingest listens to, and what it does in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from contracts.commerce import AgreementChanged
from contracts.metering import MeterRegistered, ReadingRecorded, ReadingsReceived
from database import Database, WriteConnection
from ingest.handlers import registers, registry
from ingest.handlers.announcing import announce_usage
from ingest.handlers.closing import close_due_periods, plan_periods
from ingest.handlers.keeping import take_up_waiting
from ingest.handlers.recording import Recorder
from ingest.settings import Settings
from ingest.wire import arrivals_of
from messaging import Progress, Publisher, Received, Subscription
from messaging.retries import Stopped, pause, persist
from serving.service import Loop

Clock = Callable[[], datetime]
Received_ = Received[Any]
IDLE_POLL_S = 0.2


def subscriptions(settings: Settings, recorder: Recorder, clock: Clock) -> tuple[Subscription, ...]:
    """Readings, meters, agreements and reads of registers."""

    async def record(tx: WriteConnection, batch: Sequence[Received_]) -> None:
        await recorder.record(tx, arrivals_of(batch), clock())

    async def take_over_meters(tx: WriteConnection, batch: Sequence[Received_]) -> None:
        await registry.take_over_meters(tx, batch, clock())

    return (
        Subscription(ReadingsReceived, record, batch_messages_max=settings.batch_messages_max),
        Subscription(MeterRegistered, take_over_meters),
        Subscription(AgreementChanged, registry.take_over_agreements),
        Subscription(ReadingRecorded, registers.keep_entries),
    )


def loops(
    settings: Settings, database: Database, publisher: Publisher, recorder: Recorder, clock: Clock
) -> tuple[Loop, ...]:
    """Announcing, closing, taking up, and turning registers into intervals."""

    async def close() -> int:
        planned = await plan_periods(database, clock())
        return planned + await close_due_periods(database, clock(), settings.revision_delay)

    return (
        _loop("announce", lambda: announce_usage(database, publisher, clock())),
        _loop("close", close),
        _loop("take_up", lambda: take_up_waiting(database, recorder, clock())),
        _loop("registers", lambda: registers.convert_due(database, recorder, clock())),
    )


def _loop(name: str, once: Callable[[], Awaitable[int]]) -> Loop:
    """Repeat `once` until told to stop, with a rest whenever it found nothing to do."""

    async def run(progress: Progress, stop: asyncio.Event) -> None:
        def count_retry() -> None:
            progress.retries += 1
            progress.observe_lag(1, now_s=time.monotonic())

        while not stop.is_set():
            try:
                done = await persist(name, once, stop=stop, on_retry=count_retry)
            except Stopped:
                return
            if done:
                progress.advance(done, now_s=time.monotonic())
            else:
                progress.observe_lag(0, now_s=time.monotonic())
                await pause(stop, IDLE_POLL_S)

    return Loop(name, run)
