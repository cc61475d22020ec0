"""Statements: what a customer owed, what changed it, and what was owed after each change.

Owns what the document of a statement is told. How it looks is `gridtally.documents`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from gridtally.documents.facts import Buyer, Seller
from gridtally.documents.statement_facts import (
    AgeFacts,
    ChangeFacts,
    ChangeKind,
    InstalmentFacts,
    OpenFacts,
    PlanFacts,
    Standing,
    StatementFacts,
)
from gridtally.kernel.money import EXACT, in_currency
from gridtally.kernel.periods import ONE_DAY
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.chart import AccountClass
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payment_plans import PlanPosition
from gridtally.ledger.accounts.domain.transactions import TransactionKind

KINDS: Mapping[TransactionKind, ChangeKind] = {
    "invoice": "invoice",
    "credit_note": "credit_note",
    "payment": "payment",
    "assignment": "payment",
    "refund": "refund",
    "write_off": "write_off",
    "adjustment": "adjustment",
    "allocation": "set_off",
    "release": "reversal",
    "opening_balance": "opening_balance",
    "dunning_fee": "dunning_fee",
    "instalment": "instalment",
    "deferral": "deferral",
    "budget_settlement": "budget_settlement",
    "merge": "merge",
    "reversal": "reversal",
}
"""What the document of a statement calls transactions, for whoever keeps no books. A deposit is no
part of the balance, and a settlement is about no customer."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction changed of what a customer owes on balance.

    amount  above zero where the customer owes more by it
    """

    transaction_id: UUID
    kind: TransactionKind
    reference: str
    memo: str
    occurred_at: datetime
    recorded_at: datetime
    amount: Decimal


def balances_after(opening: Decimal, changes: Sequence[Change]) -> list[Decimal]:
    """What was owed after each of the changes, in their order."""
    balances = []
    balance = opening
    for change in changes:
        balance = EXACT.add(balance, change.amount)
        balances.append(balance)
    return balances


@dataclass(frozen=True, slots=True)
class Statement:
    """What a customer owed in a currency at `from_at`, and what changed it before `to_at`.

    is_booked  whether changes count by their dates of booking, not of value
    """

    customer_id: UUID
    currency: str
    from_at: datetime
    to_at: datetime
    is_booked: bool
    opening: Decimal
    changes: Sequence[Change]

    def day_of(self, change: Change) -> date:
        """The day, in UTC, by which a change counts."""
        return (change.recorded_at if self.is_booked else change.occurred_at).date()

    @property
    def balances(self) -> list[Decimal]:
        """What was owed after each of the changes."""
        return balances_after(self.opening, self.changes)


@dataclass(frozen=True, slots=True)
class AccountToday:
    """How a customer's account in a currency stands on a day: what is open, the oldest due first,
    and the payment plans that are kept, or late. Of many open items, some are left out."""

    today: date
    balance: CustomerBalance
    open_items: Sequence[OpenItem]
    plans: Sequence[PlanPosition]
    ages: AgeFacts | None


def statement_facts(
    statement: Statement, account: AccountToday, seller: Seller, buyer: Buyer
) -> StatementFacts:
    """What the document of a statement shows: days in UTC, amounts in the decimals of the currency
    or, where they have more, in those."""
    currency, balances = statement.currency, statement.balances
    changes = [
        ChangeFacts(
            on=statement.day_of(change),
            kind=KINDS[change.kind],
            reference=change.reference,
            memo=change.memo,
            amount=in_currency(change.amount, currency),
            balance=in_currency(balance, currency),
        )
        for change, balance in zip(statement.changes, balances, strict=True)
    ]
    planned = {item.id for position in account.plans for item in position.plan.items}
    return StatementFacts(
        seller=seller,
        buyer=buyer,
        currency=currency,
        start_on=statement.from_at.date(),
        end_on=_day_after(statement.to_at),
        opening=in_currency(statement.opening, currency),
        changes=changes,
        closing=in_currency(balances[-1] if balances else statement.opening, currency),
        today=account.today,
        open_items=[_open(item, planned, account.today) for item in account.open_items],
        credit=account.balance.amounts[AccountClass.PREPAID],
        balance=account.balance.balance,
        plans=[_plan(position, account.today) for position in account.plans],
        ages=account.ages,
    )


def _day_after(to_at: datetime) -> date:
    """The first day of which nothing lies before an instant."""
    last = to_at - timedelta(microseconds=1)
    return last.date() + ONE_DAY


def _open(item: OpenItem, planned: set[UUID], today: date) -> OpenFacts:
    standing: Standing = "due"
    if item.id in planned:
        standing = "planned"
    elif item.due_on < today and item.open > 0:
        standing = "overdue"
    number = item.number or str(item.id)
    return OpenFacts(item.due_on, number, item.total, item.allocated, item.open, standing)


def _plan(position: PlanPosition, today: date) -> PlanFacts:
    parts = [
        InstalmentFacts(
            own.due_on, own.amount, own.paid, own.open, own.due_on < today and bool(own.open)
        )
        for own in position.instalments()
        if own.amount
    ]
    agreed_on = position.plan.agreed_at.date()
    return PlanFacts(agreed_on, parts, position.total, position.paid, position.open)
