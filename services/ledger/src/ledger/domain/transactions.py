"""Transactions: balanced, immutable sets of postings, with the items they open and settle.

Owns the value that every booking becomes, and its invariants. Refuses what does not balance, what
mixes currencies, what the ledger cannot store exactly, and postings to customers' claims that no
item accounts for.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Literal
from uuid import UUID

from kernel.ids import derive_id
from kernel.money import EXACT
from ledger.domain.accounts import CLAIMS, Account
from ledger.domain.moments import is_known

AMOUNT_DECIMALS = 8
AMOUNT_MAX = Decimal(10) ** 18
"""Far above any bill, and small enough that balances of a billion such fit their column."""
BALANCE_MAX = Decimal(10) ** 15
"""Of each account of a customer, either way: what its three come to still fits the sixteen digits
before the point that events carry."""
ZERO = Decimal(0)
_STEP = Decimal(1).scaleb(-AMOUNT_DECIMALS)
TransactionKind = Literal[
    "invoice", "credit_note", "payment", "refund", "write_off", "adjustment", "allocation",
    "release", "reversal",
]  # fmt: skip
ItemKind = Literal["invoice", "charge"]
ItemState = Literal["open", "part_paid", "paid", "void"]


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed amount on an account: debit positive, credit negative."""

    account: Account
    amount: Decimal

    def __post_init__(self) -> None:
        if self.amount != cut(self.amount):
            raise ValueError(f"{self.amount} has more than {AMOUNT_DECIMALS} decimals")


@dataclass(frozen=True, slots=True)
class Item:
    """What a customer is to pay, or below zero to be paid: an invoice, or a charge of its own.

    `settled` is the sum of its allocations and lies between nothing and `total`.
    """

    id: UUID
    kind: ItemKind
    number: str
    total: Decimal
    issued_at: datetime
    due_on: date
    settled: Decimal = ZERO
    voided: bool = False

    @property
    def open(self) -> Decimal:
        """What is still to be settled, with the sign of the total."""
        return EXACT.subtract(self.total, self.settled)

    @property
    def state(self) -> ItemState:
        """What its allocations make of it."""
        if self.voided:
            return "void"
        if not self.open:
            return "paid"
        return "part_paid" if self.settled else "open"


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of an item is settled by the transaction `source_id`.

    With the other sign than the item's total it takes back what the source had settled.
    """

    item_id: UUID
    source_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Transaction:
    """A balanced set of postings in one currency, about one customer.

    `opens` is the item that it asks for, `voids` one that it takes back; `digest` the SHA-256 of
    what it was made from, so that the same again can be told from something else under its id.
    """

    id: UUID
    tenant_id: str
    kind: TransactionKind
    document_id: UUID
    reference: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Decimal
    occurred_at: datetime
    correlation_id: str
    postings: tuple[Posting, ...]
    digest: bytes
    memo: str = ""
    allocations: tuple[Allocation, ...] = ()
    opens: Item | None = None
    voids: UUID | None = None

    def __post_init__(self) -> None:
        if not is_known(self.occurred_at):
            raise ValueError(f"transaction {self.reference} is of {self.occurred_at}")
        if any(posting.account.currency != self.currency for posting in self.postings):
            raise ValueError(f"transaction {self.reference} mixes currencies")
        with localcontext(EXACT):
            if difference := sum(posting.amount for posting in self.postings):
                raise ValueError(f"transaction {self.reference} is out of balance by {difference}")
            claimed = sum(p.amount for p in self.postings if p.account.account_class in CLAIMS)
            settled = sum(allocation.amount for allocation in self.allocations)
            if claimed != (self.opens.total if self.opens else ZERO) - settled:
                raise ValueError(f"transaction {self.reference} claims what no item accounts for")

    def posted(self, account: Account) -> Decimal:
        """What it puts on an account."""
        return sum_of(p.amount for p in self.postings if p.account == account)


def transaction_id(tenant_id: str, document_id: UUID) -> UUID:
    """The id of the transaction that books a document: known before it is booked."""
    return derive_id("posting", tenant_id, document_id)


def due_after(on: date, days: int) -> date:
    """The day so many days later; the last that there is where that lies beyond."""
    return on + timedelta(days=min(days, (date.max - on).days))


def digest_of(parts: Sequence[str]) -> bytes:
    """SHA-256 of what something was made from."""
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exactly."""
    with localcontext(EXACT):
        return sum(amounts, ZERO)


def cut(amount: Decimal) -> Decimal:
    """To the decimals that the ledger keeps; ValueError beyond what it keeps."""
    if abs(amount) >= AMOUNT_MAX:
        raise ValueError(f"{amount} is beyond what the ledger keeps ({AMOUNT_MAX:f})")
    return amount.quantize(_STEP, context=EXACT)
