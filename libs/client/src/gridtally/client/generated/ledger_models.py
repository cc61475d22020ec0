"""What ledger takes and answers. Generated from docs/openapi/ledger.json by `make docs`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from gridtally.client.model import Model


class AgeingRow(Model):
    """
    Open invoices and charges by days since they were due: `not_due` are due after the day,
    `overdue` were due before it. They add up to `total`, without `overdue`.
    """

    currency: str
    """ISO 4217 code"""

    not_due: Decimal
    """Not due yet"""

    days_0_30: Decimal
    """Overdue for up to 30 days"""

    days_31_60: Decimal
    """Overdue for 31 to 60 days"""

    days_61_90: Decimal
    """Overdue for 61 to 90 days"""

    days_over_90: Decimal
    """Overdue for more than 90 days"""

    total: Decimal
    """Net and taxes"""

    overdue: Decimal
    """What of it is overdue"""


class Allocation(Model):
    """
    What a transaction allocates to an invoice; below zero it takes back what `source_id`,
    another transaction, had allocated. (Of an invoice below zero the signs are the other way
    round.)
    """

    invoice_id: UUID
    """The invoice"""

    kind: Literal["invoice", "charge"] | str
    """Whether that is an invoice of billing or a charge of the ledger's own"""

    number: str
    """Number in its series, from 1"""

    source_id: UUID
    """The id of the event or resource that it comes from"""

    amount: Decimal
    """Amount, rounded, in the currency"""


class BalanceTerm(Model):
    """A register on one side of a conservation check, added (`1`) or subtracted (`-1`)."""

    meter_id: UUID
    """The meter"""

    property_id: UUID
    """The property"""

    meter_type: (
        Literal["gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"] | str
    )
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    flow: Literal["import", "export", "load", "generation"] | str
    """What is measured: `import`, `export`, `load` or `generation`"""

    sign: int
    """1 where the meter counts, -1 where it is deducted"""

    kwh: Decimal | None
    """Energy, in kWh"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    complete: bool
    """Whether no value is missing"""


class BudgetInstalment(Model):
    """
    An instalment. It is an open item, under `invoice_id`, once it is asked for: fourteen days
    before it is due.
    """

    due_on: date
    """Local date from which it is overdue"""

    amount: Decimal
    """Amount, rounded, in the currency"""

    invoice_id: UUID | None
    """Null while it was not asked for"""

    open: Decimal | None
    """What of it is open, once it was asked for"""


class BudgetPlan(Model):
    """
    Equal amounts that are asked for each month. Invoices of its time are paid by it as they are
    issued, so that nobody is asked for these: `used` is what they came to. At the settlement the
    customer owes what was used beyond `requested`, or has the rest as credit: `settled`.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    state: Literal["running", "ended", "settled"] | str
    """`ended`: its time is over, and it waits to be settled"""

    start_on: date
    """First local day"""

    end_on: date
    """The local day after its last"""

    settle_on: date
    """When it is settled by itself, UTC"""

    instalments: list[BudgetInstalment]
    """By their due days; of one that is settled, those it asked for"""

    requested: Decimal
    """What was asked for"""

    used: Decimal
    """What invoices of its time came to, less what was credited"""

    settled: Decimal
    """What its settlement came to: above zero is owed, below zero is credit"""

    agreed_at: AwareDatetime
    """When it was agreed, UTC"""

    settled_at: AwareDatetime | None
    """When it was settled first, UTC; null while it was not"""


class BudgetProposal(Model):
    """What a customer's months came to lately, for a plan."""

    currency: str
    """ISO 4217 code"""

    customer_id: UUID
    """The customer"""

    months: int
    """How many months back invoices were looked at"""

    invoices: int
    """How many invoices of that time stand"""

    invoiced: Decimal
    """What they came to, less what was credited"""

    first_issued_at: AwareDatetime | None
    """When the first of them was issued, UTC: whether they fill the months"""

    amount: Decimal | None
    """What a month comes to, in whole units; null where nothing was invoiced"""


class Channel(Model):
    """A flow that a meter measures, its interval length and the most an interval can carry."""

    flow: Literal["import", "export", "load", "generation", "reactive_import", "reactive_export"]
    """What is measured."""

    minutes: Literal[5, 10, 15, 30, 60]
    """The length of an interval in minutes."""

    interval_wh_max: int
    """The most energy of one interval, in Wh (varh); a block with more is refused."""

    start_at: AwareDatetime | None = None
    """
    From when on the meter measures the flow, in UTC; null for ever since. Nothing is expected
    before, so that nothing is missing.
    """

    end_at: AwareDatetime | None = None
    """Until when the meter measures the flow, in UTC; null while it does."""


class Conservation(Model):
    """
    Whether what was supplied went through the meters below: supplied = metered + unaccounted.

    `unaccounted` is losses, what nobody meters, and errors; null where a part is not completely
    known. `ok` where it is not negative and at most `loss_percent_max` of what was supplied.
    """

    property_id: UUID
    """The property"""

    from_at: AwareDatetime
    """Start, included, UTC"""

    to_at: AwareDatetime
    """End, not included, UTC"""

    supplied: list[BalanceTerm]
    """What came in"""

    metered: list[BalanceTerm]
    """What the meters below measured"""

    supplied_kwh: Decimal | None
    """What came in, in kWh"""

    metered_kwh: Decimal | None
    """What the meters below measured, in kWh"""

    unaccounted_kwh: Decimal | None
    """What came in and was not measured below, in kWh"""

    unaccounted_percent: Decimal | None
    """The same, in percent of what came in"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    ok: bool | None
    """Whether what is unaccounted for can be a loss"""


class Consumption(Model):
    """
    What a register, or a derived meter, counted in a time, in kWh.

    Where readings cover a part of it only, `kwh` is for that part, from `known_from` to
    `known_to`, and it is not `complete`. `decreases` are drops too small to be rollovers: most
    likely mistaken readings.
    """

    meter_id: UUID
    """The meter"""

    meter_type: (
        Literal["gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"] | str
    )
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    flow: Literal["import", "export", "load", "generation"] | str | None
    """What is measured: `import`, `export`, `load` or `generation`"""

    is_derived: bool
    """Whether it is computed from others and never read"""

    start_at: AwareDatetime
    """Start, included, UTC"""

    end_at: AwareDatetime
    """End, not included, UTC"""

    kwh: Decimal | None
    """Energy, in kWh"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    complete: bool
    """Whether no value is missing"""

    known_from: AwareDatetime | None
    """First instant from which the value is known, UTC"""

    known_to: AwareDatetime | None
    """Last instant to which the value is known, UTC"""

    rollovers: int
    """Number of times that the register began again at zero"""

    exchanges: int
    """Number of meter exchanges in the window"""

    decreases: int
    """Number of drops that no rollover explains"""


class ConsumptionTable(Model):
    """What each meter of a property counted on each local day or in each month."""

    property_id: UUID
    """The property"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    from_at: AwareDatetime
    """Start, included, UTC"""

    to_at: AwareDatetime
    """End, not included, UTC"""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    items: list[Consumption]
    """The page's items"""

    by: Literal["day", "month"] | str
    """The steps that the window is divided into"""


class CurrencyAmount(Model):
    """An amount in a currency."""

    currency: str
    """ISO 4217 code"""

    amount: Decimal
    """In `currency`"""


class CurrentReading(Model):
    """
    The last reading of a meter. That of a derived meter is the sum of its inputs' last values,
    as old as the oldest of them; `aligned` where all were taken at one moment.
    """

    meter_id: UUID
    """The meter"""

    meter_type: (
        Literal["gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"] | str
    )
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    flow: Literal["import", "export", "load", "generation"] | str | None
    """What is measured: `import`, `export`, `load` or `generation`"""

    is_derived: bool
    """Whether it is computed from others and never read"""

    value: Decimal | None
    """In kWh; of a register before the multiplier, of a sum after it"""

    multiplier: Decimal | None
    """Factor of the current and voltage transformers"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    read_at: AwareDatetime | None
    """When the register was read, UTC"""

    reading_id: UUID | None
    """The reading, whichever of its versions"""

    aligned: bool
    """Whether all values of a sum were taken at one moment"""

    missing: list[UUID]
    """The meters that were not read until then"""


class CurrentReadings(Model):
    """The last readings of all meters of a property."""

    property_id: UUID
    """The property"""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    items: list[CurrentReading]
    """The page's items"""


class CustomerAgeing(Model):
    """One customer's."""

    currency: str
    """ISO 4217 code"""

    not_due: Decimal
    """Not due yet"""

    days_0_30: Decimal
    """Overdue for up to 30 days"""

    days_31_60: Decimal
    """Overdue for 31 to 60 days"""

    days_61_90: Decimal
    """Overdue for 61 to 90 days"""

    days_over_90: Decimal
    """Overdue for more than 90 days"""

    total: Decimal
    """Net and taxes"""

    overdue: Decimal
    """What of it is overdue"""

    customer_id: UUID
    """The customer"""


class CustomerBalance(Model):
    """
    What a customer owes in one currency: `balance` = receivable − prepaid − export_payable.
    `arrears` is what of the receivable was due before the day, `invoiced_total` what invoices less
    credit notes come to.
    """

    currency: str
    """The currency of all amounts."""

    balance: Decimal
    """What the customer owes in all, in `currency`; below zero for a credit."""

    receivable: Decimal
    """What is open of invoices and charges, in `currency`."""

    arrears: Decimal
    """What of the receivable is overdue, in `currency`."""

    prepaid: Decimal
    """The customer's credit, in `currency`."""

    export_payable: Decimal
    """What is open of invoices below zero, which pay for exported energy, in `currency`."""

    invoiced_total: Decimal | None = None
    """
    What the invoices less the credit notes that are in the balance come to, in `currency`; null
    from ledgers that did not say so yet.
    """


class CustomerBalances(Model):
    """Every currency of a customer's account, now or as of a moment."""

    customer_id: UUID
    """The customer"""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    currencies: list[CustomerBalance]
    """The figures, by currency"""


class CustomerDunningStop(Model):
    """A customer gets no notices for a time."""

    customer_id: UUID
    """The customer"""

    reason: Literal["disputed", "promised", "hardship", "insolvency", "other"] | str
    """Why"""

    until: date | None
    """The last day, in UTC, without notices; null for no such day"""


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


class DefaultMeter(Model):
    """The meter that a user means unless they name another; null for none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID | None
    """The meter"""


class DirectDebit(Model):
    """What is collected of an invoice or charge, and what came of it."""

    id: UUID
    """The debit; the payment by which it comes in has the same id."""

    end_to_end_id: str
    """What it is called from end to end, by all banks."""

    invoice_id: UUID
    """The invoice or charge that is collected."""

    kind: Literal["invoice", "charge"] | str | None
    """
    Which of the two it is: an `invoice` of billing, or a `charge` of the ledger's own; null
    while a restored ledger has not read of it again.
    """

    customer_id: UUID
    """Who owes it."""

    number: str
    """What people call the invoice."""

    amount: Decimal
    """How much is collected, in the batch's currency."""

    mandate_id: str
    """By which mandate."""

    sequence: Literal["first", "recurrent", "one_off"] | str
    """Whether it is the first debit by the mandate, a later one, or the only one."""

    scheme: Literal["core", "b2b"] | str
    """By which rules of SEPA."""

    masked_iban: str | None
    """The account that is debited, without its middle; null once the customer is erased."""

    state: Literal["open", "collected", "returned", "cancelled"] | str
    """
    `open`: no bank statement has named it. `collected`, `returned`: one has. `cancelled`: with
    its batch.
    """

    payment_id: UUID | None
    """The transaction of its payment; null until it came in."""

    return_reason: str | None
    """The bank's code for why it came back; null for one that did not."""


class DirectDebitBatch(Model):
    """Direct debits that are collected together."""

    currency: str
    """ISO 4217 code"""

    id: UUID | None
    """The batch; null where none was made"""

    state: Literal["open", "cancelled"] | str | None
    """Whether it is to be collected; null where none was made"""

    due_through: date
    """The last due day of its items, in UTC"""

    collection_on: date
    """When the bank collects it"""

    created_at: AwareDatetime
    """When it was made, UTC"""

    cancelled_at: AwareDatetime | None
    """Since when it is not to be collected, UTC"""

    count: int
    """How many debits it has"""

    total: Decimal
    """What they come to"""

    collected: int
    """How many came in, also of those that went back"""


class DirectDebitSettings(Model):
    """
    For whom direct debits are collected; all but `lead_days` are null until somebody has said
    it.
    """

    creditor_id: str | None = None
    """The creditor's identifier."""

    name: str | None = None
    """The creditor's name."""

    iban: str | None = None
    """The account that the money comes to."""

    bic: str | None = None
    """The bank of that account; null where only the IBAN is known."""

    lead_days: int = 2
    """How many days before its collection a batch is made at the latest."""


class DirectDebits(Model):
    """A batch with its debits."""

    currency: str
    """ISO 4217 code"""

    id: UUID | None
    """The batch; null where none was made"""

    state: Literal["open", "cancelled"] | str | None
    """Whether it is to be collected; null where none was made"""

    due_through: date
    """The last due day of its items, in UTC"""

    collection_on: date
    """When the bank collects it"""

    created_at: AwareDatetime
    """When it was made, UTC"""

    cancelled_at: AwareDatetime | None
    """Since when it is not to be collected, UTC"""

    count: int
    """How many debits it has"""

    total: Decimal
    """What they come to"""

    collected: int
    """How many came in, also of those that went back"""

    more: bool = False
    """Whether more is due than the 1000 debits of a batch: then ask for another one"""

    debits: list[DirectDebit]
    """By the numbers of their invoices"""


class Discard(Model):
    """Giving a letter up."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why it is given up, for whoever looks later."""


class DunnedInvoice(Model):
    """An invoice or a charge that reaches a level with a notice."""

    invoice_id: UUID
    """The invoice"""

    kind: Literal["invoice", "charge"] | str | None = None
    """Whether it is an invoice of billing or a charge of the ledger's own; null in a preview, and while a restored ledger has not read of it again"""

    number: str | None = None
    """What people call it; null in a preview"""

    level: int
    """The level that it reaches, the first is 1"""

    due_on: date
    """The last day, in UTC, to pay it as it was issued"""

    open: Decimal
    """What was open of it, and in no plan that is kept"""


class DunningLevel(Model):
    """A level that customers are dunned at."""

    name: str
    """What people call it, and its fee in statements"""

    after_days: int
    """How many days after an invoice was due, for the first level; for each later one after the day to which the notice before gave time"""

    days_to_pay: int
    """How many days a notice gives to pay it"""

    fees: list[CurrencyAmount]
    """What a notice costs, by currency; in a currency that is not there, nothing"""


class DunningNotice(Model):
    """
    A customer was asked again for what is overdue; all amounts are in `currency`, as they were
    when it was issued, but for `fee_open`.
    """

    currency: str
    """ISO 4217 code"""

    customer_id: UUID
    """The customer"""

    level: int
    """The highest level of its invoices"""

    name: str
    """What the rules call that level"""

    items: list[DunnedInvoice]
    """What reaches a level with it, the oldest due first"""

    others: Decimal
    """What else is overdue: at its level still, or a fee of before"""

    credit: Decimal
    """What the customer has as credit"""

    fee: Decimal
    """What the notice costs"""

    total: Decimal
    """What is to be paid: invoices, others and fee, less the credit"""

    pay_by: date
    """The last day to pay it, in UTC"""

    id: UUID
    """The notice; its fee is a charge of this id"""

    run_id: UUID
    """The run that issued it"""

    on: date
    """The day of which the run asked what was overdue"""

    state: Literal["issued", "withdrawn"] | str
    """Whether it counts"""

    fee_open: Decimal
    """What is still to be paid of its fee"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""

    withdrawn_at: AwareDatetime | None
    """Since when it no longer counts, UTC; null while it does"""

    withdraw_reason: Literal["mistake", "goodwill", "disputed", "paid_meanwhile"] | str | None
    """Why it was withdrawn; null while it counts"""


class DunningRules(Model):
    """By which levels a tenant's customers are dunned; nobody is where there are none."""

    levels: list[DunningLevel]
    """In their order"""

    minimums: list[CurrencyAmount]
    """By currency the least that is overdue, beyond credit and without fees, of a customer who is dunned"""

    runs_daily: bool
    """Whether a run begins by itself as each day begins in UTC; else customers are dunned when `POST /v1/dunning-runs` asks for it"""


class EqualInstalments(Model):
    """So many equal instalments; the last takes the remainder."""

    model_config = ConfigDict(
        extra="forbid",
    )
    count: int
    """How many there are"""

    first_due_on: date
    """The last day, in UTC, to pay the first"""

    every_months: int = 1
    """Months between two of them: on the same day of the month, or its last"""


class ErasedEntry(Model):
    """That the texts of a sealed entry were erased, when, and by which key or event."""

    seq: int
    """The entry's place in the chain."""

    kind: (
        Literal[
            "transaction",
            "booking",
            "reading",
            "definition",
            "meter_end",
            "void_note",
            "property_end",
            "erasure",
            "property",
            "meter",
        ]
        | str
    )
    """What was sealed."""

    entry_id: UUID
    """The id of what was sealed."""

    erased_at: AwareDatetime
    """When its texts were erased, UTC."""

    erased_by: str
    """The API key that asked for it, or `customer.changed` where the customer was erased."""


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


class Instalment(Model):
    """
    An instalment as it stands. `amount` is less than was agreed where invoices were credited or
    written off since: a plan shrinks from its end.
    """

    due_on: date
    """Local date from which it is overdue"""

    amount: Decimal
    """Amount, rounded, in the currency"""

    paid: Decimal
    """What was paid of it"""

    open: Decimal
    """What of it is still open"""


class Invoice(Model):
    """
    What a customer is to pay (or below zero to be paid): an invoice, or a `charge` of the
    ledger's own. `open` is what allocations have left of `total`.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    kind: Literal["invoice", "charge"] | str
    """Which kind of thing this is"""

    number: str
    """Number in its series, from 1"""

    customer_id: UUID
    """The customer"""

    state: Literal["open", "part_paid", "paid", "void"] | str
    """The state"""

    total: Decimal
    """Net and taxes"""

    allocated: Decimal
    """What of it is paid or credited"""

    open: Decimal
    """What of it is still open"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""

    due_on: date
    """Local date from which it is overdue"""


class InvoiceAllocation(Model):
    """What a transaction allocated to an invoice, or took back of what `source_id` had."""

    transaction_id: UUID
    """The transaction"""

    kind: str
    """Which kind of thing this is"""

    reference: str
    """The caller's reference, for people"""

    source_id: UUID
    """The id of the event or resource that it comes from"""

    amount: Decimal
    """Amount, rounded, in the currency"""

    occurred_at: AwareDatetime
    """When it happened in the business, UTC"""

    recorded_at: AwareDatetime
    """When it was recorded, UTC"""


class InvoiceOfPayment(Model):
    """An invoice that a payment names, or may be for."""

    invoice_id: UUID
    """The invoice"""

    customer_id: UUID
    """The customer"""

    number: str
    """Number in its series, from 1"""

    open: Decimal
    """What was open of it before the payment, with the sign of the total."""


class InvoiceWithAllocations(Model):
    """An invoice and everything that was allocated to it; the oldest thousand."""

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    kind: Literal["invoice", "charge"] | str
    """Which kind of thing this is"""

    number: str
    """Number in its series, from 1"""

    customer_id: UUID
    """The customer"""

    state: Literal["open", "part_paid", "paid", "void"] | str
    """The state"""

    total: Decimal
    """Net and taxes"""

    allocated: Decimal
    """What of it is paid or credited"""

    open: Decimal
    """What of it is still open"""

    issued_at: AwareDatetime
    """When it was issued, UTC"""

    due_on: date
    """Local date from which it is overdue"""

    allocations: list[InvoiceAllocation]
    """Which open items it is for"""


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


class LastReading(Model):
    """The last reading of a register."""

    value: Decimal
    """What it showed, in kWh before the meter's multiplier."""

    read_at: AwareDatetime
    """When it was taken, in UTC."""

    is_by_customer: bool
    """Whether the customer sent it."""


class Mandate(Model):
    """
    The mandate by which a customer's invoices are collected. After 36 months without a debit it
    has lapsed.
    """

    customer_id: UUID
    """Whose invoices are collected by it."""

    mandate_id: str
    """What the mandate is called."""

    signed_on: date
    """The day on which it was signed."""

    masked_iban: str
    """The account that is debited, without its middle."""

    bic: str | None
    """The bank of that account; null where only the IBAN is known."""

    holder: str
    """Whose account it is."""

    sequence: Literal["first", "recurrent", "one_off"] | str
    """Whether the next debit is the first by it, a later one, or the only one."""

    scheme: Literal["core", "b2b"] | str
    """By which rules of SEPA."""

    state: Literal["in_force", "not_yet", "used", "lapsed", "revoked"] | str
    """Whether it can be collected by today."""

    last_collected_on: date | None
    """When it was last collected by; null for never."""

    lapses_on: date
    """The first day on which it has lapsed, if it is not used before."""

    revoked_on: date | None
    """Since when it may not be used; null while it may."""


class NewBudgetAmount(Model):
    """Another amount for the instalments that are due from a day on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    amount: Decimal
    """Above zero; a decimal string"""

    from_on: date
    """The first due day that it is for; none of these was asked for yet"""


class NewBudgetEnd(Model):
    """An earlier end, as of a customer who moves out."""

    model_config = ConfigDict(
        extra="forbid",
    )
    end_on: date
    """Invoices of periods that begin before this local day wait for it"""


class NewBudgetPlan(Model):
    """What a customer is to pay each month, and for what time."""

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    amount: Decimal
    """Of each instalment; a decimal string"""

    start_on: date
    """Invoices of periods that begin on this local day or later, and before the end, wait for the settlement"""

    months: int = 12
    """How many months it goes on, and instalments"""

    first_due_on: date | None = None
    """The last day, in UTC, to pay the first; the others are due on the same day of the next months, or their last. The first day of the plan, or today, where it is left out"""

    settle_days: int = 42
    """So many days after its end it is settled by itself"""


class NewCancellation(Model):
    """Why a plan is cancelled."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Literal["broken", "replaced", "withdrawn", "mistake"]
    """Why: it was not kept, another replaces it, both agreed to end it, or it should never have been"""


class NewCurrencyAmount(Model):
    """An amount in a currency."""

    model_config = ConfigDict(
        extra="forbid",
    )
    currency: str
    """ISO 4217 code"""

    amount: Decimal
    """Zero or above, in `currency`; a decimal string"""


class NewCustomerReading(Model):
    """What a register showed."""

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID
    """The meter, which must be the customer's on the day."""

    flow: Literal["import", "export", "load", "generation"] | None = None
    """The register, where the meter has several."""

    value: Decimal
    """What it showed, in kWh before the meter's multiplier."""


class NewCustomerReadings(Model):
    """Readings of a day: all are entered, or none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    read_on: date | None = None
    """The local day on which they were taken, within the last 60 days; left out, today."""

    items: list[NewCustomerReading]
    """One for each register that was read."""

    confirmed: bool = False
    """Whether doubtful ones are right all the same."""


class NewDeposit(Model):
    """
    Money that is held for the customer as security, without interest. It pays nothing by itself:
    an allocation whose source is the deposit sets it off, and such a refund returns it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal
    """Above zero; a decimal string"""

    method: str = ""
    """How it came about"""


class NewDirectDebitSettings(Model):
    """For whom direct debits are collected."""

    model_config = ConfigDict(
        extra="forbid",
    )
    creditor_id: str
    """The creditor's identifier, as the central bank gave it."""

    name: str
    """The creditor's name."""

    iban: str
    """The account that the money comes to."""

    bic: str | None = None
    """The bank of that account; left out, the bank knows it by the IBAN."""

    lead_days: int = 2
    """How many days before its collection a batch is made at the latest."""


class NewDirectDebits(Model):
    """What is to be collected, and when."""

    model_config = ConfigDict(
        extra="forbid",
    )
    due_through: date
    """The last due day, in UTC, of the invoices and charges that are collected."""

    collection_on: date
    """The day on which the bank is to collect: after the days of lead, within 90 days."""

    returned_too: bool = False
    """Collect again what came back from the bank before."""

    dry_run: bool = False
    """Say what would be collected, and store nothing."""


class NewDunningLevel(Model):
    """A level that customers are dunned at."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it, and its fee in statements"""

    after_days: int
    """How many days after an invoice was due, for the first level; for each later one after the day to which the notice before gave time"""

    days_to_pay: int
    """How many days a notice gives to pay it"""

    fees: list[NewCurrencyAmount] | None = None
    """What a notice costs, by currency; in a currency that is not there, nothing"""


class NewDunningRules(Model):
    """All levels in their order, from now on; without any, nobody is dunned."""

    model_config = ConfigDict(
        extra="forbid",
    )
    levels: list[NewDunningLevel]
    """In their order"""

    minimums: list[NewCurrencyAmount] | None = None
    """By currency the least that is overdue, beyond credit and without fees, of a customer who is dunned"""

    runs_daily: bool = False
    """Whether a run begins by itself as each day begins in UTC; else customers are dunned when `POST /v1/dunning-runs` asks for it"""


class NewDunningRun(Model):
    """All customers are looked at."""

    model_config = ConfigDict(
        extra="forbid",
    )
    on: date | None = None
    """The day, in UTC, of which is asked what was due before it and is open now; today if left out"""


class NewDunningStop(Model):
    """For how long, and why, a customer gets no notices."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Literal["disputed", "promised", "hardship", "insolvency", "other"]
    """Why: the debt is disputed, its payment is promised, it would be a hardship, the customer is insolvent, or something else"""

    until: date | None = None
    """The last day, in UTC, without notices; until it is ended if left out"""


class NewInstalment(Model):
    """An instalment that was agreed."""

    model_config = ConfigDict(
        extra="forbid",
    )
    due_on: date
    """The last day, in UTC, to pay it"""

    amount: Decimal | None = None
    """Left out of the last, it is what remains"""


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


class NewMandate(Model):
    """What a customer signed, so that invoices are collected from an account."""

    model_config = ConfigDict(
        extra="forbid",
    )
    mandate_id: str
    """What the mandate is called; no other of the tenant is."""

    signed_on: date
    """The day on which it was signed."""

    iban: str
    """The account that is debited."""

    bic: str | None = None
    """The bank of that account; left out, the banks find it by the IBAN."""

    holder: str
    """Whose account it is, who need not be the customer."""

    sequence: Literal["first", "recurrent", "one_off"] = "first"
    """Whether the next debit is the first by it, a later one, or the only one."""

    scheme: Literal["core", "b2b"] = "core"
    """By which rules of SEPA; `b2b` only where the account is no consumer's."""

    last_collected_on: date | None = None
    """When it was last collected by elsewhere, before these books; null for never."""


class NewOpeningBalance(Model):
    """
    What a customer owes, above zero, or has as credit, below, when the account is taken over; or
    one open invoice of the books before. It is booked once for customer, currency and reference.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    amount: Decimal
    """Above zero a charge, below zero a credit; a decimal string"""

    reference: str
    """What the books before these call it, as an invoice's number"""

    occurred_at: AwareDatetime
    """The date of value, as of the cut-over"""

    due_on: date | None = None
    """When what is owed is, or was, to be paid; its day of value if left out"""


class NewOpeningBalances(Model):
    """Opening balances to book together, all or nothing."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewOpeningBalance]
    """The page's items"""


class NewPaymentPlan(Model):
    """
    What is to be paid in instalments, and in which: `equal` ones, or a list of them that comes
    to what is open of the invoices.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    invoice_ids: list[UUID]
    """The open invoices and charges that it is about"""

    equal: EqualInstalments | None = None
    """Or `instalments`"""

    instalments: list[NewInstalment] | None = None
    """In the order of their days"""

    grace_days: int = 7
    """How many days an instalment may be late without breaking the plan"""


class NewPaymentTerms(Model):
    """The terms from now on. A rule for credit that is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
    )
    payment_days: int
    """Days after its date until an invoice is due"""

    credit_allocation: Literal["oldest_first", "manual"] | None = None
    """`oldest_first`: credit pays what is open by itself, the oldest first; `manual`: it waits for `POST /v1/allocations`"""

    credit_deallocation: Literal["newest_first", "oldest_first"] | None = None
    """What credit has paid is open again in this order, when the payment bounces that the credit came from"""


class NewReading(Model):
    """
    What a register showed: `value` in kWh before the meter's multiplier, taken at `read_at`
    (now, where it is left out). `flow` names the register where the meter has several.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    read_at: AwareDatetime | None = None
    """When the register was read, UTC"""

    flow: Literal["import", "export", "load", "generation"] | None = None
    """What is measured: `import`, `export`, `load` or `generation`"""

    quality: Literal["actual", "estimated", "substituted"] = "actual"
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str = ""
    """A note for people"""


class NewReadingOfMeter(Model):
    """
    A reading of one of a property's meters, named by its id or by its type where there is one
    of that type.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    read_at: AwareDatetime | None = None
    """When the register was read, UTC"""

    flow: Literal["import", "export", "load", "generation"] | None = None
    """What is measured: `import`, `export`, `load` or `generation`"""

    quality: Literal["actual", "estimated", "substituted"] = "actual"
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str = ""
    """A note for people"""

    meter_id: UUID | None = None
    """The meter"""

    meter_type: (
        Literal["gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"]
        | None
    ) = None
    """What the meter is for at its property"""


class NewReadings(Model):
    """
    Readings of a property's meters. With `all_or_nothing` one that is refused refuses all;
    with `item_by_item` the others are entered.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewReadingOfMeter]
    """The page's items"""

    mode: Literal["all_or_nothing", "item_by_item"] = "all_or_nothing"
    """What happens where some items are refused"""


class NewRefund(Model):
    """
    Money paid out, from the customer's credit, from what exported energy has earned, or from the
    deposit, which so is returned.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal
    """Above zero; a decimal string"""

    source: Literal["prepaid", "export_payable", "deposit"] = "prepaid"
    """Where it comes from, for people"""

    reason: str
    """Why, for programs"""


class NewRegister(Model):
    """
    The register of a new meter; what is left out is as it was. With a null `rollover_kwh` it
    begins again after its last digit; one that is left out stays only where no digits are given.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    digits: int | None = None
    """Digits before the decimal point that the register has"""

    decimals: int | None = None
    """Number of decimals"""

    multiplier: Decimal | None = None
    """Factor of the current and voltage transformers"""

    rollover_kwh: Decimal | None = None
    """The total in kWh, before the multiplier, at which the register begins again at zero; null where that is after its last digit"""


class NewReturn(Model):
    """That the money is paid back to whoever sent it, and why."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    reason: str
    """Why, for programs"""

    reference: str = ""
    """The caller's reference, for people"""


class NewReversal(Model):
    """Why a transaction is reversed, and as of when."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why, for programs"""

    occurred_at: AwareDatetime | None = None
    """When it happened in the business, UTC"""


class NewSettlement(Model):
    """
    Money that was paid to the payee. More than is owed is refused, unless it is said to be
    `in_advance`.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    amount: Decimal
    """Above zero; a decimal string"""

    reference: str = ""
    """The caller's reference, for people"""

    memo: str = ""
    """A reason or method, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    in_advance: bool = False
    """Whether it may be more than is owed"""


class NewUser(Model):
    """A user of a property; the e-mail address is nobody else's within the tenant."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    name: str
    """Name, for people"""

    email: str
    """E-mail address, unique in the tenant"""

    phone_number: str | None = None
    """Telephone number"""

    property_id: UUID
    """The property"""

    default_meter_id: UUID | None = None
    """The meter that the user's readings are of"""


class NewWithdrawal(Model):
    """Why a notice is withdrawn."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Literal["mistake", "goodwill", "disputed", "paid_meanwhile"]
    """Why: it should never have been, the fee is let go, the debt is disputed, or it was paid before the notice came"""


class OwedToPayee(Model):
    """What invoices less credit notes have put on a payee's account, whatever was paid since."""

    currency: str
    """ISO 4217 code"""

    payee: str | None
    """Who is owed, as lines of invoices name them; null for taxes that name nobody"""

    owed: Decimal
    """What invoices less credit notes made of what the payee is owed"""


class PageOfBudgetPlan(Model):
    items: list[BudgetPlan]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfCustomerAgeing(Model):
    items: list[CustomerAgeing]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDeadLetter(Model):
    items: list[DeadLetter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDirectDebitBatch(Model):
    items: list[DirectDebitBatch]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDunningNotice(Model):
    items: list[DunningNotice]
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


class Payee(Model):
    """
    What a payee is owed in a currency. Of the time that is asked for: `owed` is what lines of
    invoices, less those of credit notes, name the payee for, and `settled` what was paid, less what
    was reversed of that; `balance` is `opening` and `owed` less `settled`. Below zero the payee was
    paid in advance, or has something to give back.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    payee: str | None
    """Who is owed, as lines of invoices name them; null for taxes that name nobody"""

    account_code: str
    """The account's code"""

    opening: Decimal
    """The balance at the start"""

    owed: Decimal
    """What invoices less credit notes made of what the payee is owed"""

    settled: Decimal
    """What was paid to the payee, less what was reversed of that"""

    balance: Decimal
    """Debits minus credits"""


class PaymentOfFile(Model):
    """A payment of the file, and what became of it."""

    currency: str
    """ISO 4217 code"""

    entry: int
    """The number of its entry in the file, from 1; of a table, the number of its row."""

    payment_id: UUID
    """The transaction that books it; an unmatched payment is listed under the same id."""

    booked_on: date
    """The day on which the bank booked it."""

    amount: Decimal
    """Amount, rounded, in the currency"""

    payer: str
    """Who paid, as the bank says."""

    reference: str
    """What the payer wrote."""

    state: Literal["matched", "unmatched", "present"] | str
    """
    `matched`: the customer's, whose invoices it names. `unmatched`: booked for nobody until a
    person assigns it. `present`: booked before, by this or another file.
    """

    customer_id: UUID | None
    """Whose it is, where it is matched."""

    invoices: list[InvoiceOfPayment]
    """Matched: the invoices that it names. Unmatched: those that it may be for, at most five."""


class PaymentTerms(Model):
    """
    How many days after its issue an invoice is due that does not say so itself, and how
    customers' credit is used.
    """

    payment_days: int
    """Days after its date until an invoice is due"""

    credit_allocation: Literal["oldest_first", "manual"] | str
    """`oldest_first`: credit pays what is open by itself, the oldest first; `manual`: it waits for `POST /v1/allocations`"""

    credit_deallocation: Literal["newest_first", "oldest_first"] | str
    """What credit has paid is open again in this order, when the payment bounces that the credit came from"""


class PlannedInvoice(Model):
    """
    An invoice or a charge in a plan: what was open of it at the agreement, and what of that is
    still to be paid.
    """

    invoice_id: UUID
    """The invoice"""

    agreed: Decimal
    """What was open of it at the agreement"""

    open: Decimal
    """What of it is still open"""


class Posting(Model):
    """One side of a transaction: above zero a debit, below zero a credit."""

    line: int
    """Position among the lines, from 0"""

    account_id: UUID
    """The account"""

    account_code: str
    """The account's code"""

    amount: Decimal
    """Amount, rounded, in the currency"""


class PreviewedNotice(Model):
    """A notice that a customer would get; all amounts are in `currency`."""

    currency: str
    """ISO 4217 code"""

    customer_id: UUID
    """The customer"""

    level: int
    """The highest level of its invoices"""

    name: str
    """What the rules call that level"""

    items: list[DunnedInvoice]
    """What reaches a level with it, the oldest due first"""

    others: Decimal
    """What else is overdue: at its level still, or a fee of before"""

    credit: Decimal
    """What the customer has as credit"""

    fee: Decimal
    """What the notice costs"""

    total: Decimal
    """What is to be paid: invoices, others and fee, less the credit"""

    pay_by: date
    """The last day to pay it, in UTC"""


class ProblemError(Model):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""

    pointer: str | None = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""

    parameter: str | None = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class Property(Model):
    """A property; `customer_id` is the customer whose site it is, null for nobody."""

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

    address: str
    """Postal address, for people"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    region_id: UUID | None
    """The region"""

    connected_kw: Decimal | None
    """Connected (sanctioned) load, in kW"""

    parent_id: UUID | None
    """The node above in the tree"""

    customer_id: UUID | None
    """The customer"""


class PropertyChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """Name, for people"""

    address: str | None = None
    """Postal address, for people"""

    zone: str | None = None
    """IANA time zone, which local days and hours are told in"""

    region_id: UUID | None = None
    """The region"""

    connected_kw: Decimal | None = None
    """Connected (sanctioned) load, in kW"""

    parent_id: UUID | None = None
    """The node above in the tree"""

    customer_id: UUID | None = None
    """The customer"""


class PropertyConsumption(Model):
    """What each meter of a property counted in a time."""

    property_id: UUID
    """The property"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    from_at: AwareDatetime
    """Start, included, UTC"""

    to_at: AwareDatetime
    """End, not included, UTC"""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    items: list[Consumption]
    """The page's items"""


class PropertyReplacement(Model):
    """Everything about a property that can change: what is left out is empty."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """Name, for people"""

    address: str = ""
    """Postal address, for people"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    region_id: UUID | None = None
    """The region"""

    connected_kw: Decimal | None = None
    """Connected (sanctioned) load, in kW"""

    parent_id: UUID | None = None
    """The node above in the tree"""

    customer_id: UUID | None = None
    """The customer"""


class Reading(Model):
    """
    A reading as it counts, or as one of its entries had it. `created_at` is when this entry was
    recorded; `version` counts the reading's entries, and `supersedes_id` is the entry before.
    """

    id: UUID
    """The resource's id (UUID)"""

    meter_id: UUID
    """The meter"""

    property_id: UUID
    """The property"""

    flow: Literal["import", "export", "load", "generation"] | str
    """What is measured: `import`, `export`, `load` or `generation`"""

    kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | str
    """Which kind of thing this is"""

    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    unit: Literal["kWh"] = "kWh"
    """The unit"""

    digits: int
    """Digits before the decimal point that the register has"""

    decimals: int
    """Number of decimals"""

    multiplier: Decimal
    """Factor of the current and voltage transformers"""

    rollover_kwh: Decimal | None
    """The total in kWh, before the multiplier, at which the register begins again at zero; null where that is after its last digit"""

    quality: Literal["actual", "estimated", "substituted"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str
    """A note for people"""

    read_at: AwareDatetime
    """When the register was read, UTC"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    version: int
    """Number of this entry of the reading, from 1"""

    entry_id: UUID
    """This entry of the reading's history"""

    supersedes_id: UUID | None
    """The entry that this one takes the place of"""

    exchange_id: UUID | None
    """The meter exchange that it belongs to"""


class ReadingOfMeter(Model):
    """
    A reading of a meter. One of a derived meter is `computed` from those of its inputs, in kWh
    after their multipliers: it has no id, register, version or history, which are null.
    """

    id: UUID | None
    """The resource's id (UUID)"""

    meter_id: UUID
    """The meter"""

    property_id: UUID
    """The property"""

    flow: Literal["import", "export", "load", "generation"] | str | None
    """What is measured: `import`, `export`, `load` or `generation`"""

    kind: (
        Literal["reading", "exchange_final", "exchange_initial", "withdrawn"]
        | str
        | Literal["computed"]
    )
    """Which kind of thing this is"""

    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    unit: Literal["kWh"] = "kWh"
    """The unit"""

    digits: int | None
    """Digits before the decimal point that the register has"""

    decimals: int | None
    """Number of decimals"""

    multiplier: Decimal | None
    """Factor of the current and voltage transformers"""

    rollover_kwh: Decimal | None
    """The total in kWh, before the multiplier, at which the register begins again at zero; null where that is after its last digit"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str
    """A note for people"""

    read_at: AwareDatetime
    """When the register was read, UTC"""

    created_at: AwareDatetime | None
    """When it was recorded, UTC"""

    version: int | None
    """Number of this entry of the reading, from 1"""

    entry_id: UUID | None
    """This entry of the reading's history"""

    supersedes_id: UUID | None
    """The entry that this one takes the place of"""

    exchange_id: UUID | None
    """The meter exchange that it belongs to"""


class ReadingReplacement(Model):
    """What a reading should have been; it replaces all that was entered."""

    model_config = ConfigDict(
        extra="forbid",
    )
    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    read_at: AwareDatetime
    """When the register was read, UTC"""

    quality: Literal["actual", "estimated", "substituted"] = "actual"
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str = ""
    """A note for people"""


class ReadingWarning(Model):
    """
    Something doubtful about a reading that was accepted: it was taken before the register's last
    one (`earlier_than_last`), is lower than the one taken just before it (`lower_than_last`), or
    higher than the one taken just after it (`higher_than_next`).
    """

    code: Literal["earlier_than_last", "lower_than_last", "higher_than_next"] | str
    """Short name for programs, unique among its kind"""

    detail: str
    """The reason, for people"""


class Reconciliation(Model):
    """
    One currency's books, counted in every way that must agree: `difference_max` is the widest
    gap between documents, postings, accounts, items and allocations, and is zero. `receivable` is
    what invoices and credit notes have put on customers' accounts, whatever was paid since.
    """

    currency: str
    """ISO 4217 code"""

    invoices: int
    """The invoices, or how many there are"""

    invoices_total: Decimal
    """Total of invoices"""

    credit_notes: int
    """Number of credit notes"""

    credit_notes_total: Decimal
    """Total of credit notes"""

    receivable: Decimal
    """What customers owe"""

    opened: Decimal
    """Total of items opened"""

    charged: Decimal
    """Total of charges"""

    allocated: Decimal
    """What of it is paid or credited"""

    invoiced_total: Decimal
    """What invoices less credit notes come to"""

    unmatched: Decimal
    """Payments that are unmatched"""

    postings_sum: Decimal
    """Sum of postings"""

    account_difference_max: Decimal
    """The largest difference between an account and its postings"""

    item_difference_max: Decimal
    """The largest difference between an item and its allocations"""

    difference_max: Decimal
    """The largest difference"""

    booked_by_kind: int
    """How many documents were posted before payees had accounts; what payees get of them is revenue"""

    opening_balances: Decimal
    """What accounts were taken over with, from transactions that were not reversed"""

    budget_left: Decimal
    """What stands on accounts of budget plans that were settled, which is nothing"""

    opening_account: Decimal
    """What stands on the account of opening balances, from postings; credit is below zero"""


class Reconciliations(Model):
    """
    Each currency's reconciliation; `ok` where all are without difference. What `payees` came to
    be owed is to be set against the lines of billing's invoices, as `gridtally verify` does.
    """

    ok: bool
    """Whether everything agrees"""

    currencies: list[Reconciliation]
    """The figures, by currency"""

    payees: list[OwedToPayee]
    """What payees are owed by invoices less credit notes, whatever was paid of it"""


class Register(Model):
    """
    A cumulative total in kWh that a meter shows for a flow: digits before and decimals after
    the point, and the multiplier of its current and voltage transformers.

    It begins again at zero after its last digit, unless `rollover_kwh` says at which total: one
    step more than the highest that it shows, before the multiplier. A counter of 23 bits with steps
    of 0.0001 kWh shows up to 838.8607 and begins again at 838.8608. Digits and decimals that are
    left out follow from it then, and must not contradict it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    flow: Literal["import", "export", "load", "generation"]
    """What is measured: `import`, `export`, `load` or `generation`"""

    digits: int = 9
    """Digits before the decimal point that the register has"""

    decimals: int = 3
    """Number of decimals"""

    multiplier: Decimal = Decimal("1")
    """Factor of the current and voltage transformers"""

    rollover_kwh: Decimal | None = None
    """The total in kWh, before the multiplier, at which the register begins again at zero; null where that is after its last digit"""


class RequestedAllocation(Model):
    """So much for one invoice."""

    model_config = ConfigDict(
        extra="forbid",
    )
    invoice_id: UUID
    """The invoice"""

    amount: Decimal
    """Above zero; a decimal string"""


class ReturnOfFile(Model):
    """A direct debit that the bank took back, and what became of its payment."""

    entry: int
    """The number of its entry in the file, from 1."""

    debit_id: UUID
    """The debit."""

    booked_on: date
    """The day on which the bank took the money back."""

    reason: str
    """The bank's code for why."""

    state: Literal["returned", "present", "unknown"] | str
    """
    `returned`: its payment was reversed. `present`: it had been before. `unknown`: no debit is
    called so, or its invoice was paid by what no file calls the debit's: nothing is reversed.
    """

    customer_id: UUID | None
    """Whose debit it was; null where there is none that is called so."""

    invoice_id: UUID | None
    """The invoice that is open again; null where the debit is unknown."""


class RunTotals(Model):
    """What a run has issued in a currency, without what was withdrawn since."""

    currency: str
    """ISO 4217 code"""

    notices: int
    """How many notices"""

    fees: Decimal
    """Their fees"""


class Seal(Model):
    """Where an entry stands in the chain."""

    seq: int
    """The entry's number in the chain, from 1"""

    kind: (
        Literal[
            "transaction",
            "booking",
            "reading",
            "definition",
            "meter_end",
            "void_note",
            "property_end",
            "erasure",
            "property",
            "meter",
        ]
        | str
    )
    """Which kind of thing this is"""

    entry_id: UUID
    """This entry of the reading's history"""

    leaf: str
    """The entry's leaf hash, in hexadecimal"""

    head: str
    """The chain's newest hash, in hexadecimal"""


class SealedCheckpoint(Model):
    """
    What to store elsewhere: the chain's hash and the Merkle tree after `size` entries, hashes in
    hexadecimal. `frontier` are the tree's peaks, the widest first; they hash to `root`.
    """

    tenant: str
    """The tenant that it belongs to"""

    size: int
    """Number of entries"""

    head: str
    """The chain's newest hash, in hexadecimal"""

    root: str
    """The Merkle tree's root, in hexadecimal"""

    frontier: list[str]
    """The Merkle tree's frontier, hashes in hexadecimal"""


class SeriesRow(Model):
    """A piece of a series: what was counted in it, and what the meter shows at its end."""

    start_at: AwareDatetime
    """Start, included, UTC"""

    end_at: AwareDatetime
    """End, not included, UTC"""

    kwh: Decimal | None
    """Energy, in kWh"""

    value: Decimal | None
    """What the meter shows at the end of the piece, in kWh"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    complete: bool
    """Whether no value is missing"""


class StatementEntry(Model):
    """What a transaction changed of what is owed on balance, and what was owed after it."""

    transaction_id: UUID
    """The transaction"""

    kind: str
    """Which kind of thing this is"""

    reference: str
    """The caller's reference, for people"""

    memo: str
    """A note for people"""

    occurred_at: AwareDatetime
    """When it happened in the business, UTC"""

    recorded_at: AwareDatetime
    """When it was recorded, UTC"""

    amount: Decimal
    """Amount, rounded, in the currency"""

    balance: Decimal
    """Debits minus credits"""


class Status(Model):
    """
    How many entries there are of each kind (of properties and meters, one per version), and how
    many of all are sealed; `whole` where every entry is either sealed or waits for its seal, and
    the registry has nothing that no entry records. What waits can still be changed without a trace:
    `unsealed_since` is when the oldest of it came, `in_time` where that was not over a minute ago.
    """

    whole: bool
    """Whether nothing is missing"""

    transactions: int
    """Number of transactions"""

    readings: int
    """The readings"""

    definitions: int
    """Number of definitions"""

    meter_ends: int
    """Number of ended meters"""

    void_notes: int
    """Number of notes on voided invoices"""

    properties: int
    """Number of properties"""

    property_ends: int
    """Number of ended properties"""

    meters: int
    """The meters"""

    erasures: int
    """Entries whose texts were erased"""

    sealed: int
    """Number of sealed entries"""

    unsealed: int
    """Number of entries that wait for their seal"""

    unsealed_since: AwareDatetime | None
    """Since when the oldest of them waits, UTC"""

    in_time: bool
    """Whether what is not sealed yet came just now"""


class StoredCheckpoint(Model):
    """A checkpoint that the ledger made as it passed it."""

    tenant: str
    """The tenant that it belongs to"""

    size: int
    """Number of entries"""

    head: str
    """The chain's newest hash, in hexadecimal"""

    root: str
    """The Merkle tree's root, in hexadecimal"""

    frontier: list[str]
    """The Merkle tree's frontier, hashes in hexadecimal"""

    made_at: AwareDatetime
    """When it was made, UTC"""


class TemplateMeter(Model):
    """A meter that a new property gets."""

    meter_type: Literal[
        "gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"
    ]
    """What it is; of `gg`, `sg`, `total` and `unmetered` a property has one at most."""

    name: str
    """What people call it; no other meter of the template has the name."""

    channels: list[Channel] | None = None
    """What it measures in intervals; nothing for a meter that is read by hand, or derived."""


class TenantDefaults(Model):
    """What the tenant's new resources have where nothing else is said; null for nothing."""

    zone: str | None
    """The IANA zone of properties that name none, and of days in lists over many of them."""

    currency: str | None
    """The currency of customers that name none."""

    country: str | None
    """The country of customers' addresses that name none."""

    meters: list[TemplateMeter]
    """The meters of a property that names none."""


class Term(Model):
    """
    A meter in a sum, added (`1`) or subtracted (`-1`); without a `flow`, by its main register:
    the first that it has of import, load, generation and export.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    meter_id: UUID
    """The meter"""

    sign: Literal[1, -1] = 1
    """1 where the meter counts, -1 where it is deducted"""

    flow: Literal["import", "export", "load", "generation"] | None = None
    """What is measured: `import`, `export`, `load` or `generation`"""


class TimedValue(Model):
    """A value and its moment; that of a derived meter is no reading."""

    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    read_at: AwareDatetime
    """When the register was read, UTC"""

    reading_id: UUID | None
    """The reading, whichever of its versions"""


class Transaction(Model):
    """
    A balanced, immutable entry. `reverses_id` is the transaction that a credit note or reversal
    undoes; `correlation_id` is that of the reading whose arrival led here.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    kind: str
    """Which kind of thing this is"""

    document_id: UUID
    """The invoice, credit note or payment that this is about"""

    reference: str
    """The caller's reference, for people"""

    memo: str
    """A note for people"""

    reverses_id: UUID | None
    """The transaction that this one reverses"""

    customer_id: UUID | None
    """Whom it is about; null of settlements, which pay payees, and their reversals"""

    total: Decimal
    """Net and taxes"""

    occurred_at: AwareDatetime
    """When it happened in the business, UTC"""

    recorded_at: AwareDatetime
    """When it was recorded, UTC"""

    correlation_id: str
    """The id that links this to the event or request that caused it"""

    proof_root: str | None
    """The root of an invoice's proof, SHA-256 in hexadecimal; null where it has none"""

    postings: list[Posting]
    """The postings; their amounts add up to zero"""

    allocations: list[Allocation]
    """Which open items it is for"""


class TrialBalanceRow(Model):
    """One account, or those of all customers together by class."""

    account: str
    """The account's code"""

    debits: Decimal
    """Sum of debits"""

    credits: Decimal
    """Sum of credits"""

    balance: Decimal
    """Debits minus credits"""


class UnmatchedPayment(Model):
    """
    Money that came in for `customer_id`, who is not known or does not pay in this currency. It
    stands in suspense, and becomes the customer's once billing says that there is one.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    payment_id: UUID
    """The payment"""

    customer_id: UUID
    """The customer"""

    amount: Decimal
    """Amount, rounded, in the currency"""

    reference: str
    """The caller's reference, for people"""

    method: str
    """How it came about"""

    received_at: AwareDatetime
    """When the money was received, UTC"""

    recorded_at: AwareDatetime
    """When it was recorded, UTC"""


class User(Model):
    """A user."""

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

    email: str
    """E-mail address, unique in the tenant"""

    phone_number: str | None
    """Telephone number"""

    property_id: UUID
    """The property"""

    default_meter_id: UUID | None
    """The meter that the user's readings are of"""


class UserChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """Name, for people"""

    email: str | None = None
    """E-mail address, unique in the tenant"""

    phone_number: str | None = None
    """Telephone number"""

    property_id: UUID | None = None
    """The property"""

    default_meter_id: UUID | None = None
    """The meter that the user's readings are of"""


class UserReplacement(Model):
    """Everything about a user that can change: what is left out is empty."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """Name, for people"""

    email: str
    """E-mail address, unique in the tenant"""

    phone_number: str | None = None
    """Telephone number"""

    property_id: UUID
    """The property"""

    default_meter_id: UUID | None = None
    """The meter that the user's readings are of"""


class Value(Model):
    """
    What a meter shows at a moment, in kWh: its register times the multiplier, or the sum of its
    inputs. Null where an input was not read around that moment; `missing` names those.
    """

    meter_id: UUID
    """The meter"""

    at: AwareDatetime
    """The instant, UTC"""

    value: Decimal | None
    """What it shows, in kWh"""

    quality: Literal["actual", "interpolated", "estimated", "substituted", "missing"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    missing: list[UUID]
    """The meters that were not read around that moment"""


class Account(Model):
    """An account and what it holds: `balance` is debits less credits."""

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    code: str
    """Short name for programs, unique among its kind"""

    account_class: (
        Literal[
            "receivable",
            "prepaid",
            "export_payable",
            "deposit",
            "budget",
            "payable",
            "revenue",
            "tax",
            "cash",
            "rounding",
            "write_off",
            "suspense",
            "opening_balance",
        ]
        | str
    )
    """What an account is for. The values are stored, and begin the codes of customers' accounts."""

    customer_id: UUID | None
    """The customer"""

    debits: Decimal
    """Sum of debits"""

    credits: Decimal
    """Sum of credits"""

    balance: Decimal
    """Debits minus credits"""


class Ageing(Model):
    """Every currency's open invoices by age on the day `on`."""

    on: date
    """Local day"""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    currencies: list[AgeingRow]
    """The figures, by currency"""


class CustomerReadings(Model):
    """The readings as they count now."""

    customer_id: UUID
    """The customer."""

    items: list[Reading]
    """In the order of the request."""


class CustomerRegister(Model):
    """A register that a customer may read."""

    meter_id: UUID
    """The meter."""

    meter_name: str
    """What people call the meter."""

    property_name: str
    """What people call the property where it is."""

    zone: str
    """The zone of its local days."""

    flow: Literal["import", "export", "load", "generation"] | str
    """What the register counts."""

    digits: int
    """The digits before the decimal point."""

    decimals: int
    """The decimals."""

    end_on: date | None
    """The first local day on which it is the customer's no more; null while none is known."""

    last: LastReading | None
    """The last reading of the customer's own time of it; null where there is none."""

    before_last: LastReading | None
    """The one before that: what a second reading of the last one's day is compared with."""


class CustomerRegisters(Model):
    """The registers of the meters that are a customer's today, or were so lately."""

    customer_id: UUID
    """The customer."""

    items: list[CustomerRegister]
    """By property and meter, 200 at most."""


class Definition(Model):
    """
    A version of a definition. Version 0 is what `unmetered` is unless defined otherwise, for
    ever; of two versions from one day the higher one counts. `entry_id` names the others in the
    chain of sealed entries.
    """

    version: int
    """Version of the resource, from 1; its ETag"""

    entry_id: UUID | None
    """This entry of the reading's history"""

    from_on: date | None
    """First local day"""

    terms: list[Term]
    """The meters of the sum, with their signs"""


class DunningRun(Model):
    """A look at all customers of whom something is overdue, as far as it has come."""

    id: UUID
    """The resource's id (UUID)"""

    on: date
    """The day of which it asks what is overdue"""

    state: Literal["running", "finished"] | str
    """Whether it goes on, in the background"""

    started_at: AwareDatetime
    """When it was asked for, UTC"""

    finished_at: AwareDatetime | None
    """When it had looked at all, UTC; null until then"""

    totals: list[RunTotals]
    """What it has issued, by currency"""


class EnteredReading(Model):
    """A reading that was entered, and what is doubtful about it."""

    id: UUID
    """The resource's id (UUID)"""

    meter_id: UUID
    """The meter"""

    property_id: UUID
    """The property"""

    flow: Literal["import", "export", "load", "generation"] | str
    """What is measured: `import`, `export`, `load` or `generation`"""

    kind: Literal["reading", "exchange_final", "exchange_initial", "withdrawn"] | str
    """Which kind of thing this is"""

    value: Decimal
    """The value, in the unit of its kind; of a register, kWh before the multiplier"""

    unit: Literal["kWh"] = "kWh"
    """The unit"""

    digits: int
    """Digits before the decimal point that the register has"""

    decimals: int
    """Number of decimals"""

    multiplier: Decimal
    """Factor of the current and voltage transformers"""

    rollover_kwh: Decimal | None
    """The total in kWh, before the multiplier, at which the register begins again at zero; null where that is after its last digit"""

    quality: Literal["actual", "estimated", "substituted"] | str
    """What the value rests on: actual, estimated, substituted or missing"""

    note: str
    """A note for people"""

    read_at: AwareDatetime
    """When the register was read, UTC"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    version: int
    """Number of this entry of the reading, from 1"""

    entry_id: UUID
    """This entry of the reading's history"""

    supersedes_id: UUID | None
    """The entry that this one takes the place of"""

    exchange_id: UUID | None
    """The meter exchange that it belongs to"""

    warnings: list[ReadingWarning]
    """What looks odd although it was accepted"""


class Exchange(Model):
    """A meter's exchange: its two readings, which count as one."""

    exchange_id: UUID
    """The meter exchange that it belongs to"""

    final: Reading
    initial: Reading


class ItemResult(Model):
    """What became of one reading of a request."""

    index: int
    """Position in the request, from 0"""

    status: Literal["accepted", "unchanged", "refused"] | str
    """What became of it"""

    reading: EnteredReading | None = None
    """The reading"""

    code: str | None = None
    """Why it is refused: a problem code; null where it is not"""

    detail: str | None = None
    """The reason, for people"""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request"""


class ItemResults(Model):
    """
    What became of each reading, in the order of the request; an `unchanged` one existed already
    with the same content.
    """

    accepted: int
    """Number of items accepted"""

    unchanged: int
    """Number of items that existed already"""

    refused: int
    """Number of items refused"""

    items: list[ItemResult]
    """The page's items"""


class Meter(Model):
    """A meter; a derived one is computed from others and never read."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """The resource's id (UUID)"""

    property_id: UUID
    """The property"""

    meter_type: (
        Literal["gg", "sg", "total", "unmetered", "main", "sub", "solar", "device", "derived"] | str
    )
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    is_derived: bool
    """Whether it is computed from others and never read"""

    channels: list[Channel]
    """The flows that the meter measures in intervals"""

    registers: list[Register]
    """The cumulative totals that the meter shows"""


class MeterChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """Name, for people"""

    channels: list[Channel] | None = None
    """The flows that the meter measures in intervals"""

    registers: list[Register] | None = None
    """The cumulative totals that the meter shows"""


class MeterReplacement(Model):
    """Everything about a meter that can change: what is left out is empty."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """Name, for people"""

    channels: list[Channel] | None = None
    """The flows that the meter measures in intervals"""

    registers: list[Register] | None = None
    """The cumulative totals that the meter shows"""


class Meters(Model):
    """Meters as they were added, in the order requested."""

    items: list[Meter]
    """The page's items"""


class NewAdjustment(Model):
    """Above zero, a charge that the customer is to pay; below, a credit, spent as a payment is."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal
    """Above zero a charge, below zero a credit; a decimal string"""

    reason: str
    """Why, for programs"""

    due_on: date | None = None
    """Of a charge; its own day if left out"""

    allocations: list[RequestedAllocation] | None = None
    """Which open items it is for"""


class NewAllocation(Model):
    """
    Spend the customer's credit, what exported energy has earned, or the deposit, on the invoices
    named or else on the oldest due. Without `amount`: as much as is named, or as there is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal | None = None
    """Amount, rounded, in the currency"""

    source: Literal["prepaid", "export_payable", "deposit"] = "prepaid"
    """Where it comes from, for people"""

    allocations: list[RequestedAllocation] | None = None
    """Which open items it is for"""


class NewAssignment(Model):
    """
    Whose payment it is. Without `allocations` it pays the oldest due invoices first; with them,
    what they name; the rest is the customer's credit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    allocations: list[RequestedAllocation] | None = None
    """Which open items it is for"""


class NewDefinition(Model):
    """What a derived meter is the sum of, from a local day of its property on."""

    model_config = ConfigDict(
        extra="forbid",
    )
    from_on: date
    """First local day"""

    terms: list[Term]
    """The meters of the sum, with their signs"""


class NewExchange(Model):
    """
    A meter is replaced: the last value of the old one and the first of the new one, read at
    one moment.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    final_value: Decimal
    """What the old register showed last, in kWh before its multiplier"""

    initial_value: Decimal
    """What the new register showed first, in kWh before its multiplier"""

    read_at: AwareDatetime | None = None
    """When the register was read, UTC"""

    flow: Literal["import", "export", "load", "generation"] | None = None
    """What is measured: `import`, `export`, `load` or `generation`"""

    register_: Annotated[NewRegister | None, Field(alias="register")] = None
    note: str = ""
    """A note for people"""


class NewMeter(Model):
    """
    A meter to add to a property, besides its own four. Without `registers` it has one for each
    of its channels of active energy; without channels one, for generation where it is solar, else
    for import.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    meter_type: Literal["main", "sub", "solar", "device", "derived"]
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    channels: list[Channel] | None = None
    """The flows that the meter measures in intervals"""

    registers: list[Register] | None = None
    """The cumulative totals that the meter shows"""


class NewMeterOfProperty(Model):
    """A meter to add, and the property that it is added to."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    meter_type: Literal["main", "sub", "solar", "device", "derived"]
    """What the meter is for at its property"""

    name: str
    """Name, for people"""

    channels: list[Channel] | None = None
    """The flows that the meter measures in intervals"""

    registers: list[Register] | None = None
    """The cumulative totals that the meter shows"""

    property_id: UUID
    """The property"""


class NewMeters(Model):
    """Meters to add together, all or nothing."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewMeterOfProperty]
    """The page's items"""


class NewPayment(Model):
    """
    Money that came in. Without `allocations` it pays the oldest due invoices first; with them,
    what they name; with an empty list, nothing. The rest is the customer's credit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal
    """Above zero; a decimal string"""

    method: str = ""
    """How it came about"""

    allocations: list[RequestedAllocation] | None = None
    """Which open items it is for"""


class NewPayments(Model):
    """
    Payments to post together. With `all_or_nothing` one that is refused refuses all; with
    `item_by_item` the others are posted.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewPayment]
    """The page's items"""

    mode: Literal["all_or_nothing", "item_by_item"] = "all_or_nothing"
    """What happens where some items are refused"""


class NewProperty(Model):
    """
    A property to register. `customer_id` says whose site it is, which decides what a customer's
    fleet costs. Its zone and meters are the tenant's defaults, where these are left out; `channels`
    says what its own meters measure, by type, in place of that. Without any of it `total` has one
    channel, import in 15 minutes, and the others have none.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    name: str
    """Name, for people"""

    address: str = ""
    """Postal address, for people"""

    zone: str | None = None
    """Its IANA zone; the tenant's default where it is left out"""

    region_id: UUID | None = None
    """The region"""

    connected_kw: Decimal | None = None
    """Connected (sanctioned) load, in kW"""

    parent_id: UUID | None = None
    """The node above in the tree"""

    customer_id: UUID | None = None
    """The customer"""

    meters: list[TemplateMeter] | None = None
    """Its meters; those of the tenant's defaults where they are left out"""

    channels: dict[Literal["gg", "sg", "total", "unmetered"], list[Channel]] | None = None
    """The flows that the meter measures in intervals"""


class NewTenantDefaults(Model):
    """What new resources are to have; what is left out is none."""

    model_config = ConfigDict(
        extra="forbid",
    )
    zone: str | None = None
    """The IANA zone of properties that name none, and of days in lists over many of them."""

    currency: str | None = None
    """The currency of customers that name none, as ISO 4217 writes it."""

    country: str | None = None
    """The country of customers' addresses that name none, as ISO 3166 writes it in two letters."""

    meters: list[TemplateMeter] | None = None
    """The meters of a property that names none; null for `gg`, `sg`, `total` and `unmetered`."""


class NewWriteOff(Model):
    """What is given up, of the invoices named or else of the oldest due."""

    model_config = ConfigDict(
        extra="forbid",
    )
    id: UUID | None = None
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    currency: str
    """ISO 4217 code"""

    reference: str = ""
    """The caller's reference, for people"""

    occurred_at: AwareDatetime | None = None
    """The date of value; now where it is left out"""

    amount: Decimal
    """Above zero; a decimal string"""

    reason: str
    """Why, for programs"""

    allocations: list[RequestedAllocation] | None = None
    """Which open items it is for"""


class OpeningBalances(Model):
    """The transactions that book them, in the order requested."""

    items: list[Transaction]
    """The page's items"""


class PageOfAccount(Model):
    items: list[Account]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDunningRun(Model):
    items: list[DunningRun]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfMeter(Model):
    items: list[Meter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPayee(Model):
    items: list[Payee]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfPreviewedNotice(Model):
    items: list[PreviewedNotice]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfProperty(Model):
    items: list[Property]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfReadingOfMeter(Model):
    items: list[ReadingOfMeter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfReading(Model):
    items: list[Reading]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfStoredCheckpoint(Model):
    items: list[StoredCheckpoint]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfTransaction(Model):
    items: list[Transaction]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfUnmatchedPayment(Model):
    items: list[UnmatchedPayment]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfUser(Model):
    items: list[User]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PayeeStatement(Model):
    """
    What a payee was owed at `opening`, and each invoice, credit note, settlement and reversal
    that changed it, with what was owed after it.
    """

    currency: str
    """ISO 4217 code"""

    id: UUID
    """The resource's id (UUID)"""

    payee: str | None
    """Who is owed, as lines of invoices name them; null for taxes that name nobody"""

    account_code: str
    """The account's code"""

    opening: Decimal
    """The balance at the start"""

    owed: Decimal
    """What invoices less credit notes made of what the payee is owed"""

    settled: Decimal
    """What was paid to the payee, less what was reversed of that"""

    balance: Decimal
    """Debits minus credits"""

    from_at: AwareDatetime | None
    """Start, included, UTC"""

    to_at: AwareDatetime | None
    """End, not included, UTC"""

    entries: list[StatementEntry]
    """The entries, in order"""


class PaymentFileResult(Model):
    """What became of a file of payments."""

    matched: int
    """How many payments became customers', by an invoice's number."""

    unmatched: int
    """How many payments were booked for nobody; `GET /v1/unmatched-payments` lists them."""

    present: int
    """How many payments had been booked before."""

    passed_over: int
    """How many entries are no money that came in: debits, bookings not yet final, reversals."""

    returned: int
    """How many direct debits came back, so that their payments were reversed now."""

    payments: list[PaymentOfFile]
    """Every payment, in the order of the file."""

    returns: list[ReturnOfFile]
    """Every direct debit that came back, in the order of the file."""


class PaymentPlan(Model):
    """
    A debt in instalments, and how far it is paid. An instalment is paid as far as what is no
    longer open of the invoices reaches, in order. `kept`: nothing is late; `late`: something is, by
    no more than `grace_days`; `broken`: by more, so that the invoices are due as they were.
    """

    currency: str
    """ISO 4217 code"""

    total: Decimal
    """What is to be paid: what was agreed, less what was credited or written off since"""

    items: list[PlannedInvoice]
    """The page's items"""

    instalments: list[Instalment]
    """By their due days"""

    id: UUID
    """The resource's id (UUID)"""

    customer_id: UUID
    """The customer"""

    state: Literal["kept", "late", "broken", "fulfilled", "cancelled"] | str
    """The state"""

    paid: Decimal
    """What was paid since the agreement"""

    open: Decimal
    """What of it is still open"""

    late: Decimal
    """What was due before the day and is not paid"""

    grace_days: int
    """How many days an instalment may be late without breaking the plan"""

    agreed_at: AwareDatetime
    """When it was agreed, UTC"""

    cancelled_at: AwareDatetime | None
    """Since when it no longer counts, UTC; null while it does"""

    cancel_reason: Literal["broken", "replaced", "withdrawn", "mistake"] | str | None
    """Why it was cancelled; null while it counts"""


class PaymentResult(Model):
    """
    What became of one payment of a request. `id` is the payment's, `transaction_id` that of
    the transaction which posts it.
    """

    currency: str
    """ISO 4217 code"""

    index: int
    """Position in the request, from 0"""

    status: Literal["accepted", "unchanged", "refused"] | str
    """What became of it; `unchanged` was posted before"""

    id: UUID | None
    """Null where a refused item has none"""

    transaction_id: UUID | None = None
    """The transaction"""

    allocated: Decimal | None = None
    """Off open items; null where nothing was posted now"""

    unallocated: Decimal | None = None
    """The rest: credit, or in suspense where nobody knows the customer"""

    unmatched: bool = False
    """Whether it stands in suspense, and is to be assigned"""

    code: str | None = None
    """Why it is refused: a problem code; null where it is not"""

    detail: str | None = None
    """The reason, for people"""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request"""


class PaymentResults(Model):
    """
    What became of each payment, in the order of the request; an `unchanged` one was posted
    before with the same content.
    """

    accepted: int
    """Number of items accepted"""

    unchanged: int
    """Number of items that existed already"""

    refused: int
    """Number of items refused"""

    items: list[PaymentResult]
    """The page's items"""


class PlannedInstalments(Model):
    """What would be agreed."""

    currency: str
    """ISO 4217 code"""

    total: Decimal
    """What is open of the invoices"""

    items: list[PlannedInvoice]
    """The page's items"""

    instalments: list[Instalment]
    """By their due days"""


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


class Proof(Model):
    """
    That an entry is among the first `size`: from the hash of `record` the `path` leads to the
    root of `checkpoint` (RFC 6962, section 2.1.1).
    """

    record: dict[str, Any]
    """The sealed record"""

    size: int
    """Number of entries"""

    path: list[str]
    """The hashes that lead from the entry to the root, in hexadecimal"""

    checkpoint: SealedCheckpoint


class PropertyWithMeters(Model):
    """A property and all its meters."""

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

    address: str
    """Postal address, for people"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    region_id: UUID | None
    """The region"""

    connected_kw: Decimal | None
    """Connected (sanctioned) load, in kW"""

    parent_id: UUID | None
    """The node above in the tree"""

    customer_id: UUID | None
    """The customer"""

    meters: list[Meter]
    """The meters"""


class Series(Model):
    """A meter through a time, piece by piece."""

    meter_id: UUID
    """The meter"""

    by: Literal["15min", "hour", "day", "month"] | str
    """The steps that the window is divided into"""

    zone: str
    """IANA time zone, which local days and hours are told in"""

    items: list[SeriesRow]
    """The page's items"""


class Statement(Model):
    """
    What a customer owed on balance at `from_at`, every change before `to_at`, and what was owed
    then. Above zero the customer owes; below, the customer has credit. Money that only moves from
    the customer's credit to an invoice changes nothing on balance and is not listed.
    """

    currency: str
    """ISO 4217 code"""

    customer_id: UUID
    """The customer"""

    from_at: AwareDatetime
    """Start, included, UTC"""

    to_at: AwareDatetime
    """End, not included, UTC"""

    opening: Decimal
    """The balance at the start"""

    entries: list[StatementEntry]
    """The entries, in order"""

    closing: Decimal
    """When a period is billed: complete, or what is there after the grace time"""


class Statistics(Model):
    """
    The readings of a meter's register in a time: values as read, before the multiplier. `mean`
    has six decimals, rounded half to even.
    """

    meter_id: UUID
    """The meter"""

    flow: Literal["import", "export", "load", "generation"] | str | None
    """What is measured: `import`, `export`, `load` or `generation`"""

    count: int
    """Number of them"""

    min: Decimal | None
    """The lowest"""

    max: Decimal | None
    """The highest"""

    mean: Decimal | None
    """The mean"""

    first: TimedValue | None
    """The first of them"""

    last: TimedValue | None
    """The last of them"""


class TrialBalance(Model):
    """The books of one currency; `difference`, debits less credits, is zero."""

    currency: str
    """ISO 4217 code"""

    rows: list[TrialBalanceRow]
    """The rows"""

    debits: Decimal
    """Sum of debits"""

    credits: Decimal
    """Sum of credits"""

    difference: Decimal
    """The difference"""


class TrialBalances(Model):
    """Each currency's books, now or from what occurred (or was booked) up to and at `as_of`."""

    as_of: AwareDatetime | None
    """As it was known at this instant, UTC; null for now"""

    currencies: list[TrialBalance]
    """The figures, by currency"""


class NewProperties(Model):
    """Properties to register together, all or nothing."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[NewProperty]
    """The page's items"""


class PageOfPaymentPlan(Model):
    items: list[PaymentPlan]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class Properties(Model):
    """Properties as they were registered, in the order requested."""

    items: list[PropertyWithMeters]
    """The page's items"""
