"""Changing a tenant's rules of dunning and who is stopped, and taking over what was published."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.dunning import DunningRulesChanged, DunningStopChanged
from gridtally.database import WriteConnection
from gridtally.kernel.errors import NotFound
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.dunning import DunningRules, DunningStop
from gridtally.ledger.accounts.events import dunning as events
from gridtally.ledger.accounts.handlers.merges import require_unmerged
from gridtally.ledger.accounts.store import customers, dunning_rules
from gridtally.messaging import ReceivedMessage, enqueue


async def change_rules(tx: WriteConnection, cause: Cause, changed: DunningRules) -> None:
    """Store and publish the rules; notices that were issued stay as they are. Rejected where a fee
    cannot be paid."""
    changed.require_payable()
    version, at = await dunning_rules.upsert_rules(tx, cause.tenant_id, changed)
    published = dunning_rules.published_rules(changed)
    await enqueue(tx, [events.dunning_rules_changed(published, version, cause, at)])


async def adopt_rules(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DunningRulesChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: the rules in the versions that were published."""
    for message in messages:
        if message.event is not None:
            envelope = message.envelope
            await dunning_rules.adopt_rules(
                tx, envelope.tenant_id, message.event, envelope.occurred_at
            )
    return []


async def stop(tx: WriteConnection, cause: Cause, wanted: DunningStop, now: datetime) -> None:
    """Have a customer get no notices; what was issued stays as it is. NotFound
    where there is no such customer; Conflict where it was merged."""
    if not await customers.is_known(tx, cause.tenant_id, wanted.customer_id):
        raise NotFound("customer_unknown", "there is no such customer")
    await customers.lock_customers(tx, [(cause.tenant_id, wanted.customer_id)])
    await require_unmerged(tx, cause.tenant_id, wanted.customer_id)
    version = await dunning_rules.upsert_stop(tx, cause.tenant_id, wanted)
    await enqueue(
        tx, [events.dunning_stop_changed(wanted.customer_id, wanted, version, cause, now)]
    )


async def end_stop(tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime) -> None:
    """Have a customer get notices again; NotFound where none were stopped."""
    await customers.lock_customers(tx, [(cause.tenant_id, customer_id)])
    version = await dunning_rules.end_stop(tx, cause.tenant_id, customer_id)
    if version is None:
        raise NotFound("dunning_stop_unknown", "dunning of this customer is not stopped")
    await enqueue(tx, [events.dunning_stop_changed(customer_id, None, version, cause, now)])


async def adopt_stops(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DunningStopChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: stops, and their ends, in the versions that were published."""
    for message in messages:
        if message.event is not None:
            await dunning_rules.adopt_stop(tx, message.envelope.tenant_id, message.event)
    return []
