"""Copies of meters, as `meter.registered` told them.

Owns the cache that the writer looks into; it is dropped as soon as any meter changes, which every
batch sees in its own transaction.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import orjson

from contracts.metering import MeterRegistered
from database import ReadConnection, WriteConnection
from ingest.domain.meters import Channel, Meter

CACHED_MAX = 200_000
MeterKey = tuple[str, UUID]
_FETCH = """
SELECT m.tenant_id, m.id, m.type, m.zone, m.channels
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) JOIN meter m USING (tenant_id, id)
"""
_UPSERT = """
INSERT INTO meter AS m (tenant_id, id, type, name, zone, version, channels)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[],
                     $7::jsonb[])
ON CONFLICT (tenant_id, id) DO UPDATE
   SET type = excluded.type, name = excluded.name, version = excluded.version,
       channels = excluded.channels
 WHERE m.version <= excluded.version
"""


async def fetch_meters(read: ReadConnection, wanted: Collection[MeterKey]) -> dict[MeterKey, Meter]:
    """The known ones among `wanted`."""
    rows = await read.raw.fetch(_FETCH, [k[0] for k in wanted], [k[1] for k in wanted])
    return {(r["tenant_id"], r["id"]): read_meter(r) for r in rows}


def read_meter(row: Any) -> Meter:
    """A row of `meter`."""
    channels = [Channel(c["flow"], c["minutes"], c["interval_wh_max"]) for c in row["channels"]]
    return Meter(row["id"], row["type"], row["zone"], tuple(channels))


class Meters:
    """Meters in memory, as of the last change of any."""

    def __init__(self) -> None:
        self._changes = -1
        self._known: dict[MeterKey, Meter] = {}

    async def fetch(self, read: ReadConnection, wanted: Sequence[MeterKey]) -> list[Meter | None]:
        """Each that is wanted; None where it is not known."""
        changes = await read.raw.fetchval("SELECT count FROM registry_change")
        if changes != self._changes or len(self._known) > CACHED_MAX:
            self._known, self._changes = {}, changes
        found = [self._known.get(key) for key in wanted]
        missing = {key for key, meter in zip(wanted, found, strict=True) if meter is None}
        if not missing:
            return found
        self._known |= await fetch_meters(read, missing)
        return [self._known.get(key) for key in wanted]


async def _note_change(tx: WriteConnection) -> None:
    """Tells every process that its copies are old, once this transaction commits."""
    await tx.raw.execute("UPDATE registry_change SET count = count + 1")


async def upsert_meters(tx: WriteConnection, meters: Sequence[tuple[str, MeterRegistered]]) -> None:
    """Keep the newest version of each (one per meter); the zone stays that of the first."""
    await _note_change(tx)
    tenants = [tenant for tenant, _ in meters]
    events = [event for _, event in meters]
    await tx.raw.execute(
        _UPSERT,
        tenants,
        [e.meter_id for e in events],
        [e.type for e in events],
        [e.name for e in events],
        [e.zone for e in events],
        [e.version for e in events],
        [orjson.dumps([c.model_dump() for c in e.channels]).decode() for e in events],
    )


async def delete_meters(tx: WriteConnection, keys: Collection[MeterKey]) -> None:
    """Forget meters; readings that come later wait, and nothing is closed."""
    await _note_change(tx)
    await tx.raw.execute(
        "DELETE FROM meter m USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE m.tenant_id = k.tenant_id AND m.id = k.id",
        [k[0] for k in keys],
        [k[1] for k in keys],
    )
