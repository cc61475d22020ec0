"""What must be known of an account before its statement can be shown, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from gridtally.documents.facts import Buyer, Seller

ChangeKind = Literal[
    "invoice", "credit_note", "payment", "refund", "write_off", "adjustment", "set_off",
    "opening_balance", "dunning_fee", "instalment", "deferral", "budget_settlement", "merge",
    "reversal",
]  # fmt: skip
Standing = Literal["due", "overdue", "planned"]
"""Of an open invoice: to be paid by its day, late, or to be paid by a payment plan."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What changed the balance on a day; above zero where more is owed by it. `balance` is what was
    owed after it."""

    on: date
    kind: ChangeKind
    reference: str
    memo: str
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """An invoice of which something is open."""

    due_on: date
    number: str
    total: Decimal
    paid: Decimal
    open: Decimal
    standing: Standing


@dataclass(frozen=True, slots=True)
class InstalmentFacts:
    """A part of a payment plan."""

    due_on: date
    amount: Decimal
    paid: Decimal
    open: Decimal
    is_late: bool


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A payment plan that is kept, or late."""

    agreed_on: date
    instalments: Sequence[InstalmentFacts]
    total: Decimal
    paid: Decimal
    open: Decimal


@dataclass(frozen=True, slots=True)
class AgeFacts:
    """What is open by days since it was due."""

    not_due: Decimal
    days_0_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    days_over_90: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class StatementFacts:
    """A customer's account in one currency, from a day up to, but without, another.

    `opening` and `closing` are what was owed, below zero a credit. What is open, and `credit` that
    was paid in advance, are of the day `today`, on which `balance` is owed all in all; `open_items`
    may leave some out.
    """

    seller: Seller
    buyer: Buyer
    currency: str
    start_on: date
    end_on: date
    opening: Decimal
    changes: Sequence[ChangeFacts]
    closing: Decimal
    today: date
    open_items: Sequence[OpenFacts]
    credit: Decimal
    balance: Decimal
    plans: Sequence[PlanFacts] = ()
    ages: AgeFacts | None = None

    @property
    def further(self) -> Decimal:
        """What is open of invoices that `open_items` leaves out: with it all adds up."""
        shown = sum((item.open for item in self.open_items), Decimal(0))
        return self.balance + self.credit - shown
