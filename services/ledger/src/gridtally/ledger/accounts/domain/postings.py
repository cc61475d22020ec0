"""Postings of billing's documents: an invoice or credit note becomes one balanced transaction.

Owns which accounts a document touches. Refuses what does not balance, what the ledger cannot
store exactly, and documents whose lines and total differ by more than rounding can explain.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.open_items import ZERO, Allocation, OpenItem, due_after
from gridtally.ledger.accounts.domain.terms import PAYMENT_DAYS_DEFAULT
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    TransactionKind,
    digest_of,
    ledger_amount,
    transaction_id,
)

ROUNDING_PER_LINE_MAX = Decimal(1)
"""In whole units a line is rounded by a half at most; more means that the document is wrong."""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document: its kind of tariff component, its rounded amount, and who receives
    the money; None for the supplier or, of a tax, for the tax authority."""

    kind: str
    amount: Decimal
    payee: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or, with `credits_id`, a credit note.

    lines       what the amounts are for; they add up to the total, but for rounding
    tax         the part of the total that the tax authority is owed
    total       the amount of the document; a credit note has it with the sign of its invoice
    credits_id  the invoice that a credit note is for
    due_on      the day that the invoice itself states; None where the tenant's terms decide
    start_on    the first local day of what is billed, of an invoice
    proof_root  the root of an invoice's proof, in hexadecimal; None where it has none
    is_part     whether a credit note leaves its invoice live, less what it credits; otherwise it
                cancels the invoice, or what is left of it
    """

    id: UUID
    number: str
    tenant_id: str
    customer_id: UUID
    currency: str
    lines: tuple[DocumentLine, ...]
    tax: Decimal
    total: Decimal
    issued_at: datetime
    correlation_id: str
    credits_id: UUID | None = None
    due_on: date | None = None
    start_on: date | None = None
    proof_root: str | None = None
    is_part: bool = False

    @property
    def names_payees(self) -> bool:
        """Whether any of its lines is for somebody else than the supplier."""
        return any(line.payee is not None for line in self.lines)

    def booked_by_kind(self) -> "Document":
        """The document as if no line named a payee, as all were booked before payees had accounts:
        what they get counts as revenue, and all taxes are the tax authority's."""
        return replace(self, lines=tuple(replace(line, payee=None) for line in self.lines))

    @property
    def cancels_id(self) -> UUID | None:
        """The invoice that it cancels, if it does."""
        return None if self.is_part else self.credits_id


def post_document(document: Document, payment_days: int = PAYMENT_DAYS_DEFAULT) -> Transaction:
    """The transaction of a document: receivable against revenue per kind, what payees are owed,
    tax and rounding.

    An invoice opens an item, due on its own date or `payment_days` after its issue; one below zero
    stands on the export payable. A credit note is the mirror image of an invoice with its amounts,
    and allocates them to the invoice that it is for. It is posted from its own content, because it
    may arrive before that invoice. ValueError where the document contradicts itself or does not
    fit the ledger.
    """
    postings = _postings(document)
    # Whom lines name is in no digest: so a document from before payees had accounts that comes
    # again is the same. What it was computed from, payees too, is in the root of its proof.
    digested = _postings(document.booked_by_kind()) if document.names_payees else postings
    id_ = transaction_id(document.tenant_id, document.id)
    kind: TransactionKind = "invoice" if document.credits_id is None else "credit_note"
    parts = [
        kind, str(document.id), document.number, document.currency,
        document.issued_at.isoformat(), *(_text(posting) for posting in digested),
    ]  # fmt: skip
    if document.proof_root is not None:
        parts.append(document.proof_root)
    return Transaction(
        id=id_,
        tenant_id=document.tenant_id,
        kind=kind,
        document_id=document.id,
        reference=document.number,
        reverses_id=document.cancels_id and transaction_id(document.tenant_id, document.cancels_id),
        customer_id=document.customer_id,
        currency=document.currency,
        total=document.total,
        occurred_at=document.issued_at,
        correlation_id=document.correlation_id,
        postings=postings,
        digest=digest_of(parts),
        allocations=_credited(document, id_),
        opens=_opened(document, payment_days) if document.credits_id is None else None,
        voids=document.cancels_id,
        proof_root=document.proof_root,
    )


def _opened(document: Document, payment_days: int) -> OpenItem:
    """The open item that an invoice makes."""
    issued_on = document.issued_at.astimezone(UTC).date()
    due_on = document.due_on or due_after(issued_on, payment_days)
    return OpenItem(
        document.id, "invoice", document.number, document.total, document.issued_at, due_on
    )


def _credited(document: Document, id_: UUID) -> tuple[Allocation, ...]:
    """What a credit note allocates to its invoice: all that it credits, unless that is nothing."""
    if document.credits_id is None or not document.total:
        return ()
    return (Allocation(document.credits_id, id_, document.total),)


def _postings(document: Document) -> tuple[Posting, ...]:
    """What the document puts on each account. A payee is posted to also where the amounts come to
    nothing: so the books say of each invoice whether its payees have accounts."""
    sign = 1 if document.credits_id is None else -1
    with localcontext(EXACT):
        return tuple(
            Posting(account, sign * amount)
            for account, amount in _invoiced(document).items()
            if amount or account.account_class in _POSTED_AT_ZERO
        )


_POSTED_AT_ZERO = (*chart.RECEIVABLE_CLASSES, chart.AccountClass.PAYABLE)


def _invoiced(document: Document) -> dict[Account, Decimal]:
    """What an invoice with these amounts puts on each account; together zero.

    Lines are added up per payee, or else per kind, before they are rounded to the ledger's
    decimals, so that each takes part in rounding once. What is then missing to a sum of zero is the
    rounding difference. A tax is owed to whom its line names; what the document has as tax beyond
    those lines, to the tax authority.
    """
    currency = document.currency
    claim = chart.receivable if document.total >= 0 else chart.export_payable
    amounts = {claim(currency, document.customer_id): document.total}
    by_kind: dict[str, Decimal] = {}
    by_payee: dict[str, Decimal] = {}
    tax = document.tax
    for line in document.lines:
        if line.payee is not None:
            by_payee[line.payee] = by_payee.get(line.payee, ZERO) + line.amount
            tax -= line.amount if line.kind == "tax" else ZERO
        elif line.kind != "tax":  # the document's own tax is what the authority is owed
            by_kind[line.kind] = by_kind.get(line.kind, ZERO) + line.amount
    for kind in sorted(by_kind):
        amounts[chart.revenue(currency, kind)] = -ledger_amount(by_kind[kind])
    for payee in sorted(by_payee):
        amounts[chart.payable(currency, payee)] = -ledger_amount(by_payee[payee])
    amounts[chart.tax(currency)] = -(ledger_amount(tax) if by_payee else tax)
    rest = -sum(amounts.values(), ZERO)
    if abs(rest) > ROUNDING_PER_LINE_MAX * (len(document.lines) + 1):
        raise ValueError(f"{document.number}: its total and its lines differ by {rest}")
    amounts[chart.rounding(currency)] = rest
    return amounts


def _text(posting: Posting) -> str:
    """A posting as the digest has it: one spelling for one amount."""
    return f"{posting.account.code}={ledger_amount(posting.amount):f}"
