"""Open items: invoices and charges, and how much of each is allocated.

Owns what is open of an item and the state that follows from it. An allocation never changes what an
earlier one recorded: to take it back is an allocation with the other sign.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.money import EXACT

ZERO = Decimal(0)
OpenItemKind = Literal["invoice", "charge"]
OpenItemState = Literal["open", "part_paid", "paid", "void"]


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What a customer is to pay or, with a total below zero, is to be paid.

    kind       an invoice of billing, or a charge that was posted by hand
    number     what people call it: an invoice's number, a charge's reference
    total      the amount of the document
    issued_at  the date of value of the transaction that opened it
    due_on     the last day to pay it, in UTC
    allocated  the sum of its allocations, between zero and `total`
    voided     whether it was cancelled: by a credit note, or by the reversal of its charge
    """

    id: UUID
    kind: OpenItemKind
    number: str
    total: Decimal
    issued_at: datetime
    due_on: date
    allocated: Decimal = ZERO
    voided: bool = False

    @property
    def open(self) -> Decimal:
        """What is still to be paid, with the sign of the total."""
        return EXACT.subtract(self.total, self.allocated)

    @property
    def state(self) -> OpenItemState:
        """Whether it is void, paid, part paid or open."""
        if self.voided:
            return "void"
        if not self.open:
            return "paid"
        return "part_paid" if self.allocated else "open"


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of an open item is paid by the transaction `source_id`.

    item_id    the open item
    source_id  the transaction whose money it is: the one that has this allocation or, where it
               takes an earlier allocation back, the one that had made that
    amount     with the sign of the item's total; with the other sign it takes back
    """

    item_id: UUID
    source_id: UUID
    amount: Decimal


def due_after(issued_on: date, payment_days: int) -> date:
    """The day so many days later, or the last day that there is where that lies beyond."""
    return issued_on + timedelta(days=min(payment_days, (date.max - issued_on).days))
