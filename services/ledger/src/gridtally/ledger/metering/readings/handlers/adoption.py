"""After a restore: entries of register readings that had been published are stored as they were."""

from collections.abc import Sequence
from typing import Any

from gridtally.contracts.metering import ReadingRecorded
from gridtally.database import WriteConnection
from gridtally.ledger.metering.readings.store.adoption import adopt_entries
from gridtally.messaging import ReceivedMessage


async def adopt_readings(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[ReadingRecorded]]
) -> Sequence[ReceivedMessage[Any]]:
    """Entries under their ids, with the moments at which they were made."""
    await adopt_entries(
        tx,
        [
            (message.envelope.tenant_id, message.envelope.correlation_id, message.event)
            for message in messages
            if message.event is not None
        ],
    )
    return []
