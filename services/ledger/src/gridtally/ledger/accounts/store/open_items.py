"""Open items and their allocations as rows.

An item's row holds the sum of its allocations, which moves with the transaction that makes them;
open amounts as of a moment are sums over the allocations, which are never changed. Whoever writes
has locked the customers (`store.customers`, which states the order of locks).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, as_row, columns_of, from_row, insert_rows
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts import tables
from gridtally.ledger.accounts.domain.open_items import ZERO, OpenItem
from gridtally.ledger.accounts.domain.reversals import LiveAllocation
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.store.customers import Key


async def insert_items_and_allocations(
    tx: WriteConnection, transactions: Sequence[Transaction]
) -> None:
    """Store what these transactions open and allocate: items first, then what is allocated to them,
    since a charge may be paid by a transaction of the same batch."""
    await _insert_opened(tx, transactions)
    await _add_allocated(tx, transactions)
    rows = [
        as_row(
            allocation,
            tables.allocation,
            tenant_id=transaction.tenant_id,
            transaction_id=transaction.id,
            line=line,
            customer_id=transaction.customer_id,
            currency=transaction.currency,
            occurred_at=transaction.occurred_at,
        )
        for transaction in transactions
        for line, allocation in enumerate(transaction.allocations, start=1)
    ]
    await insert_rows(tx, tables.allocation, rows)


# The row may be there: a credit note that came before its invoice has made it, with what it
# allocates, and without what only the invoice knows.
_COMPLETE = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET number = excluded.number, total = excluded.total, issued_at = excluded.issued_at,
       due_on = excluded.due_on
"""


async def _insert_opened(tx: WriteConnection, transactions: Sequence[Transaction]) -> None:
    rows = [
        as_row(
            transaction.opens,
            tables.open_item,
            tenant_id=transaction.tenant_id,
            customer_id=transaction.customer_id,
            currency=transaction.currency,
            opened_for=None,
        )
        for transaction in transactions
        if transaction.opens
    ]
    await insert_rows(tx, tables.open_item, _sorted(rows), _COMPLETE)


# An item that is not there yet is an invoice whose credit note came first: its row has the
# allocation, and waits for the invoice.
_ADD = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET allocated = open_item.allocated + excluded.allocated,
       voided = open_item.voided OR excluded.voided
"""


async def _add_allocated(tx: WriteConnection, transactions: Sequence[Transaction]) -> None:
    """Add to each item what all the transactions together allocate to it, and void the cancelled.

    One row per item, because one statement cannot update a row twice.
    """
    rows: dict[Key, dict[str, Any]] = {}
    for transaction in transactions:
        amounts = [(part.item_id, part.amount) for part in transaction.allocations]
        if transaction.voids:
            amounts.append((transaction.voids, ZERO))
        for item_id, amount in amounts:
            row = rows.setdefault(
                (transaction.tenant_id, item_id), _unknown_invoice(transaction, item_id)
            )
            row["allocated"] = EXACT.add(row["allocated"], amount)
            row["voided"] = row["voided"] or item_id == transaction.voids
    await insert_rows(tx, tables.open_item, _sorted(rows.values()), _ADD)


def _unknown_invoice(transaction: Transaction, item_id: UUID) -> dict[str, Any]:
    """The row of an invoice that is known from its credit note only."""
    return {
        "tenant_id": transaction.tenant_id,
        "id": item_id,
        "customer_id": transaction.customer_id,
        "currency": transaction.currency,
        "kind": "invoice",
        "number": "",
        "total": ZERO,
        "allocated": ZERO,
        "voided": False,
        "issued_at": None,
        "due_on": None,
        "opened_for": None,
    }


def _sorted(rows: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in the order of tenants and ids, which is the order of locks."""
    return sorted(rows, key=lambda row: (row["tenant_id"], row["id"]))


def item_of(row: Row) -> OpenItem:
    """The open item of a row that has its columns."""
    return from_row(OpenItem, row)


# An item without `issued_at` is known from its credit note only.
_FETCH_ITEMS = """
SELECT i.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN open_item i USING (tenant_id, id)
 WHERE i.issued_at IS NOT NULL
"""


async def fetch_items(read: ReadConnection, keys: Collection[Key]) -> dict[Key, OpenItem]:
    """Those of these items that exist."""
    rows = await read.raw.fetch(_FETCH_ITEMS, *columns_of(keys, 2))
    return {(row["tenant_id"], row["id"]): item_of(row) for row in rows}


# What each source still allocates to each item: its allocations, and what took them back, add up.
_LIVE_ALLOCATIONS = """
SELECT s.tenant_id, s.item_id, s.source_id, t.kind AS source_kind, s.amount
  FROM (SELECT a.tenant_id, a.item_id, a.source_id, sum(a.amount) AS amount
          FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
          JOIN allocation a ON a.tenant_id = k.tenant_id AND a.{column} = k.id
         GROUP BY a.tenant_id, a.item_id, a.source_id HAVING sum(a.amount) <> 0) AS s
  JOIN transaction t ON t.tenant_id = s.tenant_id AND t.id = s.source_id
 ORDER BY s.tenant_id, s.item_id, s.source_id
"""


async def fetch_allocations_of_items(
    read: ReadConnection, keys: Collection[Key]
) -> dict[Key, list[LiveAllocation]]:
    """What is allocated to these items now, by item; an item that nothing is allocated to is left
    out."""
    return await _fetch_live(read, "item_id", keys)


async def fetch_allocations_by(
    read: ReadConnection, tenant_id: str, source_id: UUID
) -> list[LiveAllocation]:
    """What one transaction still allocates."""
    by_item = await _fetch_live(read, "source_id", [(tenant_id, source_id)])
    return [allocation for allocations in by_item.values() for allocation in allocations]


async def _fetch_live(
    read: ReadConnection, column: str, keys: Collection[Key]
) -> dict[Key, list[LiveAllocation]]:
    once = list(dict.fromkeys(keys))  # a key that came twice would count its amounts twice
    by_item: defaultdict[Key, list[LiveAllocation]] = defaultdict(list)
    rows = await read.raw.fetch(_LIVE_ALLOCATIONS.format(column=column), *columns_of(once, 2))
    for row in rows:
        by_item[row["tenant_id"], row["item_id"]].append(from_row(LiveAllocation, row))
    return by_item


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An item that fell overdue and was not reported yet, and whose it is."""

    tenant_id: str
    id: UUID
    customer_id: UUID


# By the partial index over items that are open and not reported.
_FETCH_OVERDUE = """
SELECT tenant_id, id, customer_id FROM open_item
 WHERE total > allocated AND NOT overdue_reported AND due_on < $1
 ORDER BY due_on LIMIT $2
"""


async def fetch_overdue(read: ReadConnection, today: date, items_max: int) -> list[OverdueItem]:
    """Items of all tenants, due before `today` and not yet reported, the oldest first."""
    rows = await read.raw.fetch(_FETCH_OVERDUE, today, items_max)
    return [from_row(OverdueItem, row) for row in rows]


_UPDATE_REPORTED = """
UPDATE open_item o SET overdue_reported = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (o.tenant_id, o.id) = (k.tenant_id, k.id)
"""


async def update_overdue_reported(tx: WriteConnection, items: Sequence[OverdueItem]) -> None:
    """Record that these items are reported as overdue; their customers must be locked."""
    keys = [(item.tenant_id, item.id) for item in items]
    await tx.raw.execute(_UPDATE_REPORTED, *columns_of(keys, 2))
