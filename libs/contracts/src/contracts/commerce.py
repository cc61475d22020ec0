"""Events of billing and tariffs: agreements, tariff versions, invoices, credit notes, rollups.

Money is a decimal string with its currency beside it, already rounded by the tariff's rule;
`amount_exact` is before rounding.
"""

from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.metering import Flow
from contracts.model import (
    Amount,
    Code,
    Count,
    Currency,
    Day,
    EnergyWh,
    Event,
    Instant,
    Text,
    WireModel,
)

LINES_MAX = 2_000

LineKind = Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]
ClosingPolicy = Literal["wait", "bill_present"]


class AgreementChanged(Event):
    """A customer's agreement for a meter: since when, on which tariff, how its periods close.

    `wait` closes a period only when it is complete; `bill_present` when it is complete or
    `grace_hours` after its end, billing what is there.
    """

    TOPIC: ClassVar[str] = "agreement.changed.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: Day
    end_on: Day | None = None
    closing: ClosingPolicy = "wait"
    grace_hours: Annotated[int, Field(ge=0, le=24 * 366)] = 72
    version: Count

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.end_on is not None and self.end_on <= self.start_on:
            raise ValueError("an agreement ends after the day on which it began")
        return self


class TariffPublished(Event):
    """An immutable version of a tariff, in force from `effective_from` up to `effective_to`.

    `document` is the tariff's JSON form (see `contracts.tariff`), complete with its calendar. A
    version that was withdrawn is no longer in force from the local date `withdrawn_from`: where
    days before it remain, `effective_to` is that date, otherwise the status is `withdrawn`. The
    key is the version's id, so that compaction keeps every version.
    """

    TOPIC: ClassVar[str] = "tariff.published.v1"
    KEY: ClassVar[str] = "version_id"

    tariff_id: UUID
    version_id: UUID
    number: Annotated[Count, Field(ge=1)]
    code: Code
    name: Text
    region_id: UUID | None = None
    status: Literal["published", "withdrawn"] = "published"
    effective_from: Day
    effective_to: Day | None = None
    document: dict[str, Any]
    calendar_id: UUID | None = None
    calendar_number: Annotated[int, Field(ge=1)] | None = None
    withdrawn_from: Day | None = None
    withdrawal_reason: Text | None = None


class InvoiceLine(WireModel):
    """One charge: which component of which tariff version, on what, at what rate."""

    component_id: Code
    kind: LineKind
    band: str | None = None
    flow: Flow | None = None
    quantity: Amount
    unit: Annotated[str, Field(max_length=16)]
    rate: Amount
    amount_exact: Amount
    amount: Amount
    tariff_version_id: UUID
    start_on: Day
    end_on: Day
    payee: Annotated[str, Field(max_length=100)] | None = None
    tax_class: Annotated[str, Field(max_length=100)] | None = None


class InvoiceIssued(Event):
    """An invoice: exactly one live one per agreement and period; never changed.

    `restatement` counts those of the same revision that a correction of an earlier period replaced.
    `brought_forward` is the customer's balance before it, as far as billing knew (a credit is
    negative), of which `arrears` was overdue; `amount_due` is that plus the total. They are for the
    reader: what is booked is `total`. Without `due_on` it is due by the ledger's terms.
    """

    TOPIC: ClassVar[str] = "invoice.issued.v1"
    KEY: ClassVar[str] = "agreement_id"

    invoice_id: UUID
    number: Annotated[str, Field(max_length=40)]
    customer_id: UUID
    agreement_id: UUID
    meter_id: UUID
    start_on: Day
    end_on: Day
    revision: Annotated[Count, Field(ge=1)]
    restatement: Annotated[int, Field(ge=0)] = 0
    currency: Currency
    lines: Annotated[list[InvoiceLine], Field(max_length=LINES_MAX)]
    net: Amount
    tax: Amount
    total: Amount
    issued_at: Instant
    due_on: Day | None = None
    brought_forward: Amount | None = None
    arrears: Amount | None = None
    amount_due: Amount | None = None


class CreditNoteIssued(Event):
    """Cancels one whole invoice, whose amounts it repeats with their own signs."""

    TOPIC: ClassVar[str] = "credit_note.issued.v1"
    KEY: ClassVar[str] = "agreement_id"

    credit_note_id: UUID
    number: Annotated[str, Field(max_length=40)]
    invoice_id: UUID
    invoice_number: Annotated[str, Field(max_length=40)]
    customer_id: UUID
    agreement_id: UUID
    currency: Currency
    lines: Annotated[list[InvoiceLine], Field(max_length=LINES_MAX)]
    net: Amount
    tax: Amount
    total: Amount
    reason: Text
    issued_at: Instant


class InvoiceVoided(Event):
    """An invoice is no longer live: its credit note has been issued."""

    TOPIC: ClassVar[str] = "invoice.voided.v1"
    KEY: ClassVar[str] = "agreement_id"

    invoice_id: UUID
    number: Annotated[str, Field(max_length=40)]
    agreement_id: UUID
    credit_note_id: UUID
    reason: Text
    voided_at: Instant


class CostRolledUp(Event):
    """What a meter's local day costs so far, without monthly fixed charges."""

    TOPIC: ClassVar[str] = "cost.rolled_up.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    meter_id: UUID
    day: Day
    usage_version: Count
    tariff_version_id: UUID
    import_wh: EnergyWh
    export_wh: EnergyWh
    currency: Currency
    net: Amount
    tax: Amount
    gross: Amount
