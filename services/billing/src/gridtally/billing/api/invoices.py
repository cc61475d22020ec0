"""Invoices over HTTP; nothing here writes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.api.credit_notes import CreditNote
from gridtally.billing.domain import invoices as domain
from gridtally.billing.domain.customers import CustomerBalance
from gridtally.billing.domain.documents import due_after
from gridtally.billing.events.periods import summed_of, unpack_usage
from gridtally.billing.handlers import invoices as handlers
from gridtally.billing.store import credit_notes, evidence, invoices
from gridtally.contracts import invoice_lines as contracts
from gridtally.contracts.invoice_lines import DataQuality, InvoiceLine
from gridtally.contracts.metering import Series, SummedMeter
from gridtally.contracts.model import Amount
from gridtally.database import ReadConnection, snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.kernel.errors import NotFound
from gridtally.kernel.money import EXACT
from gridtally.rating import recalculation
from gridtally.rating.engine.exact import add_up
from gridtally.rating.line_documents import line_document
from gridtally.rating.quality import quality_of_all
from gridtally.rating.recalculation import ClosedBy
from gridtally.rating.recorded import doubtful_flows
from gridtally.rating.state import state_document

router = Router(prefix="/v1", tags=["invoices"])
PROOF_ROOT = "The root of its proof, SHA-256 in hexadecimal; null from before there were proofs"


class Invoice(BaseModel):
    """An invoice, of one revision of an agreement's period; `void` once it is credited.

    `restatement` counts those of the same revision that a correction of an earlier period replaced.
    `brought_forward` is the customer's balance before it, as far as billing knew (a credit is
    negative), of which `arrears` was overdue; `amount_due` is that and the total, unless a budget
    plan covers the invoice: then it `settles_on` a day, and is not due by itself. The invoice whose
    place it takes is not in it, but what was paid on that one is. `quality` says how much of what
    was metered is not actual; null where that was not noted yet.
    """

    id: UUID
    number: str
    state: domain.InvoiceState
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
    settles_on: Annotated[
        date | None,
        Field(
            description="The day by which a budget plan that covers it is settled; null for one "
            "that is due by itself"
        ),
    ]
    quality: DataQuality | None
    issued_at: datetime
    correlation_id: str
    proof_root: Annotated[str | None, Field(description=PROOF_ROOT)]
    approved_by: Annotated[
        str | None, Field(description="The API key that approved its draft; null without one")
    ]
    approved_at: Annotated[datetime | None, Field(description="When that was, UTC")]
    is_collective: Annotated[
        bool,
        Field(
            description="Whether it has sections; then the customer's id stands where another has "
            "its agreement and meter"
        ),
    ]
    collective_id: Annotated[
        UUID | None,
        Field(description="The invoice that it is a section of; null for what is owed itself"),
    ]

    @classmethod
    def of(cls, row: Any) -> "Invoice":
        """The invoice of a row that has its `state` too."""
        total, currency = row["total"], row["currency"]
        before = CustomerBalance(row["brought_forward"], row["arrears"])
        written = before.written_like(total, currency)
        amounts = {
            "brought_forward": written.balance,
            "arrears": written.arrears,
            "amount_due": due_after(total, before, currency, row["settles_on"]),
        }
        return cls.model_validate(dict(row) | amounts)


class EvidenceSummary(BaseModel):
    """What an invoice was computed from, without the series.

    Intervals that are expected but not present were left out of all sums. The states are what the
    bill before carried forward and what this one does, by component: progress through tiers, banked
    energy, credit, past peaks.
    """

    zone: str
    connected_kw: Amount | None
    closed_by: ClosedBy
    expected_intervals: int
    present_intervals: int
    quality: DataQuality
    digest: str
    tariff_version_ids: list[UUID]
    summed: Annotated[
        list[SummedMeter],
        Field(description="What the meter was the sum of, where it is derived: parts and versions"),
    ]
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

    @classmethod
    def of(cls, recalculated: recalculation.Recalculation) -> "Recalculation":
        """The recalculation as the API shows it."""
        bill = recalculated.bill
        return cls(
            agrees=recalculated.agrees,
            lines=[InvoiceLine.model_validate(line_document(line)) for line in bill.lines],
            net=bill.net,
            tax=bill.tax,
            total=bill.total,
            state_after=state_document(bill.state),
        )


class InvoiceRevision(BaseModel):
    """One of the invoices that a period has had."""

    invoice_id: UUID
    number: str
    revision: int
    restatement: int
    state: domain.InvoiceState
    total: Amount
    issued_at: datetime

    @classmethod
    def of(cls, row: Any) -> "InvoiceRevision":
        """The revision of an invoice's row."""
        return cls.model_validate(dict(row) | {"invoice_id": row["id"]})


class InvoiceSection(contracts.InvoiceSection):
    """A section of a collective invoice; `section_id` is an invoice too, with its own evidence,
    explanation and proof."""


class InvoiceDetail(Invoice):
    """An invoice with all that belongs to it; `credit_note` is the one that cancelled it."""

    lines: list[InvoiceLine]
    evidence: EvidenceSummary | None
    credit_note: CreditNote | None
    partial_credit_notes: Annotated[
        list[CreditNote], Field(description="The credit notes of parts of it, the oldest first")
    ]
    left: Annotated[Amount, Field(description="What no credit note has credited, with taxes")]
    revisions: list[InvoiceRevision]
    sections: Annotated[
        list[InvoiceSection], Field(description="Of a collective one, in the order of its lines")
    ]


@router.get("/invoices")
async def list_invoices(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    customer_id: UUID | None = None,
    agreement_id: UUID | None = None,
    meter_id: UUID | None = None,
    start_on: Annotated[date | None, Query(alias="from")] = None,
    end_on: Annotated[date | None, Query(alias="to")] = None,
    state: domain.InvoiceState | None = None,
    number: Annotated[str | None, Query(max_length=40)] = None,
) -> Page[Invoice]:
    """Invoices, the newest first; `from` and `to` bound their periods."""
    filters = invoices.InvoiceFilter(
        customer_id or caller.customer_id, agreement_id, meter_id, start_on, end_on, state, number
    )
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await invoices.list_invoices(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=Invoice.of, position=_position)


@router.get("/invoices/{invoice_id}")
async def get_invoice(invoice_id: UUID, db: Db, caller: CustomerReader) -> InvoiceDetail:
    """An invoice with its lines, what it rests on, and what became of it."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        row = await _existing(read, tenant_id, invoice_id)
        lines = await invoices.fetch_lines(read, tenant_id, invoice_id)
        evidence_row = await evidence.find_evidence(read, tenant_id, invoice_id)
        notes = await credit_notes.fetch_credit_notes_of(
            read, tenant_id, row["collective_id"] or invoice_id
        )
        revisions = await invoices.fetch_revisions(read, tenant_id, row)
        sections = await invoices.list_sections(read, tenant_id, row)
    shown = [CreditNote.of(note) for note in notes]
    return InvoiceDetail(
        **Invoice.of(row).model_dump(),
        lines=[InvoiceLine.model_validate(dict(line)) for line in lines],
        evidence=None
        if evidence_row is None
        else EvidenceSummary.model_validate(_evidence(evidence_row, lines)),
        credit_note=next((note for note in shown if note.extent != "part"), None),
        partial_credit_notes=[note for note in shown if note.extent == "part"],
        left=_left(row, notes),
        sections=[InvoiceSection.model_validate(dict(section)) for section in sections],
        revisions=[InvoiceRevision.of(revision) for revision in revisions],
    )


@router.get("/invoices/{invoice_id}/evidence")
async def get_evidence(invoice_id: UUID, db: Db, caller: CustomerReader) -> Evidence:
    """The usage that the invoice billed, interval by interval, with its quality."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        await _existing(read, tenant_id, invoice_id)
        lines = await invoices.fetch_lines(read, tenant_id, invoice_id)
        row = await evidence.fetch_evidence(read, tenant_id, invoice_id)
    return Evidence.model_validate(_evidence(row, lines) | {"series": unpack_usage(row["usage"])})


@router.get("/invoices/{invoice_id}/recalculation")
async def recalculate_invoice(invoice_id: UUID, db: Db, caller: CustomerReader) -> Recalculation:
    """The invoice computed once more from its evidence, and whether that agrees with what was
    issued: every line, and the state that it carries forward."""
    return Recalculation.of(await handlers.recalculate_invoice(db, caller.tenant_id, invoice_id))


async def _existing(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> Any:
    row = await invoices.fetch_invoice(read, tenant_id, invoice_id)
    if row is None:
        raise NotFound("invoice_unknown", f"there is no invoice {invoice_id}")
    return row


def _left(row: Any, notes: Sequence[Any]) -> Decimal:
    """What no credit note has credited. Those of a collective invoice are not divided over its
    sections: all of one is left, or nothing."""
    if row["collective_id"] is None:
        return add_up([row["total"], *(EXACT.minus(note["total"]) for note in notes)])
    total: Decimal = row["total"]
    return total if row["state"] == "issued" else EXACT.subtract(total, total)


def _position(row: Any) -> tuple[object, ...]:
    return row["issued_at"], row["id"]


def _evidence(row: Any, lines: Sequence[Any]) -> dict[str, Any]:
    """An invoice's evidence; its quality is that of the series, so that older ones have it too."""
    versions = dict.fromkeys(line["tariff_version_id"] for line in lines)
    series = unpack_usage(row["usage"])
    quality = quality_of_all(doubtful_flows(series))
    return dict(row) | {
        "tariff_version_ids": list(versions),
        "quality": asdict(quality),
        "summed": summed_of(series),
    }
