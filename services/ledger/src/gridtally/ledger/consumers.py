"""What the ledger listens to."""

from gridtally.contracts.accounts import PaymentReceived
from gridtally.contracts.commerce import (
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.ledger.accounts.handlers import customers, payments, postings
from gridtally.ledger.settings import Settings
from gridtally.messaging import Subscription
from gridtally.service.service import Process


def subscriptions(_process: Process[Settings]) -> list[Subscription]:
    """Customers, invoices, credit notes, voided invoices and payments; one consumer each."""
    return [
        Subscription(event=CustomerChanged, handle=customers.apply_customers),
        Subscription(event=InvoiceIssued, handle=postings.post_invoices),
        Subscription(event=CreditNoteIssued, handle=postings.post_credit_notes),
        Subscription(event=InvoiceVoided, handle=postings.record_voided_invoices),
        Subscription(event=PaymentReceived, handle=payments.post_payments),
    ]
