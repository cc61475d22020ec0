"""Transactions and their postings as rows; accounts and open items move with them.

Whoever inserts has locked the customers (`store.customers`, which tells the order of locks).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from kernel.errors import Rejected
from kernel.money import EXACT
from ledger.domain.accounts import Account
from ledger.domain.transactions import BALANCE_MAX, Allocation, Posting, Transaction
from ledger.store.items import fetch_items, insert_items_and_allocations
from ledger.store.rows import After, among
from ledger.tables import account, allocation, open_item, posting, transaction

_INSERT_TRANSACTIONS = """
INSERT INTO transaction (tenant_id, id, kind, document_id, reference, reverses_id, customer_id,
                         currency, total, occurred_at, correlation_id, digest, postings, memo)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[],
                     $7::uuid[], $8::text[], $9::numeric[], $10::timestamptz[], $11::text[],
                     $12::bytea[], $13::smallint[], $14::text[])
ON CONFLICT DO NOTHING
RETURNING tenant_id, id
"""
_DIGESTS = """
SELECT t.tenant_id, t.id, t.digest
  FROM unnest($1::text[], $2::uuid[]) AS asked (tenant_id, id)
  JOIN transaction t USING (tenant_id, id)
"""
# What it returns are the customers' accounts that now hold more than an account may. Of accounts
# that all customers' postings meet on, each connection moves a part of its own, so that writers
# need not wait for one another: docs/adr/0009.
_MOVE_ACCOUNTS = """
WITH moved AS (
    INSERT INTO account (tenant_id, id, currency, code, class, customer_id, debits, credits)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                         $7::numeric[], $8::numeric[])
    ON CONFLICT (tenant_id, id) DO UPDATE
       SET debits = account.debits + excluded.debits, credits = account.credits + excluded.credits
    RETURNING currency, code, debits - credits AS balance),
opened AS (
    INSERT INTO account (tenant_id, id, currency, code, class, debits, credits)
    SELECT *, 0, 0 FROM unnest($9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[])
    ON CONFLICT DO NOTHING),
shared AS (
    INSERT INTO account_part AS p (tenant_id, account_id, part, debits, credits)
    SELECT tenant_id, id, pg_backend_pid() % $16::integer, debits, credits
      FROM unnest($9::text[], $10::uuid[], $14::numeric[], $15::numeric[])
           AS n (tenant_id, id, debits, credits)
    ON CONFLICT (tenant_id, account_id, part) DO UPDATE
       SET debits = p.debits + excluded.debits, credits = p.credits + excluded.credits)
SELECT currency, code FROM moved WHERE abs(balance) >= $17 ORDER BY code, currency
"""
PARTS = 64
"""Of the balance of each account that is no customer's: about as many as write at once."""
_INSERT_POSTINGS = """
INSERT INTO posting (tenant_id, transaction_id, line, account_id, currency, amount, occurred_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::uuid[], $5::text[],
                     $6::numeric[], $7::timestamptz[])
"""
Key = tuple[str, UUID]


async def insert_transactions(tx: WriteConnection, transactions: Sequence[Transaction]) -> set[Key]:
    """Insert those that are not there yet, with postings, balances and what they open and settle;
    their tenants and ids.

    What is there already, or reverses what is reversed already, changes nothing. Rejected where
    more would stand on a customer's account than one may hold.
    """
    ordered = sorted(transactions, key=lambda one: (one.tenant_id, one.id))
    rows = await tx.raw.fetch(
        _INSERT_TRANSACTIONS,
        [one.tenant_id for one in ordered],
        [one.id for one in ordered],
        [one.kind for one in ordered],
        [one.document_id for one in ordered],
        [one.reference for one in ordered],
        [one.reverses_id for one in ordered],
        [one.customer_id for one in ordered],
        [one.currency for one in ordered],
        [one.total for one in ordered],
        [one.occurred_at for one in ordered],
        [one.correlation_id for one in ordered],
        [one.digest for one in ordered],
        [len(one.postings) for one in ordered],
        [one.memo for one in ordered],
    )
    inserted = {(row["tenant_id"], row["id"]) for row in rows}
    fresh = [one for one in ordered if (one.tenant_id, one.id) in inserted]
    ids = await _move_accounts(tx, fresh)
    await _insert_postings(tx, fresh, ids)
    await insert_items_and_allocations(tx, fresh)
    return inserted


async def _move_accounts(
    tx: WriteConnection, transactions: Sequence[Transaction]
) -> dict[tuple[str, Account], UUID]:
    """Add what is posted to the accounts' balances, opening those that are new; their ids.

    Rejected where a customer's would pass `BALANCE_MAX`.
    """
    debits: dict[tuple[str, Account], Decimal] = defaultdict(Decimal)
    credits_: dict[tuple[str, Account], Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for one in transactions:
            for each in one.postings:
                side = debits if each.amount > 0 else credits_
                side[one.tenant_id, each.account] += abs(each.amount)
    ids = {(tenant_id, moved): moved.id(tenant_id) for tenant_id, moved in debits.keys() | credits_}
    keys = sorted(ids, key=lambda key: (key[0], ids[key]))
    own = [key for key in keys if key[1].customer_id is not None]
    shared = [key for key in keys if key[1].customer_id is None]
    beyond = await tx.raw.fetch(
        _MOVE_ACCOUNTS,
        [tenant_id for tenant_id, _ in own],
        [ids[key] for key in own],
        [moved.currency for _, moved in own],
        [moved.code for _, moved in own],
        [moved.account_class for _, moved in own],
        [moved.customer_id for _, moved in own],
        [debits[key] for key in own],
        [credits_[key] for key in own],
        [tenant_id for tenant_id, _ in shared],
        [ids[key] for key in shared],
        [moved.currency for _, moved in shared],
        [moved.code for _, moved in shared],
        [moved.account_class for _, moved in shared],
        [debits[key] for key in shared],
        [credits_[key] for key in shared],
        PARTS,
        BALANCE_MAX,
    )
    if beyond:
        what = f"{beyond[0]['code']} would hold {BALANCE_MAX:f} {beyond[0]['currency']} or more"
        raise Rejected("balance_too_large", what)
    return ids


async def _insert_postings(
    tx: WriteConnection,
    transactions: Sequence[Transaction],
    ids: Mapping[tuple[str, Account], UUID],
) -> None:
    lines = [
        (one, line, each) for one in transactions for line, each in enumerate(one.postings, start=1)
    ]
    await tx.raw.execute(
        _INSERT_POSTINGS,
        [one.tenant_id for one, _, _ in lines],
        [one.id for one, _, _ in lines],
        [line for _, line, _ in lines],
        [ids[one.tenant_id, each.account] for one, _, each in lines],
        [one.currency for one, _, _ in lines],
        [each.amount for _, _, each in lines],
        [one.occurred_at for one, _, _ in lines],
    )


async def fetch_digests(read: ReadConnection, keys: Sequence[Key]) -> dict[Key, bytes]:
    """What those of these transactions that exist were booked from."""
    rows = await read.raw.fetch(_DIGESTS, [key[0] for key in keys], [key[1] for key in keys])
    return {(row["tenant_id"], row["id"]): row["digest"] for row in rows}


async def is_reversed(read: ReadConnection, tenant_id: str, id_: UUID) -> bool:
    """Whether a transaction has been taken back."""
    query = sa.select(sa.literal(value=True)).where(
        transaction.c.tenant_id == tenant_id, transaction.c.reverses_id == id_
    )
    return bool(await read.scalar(query))


@dataclass(frozen=True, slots=True)
class BookedPosting:
    """A posting as it stands in the books."""

    line: int
    account_id: UUID
    account_code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedAllocation:
    """What a transaction settled of an item, or took back of what `source_id` had settled."""

    item_id: UUID
    number: str
    source_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedTransaction:
    """A transaction as it stands in the books."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    memo: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Decimal
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    postings: tuple[BookedPosting, ...]
    allocations: tuple[BookedAllocation, ...]


_PARTS = ("postings", "allocations")
_HEAD = [field.name for field in fields(BookedTransaction) if field.name not in _PARTS]


async def fetch_transaction(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> BookedTransaction | None:
    """One transaction with its postings."""
    query = sa.select(transaction).where(
        transaction.c.tenant_id == tenant_id, transaction.c.id == id_
    )
    found = await _with_postings(read, tenant_id, await read.all(query))
    return found[0] if found else None


async def list_transactions(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: After | None,
    limit: int,
) -> list[BookedTransaction]:
    """A page of transactions whose columns equal `filters`, in the order they were recorded."""
    query = sa.select(transaction).where(
        transaction.c.tenant_id == tenant_id,
        *(transaction.c[name] == value for name, value in filters.items()),
    )
    if after is not None:
        place = sa.tuple_(transaction.c.recorded_at, transaction.c.id)
        query = query.where(place > sa.tuple_(*after))
    query = query.order_by(transaction.c.recorded_at, transaction.c.id).limit(limit)
    return await _with_postings(read, tenant_id, await read.all(query))


async def fetch_original(read: ReadConnection, tenant_id: str, id_: UUID) -> Transaction | None:
    """One transaction as it was decided, with the item that it opened as it is now."""
    query = sa.select(transaction).where(
        transaction.c.tenant_id == tenant_id, transaction.c.id == id_
    )
    rows = await read.all(query)
    if not rows:
        return None
    [row] = rows
    lines = await read.all(_posting_lines(tenant_id, [id_]))
    settled = await read.all(_allocation_lines(tenant_id, [id_]))
    item_key = (tenant_id, row["document_id"])
    return Transaction(
        tenant_id=tenant_id,
        digest=row["digest"],
        postings=tuple(
            Posting(
                Account(row["currency"], line["code"], line["class"], line["customer_id"]),
                line["amount"],
            )
            for line in lines
        ),
        allocations=tuple(
            Allocation(line["item_id"], line["source_id"], line["amount"]) for line in settled
        ),
        opens=(await fetch_items(read, [item_key])).get(item_key),
        **{name: row[name] for name in _HEAD if name != "recorded_at"},
    )


def _posting_lines(tenant_id: str, ids: Sequence[UUID]) -> sa.Select[Any]:
    return (
        sa.select(posting, account.c.code, account.c["class"], account.c.customer_id)
        .join(
            account,
            (account.c.tenant_id == posting.c.tenant_id) & (account.c.id == posting.c.account_id),
        )
        .where(posting.c.tenant_id == tenant_id, among(posting.c.transaction_id, ids))
        .order_by(posting.c.transaction_id, posting.c.line)
    )


def _allocation_lines(tenant_id: str, ids: Sequence[UUID]) -> sa.Select[Any]:
    return (
        sa.select(allocation, open_item.c.number)
        .join(
            open_item,
            (open_item.c.tenant_id == allocation.c.tenant_id)
            & (open_item.c.id == allocation.c.item_id),
        )
        .where(allocation.c.tenant_id == tenant_id, among(allocation.c.transaction_id, ids))
        .order_by(allocation.c.transaction_id, allocation.c.line)
    )


async def _with_postings(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[BookedTransaction]:
    ids = [row["id"] for row in rows]
    lines: dict[UUID, list[BookedPosting]] = defaultdict(list)
    for row in await read.all(_posting_lines(tenant_id, ids)):
        lines[row["transaction_id"]].append(
            BookedPosting(row["line"], row["account_id"], row["code"], row["amount"])
        )
    settled: dict[UUID, list[BookedAllocation]] = defaultdict(list)
    for row in await read.all(_allocation_lines(tenant_id, ids)):
        settled[row["transaction_id"]].append(
            BookedAllocation(row["item_id"], row["number"], row["source_id"], row["amount"])
        )
    return [
        BookedTransaction(
            **{name: row[name] for name in _HEAD},
            postings=tuple(lines[row["id"]]),
            allocations=tuple(settled[row["id"]]),
        )
        for row in rows
    ]
