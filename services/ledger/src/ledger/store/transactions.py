"""Transactions and their postings as rows; the balances of accounts move with them.

Accounts are locked in the order of their ids, so that two batches can wait for each other but
never for each other's second half.
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
from kernel.money import EXACT
from ledger.domain.accounts import Account
from ledger.domain.booking import Transaction
from ledger.store.rows import After, among
from ledger.tables import account, posting, transaction

_INSERT_TRANSACTIONS = """
INSERT INTO transaction (tenant_id, id, kind, document_id, reference, reverses_id, customer_id,
                         currency, total, occurred_at, correlation_id, digest, postings)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[],
                     $7::uuid[], $8::text[], $9::numeric[], $10::timestamptz[], $11::text[],
                     $12::bytea[], $13::smallint[])
ON CONFLICT DO NOTHING
RETURNING tenant_id, id
"""
_DIGESTS = """
SELECT t.tenant_id, t.id, t.digest
  FROM unnest($1::text[], $2::uuid[]) AS asked (tenant_id, id)
  JOIN transaction t USING (tenant_id, id)
"""
_MOVE_ACCOUNTS = """
INSERT INTO account (tenant_id, id, currency, code, class, customer_id, debits, credits)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                     $7::numeric[], $8::numeric[])
ON CONFLICT (tenant_id, id) DO UPDATE
   SET debits = account.debits + excluded.debits, credits = account.credits + excluded.credits
"""
_INSERT_POSTINGS = """
INSERT INTO posting (tenant_id, transaction_id, line, account_id, currency, amount, occurred_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::uuid[], $5::text[],
                     $6::numeric[], $7::timestamptz[])
"""
Key = tuple[str, UUID]


async def insert_transactions(tx: WriteConnection, transactions: Sequence[Transaction]) -> set[Key]:
    """Insert those that are not there yet, with postings and balances; their tenants and ids.

    What is there already, or reverses what is reversed already, changes nothing.
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
    )
    inserted = {(row["tenant_id"], row["id"]) for row in rows}
    fresh = [one for one in ordered if (one.tenant_id, one.id) in inserted]
    ids = await _move_accounts(tx, fresh)
    await _insert_postings(tx, fresh, ids)
    return inserted


async def _move_accounts(
    tx: WriteConnection, transactions: Sequence[Transaction]
) -> dict[tuple[str, Account], UUID]:
    """Add what is posted to the accounts' balances, opening those that are new; their ids."""
    debits: dict[tuple[str, Account], Decimal] = defaultdict(Decimal)
    credits_: dict[tuple[str, Account], Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for one in transactions:
            for each in one.postings:
                side = debits if each.amount > 0 else credits_
                side[one.tenant_id, each.account] += abs(each.amount)
    ids = {(tenant_id, moved): moved.id(tenant_id) for tenant_id, moved in debits.keys() | credits_}
    keys = sorted(ids, key=lambda key: (key[0], ids[key]))
    await tx.raw.execute(
        _MOVE_ACCOUNTS,
        [tenant_id for tenant_id, _ in keys],
        [ids[key] for key in keys],
        [moved.currency for _, moved in keys],
        [moved.code for _, moved in keys],
        [moved.account_class for _, moved in keys],
        [moved.customer_id for _, moved in keys],
        [debits[key] for key in keys],
        [credits_[key] for key in keys],
    )
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


@dataclass(frozen=True, slots=True)
class BookedPosting:
    """A posting as it stands in the books."""

    line: int
    account_id: UUID
    account_code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedTransaction:
    """A transaction as it stands in the books."""

    id: UUID
    kind: str
    document_id: UUID
    reference: str
    reverses_id: UUID | None
    customer_id: UUID
    currency: str
    total: Decimal
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    postings: tuple[BookedPosting, ...]


_HEAD = [field.name for field in fields(BookedTransaction) if field.name != "postings"]


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


async def _with_postings(
    read: ReadConnection, tenant_id: str, rows: Sequence[RowMapping]
) -> list[BookedTransaction]:
    query = (
        sa.select(posting, account.c.code)
        .join(
            account,
            (account.c.tenant_id == posting.c.tenant_id) & (account.c.id == posting.c.account_id),
        )
        .where(
            posting.c.tenant_id == tenant_id,
            among(posting.c.transaction_id, [row["id"] for row in rows]),
        )
        .order_by(posting.c.transaction_id, posting.c.line)
    )
    lines: dict[UUID, list[BookedPosting]] = defaultdict(list)
    for row in await read.all(query):
        lines[row["transaction_id"]].append(
            BookedPosting(row["line"], row["account_id"], row["code"], row["amount"])
        )
    return [
        BookedTransaction(
            **{name: row[name] for name in _HEAD},
            postings=tuple(lines[row["id"]]),
        )
        for row in rows
    ]
