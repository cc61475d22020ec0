"""Transactions and their postings as rows; accounts and open items move with them.

Whoever inserts has locked the customers (`store.customers`, which states the order of locks).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import among, as_row, columns_of, from_row, insert_rows
from gridtally.ledger.accounts import tables
from gridtally.ledger.accounts.domain.open_items import Allocation, OpenItem, OpenItemKind
from gridtally.ledger.accounts.domain.transactions import Posting, Transaction
from gridtally.ledger.accounts.store.accounts import TenantAccount, account_of, move_balances
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.store.open_items import fetch_items, insert_items_and_allocations

GROWING = ("customer", "transaction", "posting", "account")
"""The tables that grow with what is posted, for `keep_plans`."""


async def insert_transactions(
    tx: WriteConnection, transactions: Sequence[Transaction]
) -> dict[Key, datetime]:
    """Insert those that are not there yet, with their postings, the balances that these move, and
    what they open and allocate. Returns when each was recorded that was inserted, by tenant and id.

    What is there already, or reverses what is reversed already, changes nothing: the unique
    constraints on ids, documents and reversals decide, whoever else writes. Rejected where more
    would stand on a customer's account than one may hold.
    """
    ordered = sorted(transactions, key=_key)
    rows = [
        as_row(transaction, tables.transaction, postings=len(transaction.postings))
        for transaction in ordered
    ]
    returned = await insert_rows(
        tx, tables.transaction, rows, "ON CONFLICT DO NOTHING RETURNING tenant_id, id, recorded_at"
    )
    inserted = {(row["tenant_id"], row["id"]): row["recorded_at"] for row in returned}
    new = [transaction for transaction in ordered if _key(transaction) in inserted]
    ids = await move_balances(tx, new)
    await _insert_postings(tx, new, ids)
    await insert_items_and_allocations(tx, new)
    return inserted


def _key(transaction: Transaction) -> Key:
    return transaction.tenant_id, transaction.id


async def _insert_postings(
    tx: WriteConnection,
    transactions: Sequence[Transaction],
    ids: Mapping[TenantAccount, UUID],
) -> None:
    """Insert the postings of transactions, all in one statement: a trigger per statement holds that
    each has all its postings, and they add up to zero."""
    rows = [
        {
            "tenant_id": transaction.tenant_id,
            "transaction_id": transaction.id,
            "line": line,
            "account_id": ids[transaction.tenant_id, posting.account],
            "currency": transaction.currency,
            "amount": posting.amount,
            "occurred_at": transaction.occurred_at,
        }
        for transaction in transactions
        for line, posting in enumerate(transaction.postings, start=1)
    ]
    await insert_rows(tx, tables.posting, rows)


_FETCH_DIGESTS = """
SELECT t.tenant_id, t.id, t.digest
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN transaction t USING (tenant_id, id)
"""


async def fetch_digests(read: ReadConnection, keys: Collection[Key]) -> dict[Key, bytes]:
    """The digests of those of these transactions that exist, by tenant and id."""
    rows = await read.raw.fetch(_FETCH_DIGESTS, *columns_of(keys, 2))
    return {(row["tenant_id"], row["id"]): row["digest"] for row in rows}


async def fetch_reversed(read: ReadConnection, tenant_id: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of these transactions that have their reversal or credit note."""
    query = sa.select(tables.transaction.c.reverses_id).where(
        tables.transaction.c.tenant_id == tenant_id,
        among(tables.transaction.c.reverses_id, list(ids)),
    )
    return {row["reverses_id"] for row in await read.all(query)}


async def is_reversed(read: ReadConnection, tenant_id: str, id_: UUID) -> bool:
    """Whether a transaction has its reversal or credit note."""
    query = sa.select(sa.literal(value=True)).where(
        tables.transaction.c.tenant_id == tenant_id, tables.transaction.c.reverses_id == id_
    )
    return bool(await read.scalar(query))


@dataclass(frozen=True, slots=True)
class PostingLine:
    """A posting as it stands in the books."""

    line: int
    account_id: UUID
    account_code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """What a transaction allocated to an item, or took back of what `source_id` had."""

    item_id: UUID
    kind: OpenItemKind
    number: str
    source_id: UUID
    amount: Decimal

    @property
    def invoice_id(self) -> UUID:
        """The item, as the API calls it."""
        return self.item_id


@dataclass(frozen=True, slots=True)
class PostedTransaction:
    """A transaction as it stands in the books, its lines in their order."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    memo: str
    reverses_id: UUID | None
    customer_id: UUID | None
    currency: str
    total: Decimal
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    proof_root: str | None
    postings: tuple[PostingLine, ...]
    allocations: tuple[AllocationLine, ...]


def posted_transaction(
    transaction: Transaction, recorded_at: datetime, items: Mapping[UUID, OpenItem]
) -> PostedTransaction:
    """A transaction that was just inserted, as `fetch_transaction` would read it back. `items` are
    those that it allocates to, by their ids."""
    return from_row(
        PostedTransaction,
        as_row(transaction, tables.transaction, recorded_at=recorded_at),
        occurred_at=transaction.occurred_at.astimezone(UTC),
        postings=tuple(
            PostingLine(
                line,
                posting.account.id(transaction.tenant_id),
                posting.account.code,
                posting.amount,
            )
            for line, posting in enumerate(transaction.postings, start=1)
        ),
        allocations=tuple(
            AllocationLine(
                allocation.item_id,
                items[allocation.item_id].kind,
                items[allocation.item_id].number,
                allocation.source_id,
                allocation.amount,
            )
            for allocation in transaction.allocations
        ),
    )


def _transaction(tenant_id: str, id_: UUID) -> sa.Select[Any]:
    return sa.select(tables.transaction).where(
        tables.transaction.c.tenant_id == tenant_id, tables.transaction.c.id == id_
    )


async def fetch_transaction(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> PostedTransaction | None:
    """The transaction of this id with its lines; None where there is none."""
    return (await fetch_transactions(read, tenant_id, [id_])).get(id_)


async def fetch_transactions(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, PostedTransaction]:
    """Those of these transactions that there are, with their lines, by id."""
    query = sa.select(tables.transaction).where(
        tables.transaction.c.tenant_id == tenant_id, among(tables.transaction.c.id, ids)
    )
    posted = await _with_lines(read, tenant_id, await read.all(query))
    return {transaction.id: transaction for transaction in posted}


async def list_transactions(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[PostedTransaction]:
    """A page of transactions whose columns equal `filters`, in the order they were recorded."""
    column = tables.transaction.c
    query = sa.select(tables.transaction).where(
        column.tenant_id == tenant_id,
        *(column[name] == value for name, value in filters.items()),
    )
    page = page_after(query, (column.recorded_at, column.id), after=after, rows_max=rows_max)
    return await _with_lines(read, tenant_id, await read.all(page))


async def fetch_original(read: ReadConnection, tenant_id: str, id_: UUID) -> Transaction | None:
    """The transaction of this id as it was posted, with the item that it opened as it is now; None
    where there is none."""
    rows = await read.all(_transaction(tenant_id, id_))
    if not rows:
        return None
    [row] = rows
    item_key = (tenant_id, row["document_id"])
    return from_row(
        Transaction,
        row,
        postings=tuple(
            Posting(account_of(line), line["amount"])
            for line in await read.all(_posting_lines(tenant_id, [id_]))
        ),
        allocations=tuple(
            from_row(Allocation, line)
            for line in await read.all(_allocation_lines(tenant_id, [id_]))
        ),
        opens=(await fetch_items(read, [item_key])).get(item_key),
        voids=None,
    )


def _posting_lines(tenant_id: str, ids: Sequence[UUID]) -> sa.Select[Any]:
    """The postings of transactions with the accounts that they are on."""
    posting, account = tables.posting, tables.account
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
    """The allocations of transactions, with what the items are that they are for."""
    allocation, open_item = tables.allocation, tables.open_item
    return (
        sa.select(allocation, open_item.c.number, open_item.c.kind)
        .join(
            open_item,
            (open_item.c.tenant_id == allocation.c.tenant_id)
            & (open_item.c.id == allocation.c.item_id),
        )
        .where(allocation.c.tenant_id == tenant_id, among(allocation.c.transaction_id, ids))
        .order_by(allocation.c.transaction_id, allocation.c.line)
    )


async def _with_lines(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[PostedTransaction]:
    """The transactions of these rows; all their lines come with two queries, however many."""
    ids = [row["id"] for row in rows]
    postings: dict[UUID, list[PostingLine]] = defaultdict(list)
    for line in await read.all(_posting_lines(tenant_id, ids)):
        posting = from_row(PostingLine, line, account_code=line["code"])
        postings[line["transaction_id"]].append(posting)
    allocations: dict[UUID, list[AllocationLine]] = defaultdict(list)
    for line in await read.all(_allocation_lines(tenant_id, ids)):
        allocations[line["transaction_id"]].append(from_row(AllocationLine, line))
    return [
        from_row(
            PostedTransaction,
            row,
            postings=tuple(postings[row["id"]]),
            allocations=tuple(allocations[row["id"]]),
        )
        for row in rows
    ]
