"""What ingest listens to."""

from collections.abc import Sequence
from typing import Any

from contracts.commerce import AgreementChanged
from contracts.metering import MeterRegistered, ReadingRecorded, ReadingsReceived
from database import WriteConnection
from ingest.handlers import registers, registry
from ingest.handlers.recording import Recorder
from ingest.settings import Settings
from ingest.wire import arrivals_of
from ingest.wire.blocks import read_block
from messaging import Received, Subscription
from serving.passes import Clock

Received_ = Received[Any]


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
