"""Batches of direct debits: made, cancelled, erased of names, and taken over after a restore."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from gridtally.contracts.direct_debits import DirectDebitBatchChanged, DirectDebitChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.money import in_currency
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.direct_debits import (
    CURRENCY,
    DEBITS_MAX,
    HELD_DAYS,
    Batch,
    Debit,
    debits_of,
    require_collection_day,
)
from gridtally.ledger.accounts.domain.open_items import OpenItemKind
from gridtally.ledger.accounts.events.mandates import message_of
from gridtally.ledger.accounts.handlers.mandates import Messages, forget_mandate
from gridtally.ledger.accounts.store import direct_debits as store
from gridtally.ledger.accounts.store import mandates
from gridtally.ledger.accounts.store.direct_debits import BatchPosition
from gridtally.messaging import ReceivedMessage, enqueue


@dataclass(frozen=True, slots=True)
class RequestedBatch:
    """What is to be collected, and when: what is due through a day, also what came back before."""

    due_through: date
    collection_on: date
    returned_too: bool


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """A batch with its debits, by id what their items are, and whether more could have been in it
    than a batch holds."""

    batch: Batch
    debits: Sequence[Debit]
    kinds: Mapping[UUID, OpenItemKind]
    more: bool


async def make_batch(
    tx: WriteConnection, cause: Cause, wanted: RequestedBatch, now: datetime, *, dry_run: bool
) -> MadeBatch:
    """Collect what is due of customers with a mandate in force; a dry run stores nothing.

    Batches of a tenant are made one after another, so that no item is in two of them. Rejected
    where nobody has said for whom it is, or nothing can be collected on the day.
    """
    settings = await mandates.fetch_settings(tx, cause.tenant_id, lock=True)
    if settings is None:
        raise Rejected("creditor_missing", "say first for whom it is: /v1/direct-debit-settings")
    creditor, lead_days, _ = settings
    today = now.astimezone(UTC).date()
    require_collection_day(wanted.collection_on, today, lead_days)
    batch = Batch(
        id=new_id(),
        creditor_id=creditor.creditor_id,
        creditor_name=creditor.name,
        creditor_iban=creditor.iban,
        creditor_bic=creditor.bic,
        due_through=wanted.due_through,
        collection_on=wanted.collection_on,
        created_at=now.replace(microsecond=0),
    )
    items = await store.list_collectable(
        tx,
        cause.tenant_id,
        due_through=wanted.due_through,
        collection_on=wanted.collection_on,
        held_since=today - timedelta(days=HELD_DAYS),
        returned_too=wanted.returned_too,
        items_max=DEBITS_MAX + 1,
    )
    made = MadeBatch(
        batch,
        debits_of(batch.id, items[:DEBITS_MAX]),
        {item.item_id: item.kind for item in items},
        len(items) > DEBITS_MAX,
    )
    if made.debits and not dry_run:
        await _put_batch(tx, cause, batch, 1, now)
        await _put_debits(tx, cause, [(debit, 1) for debit in made.debits], now)
    return made


async def fetch_batch(read: ReadConnection, tenant_id: str, id_: UUID) -> BatchPosition:
    """A batch as it stands; NotFound where there is none."""
    batches = await store.fetch_batches(read, tenant_id, [id_])
    if not batches:
        raise NotFound("direct_debits_unknown", "no batch of direct debits has this id")
    return batches[0]


async def cancel_batch(tx: WriteConnection, cause: Cause, id_: UUID, now: datetime) -> None:
    """Have a batch not collected, so that its items may be in another one; Conflict from the day of
    its collection on."""
    await mandates.fetch_settings(tx, cause.tenant_id, lock=True)
    position = await fetch_batch(tx, cause.tenant_id, id_)
    position.batch.require_cancellable(now.astimezone(UTC).date(), position.collected)
    cancelled = replace(position.batch, cancelled_at=now)
    await _put_batch(tx, cause, cancelled, position.version + 1, now)


async def erase_debits(tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime) -> None:
    """Forget the mandate of a customer who was erased, and whose account each debit was for. The
    customer must be locked; a batch that is being made is waited for."""
    await mandates.fetch_settings(tx, cause.tenant_id, lock=True)
    await forget_mandate(tx, cause, customer_id, now)
    debits = await store.fetch_naming(tx, cause.tenant_id, customer_id)
    erased = [
        (replace(debit, iban=None, bic=None, holder=None), version + 1) for debit, version in debits
    ]
    await _put_debits(tx, cause, erased, now)


async def _put_batch(
    tx: WriteConnection, cause: Cause, batch: Batch, version: int, now: datetime
) -> None:
    fields = asdict(batch)
    event = DirectDebitBatchChanged(batch_id=fields.pop("id"), version=version, **fields)
    await store.put_batch(tx, cause.tenant_id, event)
    await enqueue(tx, [message_of(event, cause, version, now)])


async def _put_debits(
    tx: WriteConnection, cause: Cause, debits: Sequence[tuple[Debit, int]], now: datetime
) -> None:
    events = [_debit_changed(debit, version) for debit, version in debits]
    await store.put_debits(tx, [(cause.tenant_id, event) for event in events])
    await enqueue(tx, [message_of(event, cause, event.version, now) for event in events])


def _debit_changed(debit: Debit, version: int) -> DirectDebitChanged:
    fields = asdict(debit)
    return DirectDebitChanged(
        debit_id=fields.pop("id"),
        invoice_id=fields.pop("item_id"),
        version=version,
        **fields | {"amount": in_currency(debit.amount, CURRENCY)},
    )


async def adopt_batches(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DirectDebitBatchChanged]]
) -> Messages:
    """After a restore: batches in the versions that were published."""
    for message in messages:
        if message.event is not None:
            await store.put_batch(tx, message.envelope.tenant_id, message.event)
    return []


async def adopt_debits(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DirectDebitChanged]]
) -> Messages:
    """After a restore: debits in the versions that were published."""
    newest: dict[tuple[str, UUID], DirectDebitChanged] = {}
    for message in messages:
        if message.event is not None:
            newest[message.envelope.tenant_id, message.event.debit_id] = message.event
    await store.put_debits(tx, [(tenant_id, event) for (tenant_id, _), event in newest.items()])
    return []
