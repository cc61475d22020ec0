"""Booking: an invoice or credit note becomes one balanced, immutable transaction.

Owns which accounts a document touches. Refuses what does not balance, what the ledger cannot
store exactly, and documents whose lines and total differ by more than rounding can explain.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Literal
from uuid import UUID

from kernel.ids import derive_id
from kernel.money import EXACT
from ledger.domain import accounts
from ledger.domain.accounts import Account

AMOUNT_DECIMALS = 8
AMOUNT_MAX = Decimal(10) ** 18
"""Far above any bill, and small enough that balances of a billion such fit their column."""
ROUNDING_PER_LINE_MAX = Decimal(1)
"""In whole units a line is rounded by a half at most; more means that the document is wrong."""
_STEP = Decimal(1).scaleb(-AMOUNT_DECIMALS)
TransactionKind = Literal["invoice", "credit_note"]


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a document: which class of component, and its rounded amount."""

    kind: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, or a credit note, which takes back the invoice `credits_id`."""

    id: UUID
    number: str
    tenant_id: str
    customer_id: UUID
    currency: str
    charges: tuple[Charge, ...]
    tax: Decimal
    total: Decimal
    issued_at: datetime
    correlation_id: str
    credits_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class VoidNote:
    """That an invoice is no longer live, and which credit note took it back."""

    tenant_id: str
    invoice_id: UUID
    credit_note_id: UUID
    reference: str
    reason: str
    voided_at: datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed amount on an account: debit positive, credit negative."""

    account: Account
    amount: Decimal

    def __post_init__(self) -> None:
        if self.amount != _cut(self.amount):
            raise ValueError(f"{self.amount} has more than {AMOUNT_DECIMALS} decimals")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A balanced set of postings in one currency; the first is the customer's receivable."""

    id: UUID
    tenant_id: str
    kind: TransactionKind
    document_id: UUID
    reference: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Decimal
    occurred_at: datetime
    correlation_id: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        with localcontext(EXACT):
            if difference := sum(posting.amount for posting in self.postings):
                raise ValueError(f"transaction {self.reference} is out of balance by {difference}")
        if any(posting.account.currency != self.currency for posting in self.postings):
            raise ValueError(f"transaction {self.reference} mixes currencies")

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was booked: the same document gives the same one, for ever."""
        parts = [
            self.kind, str(self.document_id), self.reference, self.currency,
            self.occurred_at.isoformat(), *(_text(posting) for posting in self.postings),
        ]  # fmt: skip
        return hashlib.sha256("\x1f".join(parts).encode()).digest()


def book(document: Document) -> Transaction:
    """The transaction of a document: receivable against revenue per kind, tax and rounding.

    A credit note is the mirror image of an invoice with its amounts. It is booked on its own
    content, because it may arrive before the invoice that it takes back. ValueError where the
    document contradicts itself or does not fit the ledger.
    """
    sign = 1 if document.credits_id is None else -1
    with localcontext(EXACT):
        postings = [
            Posting(account, sign * amount)
            for account, amount in _owed(document).items()
            if amount or account.account_class == "receivable"
        ]
    return Transaction(
        id=transaction_id(document.tenant_id, document.id),
        tenant_id=document.tenant_id,
        kind="invoice" if document.credits_id is None else "credit_note",
        document_id=document.id,
        reference=document.number,
        reverses_id=document.credits_id and transaction_id(document.tenant_id, document.credits_id),
        customer_id=document.customer_id,
        currency=document.currency,
        total=document.total,
        occurred_at=document.issued_at,
        correlation_id=document.correlation_id,
        postings=tuple(postings),
    )


def transaction_id(tenant_id: str, document_id: UUID) -> UUID:
    """The id of the transaction that books a document: known before it is booked."""
    return derive_id("posting", tenant_id, document_id)


def _owed(document: Document) -> dict[Account, Decimal]:
    """What an invoice with these amounts puts on each account."""
    currency = document.currency
    amounts = {accounts.receivable(currency, document.customer_id): document.total}
    exact: dict[str, Decimal] = {}
    for charge in document.charges:
        if charge.kind != "tax":  # the document's own tax is what the authority is owed
            exact[charge.kind] = exact.get(charge.kind, Decimal(0)) + charge.amount
    for kind in sorted(exact):
        amounts[accounts.revenue(currency, kind)] = -_cut(exact[kind])
    amounts[accounts.tax(currency)] = -document.tax
    rest = -sum(amounts.values(), Decimal(0))
    if abs(rest) > ROUNDING_PER_LINE_MAX * (len(document.charges) + 1):
        raise ValueError(f"{document.number}: its total and its lines differ by {rest}")
    amounts[accounts.rounding(currency)] = rest
    return amounts


def _cut(amount: Decimal) -> Decimal:
    """To the decimals that the ledger keeps."""
    if abs(amount) >= AMOUNT_MAX:
        raise ValueError(f"{amount} is beyond what the ledger keeps ({AMOUNT_MAX:f})")
    return amount.quantize(_STEP, context=EXACT)


def _text(posting: Posting) -> str:
    return f"{posting.account.code}={_cut(posting.amount):f}"
