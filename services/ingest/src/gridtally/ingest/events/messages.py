"""All events but readings: what other services publish, and what ingest publishes, as bytes.

Events that carry whole days or months of values are encoded from arrays, never value by value.
"""

from datetime import date, datetime
from uuid import UUID

import numpy as np
import orjson

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    PeriodClosed,
    ReadingRecorded,
    ReadingsRejected,
    UsageRecorded,
)
from gridtally.ingest.domain.agreements import Agreement
from gridtally.ingest.domain.derived_meters import MeterDefinitions
from gridtally.ingest.domain.merge import Wh
from gridtally.ingest.domain.meters import Channel, Meter, Registration
from gridtally.ingest.domain.periods import ClosedPeriod
from gridtally.ingest.domain.readings import ReceivedBlocks
from gridtally.ingest.domain.registers import RegisterEntry
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events import SOURCE
from gridtally.kernel.ids import derive_id
from gridtally.messaging import OutgoingMessage
from gridtally.metering.derived_meters import Definition, Term

DETAIL_CHARS_MAX = 500


def registration(tenant_id: str, event: MeterRegistered) -> Registration:
    """A version of a meter."""
    channels = [Channel(**dict(channel)) for channel in event.channels]
    meter = Meter(event.meter_id, event.meter_type, event.zone, tuple(channels))
    return Registration(tenant_id, meter, event.name, event.version, event.property_id)


def meter_definitions(tenant_id: str, event: MeterDefined) -> MeterDefinitions:
    """What a derived meter is the sum of."""
    return MeterDefinitions(
        tenant_id,
        event.meter_id,
        event.version,
        tuple(
            Definition(
                definition.from_on,
                tuple(Term(term.meter_id, term.sign, term.flow) for term in definition.terms),
            )
            for definition in event.definitions
        ),
    )


def agreement(tenant_id: str, event: AgreementChanged) -> Agreement:
    """A version of an agreement; of its days before it is invoiced there are no periods."""
    return Agreement(
        tenant_id,
        event.agreement_id,
        event.meter_id,
        min(event.billed_from_on, event.end_on or date.max),
        event.end_on,
        event.closing,
        event.grace_hours,
        event.version,
        event.calendars(),
    )


def register_entry(tenant_id: str, correlation_id: str, event: ReadingRecorded) -> RegisterEntry:
    """A version of a register reading."""
    return RegisterEntry(
        tenant_id,
        event.reading_id,
        event.meter_id,
        event.flow,
        event.version,
        event.kind,
        event.value,
        event.digits,
        event.rollover_kwh,
        event.multiplier,
        event.read_at,
        event.recorded_at,
        correlation_id,
        event.decimals,
        event.quality,
    )


def readings_rejected(
    received: ReceivedBlocks, index: int, refusal: Refusal, quarantine_id: UUID, now: datetime
) -> OutgoingMessage:
    """Publishes that the block at `index` lies in quarantine."""
    block = received.blocks[index]
    return OutgoingMessage.of(
        ReadingsRejected(
            quarantine_id=quarantine_id,
            event_id=received.event_ids[index],
            meter_id=block.meter_id,
            flow=block.flow,
            start_at=block.start_at,
            minutes=block.minutes,
            values_count=len(block.values),
            reason=refusal.reason,
            detail=refusal.detail[:DETAIL_CHARS_MAX],
            rejected_at=now,
        ),
        tenant_id=received.tenants[index],
        correlation_id=received.correlation_ids[index],
        source=SOURCE,
        event_id=derive_id("readings.rejected", quarantine_id),
        occurred_at=now,
    )


def usage_recorded(changed: ChangedDay) -> OutgoingMessage:
    """Publishes the newest state of a channel-day."""
    meter_id, day = str(changed.meter_id), changed.day.isoformat()
    body = {
        "meter_id": meter_id,
        "flow": changed.flow,
        "day": day,
        "zone": changed.zone,
        "minutes": changed.minutes,
        "version": changed.version,
        "values": orjson.Fragment(values_json(changed.values)),
        "quality": changed.quality,
        "recorded_at": changed.recorded_at,
    }
    return OutgoingMessage.raw(
        UsageRecorded.TOPIC,
        meter_id,
        orjson.dumps(body),
        tenant_id=changed.tenant_id,
        correlation_id=changed.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            "usage.recorded",
            changed.tenant_id,
            meter_id,
            changed.flow,
            changed.minutes,
            day,
            changed.version,
        ),
        occurred_at=changed.recorded_at,
    )


def period_closed(closed: ClosedPeriod, now: datetime) -> OutgoingMessage:
    """Publishes all that was metered in a period."""
    period = closed.period
    agreement_id, start_on = str(period.agreement_id), period.period.start_on.isoformat()
    body = {
        "agreement_id": agreement_id,
        "meter_id": str(period.meter.meter_id),
        "zone": period.meter.zone,
        "start_on": start_on,
        "end_on": period.period.end_on.isoformat(),
        "revision": closed.revision,
        "closed_by": closed.close.by,
        "closed_at": now,
        "expected_intervals": closed.expected,
        "present_intervals": closed.present,
        "series": [
            {
                "flow": flow_series.flow,
                "minutes": flow_series.minutes,
                "values": orjson.Fragment(values_json(flow_series.values)),
                "quality": flow_series.quality.tobytes().decode(),
            }
            | ({"summed": closed.summed} if closed.summed and not index else {})
            for index, flow_series in enumerate(closed.series)
        ],
        "digest": closed.digest,
    }
    return OutgoingMessage.raw(
        PeriodClosed.TOPIC,
        agreement_id,
        orjson.dumps(body),
        tenant_id=period.tenant_id,
        correlation_id=closed.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            "period.closed", period.tenant_id, agreement_id, start_on, closed.revision
        ),
        occurred_at=now,
    )


def values_json(values: Wh) -> bytes:
    """A JSON array; a missing value is the only one with a minus sign, and becomes null."""
    encoded = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return encoded.replace(b"-1", b"null")
