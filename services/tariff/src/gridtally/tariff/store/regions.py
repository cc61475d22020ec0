"""Regions as rows, and regions within regions: what lies above one, and how deep it goes below."""

from collections.abc import Sequence
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of
from gridtally.kernel.resources import Stored
from gridtally.tariff import tables
from gridtally.tariff.domain.catalogue import code_taken, in_use
from gridtally.tariff.domain.regions import REGION_LEVELS_MAX, Region, unknown_region
from gridtally.tariff.store.catalogue import ResourceTable

REGIONS = ResourceTable(
    noun="region",
    kind=Region,
    table=tables.region,
    changeable=("code", "name", "zone", "kind", "parent_id"),
    write_answers={
        "region_code": code_taken("region"),
        "region_parent": unknown_region("/parent_id"),
    },
    delete_answers={
        "region_parent": in_use("region", "regions within it"),
        "tariff_region": in_use("region", "tariffs"),
    },
)

# Two changes at once could each be right and together make a circle, so there is one at a time.
_LOCK_TREE = "SELECT pg_advisory_xact_lock(7104401, hashtext($1))"


async def lock_tree(tx: WriteConnection, tenant_id: str) -> None:
    """Nobody else moves a region of the tenant until this transaction ends."""
    await tx.raw.execute(_LOCK_TREE, tenant_id)


# From a region up, parent by parent; the level ends the search even if there were a circle.
_ABOVE = """
WITH RECURSIVE above AS (
    SELECT id, parent_id, 1 AS level FROM region WHERE tenant_id = $1 AND id = $2
    UNION ALL
    SELECT r.id, r.parent_id, a.level + 1 FROM above a
      JOIN region r ON r.tenant_id = $1 AND r.id = a.parent_id
     WHERE a.level <= $3)
SELECT id FROM above ORDER BY level
"""


async def fetch_above(read: ReadConnection, tenant_id: str, id_: UUID) -> list[UUID]:
    """The region, if there is one, then its parent, and so on up."""
    rows = await read.raw.fetch(_ABOVE, tenant_id, id_, REGION_LEVELS_MAX)
    return [row["id"] for row in rows]


# From a region down, level by level, by the index on parents; the region itself is level 0.
_LEVELS_BELOW = """
WITH RECURSIVE below AS (
    SELECT $2::uuid AS id, 0 AS level
    UNION ALL
    SELECT r.id, b.level + 1 FROM below b
      JOIN region r ON r.tenant_id = $1 AND r.parent_id = b.id
     WHERE b.level <= $3)
SELECT max(level) FROM below
"""


async def count_levels_below(read: ReadConnection, tenant_id: str, id_: UUID) -> int:
    """How many levels of regions lie within a region."""
    return int(await read.raw.fetchval(_LEVELS_BELOW, tenant_id, id_, REGION_LEVELS_MAX))


# SKIP LOCKED: a region that is being changed, or that another process publishes, is left alone.
_CLAIM_UNPUBLISHED = """
SELECT * FROM region WHERE published_version < version
 ORDER BY tenant_id, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""


async def claim_unpublished(
    tx: WriteConnection, regions_max: int
) -> list[tuple[str, Stored[Region]]]:
    """Regions of all tenants that were not published as they are, locked, with their tenants."""
    rows = await tx.raw.fetch(_CLAIM_UNPUBLISHED, regions_max)
    return [(row["tenant_id"], REGIONS.of(row)) for row in rows]


_UPDATE_PUBLISHED = """
UPDATE region r SET published_version = r.version
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (r.tenant_id, r.id) = (k.tenant_id, k.id)
"""


async def update_published(tx: WriteConnection, keys: Sequence[tuple[str, UUID]]) -> None:
    """Record that these regions, which are locked, are in the outbox as they are."""
    await tx.raw.execute(_UPDATE_PUBLISHED, *columns_of(keys, 2))
