"""Booking what billing has issued: each document exactly once, in whatever order it comes.

Refuses a document that contradicts itself, or that differs from what its id was booked with.
"""

from collections.abc import Sequence

from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from database import WriteConnection
from kernel.errors import Poison
from ledger import wire
from ledger.domain.booking import Document, Transaction, book
from ledger.store import notes, transactions
from messaging import Received


async def book_invoices(tx: WriteConnection, batch: Sequence[Received[InvoiceIssued]]) -> None:
    """Post each invoice; Poison where one cannot be booked."""
    await _post(tx, [_booked(wire.invoice(wire.present(each), each.envelope)) for each in batch])


async def book_credit_notes(
    tx: WriteConnection, batch: Sequence[Received[CreditNoteIssued]]
) -> None:
    """Post the mirror image of each invoice that is taken back; Poison as above."""
    booked = [_booked(wire.credit_note(wire.present(each), each.envelope)) for each in batch]
    await _post(tx, booked)


async def note_voided_invoices(
    tx: WriteConnection, batch: Sequence[Received[InvoiceVoided]]
) -> None:
    """Keep the note; the postings come with the credit note."""
    await notes.insert_notes(
        tx, [wire.void_note(wire.present(each), each.envelope) for each in batch]
    )


def _booked(document: Document) -> Transaction:
    try:
        return book(document)
    except ValueError as failure:
        raise Poison(str(failure)) from failure


async def _post(tx: WriteConnection, batch: Sequence[Transaction]) -> None:
    by_key = {(one.tenant_id, one.id): one for one in batch}
    inserted = await transactions.insert_transactions(tx, list(by_key.values()))
    if len(inserted) == len(batch):
        return
    known = {key: by_key[key].digest for key in inserted}
    known |= await transactions.fetch_digests(tx, list(by_key.keys() - inserted))
    for one in batch:
        digest = known.get((one.tenant_id, one.id))
        if digest is None:
            raise Poison(f"{one.reference} takes back an invoice that was taken back already")
        if digest != one.digest:
            raise Poison(f"{one.reference} was booked with other content before")
