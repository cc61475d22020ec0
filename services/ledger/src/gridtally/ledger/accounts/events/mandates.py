"""Events of mandates, from the domain's values."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from gridtally.contracts.direct_debits import MandateChanged
from gridtally.contracts.model import Event
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.mandates import Mandate
from gridtally.ledger.events import SOURCE
from gridtally.messaging import OutgoingMessage


def mandate_changed(customer_id: UUID, mandate: Mandate, version: int) -> MandateChanged:
    """`mandate.changed`: by which mandate a customer may be debited from now on."""
    return MandateChanged(customer_id=customer_id, version=version, **asdict(mandate))


def message_of(event: Event, cause: Cause, version: int, now: datetime) -> OutgoingMessage:
    """The message of a change, whose id follows from what has changed to which version."""
    return OutgoingMessage.of(
        event,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, cause.tenant_id, event.key(), version),
        occurred_at=now,
    )


def mandate_ended(customer_id: UUID, version: int, cause: Cause, now: datetime) -> OutgoingMessage:
    """A tombstone: the customer has no mandate any more, whose last version this was."""
    return OutgoingMessage.raw(
        MandateChanged.TOPIC,
        str(customer_id),
        None,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=derive_id(f"{MandateChanged.TOPIC} ended", cause.tenant_id, customer_id, version),
        occurred_at=now,
    )
