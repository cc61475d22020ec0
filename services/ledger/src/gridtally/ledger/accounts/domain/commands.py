"""Commands: what somebody asks to be posted for a customer, by the API or a message."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.transactions import digest_of, ledger_amount

ALLOCATIONS_MAX = 1_000
"""The most items that one transaction allocates to; what it has beyond stays the customer's
credit."""
CreditSource = Literal["prepaid", "export_payable", "deposit"]
CommandKind = Literal[
    "payment", "refund", "write_off", "credit", "charge", "allocation", "assignment", "return",
    "deposit", "opening_charge", "opening_credit", "dunning_fee", "instalment", "deferral",
    "budget_charge", "budget_credit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestedAllocation:
    """So much, above zero, for one open item."""

    item_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asks to be posted for a customer in a currency.

    kind         what it is; a credit and a charge are the two kinds of adjustment, an assignment
                 and a return what becomes of a payment that stands in suspense, a deposit is taken,
                 an opening charge or credit is what a customer's account is taken over with, a
                 dunning fee the charge of a notice; an instalment of a budget plan is asked for,
                 a deferral has invoices wait for its settlement, which is a charge or a credit
    id           names it for ever: the transaction's id follows from it
    amount       above zero; None, of an allocation, means as much as there is
    reference    what people call it
    memo         a reason or method, for people
    occurred_at  the date of value
    allocations  what goes to which item; None means to the oldest due first
    source       which credit a refund or an allocation spends; a deposit is so returned or set off
    due_on       when a charge or a fee is due; None means on its date of value
    plan_id      the budget plan, of what one posts
    named_id     the duplicate whom it named, where it is posted for the customer who is the same
    is_dated     whether `occurred_at` was asked for and is not just the moment of asking
    """

    kind: CommandKind
    id: UUID
    customer_id: UUID
    currency: str
    amount: Decimal | None
    reference: str
    memo: str
    occurred_at: datetime
    correlation_id: str
    allocations: tuple[RequestedAllocation, ...] | None = None
    source: CreditSource = "prepaid"
    due_on: date | None = None
    is_dated: bool = True
    plan_id: UUID | None = None
    named_id: UUID | None = None

    def given_to(self, survivor_id: UUID) -> "Command":
        """The same for the customer into whom the one whom it names was merged."""
        named_id = self.named_id or self.customer_id
        return replace(self, customer_id=survivor_id, named_id=named_id)

    @property
    def leaves_rest_to_rule(self) -> bool:
        """Whether what it makes, credit or a charge, is then subject to the tenant's rule for
        credit. A command that says it allocates nothing means it, and so does one that spends
        credit itself."""
        makes = self.kind in (
            "payment", "credit", "charge", "assignment", "opening_charge", "opening_credit",
            "dunning_fee", "instalment", "budget_charge", "budget_credit",
        )  # fmt: skip
        return makes and self.allocations != ()

    @property
    def plan_account(self) -> Account:
        """The account of its budget plan; Rejected where it names none."""
        if self.plan_id is None:
            raise Rejected("budget_plan_unknown", "there is no budget plan to post it to")
        return chart.budget(self.currency, self.customer_id, self.plan_id)

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was asked for, whatever was posted for it."""
        allocations = (
            f"{requested.item_id}={ledger_amount(requested.amount):f}"
            for requested in self.allocations or ()
        )
        return digest_of(
            [
                self.kind, str(self.id), str(self.named_id or self.customer_id), self.currency,
                self.source, str(self.due_on),
                "all" if self.amount is None else f"{ledger_amount(self.amount):f}",
                self.reference, self.memo, self.occurred_at.isoformat() if self.is_dated else "",
                "oldest" if self.allocations is None else "named", *allocations,
            ]
        )  # fmt: skip
