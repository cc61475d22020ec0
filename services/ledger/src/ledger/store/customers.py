"""Customers as the books know them: the lock of each, and what is to be announced of it.

Whoever changes a customer's books locks its row first, in the order of tenants and ids; then the
rows of transactions, accounts, their parts and items, each in the order of their ids. So writers
may wait for one another but never in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from contracts.accounts import CURRENCIES_MAX
from database import WriteConnection

Key = tuple[str, UUID]

_LOCK = """
INSERT INTO customer AS c (tenant_id, id, version)
SELECT *, 1 FROM unnest($1::text[], $2::uuid[])
ON CONFLICT (tenant_id, id) DO UPDATE SET version = c.version + 1
"""
_CLAIM = """
SELECT tenant_id, id, version FROM customer WHERE announced < version
 ORDER BY tenant_id, id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_ANNOUNCED = """
UPDATE customer c SET announced = c.version
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id)
"""
_BALANCES = """
SELECT k.tenant_id, k.customer_id, a.currency, a.receivable, a.prepaid, a.export_payable,
       coalesce(o.arrears, 0) AS arrears
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 CROSS JOIN LATERAL (
       SELECT currency,
              coalesce(sum(debits - credits) FILTER (WHERE class = 'receivable'), 0) AS receivable,
              coalesce(sum(credits - debits) FILTER (WHERE class = 'prepaid'), 0) AS prepaid,
              coalesce(sum(credits - debits) FILTER (WHERE class = 'export_payable'), 0)
                  AS export_payable
         FROM account WHERE (tenant_id, customer_id) = (k.tenant_id, k.customer_id)
        GROUP BY currency ORDER BY currency LIMIT $4) AS a
  LEFT JOIN LATERAL (
       SELECT sum(total - settled) AS arrears FROM open_item
        WHERE (tenant_id, customer_id) = (k.tenant_id, k.customer_id) AND currency = a.currency
          AND total <> settled AND total > settled AND due_on < $3) AS o ON true
 ORDER BY k.tenant_id, k.customer_id, a.currency
"""
_OVERDUE = """
SELECT tenant_id, id, customer_id FROM open_item
 WHERE total > settled AND NOT overdue_told AND due_on < $1
 ORDER BY due_on LIMIT $2
"""
_TOLD = """
UPDATE open_item o SET overdue_told = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (o.tenant_id, o.id) = (k.tenant_id, k.id)
"""


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """What a customer owes in one currency; each amount above zero as its name says."""

    tenant_id: str
    customer_id: UUID
    currency: str
    receivable: Decimal
    prepaid: Decimal
    export_payable: Decimal
    arrears: Decimal


async def lock_customers(tx: WriteConnection, keys: Sequence[Key]) -> None:
    """Lock these customers until the transaction's end, and have their change announced."""
    ordered = sorted(set(keys))
    await tx.raw.execute(_LOCK, *_columns(ordered))


async def claim_changed(tx: WriteConnection, customers_max: int) -> dict[Key, int]:
    """Customers whose change is to be announced, locked, with their versions."""
    rows = await tx.raw.fetch(_CLAIM, customers_max)
    return {(row["tenant_id"], row["id"]): row["version"] for row in rows}


async def update_announced(tx: WriteConnection, keys: Sequence[Key]) -> None:
    """These customers' newest versions are in the outbox."""
    await tx.raw.execute(_ANNOUNCED, *_columns(keys))


async def fetch_balances(
    tx: WriteConnection, keys: Sequence[Key], today: date
) -> list[CustomerBalance]:
    """What these customers owe, by tenant, customer and currency; arrears as of `today`."""
    rows = await tx.raw.fetch(_BALANCES, *_columns(keys), today, CURRENCIES_MAX)
    return [CustomerBalance(**row) for row in rows]


async def tell_overdue(tx: WriteConnection, today: date, items_max: int) -> int:
    """Have the customers announced whose items fell overdue; how many items those were."""
    rows = await tx.raw.fetch(_OVERDUE, today, items_max)
    if not rows:
        return 0
    await lock_customers(tx, [(row["tenant_id"], row["customer_id"]) for row in rows])
    await tx.raw.execute(_TOLD, *_columns([(row["tenant_id"], row["id"]) for row in rows]))
    return len(rows)


def _columns(keys: Sequence[Key]) -> tuple[list[str], list[UUID]]:
    return [tenant_id for tenant_id, _ in keys], [id_ for _, id_ in keys]
