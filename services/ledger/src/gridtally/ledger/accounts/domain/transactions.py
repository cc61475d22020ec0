"""Transactions: balanced, immutable sets of postings, with the items that they open and allocate.

Owns the value that everything which is posted becomes, and its invariants. Refuses what does not
balance, what mixes currencies, what the ledger cannot store exactly, and postings to a customer's
receivable accounts that no open item accounts for.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Literal
from uuid import UUID

from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.chart import (
    RECEIVABLE_CLASSES,
    Account,
    AccountClass,
    plan_of,
)
from gridtally.ledger.accounts.domain.open_items import ZERO, Allocation, OpenItem
from gridtally.ledger.moments import is_known

AMOUNT_DECIMALS = 8
AMOUNT_MAX = Decimal(10) ** 18
"""Far above any bill, and small enough that balances of a billion such fit their column."""
BALANCE_MAX = Decimal(10) ** 15
"""Of each account of a customer, either way: what its three come to still fits the sixteen digits
before the point that events carry."""
_STEP = Decimal(1).scaleb(-AMOUNT_DECIMALS)
TransactionKind = Literal[
    "invoice", "credit_note", "payment", "refund", "write_off", "adjustment", "allocation",
    "release", "reversal", "assignment", "settlement", "deposit", "opening_balance",
    "dunning_fee", "instalment", "deferral", "budget_settlement", "merge",
]  # fmt: skip
"""As stored and sealed for ever. A `release` deallocates, by the name it was first sealed under;
an `assignment` gives a payment that stood in suspense to a customer; a `settlement` pays a payee
and is, as its reversal, about no customer; a `deposit` is money that is held for a customer; an
`opening_balance` is what a customer owed, or had as credit, when the account was taken over; a
`dunning_fee` is what a notice costs that asks again for what is overdue. Of a budget plan an
`instalment` asks for its equal amount, a `deferral` has an invoice wait for the settlement, and a
`budget_settlement` sets what was asked for against what was used. A `merge` moves what stands on
the accounts of a duplicate to the customer who is the same."""
INVOICED_KINDS: tuple[TransactionKind, ...] = ("invoice", "credit_note")
"""Billing's own documents. What they put on a customer's accounts is published beside the balance,
so that billing can tell what of its documents is in it."""
ERASED_DIGEST = bytes(32)
"""Stands for the digest of what was made from texts that are erased, and could be tried out."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a transaction: a signed amount on an account.

    account  where the amount is posted
    amount   above zero a debit, below zero a credit, in the account's currency
    """

    account: Account
    amount: Decimal

    def __post_init__(self) -> None:
        if self.amount != ledger_amount(self.amount):
            raise ValueError(f"{self.amount} has more than {AMOUNT_DECIMALS} decimals")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A balanced set of postings in one currency, about one customer or, of a settlement, none.

    kind            what was posted; it decides whether it can be reversed
    document_id     what it was made from: an invoice, a payment, a command, a reversal
    reference       the number or text by which people know that
    reverses_id     the transaction that it mirrors, of a credit note or reversal
    total           the amount of the document
    occurred_at     the date of value
    correlation_id  the id that follows it from the request or reading that caused it
    postings        signed amounts that add up to zero
    digest          SHA-256 of what it was made from: the same again has the same, anything else
                    under its id another
    memo            a reason or method, for people
    allocations     what it allocates to open items, or takes back of earlier allocations
    opens           the open item that it makes
    voids           the open item that it cancels
    proof_root      of an invoice: the root of the proof of all that it was computed from
    """

    id: UUID
    tenant_id: str
    kind: TransactionKind
    document_id: UUID
    reference: str
    reverses_id: UUID | None
    customer_id: UUID | None
    currency: str
    total: Decimal
    occurred_at: datetime
    correlation_id: str
    postings: tuple[Posting, ...]
    digest: bytes
    memo: str = ""
    allocations: tuple[Allocation, ...] = ()
    opens: OpenItem | None = None
    voids: UUID | None = None
    proof_root: str | None = None

    def __post_init__(self) -> None:
        if not is_known(self.occurred_at):
            raise ValueError(f"transaction {self.reference} is of {self.occurred_at}")
        if any(posting.account.currency != self.currency for posting in self.postings):
            raise ValueError(f"transaction {self.reference} mixes currencies")
        with localcontext(EXACT):
            if difference := sum(posting.amount for posting in self.postings):
                raise ValueError(f"transaction {self.reference} is out of balance by {difference}")
            claimed = sum(
                posting.amount
                for posting in self.postings
                if posting.account.account_class in RECEIVABLE_CLASSES
            )
            allocated = sum(allocation.amount for allocation in self.allocations)
            if claimed != (self.opens.total if self.opens else ZERO) - allocated:
                raise ValueError(f"transaction {self.reference} claims what no item accounts for")

    @property
    def owner_id(self) -> UUID:
        """The customer whom it is about; ValueError of what is about no customer."""
        if self.customer_id is None:
            raise ValueError(f"transaction {self.reference} is about no customer")
        return self.customer_id

    @property
    def plan_id(self) -> UUID | None:
        """The budget plan on whose account it posts; None where it does on none."""
        accounts = (posting.account for posting in self.postings)
        plans = (plan_of(own) for own in accounts if own.account_class is AccountClass.BUDGET)
        return next(plans, None)

    def posted(self, account: Account) -> Decimal:
        """What it posts to an account, all its postings there together."""
        return sum_of(posting.amount for posting in self.postings if posting.account == account)


def transaction_id(tenant_id: str, document_id: UUID) -> UUID:
    """The id of the transaction that posts a document: known before it is posted."""
    return derive_id("posting", tenant_id, document_id)


def is_repetition(known: bytes, digest: bytes) -> bool:
    """Whether what is posted under an id was made from the same: of what was erased since nobody
    can say, so it counts as the same."""
    return known in (digest, ERASED_DIGEST)


def digest_of(parts: Sequence[str]) -> bytes:
    """SHA-256 of what something was made from."""
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of the amounts, exactly."""
    with localcontext(EXACT):
        return sum(amounts, ZERO)


def ledger_amount(amount: Decimal) -> Decimal:
    """The amount in the decimals that the ledger stores; ValueError beyond what it stores."""
    if abs(amount) >= AMOUNT_MAX:
        raise ValueError(f"{amount} is beyond what the ledger keeps ({AMOUNT_MAX:f})")
    return amount.quantize(_STEP, context=EXACT)
