"""What corrections before they are made are asked with, and what is answered."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from gridtally.billing.api.previews import BLOCKS_MAX, VALUES_MAX, OtherReadings
from gridtally.billing.domain import corrections as domain
from gridtally.billing.domain.recorded_usage import ReadingBlock
from gridtally.billing.handlers import corrections as handlers
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Amount
from gridtally.http.resources import AnswerModel, Body


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
    """A derived meter that changes with what it adds up; its days, periods and invoices are among
    the others."""

    meter_id: UUID
    """The meter."""
    name: str
    """Its name."""
    meter_type: str
    """`unmetered` or `derived`."""
    property_id: UUID | None
    """Its property; null where that is not known."""


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
    """An invoice, or a section of a collective one, that would be credited, and the one that would
    take its place."""

    invoice_id: UUID
    """The invoice, or section."""
    document_id: UUID
    """The invoice that was sent: itself, or the collective one that it is a section of."""
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
    """What the credit note would be of: all of the invoice that is not credited yet; of a section
    all of it."""
    total: Amount | None
    """The total of the invoice that would follow; null where it would be held."""
    delta: Amount | None
    """By how much the bill would come to more."""
    lines: list[InvoiceLine]
    """The lines of the invoice that would follow, at the prices in force on its days."""
    held: str | None
    """Why the invoice that follows would be held, for programs; null where it would be issued."""


class RepeatedCredit(AnswerModel):
    """A credit by hand that would be given again."""

    credit_note_id: UUID
    """The note by which it was given first."""
    reason: str
    """Why it was given."""
    total: Amount
    """How much of it, with taxes."""


class ChangedDocument(AnswerModel):
    """An invoice as it was sent, a collective one as a whole: the credit note that would be issued
    and the invoice that would follow."""

    invoice_id: UUID
    """The invoice."""
    number: str
    """Its number."""
    customer_id: UUID
    """The customer."""
    is_collective: bool
    """Whether it has sections; those that do not change are on the new one as they are."""
    currency: str
    """The currency."""
    total_before: Amount
    """Its total."""
    credited_before: Amount
    """What is credited of it by now."""
    credit_note_total: Amount
    """What the credit note would come to: all that is not credited yet."""
    total: Amount | None
    """The total of the invoices that would follow; null where they would be held."""
    totals: list[Amount]
    """The total of each: of several where one would have more than 2 000 lines."""
    repeated_credits: list[RepeatedCredit]
    """What was credited by hand and would be credited of the new invoice too."""
    delta: Amount | None
    """By how much the customer would owe more, all credits counted."""
    changed: list[UUID]
    """The bills of it that change, as in `invoices`: itself, or its sections."""
    held: str | None
    """Why the invoice that follows would be held; null where it would be issued."""


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
    """How many credit notes would be issued, those that give credits again among them."""
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
    """The derived meters that would change."""
    invoices: list[ChangedInvoice]
    """The bills that would be replaced, in the order of their periods."""
    documents: list[ChangedDocument]
    """The invoices that they were sent as: what would be credited and issued, each as a whole."""
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
