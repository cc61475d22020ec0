"""Customer accounts: the prepaid credit and the open items that a posting is decided from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.money import EXACT, in_currency, plain
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.open_items import ZERO, OpenItem
from gridtally.ledger.accounts.domain.transactions import Transaction


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """A customer's prepaid credit and open items in one currency.

    prepaid  what the customer has paid beyond what was open, never below zero
    items    by id every item with something open, and those that a command names, paid or not
    is_known whether there is such a customer who pays in this currency, as far as billing has said
             or invoiced
    deposit  what is held of the customer as security, never below zero
    """

    tenant_id: str
    customer_id: UUID
    currency: str
    prepaid: Decimal = ZERO
    items: Mapping[UUID, OpenItem] = field(default_factory=dict)
    is_known: bool = True
    deposit: Decimal = ZERO

    def written(self, amount: Decimal) -> str:
        """An amount in the account's currency as messages to people have it."""
        return plain(in_currency(amount, self.currency))

    def item(self, id_: UUID) -> OpenItem | None:
        """The item of this id, if the customer has it in this currency."""
        return self.items.get(id_)

    def open_items(self, sign: int = 1) -> list[OpenItem]:
        """The items to be paid or, with -1, to be paid out, the oldest due first. Those of one
        moment, as what a batch of billing issues, by their numbers."""
        open_ = (item for item in self.items.values() if sign * item.open > 0)
        return sorted(open_, key=lambda item: (item.due_on, item.issued_at, item.number, item.id))

    def after(self, transaction: Transaction) -> "CustomerAccount":
        """The account once a transaction of this customer and currency is posted."""
        items = dict(self.items)
        if transaction.opens:
            items[transaction.opens.id] = transaction.opens
        for allocation in transaction.allocations:
            if item := items.get(allocation.item_id):
                allocated = EXACT.add(item.allocated, allocation.amount)
                items[item.id] = replace(item, allocated=allocated)
        spent = transaction.posted(chart.prepaid(self.currency, self.customer_id))
        used = transaction.posted(chart.deposit(self.currency, self.customer_id))
        return replace(
            self,
            prepaid=EXACT.subtract(self.prepaid, spent),
            deposit=EXACT.subtract(self.deposit, used),
            items=items,
        )
