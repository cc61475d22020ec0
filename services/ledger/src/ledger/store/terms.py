"""Each tenant's payment terms: how many days after its issue an invoice is due."""

from collections.abc import Collection

from database import ReadConnection, WriteConnection

_DAYS = "SELECT tenant_id, payment_days FROM payment_terms WHERE tenant_id = ANY($1::text[])"
_PUT = """
INSERT INTO payment_terms AS t (tenant_id, payment_days) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE
   SET payment_days = excluded.payment_days, version = t.version + 1, updated_at = now()
"""


async def fetch_payment_days(read: ReadConnection, tenants: Collection[str]) -> dict[str, int]:
    """The days of those tenants that have set their own."""
    rows = await read.raw.fetch(_DAYS, list(tenants))
    return {row["tenant_id"]: row["payment_days"] for row in rows}


async def upsert_terms(tx: WriteConnection, tenant_id: str, payment_days: int) -> None:
    """From now on invoices are due after so many days; those booked before keep their day."""
    await tx.raw.execute(_PUT, tenant_id, payment_days)
