"""`customer.changed`."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.customers import Customer
from gridtally.billing.events.json_form import SOURCE
from gridtally.contracts.commerce import CustomerChanged
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Stored
from gridtally.messaging import OutgoingMessage


def customer_changed(tenant_id: str, stored: Stored[Customer], now: datetime) -> OutgoingMessage:
    """The customer as it is."""
    customer = stored.resource
    event_id = derive_id("customer.changed", tenant_id, customer.id, stored.version)
    fields = asdict(customer) | {"customer_id": customer.id, "version": stored.version}
    return OutgoingMessage.of(
        CustomerChanged.model_validate(fields),
        tenant_id=tenant_id,
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )


def customer_ended(
    tenant_id: str, customer_id: UUID, correlation_id: str, now: datetime
) -> OutgoingMessage:
    """The tombstone of a customer who was deleted."""
    return OutgoingMessage.raw(
        CustomerChanged.TOPIC,
        str(customer_id),
        None,
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source=SOURCE,
        event_id=derive_id("customer.changed", tenant_id, customer_id, "ended"),
        occurred_at=now,
    )
