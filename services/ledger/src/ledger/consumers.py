"""What the ledger listens to."""

from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from ledger.handlers import booking
from messaging import Subscription

SUBSCRIPTIONS = (
    Subscription(event=InvoiceIssued, handle=booking.book_invoices),
    Subscription(event=CreditNoteIssued, handle=booking.book_credit_notes),
    Subscription(event=InvoiceVoided, handle=booking.note_voided_invoices),
)
