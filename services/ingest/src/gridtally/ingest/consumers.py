"""Which events ingest consumes, how many of each at once, and which of its own it adopts."""

from collections.abc import Sequence
from typing import Any

from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    PeriodClosed,
    ReadingRecorded,
    ReadingsReceived,
    UsageRecorded,
)
from gridtally.database import WriteConnection
from gridtally.ingest.events.blocks import read_block, received_blocks
from gridtally.ingest.events.device_events import received_event
from gridtally.ingest.handlers import (
    adoption,
    agreements,
    derived_meters,
    device_events,
    meters,
    registers,
)
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.settings import Settings
from gridtally.kernel.errors import Poison, Unreadable
from gridtally.messaging import Adoption, ReceivedMessage, Subscription
from gridtally.service.service import Process

Batch = Sequence[ReceivedMessage[Any]]


def subscriptions(process: Process[Settings], recorder: Recorder) -> list[Subscription]:
    """Readings, meters, agreements, readings of registers, definitions of derived meters and events
    of devices; one consumer each."""
    clock = process.clock

    async def record_readings(tx: WriteConnection, batch: Batch) -> None:
        try:
            await recorder.record(tx, received_blocks(batch), clock())
        except Unreadable as failure:  # a dead letter to be replayed, and no partition that waits
            raise Poison(str(failure)) from failure

    async def apply_meters(tx: WriteConnection, batch: Batch) -> None:
        await meters.apply_meters(tx, batch, clock())

    async def apply_definitions(tx: WriteConnection, batch: Batch) -> None:
        await derived_meters.apply_definitions(tx, batch, clock())

    async def record_events(tx: WriteConnection, batch: Batch) -> None:
        await device_events.record_events(tx, list(map(received_event, batch)), clock())

    return [
        Subscription(
            ReadingsReceived, record_readings, process.settings.batch_messages_max, read_block
        ),
        Subscription(MeterRegistered, apply_meters),
        Subscription(AgreementChanged, agreements.apply_agreements),
        Subscription(ReadingRecorded, registers.apply_register_readings),
        Subscription(MeterDefined, apply_definitions),
        Subscription(DeviceEventReceived, record_events),
    ]


def adoptions(process: Process[Settings], recorder: Recorder) -> list[Adoption]:
    """Ingest's own topics: days first, since periods are made of them, and alerts before their
    ends."""
    clock = process.clock

    async def adopt_usage(tx: WriteConnection, messages: Batch) -> Batch:
        return await adoption.adopt_usage(tx, messages, recorder, clock())

    async def adopt_alerts(tx: WriteConnection, messages: Batch) -> Batch:
        return await adoption.adopt_alerts(tx, messages, clock())

    return [
        Adoption(UsageRecorded, adopt_usage),
        Adoption(PeriodClosed, adoption.adopt_periods),
        Adoption(AlertRaised, adopt_alerts),
        Adoption(AlertCleared, adoption.adopt_clearings),
    ]
