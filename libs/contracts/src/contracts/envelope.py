"""The envelope: CloudEvents 1.0 in Kafka's binary mode, attributes as headers, value JSON.

Owns which attributes Gridtally sends and expects. Source: CloudEvents 1.0, Kafka protocol
binding, section 3.2 (https://github.com/cloudevents/spec). Refuses to know the payloads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from kernel.errors import Poison

Headers = Sequence[tuple[str, bytes]]

TENANT_CHARS_MAX = 63
TEXT_CHARS_MAX = 256


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who says what about whom, and what caused it.

    `correlation_id` follows a reading to its ledger posting; `occurred_at` is UTC.
    """

    event_id: UUID
    event_type: str
    source: str
    occurred_at: datetime
    tenant_id: str
    correlation_id: str

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka headers."""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(self.event_id).encode()),
            ("ce_type", self.event_type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", self.occurred_at.astimezone(UTC).isoformat().encode()),
            ("ce_tenantid", self.tenant_id.encode()),
            ("ce_correlationid", self.correlation_id.encode()),
            ("content-type", b"application/json"),
        ]


def read_envelope(headers: Headers) -> Envelope:
    """The envelope in a message's headers; Poison where one is missing or malformed."""
    found = dict(headers)
    try:
        event_id = UUID(found["ce_id"].decode())
        occurred_at = datetime.fromisoformat(found["ce_time"].decode())
        if occurred_at.tzinfo is None:
            raise Poison("ce_time has no time zone")
        envelope = Envelope(
            event_id=event_id,
            event_type=found["ce_type"].decode(),
            source=found["ce_source"].decode(),
            occurred_at=occurred_at.astimezone(UTC),
            tenant_id=found["ce_tenantid"].decode(),
            correlation_id=found.get("ce_correlationid", found["ce_id"]).decode(),
        )
    except KeyError as missing:
        raise Poison(f"the envelope has no {missing.args[0]} header") from None
    except (ValueError, AttributeError, OverflowError) as malformed:
        raise Poison(f"the envelope is malformed: {malformed}") from None
    if "\0" in envelope.tenant_id + envelope.source + envelope.correlation_id:
        raise Poison("the envelope holds a NUL character, which no database stores")
    if not 1 <= len(envelope.tenant_id) <= TENANT_CHARS_MAX:
        raise Poison(f"ce_tenantid must have 1 to {TENANT_CHARS_MAX} characters")
    if len(envelope.correlation_id) > TEXT_CHARS_MAX or len(envelope.source) > TEXT_CHARS_MAX:
        raise Poison(f"ce_source and ce_correlationid have at most {TEXT_CHARS_MAX} characters")
    return envelope
