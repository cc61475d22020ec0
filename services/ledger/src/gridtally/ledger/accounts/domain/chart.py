"""The chart of accounts: which classes of account there are, and how each account is named.

There is one chart per tenant and currency. An account comes into being with its first posting, and
its id follows from its name. Debits are positive and credits negative. `AccountClass` is the one
list of classes: SQL, reports and events go by it, and the CHECK constraints of the table repeat it.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT


class AccountClass(StrEnum):
    """What an account is for. The values are stored, and begin the codes of customers' accounts."""

    RECEIVABLE = "receivable"
    PREPAID = "prepaid"
    EXPORT_PAYABLE = "export_payable"
    DEPOSIT = "deposit"
    BUDGET = "budget"
    PAYABLE = "payable"
    REVENUE = "revenue"
    TAX = "tax"
    CASH = "cash"
    ROUNDING = "rounding"
    WRITE_OFF = "write_off"
    SUSPENSE = "suspense"
    OPENING_BALANCE = "opening_balance"

    def on_normal_side(self, balance: Decimal) -> Decimal:
        """Debits less credits as reports state them: above zero on the normal side of the class.

        It is its own inverse.
        """
        return balance if self in DEBIT_CLASSES else EXACT.minus(balance)


CUSTOMER_CLASSES = (AccountClass.RECEIVABLE, AccountClass.PREPAID, AccountClass.EXPORT_PAYABLE)
"""The accounts that each customer has; their sum is what the customer owes on balance."""
OWNED_CLASSES = (*CUSTOMER_CLASSES, AccountClass.DEPOSIT, AccountClass.BUDGET)
"""All accounts that are one customer's. A deposit is the customer's too, but nothing that is owed
on balance: it is held until it is returned, or set off against what is open. A budget plan has an
account of its own, on which instalments and invoices wait to be settled with one another."""
RECEIVABLE_CLASSES = (AccountClass.RECEIVABLE, AccountClass.EXPORT_PAYABLE)
"""What open items stand on: both balances together are the sum of a customer's open amounts."""
PAYEE_CLASSES = (AccountClass.PAYABLE, AccountClass.TAX)
"""What others than customers are owed by lines of invoices: whoever the lines name as payee, and
the tax authority for taxes that name nobody."""
DEBIT_CLASSES = (AccountClass.RECEIVABLE, AccountClass.CASH, AccountClass.WRITE_OFF)
"""Claims, money and expenses; all others are normally in credit."""


@dataclass(frozen=True, slots=True)
class Account:
    """A named place in the books of one tenant.

    currency      its one currency, an ISO 4217 code
    code          what names it within its tenant and currency, such as `revenue:energy`
    account_class what it is for
    customer_id   whose it is, where its class is one of `OWNED_CLASSES`; None otherwise
    """

    currency: str
    code: str
    account_class: AccountClass
    customer_id: UUID | None = None

    def id(self, tenant_id: str) -> UUID:
        """The account's id, for ever."""
        return derive_id("account", tenant_id, self.currency, self.code)


def customer_account(currency: str, account_class: AccountClass, customer_id: UUID) -> Account:
    """The customer's account of one of `OWNED_CLASSES`."""
    return Account(currency, f"{account_class}:{customer_id}", account_class, customer_id)


def receivable(currency: str, customer_id: UUID) -> Account:
    """What a customer owes for invoices and charges: a debit balance."""
    return customer_account(currency, AccountClass.RECEIVABLE, customer_id)


def prepaid(currency: str, customer_id: UUID) -> Account:
    """What a customer has paid beyond what was open: a credit balance, never a debit one."""
    return customer_account(currency, AccountClass.PREPAID, customer_id)


def export_payable(currency: str, customer_id: UUID) -> Account:
    """What a customer is owed by invoices below zero, as exported energy makes them: credit."""
    return customer_account(currency, AccountClass.EXPORT_PAYABLE, customer_id)


def deposit(currency: str, customer_id: UUID) -> Account:
    """What is held of a customer as security, without interest: credit, never a debit balance."""
    return customer_account(currency, AccountClass.DEPOSIT, customer_id)


def budget(currency: str, customer_id: UUID, plan_id: UUID) -> Account:
    """What a budget plan has asked for less what invoices came to: credit where it asked for more,
    and a debit balance where more was used."""
    code = f"{AccountClass.BUDGET}:{customer_id}:{plan_id}"
    return Account(currency, code, AccountClass.BUDGET, customer_id)


def plan_of(account: Account) -> UUID:
    """The budget plan of an account of class `BUDGET`: the inverse of `budget`."""
    return UUID(account.code.rpartition(":")[2])


def revenue(currency: str, kind: str) -> Account:
    """What one kind of tariff components has earned."""
    return Account(currency, f"{AccountClass.REVENUE}:{kind}", AccountClass.REVENUE)


def payable(currency: str, payee: str) -> Account:
    """What is owed to whom lines of invoices name as the payee: credit."""
    return Account(currency, f"{AccountClass.PAYABLE}:{payee}", AccountClass.PAYABLE)


def payee_of(account: Account) -> str | None:
    """Whom an account of one of `PAYEE_CLASSES` is for, as lines name them; None for taxes that
    name nobody."""
    return account.code.partition(":")[2] or None


def owed_to(currency: str, payee: str | None) -> Account:
    """The account of a payee: the inverse of `payee_of`."""
    return tax(currency) if payee is None else payable(currency, payee)


def tax(currency: str) -> Account:
    """What is owed to the tax authority, of taxes that name no payee."""
    return _single(currency, AccountClass.TAX)


def cash(currency: str) -> Account:
    """What customers have paid in, less what was paid out to them."""
    return _single(currency, AccountClass.CASH)


def rounding(currency: str) -> Account:
    """What rounding gained or lost between the lines of documents and their totals."""
    return _single(currency, AccountClass.ROUNDING)


def write_off(currency: str) -> Account:
    """Claims that were given up."""
    return _single(currency, AccountClass.WRITE_OFF)


def suspense(currency: str) -> Account:
    """Money that came in for nobody who is known, until it is assigned or paid back: credit."""
    return _single(currency, AccountClass.SUSPENSE)


def opening_balance(currency: str) -> Account:
    """What customers' accounts were taken over with, from the books before these: equity."""
    return _single(currency, AccountClass.OPENING_BALANCE)


def _single(currency: str, account_class: AccountClass) -> Account:
    """The one account of its class, which has the class for its code."""
    return Account(currency, account_class.value, account_class)
