"""Opening balances: what customers owed, or had as credit, when their accounts were taken over.

Owns what names one: customer, currency and reference, so that a list which is sent again books
nothing twice. One that was reversed may be booked again under its reference.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts.domain.commands import Command


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """What a customer's account begins with, or one open invoice of the books before these.

    amount       above zero what the customer owes, below zero the customer's credit
    reference    what the books before these call it: an invoice's number, a customer's
    occurred_at  the date of value
    due_on       when it is, or was, to be paid; None means on its date of value, and for a credit
    """

    customer_id: UUID
    currency: str
    amount: Decimal
    reference: str
    occurred_at: datetime
    due_on: date | None = None

    def __post_init__(self) -> None:
        if not self.amount:
            fault = Fault("/amount", "must be above or below zero")
            raise Rejected("amount_missing", "there is no amount to post", (fault,))
        if self.amount < 0 and self.due_on is not None:
            fault = Fault("/due_on", "must be left out of a credit")
            raise Rejected("due_refused", "a credit is not due", (fault,))

    def id(self, tenant_id: str, reversed_times: int) -> UUID:
        """What it is booked under, after so many bookings of it that were reversed."""
        named = tenant_id, self.customer_id, self.currency, self.reference, reversed_times
        return derive_id("opening_balance", *named)

    def command(self, id_: UUID, correlation_id: str) -> Command:
        """The command that books it."""
        return Command(
            kind="opening_charge" if self.amount > 0 else "opening_credit",
            id=id_,
            customer_id=self.customer_id,
            currency=self.currency,
            amount=abs(self.amount),
            reference=self.reference,
            memo="",
            occurred_at=self.occurred_at,
            correlation_id=correlation_id,
            due_on=self.due_on,
        )
