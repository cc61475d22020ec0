"""Unmatched payments: money for a customer, or in a currency, that nobody has."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.transactions import Transaction


@dataclass(frozen=True, slots=True)
class UnmatchedPayment:
    """A payment that stands in suspense, or did.

    id           the transaction that posted it
    customer_id  whom it names
    memo         how it was paid, for people
    occurred_at  its date of value
    resolved_by  the transaction that gave it to a customer, paid it back or reversed it; None while
                 it is unmatched
    """

    tenant_id: str
    id: UUID
    document_id: UUID
    customer_id: UUID
    currency: str
    amount: Decimal
    reference: str
    memo: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    resolved_by: UUID | None


def is_unmatched(payment: Transaction) -> bool:
    """Whether a transaction is a payment that stands in suspense."""
    return payment.kind == "payment" and payment.posted(chart.suspense(payment.currency)) < 0


def automatic_assignment(payment: UnmatchedPayment) -> Command:
    """The command that gives a payment to the customer whom it names, who has become known."""
    return Command(
        kind="assignment",
        id=derive_id("assignment", payment.id),
        customer_id=payment.customer_id,
        currency=payment.currency,
        amount=payment.amount,
        reference=payment.reference,
        memo=payment.memo,
        occurred_at=payment.occurred_at,
        correlation_id=payment.correlation_id,
    )
