"""The chart of accounts, one per tenant and currency.

Accounts come into being when something is first posted to them; their ids follow from their names.
Debits are positive, credits negative.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from kernel.ids import derive_id

AccountClass = Literal["receivable", "revenue", "tax", "rounding"]


@dataclass(frozen=True, slots=True)
class Account:
    """`code` names it within its tenant and currency; a receivable is one customer's."""

    currency: str
    code: str
    account_class: AccountClass
    customer_id: UUID | None = None

    def id(self, tenant_id: str) -> UUID:
        """The account's id, for ever."""
        return derive_id("account", tenant_id, self.currency, self.code)


def receivable(currency: str, customer_id: UUID) -> Account:
    """What a customer owes (debit) or is owed (credit)."""
    return Account(currency, f"receivable:{customer_id}", "receivable", customer_id)


def revenue(currency: str, kind: str) -> Account:
    """What one class of tariff components has earned."""
    return Account(currency, f"revenue:{kind}", "revenue")


def tax(currency: str) -> Account:
    """What is owed to the tax authority."""
    return Account(currency, "tax", "tax")


def rounding(currency: str) -> Account:
    """What rounding gained or lost between lines and totals."""
    return Account(currency, "rounding", "rounding")
