"""Events of customers' accounts: payments as they come in and as they are posted, and balances.

Money is a decimal string with its currency beside it. What a customer owes is above zero.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from gridtally.contracts.model import (
    READ_EXACTLY,
    SHOWN_AS_DECIMAL,
    WRITTEN_PLAINLY,
    Amount,
    ContractModel,
    Count,
    Currency,
    Day,
    Event,
    Instant,
    Integer,
)

ALLOCATIONS_MAX = 1_000
"""The most invoices that one payment is allocated to."""
CURRENCIES_MAX = 200
"""The most currencies of one customer in one event: there are not so many."""
PLAN_ITEMS_MAX = 100
"""The most invoices and charges of one payment plan."""
INSTALMENTS_MAX = 120
"""The most instalments of one payment plan."""

Reference = Annotated[str, Field(max_length=200)]
Paid = Annotated[
    Decimal,
    Field(gt=0, lt=10**18, allow_inf_nan=False, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
    SHOWN_AS_DECIMAL,
]


class PaymentAllocation(ContractModel):
    """So much of a payment for one invoice."""

    invoice_id: UUID
    """The invoice that is paid."""
    amount: Paid
    """How much of the payment it takes, in the currency of the payment."""


class PaymentReceived(Event):
    """Money that came in from outside, as reported by a bank or a cash desk.

    It is posted whatever it names: what an invoice does not take becomes the customer's credit, and
    what comes for a customer or in a currency that nobody has stands in suspense.
    Without `allocations` it pays the invoices that have been due longest. The same `payment_id`
    again is the same payment.
    """

    TOPIC: ClassVar[str] = "payment.received.v1"
    KEY: ClassVar[str] = "customer_id"

    payment_id: UUID
    """The payment, by the id that its sender gave it."""
    customer_id: UUID
    """The customer who paid."""
    currency: Currency
    """The currency of all amounts."""
    amount: Paid
    """The money received, in `currency`."""
    received_at: Instant
    """When it was received, in UTC."""
    reference: Reference = ""
    """What the payer wrote, for people."""
    method: Annotated[str, Field(max_length=40)] = ""
    """How it was paid, for people: a transfer, cash."""
    allocations: Annotated[list[PaymentAllocation], Field(max_length=ALLOCATIONS_MAX)] | None = None
    """The invoices that it is meant for; null for those that have been due longest."""


class PaymentRecorded(Event):
    """A payment was posted, or was reversed by a transaction of its own.

    `allocations` are what it paid when it was posted, `prepaid` what became credit; of a reversal,
    both are what is deallocated and withdrawn. For a customer who is not known both are nothing: it
    stands in suspense, and is sent again with what it paid once it is assigned to a customer.
    """

    TOPIC: ClassVar[str] = "payment.recorded.v1"
    KEY: ClassVar[str] = "customer_id"

    payment_id: UUID
    """The payment."""
    transaction_id: UUID
    """The transaction that posted it, or that reversed it."""
    status: Literal["recorded", "reversed"] = "recorded"
    """Whether it was posted or reversed."""
    customer_id: UUID
    """The customer who paid."""
    currency: Currency
    """The currency of all amounts."""
    amount: Amount
    """The whole payment, in `currency`."""
    reference: Reference
    """What the payer wrote, for people."""
    method: Annotated[str, Field(max_length=500)]
    """How it was paid, for people."""
    received_at: Instant
    """When it was received, in UTC."""
    allocations: Annotated[list[PaymentAllocation], Field(max_length=ALLOCATIONS_MAX)]
    """What it paid of which invoices, in `currency`."""
    prepaid: Amount
    """What of it became the customer's credit, in `currency`."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The SHA-256 of what was asked for when the transaction was posted, in hexadecimal; null in
    messages of before it was published."""
    reason: Annotated[str, Field(max_length=500)] | None = None
    """Why the payment was reversed, for people; null for one that was posted."""


TransactionKind = Literal[
    "refund", "write_off", "charge", "credit", "allocation", "assignment", "return", "reversal",
    "deposit", "opening_charge", "opening_credit", "dunning_fee", "instalment", "deferral",
    "budget_charge", "budget_credit", "merge",
]  # fmt: skip


class TransactionRecorded(Event):
    """Something was posted on a customer's account that is neither a document of billing nor a
    payment: a refund, a write-off, a charge or a credit by hand, credit that pays items, a payment
    out of suspense that is assigned or paid back, a deposit, what an account was taken over with,
    the fee of a dunning notice, what a budget plan asks for, defers and settles, what moves from a
    duplicate to the customer who is the same, or the reversal of one of these.
    """

    TOPIC: ClassVar[str] = "transaction.recorded.v1"
    KEY: ClassVar[str] = "customer_id"

    transaction_id: UUID
    """The transaction."""
    document_id: UUID
    """The id that it was asked for under, or that follows from what caused it."""
    kind: TransactionKind
    """What was posted."""
    customer_id: UUID
    """On whose account."""
    currency: Currency
    """The currency of all amounts."""
    amount: Paid
    """How much, in `currency`, whichever way it goes; of a merge all that moved, either way."""
    reference: Reference
    """What people call it."""
    memo: Annotated[str, Field(max_length=500)]
    """The reason or method, for people."""
    occurred_at: Instant
    """The date of value, in UTC."""
    allocations: Annotated[list[PaymentAllocation], Field(max_length=ALLOCATIONS_MAX)]
    """What it pays or gives up of which invoices and charges, in `currency`; of a reversal
    nothing."""
    source: Literal["prepaid", "export_payable", "deposit"] = "prepaid"
    """Which credit a refund or an allocation spends; out of a deposit it returns it or sets it
    off."""
    due_on: Day | None = None
    """When a charge, an opening charge, a fee or an instalment is due."""
    plan_id: UUID | None = None
    """The budget plan of an instalment, a deferral or a settlement; null of all else."""
    payment_id: UUID | None = None
    """The payment out of suspense that is assigned or paid back."""
    reverses_id: UUID | None = None
    """The transaction that is reversed."""
    merged_id: UUID | None = None
    """Of a merge, the duplicate from whose accounts it moved; null of all else."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The SHA-256 of what was asked for, in hexadecimal."""


class SettlementRecorded(Event):
    """Money that was paid to a payee, whom lines of invoices name, is in the books, or its reversal
    is: a grid or market operator, a municipality, the tax authority.
    """

    TOPIC: ClassVar[str] = "settlement.recorded.v1"
    KEY: ClassVar[str] = "payee_id"

    transaction_id: UUID
    """The transaction that posted it, or that reversed it."""
    settlement_id: UUID
    """The id that it was asked for under; of a reversal the one that follows from the original."""
    payee_id: UUID
    """The payee: the account of what the payee is owed."""
    payee: Annotated[str, Field(max_length=100)] | None
    """Who was paid, as lines name them; null for the tax authority, of taxes that name nobody."""
    currency: Currency
    """The currency of `amount`."""
    amount: Paid
    """How much was paid, in `currency`; of a reversal how much of that is owed again."""
    reference: Reference
    """What people call it."""
    memo: Annotated[str, Field(max_length=500)]
    """The reason or method, for people."""
    occurred_at: Instant
    """The date of value, in UTC."""
    reverses_id: UUID | None = None
    """The transaction that is reversed; null for a settlement."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The SHA-256 of what was asked for, in hexadecimal."""


class PlannedItem(ContractModel):
    """An invoice or a charge in a payment plan, as it was at the agreement."""

    invoice_id: UUID
    """The invoice or charge."""
    agreed: Paid
    """What was open of it then, in the plan's currency."""
    reduced: Amount
    """What had been credited, written off or cancelled of it by then, in the plan's currency."""


class PlanInstalment(ContractModel):
    """An instalment of a payment plan."""

    due_on: Day
    """The last day to pay it, in UTC."""
    amount: Paid
    """How much was agreed, in the plan's currency."""


class PaymentPlanChanged(Event):
    """A payment plan as it was agreed, or cancelled since: what a customer owes for some invoices,
    in instalments. What is paid of it follows from what is open of these invoices.
    """

    TOPIC: ClassVar[str] = "payment_plan.changed.v1"
    KEY: ClassVar[str] = "plan_id"

    plan_id: UUID
    """The plan."""
    customer_id: UUID
    """Who pays."""
    currency: Currency
    """The currency of all amounts."""
    items: Annotated[list[PlannedItem], Field(min_length=1, max_length=PLAN_ITEMS_MAX)]
    """What the plan is about."""
    instalments: Annotated[list[PlanInstalment], Field(min_length=1, max_length=INSTALMENTS_MAX)]
    """What is to be paid when, by the day; together what the items had open."""
    grace_days: Annotated[int, Field(ge=0, le=365)]
    """How many days an instalment may be late without breaking the plan."""
    agreed_at: Instant
    """When it was agreed, in UTC."""
    cancelled_at: Instant | None = None
    """Since when it no longer counts, in UTC; null while it does."""
    cancel_reason: Literal["broken", "replaced", "withdrawn", "mistake"] | None = None
    """Why it was cancelled; null for one that was not."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class CurrencyBalance(ContractModel):
    """A customer's account in one currency: `balance` = receivable − prepaid − export_payable.

    `arrears` is what of the receivable was due before the day of `as_of` (UTC). What is in a
    payment plan is due as its instalments are, unless the plan is broken.
    """

    currency: Currency
    """The currency of all amounts."""
    balance: Amount
    """What the customer owes in all, in `currency`; below zero for a credit."""
    receivable: Amount
    """What is open of invoices and charges, in `currency`."""
    arrears: Amount
    """What of the receivable is overdue, in `currency`."""
    prepaid: Amount
    """The customer's credit, in `currency`."""
    export_payable: Amount
    """What is open of invoices below zero, which pay for exported energy, in `currency`."""
    invoiced_total: Amount | None = None
    """What the invoices less the credit notes that are in the balance come to, in `currency`; null
    from ledgers that did not say so yet."""


class AccountChanged(Event):
    """What a customer owes and has as credit, in every currency, at `as_of`.

    Sent after each posting, and when an invoice falls overdue; a higher `version` replaces a lower
    one.
    """

    TOPIC: ClassVar[str] = "account.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    """The customer."""
    balances: Annotated[
        list[CurrencyBalance],
        # Under the second name in messages that lie on the topic since before this version.
        Field(max_length=CURRENCIES_MAX, validation_alias=AliasChoices("balances", "accounts")),
    ]
    """The balance in each of the customer's currencies."""
    as_of: Instant
    """The instant at which this was so, in UTC."""
    version: Annotated[Integer, Field(ge=1)]
    """The number of the change; a higher one replaces a lower one."""
