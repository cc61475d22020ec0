"""A message on its way out: topic, key, envelope and the encoded value.

Owns how a key is made (`tenant:resource`) and that a tombstone has no value.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.model import Event


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a producer sends; `value` None is a tombstone on a compacted topic."""

    topic: str
    key: str
    envelope: Envelope
    value: bytes | None

    @classmethod
    def of(
        cls,
        event: Event,
        *,
        tenant_id: str,
        correlation_id: str,
        source: str,
        event_id: UUID,
        occurred_at: datetime,
    ) -> Self:
        """An event, encoded as JSON."""
        return cls.raw(
            event.TOPIC,
            event.key(),
            event.model_dump_json().encode(),
            tenant_id=tenant_id,
            correlation_id=correlation_id,
            source=source,
            event_id=event_id,
            occurred_at=occurred_at,
        )

    @classmethod
    def raw(
        cls,
        topic: str,
        key: str,
        value: bytes | None,
        *,
        tenant_id: str,
        correlation_id: str,
        source: str,
        event_id: UUID,
        occurred_at: datetime,
    ) -> Self:
        """A value that is already encoded; None ends the resource named by `key`."""
        envelope = Envelope(event_id, topic, source, occurred_at, tenant_id, correlation_id)
        return cls(topic, f"{tenant_id}:{key}", envelope, value)
