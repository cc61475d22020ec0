"""Statements: what a customer owed, what changed it, and what was owed after each change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.money import EXACT


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction changed of what a customer owes on balance.

    amount  above zero where the customer owes more by it
    """

    transaction_id: UUID
    kind: str
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
