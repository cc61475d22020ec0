"""A collective invoice is one booking, of the sum of its sections."""

from decimal import Decimal

from gridtally.contracts.commerce import InvoiceIssued
from gridtally.contracts.envelope import read_envelope
from gridtally.contracts.golden import golden_messages
from gridtally.ledger.accounts.domain.chart import receivable, tax
from gridtally.ledger.accounts.domain.postings import post_document
from gridtally.ledger.accounts.events import invoice


def test_the_sections_of_an_invoice_are_booked_as_one():
    """4.62 and 4.62, of which 0.74 and 0.74 are taxes: 9.24 and 1.48."""
    (message,) = [m for m in golden_messages() if m.name == "invoice.issued.v1.6"]
    event = InvoiceIssued.model_validate(message.value)
    envelope = read_envelope([(name, text.encode()) for name, text in message.headers.items()])
    posted = post_document(invoice(event, envelope))
    assert event.sections is not None
    assert sum(section.total for section in event.sections) == posted.total == Decimal("9.24")
    assert posted.posted(receivable("EUR", event.customer_id)) == Decimal("9.24")
    assert posted.posted(tax("EUR")) == Decimal("-1.48")
    assert sum(posting.amount for posting in posted.postings) == 0
    assert posted.document_id == event.invoice_id
