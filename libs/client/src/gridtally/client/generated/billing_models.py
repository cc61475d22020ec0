"""What billing takes and answers. Generated from docs/openapi/billing.json by `make docs`."""

from __future__ import annotations

from datetime import date as date_aliased
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from gridtally.client.model import Model


class AccountChange(Model):
    """What it comes to for a customer."""

    customer_id: UUID
    """The customer."""

    currency: str
    """The currency of the amounts."""

    credited: Decimal
    """What is credited."""

    billed: Decimal
    """What is billed instead."""

    difference: Decimal
    """By how much the customer owes more; less where it is below nothing."""


class ApprovedDrafts(Model):
    """What became of drafts that were approved together."""

    approved: int
    """How many were approved."""

    is_all: bool
    """Whether that was all; else the same request approves the next thousand."""


class BillingCalendar(Model):
    """Into which periods the days of an agreement are divided; without anything, into months."""

    model_config = ConfigDict(
        extra="forbid",
    )
    months: Literal[1, 2, 3, 6, 12] = 1
    """How many months a period has."""

    anchor_month: int = 1
    """The number of a month in which a period begins; 1 is January."""

    start_day: int = 1
    """
    The number of the day of the month on which a period begins; in a month without it, the
    last day.
    """

    read_cycle: str | None = None
    """In place of months, the tenant's read cycle, on whose dates periods begin."""


class BillingRun(Model):
    """A run over the drafts of a time, as they are now."""

    id: UUID
    """The resource's id (UUID)"""

    name: str
    """What people call it."""

    start_on: date_aliased
    """The first local day of the periods that it takes."""

    end_on: date_aliased
    """The local day after the last."""

    customer_ids: list[UUID]
    """Whose bills it takes; of all customers where it is empty."""

    shock_percent: int
    """By how many percent of the bill before a cost per day must differ to stand out."""

    state: Literal["proposed", "approved", "issued", "cancelled"] | str
    """`proposed`; `approved`, its bills are being issued; `issued`, all are; `cancelled`."""

    created_by: str
    """The API key that made it."""

    created_at: AwareDatetime
    """When, UTC."""

    decided_by: str | None
    """The API key that approved or cancelled it; null for none."""

    decided_at: AwareDatetime | None
    """When, UTC."""

    version: int
    """Its ETag."""


class Calculation(Model):
    """A stored calculation, without its lines."""

    calculation_id: UUID
    """The calculation's id."""

    customer_id: UUID
    """The customer."""

    start: date_aliased
    """The first local day."""

    end: date_aliased
    """The local day after the last."""

    tariff_version_id: UUID
    """The version."""

    tariff_code: str | None
    """Its tariff's short name for programs, as far as billing knows it."""

    tariff_name: str | None
    """What people call its tariff, as far as billing knows it."""

    currency: str
    """The version's currency, which all amounts are in."""

    net: Decimal
    """Before tax."""

    tax: Decimal
    """The taxes."""

    total_cost: Decimal
    """With taxes."""

    breakdown: dict[str, Decimal]
    """What each component comes to, by its id in the tariff document; they add up to the total."""

    expected_intervals: int
    """How many intervals the meters' recorded flows have on these days."""

    present_intervals: int
    """How many of them have a value."""

    calculated_at: AwareDatetime
    """When it was stored."""


class ChangedCost(Model):
    """A meter's local day whose cost changes, without standing charges."""

    meter_id: UUID
    """The meter."""

    day: date_aliased
    """The local day."""

    currency: str
    """The currency."""

    gross_before: Decimal | None
    """The cost with tax by now; null where it has none."""

    gross_after: Decimal | None
    """The cost that it would have."""


class ChangedDay(Model):
    """A local day of a meter's flow whose energy changes."""

    meter_id: UUID
    """The meter."""

    meter_name: str
    """Its name."""

    day: date_aliased
    """The local day."""

    flow: str
    """The flow."""

    wh_before: int | None
    """The energy that is recorded, in Wh (varh); null for none."""

    wh_after: int | None
    """The energy that would be."""


class ChangedOpenPeriod(Model):
    """A period without an invoice whose bill so far would be another one."""

    agreement_id: UUID
    """The agreement."""

    customer_id: UUID
    """The customer."""

    meter_id: UUID
    """The meter."""

    start_on: date_aliased
    """The first local day of the period."""

    end_on: date_aliased
    """The local day after the last."""

    state: Literal["open", "held"] | str
    """Whether the period is still open, or closed and held."""

    currency: str | None
    """The currency; null where there is no bill."""

    total_before: Decimal | None
    """The bill so far; null where there is none."""

    total_after: Decimal | None
    """The bill so far as it would be."""

    refused: str | None
    """Why there is no bill, for programs."""


class CollectiveInvoiceRelease(Model):
    """Which collective invoice is issued with what is there."""

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID
    """Whose it is."""

    start_on: date_aliased
    """The first of the days whose periods share it."""


class Contact(Model):
    """Somebody to speak to about a customer."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """The person's name."""

    role: str | None = None
    """What for: `accounts`, `site manager`."""

    email: str | None = None
    """E-mail address."""

    phone_number: str | None = None
    """Telephone number."""


class CorrectedReadings(Model):
    """Consecutive intervals of a meter's flow, as a correction would bring them."""

    model_config = ConfigDict(
        extra="forbid",
    )
    flow: Literal[
        "import", "export", "load", "generation", "reactive_import", "reactive_export"
    ] = "import"
    """What is measured."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval, which must be that of the flow's recorded ones."""

    values: list[int | None]
    """The energy of each interval in Wh (varh), in order; null takes a value away."""

    meter_id: UUID
    """The meter."""


class CorrectionTotal(Model):
    """What the correction would change of invoices in one currency."""

    currency: str
    """The currency."""

    credit_notes: int
    """How many credit notes would be issued, those that give credits again among them."""

    invoices: int
    """How many invoices."""

    delta: Decimal
    """By how much customers would owe more."""


class CreditNote(Model):
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

    net: Decimal
    """What it credits before taxes."""

    tax: Decimal
    """The taxes that it credits."""

    total: Decimal
    """Net and tax."""

    extent: Literal["whole", "part", "rest"] | str
    """The `whole` invoice, which is void then; a `part`; or the `rest`, which voids it too."""

    reason: str
    """Why."""

    credited_by: str | None
    """The API key by which a part was credited; null where a correction caused the note."""

    repeat_on_correction: bool
    """Whether a part is credited again on the invoice of a correction."""

    repeats: UUID | None
    """The credit note of a part that a correction gave again by this one; null for others."""

    issued_at: AwareDatetime
    """When, UTC."""

    correlation_id: str
    """The id that follows it through all services."""


class CreditedLine(Model):
    """How much of a line of an invoice is credited."""

    model_config = ConfigDict(
        extra="forbid",
    )
    position: int
    """The place of the line among the invoice's, from 1; a charge, whose taxes go with it."""

    amount: Decimal | None = None
    """The amount before taxes; what is left of the line if it is left out."""


class CurrencyTotals(Model):
    """
    `invoiced` less `credited` is what is left of the `live` invoices, and what the running sums
    of customers come to (`issued_total`); `overcredited` are credited by more than they were of.
    """

    currency: str
    """ISO 4217 code"""

    invoices: int
    """The invoices, or how many there are"""

    invoiced: Decimal
    """Number of periods that have an invoice"""

    credit_notes: int
    """Number of credit notes"""

    credited: Decimal
    """Total of credit notes"""

    live: int
    """Number of invoices that no credit note cancels"""

    live_total: Decimal
    """Total of invoices that no credit note cancels"""

    overcredited: int
    """How many live invoices are"""

    lines_total: Decimal
    """Sum of the lines"""

    issued_total: Decimal
    """What customers were issued, by the running sum of each"""


class CustomerMerge(Model):
    """That a customer was merged into another one."""

    id: UUID
    """The resource's id (UUID)"""

    duplicate_id: UUID
    """The customer who was one too many; its name and number stay on what was issued to it."""

    survivor_id: UUID
    """The customer who goes on."""

    reason: str
    """Why."""

    merged_by: str
    """The API key that asked for it."""

    merged_at: AwareDatetime
    """When, UTC."""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    agreement_ids: list[UUID]
    """The agreements that went over."""


class DailyCost(Model):
    """What a local day costs so far, without fixed and capacity charges."""

    day: date_aliased
    """Local day"""

    agreement_id: UUID
    """The agreement"""

    tariff_version_id: UUID
    """The version of the tariff"""

    usage_version: int
    """Version of the usage that it was made from"""

    import_wh: int
    """Imported energy, in Wh"""

    export_wh: int
    """Exported energy, in Wh"""

    currency: str
    """ISO 4217 code"""

    net: Decimal
    """Amount without taxes"""

    tax: Decimal
    """Taxes"""

    gross: Decimal
    """Amount with taxes"""


class DailyCosts(Model):
    """The days that can be priced, in order."""

    items: list[DailyCost]
    """The page's items"""


class DataQuality(Model):
    """
    What a line, or a whole invoice, rests on besides actual readings.

    A line rests on the intervals of its flow on its days, and in its band where it has one.
    """

    worst: Literal["actual", "estimated", "substituted", "missing"] | str = "actual"
    """The worst quality that any interval has; `missing` ones are in no quantity."""

    estimated_intervals: int = 0
    """How many intervals are estimated."""

    substituted_intervals: int = 0
    """How many intervals are substituted."""

    missing_intervals: int = 0
    """How many intervals have no value."""

    estimated_kwh: Decimal = Decimal("0")
    """The energy of estimated intervals in kWh; in kvarh for a line of a reactive flow."""

    substituted_kwh: Decimal = Decimal("0")
    """The energy of substituted intervals in kWh; in kvarh for a line of a reactive flow."""


class DeadLetter(Model):
    """A message that a consumer could not understand or store."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""


class DeadLetterCount(Model):
    """Letters of one topic."""

    tenant_id: str
    """The tenant that they name, `-` where they name none."""

    topic: str
    """The topic that the messages are on."""

    open: int
    """Letters that nobody has replayed or discarded yet."""

    bytes: int
    """The length of their values together."""

    dropped: int
    """Letters that were never stored, because the tenant's quota was full."""

    expired: int
    """Letters that were deleted unresolved, because they were too old."""


class DeadLetterCounts(Model):
    """Letters by topic, as far as there are any."""

    items: list[DeadLetterCount]
    """The page's items"""


class DeadLetterWithValue(Model):
    """The same with all that the message has; a letter that is resolved has no value any more."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""

    key: str | None
    """The message's key, as text."""

    headers: list[list[Any]]
    """The names and contents of the message's headers, as text."""

    value: Decimal | None
    """The message's value as text; what is not UTF-8 in it is replaced."""

    value_base64: str | None
    """The message's value, byte for byte, in Base64."""


class DerivedMeter(Model):
    """
    A derived meter that changes with what it adds up; its days, periods and invoices are among
    the others.
    """

    meter_id: UUID
    """The meter."""

    name: str
    """Its name."""

    meter_type: str
    """`unmetered` or `derived`."""

    property_id: UUID | None
    """Its property; null where that is not known."""


class Discard(Model):
    """Giving a letter up."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why it is given up, for whoever looks later."""


class Dismissal(Model):
    """That nothing is billed of a held period."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why, for whoever looks at it later."""


class DraftApprovals(Model):
    """
    Which drafts are approved, of those that nobody has decided; what is left out asks for all.

    At most a thousand at once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID | None = None
    """Those of this customer."""

    agreement_id: UUID | None = None
    """Those of this agreement."""

    from_: Annotated[date_aliased | None, Field(alias="from")] = None
    """Those of periods that begin on this local day or later."""

    to: date_aliased | None = None
    """Those of periods that end before this local day, or with it as the day after the last."""

    total_max: Decimal | None = None
    """Those of at most this total."""

    currency: str | None = None
    """Those in this currency."""


class DraftRejection(Model):
    """Why a draft is not to be issued."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """What is wrong with it."""


class DrawnDay(Model):
    """What a local day costs of all of the customer's meters."""

    day: date_aliased
    """The day."""

    usage: Decimal
    """What was used, with taxes."""

    standing: Decimal
    """Its share of what is owed for time in its billing period, with taxes."""

    total: Decimal
    """Both."""

    drawn: Decimal
    """What of it no invoice has yet; the rest is settled by one."""

    is_billed: bool
    """Whether invoices have all of it."""


class DrawnDays(Model):
    """Days, the latest first; those are left out whose cost is not known yet."""

    customer_id: UUID
    """The customer."""

    currency: str
    """The currency of all amounts."""

    items: list[DrawnDay]
    """The page's items"""


class EarlierCalendar(Model):
    """The billing calendar that an agreement had until a day."""

    until_on: date_aliased
    """The local date from which it is in force no more; the period before ends there."""

    calendar: BillingCalendar


class Erasure(Model):
    """That what names a customer was erased."""

    customer_id: UUID
    """The customer, whose id and amounts stay."""

    erased_at: AwareDatetime
    """When, UTC."""

    key_id: str
    """The API key that asked for it."""

    reason: str
    """What it rests on."""

    correlation_id: str
    """The id that links this to the event or request that caused it"""


class ExplainedInterval(Model):
    """What an interval has to do with a line."""

    start_at: AwareDatetime
    """When it begins, in UTC."""

    wh: int | None
    """The energy of the line's flow in Wh (varh); null where there is none."""

    quality: str
    """`A` actual, `E` estimated, `S` substituted, `-` missing, `N` not metered."""

    rate: Decimal | None
    """Money per kWh in this interval; null where the line has no rate by the interval."""

    amount: Decimal | None
    """The unrounded amount; those of all intervals add up to the line's `amount_exact`."""


class FleetDay(Model):
    """What the fleet used on a UTC day, and what that costs in one currency."""

    date: date_aliased
    """The date in UTC."""

    currency: str
    """The currency of the amounts."""

    kwh: Decimal
    """The energy that is priced in this currency; in the customer's own, also what has no price."""

    base_cost: Decimal
    """Before tax."""

    vat_amount: Decimal
    """The tax."""

    total_cost: Decimal
    """With tax."""


class FleetDevice(Model):
    """What a meter of the fleet used, and what that costs in one currency."""

    device_id: UUID
    """The meter."""

    device_name: str
    """What people call it."""

    municipality_name: str | None
    """The nearest municipality that it lies in; null where none is known."""

    currency: str
    """The currency of the amounts."""

    kwh: Decimal
    """The energy that is priced in this currency; in the customer's own, also what has no price."""

    base_cost: Decimal
    """Before tax."""

    vat_amount: Decimal
    """The tax."""

    total_cost: Decimal
    """With tax."""

    buckets: int
    """The device's hours in which any import was recorded."""

    buckets_without_tariff: int
    """Those of them that have no price."""


class FleetTotal(Model):
    """What the fleet used and what that costs, in one currency."""

    currency: str
    """The currency of the amounts."""

    total_kwh: Decimal
    """The energy that is priced in this currency; in the customer's own, also what has no price."""

    total_base_cost: Decimal
    """Before tax."""

    total_vat_amount: Decimal
    """The tax, bucket by bucket."""

    total_cost: Decimal
    """With tax."""


class HeldPeriod(Model):
    """A closed period that cannot be billed until something arrives, or that was dismissed."""

    agreement_id: UUID
    """The agreement"""

    customer_id: UUID | None
    """The customer"""

    meter_id: UUID
    """The meter"""

    start_on: date_aliased
    """First local day"""

    end_on: date_aliased
    """First local day that no longer belongs to it; null for no end"""

    revision: int
    """Which revision of the period this is, from 1"""

    reason: str
    """Why, for programs"""

    detail: str
    """The reason, for people"""

    held_at: AwareDatetime
    """Since when the period is held, UTC"""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    dismissed_at: AwareDatetime | None
    """When it was dismissed, UTC"""

    dismissed_by: str | None
    """The API key that dismissed it"""

    dismissal: str | None
    """Why somebody wants nothing billed of the period; null while it is held"""


class HoursWithoutTariff(Model):
    """Consecutive hours of a device that have no price, and why."""

    device_id: UUID
    """The meter."""

    device_name: str
    """What people call it."""

    from_at: AwareDatetime
    """When the first of the hours begins, in UTC."""

    to_at: AwareDatetime
    """When the last of the hours ends, in UTC."""

    buckets: int
    """In how many of them any import was recorded."""

    kwh: Decimal
    """The energy of these hours."""

    reason: str
    """
    Why, for programs: `no_region` (the site is in none, and no agreement names a tariff),
    `none_in_force` (no version of the agreement's or region's tariffs is), or why rating refuses
    the version that is (`prices_missing`, `edge_inside_interval`, …).
    """

    detail: str
    """Why, for people."""


class HoursWithoutTariffAnswer(Model):
    """The hours of a fleet that have no price, by device and time."""

    items: list[HoursWithoutTariff]
    """All of them."""


class Identity(Model):
    """The key that a request shows, as this service knows it."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    customer_id: UUID | None
    """The customer whose rows alone this request sees; null for all rows"""


class Invoice(Model):
    """
    An invoice, of one revision of an agreement's period; `void` once it is credited.

    `restatement` counts those of the same revision that a correction of an earlier period replaced.
    `brought_forward` is the customer's balance before it, as far as billing knew (a credit is
    negative), of which `arrears` was overdue; `amount_due` is that and the total, unless a budget
    plan covers the invoice: then it `settles_on` a day, and is not due by itself. The invoice whose
    place it takes is not in it, but what was paid on that one is. `quality` says how much of what
    was metered is not actual; null where that was not noted yet.
    """

    id: UUID
    """The resource's id (UUID)"""

    number: str
    """Number in its series, from 1"""

    state: Literal["issued", "void"] | str
    """The state"""

    customer_id: UUID
    """The customer"""

    agreement_id: UUID
    """The agreement"""

    meter_id: UUID
    """The meter"""

    start_on: date_aliased
    """First local day"""

    end_on: date_aliased
    """First local day that no longer belongs to it; null for no end"""

    revision: int
    """Which revision of the period this is, from 1"""

    restatement: int
    """Which issue of the same revision this is, from 0"""

    currency: str
    """ISO 4217 code"""

    net: Decimal
    """Amount without taxes"""

    tax: Decimal
    """Taxes"""

    total: Decimal
    """Net and taxes"""

    brought_forward: Decimal
    """The customer's balance before this invoice"""

    arrears: Decimal
    """What of the balance brought forward is overdue"""

    amount_due: Decimal
    """What is to be paid: total and what was brought forward"""

    settles_on: date_aliased | None
    """The day by which a budget plan that covers it is settled; null for one that is due by itself"""

    quality: DataQuality | None
    """What the value rests on: actual, estimated, substituted or missing"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    proof_root: str | None
    """The root of its proof, SHA-256 in hexadecimal; null from before there were proofs"""

    approved_by: str | None
    """The API key that approved its draft; null without one"""

    approved_at: AwareDatetime | None
    """When that was, UTC"""

    is_collective: bool
    """Whether it has sections; then the customer's id stands where another has its agreement and meter"""

    collective_id: UUID | None
    """The invoice that it is a section of; null for what is owed itself"""


class InvoiceDraft(Model):
    """A bill that waits for approval: it has no number, and is not published or booked."""

    id: UUID
    """The draft, and the invoice that it becomes."""

    agreement_id: UUID
    """The agreement that is billed."""

    customer_id: UUID
    """Who is to pay."""

    meter_id: UUID
    """Whose energy is billed."""

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
    """The local day after the last."""

    revision: int
    """The number of the closed period's revision that is billed."""

    restatement: int
    """How often the same revision was issued before, because an earlier period was corrected."""

    currency: str
    """The currency of its amounts."""

    net: Decimal
    """The sum of its lines but taxes."""

    tax: Decimal
    """The taxes."""

    total: Decimal
    """Net and tax."""

    replaces_id: UUID | None
    """The live invoice that is credited when it is issued; null where the period has none."""

    state: Literal["pending", "approved", "rejected"] | str
    """`pending`; `approved`, and issued within a second; `rejected`."""

    decided_by: str | None
    """The API key that approved or rejected it."""

    decided_at: AwareDatetime | None
    """When, UTC."""

    reason: str | None
    """Why it was rejected."""

    drafted_at: AwareDatetime
    """When it was made, UTC."""

    correlation_id: str
    """The id that follows it through all services."""

    version: int
    """Its ETag: it counts what has become of the draft of its period."""


class InvoiceProof(Model):
    """An invoice with all that it was computed from; docs/proof.md says what each part holds."""

    format: str
    """`gridtally-invoice-proof-1`."""

    root: str | None
    """The root that the invoice was issued with; null of one from before there were proofs."""

    hashes: dict[str, str]
    """The leaf of each part by its path, SHA-256 in hexadecimal."""

    invoice: dict[str, Any]
    """The invoice without its lines."""

    lines: list[dict[str, Any]]
    """Its lines."""

    readings: dict[str, Any]
    """How its period was closed, and the digest of its readings."""

    series: list[dict[str, Any]]
    """The readings, flow by flow: values in Wh (varh) and a letter of quality for each."""

    parts: list[dict[str, Any]]
    """Which tariff version applied on which days."""

    tariff_versions: list[dict[str, Any]]
    """The documents of these versions."""

    prices: list[dict[str, Any]]
    """The days of prices that they name."""

    state_before: dict[str, Any]
    """What the bill before carried forward, by component."""

    state_after: dict[str, Any]
    """What this one does."""


class InvoiceRevision(Model):
    """One of the invoices that a period has had."""

    invoice_id: UUID
    """The invoice"""

    number: str
    """Number in its series, from 1"""

    revision: int
    """Which revision of the period this is, from 1"""

    restatement: int
    """Which issue of the same revision this is, from 0"""

    state: Literal["issued", "void"] | str
    """The state"""

    total: Decimal
    """Net and taxes"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""


class InvoiceSection(Model):
    """
    A section of a collective invoice; `section_id` is an invoice too, with its own evidence,
    explanation and proof.
    """

    section_id: UUID
    """The section, under which explanation, evidence and proof of its bill are found."""

    agreement_id: UUID
    """The agreement that is billed."""

    meter_id: UUID
    """The meter whose energy is billed."""

    start_on: date_aliased
    """The period's first local date."""

    end_on: date_aliased
    """The local date after the period's last."""

    revision: int
    """The number of the closed period's revision that is billed, counted from 1."""

    restatement: int = 0
    """
    How often the same revision was issued before: an earlier period, or another section, was
    corrected.
    """

    line_count: int
    """How many of the invoice's lines are its own: those after the lines of the section before."""

    net: Decimal
    """The sum of its lines but taxes, in the invoice's currency."""

    tax: Decimal
    """The sum of its taxes, in the invoice's currency."""

    total: Decimal
    """Net and tax, in the invoice's currency."""

    quality: DataQuality | None = None
    """What all that was metered for it rests on."""

    proof_root: str | None = None
    """The root of the section's own proof, SHA-256 in hexadecimal."""

    approved_by: str | None = None
    """The API key that approved its draft; null where the tenant approves none."""

    approved_at: AwareDatetime | None = None
    """When its draft was approved, in UTC."""

    change: Literal["revision", "restatement", "added"] | str | None = None
    """How it differs from the invoice whose place this one takes; null where it does not."""


class InvoicingTerms(Model):
    """How a tenant issues invoices."""

    approval: Literal["none", "required"] | str
    """Whether each is a draft until somebody approves it."""

    runs_approved_by: Literal["anyone", "another_person"] | str
    """Whether a billing run may be approved by the key that made it, or only by another one."""


class Key(Model):
    """A key as answers have it: without its hash."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None
    """The customer whose rows alone the key sees; null for all rows"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    revoked_at: AwareDatetime | None
    """When the key was revoked, UTC; null while it works"""


class MadeBy(Model):
    """What was issued on behalf of the preview."""

    kind: Literal["credit_note", "invoice"] | str
    """What it is."""

    id: UUID
    """Its id."""

    number: str
    """Its number."""

    agreement_id: UUID
    """The agreement."""

    currency: str
    """The currency."""

    total: Decimal
    """Its total; a credit note's is negative."""


class MergedBalance(Model):
    """What the ledger said last of a customer's account in a currency."""

    customer_id: UUID
    """Whose account it is now."""

    currency: str
    """The currency of both amounts."""

    balance: Decimal
    """What is owed; a credit is below zero. A merge moves the duplicate's to the survivor."""

    arrears: Decimal
    """How much of it is overdue."""


class MissingPeriod(Model):
    """A period that a collective invoice waits for."""

    agreement_id: UUID
    """The agreement that is billed."""

    start_on: date_aliased
    """The first local day of the period."""

    end_on: date_aliased
    """The local day after its last."""

    reason: str
    """`not_closed`, or why the period is held."""


class NewAddress(Model):
    """A postal address; its country is the tenant's default where it is left out."""

    model_config = ConfigDict(
        extra="forbid",
    )
    street: str
    """Street and house number, or what takes their place."""

    addition: str | None = None
    """Floor, flat, or in whose care."""

    postal_code: str | None = None
    """Postal code."""

    city: str
    """City or place."""

    region: str | None = None
    """State or province, where addresses name it."""

    country: str | None = None
    """Country, as ISO 3166 writes it in two letters."""


class NewAgreement(Model):
    """
    An agreement to be made, in force on local days from `start_on` until before `end_on`.

    The same `id` again answers what exists.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    meter_id: UUID
    """The meter"""

    tariff_id: UUID
    """The tariff"""

    start_on: date_aliased
    """First local day"""

    end_on: date_aliased | None = None
    """First local day that no longer belongs to it; null for no end"""

    closing: Literal["wait", "bill_present", "estimate"] = "wait"
    """When a period is billed: complete, or what is there after the grace time"""

    grace_hours: int = 72
    """Hours after its end until a period is billed with what is there"""

    billing_starts_on: date_aliased | None = None
    """
    The first local date that is invoiced, later than `start_on`: readings and costs of days
    before it are known, and their invoices were issued elsewhere. `start_on` where left out.
    """

    back_billing_months: int | None = None
    """
    For how many months after its end a period that was billed may be corrected: what changes
    later is kept, listed among what is held and dismissed, and not billed unless somebody recalls
    it. However late where it is left out.
    """

    billing_calendar: BillingCalendar | None = None
    """
    Into which periods its days are divided; the customer's calendar where it is left out, and
    calendar months where the customer has none.
    """


class NewAgreements(Model):
    """Agreements to be made together: all or none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewAgreement]
    """The page's items"""


class NewBillingRun(Model):
    """A run to be made; the same `id` again answers what exists."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    name: str
    """What people call it."""

    start_on: date_aliased
    """Bills of periods that begin on this local day or later."""

    end_on: date_aliased
    """Bills of periods that end on this local day, as the day after the last, or earlier."""

    customer_ids: list[UUID] = []
    """Those of these customers; of all where it is empty."""

    shock_percent: int = 50
    """
    A bill stands out whose cost per day differs by more than this from the meter's last one, in
    percent of that.
    """


class NewCalculation(Model):
    """What to calculate: a customer's readings of the local days [start, end), by one version."""

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID
    """The customer, whose meters are those of the fleet cost."""

    start: date_aliased
    """The first local day."""

    end: date_aliased
    """The local day after the last, at most 366 days later."""

    tariff_version_id: UUID
    """The published version, which must be in force on all of the days."""

    hypothetical: bool = False
    """Whether the version prices all of the days though it is not in force on some."""


class NewCorrectionPreview(Model):
    """Readings that are to be corrected; later ones count."""

    model_config = ConfigDict(
        extra="forbid",
    )
    readings: list[CorrectedReadings]
    """The readings, in the intervals in which the meters are recorded."""


class NewCreditNote(Model):
    """A part of an invoice to be credited: either lines, or an amount."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why, for the customer, who reads it on the credit note."""

    lines: list[CreditedLine] | None = None
    """The lines; their taxes are credited with them."""

    amount: Decimal | None = None
    """An amount with taxes, spread over all that is left of the invoice."""

    repeat_on_correction: bool = True
    """
    Whether a correction, which credits the rest and issues the invoice again, credits this part
    once more: as it should where it was given for its own reason, such as goodwill. `false` where
    the correction will put the same thing right.
    """


class NewCustomerMerge(Model):
    """Who the customer really is, and why that is known."""

    model_config = ConfigDict(
        extra="forbid",
    )
    into: UUID
    """The customer who goes on."""

    reason: str
    """Why, for the trail; it must not name the person."""


class NewErasure(Model):
    """Why a customer is erased."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """What the erasure rests on, for the trail; it must not name the person."""


class NewInvoicingTerms(Model):
    """How a tenant issues invoices from now on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    approval: Literal["none", "required"]
    """Whether each is a draft until somebody approves it; `none` issues those that wait."""

    runs_approved_by: Literal["anyone", "another_person"] | None = None
    """
    Whether a billing run may be approved by the key that made it, or only by another one; as it
    is where it is left out.
    """


class NewKey(Model):
    """A key to register."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    secret_sha256: str
    """SHA-256 of the key's secret, in hexadecimal"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None = None
    """The customer whose rows alone the key sees; null for all rows"""


class NewReplay(Model):
    """Which messages are to be posted again."""

    model_config = ConfigDict(
        extra="forbid",
    )
    since: AwareDatetime
    """Those of events that happened then or later."""


class NewWebhookEndpoint(Model):
    """Where messages are to be posted."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The endpoint's id; made by the service unless the caller names one."""

    url: str
    """Where to, beginning with `https://`; it must lead to a public address."""

    types: list[
        Literal[
            "invoice.issued.v1",
            "invoice.voided.v1",
            "credit_note.issued.v1",
            "payment.recorded.v1",
            "account.changed.v1",
            "readings.rejected.v1",
            "alert.raised.v1",
            "alert.cleared.v1",
            "prepayment.changed.v1",
        ]
    ] = []
    """The types of events that it wants; all of them where none is named."""

    description: str | None = None
    """What it is for, for people."""


class OfferedTariff(Model):
    """A tariff, and its version that is in force on the day."""

    tariff_id: UUID
    """The tariff."""

    code: str
    """Its short name for programs."""

    name: str
    """What people call it."""

    currency: str
    """The currency of its prices."""

    tariff_version_id: UUID
    """The version."""

    effective_from: date_aliased
    """The first local date on which the version is in force."""

    effective_to: date_aliased | None
    """The local date from which it is no longer in force; null for no end."""


class Offers(Model):
    """What a customer may try, and what it has."""

    customer_id: UUID
    """The customer."""

    on: date_aliased
    """The day that was asked for, or else today's where the customer's meters are."""

    offered: list[OfferedTariff]
    """The seller's `offered_tariffs` that are in the customer's currency, in that order."""

    present: list[OfferedTariff]
    """
    The versions that price the customer's meters on `present_on`: several where the meters are
    on several tariffs, none where none has ever had one.
    """

    present_on: date_aliased
    """
    The day that was asked for; for a customer without a tariff on it, the last day of the last
    agreement before.
    """


class OtherReadings(Model):
    """Consecutive intervals of a flow, in the place of what was recorded."""

    model_config = ConfigDict(
        extra="forbid",
    )
    flow: Literal[
        "import", "export", "load", "generation", "reactive_import", "reactive_export"
    ] = "import"
    """What is measured."""

    start_at: AwareDatetime
    """When the first interval starts, in UTC."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval, which must be that of the flow's recorded ones."""

    values: list[int | None]
    """The energy of each interval in Wh (varh), in order; null takes a value away."""


class OwedToPayee(Model):
    """What lines of invoices that stand name a payee for, less what was credited of them."""

    currency: str
    """ISO 4217 code"""

    payee: str | None
    """Who is owed, as lines name them; null for taxes that name nobody"""

    owed: Decimal
    """What invoices less credit notes made of what the payee is owed"""


class PageOfBillingRun(Model):
    items: list[BillingRun]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfCalculation(Model):
    items: list[Calculation]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfCreditNote(Model):
    items: list[CreditNote]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfCustomerMerge(Model):
    items: list[CustomerMerge]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDeadLetter(Model):
    items: list[DeadLetter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfErasure(Model):
    items: list[Erasure]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfHeldPeriod(Model):
    items: list[HeldPeriod]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfInvoiceDraft(Model):
    items: list[InvoiceDraft]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfInvoice(Model):
    items: list[Invoice]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfKey(Model):
    items: list[Key]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PayeeTotal(Model):
    """What is for somebody besides the seller, before tax."""

    payee: str
    """Whom the components name."""

    total: Decimal
    """What those components come to."""


class Prepayment(Model):
    """
    How a customer's prepayment stands now: what is left is its payments, less its invoices, less
    what the days have cost that no invoice has yet.
    """

    customer_id: UUID
    """The customer."""

    alert_amount: Decimal | None
    """A balance of less raises an alert, in the customer's currency; null for none by money."""

    alert_days: int | None
    """A balance that lasts no more days raises an alert; null for none by days."""

    alert: Literal["prepayment_low", "prepayment_empty"] | str | None
    """What is wrong; null for nothing. It is raised once, and ends when more is left."""

    alert_since: AwareDatetime | None
    """Since when; null where nothing is wrong."""

    currency: str
    """The currency of all amounts: the customer's."""

    balance: Decimal
    """What is left; below zero it is used up."""

    credit: Decimal
    """
    What the customer has paid or was credited, less what was invoiced; the rest of what it owes
    on balance, with another sign.
    """

    drawn: Decimal
    """
    What the days cost that no invoice has yet, with taxes and their shares of standing
    charges.
    """

    drawn_through: date_aliased | None
    """The last local day that is over and whose cost is known; null where none is."""

    average_per_day: Decimal | None
    """What a day has cost of the last 14 that are over and known; null where none is."""

    days_left: int | None
    """
    The days from today (UTC) on that are paid for at that average; null where that has no
    end.
    """

    empty_on: date_aliased | None
    """The first day that is not; null where that has no end."""


class PrepaymentAlert(Model):
    """Who is on prepayment, by which terms, and what is wrong, as it was last looked at."""

    customer_id: UUID
    """The customer."""

    alert_amount: Decimal | None
    """A balance of less raises an alert, in the customer's currency; null for none by money."""

    alert_days: int | None
    """A balance that lasts no more days raises an alert; null for none by days."""

    alert: Literal["prepayment_low", "prepayment_empty"] | str | None
    """What is wrong; null for nothing. It is raised once, and ends when more is left."""

    alert_since: AwareDatetime | None
    """Since when; null where nothing is wrong."""


class PrepaymentTerms(Model):
    """When a customer on prepayment is to be alerted. Where neither is said, seven days ahead."""

    model_config = ConfigDict(
        extra="forbid",
    )
    alert_amount: Decimal | None = None
    """A balance of less than this raises an alert, in the customer's currency."""

    alert_days: int | None = None
    """A balance that lasts no more days than these, at what a day has cost of late, does."""


class PresentPeriod(Model):
    """A period that is billed and waits for the others."""

    agreement_id: UUID
    """The agreement that is billed."""

    start_on: date_aliased
    """The first local day of the period."""

    end_on: date_aliased
    """The local day after its last."""


class PreviewPart(Model):
    """Days of the period, and the version that prices them."""

    start_on: date_aliased
    """The first local day."""

    end_on: date_aliased
    """The local day after the last."""

    tariff_version_id: UUID
    """The version."""


class ProblemError(Model):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""

    pointer: str | None = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""

    parameter: str | None = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class QuantityRounding(Model):
    """How the energy of each interval is rounded before it is priced."""

    step_kwh: Decimal
    """The step in kWh."""

    mode: Literal["half_even", "half_up", "down", "up"] | str
    """To the nearest multiple, of two as near the even one or that away from 0; to 0; from 0."""

    minutes: int | None = None
    """The length of the intervals that are rounded, in minutes; null for those of the meter."""


class Queued(Model):
    """What is to be posted now."""

    messages: int
    """How many messages."""


class ReadCycle(Model):
    """The dates of a read cycle; `version` is its ETag."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    name: str
    """The tenant's name of it, which a `billing_calendar` names."""

    dates: list[date_aliased]
    """The local days on which periods begin, in order."""


class ReadCycleReplacement(Model):
    """All dates of a read cycle: those so far, and those to come as far as they are known."""

    model_config = ConfigDict(
        extra="forbid",
    )
    dates: list[date_aliased]
    """The local days on which periods begin, in order."""


class RebilledCredit(Model):
    """An invoice that is credited whole, or what was left of it."""

    invoice_id: UUID
    """The invoice."""

    invoice_number: str
    """Its number."""

    customer_id: UUID
    """Whose it is."""

    currency: str
    """The currency of the total."""

    total: Decimal
    """What is credited, with taxes."""


class Rebilling(Model):
    """What was rebilled, by whom and why."""

    id: UUID
    """The rebilling."""

    agreement_id: UUID
    """The agreement that was cancelled from a day on."""

    from_on: date_aliased
    """That local day."""

    replacement_id: UUID | None
    """The agreement in its place; null where there is none."""

    reason: str
    """Why."""

    rebilled_by: str
    """The API key that did it."""

    rebilled_at: AwareDatetime
    """When, in UTC."""

    correlation_id: str
    """The id that follows it through all services, and is on the credit notes."""

    withdrawn: list[date_aliased]
    """The first days of the periods that are billed no more as they were closed."""


class RebillingNote(Model):
    """The credit note of an invoice."""

    invoice_id: UUID
    """The invoice."""

    invoice_number: str
    """Its number."""

    customer_id: UUID
    """Whose it is."""

    currency: str
    """The currency of the total."""

    total: Decimal
    """What is credited, with taxes."""

    credit_note_id: UUID
    """The credit note."""

    number: str
    """What people call it."""


class ReleasedCollectiveInvoice(Model):
    """What becomes of a release."""

    released: int
    """How many periods are issued within seconds."""


class RepeatedCredit(Model):
    """A credit by hand that would be given again."""

    credit_note_id: UUID
    """The note by which it was given first."""

    reason: str
    """Why it was given."""

    total: Decimal
    """How much of it, with taxes."""


class Replacement(Model):
    """
    By what an agreement is replaced; what is left out stays as it was.

    But `end_on` null leaves the replacement without an end. With nothing in it the same is agreed
    again: its days are billed by the tariff and the prices that are published by now. Where the
    tariff carries something from bill to bill, such as banked energy or tiers, the same customer
    is billed by it anew from the agreement's first day only (`carried_state_lost`).
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID | None = None
    """Who is billed."""

    meter_id: UUID | None = None
    """Which meter's energy is billed."""

    tariff_id: UUID | None = None
    """By which tariff."""

    start_on: date_aliased | None = None
    """The first local day; the day from which the agreement is cancelled, if it is left out."""

    end_on: date_aliased | None = None
    """The local day after the last."""

    closing: Literal["wait", "bill_present", "estimate"] | None = None
    """How its periods close."""

    grace_hours: int | None = None
    """How many hours after its end a period closes under `bill_present`."""

    billing_calendar: BillingCalendar | None = None
    """Into which periods its days are divided."""


class RoundingStep(Model):
    """How `amount_exact` becomes `amount`."""

    mode: str
    """How ties are rounded: `half_even`, `half_up`, `down` or `up`."""

    decimals: int
    """To how many decimals."""

    per: str
    """Whether each `line` is rounded, or the invoice's total too (a line `rounding`)."""


class RunApproval(Model):
    """That the bills that were seen are to be issued."""

    model_config = ConfigDict(
        extra="forbid",
    )
    digest: str
    """The run's `digest` as it was seen."""


class RunFinding(Model):
    """Something about a bill that a person should look at."""

    kinds: list[Literal["bill_shock", "no_use", "estimated", "held"] | str]
    """
    What stands out: the cost per day, that no energy is billed, that values are not actual, or
    that the period is held.
    """

    agreement_id: UUID
    """The agreement"""

    customer_id: UUID
    """The customer"""

    meter_id: UUID
    """The meter"""

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
    """The local day after the last."""

    draft_id: UUID | None
    """The draft; null of a held period."""

    currency: str | None
    """The currency of the amounts; null of a held period."""

    total: Decimal | None
    """What the bill comes to; null of a held period."""

    last_total: Decimal | None
    """What the bill before came to, of the same customer and meter; null where there is none."""

    reason: str | None
    """Why the period is held; null of a draft."""


class RunProgress(Model):
    """How far a run has come."""

    pending: int
    """Bills that wait and that nobody has decided."""

    approved: int
    """Bills that were approved with the run, and are issued within a second."""

    issued: int
    """Bills that were issued because the run was approved."""

    held: int
    """Periods of the same days and customers that are held for something else."""


class RunTotals(Model):
    """What the bills that wait come to in one currency."""

    currency: str
    """The currency of the amounts."""

    bills: int
    """How many wait."""

    net: Decimal
    """The sum of their lines but taxes."""

    tax: Decimal
    """Their taxes."""

    total: Decimal
    """Net and tax."""

    compared_bills: int
    """How many of them have a bill before, of the same customer and meter."""

    compared_total: Decimal
    """What these come to."""

    last_total: Decimal
    """What their bills before came to."""

    bill_shocks: int
    """How many differ from their bill before by more than the run's limit."""

    without_use: int
    """How many bill no energy."""

    estimated: int
    """How many rest on values that are estimated, substituted or missing."""


class SeriesCount(Model):
    """A number series: as many documents as numbers, each with one of them."""

    series: str
    """The series, by name or flow"""

    issued: int
    """Number or total of what was issued"""

    documents: int
    """The documents"""

    in_order: int
    """Whether the order is whole"""


class Spread(Model):
    """Between what the total would lie if use went on as in any of the reference weeks."""

    low: Decimal
    """The least total."""

    high: Decimal
    """The greatest total."""

    weeks: int
    """How many reference weeks have a level."""


class SumNotCounted(Model):
    """
    Days of a derived meter whose energy is in no total.

    It has no agreement, some of what it adds counts elsewhere already, and it subtracts something:
    nobody can say what is left. An agreement of its own, or a definition without what counts
    elsewhere, counts it.
    """

    device_id: UUID
    """The derived meter."""

    device_name: str
    """What people call it."""

    from_on: date_aliased
    """The first local day."""

    to_on: date_aliased
    """The local day after the last."""

    counted_parts: list[UUID]
    """The meters that it adds and that count elsewhere."""


class SummedMeter(Model):
    """A register's flow that a derived meter was the sum of on some days."""

    meter_id: UUID
    """The meter that was added or subtracted."""

    flow: Literal["import", "export", "load", "generation"] | str
    """Its flow."""

    factor: int
    """How often it was added; below zero where it was subtracted."""

    start_on: date_aliased
    """The first of the days, in the derived meter's zone."""

    end_on: date_aliased
    """The day after the last."""

    energy_wh: int
    """What it metered on these days, in Wh, as far as it is there."""

    version: int
    """How often its days that were added up had been merged by then, all together."""


class TaxExemption(Model):
    """That a customer does not pay the taxes of a class, and when."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tax_class: str
    """The class of tax, as tariffs name it."""

    start_on: date_aliased
    """First day on which it is in force."""

    end_on: date_aliased | None = None
    """First day on which it is no longer in force; null for no end."""

    certificate: str | None = None
    """What it rests on: the certificate's number."""


class TestMessage(Model):
    """A message that was queued to try the endpoint."""

    message_id: UUID
    """The message; its attempts tell what the endpoint answered."""


class Texts(Model):
    """The seller's own words in one language."""

    model_config = ConfigDict(
        extra="forbid",
    )
    payment_terms: str | None = None
    """When and how to pay; stands below the amount due."""

    questions: str | None = None
    """Whom to ask, and how to complain."""

    footer: str | None = None
    """What stands at the foot of each page."""


class UnissuedPeriod(Model):
    """A period before the previewed one whose invoice is not issued yet."""

    start_on: date_aliased
    """The first local day."""

    end_on: date_aliased
    """The local day after the last."""


class WebhookAttempt(Model):
    """An attempt to post a message."""

    number: int
    """Which attempt, from 1."""

    status: int | None
    """The HTTP status of the answer; null where there was none."""

    error: str | None
    """Why there was no answer, or why it does not count, for people."""

    answer: str
    """The beginning of the answer."""

    took_ms: int
    """How long it took, in milliseconds."""

    attempted_at: AwareDatetime
    """When it ended, UTC."""


class WebhookAttempts(Model):
    """The attempts of a message."""

    items: list[WebhookAttempt]
    """In their order."""


class WebhookEndpoint(Model):
    """Where messages are posted."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The endpoint's id."""

    url: str
    """Where to."""

    types: list[str]
    """The types of events that it wants; all of them where none is named."""

    description: str | None
    """What it is for, for people."""

    state: Literal["active", "disabled"] | str
    """Whether messages are posted to it."""

    disabled_reason: str | None
    """Why none are posted, for people; null while it is active."""

    earlier_secret_until: AwareDatetime | None
    """Until when the secret before this one signs too, UTC."""

    failing_since: AwareDatetime | None
    """Since when it has taken no message, UTC; null where it took the last one."""


class WebhookEndpointChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    url: str | None = None
    """Where to, beginning with `https://`."""

    types: (
        list[
            Literal[
                "invoice.issued.v1",
                "invoice.voided.v1",
                "credit_note.issued.v1",
                "payment.recorded.v1",
                "account.changed.v1",
                "readings.rejected.v1",
                "alert.raised.v1",
                "alert.cleared.v1",
                "prepayment.changed.v1",
            ]
        ]
        | None
    ) = None
    """The types of events that it wants; all of them where none is named."""

    description: str | None = None
    """What it is for, for people."""

    state: Literal["active", "disabled"] | None = None
    """Whether messages are posted to it; what waits is posted once it is active."""


class WebhookEndpointSecret(Model):
    """An endpoint with its secret, which is shown this once."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The endpoint's id."""

    url: str
    """Where to."""

    types: list[str]
    """The types of events that it wants; all of them where none is named."""

    description: str | None
    """What it is for, for people."""

    state: Literal["active", "disabled"] | str
    """Whether messages are posted to it."""

    disabled_reason: str | None
    """Why none are posted, for people; null while it is active."""

    earlier_secret_until: AwareDatetime | None
    """Until when the secret before this one signs too, UTC."""

    failing_since: AwareDatetime | None
    """Since when it has taken no message, UTC; null where it took the last one."""

    secret: str | None
    """Signs its messages: `whsec_` and base64; null where the endpoint was there already."""


class WebhookMessage(Model):
    """Something that happened, posted to an endpoint until that takes it."""

    id: UUID
    """The message's id, its `webhook-id`: the same at each attempt."""

    endpoint_id: UUID
    """The endpoint."""

    type: str
    """The type of the event."""

    state: Literal["pending", "delivered", "failed"] | str
    """Whether it waits, was taken, or was given up after the last attempt."""

    attempts: int
    """How often it was posted."""

    due_at: AwareDatetime
    """When it is posted next, if it waits, UTC."""

    created_at: AwareDatetime
    """When it happened, UTC."""


class WhatIf(Model):
    """What shall be otherwise; what is left out is as it is."""

    model_config = ConfigDict(
        extra="forbid",
    )
    start_on: date_aliased | None = None
    """The first local day, with `end_on`; without both it is the open period."""

    end_on: date_aliased | None = None
    """The local day after the last, at most 366 days later."""

    tariff_version_id: UUID | None = None
    """The published version that prices all of the days, whether it is in force on them or not."""

    readings: list[OtherReadings] | None = None
    """Readings in the place of those that were recorded; later ones count."""


class CustomerAddress(Model):
    """A postal address."""

    model_config = ConfigDict(
        extra="forbid",
    )
    street: str
    """Street and house number, or what takes their place."""

    addition: str | None = None
    """Floor, flat, or in whose care."""

    postal_code: str | None = None
    """Postal code."""

    city: str
    """City or place."""

    region: str | None = None
    """State or province, where addresses name it."""

    country: str
    """Country, as ISO 3166 writes it in two letters."""


class SellerAddress(Model):
    """Where somebody is."""

    model_config = ConfigDict(
        extra="forbid",
    )
    street: str | None = None
    """Street and number."""

    postcode: str | None = None
    """The postal code."""

    city: str | None = None
    """The town."""

    country: str | None = None
    """The country by ISO 3166-1, two letters."""


class Agreement(Model):
    """A customer's meter on a tariff from one local date to another; `version` is its ETag."""

    id: UUID
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    meter_id: UUID
    """The meter"""

    tariff_id: UUID
    """The tariff"""

    start_on: date_aliased
    """First local day"""

    end_on: date_aliased | None
    """First local day that no longer belongs to it; null for no end"""

    billing_starts_on: date_aliased | None
    """The first local date that is invoiced, where that is not `start_on`."""

    back_billing_months: int | None
    """
    For how many months after its end a period that was billed may be corrected; null: however
    late.
    """

    closing: Literal["wait", "bill_present", "estimate"] | str
    """When a period is billed: complete, or what is there after the grace time"""

    grace_hours: int
    """Hours after its end until a period is billed with what is there"""

    billing_calendar: BillingCalendar
    earlier_calendars: list[EarlierCalendar]
    """The billing calendars that it had before, and until when, oldest first."""

    version: int
    """Version of the resource, from 1; its ETag"""


class AgreementChange(Model):
    """
    What of an agreement can change; a field that is left out or null stays.

    But `end_on` null opens the end again, and `back_billing_months` null lifts that limit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    end_on: date_aliased | None = None
    """First local day that no longer belongs to it; null for no end"""

    closing: Literal["wait", "bill_present", "estimate"] | None = None
    """When a period is billed: complete, or what is there after the grace time"""

    grace_hours: int | None = None
    """Hours after its end until a period is billed with what is there"""

    back_billing_months: int | None = None
    """
    For how many months after its end a period that was billed may be corrected, of what changes
    from now on.
    """

    billing_calendar: BillingCalendar | None = None
    """Another billing calendar; the period that is open ends on the day of the change."""

    billing_calendar_from_on: date_aliased | None = None
    """The local day of that change, later than every closed period; today where it is left out."""


class Agreements(Model):
    """Agreements, in the order of the request."""

    items: list[Agreement]
    """The page's items"""


class BillingRunReport(Model):
    """A run with what its bills come to."""

    id: UUID
    """The resource's id (UUID)"""

    name: str
    """What people call it."""

    start_on: date_aliased
    """The first local day of the periods that it takes."""

    end_on: date_aliased
    """The local day after the last."""

    customer_ids: list[UUID]
    """Whose bills it takes; of all customers where it is empty."""

    shock_percent: int
    """By how many percent of the bill before a cost per day must differ to stand out."""

    state: Literal["proposed", "approved", "issued", "cancelled"] | str
    """`proposed`; `approved`, its bills are being issued; `issued`, all are; `cancelled`."""

    created_by: str
    """The API key that made it."""

    created_at: AwareDatetime
    """When, UTC."""

    decided_by: str | None
    """The API key that approved or cancelled it; null for none."""

    decided_at: AwareDatetime | None
    """When, UTC."""

    version: int
    """Its ETag."""

    digest: str
    """What the bills that wait are now: an approval names it."""

    totals: list[RunTotals]
    """What waits, by currency."""

    progress: RunProgress


class CalculatedLine(Model):
    """A line as an invoice has it, of one of the meters."""

    component_id: str
    """The component of the tariff version that charges this."""

    kind: (
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"] | str
    )
    """What sort of charge it is."""

    band: str | None = None
    """The band whose energy or demand it is for; null for all."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
        | None
    ) = None
    """The flow whose energy it is for; null where it is for none."""

    quantity: Decimal
    """How much is charged, in `unit`."""

    unit: str
    """The unit of the quantity, such as kWh, kW or month."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh were rounded before they were added up; null for not at all."""

    rate: Decimal
    """The price of one `unit`, in the invoice's currency."""

    amount_exact: Decimal
    """Quantity × rate, before rounding, in the invoice's currency."""

    amount: Decimal
    """The rounded amount, in the invoice's currency."""

    tariff_version_id: UUID
    """The tariff version that the component is of."""

    start_on: date_aliased
    """The first local date that is charged."""

    end_on: date_aliased
    """The local date after the last that is charged."""

    payee: str | None = None
    """Who receives the money, where it is not the supplier."""

    tax_class: str | None = None
    """The class by which taxes select the line."""

    quality: DataQuality | None = None
    """What it rests on; null for a line that rests on no reading, and where it is not known."""

    meter_id: UUID
    """The meter."""


class ChangedDocument(Model):
    """
    An invoice as it was sent, a collective one as a whole: the credit note that would be issued
    and the invoice that would follow.
    """

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

    total_before: Decimal
    """Its total."""

    credited_before: Decimal
    """What is credited of it by now."""

    credit_note_total: Decimal
    """What the credit note would come to: all that is not credited yet."""

    total: Decimal | None
    """The total of the invoices that would follow; null where they would be held."""

    totals: list[Decimal]
    """The total of each: of several where one would have more than 2 000 lines."""

    repeated_credits: list[RepeatedCredit]
    """What was credited by hand and would be credited of the new invoice too."""

    delta: Decimal | None
    """By how much the customer would owe more, all credits counted."""

    changed: list[UUID]
    """The bills of it that change, as in `invoices`: itself, or its sections."""

    held: str | None
    """Why the invoice that follows would be held; null where it would be issued."""


class CreditNoteLine(Model):
    """What a credit note credits of a line of its invoice."""

    component_id: str
    """The component of the tariff version that charges this."""

    kind: (
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"] | str
    )
    """What sort of charge it is."""

    band: str | None = None
    """The band whose energy or demand it is for; null for all."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
        | None
    ) = None
    """The flow whose energy it is for; null where it is for none."""

    quantity: Decimal
    """How much is charged, in `unit`."""

    unit: str
    """The unit of the quantity, such as kWh, kW or month."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh were rounded before they were added up; null for not at all."""

    rate: Decimal
    """The price of one `unit`, in the invoice's currency."""

    amount_exact: Decimal
    """Quantity × rate, before rounding, in the invoice's currency."""

    amount: Decimal
    """The rounded amount, in the invoice's currency."""

    tariff_version_id: UUID
    """The tariff version that the component is of."""

    start_on: date_aliased
    """The first local date that is charged."""

    end_on: date_aliased
    """The local date after the last that is charged."""

    payee: str | None = None
    """Who receives the money, where it is not the supplier."""

    tax_class: str | None = None
    """The class by which taxes select the line."""

    quality: DataQuality | None = None
    """What it rests on; null for a line that rests on no reading, and where it is not known."""

    position: int
    """The place of the line among the invoice's, from 1."""


class Customer(Model):
    """Who pays, in which currency, and what is known of them; `version` is its ETag."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The resource's id (UUID)"""

    name: str
    """Name, for people"""

    currency: str
    """ISO 4217 code"""

    email: str | None
    """E-mail address, unique in the tenant"""

    number: str | None
    """The tenant's own number of the customer."""

    phone_number: str | None
    """Telephone number"""

    language: str | None
    """The language in which to write to the customer."""

    billing_address: CustomerAddress | None
    """Where invoices go."""

    supply_address: CustomerAddress | None
    """Where the energy is used."""

    contacts: list[Contact]
    """Whom to speak to."""

    tax_id: str | None
    """Tax number of a business."""

    tax_exemptions: list[TaxExemption]
    """The taxes that the customer does not pay, and when."""

    payment_days: int | None
    """Days after an invoice until it is due; null for the tenant's payment terms."""

    e_invoice_consent_on: date_aliased | None
    """The day on which the customer agreed to invoices by e-mail alone."""

    billing_calendar: BillingCalendar | None
    """The billing calendar of agreements that name none when they are made; null for months."""

    invoicing: Literal["single", "collective"] | str
    """Whether each agreement's period has an invoice, or they share a collective one."""

    collective_grace_hours: int
    """How many hours a collective invoice waits for its last sections."""

    minimum_amount: Decimal | None
    """A collective invoice of less waits for the next; null for none."""

    minimum_periods_max: int
    """How many periods of bills wait so at most."""

    erased_at: AwareDatetime | None
    """When what names the customer was erased; null for others."""

    merged_into: UUID | None
    """The customer who is the same and goes on, since this one was a duplicate; null for others."""


class CustomerChange(Model):
    """What is to be different; what is left out stays, and what is null is empty from then on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    email: str | None = None
    """E-mail address."""

    number: str | None = None
    """The tenant's own number, which no other customer has."""

    phone_number: str | None = None
    """Telephone number."""

    language: str | None = None
    """The language in which to write to the customer: `de`, or `de-AT`."""

    billing_address: NewAddress | None = None
    """Where invoices go."""

    supply_address: NewAddress | None = None
    """Where the energy is used."""

    tax_id: str | None = None
    """Tax number of a business."""

    payment_days: int | None = None
    """Days after an invoice until it is due; null for the tenant's payment terms."""

    e_invoice_consent_on: date_aliased | None = None
    """The day on which the customer agreed to invoices by e-mail alone; null for no consent."""

    billing_calendar: BillingCalendar | None = None
    """The billing calendar of agreements that name none when they are made; null for months."""

    name: str | None = None
    """Name, for people"""

    currency: str | None = None
    """ISO 4217 code"""

    contacts: list[Contact] | None = None
    """Whom to speak to: all of them, in place of those before."""

    tax_exemptions: list[TaxExemption] | None = None
    """The taxes that the customer does not pay: all of them, in place of those before."""

    invoicing: Literal["single", "collective"] | None = None
    """
    Whether each agreement's period has an invoice, or those that end in one period of the
    customer share a collective one; of periods that were not invoiced yet.
    """

    collective_grace_hours: int | None = None
    """How many hours a collective invoice waits for its last sections."""

    minimum_amount: Decimal | None = None
    """
    A collective invoice of less, in the customer's currency, waits for the next; null for
    none.
    """

    minimum_periods_max: int | None = None
    """How many periods of bills wait so at most."""


class CustomerMergeDetail(Model):
    """A merge with both customers as they are after it."""

    id: UUID
    """The resource's id (UUID)"""

    duplicate_id: UUID
    """The customer who was one too many; its name and number stay on what was issued to it."""

    survivor_id: UUID
    """The customer who goes on."""

    reason: str
    """Why."""

    merged_by: str
    """The API key that asked for it."""

    merged_at: AwareDatetime
    """When, UTC."""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    agreement_ids: list[UUID]
    """The agreements that went over."""

    duplicate: Customer
    survivor: Customer


class CustomerMergePreview(Model):
    """What a merge would do; nothing is changed."""

    kind: Literal["preview"]
    """Always `preview`."""

    duplicate: Customer
    survivor: Customer
    agreements: list[Agreement]
    """The agreements that would be the survivor's."""

    balances: list[MergedBalance]
    """What both owe, as the ledger has published it last."""


class CustomerReplacement(Model):
    """Everything of a customer that can change: what is left out is empty."""

    model_config = ConfigDict(
        extra="forbid",
    )
    email: str | None = None
    """E-mail address."""

    number: str | None = None
    """The tenant's own number, which no other customer has."""

    phone_number: str | None = None
    """Telephone number."""

    language: str | None = None
    """The language in which to write to the customer: `de`, or `de-AT`."""

    billing_address: NewAddress | None = None
    """Where invoices go."""

    supply_address: NewAddress | None = None
    """Where the energy is used."""

    tax_id: str | None = None
    """Tax number of a business."""

    payment_days: int | None = None
    """Days after an invoice until it is due; null for the tenant's payment terms."""

    e_invoice_consent_on: date_aliased | None = None
    """The day on which the customer agreed to invoices by e-mail alone; null for no consent."""

    billing_calendar: BillingCalendar | None = None
    """The billing calendar of agreements that name none when they are made; null for months."""

    name: str
    """Name, for people"""

    currency: str
    """ISO 4217 code"""

    contacts: Annotated[list[Contact], Field(validate_default=True)] = []
    """Whom to speak to."""

    tax_exemptions: Annotated[list[TaxExemption], Field(validate_default=True)] = []
    """The taxes that the customer does not pay, and when."""

    invoicing: Literal["single", "collective"] = "single"
    """
    Whether each agreement's period has an invoice, or those that end in one period of the
    customer share a collective one.
    """

    collective_grace_hours: int = 120
    """
    How many hours a collective invoice waits for its last sections; then it is issued without
    them.
    """

    minimum_amount: Decimal | None = None
    """
    A collective invoice of less, in the customer's currency, waits for the next; null for
    none.
    """

    minimum_periods_max: int = 12
    """How many periods of bills wait so at most."""


class Customers(Model):
    """Customers, in the order of the request."""

    items: list[Customer]
    """The page's items"""


class EvidenceSummary(Model):
    """
    What an invoice was computed from, without the series.

    Intervals that are expected but not present were left out of all sums. The states are what the
    bill before carried forward and what this one does, by component: progress through tiers, banked
    energy, credit, past peaks.
    """

    zone: str
    """IANA time zone, which local days and hours are told in"""

    connected_kw: Decimal | None
    """Connected (sanctioned) load, in kW"""

    closed_by: Literal["complete", "grace", "forced"] | str
    """What closed the period: `complete`, `grace` or `forced`"""

    expected_intervals: int
    """Number of intervals that there should be"""

    present_intervals: int
    """Number of intervals that have a value"""

    quality: DataQuality
    digest: str
    """SHA-256 of the content, in hexadecimal"""

    tariff_version_ids: list[UUID]
    """The versions of the tariff that the bill was made with"""

    summed: list[SummedMeter]
    """What the meter was the sum of, where it is derived: parts and versions"""

    state_before: dict[str, Any]
    """What the period before handed on, by component"""

    state_after: dict[str, Any]
    """What the period hands to the next one, by component"""


class FleetCostAnswer(Model):
    """
    What a customer's fleet costs from `from` up to, but without, `to`.

    Amounts are exact, not rounded, so that a window costs what its parts do; one without a finite
    decimal is shown to 20 decimals, once it is added up. They are strings. The totals, and the
    first row of a day or device, are in `currency`, the customer's own; where a tariff is in
    another one, `totals` has a row for it, and so have its days and devices.
    """

    customer_id: UUID
    """The customer."""

    from_at: AwareDatetime
    """The first instant, in UTC."""

    to_at: AwareDatetime
    """The instant after the last, in UTC."""

    currency: str
    """The customer's currency, which the totals are in."""

    total_kwh: Decimal
    """All imported energy but what is priced in another currency; also what has no price."""

    total_base_cost: Decimal
    """Before tax."""

    total_vat_amount: Decimal
    """The tax, bucket by bucket: one that changes in the window is right on both sides."""

    total_cost: Decimal
    """With tax."""

    totals: list[FleetTotal]
    """The totals by currency, the customer's own first."""

    buckets: int
    """Hours of devices in which any import was recorded."""

    buckets_without_tariff: int
    """Those of them that have no price: their energy is counted and costs nothing."""

    daily: list[FleetDay]
    """The UTC days on which anything was used, in order."""

    per_device: list[FleetDevice]
    """Every device that counts on a day of the window, by its name, also one that used nothing."""

    not_counted: list[SumNotCounted]
    """Derived meters that are in none of this, though their energy may be nowhere else."""

    fixed_monthly_charges_included: Literal[False] = False
    """Standing charges (fixed, per kW, minimum bills) are never in it."""


class IncompleteAgreement(Model):
    """An agreement by which nothing can be billed yet."""

    agreement: Agreement
    missing: list[Literal["meter", "tariff"] | str]
    """
    What it names and nobody knows yet: its `meter` was not registered, its `tariff` has no
    published version.
    """

    made_at: AwareDatetime
    """When the agreement was made, in UTC."""

    age_hours: int
    """How many whole hours ago that was."""


class InvoiceLine(Model):
    """One charge: which component of which tariff version, on what, at what rate."""

    component_id: str
    """The component of the tariff version that charges this."""

    kind: (
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"] | str
    )
    """What sort of charge it is."""

    band: str | None = None
    """The band whose energy or demand it is for; null for all."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
        | None
    ) = None
    """The flow whose energy it is for; null where it is for none."""

    quantity: Decimal
    """How much is charged, in `unit`."""

    unit: str
    """The unit of the quantity, such as kWh, kW or month."""

    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh were rounded before they were added up; null for not at all."""

    rate: Decimal
    """The price of one `unit`, in the invoice's currency."""

    amount_exact: Decimal
    """Quantity × rate, before rounding, in the invoice's currency."""

    amount: Decimal
    """The rounded amount, in the invoice's currency."""

    tariff_version_id: UUID
    """The tariff version that the component is of."""

    start_on: date_aliased
    """The first local date that is charged."""

    end_on: date_aliased
    """The local date after the last that is charged."""

    payee: str | None = None
    """Who receives the money, where it is not the supplier."""

    tax_class: str | None = None
    """The class by which taxes select the line."""

    quality: DataQuality | None = None
    """What it rests on; null for a line that rests on no reading, and where it is not known."""


class NewCustomer(Model):
    """A customer to be made; the same `id` again answers what exists."""

    model_config = ConfigDict(
        extra="forbid",
    )
    email: str | None = None
    """E-mail address."""

    number: str | None = None
    """The tenant's own number, which no other customer has."""

    phone_number: str | None = None
    """Telephone number."""

    language: str | None = None
    """The language in which to write to the customer: `de`, or `de-AT`."""

    billing_address: NewAddress | None = None
    """Where invoices go."""

    supply_address: NewAddress | None = None
    """Where the energy is used."""

    tax_id: str | None = None
    """Tax number of a business."""

    payment_days: int | None = None
    """Days after an invoice until it is due; null for the tenant's payment terms."""

    e_invoice_consent_on: date_aliased | None = None
    """The day on which the customer agreed to invoices by e-mail alone; null for no consent."""

    billing_calendar: BillingCalendar | None = None
    """The billing calendar of agreements that name none when they are made; null for months."""

    name: str
    """Name, for people"""

    currency: str | None = None
    """In which the customer pays; the tenant's default where it is left out."""

    contacts: Annotated[list[Contact], Field(validate_default=True)] = []
    """Whom to speak to."""

    tax_exemptions: Annotated[list[TaxExemption], Field(validate_default=True)] = []
    """The taxes that the customer does not pay, and when."""

    invoicing: Literal["single", "collective"] = "single"
    """
    Whether each agreement's period has an invoice, or those that end in one period of the
    customer share a collective one.
    """

    collective_grace_hours: int = 120
    """
    How many hours a collective invoice waits for its last sections; then it is issued without
    them.
    """

    minimum_amount: Decimal | None = None
    """
    A collective invoice of less, in the customer's currency, waits for the next; null for
    none.
    """

    minimum_periods_max: int = 12
    """How many periods of bills wait so at most."""

    id: UUID | None = None
    """The resource's id (UUID)"""


class NewCustomers(Model):
    """Customers to be made together: all or none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewCustomer]
    """The page's items"""


class NewRebilling(Model):
    """That an agreement is cancelled from a local day on, and by what it is replaced."""

    model_config = ConfigDict(
        extra="forbid",
    )
    from_on: date_aliased
    """
    The first local day on which the agreement was wrong; all of it, where that is no later than
    its first day.
    """

    reason: str
    """Why, for the customer, who reads it on the credit notes."""

    replacement: Replacement | None = None
    """What is agreed instead; null where nothing is."""


class NewSeller(Model):
    """Who sells: what stands in the letterhead of invoices and credit notes."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """The seller's name."""

    address: SellerAddress | None = None
    tax_id: str | None = None
    """The seller's tax number, such as DE123456789."""

    company_id: str | None = None
    """The seller's number in the register of companies."""

    email: str | None = None
    """Where customers write to."""

    phone: str | None = None
    """Where customers call."""

    website: str | None = None
    """The seller's website."""

    iban: str | None = None
    """The bank account that is paid to, without blanks."""

    bic: str | None = None
    """The bank."""

    language: str = "en"
    """The language of documents for customers whose own is not known."""

    accent: str = "#155e63"
    """The colour of headings, `#rrggbb`."""

    logo: str | None = None
    """A PNG or JPEG image in base64, of at most 2000 × 2000 pixels."""

    texts: (
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")], Texts] | None
    ) = None
    """The seller's own words by language."""

    component_names: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$")],
            dict[
                Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")],
                str,
            ],
        ]
        | None
    ) = None
    """What lines are called: by the id of the tariff's component, then by language."""

    offered_tariffs: list[str] = []
    """Codes of the tariffs that customers may try in the portal, in the order they are shown."""


class PageOfAgreement(Model):
    items: list[Agreement]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfCustomer(Model):
    items: list[Customer]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfIncompleteAgreement(Model):
    items: list[IncompleteAgreement]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPrepaymentAlert(Model):
    items: list[PrepaymentAlert]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfReadCycle(Model):
    items: list[ReadCycle]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfRebilling(Model):
    items: list[Rebilling]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfRunFinding(Model):
    items: list[RunFinding]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfWebhookEndpoint(Model):
    items: list[WebhookEndpoint]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfWebhookMessage(Model):
    items: list[WebhookMessage]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PendingCollectiveInvoice(Model):
    """A collective invoice that is not issued yet, since some of its sections are missing."""

    customer_id: UUID
    """Who is to pay."""

    start_on: date_aliased
    """The first local day of those whose periods share the invoice."""

    end_on: date_aliased
    """The local day after the last."""

    reason: Literal["sections_missing", "below_minimum", "due"] | str
    """
    What it waits for: sections; the next invoice, since it comes to less than the customer's
    minimum; or nothing, and it is issued within seconds.
    """

    waits_since: AwareDatetime
    """When the first of its periods was billed, UTC."""

    grace_ends_at: AwareDatetime
    """
    When it is issued without what is missing then, UTC; that follows on an invoice of its
    own.
    """

    released_at: AwareDatetime | None
    """When somebody had it issued with what is there; null where nobody did."""

    released_by: str | None
    """The API key that did."""

    present: list[PresentPeriod]
    """The periods that are billed."""

    missing: list[MissingPeriod]
    """The periods that it waits for."""


class PeriodBill(Model):
    """The bill of a period, computed again from what was known at a moment."""

    agreement_id: UUID
    """The agreement."""

    start_on: date_aliased
    """The first local day of the period."""

    end_on: date_aliased
    """The local day after the last."""

    as_known_at: AwareDatetime
    """The moment, in UTC."""

    invoice_id: UUID
    """The invoice that had been issued by then, the last of them."""

    number: str
    """Its number."""

    revision: int
    """The version of the readings: how often the period had been closed."""

    restatement: int
    """How often that revision had been issued again, because an earlier period was corrected."""

    issued_at: AwareDatetime
    """When that invoice was issued."""

    currency: str
    """The currency of all amounts."""

    lines: list[InvoiceLine]
    """The lines, byte for byte those of the invoice."""

    net: Decimal
    """The sum of all lines but taxes."""

    tax: Decimal
    """The sum of the taxes."""

    total: Decimal
    """Net and tax."""

    state_after: dict[str, Any]
    """What it carried forward, by component."""


class PreviewBill(Model):
    """A bill as an invoice would have it; it has no number, and nobody owes it."""

    lines: list[InvoiceLine]
    """The lines."""

    net: Decimal
    """Before tax."""

    tax: Decimal
    """The taxes."""

    total: Decimal
    """With taxes."""

    energy_wh: dict[str, int]
    """The energy of each flow in Wh (varh)."""

    expected_intervals: int
    """How many intervals the flows have in the period."""

    present_intervals: int
    """How many of them have a value."""


class Problem(Model):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    """A reference to the explanation of the code."""

    title: str
    """What the code means, in short."""

    status: int
    """The HTTP status."""

    detail: str
    """What is wrong this time, for people."""

    code: str
    """The kind of problem, for programs."""

    correlation_id: str
    """The id under which logs speak of this request."""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request."""


class RebilledBill(Model):
    """A bill that would follow."""

    agreement_id: UUID
    """The agreement that it is of: the one that is cut, or its replacement."""

    customer_id: UUID
    """Who would get it."""

    meter_id: UUID
    """The meter."""

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
    """The local day after the last."""

    currency: str | None
    """The currency of its amounts; null where it could not be billed."""

    bill: PreviewBill | None
    """The bill, of what is recorded by now; null where it could not be billed."""

    reason: str | None
    """Why its period would be held; null where it would not."""

    detail: str | None
    """The same in words."""


class RebillingDetail(Model):
    """A rebilling with its credit notes; new invoices are those of the agreements."""

    id: UUID
    """The rebilling."""

    agreement_id: UUID
    """The agreement that was cancelled from a day on."""

    from_on: date_aliased
    """That local day."""

    replacement_id: UUID | None
    """The agreement in its place; null where there is none."""

    reason: str
    """Why."""

    rebilled_by: str
    """The API key that did it."""

    rebilled_at: AwareDatetime
    """When, in UTC."""

    correlation_id: str
    """The id that follows it through all services, and is on the credit notes."""

    withdrawn: list[date_aliased]
    """The first days of the periods that are billed no more as they were closed."""

    credit_notes: list[RebillingNote]
    """The credit notes."""


class RebillingPreview(Model):
    """What a rebilling would do; nothing is changed."""

    kind: Literal["preview"]
    """Always `preview`."""

    agreement: Agreement
    replacement: Agreement | None
    """The agreement in its place."""

    credits: list[RebilledCredit]
    """The invoices that would be credited."""

    withdrawn: list[date_aliased]
    """
    The first days of the periods that would be billed no more as they were closed, invoiced or
    held.
    """

    bills: list[RebilledBill]
    """The bills that would follow, of the periods that have ended."""

    changes: list[AccountChange]
    """What it comes to for each customer."""

    is_all: bool
    """Whether there are no more bills than these."""


class Recalculation(Model):
    """What an invoice's evidence comes to; `agrees` with what was issued, to the last digit."""

    agrees: bool
    """Whether making the bill again gives the same"""

    lines: list[InvoiceLine]
    """The lines, in the tariff's order"""

    net: Decimal
    """Amount without taxes"""

    tax: Decimal
    """Taxes"""

    total: Decimal
    """Net and taxes"""

    state_after: dict[str, Any]
    """What the period hands to the next one, by component"""


class Reconciliation(Model):
    """`breaches` names what does not agree; it is empty when all does."""

    currencies: list[CurrencyTotals]
    """The figures, by currency"""

    payees: list[OwedToPayee]
    """What payees are owed by invoices less credit notes, whatever was paid of it"""

    series: list[SeriesCount]
    """The series, by name or flow"""

    periods: int
    """The periods, in order"""

    invoiced: int
    """Number of periods that have an invoice"""

    held: int
    """Number of periods that are held"""

    energy_wh: int
    """Energy, in Wh"""

    ok: bool
    """Whether everything agrees"""

    breaches: list[str]
    """What does not agree"""


class Seller(Model):
    """Who sells, as the newest documents show it."""

    model_config = ConfigDict(
        extra="forbid",
    )
    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    name: str
    """The seller's name."""

    address: SellerAddress | None = None
    tax_id: str | None = None
    """The seller's tax number, such as DE123456789."""

    company_id: str | None = None
    """The seller's number in the register of companies."""

    email: str | None = None
    """Where customers write to."""

    phone: str | None = None
    """Where customers call."""

    website: str | None = None
    """The seller's website."""

    iban: str | None = None
    """The bank account that is paid to, without blanks."""

    bic: str | None = None
    """The bank."""

    language: str = "en"
    """The language of documents for customers whose own is not known."""

    accent: str = "#155e63"
    """The colour of headings, `#rrggbb`."""

    logo: str | None = None
    """A PNG or JPEG image in base64, of at most 2000 × 2000 pixels."""

    texts: (
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")], Texts] | None
    ) = None
    """The seller's own words by language."""

    component_names: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$")],
            dict[
                Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")],
                str,
            ],
        ]
        | None
    ) = None
    """What lines are called: by the id of the tariff's component, then by language."""

    offered_tariffs: list[str] = []
    """Codes of the tariffs that customers may try in the portal, in the order they are shown."""


class Series(Model):
    """One flow of a closed period, from its first local midnight to its last."""

    flow: (
        Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
        | str
    )
    """What was measured."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval in minutes."""

    values: list[int | None]
    """The energy of each interval in Wh (varh), in order; null where there is none."""

    quality: str
    """
    A letter for each value: `A` actual, `E` estimated, `S` substituted, `-` missing, and `N`
    where the meter did not measure the flow: nothing flowed, and nothing is missing.
    """

    summed: list[SummedMeter] | None = None
    """Of a derived meter, what it was the sum of; null for others."""


class CalculatedBill(Model):
    """
    What a customer's readings come to by a version; every meter is rated like an invoice of
    its own. Missing intervals count as no energy.
    """

    calculation_id: UUID
    """The calculation's id: the same for the same request on the same readings."""

    checksum: str
    """SHA-256 over the tariff document, the readings and the window."""

    customer_id: UUID
    """The customer."""

    start: date_aliased
    """The first local day."""

    end: date_aliased
    """The local day after the last."""

    tariff_version_id: UUID
    """The version."""

    currency: str
    """The version's currency, which all amounts are in."""

    net: Decimal
    """Before tax."""

    tax: Decimal
    """The taxes."""

    total_cost: Decimal
    """With taxes."""

    breakdown: dict[str, Decimal]
    """What each component comes to, by its id in the tariff document; they add up to the total."""

    payees: list[PayeeTotal]
    """What is for payees that components name; the rest is the seller's."""

    expected_intervals: int
    """How many intervals the meters' recorded flows have on these days."""

    present_intervals: int
    """How many of them have a value."""

    lines: list[CalculatedLine]
    """The lines of all meters."""

    calculated_at: AwareDatetime | None
    """When it was stored; null where it is not."""


class ChangedInvoice(Model):
    """
    An invoice, or a section of a collective one, that would be credited, and the one that would
    take its place.
    """

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

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
    """The local day after the last."""

    cause: Literal["correction", "carried_forward"] | str
    """`correction`: its readings change; `carried_forward`: only what the bill before leaves."""

    currency: str
    """The currency."""

    credit_note_total: Decimal
    """
    What the credit note would be of: all of the invoice that is not credited yet; of a section
    all of it.
    """

    total: Decimal | None
    """The total of the invoice that would follow; null where it would be held."""

    delta: Decimal | None
    """By how much the bill would come to more."""

    lines: list[InvoiceLine]
    """The lines of the invoice that would follow, at the prices in force on its days."""

    held: str | None
    """Why the invoice that follows would be held, for programs; null where it would be issued."""


class CorrectionPreview(Model):
    """What a correction would change; nothing of it is done."""

    preview_id: UUID
    """
    The preview's id. A correction that is sent with it as `X-Correlation-Id` names the preview
    that it was decided by: the credit notes and invoices that follow carry it.
    """

    made_at: AwareDatetime
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


class CreditNoteDetail(Model):
    """A credit note with its lines."""

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

    net: Decimal
    """What it credits before taxes."""

    tax: Decimal
    """The taxes that it credits."""

    total: Decimal
    """Net and tax."""

    extent: Literal["whole", "part", "rest"] | str
    """The `whole` invoice, which is void then; a `part`; or the `rest`, which voids it too."""

    reason: str
    """Why."""

    credited_by: str | None
    """The API key by which a part was credited; null where a correction caused the note."""

    repeat_on_correction: bool
    """Whether a part is credited again on the invoice of a correction."""

    repeats: UUID | None
    """The credit note of a part that a correction gave again by this one; null for others."""

    issued_at: AwareDatetime
    """When, UTC."""

    correlation_id: str
    """The id that follows it through all services."""

    lines: list[CreditNoteLine]
    """What is credited of each of the invoice's lines."""


class Evidence(Model):
    """All that an invoice was computed from."""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    connected_kw: Decimal | None
    """Connected (sanctioned) load, in kW"""

    closed_by: Literal["complete", "grace", "forced"] | str
    """What closed the period: `complete`, `grace` or `forced`"""

    expected_intervals: int
    """Number of intervals that there should be"""

    present_intervals: int
    """Number of intervals that have a value"""

    quality: DataQuality
    digest: str
    """SHA-256 of the content, in hexadecimal"""

    tariff_version_ids: list[UUID]
    """The versions of the tariff that the bill was made with"""

    summed: list[SummedMeter]
    """What the meter was the sum of, where it is derived: parts and versions"""

    state_before: dict[str, Any]
    """What the period before handed on, by component"""

    state_after: dict[str, Any]
    """What the period hands to the next one, by component"""

    series: list[Series]
    """The series, by name or flow"""


class ExplainedLine(Model):
    """A line, and what it is made of."""

    position: int
    """Its number on the invoice, from 1."""

    line: InvoiceLine
    made_of: Literal["intervals", "whole", "lines", "days"] | str
    """
    `intervals`: the sum of the intervals' amounts. `whole`: of intervals that are taken
    together (tiers, a peak, netting), which have no amount of their own. `lines`: a tax or a
    percentage of other lines, or what brings them to the rounded total. `days`: owed for time.
    """

    intervals: list[ExplainedInterval]
    """The intervals that it rests on."""

    of_lines: list[int]
    """The positions of the lines whose `amount_exact` add up to its quantity."""

    rounding: RoundingStep
    credited: Decimal
    """What credit notes of parts have credited of it by now."""


class ForecastBill(Model):
    """The bill of the whole period, in which intervals without a value have what is expected."""

    lines: list[InvoiceLine]
    """The lines."""

    net: Decimal
    """Before tax."""

    tax: Decimal
    """The taxes."""

    total: Decimal
    """With taxes."""

    energy_wh: dict[str, int]
    """The energy of each flow in Wh (varh)."""

    expected_intervals: int
    """How many intervals the flows have in the period."""

    present_intervals: int
    """How many of them have a value."""

    method: Literal["weekday_and_time"]
    """
    `weekday_and_time`: the mean of the same weekday and local time of day on the reference days,
    times the level of the last seven of them.
    """

    reference_start_on: date_aliased
    """The first reference day."""

    reference_end_on: date_aliased
    """The day after the last reference day, which is the last with a value."""

    level: dict[str, Decimal]
    """What the last seven reference days carried over what their means say, by flow."""

    spread: Spread
    expected_prices: list[str]
    """
    The price series whose prices are not published yet: the mean of the same weekday and time
    of day of the six weeks before is taken for them.
    """


class InvoiceDetail(Model):
    """An invoice with all that belongs to it; `credit_note` is the one that cancelled it."""

    id: UUID
    """The resource's id (UUID)"""

    number: str
    """Number in its series, from 1"""

    state: Literal["issued", "void"] | str
    """The state"""

    customer_id: UUID
    """The customer"""

    agreement_id: UUID
    """The agreement"""

    meter_id: UUID
    """The meter"""

    start_on: date_aliased
    """First local day"""

    end_on: date_aliased
    """First local day that no longer belongs to it; null for no end"""

    revision: int
    """Which revision of the period this is, from 1"""

    restatement: int
    """Which issue of the same revision this is, from 0"""

    currency: str
    """ISO 4217 code"""

    net: Decimal
    """Amount without taxes"""

    tax: Decimal
    """Taxes"""

    total: Decimal
    """Net and taxes"""

    brought_forward: Decimal
    """The customer's balance before this invoice"""

    arrears: Decimal
    """What of the balance brought forward is overdue"""

    amount_due: Decimal
    """What is to be paid: total and what was brought forward"""

    settles_on: date_aliased | None
    """The day by which a budget plan that covers it is settled; null for one that is due by itself"""

    quality: DataQuality | None
    """What the value rests on: actual, estimated, substituted or missing"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    proof_root: str | None
    """The root of its proof, SHA-256 in hexadecimal; null from before there were proofs"""

    approved_by: str | None
    """The API key that approved its draft; null without one"""

    approved_at: AwareDatetime | None
    """When that was, UTC"""

    is_collective: bool
    """Whether it has sections; then the customer's id stands where another has its agreement and meter"""

    collective_id: UUID | None
    """The invoice that it is a section of; null for what is owed itself"""

    lines: list[InvoiceLine]
    """The lines, in the tariff's order"""

    evidence: EvidenceSummary | None
    """What the invoice was computed from"""

    credit_note: CreditNote | None
    """The credit note that cancels it; null while it is live"""

    partial_credit_notes: list[CreditNote]
    """The credit notes of parts of it, the oldest first"""

    left: Decimal
    """What no credit note has credited, with taxes"""

    revisions: list[InvoiceRevision]
    """The revisions, in order"""

    sections: list[InvoiceSection]
    """Of a collective one, in the order of its lines"""


class InvoiceDraftDetail(Model):
    """A draft with its lines."""

    id: UUID
    """The draft, and the invoice that it becomes."""

    agreement_id: UUID
    """The agreement that is billed."""

    customer_id: UUID
    """Who is to pay."""

    meter_id: UUID
    """Whose energy is billed."""

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
    """The local day after the last."""

    revision: int
    """The number of the closed period's revision that is billed."""

    restatement: int
    """How often the same revision was issued before, because an earlier period was corrected."""

    currency: str
    """The currency of its amounts."""

    net: Decimal
    """The sum of its lines but taxes."""

    tax: Decimal
    """The taxes."""

    total: Decimal
    """Net and tax."""

    replaces_id: UUID | None
    """The live invoice that is credited when it is issued; null where the period has none."""

    state: Literal["pending", "approved", "rejected"] | str
    """`pending`; `approved`, and issued within a second; `rejected`."""

    decided_by: str | None
    """The API key that approved or rejected it."""

    decided_at: AwareDatetime | None
    """When, UTC."""

    reason: str | None
    """Why it was rejected."""

    drafted_at: AwareDatetime
    """When it was made, UTC."""

    correlation_id: str
    """The id that follows it through all services."""

    version: int
    """Its ETag: it counts what has become of the draft of its period."""

    lines: list[InvoiceLine]
    """The charges and credits, as they will be on the invoice."""


class InvoiceExplanation(Model):
    """What an invoice's lines are made of."""

    invoice_id: UUID
    """The invoice."""

    number: str
    """Its number."""

    start_on: date_aliased
    """The first local day of its period."""

    end_on: date_aliased
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


class PageOfPendingCollectiveInvoice(Model):
    items: list[PendingCollectiveInvoice]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class Preview(Model):
    """What a period's bill comes to before it is issued: a preview, and no invoice."""

    kind: Literal["preview"]
    """Always `preview`: it has no number, is not posted, and may change with each reading."""

    agreement_id: UUID
    """The agreement."""

    customer_id: UUID
    """The customer."""

    meter_id: UUID
    """The meter."""

    start_on: date_aliased
    """The first local day of the period."""

    end_on: date_aliased
    """The local day after the last."""

    zone: str
    """The meter's time zone."""

    currency: str
    """The currency of all amounts."""

    made_at: AwareDatetime
    """When it was made, in UTC."""

    used_until: AwareDatetime | None
    """The end of the period's last interval with a value, in UTC; null where none has one."""

    parts: list[PreviewPart]
    """Which version prices which days."""

    so_far: PreviewBill
    forecast: ForecastBill
    carries_on_from: list[UnissuedPeriod]
    """
    Where the tariff carries something from bill to bill: the periods that have no invoice yet,
    rated in turn to come to it.
    """

    invoice_id: UUID | None
    """The live invoice of the period that begins on the same day, if there is one."""


class StoredCorrectionPreview(Model):
    """A preview as it was answered, and what a correction that named it has made."""

    preview_id: UUID
    """
    The preview's id. A correction that is sent with it as `X-Correlation-Id` names the preview
    that it was decided by: the credit notes and invoices that follow carry it.
    """

    made_at: AwareDatetime
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

    made: list[MadeBy]
    """The credit notes and invoices that carry its id; empty while nothing was corrected."""
