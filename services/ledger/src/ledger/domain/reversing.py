"""Reversing: how what was booked is taken back without editing it.

Owns reversals of payments, refunds, write-offs, adjustments and allocations, and releases: when an
item is taken back, what had settled it becomes the customer's credit again, or is written off no
longer. A reversal takes back what its transaction still settles; what was released meanwhile it
takes from where that went.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from kernel.errors import Conflict, Fault, Rejected
from kernel.ids import derive_id
from kernel.money import EXACT
from ledger.domain import accounts
from ledger.domain.accounts import Account
from ledger.domain.settling import Books
from ledger.domain.transactions import (
    ZERO,
    Allocation,
    Item,
    Posting,
    Transaction,
    TransactionKind,
    digest_of,
    sum_of,
    transaction_id,
)

REVERSIBLE: tuple[TransactionKind, ...] = (
    "payment", "refund", "write_off", "adjustment", "allocation",
)  # fmt: skip
"""Invoices are taken back by billing's credit notes; releases and reversals stand."""


@dataclass(frozen=True, slots=True)
class Why:
    """The reason for taking something back, when, and on whose behalf. `dated` says that the
    moment was asked for and is not just that of asking."""

    memo: str
    occurred_at: datetime
    correlation_id: str
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a transaction has settled of an item and not given back."""

    item_id: UUID
    source_id: UUID
    source_kind: TransactionKind
    amount: Decimal


def reversal_id(original_id: UUID) -> UUID:
    """The document of a transaction's one reversal."""
    return derive_id("reversal", original_id)


def reverse(
    books: Books, original: Transaction, live: Sequence[Settlement], why: Why
) -> Transaction:
    """The mirror image of a transaction; `live` is what it settles still.

    Conflict where it cannot be reversed: by its kind, because what it had settled was released and
    nothing is left of it, or because the credit that it gave was spent. Rejected for a moment
    before the transaction itself: in between more would be owed than was ever asked for.
    """
    if original.kind not in REVERSIBLE:
        raise Conflict("not_reversible", f"a transaction of kind {original.kind} is not reversed")
    if why.dated and why.occurred_at < original.occurred_at:
        fault = Fault("/occurred_at", f"must not lie before {original.occurred_at.isoformat()}")
        raise Rejected("before_original", "it had not occurred by then", (fault,))
    occurred_at = max(why.occurred_at, original.occurred_at)
    document_id = reversal_id(original.id)
    id_ = transaction_id(books.tenant_id, document_id)
    still = {one.item_id: one.amount for one in live}
    moves: defaultdict[Account, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for posting in original.postings:
            moves[posting.account] -= posting.amount
        for each in original.allocations:
            released = each.amount - still.get(each.item_id, ZERO)
            if released and each.amount < 0:
                raise Conflict("released_since", "an item that it paid out was taken back since")
            moves[accounts.receivable(books.currency, books.customer_id)] -= released
            moves[_given_back_to(original.kind, books)] += released
    if not any(moves.values()):
        raise Conflict("released_since", "the items that it settled were taken back since")
    if books.prepaid < moves[accounts.prepaid(books.currency, books.customer_id)]:
        raise Conflict("prepaid_spent", "the credit that it gave was spent; reverse that first")
    allocations = [Allocation(one.item_id, original.id, -one.amount) for one in live]
    if original.opens:
        allocations.append(Allocation(original.opens.id, id_, original.opens.total))
    parts = ["reversal", str(original.id), why.memo, occurred_at.isoformat()]
    return replace(
        original,
        id=id_,
        kind="reversal",
        document_id=document_id,
        reverses_id=original.id,
        occurred_at=occurred_at,
        correlation_id=why.correlation_id,
        postings=tuple(Posting(account, amount) for account, amount in moves.items() if amount),
        digest=digest_of(parts),
        memo=why.memo,
        allocations=tuple(allocations),
        opens=None,
        voids=original.opens.id if original.opens else None,
    )


def release(
    books: Books, item: Item, settled: Sequence[Settlement], cause_id: UUID, why: Why
) -> Transaction | None:
    """Take from an item that is being taken back what has settled it; None where nothing has.

    What was paid becomes credit, what was written off is so no longer, and what was paid out of an
    item below zero the customer is to pay back: a charge.
    """
    if not settled:
        return None
    document_id = derive_id("release", cause_id, item.id)
    on = why.occurred_at.astimezone(UTC).date()
    moves, opens = _released(books, item, settled, document_id, why.occurred_at, on)
    parts = ["release", str(cause_id), str(item.id)]
    return Transaction(
        id=transaction_id(books.tenant_id, document_id),
        tenant_id=books.tenant_id,
        kind="release",
        document_id=document_id,
        reference=item.number,
        reverses_id=None,
        customer_id=books.customer_id,
        currency=books.currency,
        total=abs(sum_of(one.amount for one in settled)),
        occurred_at=why.occurred_at,
        correlation_id=why.correlation_id,
        postings=tuple(Posting(account, amount) for account, amount in moves.items() if amount),
        digest=digest_of(parts),
        memo=why.memo,
        allocations=tuple(Allocation(item.id, one.source_id, -one.amount) for one in settled),
        opens=opens,
    )


def _released(
    books: Books,
    item: Item,
    settled: Sequence[Settlement],
    document_id: UUID,
    at: datetime,
    on: date,
) -> tuple[Mapping[Account, Decimal], Item | None]:
    """Where the released amounts go, and the charge that they make."""
    owed = accounts.receivable(books.currency, books.customer_id)
    moves: defaultdict[Account, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        if item.total < 0:
            total = -sum_of(one.amount for one in settled)
            moves[owed] = total
            moves[accounts.export_payable(books.currency, books.customer_id)] = -total
            return moves, Item(document_id, "charge", item.number, total, at, on)
        for one in settled:
            moves[owed] += one.amount
            moves[_given_back_to(one.source_kind, books)] -= one.amount
    return moves, None


def _given_back_to(kind: TransactionKind, books: Books) -> Account:
    if kind == "write_off":
        return accounts.write_off(books.currency)
    return accounts.prepaid(books.currency, books.customer_id)
