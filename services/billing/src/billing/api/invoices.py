"""Invoices, credit notes and held periods over HTTP; nothing here writes."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from billing.api.callers import Reader
from billing.domain.invoices import State
from billing.domain.periods import ClosedBy
from billing.domain.replay import replay
from billing.store import listing
from billing.store.evidence import fetch_kept
from billing.store.invoices import line_of
from billing.wire import line_document, unpack_usage
from contracts.commerce import InvoiceLine
from contracts.metering import Series
from contracts.model import Amount
from database import ReadConnection, snapshot
from kernel.errors import NotFound
from kernel.money import EXACT
from rating.state import read_state, state_document
from serving.context import Db
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1", tags=["invoices"])


class InvoiceShown(BaseModel):
    """An invoice, of one revision of an agreement's period; `void` once it is credited.

    `restatement` counts those of the same revision that a correction of an earlier period replaced.
    `brought_forward` is what the customer's account held before, as far as billing knew (a credit
    is negative), of which `arrears` was overdue; `amount_due` is that and the total.
    """

    id: UUID
    number: str
    state: State
    customer_id: UUID
    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    restatement: int
    currency: str
    net: Amount
    tax: Amount
    total: Amount
    brought_forward: Amount
    arrears: Amount
    amount_due: Amount
    issued_at: datetime
    correlation_id: str


class CreditNoteShown(BaseModel):
    """Takes back the whole of an invoice."""

    id: UUID
    number: str
    invoice_id: UUID
    customer_id: UUID
    agreement_id: UUID
    currency: str
    net: Amount
    tax: Amount
    total: Amount
    reason: str
    issued_at: datetime
    correlation_id: str


class EvidenceSummary(BaseModel):
    """What an invoice was computed from, without the series.

    The states are what the bill before handed on and what this one does, by component: progress on
    tiers, banked energy, credit, past peaks.
    """

    zone: str
    connected_kw: Amount | None
    closed_by: ClosedBy
    expected_intervals: int
    present_intervals: int
    digest: str
    tariff_version_ids: list[UUID]
    state_before: dict[str, Any]
    state_after: dict[str, Any]


class Evidence(EvidenceSummary):
    """All that an invoice was computed from."""

    series: list[Series]


class Recalculation(BaseModel):
    """What an invoice's evidence comes to; `agrees` with what was issued, to the last digit."""

    agrees: bool
    lines: list[InvoiceLine]
    net: Amount
    tax: Amount
    total: Amount
    state_after: dict[str, Any]


class RevisionShown(BaseModel):
    """One of the invoices that a period has had."""

    invoice_id: UUID
    number: str
    revision: int
    restatement: int
    state: State
    total: Amount
    issued_at: datetime


class InvoiceDetail(InvoiceShown):
    """An invoice with all that belongs to it."""

    lines: list[InvoiceLine]
    evidence: EvidenceSummary
    credit_note: CreditNoteShown | None
    revisions: list[RevisionShown]


class HeldInvoice(BaseModel):
    """A closed period that cannot be billed until something arrives."""

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    reason: str
    detail: str
    held_at: datetime
    correlation_id: str


@router.get("/invoices")
async def list_invoices(
    db: Db,
    caller: Reader,
    paging: Paging,
    customer_id: UUID | None = None,
    agreement_id: UUID | None = None,
    meter_id: UUID | None = None,
    start_on: Annotated[date | None, Query(alias="from")] = None,
    end_on: Annotated[date | None, Query(alias="to")] = None,
    state: State | None = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
) -> Page[InvoiceShown]:
    """Invoices, the newest first; `from` and `to` bound their periods."""
    wanted = listing.InvoiceFilter(
        customer_id, agreement_id, meter_id, start_on, end_on, state, number
    )
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.list_invoices(read, caller.tenant_id, wanted, after, paging.rows)
    return paging.cut(rows, item=_invoice, position=_position)


@router.get("/invoices/{invoice_id}")
async def get_invoice(invoice_id: UUID, db: Db, caller: Reader) -> InvoiceDetail:
    """An invoice with its lines, what it rests on, and what became of it."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        row = await _existing(read, tenant_id, invoice_id)
        lines = await listing.fetch_lines(read, tenant_id, invoice_id)
        evidence = await listing.fetch_evidence(read, tenant_id, invoice_id)
        credited = await listing.fetch_credit_note_of(read, tenant_id, invoice_id)
        revisions = await listing.fetch_revisions(
            read, tenant_id, row["agreement_id"], row["start_on"]
        )
    return InvoiceDetail(
        **_invoice(row).model_dump(),
        lines=[InvoiceLine.model_validate(dict(line)) for line in lines],
        evidence=EvidenceSummary.model_validate(_evidence(evidence, lines)),
        credit_note=None if credited is None else _credit_note(credited),
        revisions=[
            RevisionShown.model_validate(dict(one) | {"invoice_id": one["id"]}) for one in revisions
        ],
    )


@router.get("/invoices/{invoice_id}/evidence")
async def get_evidence(invoice_id: UUID, db: Db, caller: Reader) -> Evidence:
    """The usage that the invoice billed, interval by interval, with its quality."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        await _existing(read, tenant_id, invoice_id)
        lines = await listing.fetch_lines(read, tenant_id, invoice_id)
        row = await listing.fetch_evidence(read, tenant_id, invoice_id)
    return Evidence.model_validate(_evidence(row, lines) | {"series": unpack_usage(row["usage"])})


@router.get("/invoices/{invoice_id}/recalculation")
async def recalculate_invoice(invoice_id: UUID, db: Db, caller: Reader) -> Recalculation:
    """The invoice computed once more from its evidence, and whether that agrees with what was
    issued: every line, and the state that it hands on."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        await _existing(read, tenant_id, invoice_id)
        issued = [line_of(row) for row in await listing.fetch_lines(read, tenant_id, invoice_id)]
        row = await listing.fetch_evidence(read, tenant_id, invoice_id)
        kept = await fetch_kept(read, tenant_id, invoice_id)
    bill = await asyncio.to_thread(replay, kept)
    return Recalculation(
        agrees=issued == list(bill.lines) and bill.state == read_state(row["state_after"]),
        lines=[InvoiceLine.model_validate(line) for line in map(line_document, bill.lines)],
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        state_after=state_document(bill.state),
    )


@router.get("/credit-notes")
async def list_credit_notes(db: Db, caller: Reader, paging: Paging) -> Page[CreditNoteShown]:
    """Credit notes, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.list_credit_notes(read, caller.tenant_id, after, paging.rows)
    return paging.cut(rows, item=_credit_note, position=_position)


@router.get("/held-invoices")
async def list_held_invoices(db: Db, caller: Reader, paging: Paging) -> Page[HeldInvoice]:
    """Closed periods without their invoice, and why; they are billed when the fact arrives."""
    after = paging.after(UUID, date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.list_held(read, caller.tenant_id, after, paging.rows)
    return paging.cut(
        rows,
        item=lambda row: HeldInvoice.model_validate(dict(row)),
        position=lambda row: (row["agreement_id"], row["start_on"]),
    )


async def _existing(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> Any:
    row = await listing.fetch_invoice(read, tenant_id, invoice_id)
    if row is None:
        raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
    return row


def _position(row: Any) -> tuple[object, ...]:
    return row["issued_at"], row["id"]


def _invoice(row: Any) -> InvoiceShown:
    due = EXACT.add(row["total"], row["brought_forward"])
    return InvoiceShown.model_validate(dict(row) | {"amount_due": due})


def _credit_note(row: Any) -> CreditNoteShown:
    return CreditNoteShown.model_validate(dict(row))


def _evidence(row: Any, lines: Sequence[Any]) -> dict[str, Any]:
    versions = dict.fromkeys(line["tariff_version_id"] for line in lines)
    return dict(row) | {"tariff_version_ids": list(versions)}
