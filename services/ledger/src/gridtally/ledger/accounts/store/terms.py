"""Each tenant's payment terms, and the payment days that customers have of their own."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from gridtally.contracts.registry import PaymentTermsChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, from_row
from gridtally.ledger.accounts.domain.terms import Terms

# Of the tenants that have set their own.
_FETCH_TERMS = "SELECT * FROM payment_terms WHERE tenant_id = ANY($1::text[])"


async def fetch_terms(read: ReadConnection, tenants: Collection[str]) -> dict[str, Terms]:
    """The terms of each of these tenants, which has the default ones until it sets its own."""
    rows = await read.raw.fetch(_FETCH_TERMS, list(tenants))
    own = {row["tenant_id"]: from_row(Terms, row) for row in rows}
    return {tenant_id: own.get(tenant_id, Terms()) for tenant_id in tenants}


# Each change counts the version up.
_UPSERT = """
INSERT INTO payment_terms AS t
       (tenant_id, payment_days, credit_allocation, credit_deallocation) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE
   SET payment_days = excluded.payment_days, credit_allocation = excluded.credit_allocation,
       credit_deallocation = excluded.credit_deallocation, version = t.version + 1,
       updated_at = now()
RETURNING version, updated_at
"""


async def upsert_terms(tx: WriteConnection, tenant_id: str, terms: Terms) -> tuple[int, datetime]:
    """Have these terms from now on; invoices that were posted before keep their due day. Returns
    their version, and since when it is."""
    [row] = await tx.raw.fetch(
        _UPSERT, tenant_id, terms.payment_days, terms.credit_allocation, terms.credit_deallocation
    )
    return row["version"], row["updated_at"]


_ADOPT = """
INSERT INTO payment_terms AS t
       (tenant_id, payment_days, credit_allocation, credit_deallocation, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id) DO UPDATE
   SET payment_days = excluded.payment_days, credit_allocation = excluded.credit_allocation,
       credit_deallocation = excluded.credit_deallocation, version = excluded.version,
       updated_at = excluded.updated_at
 WHERE t.version < excluded.version
"""


async def adopt_terms(
    tx: WriteConnection, tenant_id: str, event: PaymentTermsChanged, at: datetime
) -> None:
    """Have the terms that were published before a restore, unless newer ones are there."""
    await tx.raw.execute(
        _ADOPT,
        tenant_id,
        event.payment_days,
        event.credit_allocation,
        event.credit_deallocation,
        event.version,
        at,
    )


# A customer without days of its own has a row all the same, which an older version cannot replace.
_UPSERT_CUSTOMERS = """
INSERT INTO customer_terms AS t (tenant_id, customer_id, payment_days, version)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::bigint[])
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET payment_days = excluded.payment_days, version = excluded.version
 WHERE t.version < excluded.version
"""


async def upsert_payment_days(
    tx: WriteConnection, newest: Mapping[tuple[str, UUID], tuple[int | None, int]]
) -> None:
    """Have these payment days, each of a version, from now on; None for the tenant's own."""
    rows = [(*key, *newest[key]) for key in sorted(newest)]
    await tx.raw.execute(_UPSERT_CUSTOMERS, *columns_of(rows, 4))


_FETCH_PAYMENT_DAYS = """
SELECT tenant_id, customer_id, payment_days
  FROM customer_terms JOIN unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 USING (tenant_id, customer_id) WHERE payment_days IS NOT NULL
"""


async def fetch_payment_days(
    read: ReadConnection, customers: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], int]:
    """The payment days of those of these customers who have days of their own."""
    rows = await read.raw.fetch(_FETCH_PAYMENT_DAYS, *columns_of(sorted(customers), 2))
    return {(row["tenant_id"], row["customer_id"]): row["payment_days"] for row in rows}
