"""Unmatched payments as rows: what stands in suspense, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import columns_of, from_row, insert_rows
from gridtally.ledger.accounts import tables
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.domain.unmatched_payments import UnmatchedPayment
from gridtally.ledger.accounts.store.customer_accounts import AccountKey


async def insert_unmatched(tx: WriteConnection, payments: Sequence[Transaction]) -> None:
    """Record that these payments, which are new, stand in suspense."""
    rows = [
        {
            "tenant_id": payment.tenant_id,
            "id": payment.id,
            "customer_id": payment.customer_id,
            "currency": payment.currency,
            "amount": payment.total,
            "resolved_by": None,
        }
        for payment in payments
    ]
    await insert_rows(tx, tables.unmatched_payment, rows)


_unmatched, _transaction = tables.unmatched_payment, tables.transaction
_WITH_TRANSACTION = sa.select(
    _unmatched,
    *(
        _transaction.c[name]
        for name in ("document_id", "reference", "memo", "occurred_at", "correlation_id")
    ),
).join(
    _transaction,
    (_transaction.c.tenant_id == _unmatched.c.tenant_id) & (_transaction.c.id == _unmatched.c.id),
)


async def fetch_unmatched(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> UnmatchedPayment | None:
    """The payment of this transaction that stands in suspense, or did; None where it never did."""
    query = _WITH_TRANSACTION.where(_unmatched.c.tenant_id == tenant_id, _unmatched.c.id == id_)
    row = await read.one_or_none(query)
    return from_row(UnmatchedPayment, row) if row else None


async def list_unmatched(
    read: ReadConnection, tenant_id: str, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[UnmatchedPayment]:
    """A page of payments that stand in suspense, the oldest first."""
    query = _WITH_TRANSACTION.where(
        _unmatched.c.tenant_id == tenant_id, _unmatched.c.resolved_by.is_(None)
    )
    order = (_unmatched.c.recorded_at, _unmatched.c.id)
    rows = await read.all(page_after(query, order, after=after, rows_max=rows_max))
    return [from_row(UnmatchedPayment, row) for row in rows]


_OF_CUSTOMERS = """
SELECT u.*, t.document_id, t.reference, t.memo, t.occurred_at, t.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, customer_id, currency)
  JOIN unmatched_payment u USING (tenant_id, customer_id, currency)
  JOIN transaction t ON t.tenant_id = u.tenant_id AND t.id = u.id
 WHERE u.resolved_by IS NULL
 ORDER BY t.occurred_at, u.id
"""


async def fetch_unmatched_of(
    read: ReadConnection, keys: Collection[AccountKey]
) -> list[UnmatchedPayment]:
    """What stands in suspense for these customers and currencies, the oldest first."""
    rows = await read.raw.fetch(_OF_CUSTOMERS, *columns_of(keys, 3))
    return [from_row(UnmatchedPayment, row) for row in rows]


_RESOLVE = """
UPDATE unmatched_payment u SET resolved_by = k.resolved_by
  FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS k (tenant_id, id, resolved_by)
 WHERE (u.tenant_id, u.id) = (k.tenant_id, k.id)
"""


async def update_resolved(
    tx: WriteConnection, resolutions: Sequence[tuple[str, UUID, UUID]]
) -> None:
    """Record which transaction each of these payments, by tenant and id, is resolved by."""
    await tx.raw.execute(_RESOLVE, *columns_of(resolutions, 3))


_REOPEN = """
UPDATE unmatched_payment SET resolved_by = NULL WHERE tenant_id = $1 AND resolved_by = $2
"""


async def update_reopened(tx: WriteConnection, tenant_id: str, resolved_by: UUID) -> None:
    """What a transaction had resolved, which is being reversed, stands in suspense again."""
    await tx.raw.execute(_REOPEN, tenant_id, resolved_by)
