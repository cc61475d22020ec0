"""The events that simulation emits, and what it makes of those of others."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gridtally.contracts.envelope import source_of
from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.contracts.model import Event
from gridtally.contracts.simulation import SimulationChunkRequested, SimulationCompleted
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.messaging import OutgoingMessage
from gridtally.simulation.domain.chunks import Chunk
from gridtally.simulation.domain.runs import Progress, Run

SOURCE = source_of("simulation")
Key = tuple[str, UUID]


def chunk_requested(run_id: UUID, chunk: Chunk, cause: Cause, now: datetime) -> OutgoingMessage:
    """The request to rate a chunk of houses."""
    event = SimulationChunkRequested(
        chunk_id=chunk.id,
        run_id=run_id,
        number=chunk.number,
        first_house=chunk.first_house,
        houses=chunk.houses,
    )
    return _outgoing(event, cause.tenant_id, cause.correlation_id, now, chunk.id)


def simulation_completed(
    tenant_id: str,
    run: Run,
    progress: Progress,
    correlation_id: str,
    now: datetime,
    *,
    currency: str | None = None,
    total_amount: Decimal | None = None,
) -> OutgoingMessage:
    """A run that has ended; the total is that of its house bills, where there are any."""
    if progress.status in ("PENDING", "RUNNING"):
        raise ValueError(f"a run that is {progress.status} has not ended")
    event = SimulationCompleted(
        run_id=run.id,
        status=progress.status,
        start_on=run.window.start_on,
        end_on=run.window.end_on,
        houses=progress.houses,
        currency=currency,
        total_amount=total_amount,
        ended_at=now,
    )
    return _outgoing(event, tenant_id, correlation_id, now, run.id)


def _outgoing(
    event: Event, tenant_id: str, correlation_id: str, now: datetime, cause_id: UUID
) -> OutgoingMessage:
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, tenant_id, cause_id),
        occurred_at=now,
    )


def property_rows(changed: Mapping[Key, PropertyChanged]) -> list[dict[str, Any]]:
    """Properties as rows."""
    return [
        {
            "tenant_id": tenant_id,
            "id": property_id,
            "name": event.name,
            "zone": event.zone,
            "connected_kw": event.connected_kw,
            "parent_id": event.parent_id,
            "version": event.version,
        }
        for (tenant_id, property_id), event in changed.items()
    ]


def meter_rows(registered: Mapping[Key, MeterRegistered]) -> list[dict[str, Any]]:
    """Meters as rows; the flows as JSON."""
    return [
        {
            "tenant_id": tenant_id,
            "id": meter_id,
            "property_id": event.property_id,
            "meter_type": event.meter_type,
            "connected_kw": event.connected_kw,
            "flows": [channel.flow for channel in event.channels],
            "version": event.version,
        }
        for (tenant_id, meter_id), event in registered.items()
    ]
