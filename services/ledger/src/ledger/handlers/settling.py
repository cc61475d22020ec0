"""Settling: payments and all else that is asked for beyond billing's documents, and reversals.

Each locks the customer, decides from its books, and writes one transaction. Refuses an id that
came with other content before; the same again is what is there.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from contracts.accounts import PaymentReceived
from database import WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Poison, Rejected, Transient
from ledger import wire
from ledger.domain.reversing import Settlement, Why, release, reversal_id, reverse
from ledger.domain.settling import Ask, Books, check_payable, clipped, decide
from ledger.domain.transactions import Transaction, transaction_id
from ledger.store import items, transactions
from ledger.store.customers import lock_customers
from messaging import Received, enqueue


async def settle(tx: WriteConnection, tenant_id: str, ask: Ask) -> UUID:
    """Do what is asked for; the transaction's id. Rejected where the books do not allow it."""
    await lock_customers(tx, [(tenant_id, ask.customer_id)])
    id_ = transaction_id(tenant_id, ask.order.id)
    known = await transactions.fetch_digests(tx, [(tenant_id, id_)])
    if known:
        if known[tenant_id, id_] != ask.digest:
            fault = Fault("/id", "must be a fresh one for something else")
            raise Rejected("id_taken", "this id was booked with other content", (fault,))
        return id_
    key = (tenant_id, ask.customer_id, ask.currency)
    named = [share.item_id for share in ask.order.named or ()]
    books = (await items.fetch_books(tx, [key], named))[key]
    one = decide(books, ask)
    check_payable(books, one)
    await _write(tx, [one])
    return id_


async def record_payments(tx: WriteConnection, batch: Sequence[Received[PaymentReceived]]) -> None:
    """Book payments from outside, whatever they name; Poison where one contradicts another."""
    asked = [
        (each.envelope.tenant_id, wire.payment(wire.present(each), each.envelope)) for each in batch
    ]
    await lock_customers(tx, [(tenant_id, ask.customer_id) for tenant_id, ask in asked])
    keys = [(tenant_id, transaction_id(tenant_id, ask.order.id)) for tenant_id, ask in asked]
    known = await transactions.fetch_digests(tx, keys)
    named = [share.item_id for _, ask in asked for share in ask.order.named or ()]
    accounts = [(tenant_id, ask.customer_id, ask.currency) for tenant_id, ask in asked]
    books = await items.fetch_books(tx, accounts, named)
    booked = []
    for key, account, (_, ask) in zip(keys, accounts, asked, strict=True):
        one = _payment(books[account], ask)
        if key not in known:
            _check_payable(books[account], one)
            books[account] = books[account].after(one)
            booked.append(one)
        if known.setdefault(key, one.digest) != one.digest:
            raise Poison(f"payment {ask.order.id} was booked with other content before")
    await _write(tx, booked)


def _payment(books: Books, ask: Ask) -> Transaction:
    try:
        one = decide(books, replace(ask, order=clipped(books, ask.order)))
        return replace(one, digest=ask.digest)
    except ValueError as failure:
        raise Poison(str(failure)) from failure


def _check_payable(books: Books, one: Transaction) -> None:
    try:
        check_payable(books, one)
    except Rejected as refused:
        raise Poison(f"payment {one.document_id}: {refused.faults[0].detail}") from refused


async def reverse_transaction(
    tx: WriteConnection, tenant_id: str, original_id: UUID, why: Why
) -> UUID:
    """Take back a transaction, once; the reversal's id. Conflict where that cannot be."""
    original = await transactions.fetch_original(tx, tenant_id, original_id)
    if original is None:
        raise NotFound("transaction_unknown", "no transaction has this id")
    await lock_customers(tx, [(tenant_id, original.customer_id)])
    if await transactions.is_reversed(tx, tenant_id, original_id):
        raise Conflict("already_reversed", "this transaction has been reversed")
    key = (tenant_id, original.customer_id, original.currency)
    books = (await items.fetch_books(tx, [key]))[key]
    freed = await _freed(tx, books, original, why)
    if freed:
        books = books.after(freed)
    live = await items.fetch_settlements_by(tx, tenant_id, original_id)
    one = reverse(books, original, live, why)
    await _write(tx, [*([freed] if freed else []), one], original, live)
    return one.id


async def _freed(
    tx: WriteConnection, books: Books, original: Transaction, why: Why
) -> Transaction | None:
    """What had settled the charge that is being taken back."""
    if original.opens is None or original.kind != "adjustment":
        return None
    key = (original.tenant_id, original.opens.id)
    settled = (await items.fetch_settlements_of_items(tx, [key])).get(key, [])
    return release(books, original.opens, settled, reversal_id(original.id), why)


async def _write(
    tx: WriteConnection,
    new: Sequence[Transaction],
    reversed_: Transaction | None = None,
    live: Sequence[Settlement] = (),
) -> None:
    """Insert transactions that are not there, and tell of the payments among them."""
    inserted = await transactions.insert_transactions(tx, new)
    if len(inserted) != len(new):
        raise Transient("the same id is being booked for another customer")
    told = [wire.payment_recorded(one) for one in new if one.kind == "payment"]
    if reversed_ is not None and reversed_.kind == "payment":
        told.append(wire.payment_reversed(reversed_, new[-1], live))
    await enqueue(tx, told)
