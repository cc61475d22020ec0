"""Reversals: how what was posted is undone without editing it.

Owns reversals of payments, refunds, write-offs, adjustments and allocations, and deallocation: when
an open item is cancelled, what was allocated to it becomes the customer's credit again, or is no
longer written off. A reversal undoes what its transaction still allocates; what was deallocated
meanwhile it takes from where that went.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import EXACT, plain
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import ZERO, Allocation, OpenItem
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    TransactionKind,
    digest_of,
    sum_of,
    transaction_id,
)

REVERSIBLE: tuple[TransactionKind, ...] = (
    "payment", "refund", "write_off", "adjustment", "allocation", "assignment", "settlement",
    "deposit", "opening_balance", "dunning_fee",
)  # fmt: skip
"""Invoices are cancelled by billing's credit notes; deallocations and reversals stand."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, when and on whose behalf something is undone.

    memo         the reason, for people
    occurred_at  the date of value
    is_dated     whether that was asked for and is not just the moment of asking
    """

    memo: str
    occurred_at: datetime
    correlation_id: str
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class LiveAllocation:
    """What a transaction allocates to an open item now: all that it did, less what was taken back.

    amount  with the sign of the item's total
    """

    item_id: UUID
    source_id: UUID
    source_kind: TransactionKind
    amount: Decimal


def reversal_id(original_id: UUID) -> UUID:
    """The document of a transaction's one reversal."""
    return derive_id("reversal", original_id)


def reverse(
    account: CustomerAccount,
    original: Transaction,
    live: Sequence[LiveAllocation],
    reason: Reason,
) -> Transaction:
    """The mirror image of a transaction; `live` is what it still allocates.

    Conflict where it cannot be reversed: by its kind, or because what it had allocated was
    deallocated and nothing is left of it. Rejected for a date before the transaction's own: in
    between more would be owed than was ever asked for. Where the credit that it made was spent,
    `credit_short` says how much is to be taken back first.
    """
    occurred_at = _reversed_at(original, reason)
    document_id = reversal_id(original.id)
    id_ = transaction_id(account.tenant_id, document_id)
    moves = _mirrored(account, original, live)
    if not any(moves.values()):
        raise Conflict("deallocated_since", "the items that it was allocated to were cancelled")
    if moves[chart.deposit(account.currency, account.customer_id)] > account.deposit:
        raise Conflict("deposit_spent", "it was returned or set off since; reverse that first")
    allocations = [
        Allocation(allocation.item_id, original.id, -allocation.amount) for allocation in live
    ]
    if original.opens:
        allocations.append(Allocation(original.opens.id, id_, original.opens.total))
    return _mirror(original, moves, occurred_at, reason, allocations)


def reverse_settlement(original: Transaction, reason: Reason) -> Transaction:
    """The mirror image of a settlement: the payee is owed again what was paid.

    Rejected for a date before the settlement's own.
    """
    moves = {posting.account: EXACT.minus(posting.amount) for posting in original.postings}
    return _mirror(original, moves, _reversed_at(original, reason), reason)


def _mirror(
    original: Transaction,
    moves: Mapping[Account, Decimal],
    occurred_at: datetime,
    reason: Reason,
    allocations: Sequence[Allocation] = (),
) -> Transaction:
    """The reversal that moves and allocates this, and voids the item that was opened."""
    document_id = reversal_id(original.id)
    parts = ["reversal", str(original.id), reason.memo, occurred_at.isoformat()]
    return replace(
        original,
        id=transaction_id(original.tenant_id, document_id),
        kind="reversal",
        document_id=document_id,
        reverses_id=original.id,
        occurred_at=occurred_at,
        correlation_id=reason.correlation_id,
        postings=_postings(moves),
        digest=digest_of(parts),
        memo=reason.memo,
        allocations=tuple(allocations),
        opens=None,
        voids=original.opens.id if original.opens else None,
    )


def credit_short(
    account: CustomerAccount, original: Transaction, live: Sequence[LiveAllocation]
) -> Decimal:
    """How much more credit a reversal takes than the customer has: what was spent of the credit
    that the transaction made, and of payments for items that were cancelled since."""
    if original.kind not in REVERSIBLE:
        return ZERO
    moves = _mirrored(account, original, live)
    taken = moves[chart.prepaid(account.currency, account.customer_id)]
    return max(ZERO, EXACT.subtract(taken, account.prepaid))


def _reversed_at(original: Transaction, reason: Reason) -> datetime:
    """The date of value of a reversal, which is never before that of its transaction."""
    if original.kind not in REVERSIBLE:
        raise Conflict("not_reversible", f"a transaction of kind {original.kind} is not reversed")
    if reason.is_dated and reason.occurred_at < original.occurred_at:
        fault = Fault("/occurred_at", f"must not lie before {original.occurred_at.isoformat()}")
        raise Rejected("before_original", "it had not occurred by then", (fault,))
    return max(reason.occurred_at, original.occurred_at)


def _mirrored(
    account: CustomerAccount, original: Transaction, live: Sequence[LiveAllocation]
) -> defaultdict[Account, Decimal]:
    """What a reversal puts on each account.

    Every posting with the other sign. But what was deallocated since has left the receivable
    already, and stands where `deallocate` put it: so much is taken from there instead. What was
    paid out of an item below zero became a charge, from which nothing can be taken: Conflict.
    """
    still_allocated = {allocation.item_id: allocation.amount for allocation in live}
    moves: defaultdict[Account, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for posting in original.postings:
            moves[posting.account] -= posting.amount
        for allocation in original.allocations:
            deallocated = allocation.amount - still_allocated.get(allocation.item_id, ZERO)
            if deallocated and allocation.amount < 0:
                raise Conflict("deallocated_since", "an item that it paid out was cancelled since")
            moves[chart.receivable(account.currency, account.customer_id)] -= deallocated
            moves[_deallocated_to(account, original.kind)] += deallocated
    return moves


def deallocate(
    account: CustomerAccount,
    item: OpenItem,
    live: Sequence[LiveAllocation],
    cause_id: UUID,
    reason: Reason,
    plans: Mapping[UUID, Account] | None = None,
) -> Transaction | None:
    """Take back what is allocated to an item that is being cancelled or, where `live` is not all
    of that, credited in part; None where nothing is.

    What was paid becomes credit, what was written off is so no longer, and what was paid out of an
    item below zero the customer is to pay back: a charge, due at once. `cause_id` is the document
    that credits the item; `plans` has by their deferrals the budget plans that were not settled by
    then, to which what they had taken upon them returns.
    """
    if not live:
        return None
    document_id = derive_id("release", cause_id, item.id)
    moves, charge = _deallocated(account, item, live, document_id, reason.occurred_at, plans or {})
    parts = ["release", str(cause_id), str(item.id)]
    return Transaction(
        id=transaction_id(account.tenant_id, document_id),
        tenant_id=account.tenant_id,
        kind="release",
        document_id=document_id,
        reference=item.number,
        reverses_id=None,
        customer_id=account.customer_id,
        currency=account.currency,
        total=abs(sum_of(allocation.amount for allocation in live)),
        occurred_at=reason.occurred_at,
        correlation_id=reason.correlation_id,
        postings=_postings(moves),
        digest=digest_of(parts),
        memo=reason.memo,
        allocations=tuple(
            Allocation(item.id, allocation.source_id, -allocation.amount) for allocation in live
        ),
        opens=charge,
    )


def money_of(live: Sequence[LiveAllocation]) -> list[LiveAllocation]:
    """What was paid or given up of an item, and not credited: that is what can be taken back."""
    return [allocation for allocation in live if allocation.source_kind != "credit_note"]


def taken_for_credit(
    item: OpenItem, live: Sequence[LiveAllocation], credited: Decimal
) -> list[LiveAllocation]:
    """What is to be taken back of what is allocated to an item, so that `credited` of it is open.

    What was written off comes first: it is no longer to be given up, and nobody gets money for it.
    ValueError where more is credited than earlier credit notes have left.
    """
    short = max(ZERO, EXACT.subtract(credited, item.open))
    taken = []
    for allocation in sorted(money_of(live), key=lambda own: own.source_kind != "write_off"):
        if amount := min(short, allocation.amount):
            taken.append(replace(allocation, amount=amount))
            short = EXACT.subtract(short, amount)
    if short:
        raise ValueError(f"credits {plain(short.normalize(EXACT))} too much of {item.number}")
    return taken


def _deallocated(
    account: CustomerAccount,
    item: OpenItem,
    live: Sequence[LiveAllocation],
    document_id: UUID,
    at: datetime,
    plans: Mapping[UUID, Account],
) -> tuple[Mapping[Account, Decimal], OpenItem | None]:
    """What the deallocation puts on each account, and the charge that it makes."""
    receivable = chart.receivable(account.currency, account.customer_id)
    moves: defaultdict[Account, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        if item.total < 0:
            total = -sum_of(allocation.amount for allocation in live)
            moves[receivable] = total
            moves[chart.export_payable(account.currency, account.customer_id)] = -total
            due_on = at.astimezone(UTC).date()
            return moves, OpenItem(document_id, "charge", item.number, total, at, due_on)
        for allocation in live:
            moves[receivable] += allocation.amount
            paid_by = plans.get(allocation.source_id)
            given_to = paid_by or _deallocated_to(account, allocation.source_kind)
            moves[given_to] -= allocation.amount
    return moves, None


def _deallocated_to(account: CustomerAccount, kind: TransactionKind) -> Account:
    """Where the money of a transaction goes that paid an item which is cancelled."""
    if kind == "write_off":
        return chart.write_off(account.currency)
    return chart.prepaid(account.currency, account.customer_id)


def _postings(moves: Mapping[Account, Decimal]) -> tuple[Posting, ...]:
    return tuple(Posting(account, amount) for account, amount in moves.items() if amount)
