"""Sites and regions: what the registry and the catalogue state of where meters are."""

from collections.abc import Mapping

from gridtally.billing import tables
from gridtally.billing.domain.reference_data import Key
from gridtally.contracts.catalogue import RegionChanged
from gridtally.contracts.metering import PropertyChanged
from gridtally.database import WriteConnection
from gridtally.database.rows import columns_of, insert_rows

_KEEP_NEWEST_SITE = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET customer_id = excluded.customer_id, version = excluded.version
 WHERE site.version < excluded.version
"""


async def upsert_sites(tx: WriteConnection, changed: Mapping[Key, PropertyChanged]) -> None:
    """Store the newest version of each site."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": site_id,
            "customer_id": event.customer_id,
            "version": event.version,
        }
        for (tenant_id, site_id), event in sorted(changed.items())
    ]
    await insert_rows(tx, tables.site, rows, _KEEP_NEWEST_SITE)


# Regions come in the order of their key, so that the last message is the newest: one that is made
# again with the same id begins at version 1 again.
_REPLACE_REGION = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = excluded.name, kind = excluded.kind, parent_id = excluded.parent_id,
       version = excluded.version
"""
_DELETE_REGIONS = """
DELETE FROM region r USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (r.tenant_id, r.id) = (k.tenant_id, k.id)
"""


async def replace_regions(tx: WriteConnection, states: Mapping[Key, RegionChanged | None]) -> None:
    """Store each region as it is now; None deletes it."""
    rows = [
        {
            "tenant_id": tenant_id,
            "id": region_id,
            "name": event.name,
            "kind": event.kind,
            "parent_id": event.parent_id,
            "version": event.version,
        }
        for (tenant_id, region_id), event in sorted(states.items(), key=lambda item: item[0])
        if event is not None
    ]
    await insert_rows(tx, tables.region, rows, _REPLACE_REGION)
    if ended := [key for key, event in states.items() if event is None]:
        await tx.raw.execute(_DELETE_REGIONS, *columns_of(ended, 2))
