"""The answer to a correction before it is made."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.billing.api.corrections.models import (
    ChangedCost,
    ChangedDay,
    ChangedDocument,
    ChangedInvoice,
    ChangedOpenPeriod,
    CorrectionPreview,
    CorrectionTotal,
    DerivedMeter,
    RepeatedCredit,
)
from gridtally.billing.domain import corrections as domain
from gridtally.billing.domain.changed_documents import ChangedDocument as ChangedDomainDocument
from gridtally.billing.handlers import corrections as handlers
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.kernel.money import EXACT, in_currency
from gridtally.rating.engine.exact import add_up
from gridtally.rating.line_documents import line_document


def answer_of(
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
                meter_id=meter.id,
                name=meter.name,
                meter_type=meter.meter_type,
                property_id=meter.property_id,
            )
            for meter in found.derived
        ],
        invoices=[_invoice(changed) for changed in found.invoices],
        open_periods=[_open_period(period) for period in found.open_periods],
        documents=[_document(changed) for changed in found.documents],
        totals=_totals(found.documents),
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
        document_id=invoice.document_id,
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


def _document(changed: ChangedDomainDocument) -> ChangedDocument:
    document, currency = changed.document, changed.document.currency

    def shown(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else in_currency(amount, currency)

    return ChangedDocument(
        invoice_id=document.id,
        number=document.number,
        customer_id=document.customer_id,
        is_collective=document.is_collective,
        currency=currency,
        total_before=in_currency(document.total, currency),
        credited_before=in_currency(document.credited, currency),
        credit_note_total=in_currency(changed.credit_note_total, currency),
        total=shown(changed.total),
        totals=[in_currency(total, currency) for total in changed.totals],
        repeated_credits=[
            RepeatedCredit(
                credit_note_id=given.note_id,
                reason=given.reason,
                total=in_currency(amount, currency),
            )
            for given, amount in changed.repeated
        ],
        delta=shown(changed.delta),
        changed=[own.invoice.id for own in changed.bills],
        held=changed.held,
    )


def _totals(documents: Sequence[ChangedDomainDocument]) -> list[CorrectionTotal]:
    totals = []
    for currency in sorted({own.document.currency for own in documents}):
        own = [changed for changed in documents if changed.document.currency == currency]
        issued = [(changed, delta) for changed in own if (delta := changed.delta) is not None]
        totals.append(
            CorrectionTotal(
                currency=currency,
                credit_notes=sum(1 + len(changed.repeated) for changed, _ in issued),
                invoices=sum(len(changed.totals) for changed, _ in issued),
                delta=in_currency(add_up(delta for _, delta in issued), currency),
            )
        )
    return totals
