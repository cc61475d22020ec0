"""Published usage and register readings, as those see them who listen."""

from typing import Any

import orjson

from gridtally.contracts.metering import ReadingRecorded, UsageRecorded
from gridtally.ingest.domain.live_readings import LiveEvent
from gridtally.messaging import ReceivedMessage

REGISTER_FIELDS = {
    "reading_id", "version", "meter_id", "flow", "kind", "value", "unit", "quality", "read_at",
    "recorded_at",
}  # fmt: skip
"""What is said of a register reading; the rest is the ledger's."""


def live_event(message: ReceivedMessage[Any], position: str) -> LiveEvent | None:
    """What listeners are sent; None for a tombstone."""
    tenant_id = message.envelope.tenant_id
    match message.event:
        case UsageRecorded() as usage:
            return LiveEvent(
                "reading",
                tenant_id,
                usage.meter_id,
                usage.flow,
                (tenant_id, usage.meter_id, usage.flow, usage.minutes, usage.day),
                usage.version,
                None,
                orjson.dumps(usage.model_dump(mode="json"))[1:],
                position,
            )
        case ReadingRecorded() as reading:
            return LiveEvent(
                "register",
                tenant_id,
                reading.meter_id,
                reading.flow,
                (tenant_id, reading.reading_id),
                reading.version,
                None,
                orjson.dumps(reading.model_dump(mode="json", include=REGISTER_FIELDS))[1:],
                position,
            )
        case _:
            return None
