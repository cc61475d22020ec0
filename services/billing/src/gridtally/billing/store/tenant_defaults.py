"""Tenants' defaults, as the ledger published them."""

from collections.abc import Mapping

from gridtally.billing import tables
from gridtally.billing.domain.tenant_defaults import TenantDefaults
from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import from_row, insert_rows

_FETCH = "SELECT currency, country FROM tenant_defaults WHERE tenant_id = $1"


async def fetch_defaults(read: ReadConnection, tenant_id: str) -> TenantDefaults:
    """What the tenant has set; nothing until then."""
    row = await read.raw.fetchrow(_FETCH, tenant_id)
    return TenantDefaults() if row is None else from_row(TenantDefaults, row)


_KEEP_NEWEST = """
ON CONFLICT (tenant_id) DO UPDATE
   SET currency = excluded.currency, country = excluded.country, version = excluded.version
 WHERE tenant_defaults.version < excluded.version
"""


async def upsert_defaults(tx: WriteConnection, newest: Mapping[str, TenantDefaultsChanged]) -> None:
    """Store each tenant's defaults, unless a newer version of them is stored."""
    rows = [
        {
            "tenant_id": tenant_id,
            "currency": event.currency,
            "country": event.country,
            "version": event.version,
        }
        for tenant_id, event in sorted(newest.items())
    ]
    await insert_rows(tx, tables.tenant_defaults, rows, _KEEP_NEWEST)
