"""What ingest listens to, and what it does in the background."""

from collections.abc import Sequence
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
from ingest.wire.blocks import read_block
from messaging import Publisher, Received, Subscription
from serving.passes import Clock, repeated
from serving.service import Loop

Received_ = Received[Any]
IDLE_POLL_S = 0.2


def subscriptions(settings: Settings, recorder: Recorder, clock: Clock) -> tuple[Subscription, ...]:
    """Readings, meters, agreements and reads of registers."""

    async def record(tx: WriteConnection, batch: Sequence[Received_]) -> None:
        await recorder.record(tx, arrivals_of(batch), clock())

    async def take_over_meters(tx: WriteConnection, batch: Sequence[Received_]) -> None:
        await registry.take_over_meters(tx, batch, clock())

    return (
        Subscription(ReadingsReceived, record, settings.batch_messages_max, read_block),
        Subscription(MeterRegistered, take_over_meters),
        Subscription(AgreementChanged, registry.take_over_agreements),
        Subscription(ReadingRecorded, registers.keep_entries),
    )


def loops(
    settings: Settings, database: Database, publisher: Publisher, recorder: Recorder, clock: Clock
) -> tuple[Loop, ...]:
    """Announcing, closing, taking up, and turning registers into intervals."""

    async def announce() -> int:
        return await announce_usage(database, publisher, clock())

    async def take_up() -> int:
        return await take_up_waiting(database, recorder, clock())

    async def convert() -> int:
        return await registers.convert_due(database, recorder, clock())

    async def close() -> int:
        planned = await plan_periods(database, clock())
        return planned + await close_due_periods(database, clock(), settings.revision_delay)

    return (
        repeated("announce", announce, idle_s=IDLE_POLL_S),
        repeated("close", close, idle_s=IDLE_POLL_S),
        repeated("take_up", take_up, idle_s=IDLE_POLL_S),
        repeated("registers", convert, idle_s=IDLE_POLL_S),
    )
