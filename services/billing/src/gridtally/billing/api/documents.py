"""Invoices and credit notes as documents: one by one, and many in an archive."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.domain.documents import DocumentFormat, StoredDocument
from gridtally.billing.domain.invoices import InvoiceState
from gridtally.billing.handlers import documents as handlers
from gridtally.billing.store.invoices import InvoiceFilter
from gridtally.exports.zip_file import ZipEntry, zip_chunks
from gridtally.http.context import Db, Exports, Now
from gridtally.http.document_answers import HTML, PDF, document_response
from gridtally.http.exports import Chunks
from gridtally.http.json_bodies import Router

router = Router(prefix="/v1", tags=["documents"])
Responses = dict[int | str, dict[str, Any]]
"""What a route's answers are, for the OpenAPI document."""
MEDIA_TYPES: dict[DocumentFormat, str] = {
    "html": HTML,
    "pdf": PDF,
    "cii": "application/xml",
    "ubl": "application/xml",
}
_EXTENSIONS: dict[DocumentFormat, str] = {
    "html": "html",
    "pdf": "pdf",
    "cii": "cii.xml",
    "ubl": "ubl.xml",
}
_SHOWN: Responses = {
    200: {
        "description": "The document",
        "content": {
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "application/xml": {"schema": {"type": "string"}},
        },
    }
}
_ARCHIVE: Responses = {
    200: {
        "description": "The archive",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/invoices/{invoice_id}/document", responses=_SHOWN, response_class=Response)
async def get_invoice_document(
    invoice_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    format: DocumentFormat = "pdf",  # noqa: A002
) -> Response:
    """The invoice as a page or as PDF/A-3, in the customer's language, or as e-invoice by EN 16931
    in CII or UBL; a PDF has the one in CII within it (Factur-X). Made when it is first asked for,
    the same bytes from then on."""
    document = await handlers.invoice_document(db, caller.tenant_id, invoice_id, format, now)
    return _shown(document)


@router.get("/credit-notes/{credit_note_id}/document", responses=_SHOWN, response_class=Response)
async def get_credit_note_document(
    credit_note_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    format: DocumentFormat = "pdf",  # noqa: A002
) -> Response:
    """The credit note in the formats of an invoice's document."""
    document = await handlers.credit_note_document(
        db, caller.tenant_id, credit_note_id, format, now
    )
    return _shown(document)


@router.get("/invoice-documents", responses=_ARCHIVE, response_class=Response)
async def export_invoice_documents(
    db: Db,
    caller: CustomerReader,
    now: Now,
    exports: Exports,
    format: DocumentFormat = "pdf",  # noqa: A002
    customer_id: UUID | None = None,
    agreement_id: UUID | None = None,
    meter_id: UUID | None = None,
    start_on: Annotated[date | None, Query(alias="from")] = None,
    end_on: Annotated[date | None, Query(alias="to")] = None,
    state: InvoiceState | None = None,
) -> StreamingResponse:
    """The documents of all invoices that fit, in one ZIP archive that is sent while it is made;
    `from` and `to` bound their periods."""
    filters = InvoiceFilter(
        customer_id or caller.customer_id, agreement_id, meter_id, start_on, end_on, state
    )
    made = handlers.invoice_documents(db, caller.tenant_id, filters, format, now)

    async def entries() -> AsyncGenerator[ZipEntry, None]:
        async with aclosing(made) as documents:
            async for document, issued_at in documents:
                yield ZipEntry(
                    _filename(document), issued_at, document.content, is_packed=format == "pdf"
                )

    chunks: Chunks = zip_chunks(entries())
    return await exports.stream(
        caller.tenant_id, chunks, "application/zip", filename="invoices.zip"
    )


def _shown(document: StoredDocument) -> Response:
    media_type = MEDIA_TYPES[document.format]
    return document_response(document.content, media_type, _filename(document))


def _filename(document: StoredDocument) -> str:
    return f"{document.number}.{_EXTENSIONS[document.format]}"
