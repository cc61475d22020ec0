"""Balances of customers: what each owes and has as credit, class by class."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gridtally.kernel.money import in_currency
from gridtally.ledger.accounts.domain.chart import CUSTOMER_CLASSES, AccountClass
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.transactions import sum_of


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """What a customer owes in one currency.

    amounts  by each of `CUSTOMER_CLASSES`, above zero on the normal side of its class
    arrears  what of the receivable was due before the day that is asked for
    invoiced_total  what billing's documents, invoices less credit notes, come to in it
    """

    currency: str
    amounts: Mapping[AccountClass, Decimal]
    arrears: Decimal = ZERO
    invoiced_total: Decimal = ZERO

    @classmethod
    def of(
        cls,
        currency: str,
        debits_less_credits: Mapping[AccountClass, Decimal],
        *,
        arrears: Decimal,
        invoiced_total: Decimal,
    ) -> "CustomerBalance":
        """The balance of a customer's accounts; one that does not exist yet holds nothing."""
        amounts = {
            account_class: account_class.on_normal_side(
                debits_less_credits.get(account_class, ZERO)
            )
            for account_class in CUSTOMER_CLASSES
        }
        return cls(currency, amounts, arrears, invoiced_total)

    @property
    def balance(self) -> Decimal:
        """What is owed, all in all: debits less credits."""
        return sum_of(
            account_class.on_normal_side(amount) for account_class, amount in self.amounts.items()
        )

    def by_name(self) -> dict[str, object]:
        """Its fields in events and in the API, in the decimals of the currency: one for each class,
        besides the sum, arrears and what was invoiced."""
        amounts = {account_class.value: amount for account_class, amount in self.amounts.items()}
        for name in ("balance", "arrears", "invoiced_total"):
            amounts[name] = getattr(self, name)
        written = {name: in_currency(amount, self.currency) for name, amount in amounts.items()}
        return {"currency": self.currency, **written}
