"""Changing a tenant's defaults, and taking over what was published of them."""

from collections.abc import Sequence
from typing import Any

from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.database import WriteConnection
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.events import SOURCE
from gridtally.ledger.registry.domain.tenant_defaults import TenantDefaults
from gridtally.ledger.registry.store import tenant_defaults as store
from gridtally.messaging import OutgoingMessage, ReceivedMessage, enqueue


async def change_defaults(tx: WriteConnection, cause: Cause, changed: TenantDefaults) -> None:
    """Store and publish the defaults; what is there already stays as it is."""
    version, at = await store.upsert_defaults(tx, cause.tenant_id, changed)
    event = TenantDefaultsChanged(
        zone=changed.zone,
        currency=changed.currency,
        country=changed.country,
        meters=store.published_template(changed),
        version=version,
    )
    message = OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, version, at.isoformat()),
        occurred_at=at,
    )
    await enqueue(tx, [message])


async def adopt_defaults(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[TenantDefaultsChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: the defaults in the versions that were published."""
    for message in messages:
        if message.event is not None:
            envelope = message.envelope
            await store.adopt_defaults(tx, envelope.tenant_id, message.event, envelope.occurred_at)
    return []
