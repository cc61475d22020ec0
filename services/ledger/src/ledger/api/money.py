"""The answers about accounts: debits are positive, credits negative, amounts decimal strings."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, PlainSerializer, StringConstraints

from contracts.model import Instant
from ledger.domain.transactions import ItemKind, ItemState
from ledger.store.statements import CustomerItem
from ledger.store.transactions import BookedTransaction

DECIMALS_SHOWN_MIN = 2


def plain(amount: Decimal) -> str:
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(DECIMALS_SHOWN_MIN, '0')}"


Money = Annotated[Decimal, PlainSerializer(plain, return_type=str, when_used="json")]
"""Exact, with two decimals or as many as it needs."""
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Moment = Annotated[Instant, Field(description="An instant with its zone")]
"""Aware, in UTC."""
ByDate = Annotated[
    Literal["value", "booked"],
    Query(description="As of when something occurred, or as of when it was booked"),
]


class Account(BaseModel):
    """An account and what it holds: `balance` is debits less credits."""

    id: UUID
    currency: str
    code: str
    account_class: str
    customer_id: UUID | None
    debits: Money
    credits: Money
    balance: Money


class Posting(BaseModel):
    """One side of a transaction."""

    line: int
    account_id: UUID
    account_code: str
    amount: Money


class Allocation(BaseModel):
    """What a transaction settles of an invoice; below zero it takes back what `source_id`, another
    transaction, had settled. (Of an invoice below zero the signs are the other way round.)"""

    invoice_id: UUID = Field(validation_alias="item_id")
    number: str
    source_id: UUID
    amount: Money


class Transaction(BaseModel):
    """A balanced, immutable entry. `reverses_id` is the transaction that a credit note or reversal
    takes back; `correlation_id` is that of the reading whose arrival led here."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    memo: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Money
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    postings: list[Posting]
    allocations: list[Allocation]


class StatementEntry(BaseModel):
    """What a transaction changed of what is owed on balance, and what was owed after it."""

    transaction_id: UUID
    kind: str
    reference: str
    memo: str
    occurred_at: datetime
    recorded_at: datetime
    amount: Money
    balance: Money


class Statement(BaseModel):
    """What a customer owed on balance at `from_at`, every change before `to_at`, and what was owed
    then. Above zero the customer owes; below, the customer has credit. Money that only moves from
    the customer's credit to an invoice changes nothing on balance and is not listed."""

    customer_id: UUID
    currency: str
    from_at: datetime
    to_at: datetime
    opening: Money
    entries: list[StatementEntry]
    closing: Money


class TrialBalanceRow(BaseModel):
    """One account, or those of all customers together by class."""

    account: str
    debits: Money
    credits: Money
    balance: Money


class TrialBalance(BaseModel):
    """The books of one currency; `difference`, debits less credits, is zero."""

    currency: str
    rows: list[TrialBalanceRow]
    debits: Money
    credits: Money
    difference: Money


class TrialBalances(BaseModel):
    """Each currency's books, now or from what occurred (or was booked) up to and at `as_of`."""

    as_of: datetime | None
    currencies: list[TrialBalance]


class Reconciliation(BaseModel):
    """One currency's books, counted in every way that must agree: `difference_max` is the widest
    gap between documents, postings, accounts, items and allocations, and is zero. `receivable` is
    what invoices and credit notes have put on customers' accounts, whatever was paid since."""

    currency: str
    invoices: int
    invoices_total: Money
    credit_notes: int
    credit_notes_total: Money
    receivable: Money
    opened: Money
    charged: Money
    allocated: Money
    postings_sum: Money
    account_difference_max: Money
    item_difference_max: Money
    difference_max: Money


class Reconciliations(BaseModel):
    """Each currency's reconciliation; `ok` where all are without difference."""

    ok: bool
    currencies: list[Reconciliation]


class Standing(BaseModel):
    """What a customer owes in one currency: `balance` = receivable − prepaid − export_payable.
    `arrears` is what of the receivable was due before the day."""

    currency: str
    balance: Money
    receivable: Money
    arrears: Money
    prepaid: Money
    export_payable: Money


class Standings(BaseModel):
    """Every currency of a customer's account, now or as of a moment."""

    customer_id: UUID
    as_of: datetime | None
    currencies: list[Standing]


class Invoice(BaseModel):
    """What a customer is to pay (or below zero to be paid): an invoice, or a `charge` of the
    ledger's own. `open` is what allocations have left of `total`."""

    id: UUID
    kind: ItemKind
    number: str
    customer_id: UUID
    currency: str
    state: ItemState
    total: Money
    settled: Money
    open: Money
    issued_at: datetime
    due_on: date


class InvoiceAllocation(BaseModel):
    """What settled an invoice, or took that back."""

    transaction_id: UUID
    kind: str
    reference: str
    source_id: UUID
    amount: Money
    occurred_at: datetime
    recorded_at: datetime


class InvoiceWithAllocations(Invoice):
    """An invoice and everything that settled it; the oldest thousand."""

    allocations: list[InvoiceAllocation]


class Ages(BaseModel):
    """Open invoices and charges by days since they were due: `not_due` are due after the day,
    `overdue` were due before it. They add up to `total`, without `overdue`."""

    currency: str
    not_due: Money
    days_0_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money
    total: Money
    overdue: Money


class CustomerAges(Ages):
    """One customer's."""

    customer_id: UUID


class Ageing(BaseModel):
    """Every currency's open invoices by age on the day `on`."""

    on: date
    as_of: datetime | None
    currencies: list[Ages]


def shown_transaction(one: BookedTransaction) -> Transaction:
    """A transaction as the API shows it."""
    return Transaction.model_validate(one, from_attributes=True)


def shown_invoice(one: CustomerItem) -> Invoice:
    """An invoice or charge as the API shows it."""
    return Invoice(**invoice_fields(one))


def invoice_fields(one: CustomerItem) -> dict[str, Any]:
    """The fields of `Invoice`."""
    item = one.item
    names = ("id", "kind", "number", "state", "total", "settled", "open", "issued_at", "due_on")
    shown = {name: getattr(item, name) for name in names}
    return shown | {"customer_id": one.customer_id, "currency": one.currency}
