"""Readings as events."""

from gridtally.contracts.metering import ReadingRecorded
from gridtally.kernel.resources import Cause
from gridtally.ledger.events import SOURCE
from gridtally.ledger.metering.readings.domain.readings import RecordedEntry
from gridtally.messaging import OutgoingMessage


def reading_recorded(recorded: RecordedEntry, cause: Cause) -> OutgoingMessage:
    """`reading.recorded`: an entry, with all that others need to compute energy from it."""
    entry = recorded.entry
    event = ReadingRecorded(
        entry_id=entry.id,
        reading_id=entry.reading_id,
        version=entry.version,
        supersedes_id=entry.supersedes_id,
        meter_id=entry.meter_id,
        property_id=entry.property_id,
        flow=entry.register.flow,
        kind=entry.kind,
        exchange_id=entry.exchange_id,
        value=entry.value,
        digits=entry.register.digits,
        decimals=entry.register.decimals,
        multiplier=entry.register.multiplier,
        rollover_kwh=entry.register.rollover_kwh,
        quality=entry.quality,
        read_at=entry.read_at,
        recorded_at=recorded.created_at,
    )
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=entry.id,
        occurred_at=recorded.created_at,
    )
