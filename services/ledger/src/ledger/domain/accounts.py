"""The chart of accounts, one per tenant and currency.

Accounts come into being when something is first posted to them; their ids follow from their names.
Debits are positive, credits negative.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from kernel.ids import derive_id

AccountClass = Literal[
    "receivable", "prepaid", "export_payable", "revenue", "tax", "cash", "rounding", "write_off"
]
CLAIMS: tuple[AccountClass, ...] = ("receivable", "export_payable")
"""What items stand on: the balance of both together is the sum of a customer's open amounts."""
CUSTOMERS: tuple[AccountClass, ...] = (*CLAIMS, "prepaid")
"""The accounts that each customer has; their sum is what the customer owes on balance."""


@dataclass(frozen=True, slots=True)
class Account:
    """`code` names it within its tenant and currency; those of `CUSTOMERS` are one customer's."""

    currency: str
    code: str
    account_class: AccountClass
    customer_id: UUID | None = None

    def id(self, tenant_id: str) -> UUID:
        """The account's id, for ever."""
        return derive_id("account", tenant_id, self.currency, self.code)


def _of_customer(currency: str, account_class: AccountClass, customer_id: UUID) -> Account:
    return Account(currency, f"{account_class}:{customer_id}", account_class, customer_id)


def receivable(currency: str, customer_id: UUID) -> Account:
    """What a customer owes for invoices and charges: debit."""
    return _of_customer(currency, "receivable", customer_id)


def prepaid(currency: str, customer_id: UUID) -> Account:
    """What a customer has paid beyond what was asked: credit, never debit."""
    return _of_customer(currency, "prepaid", customer_id)


def export_payable(currency: str, customer_id: UUID) -> Account:
    """What a customer is owed by invoices below zero, as exported energy makes them: credit."""
    return _of_customer(currency, "export_payable", customer_id)


def revenue(currency: str, kind: str) -> Account:
    """What one class of tariff components has earned."""
    return Account(currency, f"revenue:{kind}", "revenue")


def tax(currency: str) -> Account:
    """What is owed to the tax authority."""
    return Account(currency, "tax", "tax")


def cash(currency: str) -> Account:
    """What customers have paid in, less what was paid out to them."""
    return Account(currency, "cash", "cash")


def rounding(currency: str) -> Account:
    """What rounding gained or lost between lines and totals."""
    return Account(currency, "rounding", "rounding")


def write_off(currency: str) -> Account:
    """What was given up."""
    return Account(currency, "write_off", "write_off")
