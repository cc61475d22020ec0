"""Customers' credit: how it is applied to what is open, and taken back from where it has gone.

Owns which items credit pays by itself, by the rule of the tenant's terms, and what is undone when
credit that was spent turns out never to have been paid. A command that says what it allocates is
`payments`' affair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.commands import Command, CreditSource
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import Allocation, OpenItem
from gridtally.ledger.accounts.domain.payments import post
from gridtally.ledger.accounts.domain.reversals import Reason, reversal_id
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    digest_of,
    sum_of,
    transaction_id,
)

SOURCES: tuple[CreditSource, ...] = ("prepaid", "export_payable")
"""What was paid is spent before what exported energy has earned."""
MEMO = "credit applied"
SPENT_MAX = 10_000
"""The most allocations of credit that one bounced payment takes back."""


@dataclass(frozen=True, slots=True)
class CreditCause:
    """What has made a customer's credit, or something that it can pay.

    id  the transaction, or what else happens once; the ids of what is posted follow from it
    """

    id: UUID
    reference: str
    occurred_at: datetime
    correlation_id: str

    @classmethod
    def of(cls, transaction: Transaction) -> "CreditCause":
        """A transaction as a cause."""
        return cls(
            transaction.id,
            transaction.reference,
            transaction.occurred_at,
            transaction.correlation_id,
        )


def is_applicable(account: CustomerAccount) -> bool:
    """Whether there is both credit and something to pay with it."""
    has_credit = account.prepaid > 0 or bool(account.open_items(-1))
    return has_credit and bool(account.open_items())


def apply_credit(
    account: CustomerAccount, cause: CreditCause, credited_at: datetime
) -> list[Transaction]:
    """What spends the customer's credit on what is open, the oldest due first, until there is no
    more of one of them.

    `credited_at` is the latest date of value on the customer's credit. Each transaction is dated by
    the latest of what it rests on: credit, items and cause. So at no moment, by whatever date it is
    asked for, was more spent than there was, or paid than was asked for.
    """
    applied: list[Transaction] = []
    for source in SOURCES:
        while _has(account, source) and account.open_items():
            command = Command(
                kind="allocation",
                id=derive_id("credit", cause.id, account.currency, len(applied)),
                customer_id=account.customer_id,
                currency=account.currency,
                amount=None,
                reference=cause.reference,
                memo=MEMO,
                occurred_at=cause.occurred_at,
                correlation_id=cause.correlation_id,
                source=source,
            )
            transaction = post(account, command)
            items = [account.items[part.item_id] for part in transaction.allocations]
            dates = (item.issued_at for item in items)
            occurred_at = max(cause.occurred_at, credited_at, *dates)
            applied.append(replace(transaction, occurred_at=occurred_at))
            account = account.after(transaction)
    return applied


def source_of(transaction: Transaction) -> CreditSource:
    """Which credit an allocation has spent: from that account it was debited."""
    prepaid = chart.prepaid(transaction.currency, transaction.owner_id)
    return "prepaid" if transaction.posted(prepaid) else "export_payable"


def _has(account: CustomerAccount, source: CreditSource) -> bool:
    return account.prepaid > 0 if source == "prepaid" else bool(account.open_items(-1))


@dataclass(frozen=True, slots=True)
class SpentCredit:
    """So much of an item is paid by prepaid credit, through the transaction `source_id`."""

    item_id: UUID
    source_id: UUID
    amount: Decimal


def take_back_credit(
    account: CustomerAccount,
    original: Transaction,
    shortage: Decimal,
    spent: Sequence[SpentCredit],
    reason: Reason,
) -> Transaction:
    """Bring `shortage` back to the customer's credit, from where it has gone, for the reversal of a
    transaction whose credit was spent.

    Items lose what credit had paid of them, in the order of `spent`, and become open again. What
    then is still missing was paid out: the customer is to pay it, a charge that is due at once.
    """
    document_id = derive_id("release", reversal_id(original.id))
    taken = list(_taken(spent, shortage))
    missing = EXACT.subtract(shortage, sum_of(part.amount for part in taken))
    charge = None
    if missing:
        number, due_on = original.reference, reason.occurred_at.astimezone(UTC).date()
        charge = OpenItem(document_id, "charge", number, missing, reason.occurred_at, due_on)
    return Transaction(
        id=transaction_id(account.tenant_id, document_id),
        tenant_id=account.tenant_id,
        kind="release",
        document_id=document_id,
        reference=original.reference,
        reverses_id=None,
        customer_id=account.customer_id,
        currency=account.currency,
        total=shortage,
        occurred_at=reason.occurred_at,
        correlation_id=reason.correlation_id,
        postings=(
            Posting(chart.receivable(account.currency, account.customer_id), shortage),
            Posting(chart.prepaid(account.currency, account.customer_id), -shortage),
        ),
        digest=digest_of(["release", str(original.id)]),
        memo=reason.memo,
        allocations=tuple(Allocation(part.item_id, part.source_id, -part.amount) for part in taken),
        opens=charge,
    )


def _taken(spent: Sequence[SpentCredit], shortage: Decimal) -> Iterator[SpentCredit]:
    """What is taken of each, in their order, until nothing is short."""
    left = shortage
    for part in spent:
        if amount := min(left, part.amount):
            yield replace(part, amount=amount)
            left = EXACT.subtract(left, amount)
