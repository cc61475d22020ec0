"""Events of billing and tariffs: agreements, tariff versions, invoices, credit notes, daily costs.

Money is a decimal string with its currency beside it, already rounded by the tariff's rule;
`amount_exact` is before rounding.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from gridtally.contracts.billing_calendars import BillingCalendar, CalendarTerms, EarlierCalendars
from gridtally.contracts.customers import (
    Address,
    Contacts,
    Email,
    Language,
    PaymentDays,
    PhoneNumber,
    TaxExemptions,
)
from gridtally.contracts.invoice_lines import (
    LINES_MAX,
    SECTIONS_MAX,
    DataQuality,
    InvoiceLine,
    InvoiceSection,
)
from gridtally.contracts.model import (
    Amount,
    Code,
    Count,
    Currency,
    Day,
    Document,
    EnergyWh,
    Event,
    Instant,
    Integer,
    Text,
)
from gridtally.kernel.billing_calendars import Calendars

COLLECTIVE_GRACE_HOURS = 120
"""How long a collective invoice waits for its last sections, unless the customer's terms differ."""
MINIMUM_PERIODS_MAX = 12
MinimumPeriods = Annotated[int, Field(ge=1, le=120)]
CollectiveGraceHours = Annotated[int, Field(ge=0, le=24 * 366)]

Invoicing = Literal["single", "collective"]
ClosingPolicy = Literal["wait", "bill_present", "estimate"]


class CustomerChanged(Event):
    """A customer: who pays, in which currency, and what is known of them.

    After its erasure nothing of it names a person any more: `erased_at` says so.
    """

    TOPIC: ClassVar[str] = "customer.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    """The customer."""
    currency: Currency
    """The currency in which the customer is billed and pays."""
    version: Count
    """How often the customer was changed so far; a higher one replaces a lower one."""
    name: Text | None = None
    """Name, for people; null in messages of before it was published."""
    number: Code | None = None
    """The tenant's own number of the customer."""
    email: Email | None = None
    """E-mail address."""
    phone_number: PhoneNumber | None = None
    """Telephone number."""
    language: Language | None = None
    """The language in which to write to the customer."""
    billing_address: Address | None = None
    """Where invoices go."""
    supply_address: Address | None = None
    """Where the energy is used."""
    contacts: Contacts = ()
    """Whom to speak to."""
    tax_id: Code | None = None
    """Tax number of a business."""
    tax_exemptions: TaxExemptions = ()
    """The taxes that the customer does not pay, and when."""
    payment_days: PaymentDays | None = None
    """The number of days from an invoice until it is due; null for the tenant's terms."""
    e_invoice_consent_on: Day | None = None
    """The day on which the customer agreed to invoices by e-mail alone."""
    billing_calendar: CalendarTerms | None = None
    """The billing calendar of agreements that name none when they are made; null for months."""
    invoicing: Invoicing = "single"
    """Whether each agreement's period has an invoice, or all that end together share a
    collective one."""
    collective_grace_hours: CollectiveGraceHours = COLLECTIVE_GRACE_HOURS
    """How many hours a collective invoice waits for its last sections."""
    minimum_amount: Amount | None = None
    """Collective invoices of less, in `currency`, wait for the next; null for none."""
    minimum_periods_max: MinimumPeriods = MINIMUM_PERIODS_MAX
    """How many periods of bills wait so at most."""
    erased_at: Instant | None = None
    """When what names the customer was erased."""
    merged_into: UUID | None = None
    """The customer who is the same person or business, and owes, owns and is billed instead; null
    unless this one was a duplicate."""


class AgreementChanged(Event):
    """A customer's agreement for a meter: since when, on which tariff, how its periods close.

    `wait` closes a period only when it is complete; `bill_present` when it is complete or
    `grace_hours` after its end, billing what is there; `estimate` then estimates what is missing.
    One that ends on the day on which it began has no days: it was cancelled. A tombstone says that
    it was deleted, and that nothing was ever billed by it.
    """

    TOPIC: ClassVar[str] = "agreement.changed.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    """The agreement."""
    customer_id: UUID
    """The customer who is billed."""
    meter_id: UUID
    """The meter whose energy is billed."""
    tariff_id: UUID
    """The tariff by which it is billed."""
    start_on: Day
    """The first local date that is billed, or has costs at least."""
    end_on: Day | None = None
    """The local date after the last that is billed; null while no end is known."""
    billing_starts_on: Day | None = None
    """The first local date that is invoiced, where that is after `start_on`: days before it were
    invoiced elsewhere, and have costs alone."""
    closing: ClosingPolicy = "wait"
    """How its periods close."""
    grace_hours: Annotated[int, Field(ge=0, le=24 * 366)] = 72
    """How many hours after its end a period closes under `bill_present` and `estimate`."""
    back_billing_months: Annotated[int, Field(ge=1, le=120)] | None = None
    """How many months after its end a period that was billed may still be corrected: later
    corrections are kept and not billed. Null: however late."""
    billing_calendar: BillingCalendar = BillingCalendar()
    """Into which periods its days are divided; in messages from before there were calendars, into
    calendar months."""
    earlier_calendars: EarlierCalendars = ()
    """The billing calendars that it had before, and until when, oldest first."""
    version: Count
    """How often the agreement was changed so far; a higher one replaces a lower one."""

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.end_on is not None and self.end_on < self.start_on:
            raise ValueError("an agreement does not end before the day on which it began")
        self.calendars()
        return self

    @property
    def billed_from_on(self) -> date:
        """The first local date that is invoiced."""
        return max(self.start_on, self.billing_starts_on or self.start_on)

    def calendars(self) -> Calendars:
        """Its billing calendar and those that it had before."""
        earlier = tuple(known.earlier() for known in self.earlier_calendars)
        return Calendars(self.billing_calendar.calendar(), earlier)


class TariffPublished(Event):
    """An immutable version of a tariff, in force from `effective_from` up to `effective_to`.

    A version that was withdrawn is no longer in force from the local date `withdrawn_from`: where
    days before it remain, `effective_to` is that date, otherwise the status is `withdrawn`. The
    key is the version's id, so that compaction keeps every version.
    """

    TOPIC: ClassVar[str] = "tariff.published.v1"
    KEY: ClassVar[str] = "version_id"

    tariff_id: UUID
    """The tariff."""
    version_id: UUID
    """The version."""
    number: Annotated[Count, Field(ge=1)]
    """The number of the version within its tariff, counted from 1."""
    code: Code
    """What programs call the tariff."""
    name: Text
    """What people call the tariff."""
    region_id: UUID | None = None
    """The region in which the tariff is offered; null where it is bound to none."""
    status: Literal["published", "withdrawn"] = "published"
    """Whether the version is ever in force, or was withdrawn from its first day on."""
    effective_from: Day
    """The first local date on which it is in force."""
    effective_to: Day | None = None
    """The local date from which it is no longer in force; null while no end is known."""
    document: Document
    """The tariff's JSON form, complete with its calendar."""
    calendar_id: UUID | None = None
    """The calendar that the document took its own from; null where it names none."""
    calendar_number: Annotated[Count, Field(ge=1)] | None = None
    """The number of that calendar's version."""
    withdrawn_from: Day | None = None
    """The local date from which it is withdrawn; null where it is not."""
    withdrawal_reason: Text | None = None
    """Why it was withdrawn, for people."""


class InvoiceIssued(Event):
    """An invoice: exactly one live one per agreement and period; never changed.

    One that has `sections` is collective: it is live for each of its sections' agreements and
    periods, and where `agreement_id` and `meter_id` stand it has the customer's id.
    `restatement` counts those of the same revision that a correction of an earlier period replaced.
    `brought_forward` is the customer's balance before it, as far as billing knew (a credit is
    negative), of which `arrears` was overdue; `amount_due` is that plus the total. The invoice
    whose place it takes is not in it, but what was paid on that one is. They are for the reader:
    what is posted is `total`. Without `due_on` it is due by the ledger's terms.
    """

    TOPIC: ClassVar[str] = "invoice.issued.v1"
    KEY: ClassVar[str] = "agreement_id"

    invoice_id: UUID
    """The invoice."""
    number: Annotated[str, Field(max_length=40)]
    """What people call the invoice, such as INV-2025-000123."""
    customer_id: UUID
    """The customer who is billed."""
    agreement_id: UUID
    """The agreement that is billed."""
    meter_id: UUID
    """The meter whose energy is billed."""
    start_on: Day
    """The period's first local date."""
    end_on: Day
    """The local date after the period's last."""
    revision: Annotated[Count, Field(ge=1)]
    """The number of the closed period's revision that is billed, counted from 1."""
    restatement: Count = 0
    """How often the same revision was issued before, because an earlier period was corrected."""
    currency: Currency
    """The currency of all amounts."""
    lines: Annotated[list[InvoiceLine], Field(max_length=LINES_MAX)]
    """The charges and credits, which add up to the total."""
    net: Amount
    """The sum of all lines but taxes, in `currency`."""
    tax: Amount
    """The sum of the taxes, in `currency`."""
    total: Amount
    """Net and tax, in `currency`; below zero where the customer gets money."""
    issued_at: Instant
    """When it was issued, in UTC."""
    due_on: Day | None = None
    """The date until which it is to be paid; null for the ledger's terms."""
    brought_forward: Amount | None = None
    """The customer's balance before it, in `currency`; below zero for a credit."""
    arrears: Amount | None = None
    """What of that was overdue, in `currency`."""
    amount_due: Amount | None = None
    """The total and what is brought forward, in `currency`."""
    quality: DataQuality | None = None
    """What all that was metered rests on; null where it is not known."""
    proof_root: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The root of the invoice's proof, SHA-256 in hexadecimal; null where it has none."""
    approved_by: Text | None = None
    """The API key that approved its draft; null where the tenant approves none."""
    approved_at: Instant | None = None
    """When its draft was approved, in UTC."""
    sections: Annotated[list[InvoiceSection], Field(max_length=SECTIONS_MAX)] | None = None
    """The sections of a collective invoice; null for that of one agreement's period."""

    @model_validator(mode="after")
    def _sections_have_the_lines(self) -> Self:
        if self.sections is not None:
            counted = sum(section.line_count for section in self.sections)
            if counted != len(self.lines):
                raise ValueError("the sections of an invoice have its lines, each one once")
        return self


CreditNoteExtent = Literal["whole", "part", "rest"]


class CreditNoteIssued(Event):
    """Credits an invoice by amounts with their own signs: the `whole`, a `part`, which leaves it
    live, or the `rest` that parts have left."""

    TOPIC: ClassVar[str] = "credit_note.issued.v1"
    KEY: ClassVar[str] = "agreement_id"

    credit_note_id: UUID
    """The credit note."""
    number: Annotated[str, Field(max_length=40)]
    """What people call the credit note, such as CN-2025-000012."""
    invoice_id: UUID
    """The invoice that it credits."""
    invoice_number: Annotated[str, Field(max_length=40)]
    """What people call that invoice."""
    customer_id: UUID
    """The invoice's customer."""
    agreement_id: UUID
    """The invoice's agreement."""
    currency: Currency
    """The currency of all amounts."""
    lines: Annotated[list[InvoiceLine], Field(max_length=LINES_MAX)]
    """The invoice's lines, or what is credited of them."""
    net: Amount
    """The sum of all lines but taxes, in `currency`: the invoice's, where all of it is credited."""
    tax: Amount
    """The sum of the taxes, in `currency`."""
    total: Amount
    """Net and tax, in `currency`."""
    reason: Text
    """Why the invoice is credited, for people."""
    issued_at: Instant
    """When it was issued, in UTC."""
    extent: CreditNoteExtent = "whole"
    """How much of the invoice it credits."""
    positions: Annotated[list[Integer], Field(max_length=LINES_MAX)] | None = None
    """The numbers of its lines among those of the invoice, from 1; null for all of them."""
    credited_by: Text | None = None
    """The API key by which a part was credited; null where a correction caused the note."""
    repeat_on_correction: bool = False
    """Whether a part is credited again, in the same currency, on the invoice of a correction."""
    repeats: UUID | None = None
    """The credit note of a part that a correction gave again by this one; null for others."""


class InvoiceVoided(Event):
    """An invoice is no longer live: its credit note has been issued."""

    TOPIC: ClassVar[str] = "invoice.voided.v1"
    KEY: ClassVar[str] = "agreement_id"

    invoice_id: UUID
    """The invoice."""
    number: Annotated[str, Field(max_length=40)]
    """What people call the invoice."""
    agreement_id: UUID
    """The invoice's agreement."""
    credit_note_id: UUID
    """The credit note that cancels it."""
    reason: Text
    """Why it is cancelled, for people."""
    voided_at: Instant
    """When it was cancelled, in UTC."""


class CostRolledUp(Event):
    """What a meter's local day costs so far, without monthly fixed charges."""

    TOPIC: ClassVar[str] = "cost.rolled_up.v1"
    KEY: ClassVar[str] = "agreement_id"

    agreement_id: UUID
    """The agreement in force on the day."""
    meter_id: UUID
    """The meter whose energy it is."""
    day: Day
    """The local date, in the meter's time zone."""
    usage_version: Count
    """The sum of the version numbers of the `usage.recorded` that are in it."""
    tariff_version_id: UUID
    """The tariff version in force on the day."""
    import_wh: EnergyWh
    """The imported energy of the day, in Wh."""
    export_wh: EnergyWh
    """The exported energy of the day, in Wh."""
    currency: Currency
    """The currency of all amounts."""
    net: Amount
    """The cost without taxes, in `currency`."""
    tax: Amount
    """The taxes, in `currency`."""
    gross: Amount
    """Net and tax, in `currency`."""
