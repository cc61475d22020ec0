"""Customers on prepayment, as billing published them."""

from collections.abc import Collection, Mapping

from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.tables.prepayments import prepaid_customer

_KEEP_NEWEST = """
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET is_active = excluded.is_active, version = excluded.version
 WHERE prepaid_customer.version < excluded.version
"""


async def upsert_prepaid(tx: WriteConnection, newest: Mapping[Key, PrepaymentChanged]) -> None:
    """Store who is on prepayment, and who is no more, unless something newer is stored."""
    rows = [
        {
            "tenant_id": tenant_id,
            "customer_id": customer_id,
            "is_active": event.state == "active",
            "version": event.version,
        }
        for (tenant_id, customer_id), event in sorted(newest.items(), key=lambda pair: pair[0])
    ]
    await insert_rows(tx, prepaid_customer, rows, _KEEP_NEWEST)


_FETCH = """
SELECT p.tenant_id, p.customer_id
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
  JOIN prepaid_customer p USING (tenant_id, customer_id)
 WHERE p.is_active
"""


async def fetch_prepaid(read: ReadConnection, keys: Collection[Key]) -> set[Key]:
    """Those of these customers who are on prepayment."""
    if not keys:
        return set()
    rows = await read.raw.fetch(_FETCH, *columns_of(sorted(set(keys)), 2))
    return {(row["tenant_id"], row["customer_id"]) for row in rows}
