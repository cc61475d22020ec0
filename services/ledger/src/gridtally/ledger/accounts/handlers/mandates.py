"""Mandates and the creditor: declaring and publishing them, and taking over what was published."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.direct_debits import DirectDebitSettingsChanged, MandateChanged
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound, Transient
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.direct_debits import Creditor
from gridtally.ledger.accounts.domain.mandates import Mandate
from gridtally.ledger.accounts.events.mandates import mandate_changed, mandate_ended, message_of
from gridtally.ledger.accounts.handlers.merges import require_unmerged
from gridtally.ledger.accounts.store import customers
from gridtally.ledger.accounts.store import mandates as store
from gridtally.messaging import ReceivedMessage, enqueue, resource_key

Messages = Sequence[ReceivedMessage[Any]]


def unknown_mandate() -> NotFound:
    """There is no such mandate."""
    return NotFound("mandate_unknown", "this customer has no mandate")


async def declare_mandate(
    tx: WriteConnection, cause: Cause, customer_id: UUID, wanted: Mandate, now: datetime
) -> Mandate:
    """Have a customer debited by a mandate from now on, instead of the one before; the same again
    changes nothing.

    NotFound for nobody who is known. Conflict where the customer was merged, where another mandate
    has the id, or what was signed under it was used or revoked: another account is another mandate.
    """
    tenant_id = cause.tenant_id
    await customers.lock_unchanged(tx, [(tenant_id, customer_id)])
    await require_unmerged(tx, tenant_id, customer_id)
    if not await store.is_known(tx, tenant_id, customer_id):
        raise NotFound("customer_unknown", "no customer has this id")
    current = await store.fetch_mandate(tx, tenant_id, customer_id)
    if current is not None and current[0].mandate_id == wanted.mandate_id:
        mandate, _ = current
        same = ("sequence", "last_collected_on")  # which the debits may have moved on
        if replace(wanted, **{name: getattr(mandate, name) for name in same}) == mandate:
            return mandate
        if mandate.revoked_on or await store.is_used(tx, tenant_id, wanted.mandate_id):
            raise _used()
    elif await store.is_used(tx, tenant_id, wanted.mandate_id):
        raise _used()
    if await store.is_taken(tx, tenant_id, wanted.mandate_id, customer_id):
        raise Conflict("mandate_id_taken", "another customer's mandate has this id")
    version = (current[1] if current else 0) + 1
    await _put(tx, cause, customer_id, wanted, version, now)
    return wanted


def _used() -> Conflict:
    """Whoever reads a bank's statement must know what was signed under an id."""
    return Conflict(
        "mandate_used", "it was used or revoked: what is signed anew has an id of its own"
    )


async def revoke_mandate(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """Collect nothing more by a customer's mandate; NotFound where there is none."""
    await customers.lock_unchanged(tx, [(cause.tenant_id, customer_id)])
    current = await store.fetch_mandate(tx, cause.tenant_id, customer_id)
    if current is None:
        raise unknown_mandate()
    mandate, version = current
    if mandate.revoked_on is None:
        revoked = replace(mandate, revoked_on=now.date())
        await _put(tx, cause, customer_id, revoked, version + 1, now)


async def _put(
    tx: WriteConnection,
    cause: Cause,
    customer_id: UUID,
    mandate: Mandate,
    version: int,
    now: datetime,
) -> None:
    event = mandate_changed(customer_id, mandate, version)
    if not await store.put_mandate(tx, cause.tenant_id, event):
        raise Transient("the mandate's id is being taken")
    await enqueue(tx, [message_of(event, cause, version, now)])


async def forget_mandate(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """Delete the mandate of a customer who was erased, and have all others forget it."""
    version = await store.delete_mandate(tx, cause.tenant_id, customer_id)
    if version is None:
        return
    await enqueue(tx, [mandate_ended(customer_id, version, cause, now)])


async def declare_creditor(
    tx: WriteConnection, cause: Cause, creditor: Creditor, lead_days: int, now: datetime
) -> None:
    """Collect for this creditor from now on; batches that were made stay as they are."""
    current = await store.fetch_settings(tx, cause.tenant_id, lock=True)
    version = (current[2] if current else 0) + 1
    event = DirectDebitSettingsChanged(**asdict(creditor), lead_days=lead_days, version=version)
    if not await store.put_settings(tx, cause.tenant_id, event):
        raise Transient("somebody else said at this moment for whom it is")
    await enqueue(tx, [message_of(event, cause, version, now)])


async def adopt_mandates(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MandateChanged]]
) -> Messages:
    """After a restore: mandates in the versions that were published. One waits while another has
    its id; a merge has given it to whoever has its newer version."""
    waiting: list[ReceivedMessage[Any]] = []
    for message in messages:
        tenant_id, customer_id = resource_key(message)
        if message.event is None:
            await store.delete_mandate(tx, tenant_id, customer_id)
        elif not await store.adopt_mandate(tx, tenant_id, message.event):
            waiting.append(message)
    return waiting


async def adopt_settings(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DirectDebitSettingsChanged]]
) -> Messages:
    """After a restore: the creditors in the versions that were published."""
    for message in messages:
        if message.event is not None:
            await store.put_settings(tx, message.envelope.tenant_id, message.event)
    return []
