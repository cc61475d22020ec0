"""Messages to endpoints, made from events as they came."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.webhooks import TEST_TYPE, Endpoints, NewMessage, wanted
from gridtally.kernel.ids import derive_id
from gridtally.messaging import ReceivedMessage


def messages_of(
    received: Sequence[ReceivedMessage[Any]], endpoints: Endpoints
) -> Iterator[NewMessage]:
    """A message for each endpoint that wants the event and was there when it happened."""
    for message in received:
        envelope = message.envelope
        if message.value is None:
            continue
        for tenant_id, endpoint, since in endpoints:
            is_addressed = tenant_id == envelope.tenant_id and since <= envelope.occurred_at
            if is_addressed and wanted(endpoint, message.topic):
                yield NewMessage(
                    tenant_id,
                    derive_id("webhook", endpoint.id, envelope.event_id),
                    endpoint.id,
                    message.topic,
                    _body(message.topic, envelope.occurred_at, message.value),
                    envelope.occurred_at,
                )


def test_message(tenant_id: str, endpoint_id: UUID, message_id: UUID, now: datetime) -> NewMessage:
    """A message that says nothing, to see whether the endpoint takes it."""
    body = _body(TEST_TYPE, now, b"{}")
    return NewMessage(tenant_id, message_id, endpoint_id, TEST_TYPE, body, now)


def _body(type_: str, at: datetime, value: bytes) -> bytes:
    """The message by Standard Webhooks; `value` is JSON already."""
    return b'{"type":"%s","timestamp":"%s","data":%s}' % (
        type_.encode(),
        at.isoformat().replace("+00:00", "Z").encode(),
        value,
    )
