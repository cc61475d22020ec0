"""`agreement.changed`, and its tombstone."""

from dataclasses import asdict
from datetime import datetime

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.events.json_form import SOURCE
from gridtally.contracts.commerce import AgreementChanged
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause
from gridtally.messaging import OutgoingMessage


def agreement_changed(agreement: Agreement, cause: Cause, now: datetime) -> OutgoingMessage:
    """The agreement as it is now.

    The moment is part of the event's id: one that is deleted and made again under its id begins at
    version 1 again, and two events must not share an id.
    """
    fields = asdict(agreement) | {"agreement_id": agreement.id}
    event_id = derive_id(
        "agreement.changed", cause.tenant_id, agreement.id, agreement.version, now.isoformat()
    )
    return OutgoingMessage.of(
        AgreementChanged.model_validate(fields),
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )


def agreement_ended(agreement: Agreement, cause: Cause, now: datetime) -> OutgoingMessage:
    """The tombstone of an agreement that was deleted."""
    event_id = derive_id(
        "agreement.changed", cause.tenant_id, agreement.id, "ended", now.isoformat()
    )
    return OutgoingMessage.raw(
        AgreementChanged.TOPIC,
        str(agreement.id),
        None,
        tenant_id=cause.tenant_id,
        correlation_id=cause.correlation_id,
        source=SOURCE,
        event_id=event_id,
        occurred_at=now,
    )
