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
# meters of a property come as one array, so that a house is one row.
_TREE = """
WITH RECURSIVE tree AS (
    SELECT id FROM property WHERE tenant_id = $1 AND id = $2
    UNION
    SELECT p.id FROM property p JOIN tree t ON p.parent_id = t.id WHERE p.tenant_id = $1)
SELECT p.id, p.name, p.zone, p.connected_kw,
       EXISTS (SELECT FROM property c WHERE c.tenant_id = $1 AND c.parent_id = p.id) AS has_parts,
       (SELECT jsonb_agg(jsonb_build_object('id', m.id, 'meter_type', m.meter_type,
                                            'connected_kw', m.connected_kw::text,
                                            'flows', m.flows))
          FROM meter m WHERE m.tenant_id = $1 AND m.property_id = p.id)::text AS meters,
       (SELECT to_jsonb(h) - 'tenant_id' - 'house_node_id' FROM house_profile h
         WHERE h.tenant_id = $1 AND h.house_node_id = p.id)::text AS profile
  FROM property p JOIN tree USING (id)
 WHERE p.tenant_id = $1
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
