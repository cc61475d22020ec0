"""`/v1/agreements/{id}/periods/{start_on}/bill`: a period's bill as it was known at a moment."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from gridtally.billing.api.callers import Reader
from gridtally.billing.handlers import invoices as handlers
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Amount, Instant
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel
from gridtally.rating.line_documents import line_document
from gridtally.rating.state import state_document

router = Router(prefix="/v1/agreements", tags=["invoices"])


class PeriodBill(AnswerModel):
    """The bill of a period, computed again from what was known at a moment."""

    agreement_id: UUID
    """The agreement."""
    start_on: date
    """The first local day of the period."""
    end_on: date
    """The local day after the last."""
    as_known_at: datetime
    """The moment, in UTC."""
    invoice_id: UUID
    """The invoice that had been issued by then, the last of them."""
    number: str
    """Its number."""
    revision: int
    """The version of the readings: how often the period had been closed."""
    restatement: int
    """How often that revision had been issued again, because an earlier period was corrected."""
    issued_at: datetime
    """When that invoice was issued."""
    currency: str
    """The currency of all amounts."""
    lines: list[InvoiceLine]
    """The lines, byte for byte those of the invoice."""
    net: Amount
    """The sum of all lines but taxes."""
    tax: Amount
    """The sum of the taxes."""
    total: Amount
    """Net and tax."""
    state_after: dict[str, Any]
    """What it carried forward, by component."""


@router.get("/{agreement_id}/periods/{start_on}/bill")
async def get_bill_of_period(
    agreement_id: UUID,
    start_on: date,
    db: Db,
    caller: Reader,
    now: Now,
    as_known_at: Annotated[
        Instant | None, Query(description="The moment; now unless it is named")
    ] = None,
) -> PeriodBill:
    """The bill of the period that begins on the day, computed again from the readings, the tariff,
    the prices and the state that were billed by the moment: the invoice that was in force then."""
    moment = now if as_known_at is None else as_known_at
    invoice, bill = await handlers.bill_as_known(
        db, caller.tenant_id, agreement_id, start_on, moment
    )
    return PeriodBill(
        agreement_id=agreement_id,
        start_on=start_on,
        end_on=invoice["end_on"],
        as_known_at=moment,
        invoice_id=invoice["id"],
        number=invoice["number"],
        revision=invoice["revision"],
        restatement=invoice["restatement"],
        issued_at=invoice["issued_at"],
        currency=bill.currency,
        lines=[InvoiceLine.model_validate(line_document(line)) for line in bill.lines],
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        state_after=state_document(bill.state),
    )
