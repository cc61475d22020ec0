"""Changing a tenant's payment terms, and taking over what was published of them."""

from collections.abc import Sequence
from typing import Any

from gridtally.contracts.registry import PaymentTermsChanged
from gridtally.database import WriteConnection
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.store import credit, terms
from gridtally.messaging import ReceivedMessage, enqueue


async def change_terms(tx: WriteConnection, cause: Cause, changed: Terms) -> None:
    """Store and publish the terms; credit that is there already is applied by the loop, if they
    say so."""
    version, at = await terms.upsert_terms(tx, cause.tenant_id, changed)
    await enqueue(tx, [events.payment_terms_changed(changed, version, cause, at)])
    if changed.credit_allocation == "oldest_first":
        await credit.mark_credit_due(tx, cause.tenant_id)


async def adopt_terms(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PaymentTermsChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: the terms in the versions that were published. They come before anything is
    posted, since credit is spent by them."""
    for message in messages:
        if message.event is not None:
            envelope = message.envelope
            await terms.adopt_terms(tx, envelope.tenant_id, message.event, envelope.occurred_at)
    return []
