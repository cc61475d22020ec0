"""What the ledger listens to."""

from contracts.accounts import PaymentReceived
from contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from ledger.handlers import booking, settling
from messaging import Subscription

SUBSCRIPTIONS = (
    Subscription(event=InvoiceIssued, handle=booking.book_invoices),
    Subscription(event=CreditNoteIssued, handle=booking.book_credit_notes),
    Subscription(event=InvoiceVoided, handle=booking.note_voided_invoices),
    Subscription(event=PaymentReceived, handle=settling.record_payments),
)
