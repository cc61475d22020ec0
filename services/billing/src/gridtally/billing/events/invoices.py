"""`invoice.issued`, `credit_note.issued` and `invoice.voided`, made from what was issued.

A field that a document and its event share has one name and is not listed here.
"""

from dataclasses import asdict
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from gridtally.billing.domain.invoices import CreditNote, Invoice
from gridtally.billing.events.json_form import SOURCE, encoded, fields_of
from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import plain
from gridtally.messaging import OutgoingMessage
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.json_form import as_json


def invoice_issued(invoice: Invoice) -> OutgoingMessage:
    """The invoice with all its lines."""
    value = fields_of(
        InvoiceIssued,
        invoice,
        invoice_id=invoice.id,
        lines=[line_document(line) for line in invoice.lines],
        quality=quality_document(invoice.quality),
        due_on=None,  # by the ledger's payment terms
    )
    return _outgoing(InvoiceIssued.TOPIC, invoice.id, invoice, value)


def credit_note_issued(note: CreditNote) -> list[OutgoingMessage]:
    """The credit note, and that its invoice is void."""
    issued = fields_of(
        CreditNoteIssued,
        note,
        credit_note_id=note.id,
        lines=[line_document(line) for line in note.lines],
    )
    voided = fields_of(
        InvoiceVoided,
        note,
        credit_note_id=note.id,
        number=note.invoice_number,
        voided_at=note.issued_at,
    )
    return [
        _outgoing(CreditNoteIssued.TOPIC, note.id, note, issued),
        _outgoing(InvoiceVoided.TOPIC, note.invoice_id, note, voided),
    ]


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


def line_document(line: Line) -> dict[str, Any]:
    """A line as events have it."""
    return _item_document(line.item) | {
        "quantity": plain(line.quantity),
        "amount_exact": plain(line.amount_exact),
        "amount": plain(line.amount),
        "quality": quality_document(line.quality),
    }


def quality_document(quality: DataQuality | None) -> dict[str, Any] | None:
    """A quality as events have it."""
    return None if quality is None else _quality_document(quality)


# Nearly every line rests on actual readings alone; nobody changes what this returns.
@lru_cache(maxsize=4096)
def _quality_document(quality: DataQuality) -> dict[str, Any]:
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in asdict(quality).items()
    }


# Thousands of invoices share the few dozen items of their tariffs; the caller copies what it gets.
@lru_cache(maxsize=4096)
def _item_document(item: Item) -> dict[str, Any]:
    """What a line has in common with that of every other meter on the tariff."""
    return {
        "component_id": item.component_id,
        "kind": item.kind,
        "band": item.band,
        "flow": item.flow,
        "unit": item.unit,
        "quantity_rounding": as_json(item.quantity_rounding),
        "rate": plain(item.rate),
        "tariff_version_id": item.tariff_version_id,
        "start_on": item.part.start_on,
        "end_on": item.part.end_on,
        "payee": item.payee,
        "tax_class": item.tax_class,
    }
