"""Copies of properties and meters, as their events published them; ended ones are deleted."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.simulation import tables
from gridtally.simulation.domain.houses import HouseProfile, MeterAt, PropertyAt
from gridtally.simulation.store.house_profiles import profile_of

Key = tuple[str, UUID]

_KEEP_NEWEST_PROPERTY = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET name = excluded.name, zone = excluded.zone, connected_kw = excluded.connected_kw,
       parent_id = excluded.parent_id, version = excluded.version
 WHERE property.version <= excluded.version
"""


async def upsert_properties(tx: WriteConnection, rows: Collection[Mapping[str, Any]]) -> None:
    """Store the newest version of each property."""
    await insert_rows(tx, tables.property_, list(rows), _KEEP_NEWEST_PROPERTY)


_KEEP_NEWEST_METER = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET property_id = excluded.property_id, meter_type = excluded.meter_type,
       connected_kw = excluded.connected_kw, flows = excluded.flows, version = excluded.version
 WHERE meter.version <= excluded.version
"""


async def upsert_meters(tx: WriteConnection, rows: Collection[Mapping[str, Any]]) -> None:
    """Store the newest version of each meter."""
    encoded = [{**row, "flows": json.dumps(row["flows"])} for row in rows]
    await insert_rows(tx, tables.meter, encoded, _KEEP_NEWEST_METER)


async def delete_properties(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Delete properties that have ended."""
    await tx.raw.execute(
        "DELETE FROM property p USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE p.tenant_id = k.tenant_id AND p.id = k.id",
        *columns_of(keys, 2),
    )


async def delete_meters(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Delete meters that have ended."""
    await tx.raw.execute(
        "DELETE FROM meter m USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE m.tenant_id = k.tenant_id AND m.id = k.id",
        *columns_of(keys, 2),
    )


# UNION and not UNION ALL: a circle of parents, which the registry refuses, would never end. The
# meters of a property come as one array, so that a house is one row. The tree carries what is shown
# and every look-up is LATERAL with OFFSET 0, by index: the planner takes any tree for ten rows, and
# joined ten thousand properties with it by comparing each with each, for some seconds.
_TREE = """
WITH RECURSIVE tree AS (
    SELECT id, name, zone, connected_kw FROM property WHERE tenant_id = $1 AND id = $2
    UNION
    SELECT p.* FROM tree t CROSS JOIN LATERAL (
           SELECT c.id, c.name, c.zone, c.connected_kw FROM property c
            WHERE c.tenant_id = $1 AND c.parent_id = t.id OFFSET 0) p)
SELECT t.*, part.id IS NOT NULL AS has_parts, m.meters::text AS meters, h.profile::text AS profile
  FROM tree t
  LEFT JOIN LATERAL (
       SELECT c.id FROM property c WHERE c.tenant_id = $1 AND c.parent_id = t.id LIMIT 1) part
       ON true
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('id', m.id, 'meter_type', m.meter_type,
                                           'connected_kw', m.connected_kw::text,
                                           'flows', m.flows)) AS meters
         FROM meter m WHERE m.tenant_id = $1 AND m.property_id = t.id OFFSET 0) m ON true
  LEFT JOIN LATERAL (
       SELECT to_jsonb(h) - 'tenant_id' - 'house_node_id' AS profile
         FROM house_profile h WHERE h.tenant_id = $1 AND h.house_node_id = t.id OFFSET 0) h ON true
"""


async def fetch_tree(
    read: ReadConnection, tenant_id: str, root_id: UUID
) -> tuple[list[PropertyAt], dict[UUID, HouseProfile]]:
    """The node and all below it, with their meters, and the profiles of houses among them; nothing
    where there is no such node."""
    rows = await read.raw.fetch(_TREE, tenant_id, root_id)
    properties = [
        PropertyAt(
            id=UUID(str(row["id"])),
            name=row["name"],
            zone=row["zone"],
            connected_kw=row["connected_kw"],
            has_parts=row["has_parts"],
            meters=tuple(_meter(meter) for meter in json.loads(row["meters"] or "[]")),
        )
        for row in rows
    ]
    profiles = {
        UUID(str(row["id"])): profile_of(
            json.loads(row["profile"], parse_float=Decimal, parse_int=Decimal)
        )
        for row in rows
        if row["profile"] is not None
    }
    return properties, profiles


def _meter(meter: dict[str, Any]) -> MeterAt:
    kw = meter["connected_kw"]
    return MeterAt(
        id=UUID(meter["id"]),
        meter_type=meter["meter_type"],
        connected_kw=None if kw is None else Decimal(kw),
        flows=tuple(meter["flows"]),
    )
