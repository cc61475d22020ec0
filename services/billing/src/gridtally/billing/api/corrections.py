"""Corrections before they are made: `/v1/corrections/preview`."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field, model_validator

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.api.previews import BLOCKS_MAX, VALUES_MAX, OtherReadings
from gridtally.billing.domain import corrections as domain
from gridtally.billing.domain.recorded_usage import ReadingBlock
from gridtally.billing.handlers import corrections as handlers
from gridtally.billing.store import corrections as store
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Amount
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.errors import NotFound
from gridtally.kernel.ids import new_id
from gridtally.kernel.money import EXACT, in_currency
from gridtally.rating.line_documents import line_document

router = APIRouter(prefix="/v1/corrections/preview", tags=["corrections"])


class CorrectedReadings(OtherReadings):
    """Consecutive intervals of a meter's flow, as a correction would bring them."""

    meter_id: UUID
    """The meter."""


class NewCorrectionPreview(Body):
    """Readings that are to be corrected; later ones count."""

    readings: Annotated[list[CorrectedReadings], Field(min_length=1, max_length=BLOCKS_MAX)]
    """The readings, in the intervals in which the meters are recorded."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(block.values) for block in self.readings) > VALUES_MAX:
            raise ValueError(f"at most {VALUES_MAX} values at once")
        return self

    def blocks(self) -> handlers.Blocks:
        """The readings of each meter, with their numbers."""
        blocks: dict[UUID, list[tuple[int, ReadingBlock]]] = {}
        for index, own in enumerate(self.readings):
            blocks.setdefault(own.meter_id, []).append((index, own.block()))
        return blocks


class DerivedMeter(AnswerModel):
    """A meter that is computed of others at the same property, and may change with them."""

    meter_id: UUID
    """The meter."""
    name: str
    """Its name."""
    meter_type: str
    """`unmetered` or `derived`."""
    property_id: UUID
    """The property of a corrected meter."""


class ChangedDay(AnswerModel):
    """A local day of a meter's flow whose energy changes."""

    meter_id: UUID
    """The meter."""
    meter_name: str
    """Its name."""
    day: date
    """The local day."""
    flow: str
    """The flow."""
    wh_before: int | None
    """The energy that is recorded, in Wh (varh); null for none."""
    wh_after: int | None
    """The energy that would be."""


class ChangedCost(AnswerModel):
    """A meter's local day whose cost changes, without standing charges."""

    meter_id: UUID
    """The meter."""
    day: date
    """The local day."""
    currency: str
    """The currency."""
    gross_before: Amount | None
    """The cost with tax by now; null where it has none."""
    gross_after: Amount | None
    """The cost that it would have."""


class ChangedInvoice(AnswerModel):
    """An invoice that would be credited, and the one that would take its place."""

    invoice_id: UUID
    """The invoice."""
    number: str
    """Its number."""
    customer_id: UUID
    """The customer."""
    agreement_id: UUID
    """The agreement."""
    meter_id: UUID
    """The meter."""
    start_on: date
    """The first local day of its period."""
    end_on: date
    """The local day after the last."""
    cause: domain.Cause
    """`correction`: its readings change; `carried_forward`: only what the bill before leaves."""
    currency: str
    """The currency."""
    credit_note_total: Amount
    """What the credit note would be of: all of the invoice that is not credited yet."""
    total: Amount | None
    """The total of the invoice that would follow; null where it would be held."""
    delta: Amount | None
    """By how much the customer would owe more."""
    lines: list[InvoiceLine]
    """The lines of the invoice that would follow, at the prices in force on its days."""
    held: str | None
    """Why the invoice that follows would be held, for programs; null where it would be issued."""


class ChangedOpenPeriod(AnswerModel):
    """A period without an invoice whose bill so far would be another one."""

    agreement_id: UUID
    """The agreement."""
    customer_id: UUID
    """The customer."""
    meter_id: UUID
    """The meter."""
    start_on: date
    """The first local day of the period."""
    end_on: date
    """The local day after the last."""
    state: Literal["open", "held"]
    """Whether the period is still open, or closed and held."""
    currency: str | None
    """The currency; null where there is no bill."""
    total_before: Amount | None
    """The bill so far; null where there is none."""
    total_after: Amount | None
    """The bill so far as it would be."""
    refused: str | None
    """Why there is no bill, for programs."""


class CorrectionTotal(AnswerModel):
    """What the correction would change of invoices in one currency."""

    currency: str
    """The currency."""
    credit_notes: int
    """How many credit notes would be issued."""
    invoices: int
    """How many invoices."""
    delta: Amount
    """By how much customers would owe more."""


class CorrectionPreview(AnswerModel):
    """What a correction would change; nothing of it is done."""

    preview_id: UUID
    """The preview's id. A correction that is sent with it as `X-Correlation-Id` names the preview
    that it was decided by: the credit notes and invoices that follow carry it."""
    made_at: datetime
    """When it was made, in UTC."""
    days: list[ChangedDay]
    """The days whose energy changes."""
    costs: list[ChangedCost]
    """The days whose cost changes."""
    derived_meters: list[DerivedMeter]
    """The derived meters at the same properties."""
    invoices: list[ChangedInvoice]
    """The invoices that would be replaced, in the order of their periods."""
    open_periods: list[ChangedOpenPeriod]
    """The periods without an invoice that would change."""
    totals: list[CorrectionTotal]
    """What would be issued, by currency."""


class MadeBy(AnswerModel):
    """What was issued on behalf of the preview."""

    kind: Literal["credit_note", "invoice"]
    """What it is."""
    id: UUID
    """Its id."""
    number: str
    """Its number."""
    agreement_id: UUID
    """The agreement."""
    currency: str
    """The currency."""
    total: Amount
    """Its total; a credit note's is negative."""


class StoredCorrectionPreview(CorrectionPreview):
    """A preview as it was answered, and what a correction that named it has made."""

    made: list[MadeBy]
    """The credit notes and invoices that carry its id; empty while nothing was corrected."""


@router.post("", status_code=201, response_model=CorrectionPreview)
async def preview_correction(
    new: NewCorrectionPreview, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """What corrected readings would change: days, costs, invoices and open periods, by how much,
    and what would be issued. Nothing is changed; the answer is stored, so that the correction can
    name it."""
    found = await handlers.preview_correction(db, cause.tenant_id, new.blocks(), now)
    body = _answer(found, new_id(), now)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        document = body.model_dump_json()
        await store.insert_preview(tx, cause.tenant_id, body.preview_id, document, now)
        return await request.store_answer(tx, 201, body)


@router.get("/{preview_id}")
async def get_correction_preview(
    preview_id: Annotated[UUID, Path(description="The preview's id")], db: Db, caller: Reader
) -> StoredCorrectionPreview:
    """A preview as it was answered, and what was issued by the correction that named it."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        document = await store.fetch_preview(read, caller.tenant_id, preview_id)
        if document is None:
            raise NotFound("correction_preview_unknown", f"there is no preview {preview_id}")
        preview = CorrectionPreview.model_validate(document)
        made = await store.fetch_made_by(
            read,
            caller.tenant_id,
            str(preview_id),
            [changed.invoice_id for changed in preview.invoices],
            [
                *((changed.agreement_id, changed.start_on) for changed in preview.invoices),
                *((period.agreement_id, period.start_on) for period in preview.open_periods),
            ],
        )
    return StoredCorrectionPreview(
        **dict(preview), made=[MadeBy.model_validate(dict(row)) for row in made]
    )


def _answer(
    found: handlers.CorrectionPreview, preview_id: UUID, now: datetime
) -> CorrectionPreview:
    return CorrectionPreview(
        preview_id=preview_id,
        made_at=now,
        days=[
            ChangedDay(
                meter_id=changed.meter_id,
                meter_name=found.meters[changed.meter_id].name,
                day=changed.day,
                flow=changed.flow,
                wh_before=changed.wh_before,
                wh_after=changed.wh_after,
            )
            for changed in found.days
        ],
        costs=[shown for cost in found.costs if (shown := _cost(cost)) is not None],
        derived_meters=[
            DerivedMeter(
                meter_id=row["id"],
                name=row["name"],
                meter_type=row["meter_type"],
                property_id=row["property_id"],
            )
            for row in found.derived
        ],
        invoices=[_invoice(changed) for changed in found.invoices],
        open_periods=[_open_period(period) for period in found.open_periods],
        totals=_totals(found.invoices),
    )


def _cost(cost: domain.DayCost) -> ChangedCost | None:
    known = cost.after or cost.before
    if known is None or (cost.before and cost.after and cost.before.gross == cost.after.gross):
        return None
    return ChangedCost(
        meter_id=cost.meter_id,
        day=cost.day,
        currency=known.currency,
        gross_before=cost.before and in_currency(cost.before.gross, known.currency),
        gross_after=cost.after and in_currency(cost.after.gross, known.currency),
    )


def _invoice(changed: domain.ChangedInvoice) -> ChangedInvoice:
    invoice, bill = changed.invoice, changed.bill

    def shown(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else in_currency(amount, invoice.currency)

    lines = () if bill is None else bill.lines
    return ChangedInvoice(
        invoice_id=invoice.id,
        number=invoice.number,
        customer_id=invoice.customer_id,
        agreement_id=invoice.closed.agreement_id,
        meter_id=invoice.closed.meter_id,
        start_on=invoice.closed.period.start_on,
        end_on=invoice.closed.period.end_on,
        cause=changed.cause,
        currency=invoice.currency,
        credit_note_total=in_currency(
            EXACT.subtract(invoice.total, invoice.credited), invoice.currency
        ),
        total=shown(None if bill is None else bill.total),
        delta=shown(changed.delta),
        lines=[InvoiceLine.model_validate(line_document(line)) for line in lines],
        held=None if changed.held is None else changed.held.reason,
    )


def _open_period(period: handlers.OpenPeriod) -> ChangedOpenPeriod:
    currency = period.currency or ""
    return ChangedOpenPeriod(
        agreement_id=period.agreement_id,
        customer_id=period.customer_id,
        meter_id=period.meter_id,
        start_on=period.period.start_on,
        end_on=period.period.end_on,
        state="held" if period.is_closed else "open",
        currency=period.currency,
        total_before=None if period.before is None else in_currency(period.before, currency),
        total_after=None if period.after is None else in_currency(period.after, currency),
        refused=None if period.refused is None else period.refused.code,
    )


def _totals(changed_invoices: Sequence[domain.ChangedInvoice]) -> list[CorrectionTotal]:
    by_currency: dict[str, list[Decimal]] = {}
    for changed in changed_invoices:
        deltas = by_currency.setdefault(changed.invoice.currency, [])
        if changed.delta is not None:
            deltas.append(changed.delta)
    totals = []
    for currency, deltas in sorted(by_currency.items()):
        total = Decimal(0)
        for delta in deltas:
            total = EXACT.add(total, delta)
        totals.append(
            CorrectionTotal(
                currency=currency,
                credit_notes=len(deltas),
                invoices=len(deltas),
                delta=in_currency(total, currency),
            )
        )
    return totals
