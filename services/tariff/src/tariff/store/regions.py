"""Regions as rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import (
    REGION_LEVELS_MAX,
    Region,
    code_taken,
    in_use,
    unknown_region,
)
from tariff.domain.stored import Stored
from tariff.store.rows import (
    Place,
    answering,
    change_one,
    delete_one,
    equal,
    fetch_one,
    fetch_page,
    holding,
    insert_new,
    stored,
)
from tariff.tables import region

_CHANGEABLE = ("code", "name", "zone", "kind", "parent_id")
_ANSWERS = {"region_code": code_taken("region"), "region_parent": unknown_region("/parent_id")}
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


def _of(row: RowMapping) -> Stored[Region]:
    return stored(Region(row["id"], **{name: row[name] for name in _CHANGEABLE}), row)


def _columns(of: Region) -> dict[str, Any]:
    return {name: getattr(of, name) for name in _CHANGEABLE}


async def insert_region(tx: WriteConnection, tenant_id: str, new: Region) -> Stored[Region] | None:
    """Insert, or None where the id is taken; Conflict where the code is."""
    with answering(_ANSWERS):
        return await insert_new(tx, region, tenant_id, {"id": new.id, **_columns(new)}, _of)


async def fetch_region(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[Region] | None:
    """The region, if there is one; with `lock`, held until the transaction ends."""
    return await fetch_one(read, region, tenant_id, id_, _of, lock=lock)


async def list_regions(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    text: str | None,
    place: Place,
) -> list[Stored[Region]]:
    """A page of regions whose columns equal `filters` and whose code or name holds `text`."""
    clauses = equal(region, filters) + holding(region, text)
    return await fetch_page(read, region, tenant_id, clauses, place, _of)


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


async def update_region(tx: WriteConnection, tenant_id: str, changed: Region) -> Stored[Region]:
    """Store the new content as the next revision; Conflict where the code is taken."""
    with answering(_ANSWERS):
        return await change_one(tx, region, tenant_id, changed.id, _columns(changed), _of)


async def delete_region(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a region; Conflict where regions or tariffs lie in it."""
    regions_within = in_use("region", "regions within it")
    tariffs_of_it = in_use("region", "tariffs")
    with answering({"region_parent": regions_within, "tariff_region": tariffs_of_it}):
        await delete_one(tx, region, tenant_id, id_)
