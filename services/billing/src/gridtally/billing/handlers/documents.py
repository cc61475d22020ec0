"""Documents are made once, when they are first asked for, and stored for ever."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain import documents as domain
from gridtally.billing.domain.documents import DocumentFormat, StoredDocument
from gridtally.billing.store import documents as store
from gridtally.billing.store import invoices
from gridtally.billing.store.credit_notes import fetch_credit_note_lines, lines_of
from gridtally.billing.store.customers import lock_name
from gridtally.billing.store.seller import fetch_seller_at
from gridtally.database import Database, ReadConnection, for_all_customers, snapshot, transaction
from gridtally.documents.composition import compose
from gridtally.documents.einvoice.cii import cii
from gridtally.documents.einvoice.invoice import einvoice
from gridtally.documents.einvoice.ubl import ubl
from gridtally.documents.facts import InvoiceFacts, Seller
from gridtally.documents.html import render_html
from gridtally.documents.pdf import render_pdf
from gridtally.documents.renderer import in_renderer
from gridtally.kernel.errors import NotFound, Rejected

PAGE_ROWS = 100
"""Invoices that are looked up at once while many documents are sent."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a document is made of, and whose it is."""

    facts: InvoiceFacts
    customer_id: UUID


async def invoice_document(
    db: Database, tenant_id: str, invoice_id: UUID, format_: DocumentFormat, now: datetime
) -> StoredDocument:
    """The document of an invoice; NotFound without the invoice, Rejected without a seller."""
    async with snapshot(db, tenant=tenant_id) as read:
        row = await invoices.fetch_invoice(read, tenant_id, invoice_id)
        if row is None:
            raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
        content = await store.fetch_content(read, tenant_id, invoice_id, format_)
        if content is not None:
            return StoredDocument(invoice_id, row["number"], format_, content)
        if row["collective_id"] is not None:
            raise Rejected(
                "section_of_invoice",
                f"{row['number']} is a section: its invoice is {row['collective_id']}",
            )
        record = await store.fetch_record(read, tenant_id, invoice_id)
        if record is None:
            raise Rejected("evidence_incomplete", "the invoice's evidence is not stored")
        seller = await _seller(read, tenant_id, record.issued_at)
    facts = domain.invoice_facts(record, seller)
    prepared = _Prepared(facts, record.customer.id)
    return await _make(db, tenant_id, invoice_id, format_, prepared, now)


async def credit_note_document(
    db: Database, tenant_id: str, credit_note_id: UUID, format_: DocumentFormat, now: datetime
) -> StoredDocument:
    """The document of a credit note; NotFound without it, Rejected without a seller."""
    async with snapshot(db, tenant=tenant_id) as read:
        found = await store.fetch_credit_note(read, tenant_id, credit_note_id)
        if found is None:
            raise NotFound("credit_note_unknown", f"there is no credit note {credit_note_id}")
        row, cancelled = found
        content = await store.fetch_content(read, tenant_id, credit_note_id, format_)
        if content is not None:
            return StoredDocument(credit_note_id, row["number"], format_, content)
        record = await store.fetch_record(read, tenant_id, row["invoice_id"])
        if record is None:
            raise Rejected("evidence_incomplete", "the invoice's evidence is not stored")
        if row["extent"] != "whole":
            own = await fetch_credit_note_lines(read, tenant_id, credit_note_id)
            amounts = {name: row[name] for name in ("net", "tax", "total")}
            record = replace(record.of_lines(lines_of(own, record.lines)), **amounts)
        seller = await _seller(read, tenant_id, row["issued_at"])
    facts = domain.credit_note_facts(record, seller, row["number"], row["issued_at"], cancelled)
    prepared = _Prepared(facts, record.customer.id)
    return await _make(db, tenant_id, credit_note_id, format_, prepared, now)


async def _seller(read: ReadConnection, tenant_id: str, at: datetime) -> Seller:
    seller = await fetch_seller_at(read, tenant_id, at)
    if seller is None:
        raise Rejected("seller_missing", "a document names its seller: PUT /v1/seller first")
    return seller


async def _make(
    db: Database,
    tenant_id: str,
    document_id: UUID,
    format_: DocumentFormat,
    prepared: _Prepared,
    now: datetime,
) -> StoredDocument:
    """The document, drawn beside the event loop and stored; that of whoever was quicker, if any.

    It was drawn from what the caller sees; stored it is for all, also where the caller is bound to
    its customer and may itself write nothing.
    """
    content = await in_renderer(_drawing(prepared.facts, format_))
    made = StoredDocument(document_id, prepared.facts.number, format_, content)
    with for_all_customers():
        return await _store(db, tenant_id, made, prepared, now)


async def _store(
    db: Database, tenant_id: str, made: StoredDocument, prepared: _Prepared, now: datetime
) -> StoredDocument:
    async with transaction(db, tenant=tenant_id) as tx:
        # A customer who was renamed or erased since the document was drawn is not named anew.
        if await lock_name(tx, tenant_id, prepared.customer_id) == prepared.facts.buyer.name:
            await store.insert_document(tx, tenant_id, made, prepared.customer_id, now)
        stored = await store.fetch_content(tx, tenant_id, made.id, made.format)
    return made if stored is None else replace(made, content=stored)


def _drawing(facts: InvoiceFacts, format_: DocumentFormat) -> Callable[[], bytes]:
    match format_:
        case "html":
            return lambda: render_html(compose(facts))
        case "pdf":
            return lambda: render_pdf(compose(facts), _embedded(facts))
        case "cii":
            return lambda: cii(einvoice(facts))
        case "ubl":
            return lambda: ubl(einvoice(facts))


def _embedded(facts: InvoiceFacts) -> bytes | None:
    """The e-invoice within the PDF; none where the standard cannot say what the document does."""
    try:
        return cii(einvoice(facts))
    except Rejected:
        return None


async def invoice_documents(
    db: Database,
    tenant_id: str,
    filters: invoices.InvoiceFilter,
    format_: DocumentFormat,
    now: datetime,
) -> AsyncGenerator[tuple[StoredDocument, datetime], None]:
    """The documents of all invoices that fit, the newest first, with the instant of issue of each;
    those that are missing are made on the way."""
    after = None
    while True:
        async with snapshot(db, tenant=tenant_id) as read:
            rows = await invoices.list_invoices(read, tenant_id, filters, after, PAGE_ROWS)
        for row in rows:
            document = await invoice_document(db, tenant_id, row["id"], format_, now)
            yield document, row["issued_at"]
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1]["issued_at"], rows[-1]["id"]
