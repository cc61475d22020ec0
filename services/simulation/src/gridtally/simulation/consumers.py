"""Which events simulation consumes, and how many of each at once."""

import time
from collections.abc import Sequence
from typing import Any

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.simulation import SimulationChunkRequested
from gridtally.database import WriteConnection
from gridtally.messaging import Heartbeat, ReceivedMessage, Subscription
from gridtally.service.service import Process
from gridtally.simulation.handlers import chunks, reference_data
from gridtally.simulation.settings import Settings
from gridtally.simulation.store.services import Services

Messages = Sequence[ReceivedMessage[Any]]
CHUNKS_BATCH_MAX = 1
"""A chunk is a second of work, and a transaction of its own: little is repeated after a crash."""


def subscriptions(process: Process[Settings], services: Services) -> list[Subscription]:
    """One consumer each."""
    clock, heartbeat = process.clock, Heartbeat()

    def beat() -> None:
        heartbeat.beat(now_s=time.monotonic())

    async def rate_chunks(tx: WriteConnection, messages: Messages) -> None:
        await chunks.rate_chunks(tx, messages, services, clock(), beat)

    return [
        Subscription(PropertyChanged, reference_data.apply_properties),
        Subscription(MeterRegistered, reference_data.apply_meters),
        Subscription(
            SimulationChunkRequested,
            rate_chunks,
            batch_messages_max=CHUNKS_BATCH_MAX,
            heartbeat=heartbeat,
        ),
    ]
