"""`invoice.issued`, `credit_note.issued` and `invoice.voided`, made from what was issued.

A field that a document and its event share has one name and is not listed here.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.invoices import Invoice, Section
from gridtally.billing.events.json_form import SOURCE, encoded, fields_of
from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from gridtally.contracts.invoice_lines import InvoiceSection
from gridtally.kernel.ids import derive_id
from gridtally.messaging import OutgoingMessage
from gridtally.rating.line_documents import line_document, quality_document


def invoice_issued(invoice: Invoice, bills: Sequence[Invoice] = ()) -> OutgoingMessage:
    """The invoice with all its lines; `bills` are the sections of a collective one."""
    sections = [
        _section(section, bill) for section, bill in zip(invoice.sections, bills, strict=True)
    ]
    value = fields_of(
        InvoiceIssued,
        invoice,
        invoice_id=invoice.id,
        lines=[line_document(line) for line in invoice.lines],
        quality=quality_document(invoice.quality),
        due_on=None,  # by the ledger's payment terms
        sections=sections or None,
    )
    return _outgoing(InvoiceIssued.TOPIC, invoice.id, invoice, value)


def _section(section: Section, bill: Invoice) -> dict[str, Any]:
    return fields_of(
        InvoiceSection,
        bill,
        section_id=bill.id,
        line_count=section.line_count,
        quality=quality_document(bill.quality),
        change=section.change,
    )


def credit_note_issued(note: CreditNote) -> list[OutgoingMessage]:
    """The credit note and, unless it is of a part, that its invoice is void."""
    issued = fields_of(
        CreditNoteIssued,
        note,
        credit_note_id=note.id,
        lines=[line_document(line) for line in note.lines],
    )
    message = _outgoing(CreditNoteIssued.TOPIC, note.id, note, issued)
    if note.extent == "part":
        return [message]
    voided = fields_of(
        InvoiceVoided,
        note,
        credit_note_id=note.id,
        number=note.invoice_number,
        voided_at=note.issued_at,
    )
    return [message, _outgoing(InvoiceVoided.TOPIC, note.invoice_id, note, voided)]


def _outgoing(
    topic: str, subject_id: UUID, document: Invoice | CreditNote, value: dict[str, Any]
) -> OutgoingMessage:
    """The event about the invoice or credit note `subject_id`; each has one event per topic."""
    return OutgoingMessage.raw(
        topic,
        str(document.agreement_id),
        encoded(value),
        tenant_id=document.tenant_id,
        correlation_id=document.correlation_id,
        source=SOURCE,
        event_id=derive_id(topic, document.tenant_id, subject_id),
        occurred_at=document.issued_at,
    )
