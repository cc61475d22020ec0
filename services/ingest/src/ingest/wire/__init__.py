"""Contracts ↔ domain: what arrives, as the rules see it, and what goes out, as bytes.

Events that carry whole days or months of values are encoded from arrays, never value by value.
"""

from collections.abc import Sequence
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
from ingest.domain.merge import LETTERS, OF_REGISTER, Wh
from ingest.domain.periods import Close, FlowSeries, OpenPeriod, digest
from kernel.errors import Poison
from kernel.ids import derive_id
from messaging import Outgoing, Received

SOURCE = "gridtally/ingest"
SOURCE_REGISTERS = "gridtally/ingest/registers"
"""Of blocks that are made here, of the reads of registers."""
DETAIL_CHARS_MAX = 500
OWN_STORE = -1
"""The partition of what we take up again ourselves."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Blocks of readings with their envelopes, in columns, one entry per block in each.

    `read_at` is when each was read from its meter, as far as is known.
    """

    envelopes: Sequence[Envelope]
    tenants: Sequence[str]
    blocks: Sequence[Block]
    values: Sequence[bytes]
    partitions: Sequence[int]
    read_at: Sequence[datetime]

    @classmethod
    def of(
        cls,
        envelopes: Sequence[Envelope],
        blocks: Sequence[Block],
        values: Sequence[bytes],
        partitions: Sequence[int],
    ) -> "Arrivals":
        """What was read at no time that is known was read when its envelope says it occurred."""
        read_at = [
            block.read_at or envelope.occurred_at
            for block, envelope in zip(blocks, envelopes, strict=True)
        ]
        tenants = [envelope.tenant_id for envelope in envelopes]
        return cls(envelopes, tenants, blocks, values, partitions, read_at)

    def __len__(self) -> int:
        return len(self.blocks)

    def letters(self) -> list[int]:
        """Of what quality they are, to be merged by."""
        return [
            OF_REGISTER if envelope.source == SOURCE_REGISTERS else LETTERS[block.quality]
            for block, envelope in zip(self.blocks, self.envelopes, strict=True)
        ]


def arrivals_of(batch: Sequence[Received[Block]]) -> Arrivals:
    """A batch as the consumer hands it on.

    Poison for a tombstone, which readings do not have, and for whoever speaks as our own registers:
    only their blocks may take values back, and they never come over the broker.
    """
    blocks = [one.event for one in batch if one.event is not None]
    values = [one.value for one in batch if one.value is not None]
    if not len(blocks) == len(values) == len(batch):
        raise Poison(f"{ReadingsReceived.TOPIC} has no tombstones")
    if SOURCE_REGISTERS in {one.envelope.source for one in batch}:
        raise Poison(f"nobody else may speak as {SOURCE_REGISTERS}")
    partitions = [one.partition for one in batch]
    return Arrivals.of([one.envelope for one in batch], blocks, values, partitions)


def values_json(values: Wh) -> bytes:
    """A JSON array; a missing value is the only one with a minus sign, and becomes null."""
    encoded = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return encoded.replace(b"-1", b"null")


def rejected(
    block: Block,
    envelope: Envelope,
    refusal: Refusal,
    quarantine_id: UUID,
    now: datetime,
) -> Outgoing:
    """Tells that a block lies in quarantine."""
    return Outgoing.of(
        ReadingsRejected(
            quarantine_id=quarantine_id,
            event_id=envelope.event_id,
            meter_id=block.meter_id,
            flow=block.flow,
            start_at=block.start_at,
            minutes=block.minutes,
            values_count=len(block.values),
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
    close: Close
    series: tuple[FlowSeries, ...]
    digest: str
    correlation_id: str

    @classmethod
    def of_series(
        cls, of: OpenPeriod, close: Close, series: tuple[FlowSeries, ...], correlation_id: str
    ) -> "ClosedPeriod":
        """The next revision of a period."""
        return cls(of, of.revision + 1, close, series, digest(series), correlation_id)

    @property
    def says_more(self) -> bool:
        """Whether it differs from the revision before: in its series, or in that it is billed
        without being complete."""
        given_up = self.of.closed_by == "complete" and self.close.by != "complete"
        return given_up or self.digest != self.of.digest

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
        "closed_by": it.close.by,
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
