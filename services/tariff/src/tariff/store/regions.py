"""Regions within regions: what lies above one, and how deep it goes below."""

from uuid import UUID

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import REGION_LEVELS_MAX

_TREE_LOCK = "SELECT pg_advisory_xact_lock(7104401, hashtext($1))"
"""Two changes at once could each be right and together make a circle."""
_ABOVE = """
WITH RECURSIVE above AS (
    SELECT id, parent_id, 1 AS level FROM region WHERE tenant_id = $1 AND id = $2
    UNION ALL
    SELECT r.id, r.parent_id, a.level + 1 FROM above a
      JOIN region r ON r.tenant_id = $1 AND r.id = a.parent_id
     WHERE a.level <= $3)
SELECT id FROM above ORDER BY level
"""
_LEVELS_BELOW = """
WITH RECURSIVE below AS (
    SELECT $2::uuid AS id, 0 AS level
    UNION ALL
    SELECT r.id, b.level + 1 FROM below b
      JOIN region r ON r.tenant_id = $1 AND r.parent_id = b.id
     WHERE b.level <= $3)
SELECT max(level) FROM below
"""


async def lock_tree(tx: WriteConnection, tenant_id: str) -> None:
    """Nobody else puts a region of the tenant elsewhere until this transaction ends."""
    await tx.raw.execute(_TREE_LOCK, tenant_id)


async def fetch_above(read: ReadConnection, tenant_id: str, id_: UUID) -> list[UUID]:
    """The region, if there is one, then its parent, and so on up."""
    rows = await read.raw.fetch(_ABOVE, tenant_id, id_, REGION_LEVELS_MAX)
    return [row["id"] for row in rows]


async def count_levels_below(read: ReadConnection, tenant_id: str, id_: UUID) -> int:
    """How many levels of regions lie within a region."""
    return int(await read.raw.fetchval(_LEVELS_BELOW, tenant_id, id_, REGION_LEVELS_MAX))
