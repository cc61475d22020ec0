"""Events of customers' accounts: payments as they come in and as they are booked, and balances.

Money is a decimal string with its currency beside it. What a customer owes is above zero.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.model import (
    READ_EXACTLY,
    WRITTEN_PLAINLY,
    Amount,
    Currency,
    Event,
    Instant,
    WireModel,
)

SHARES_MAX = 1_000
"""The most invoices that one payment settles."""
CURRENCIES_MAX = 200
"""The most currencies of one customer in one event: there are not so many."""

Reference = Annotated[str, Field(max_length=200)]
Paid = Annotated[
    Decimal,
    Field(gt=0, lt=10**18, allow_inf_nan=False, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
]


class PaymentShare(WireModel):
    """So much of a payment for one invoice."""

    invoice_id: UUID
    amount: Paid


class PaymentReceived(Event):
    """Money that came in from outside, as reported by a bank or a cash desk.

    It is booked whatever it names: what an invoice does not take becomes the customer's credit.
    Without `allocations` the oldest due invoices are settled first. The same `payment_id` again is
    the same payment.
    """

    TOPIC: ClassVar[str] = "payment.received.v1"
    KEY: ClassVar[str] = "customer_id"

    payment_id: UUID
    customer_id: UUID
    currency: Currency
    amount: Paid
    received_at: Instant
    reference: Reference = ""
    method: Annotated[str, Field(max_length=40)] = ""
    allocations: Annotated[list[PaymentShare], Field(max_length=SHARES_MAX)] | None = None


class PaymentRecorded(Event):
    """A payment is in the books, or was reversed by a transaction of its own.

    `allocations` says what it settled when it was booked, `prepaid` what became credit; both are
    what is given back when it is reversed.
    """

    TOPIC: ClassVar[str] = "payment.recorded.v1"
    KEY: ClassVar[str] = "customer_id"

    payment_id: UUID
    transaction_id: UUID
    status: Literal["recorded", "reversed"] = "recorded"
    customer_id: UUID
    currency: Currency
    amount: Amount
    reference: Reference
    method: Annotated[str, Field(max_length=500)]
    received_at: Instant
    allocations: Annotated[list[PaymentShare], Field(max_length=SHARES_MAX)]
    prepaid: Amount


class CurrencyAccount(WireModel):
    """One currency of a customer's account: `balance` = receivable − prepaid − export_payable.

    `arrears` is what of the receivable was due before the day of `as_of` (UTC).
    """

    currency: Currency
    balance: Amount
    receivable: Amount
    arrears: Amount
    prepaid: Amount
    export_payable: Amount


class AccountChanged(Event):
    """What a customer owes and has as credit, in every currency, at `as_of`.

    Sent after each change of the books, and when an invoice falls overdue; a higher `version`
    replaces a lower one.
    """

    TOPIC: ClassVar[str] = "account.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    accounts: Annotated[list[CurrencyAccount], Field(max_length=CURRENCIES_MAX)]
    as_of: Instant
    version: Annotated[int, Field(ge=1, lt=2**63)]
