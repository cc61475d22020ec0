"""Posting what billing has issued: each document exactly once, in whatever order they come.

Refuses a document that contradicts itself, or that differs from what was posted under its id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Poison
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import ZERO, OpenItem
from gridtally.ledger.accounts.domain.postings import Document, post_document
from gridtally.ledger.accounts.domain.reversals import (
    LiveAllocation,
    Reason,
    deallocate,
    money_of,
    taken_for_credit,
)
from gridtally.ledger.accounts.domain.terms import PAYMENT_DAYS_DEFAULT
from gridtally.ledger.accounts.domain.transactions import Transaction, sum_of
from gridtally.ledger.accounts.handlers.budget_plans import defer_invoices, plans_behind
from gridtally.ledger.accounts.handlers.credit import apply_credits, causes_of
from gridtally.ledger.accounts.handlers.merges import collect_posted
from gridtally.ledger.accounts.handlers.unmatched_payments import match_payments
from gridtally.ledger.accounts.store import (
    customer_accounts,
    customers,
    open_items,
    payees,
    terms,
    transactions,
    void_notes,
)
from gridtally.ledger.accounts.store.customers import Key
from gridtally.messaging import ReceivedMessage


async def post_invoices(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[InvoiceIssued]]
) -> None:
    """Post each invoice, and pay it with the customer's credit, unless it waits for the settlement
    of a budget plan; Poison where one cannot be posted.

    Whoever gets an invoice is known from then on.
    """
    known = await terms.fetch_terms(tx, {message.envelope.tenant_id for message in batch})
    documents = [events.invoice(events.present(message), message.envelope) for message in batch]
    own = await terms.fetch_payment_days(
        tx, {(document.tenant_id, document.customer_id) for document in documents}
    )
    invoices = [
        _posted(
            document,
            own.get(
                (document.tenant_id, document.customer_id), known[document.tenant_id].payment_days
            ),
        )
        for document in documents
    ]
    merged = await _lock_customers(tx, invoices)
    inserted = await collect_posted(tx, await _insert(tx, invoices), merged)
    causes = causes_of(inserted)
    fresh = await customers.insert_known(tx, causes.keys())
    new = {(transaction.tenant_id, transaction.id): transaction for transaction in inserted}
    by_key = {
        (document.tenant_id, transaction.id): document
        for document, transaction in zip(documents, invoices, strict=True)
    }
    await defer_invoices(tx, [(by_key[key], transaction) for key, transaction in new.items()])
    await match_payments(tx, fresh)
    await apply_credits(tx, causes)


async def post_credit_notes(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[CreditNoteIssued]]
) -> None:
    """Post the mirror image of each invoice that is cancelled, or of the part that is credited,
    deallocate what was paid of that, and pay with it what else is open; Poison where one cannot be
    posted."""
    documents = [events.credit_note(events.present(message), message.envelope) for message in batch]
    credit_notes = [_posted(document) for document in await _as_invoiced(tx, documents)]
    merged = await _lock_customers(tx, credit_notes)
    deallocations = await _deallocations(tx, credit_notes, merged)
    inserted = await _insert(tx, credit_notes, deallocations)
    inserted = await collect_posted(tx, inserted, merged)
    await apply_credits(tx, causes_of(inserted))


async def record_voided_invoices(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[InvoiceVoided]]
) -> None:
    """Store each note that an invoice was voided; the postings come with the credit note."""
    notes = [events.void_note(events.present(message), message.envelope) for message in batch]
    await void_notes.insert_void_notes(tx, notes)


async def _as_invoiced(tx: WriteConnection, credit_notes: Sequence[Document]) -> list[Document]:
    """Credit notes as their invoices were booked: what payees get of an invoice that was posted
    before they had accounts went to revenue, and comes from there."""
    keys = [
        (note.tenant_id, note.credits_id)
        for note in credit_notes
        if note.credits_id is not None and note.names_payees
    ]
    by_kind = await payees.fetch_booked_by_kind(tx, keys)
    return [
        note.booked_by_kind() if (note.tenant_id, note.credits_id) in by_kind else note
        for note in credit_notes
    ]


def _posted(document: Document, payment_days: int = PAYMENT_DAYS_DEFAULT) -> Transaction:
    """The transaction of a document; Poison where the document contradicts itself."""
    try:
        return post_document(document, payment_days)
    except ValueError as failure:
        raise Poison(str(failure)) from failure


async def _lock_customers(tx: WriteConnection, batch: Sequence[Transaction]) -> Mapping[Key, UUID]:
    """Lock before anything is read that decides: what is live of an item must not change until the
    commit. Returns into whom those were merged whom documents name, and who are duplicates."""
    keys = [(transaction.tenant_id, transaction.owner_id) for transaction in batch]
    return await customers.lock_customers(tx, keys)


async def _deallocations(
    tx: WriteConnection, credit_notes: Sequence[Transaction], merged: Mapping[Key, UUID]
) -> list[Transaction]:
    """What takes back the payments of the invoices that these credit notes, those of them that are
    new, cancel or credit in part; the customers are locked.

    An item is cancelled once: by the first of several credit notes for it.
    """
    credited = {
        (note.tenant_id, allocation.item_id)
        for note in credit_notes
        for allocation in note.allocations
    }
    items = await open_items.fetch_items(tx, sorted(credited))
    if not items:
        return []
    live = await open_items.fetch_allocations_of_items(tx, list(items))
    known = await transactions.fetch_digests(
        tx, [(note.tenant_id, note.id) for note in credit_notes]
    )
    accounts = await customer_accounts.fetch_customer_accounts(
        tx, [(note.tenant_id, note.owner_id, note.currency) for note in credit_notes]
    )
    deallocations = []
    done = set(known)
    for note in credit_notes:
        keys = [(note.tenant_id, allocation.item_id) for allocation in note.allocations]
        if not keys or keys[0] not in items or (note.tenant_id, note.id) in done:
            continue
        key = keys[0]
        if items[key].voided:
            continue
        done.add((note.tenant_id, note.id))
        account = accounts[note.tenant_id, note.owner_id, note.currency]
        owner = (note.tenant_id, merged.get((note.tenant_id, note.owner_id), note.owner_id))
        plans = await plans_behind(tx, owner, live.get(key, []), note.occurred_at)
        deallocation = _deallocation(account, items[key], live.get(key, []), note, plans)
        if deallocation is not None:
            deallocations.append(deallocation)
        items[key], live[key] = _after(items[key], live.get(key, []), note, deallocation)
    return deallocations


def _after(
    item: OpenItem,
    live: Sequence[LiveAllocation],
    credit_note: Transaction,
    deallocation: Transaction | None,
) -> tuple[OpenItem, list[LiveAllocation]]:
    """The item and what is allocated to it, once a credit note and what it takes back are posted:
    the next one in the batch finds it so."""
    taken = (
        {} if deallocation is None else {a.source_id: a.amount for a in deallocation.allocations}
    )
    rest = [
        replace(own, amount=EXACT.add(own.amount, taken.get(own.source_id, ZERO))) for own in live
    ]
    moved = sum_of([*(a.amount for a in credit_note.allocations), *taken.values()])
    allocated = EXACT.add(item.allocated, moved)
    voided = item.voided or credit_note.voids is not None
    return replace(item, allocated=allocated, voided=voided), [own for own in rest if own.amount]


def _deallocation(
    account: CustomerAccount,
    item: OpenItem,
    live: Sequence[LiveAllocation],
    credit_note: Transaction,
    plans: Mapping[UUID, Account],
) -> Transaction | None:
    """What is taken back for a credit note; Poison where that credits more than is left."""
    if credit_note.voids is not None:
        taken, memo = money_of(live), f"cancelled by {credit_note.reference}"
    else:
        memo = f"credited by {credit_note.reference}"
        try:
            taken = taken_for_credit(item, live, credit_note.total)
        except ValueError as failure:
            raise Poison(f"{credit_note.reference} {failure}") from failure
    reason = Reason(memo, credit_note.occurred_at, credit_note.correlation_id)
    return deallocate(account, item, taken, credit_note.document_id, reason, plans)


async def _insert(
    tx: WriteConnection, batch: Sequence[Transaction], deallocations: Sequence[Transaction] = ()
) -> list[Transaction]:
    """Insert documents and what they deallocate; a repetition changes nothing. Returns the
    documents that are new.

    A document that was not inserted is either there with the same digest, or contradicts what is
    posted under its id, or cancels an invoice that has its credit note already: Poison.
    """
    by_key = {(document.tenant_id, document.id): document for document in batch}
    inserted = await transactions.insert_transactions(tx, [*by_key.values(), *deallocations])
    new = [document for key, document in by_key.items() if key in inserted]
    if len(inserted) == len(batch) + len(deallocations):
        return new
    digests = {key: by_key[key].digest for key in inserted if key in by_key}
    digests |= await transactions.fetch_digests(tx, by_key.keys() - inserted)
    for document in batch:
        digest = digests.get((document.tenant_id, document.id))
        if digest is None:
            raise Poison(f"{document.reference} cancels an invoice that was cancelled already")
        if digest != document.digest:
            raise Poison(f"{document.reference} was posted with other content before")
    return new
