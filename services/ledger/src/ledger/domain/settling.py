"""Settling: payments, refunds, write-offs, adjustments, and what they settle of which item.

Owns which accounts each touches, which items money goes to, and when the answer is no. Everything
is decided from one customer's books in one currency, which the caller holds the lock of. Nothing
that was booked is edited: it is reversed, and what had settled an item that is taken back is
released. An over-payment is the customer's credit (prepaid) until an allocation spends it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from kernel.errors import Fault, Rejected
from kernel.money import EXACT, is_payable, minor_decimals
from ledger.domain import accounts
from ledger.domain.accounts import Account
from ledger.domain.transactions import (
    ZERO,
    Allocation,
    Item,
    Posting,
    Transaction,
    TransactionKind,
    cut,
    digest_of,
    sum_of,
    transaction_id,
)

SHARES_MAX = 1_000
"""The most items that one transaction settles; what it has beyond stays the customer's credit."""
CreditSource = Literal["prepaid", "export_payable"]
AskKind = Literal["payment", "refund", "write_off", "credit", "charge", "allocation"]


@dataclass(frozen=True, slots=True)
class Share:
    """So much, above zero, for one item."""

    item_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks to be booked. `amount` is above zero; None means as much as there is.

    `named` says what goes to which item; None, to the oldest due first. `dated` says that the
    moment was asked for and is not just that of asking.
    """

    id: UUID
    amount: Decimal | None
    reference: str
    memo: str
    occurred_at: datetime
    correlation_id: str
    named: tuple[Share, ...] | None = None
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be done for which customer in which currency."""

    kind: AskKind
    customer_id: UUID
    currency: str
    order: Order
    source: CreditSource = "prepaid"
    due_on: date | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was asked for, whatever became of it."""
        order = self.order
        named = (f"{share.item_id}={cut(share.amount):f}" for share in order.named or ())
        return digest_of(
            [
                self.kind, str(order.id), str(self.customer_id), self.currency, self.source,
                str(self.due_on), "all" if order.amount is None else f"{cut(order.amount):f}",
                order.reference, order.memo, order.occurred_at.isoformat() if order.dated else "",
                "oldest" if order.named is None else "named", *named,
            ]
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Books:
    """A customer's books in one currency: its credit, and every item that is open or was named."""

    tenant_id: str
    customer_id: UUID
    currency: str
    prepaid: Decimal = ZERO
    items: Mapping[UUID, Item] | None = None

    def item(self, id_: UUID) -> Item | None:
        """One item, if the customer has it in this currency."""
        return (self.items or {}).get(id_)

    def open_items(self, sign: int = 1) -> list[Item]:
        """The items to be paid or, with -1, to be paid out, the oldest due first."""
        waiting = (item for item in (self.items or {}).values() if sign * item.open > 0)
        return sorted(waiting, key=lambda item: (item.due_on, item.issued_at, item.id))

    def after(self, one: Transaction) -> "Books":
        """The books once a transaction is in them."""
        items = dict(self.items or {})
        if one.opens:
            items[one.opens.id] = one.opens
        for each in one.allocations:
            if item := items.get(each.item_id):
                settled = EXACT.add(item.settled, each.amount)
                items[item.id] = replace(item, settled=settled)
        spent = one.posted(accounts.prepaid(self.currency, self.customer_id))
        return replace(self, prepaid=EXACT.subtract(self.prepaid, spent), items=items)


def decide(books: Books, ask: Ask) -> Transaction:
    """The transaction that does what is asked for; Rejected where the books do not allow it."""
    order = ask.order
    match ask.kind:
        case "payment":
            one = _pay(books, order)
        case "credit":
            one = _credit(books, order)
        case "charge":
            due_on = ask.due_on or order.occurred_at.astimezone(UTC).date()
            one = _charge(books, order, due_on)
        case "refund":
            one = _refund(books, order, ask.source)
        case "allocation":
            one = _allocate(books, order, ask.source)
        case "write_off":
            one = _write_off(books, order)
    return replace(one, digest=ask.digest)


def check_payable(books: Books, one: Transaction) -> None:
    """Rejected for what nobody can pay, being finer than the currency's minor unit.

    Bills may be finer, where their tariff says so: of these an allocation takes what there is, and
    a write-off the whole rest.
    """
    if one.kind == "allocation" or is_payable(one.total, one.currency):
        return
    if one.kind == "write_off" and all(_is_rest(books, share) for share in one.allocations):
        return
    decimals = minor_decimals(one.currency)
    fault = Fault("/amount", f"must have at most {decimals} decimals in {one.currency}")
    raise Rejected("finer_than_currency", "the currency has no unit so small", (fault,))


def _is_rest(books: Books, share: Allocation) -> bool:
    item = books.item(share.item_id)
    return is_payable(share.amount, books.currency) or (item and item.open) == share.amount


def _pay(books: Books, order: Order) -> Transaction:
    """Money that came in: what it settles off the receivable, the rest onto the credit."""
    return _credited(books, order, "payment", accounts.cash(books.currency))


def _credit(books: Books, order: Order) -> Transaction:
    """An adjustment in the customer's favour; it is spent as a payment is."""
    adjusted = accounts.revenue(books.currency, "adjustment")
    return _credited(books, order, "adjustment", adjusted, total_sign=-1)


def _charge(books: Books, order: Order, due_on: date) -> Transaction:
    """An adjustment that the customer is to pay: an item of its own."""
    amount = _amount(order)
    item = Item(order.id, "charge", order.reference, amount, order.occurred_at, due_on)
    moves = {
        accounts.receivable(books.currency, books.customer_id): amount,
        accounts.revenue(books.currency, "adjustment"): -amount,
    }
    return _transaction(books, order, "adjustment", moves, opens=item)


def _refund(books: Books, order: Order, source: CreditSource) -> Transaction:
    """Money paid out, from the customer's credit or from what exported energy has earned."""
    amount = _available(books, order, source)
    moves = {_credit_of(books, source): amount, accounts.cash(books.currency): -amount}
    paid_out = list(_drawn(books, amount)) if source == "export_payable" else []
    return _transaction(books, order, "refund", moves, paid_out, total=amount)


def _allocate(books: Books, order: Order, source: CreditSource) -> Transaction:
    """Spend the customer's credit, or what exported energy has earned, on open items."""
    wanted = order.amount
    if wanted is None and order.named is not None:
        wanted = sum_of(share.amount for share in order.named)
    elif wanted is None:
        payable = sum_of(item.open for item in books.open_items()[:SHARES_MAX])
        wanted = min(payable, _there(books, source))
    amount = _available(books, replace(order, amount=wanted), source)
    shares = _shares(books, amount, order.named)
    if sum_of(share.amount for share in shares) != amount:
        raise Rejected("nothing_to_settle", f"open items take less than {amount:f}")
    moves = {
        _credit_of(books, source): amount,
        accounts.receivable(books.currency, books.customer_id): -amount,
    }
    drawn = list(_drawn(books, amount)) if source == "export_payable" else []
    return _transaction(books, order, "allocation", moves, [*shares, *drawn], total=amount)


def _write_off(books: Books, order: Order) -> Transaction:
    """Give up what named or the oldest items still ask for."""
    amount = _amount(order)
    shares = _shares(books, amount, order.named)
    if sum_of(share.amount for share in shares) != amount:
        fault = Fault("/amount", "must be what the items settled by it still ask for")
        raise Rejected("beyond_open", f"open items take less than {amount:f}", (fault,))
    moves = {
        accounts.write_off(books.currency): amount,
        accounts.receivable(books.currency, books.customer_id): -amount,
    }
    return _transaction(books, order, "write_off", moves, shares)


def clipped(books: Books, order: Order) -> Order:
    """An order for money that is here already: what was named wrongly becomes credit instead."""
    if order.named is None:
        return order
    left, kept = _amount(order), dict[UUID, Decimal]()
    for share in order.named[:SHARES_MAX]:
        item = books.item(share.item_id)
        held = kept.get(share.item_id, ZERO)
        takes = max(ZERO, EXACT.subtract(item.open, held)) if item else ZERO
        if given := min(share.amount, takes, left):
            kept[share.item_id] = EXACT.add(held, given)
            left = EXACT.subtract(left, given)
    return replace(order, named=tuple(Share(*each) for each in kept.items()))


def _credited(
    books: Books, order: Order, kind: TransactionKind, debited: Account, total_sign: int = 1
) -> Transaction:
    amount = _amount(order)
    shares = _shares(books, amount, order.named)
    settled = sum_of(share.amount for share in shares)
    moves = {
        debited: amount,
        accounts.receivable(books.currency, books.customer_id): -settled,
        accounts.prepaid(books.currency, books.customer_id): EXACT.subtract(settled, amount),
    }
    return _transaction(books, order, kind, moves, shares, total=total_sign * amount)


def _shares(books: Books, amount: Decimal, named: tuple[Share, ...] | None) -> list[Share]:
    """What of `amount` goes to which item; Rejected for names that do not fit."""
    if named is None:
        return list(_oldest_first(books.open_items(), amount))
    faults = []
    seen: set[UUID] = set()
    for n, share in enumerate(named):
        item = books.item(share.item_id)
        if item is None or share.item_id in seen:
            own = "an item of this customer in this currency"
            expected = "another item than those before" if item else own
            faults.append(Fault(f"/allocations/{n}/invoice_id", f"must be {expected}"))
        elif share.amount > item.open:
            open_ = max(item.open, ZERO)
            faults.append(Fault(f"/allocations/{n}/amount", f"must be at most {open_:f}"))
        seen.add(share.item_id)
    if sum_of(share.amount for share in named) > amount:
        faults.append(Fault("/allocations", f"must come to at most {amount:f}"))
    if faults:
        raise Rejected("allocation_refused", "the allocations do not fit", tuple(faults))
    return list(named)


def _oldest_first(items: list[Item], amount: Decimal) -> Iterator[Share]:
    left = amount
    for item in items[:SHARES_MAX]:
        if given := min(left, abs(item.open)):
            yield Share(item.id, given)
            left = EXACT.subtract(left, given)


def _drawn(books: Books, amount: Decimal) -> Iterator[Share]:
    """What is taken of items below zero."""
    for share in _oldest_first(books.open_items(-1), amount):
        yield Share(share.item_id, -share.amount)


def _amount(order: Order) -> Decimal:
    if order.amount is None or order.amount <= 0:
        raise Rejected("amount_missing", "there is no amount to book")
    return order.amount


def _there(books: Books, source: CreditSource) -> Decimal:
    if source == "prepaid":
        return books.prepaid
    items = books.open_items(-1)[:SHARES_MAX]
    return -sum_of(item.open for item in items)


def _credit_of(books: Books, source: CreditSource) -> Account:
    account = accounts.prepaid if source == "prepaid" else accounts.export_payable
    return account(books.currency, books.customer_id)


def _available(books: Books, order: Order, source: CreditSource) -> Decimal:
    there = _there(books, source)
    amount = there if order.amount is None else order.amount
    if amount <= 0:
        raise Rejected("nothing_to_settle", "there is nothing to settle with, or to be settled")
    if amount > there:
        fault = Fault("/amount", f"must be at most {there:f}")
        raise Rejected("credit_exceeded", f"the customer's credit is {there:f}", (fault,))
    return amount


def _transaction(
    books: Books,
    order: Order,
    kind: TransactionKind,
    moves: Mapping[Account, Decimal],
    shares: list[Share] | None = None,
    *,
    opens: Item | None = None,
    total: Decimal | None = None,
) -> Transaction:
    id_ = transaction_id(books.tenant_id, order.id)
    return Transaction(
        id=id_,
        tenant_id=books.tenant_id,
        kind=kind,
        document_id=order.id,
        reference=order.reference,
        reverses_id=None,
        customer_id=books.customer_id,
        currency=books.currency,
        total=_amount(order) if total is None else total,
        occurred_at=order.occurred_at,
        correlation_id=order.correlation_id,
        postings=tuple(Posting(account, amount) for account, amount in moves.items() if amount),
        digest=b"",  # of what was asked for, by `decide`
        memo=order.memo,
        allocations=tuple(Allocation(share.item_id, id_, share.amount) for share in shares or ()),
        opens=opens,
    )
