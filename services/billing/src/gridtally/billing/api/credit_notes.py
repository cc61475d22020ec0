"""Credit notes over HTTP: those that corrections caused, and of parts of invoices by hand."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field, model_validator

from gridtally.billing.api.callers import CustomerReader, WriteCause
from gridtally.billing.domain import credit_notes as domain
from gridtally.billing.handlers.credit_notes import credit_invoice
from gridtally.billing.store import credit_notes as store
from gridtally.billing.store.invoices import fetch_lines, line_of
from gridtally.contracts.invoice_lines import LINES_MAX, InvoiceLine
from gridtally.contracts.model import Amount, Text
from gridtally.database import ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body, location_of
from gridtally.kernel.errors import NotFound
from gridtally.rating.line_documents import line_document

router = Router(prefix="/v1", tags=["invoices"])


class CreditNote(AnswerModel):
    """Credits an invoice, all of it or a part."""

    id: UUID
    """The credit note."""
    number: str
    """What people call it."""
    invoice_id: UUID
    """The invoice that it credits."""
    customer_id: UUID
    """The invoice's customer."""
    agreement_id: UUID
    """The invoice's agreement."""
    currency: str
    """The currency of its amounts."""
    net: Amount
    """What it credits before taxes."""
    tax: Amount
    """The taxes that it credits."""
    total: Amount
    """Net and tax."""
    extent: domain.CreditNoteExtent
    """The `whole` invoice, which is void then; a `part`; or the `rest`, which voids it too."""
    reason: str
    """Why."""
    credited_by: str | None
    """The API key by which a part was credited; null where a correction caused the note."""
    repeat_on_correction: bool
    """Whether a part is credited again on the invoice of a correction."""
    repeats: UUID | None
    """The credit note of a part that a correction gave again by this one; null for others."""
    issued_at: datetime
    """When, UTC."""
    correlation_id: str
    """The id that follows it through all services."""

    @classmethod
    def of(cls, row: Any) -> Self:
        """The credit note of a row, or of the domain."""
        return cls.model_validate(row, from_attributes=True)


class CreditNoteLine(InvoiceLine):
    """What a credit note credits of a line of its invoice."""

    position: int
    """The place of the line among the invoice's, from 1."""


class CreditNoteDetail(CreditNote):
    """A credit note with its lines."""

    lines: list[CreditNoteLine]
    """What is credited of each of the invoice's lines."""


class CreditedLine(Body):
    """How much of a line of an invoice is credited."""

    position: Annotated[int, Field(ge=1, le=LINES_MAX)]
    """The place of the line among the invoice's, from 1; a charge, whose taxes go with it."""
    amount: Annotated[Amount | None, Field(gt=0)] = None
    """The amount before taxes; what is left of the line if it is left out."""


class NewCreditNote(Body):
    """A part of an invoice to be credited: either lines, or an amount."""

    reason: Text
    """Why, for the customer, who reads it on the credit note."""
    lines: Annotated[list[CreditedLine], Field(min_length=1, max_length=LINES_MAX)] | None = None
    """The lines; their taxes are credited with them."""
    amount: Annotated[Amount | None, Field(gt=0)] = None
    """An amount with taxes, spread over all that is left of the invoice."""

    repeat_on_correction: bool = True
    """Whether a correction, which credits the rest and issues the invoice again, credits this part
    once more: as it should where it was given for its own reason, such as goodwill. `false` where
    the correction will put the same thing right."""

    @model_validator(mode="after")
    def _is_either(self) -> Self:
        if (self.lines is None) == (self.amount is None):
            raise ValueError("either lines or an amount must be named")
        return self

    def credit(self) -> domain.Credit:
        """What is to be credited."""
        lines = tuple(domain.CreditedAmount(own.position, own.amount) for own in self.lines or ())
        amount: Decimal | None = self.amount
        return domain.Credit(self.reason, lines, amount, self.repeat_on_correction)


@router.post(
    "/invoices/{invoice_id}/credit-notes", status_code=201, response_model=CreditNoteDetail
)
async def create_credit_note(
    invoice_id: UUID, new: NewCreditNote, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Credit a part of an invoice, by hand and for good: lines of it with their taxes, or an amount
    of which each tax class has its share.

    The invoice stays live. A later correction credits what is left of it, and this part once more
    on the invoice that it issues, unless `repeat_on_correction` is false. 409 when it is void
    or nothing is left; 422 for more than what is left.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        note = await credit_invoice(tx, cause, invoice_id, new.credit(), now)
        shown = _detail(note, dict(zip(note.positions or (), note.lines, strict=True)))
        location = location_of(f"/v1/credit-notes/{note.id}", created=True)
        return await request.store_answer(tx, 201, shown, location)


@router.get("/credit-notes")
async def list_credit_notes(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    extent: Annotated[
        domain.CreditNoteExtent | None, Query(description="Of how much of their invoices")
    ] = None,
) -> Page[CreditNote]:
    """Credit notes, the newest first."""
    named = {
        "invoice_id": invoice_id,
        "customer_id": customer_id or caller.customer_id,
        "extent": extent,
    }
    filters = {name: value for name, value in named.items() if value is not None}
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_credit_notes(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=CreditNote.of, position=lambda row: (row["issued_at"], row["id"]))


@router.get("/credit-notes/{credit_note_id}")
async def get_credit_note(credit_note_id: UUID, db: Db, caller: CustomerReader) -> CreditNoteDetail:
    """A credit note with its lines."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        note = await _existing(read, caller.tenant_id, credit_note_id)
        rows = await fetch_lines(read, caller.tenant_id, note["invoice_id"])
        own = await store.fetch_credit_note_lines(read, caller.tenant_id, credit_note_id)
    invoiced = [line_of(row) for row in rows]
    if note["extent"] == "whole":
        return _detail(note, dict(enumerate(invoiced, start=1)))
    return _detail(note, store.lines_of(own, invoiced))


async def _existing(read: ReadConnection, tenant_id: str, credit_note_id: UUID) -> Any:
    note = await store.fetch_credit_note(read, tenant_id, credit_note_id)
    if note is None:
        raise NotFound("credit_note_unknown", f"there is no credit note {credit_note_id}")
    return note


def _detail(note: Any, lines: dict[int, Any]) -> CreditNoteDetail:
    """A credit note with its lines by their positions."""
    shown = [
        CreditNoteLine.model_validate(line_document(line) | {"position": position})
        for position, line in lines.items()
    ]
    return CreditNoteDetail(**CreditNote.of(note).model_dump(), lines=shown)
