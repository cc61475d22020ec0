"""Contracts ↔ domain: what arrives, as the rules see it, and what goes out, as bytes.

Events that carry whole days or months of values are encoded from arrays, never value by value.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np
import orjson

from contracts.envelope import Envelope
from contracts.metering import (
    PeriodClosed,
    ReadingsReceived,
    ReadingsRejected,
    UsageRecorded,
)
from ingest.domain.checks import Block, Refusal
from ingest.domain.merge import Wh
from ingest.domain.meters import Meter
from ingest.domain.periods import ClosedBy, FlowSeries, OpenPeriod, digest
from kernel.ids import derive_id
from messaging import Outgoing

SOURCE = "gridtally/ingest"
LETTERS = {"actual": ord("A"), "estimated": ord("E"), "substituted": ord("S")}
DETAIL_CHARS_MAX = 500
NUL = b"\\u0000"
"""As JSON writes it; PostgreSQL's texts cannot hold it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block of readings with its envelope; `partition` is -1 when it comes from our own store."""

    envelope: Envelope
    event: ReadingsReceived
    value: bytes
    partition: int

    @property
    def read_at(self) -> datetime:
        """When it was read from the meter, as far as is known."""
        return self.event.read_at or self.envelope.occurred_at


def to_block(
    event: ReadingsReceived, *, tenant_id: str, meter: Meter | None, read_at: datetime
) -> Block:
    """The block as the rules look at it."""
    return Block(
        tenant_id,
        meter,
        event.flow,
        event.start_at,
        event.minutes,
        event.unit,
        event.values,
        LETTERS[event.quality],
        read_at,
    )


def values_json(values: Wh) -> bytes:
    """A JSON array; a missing value is the only one with a minus sign, and becomes null."""
    encoded = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return encoded.replace(b"-1", b"null")


def rejected(arrival: Arrival, refusal: Refusal, quarantine_id: UUID, now: datetime) -> Outgoing:
    """Tells that a block lies in quarantine."""
    event, envelope = arrival.event, arrival.envelope
    return Outgoing.of(
        ReadingsRejected(
            quarantine_id=quarantine_id,
            event_id=envelope.event_id,
            meter_id=event.meter_id,
            flow=event.flow,
            start_at=event.start_at,
            minutes=event.minutes,
            values_count=len(event.values),
            reason=refusal.reason,
            detail=refusal.detail[:DETAIL_CHARS_MAX],
            rejected_at=now,
        ),
        tenant_id=envelope.tenant_id,
        correlation_id=envelope.correlation_id,
        source=SOURCE,
        event_id=derive_id("readings.rejected", quarantine_id),
        occurred_at=now,
    )


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A channel-day to be announced, in its newest version."""

    tenant_id: str
    meter_id: UUID
    flow: str
    minutes: int
    day: date
    zone: str
    version: int
    recorded_at: datetime
    correlation_id: str
    quality: str
    values: Wh


def usage_recorded(it: ChangedDay) -> Outgoing:
    """Tells the newest state of a channel-day."""
    meter_id, day = str(it.meter_id), it.day.isoformat()
    body = {
        "meter_id": meter_id,
        "flow": it.flow,
        "day": day,
        "zone": it.zone,
        "minutes": it.minutes,
        "version": it.version,
        "values": orjson.Fragment(values_json(it.values)),
        "quality": it.quality,
        "recorded_at": it.recorded_at,
    }
    return Outgoing.raw(
        UsageRecorded.TOPIC,
        meter_id,
        orjson.dumps(body),
        tenant_id=it.tenant_id,
        correlation_id=it.correlation_id,
        source=SOURCE,
        event_id=derive_id(
            "usage.recorded", it.tenant_id, meter_id, it.flow, it.minutes, day, it.version
        ),
        occurred_at=it.recorded_at,
    )


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A period as it is closed now, with all that its event tells."""

    of: OpenPeriod
    revision: int
    closed_by: ClosedBy
    series: tuple[FlowSeries, ...]
    digest: str
    correlation_id: str

    @classmethod
    def of_series(
        cls, of: OpenPeriod, by: ClosedBy, series: tuple[FlowSeries, ...], correlation_id: str
    ) -> "ClosedPeriod":
        """The next revision of a period."""
        return cls(of, of.revision + 1, by, series, digest(series), correlation_id)

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return sum(one.present for one in self.series)


def period_closed(it: ClosedPeriod, now: datetime) -> Outgoing:
    """Tells all that was metered in a period."""
    of = it.of
    agreement_id, start_on = str(of.agreement_id), of.period.start_on.isoformat()
    body = {
        "agreement_id": agreement_id,
        "meter_id": str(of.meter.meter_id),
        "zone": of.meter.zone,
        "start_on": start_on,
        "end_on": of.period.end_on.isoformat(),
        "revision": it.revision,
        "closed_by": it.closed_by,
        "closed_at": now,
        "expected_intervals": of.expected,
        "present_intervals": it.present,
        "series": [
            {
                "flow": one.flow,
                "minutes": one.minutes,
                "values": orjson.Fragment(values_json(one.values)),
                "quality": one.quality.tobytes().decode(),
            }
            for one in it.series
        ],
        "digest": it.digest,
    }
    return Outgoing.raw(
        PeriodClosed.TOPIC,
        agreement_id,
        orjson.dumps(body),
        tenant_id=of.tenant_id,
        correlation_id=it.correlation_id,
        source=SOURCE,
        event_id=derive_id("period.closed", of.tenant_id, agreement_id, start_on, it.revision),
        occurred_at=now,
    )
