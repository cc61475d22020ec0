"""Booking what billing has issued: each document exactly once, in whatever order it comes.

Refuses a document that contradicts itself, or that differs from what its id was booked with.
"""

from collections.abc import Sequence

from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from database import WriteConnection
from kernel.errors import Poison
from ledger import wire
from ledger.domain.booking import PAYMENT_DAYS_DEFAULT, Document, book
from ledger.domain.reversing import Why, release
from ledger.domain.transactions import Transaction
from ledger.store import items, notes, terms, transactions
from ledger.store.customers import lock_customers
from messaging import Received


async def book_invoices(tx: WriteConnection, batch: Sequence[Received[InvoiceIssued]]) -> None:
    """Post each invoice; Poison where one cannot be booked."""
    days = await terms.fetch_payment_days(tx, {each.envelope.tenant_id for each in batch})
    booked = [_booked(wire.invoice(wire.present(each), each.envelope), days) for each in batch]
    await _lock(tx, booked)
    await _post(tx, booked)


async def book_credit_notes(
    tx: WriteConnection, batch: Sequence[Received[CreditNoteIssued]]
) -> None:
    """Post the mirror image of each invoice that is taken back, and release what had settled it."""
    booked = [_booked(wire.credit_note(wire.present(each), each.envelope), {}) for each in batch]
    await _lock(tx, booked)
    await _post(tx, booked, await _released(tx, booked))


async def note_voided_invoices(
    tx: WriteConnection, batch: Sequence[Received[InvoiceVoided]]
) -> None:
    """Keep the note; the postings come with the credit note."""
    await notes.insert_notes(
        tx, [wire.void_note(wire.present(each), each.envelope) for each in batch]
    )


def _booked(document: Document, payment_days: dict[str, int]) -> Transaction:
    try:
        return book(document, payment_days.get(document.tenant_id, PAYMENT_DAYS_DEFAULT))
    except ValueError as failure:
        raise Poison(str(failure)) from failure


async def _lock(tx: WriteConnection, batch: Sequence[Transaction]) -> None:
    await lock_customers(tx, [(one.tenant_id, one.customer_id) for one in batch])


async def _released(tx: WriteConnection, credit_notes: Sequence[Transaction]) -> list[Transaction]:
    """What these credit notes, those that are new, set free; the customers are locked."""
    settled = await items.fetch_settlements_of_items(
        tx, [(one.tenant_id, one.voids) for one in credit_notes if one.voids]
    )
    if not settled:
        return []
    known = await transactions.fetch_digests(tx, [(one.tenant_id, one.id) for one in credit_notes])
    found = await items.fetch_items(tx, list(settled))
    accounts = [(one.tenant_id, one.customer_id, one.currency) for one in credit_notes]
    books = await items.fetch_books(tx, accounts)
    released = []
    for one in credit_notes:
        place = (one.tenant_id, one.voids) if one.voids else None
        item = found.pop(place, None) if place else None  # each item is taken back once
        if item is None or item.voided or (one.tenant_id, one.id) in known:
            continue
        why = Why(f"taken back by {one.reference}", one.occurred_at, one.correlation_id)
        freed = release(
            books[one.tenant_id, one.customer_id, one.currency],
            item,
            settled[one.tenant_id, item.id],
            one.document_id,
            why,
        )
        if freed:
            released.append(freed)
    return released


async def _post(
    tx: WriteConnection, batch: Sequence[Transaction], released: Sequence[Transaction] = ()
) -> None:
    """Insert documents with what they release; the same again changes nothing."""
    by_key = {(one.tenant_id, one.id): one for one in batch}
    inserted = await transactions.insert_transactions(tx, [*by_key.values(), *released])
    if len(inserted) == len(batch) + len(released):
        return
    known = {key: by_key[key].digest for key in inserted if key in by_key}
    known |= await transactions.fetch_digests(tx, list(by_key.keys() - inserted))
    for one in batch:
        digest = known.get((one.tenant_id, one.id))
        if digest is None:
            raise Poison(f"{one.reference} takes back an invoice that was taken back already")
        if digest != one.digest:
            raise Poison(f"{one.reference} was booked with other content before")
