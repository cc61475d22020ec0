"""Booking: an invoice or credit note becomes one balanced, immutable transaction.

Owns which accounts a document touches. Refuses what does not balance, what the ledger cannot
store exactly, and documents whose lines and total differ by more than rounding can explain.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from kernel.money import EXACT
from ledger.domain import accounts
from ledger.domain.accounts import Account
from ledger.domain.transactions import (
    Allocation,
    Item,
    Posting,
    Transaction,
    TransactionKind,
    cut,
    digest_of,
    due_after,
    transaction_id,
)

ROUNDING_PER_LINE_MAX = Decimal(1)
"""In whole units a line is rounded by a half at most; more means that the document is wrong."""
PAYMENT_DAYS_DEFAULT = 14
"""From issue to due, where neither the invoice nor the tenant says."""


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
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class VoidNote:
    """That an invoice is no longer live, and which credit note took it back."""

    tenant_id: str
    invoice_id: UUID
    credit_note_id: UUID
    reference: str
    reason: str
    voided_at: datetime


def book(document: Document, payment_days: int = PAYMENT_DAYS_DEFAULT) -> Transaction:
    """The transaction of a document: receivable against revenue per kind, tax and rounding.

    An invoice opens an item, due on its own date or `payment_days` after its issue; one below zero
    stands on the export payable. A credit note is the mirror image of an invoice with its amounts,
    and settles the whole of it. It is booked on its own content, because it may arrive before the
    invoice that it takes back. ValueError where the document contradicts itself or does not fit the
    ledger.
    """
    sign = 1 if document.credits_id is None else -1
    with localcontext(EXACT):
        postings = tuple(
            Posting(account, sign * amount)
            for account, amount in _owed(document).items()
            if amount or account.account_class in accounts.CLAIMS
        )
    id_ = transaction_id(document.tenant_id, document.id)
    kind: TransactionKind = "invoice" if document.credits_id is None else "credit_note"
    parts = [
        kind, str(document.id), document.number, document.currency,
        document.issued_at.isoformat(), *(_text(posting) for posting in postings),
    ]  # fmt: skip
    return Transaction(
        id=id_,
        tenant_id=document.tenant_id,
        kind=kind,
        document_id=document.id,
        reference=document.number,
        reverses_id=document.credits_id and transaction_id(document.tenant_id, document.credits_id),
        customer_id=document.customer_id,
        currency=document.currency,
        total=document.total,
        occurred_at=document.issued_at,
        correlation_id=document.correlation_id,
        postings=postings,
        digest=digest_of(parts),
        allocations=_credited(document, id_),
        opens=_opened(document, payment_days) if document.credits_id is None else None,
        voids=document.credits_id,
    )


def _opened(document: Document, payment_days: int) -> Item:
    issued_on = document.issued_at.astimezone(UTC).date()
    due_on = document.due_on or due_after(issued_on, payment_days)
    return Item(document.id, "invoice", document.number, document.total, document.issued_at, due_on)


def _credited(document: Document, id_: UUID) -> tuple[Allocation, ...]:
    if document.credits_id is None or not document.total:
        return ()
    return (Allocation(document.credits_id, id_, document.total),)


def _owed(document: Document) -> dict[Account, Decimal]:
    """What an invoice with these amounts puts on each account."""
    currency = document.currency
    claim = accounts.receivable if document.total >= 0 else accounts.export_payable
    amounts = {claim(currency, document.customer_id): document.total}
    exact: dict[str, Decimal] = {}
    for charge in document.charges:
        if charge.kind != "tax":  # the document's own tax is what the authority is owed
            exact[charge.kind] = exact.get(charge.kind, Decimal(0)) + charge.amount
    for kind in sorted(exact):
        amounts[accounts.revenue(currency, kind)] = -cut(exact[kind])
    amounts[accounts.tax(currency)] = -document.tax
    rest = -sum(amounts.values(), Decimal(0))
    if abs(rest) > ROUNDING_PER_LINE_MAX * (len(document.charges) + 1):
        raise ValueError(f"{document.number}: its total and its lines differ by {rest}")
    amounts[accounts.rounding(currency)] = rest
    return amounts


def _text(posting: Posting) -> str:
    return f"{posting.account.code}={cut(posting.amount):f}"
