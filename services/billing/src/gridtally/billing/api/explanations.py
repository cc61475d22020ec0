"""`/v1/invoices/{id}/explanation`: what the lines of an invoice are made of."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.domain import explanations as domain
from gridtally.billing.domain.credit_notes import Credited
from gridtally.billing.events.periods import summed_of, unpack_usage
from gridtally.billing.handlers import explanations as handlers
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.metering import SummedMeter
from gridtally.contracts.model import Amount
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.rating.line_documents import line_document

router = Router(prefix="/v1/invoices", tags=["invoices"])


class Described(BaseModel):
    """An answer whose fields are described by the text below each of them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ExplainedInterval(Described):
    """What an interval has to do with a line."""

    start_at: datetime
    """When it begins, in UTC."""
    wh: int | None
    """The energy of the line's flow in Wh (varh); null where there is none."""
    quality: str
    """`A` actual, `E` estimated, `S` substituted, `-` missing, `N` not metered."""
    rate: Amount | None
    """Money per kWh in this interval; null where the line has no rate by the interval."""
    amount: Amount | None
    """The unrounded amount; those of all intervals add up to the line's `amount_exact`."""


class RoundingStep(Described):
    """How `amount_exact` becomes `amount`."""

    mode: str
    """How ties are rounded: `half_even`, `half_up`, `down` or `up`."""
    decimals: int
    """To how many decimals."""
    per: str
    """Whether each `line` is rounded, or the invoice's total too (a line `rounding`)."""


class ExplainedLine(Described):
    """A line, and what it is made of."""

    position: int
    """Its number on the invoice, from 1."""
    line: InvoiceLine
    """The line as it was issued."""
    made_of: domain.MadeOf
    """`intervals`: the sum of the intervals' amounts. `whole`: of intervals that are taken
    together (tiers, a peak, netting), which have no amount of their own. `lines`: a tax or a
    percentage of other lines, or what brings them to the rounded total. `days`: owed for time."""
    intervals: list[ExplainedInterval]
    """The intervals that it rests on."""
    of_lines: list[int]
    """The positions of the lines whose `amount_exact` add up to its quantity."""
    rounding: RoundingStep
    """How it was rounded."""
    credited: Amount
    """What credit notes of parts have credited of it by now."""

    @classmethod
    def of(cls, explained: domain.Explanation, credited: Credited) -> Self:
        """The explanation as the API shows it."""
        rounding = explained.version.rounding
        part = credited.get(explained.position)
        return cls(
            position=explained.position,
            line=InvoiceLine.model_validate(line_document(explained.line)),
            made_of=explained.made_of,
            intervals=[
                ExplainedInterval(
                    start_at=interval.start_at,
                    wh=interval.wh,
                    quality=interval.quality,
                    rate=interval.rate,
                    amount=interval.amount,
                )
                for interval in explained.intervals
            ],
            of_lines=list(explained.of_lines),
            rounding=RoundingStep(mode=rounding.mode, decimals=rounding.decimals, per=rounding.per),
            credited=Decimal(0) if part is None else part.amount,
        )


class InvoiceExplanation(Described):
    """What an invoice's lines are made of."""

    invoice_id: UUID
    """The invoice."""
    number: str
    """Its number."""
    start_on: date
    """The first local day of its period."""
    end_on: date
    """The local day after the last."""
    zone: str
    """The meter's time zone."""
    revision: int
    """The version of the readings: how often the period was closed by then."""
    digest: str
    """SHA-256 of the readings of that version."""
    summed: list[SummedMeter]
    """What the meter was the sum of, where it is derived: each part with its energy and version."""
    state_before: dict[str, Any]
    """What the bill before carried forward, by component."""
    state_after: dict[str, Any]
    """What this one does."""
    lines: list[ExplainedLine]
    """The lines, or the one that was asked for."""


@router.get("/{invoice_id}/explanation")
async def explain_invoice(
    invoice_id: UUID,
    db: Db,
    caller: CustomerReader,
    line: Annotated[int | None, Query(ge=1, description="One line, by its position")] = None,
) -> InvoiceExplanation:
    """Each line down to its intervals: start, energy, quality, rate and unrounded amount, which add
    up to the line to the last digit; how it was rounded; and what was carried forward."""
    explained = await handlers.explain_invoice(db, caller.tenant_id, invoice_id, line)
    invoice, evidence = explained.invoice, explained.evidence
    return InvoiceExplanation(
        invoice_id=invoice["id"],
        number=invoice["number"],
        start_on=invoice["start_on"],
        end_on=invoice["end_on"],
        zone=evidence["zone"],
        revision=invoice["revision"],
        digest=evidence["digest"],
        summed=summed_of(unpack_usage(evidence["usage"])),
        state_before=evidence["state_before"],
        state_after=evidence["state_after"],
        lines=[ExplainedLine.of(own, explained.credited) for own in explained.lines],
    )
