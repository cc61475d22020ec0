"""The answers about accounts: debits are positive, credits negative, amounts decimal strings."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, PlainSerializer, StringConstraints

DECIMALS_SHOWN_MIN = 2


def _plain(amount: Decimal) -> str:
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(DECIMALS_SHOWN_MIN, '0')}"


Money = Annotated[Decimal, PlainSerializer(_plain, return_type=str, when_used="json")]
"""Exact, with two decimals or as many as it needs."""
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Moment = Annotated[AwareDatetime, Field(description="An instant with its zone")]


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


class Transaction(BaseModel):
    """A balanced, immutable entry. `reverses_id` is the transaction that a credit note takes back;
    `correlation_id` is that of the reading whose arrival led here."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Money
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    postings: list[Posting]


class StatementEntry(BaseModel):
    """What a document changed, and what was owed after it."""

    transaction_id: UUID
    kind: str
    reference: str
    occurred_at: datetime
    amount: Money
    balance: Money


class Statement(BaseModel):
    """What a customer owed at `from_at`, every change before `to_at`, and what was owed then."""

    customer_id: UUID
    currency: str
    from_at: datetime
    to_at: datetime
    opening: Money
    entries: list[StatementEntry]
    closing: Money


class TrialBalanceRow(BaseModel):
    """One account, or all receivables together."""

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
    """Each currency's books, now or from what occurred up to and at `as_of`."""

    as_of: datetime | None
    currencies: list[TrialBalance]


class Reconciliation(BaseModel):
    """One currency's books, counted in every way that must agree: `difference_max` is the widest
    gap between documents, postings and accounts, and is zero."""

    currency: str
    invoices: int
    invoices_total: Money
    credit_notes: int
    credit_notes_total: Money
    receivable: Money
    postings_sum: Money
    account_difference_max: Money
    difference_max: Money


class Reconciliations(BaseModel):
    """Each currency's reconciliation; `ok` where all are without difference."""

    ok: bool
    currencies: list[Reconciliation]
