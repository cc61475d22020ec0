"""Copies of meters, as `meter.registered` published them.

Owns the cache that the writer looks into; it is dropped as soon as any meter changes, which every
batch sees in its own transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.meters import Channel, Meter, MeterKey, Registration
from gridtally.ingest.tables import meter as table

CACHED_MAX = 200_000
_FETCH = """
SELECT m.tenant_id, m.id, m.meter_type, m.zone, m.channels
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) JOIN meter m USING (tenant_id, id)
"""


async def fetch_meters(read: ReadConnection, keys: Collection[MeterKey]) -> dict[MeterKey, Meter]:
    """The known ones among the keys."""
    rows = await read.raw.fetch(_FETCH, *columns_of(keys, 2))
    return {(row["tenant_id"], row["id"]): meter_of(row) for row in rows}


_OF_PROPERTY = """
SELECT id FROM meter WHERE tenant_id = $1 AND property_id = $2 ORDER BY id LIMIT $3
"""


async def fetch_meters_of_property(
    read: ReadConnection, tenant_id: str, property_id: UUID, meters_max: int
) -> frozenset[UUID]:
    """The meters that measure there."""
    rows = await read.raw.fetch(_OF_PROPERTY, tenant_id, property_id, meters_max)
    return frozenset(row["id"] for row in rows)


def meter_of(row: Any) -> Meter:
    """The meter in a row that has the columns of `meter`."""
    channels = [_channel(**channel) for channel in row["channels"]]
    return Meter(row["id"], row["meter_type"], row["zone"], tuple(channels))


def _channel(*, start_at: str | None = None, end_at: str | None = None, **fields: Any) -> Channel:
    """A channel of JSON; one that was stored before channels had times has none."""
    return Channel(**fields, start_at=_instant(start_at), end_at=_instant(end_at))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class Meters:
    """Meters in memory, as of the last change of any; one per process.

    `changes` is the count of changes of meters and rules, as of the last `fetch`.
    """

    def __init__(self) -> None:
        self.changes = -1
        self._known: dict[MeterKey, Meter] = {}

    @property
    def known(self) -> Mapping[MeterKey, Meter]:
        """Those in memory, as of the last `fetch`."""
        return self._known

    async def fetch(
        self, read: ReadConnection, keys: Sequence[MeterKey]
    ) -> Mapping[MeterKey, Meter]:
        """Known meters, among them all of the keys that are known.

        The count of changes is read in the caller's transaction, so a meter whose change is
        committed is never taken from the cache as it was before.
        """
        changes = await read.raw.fetchval("SELECT count FROM registry_change")
        if changes != self.changes or len(self._known) > CACHED_MAX:
            self._known, self.changes = {}, changes
        missing = {key for key in keys if key not in self._known}
        if missing:
            self._known |= await fetch_meters(read, missing)
        return self._known


# A meter stays in the zone of its first registration, since its days are stored by it. The last of
# two messages of one version counts, as on the compacted topic.
_KEEP_NEWEST = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET meter_type = excluded.meter_type, name = excluded.name, version = excluded.version,
       channels = excluded.channels, property_id = excluded.property_id
 WHERE meter.version <= excluded.version
"""


async def upsert_meters(tx: WriteConnection, registrations: Sequence[Registration]) -> None:
    """Store the newest version of each meter (one per meter)."""
    await count_change(tx)
    rows = [
        {
            "tenant_id": registration.tenant_id,
            "id": registration.meter.meter_id,
            "meter_type": registration.meter.meter_type,
            "name": registration.name,
            "zone": registration.meter.zone,
            "version": registration.version,
            "channels": _channels_json(registration.meter),
            "property_id": registration.property_id,
        }
        for registration in registrations
    ]
    await insert_rows(tx, table, rows, _KEEP_NEWEST)


def _channels_json(meter: Meter) -> str:
    return orjson.dumps([asdict(channel) for channel in meter.channels]).decode()


async def delete_meters(tx: WriteConnection, keys: Collection[MeterKey]) -> None:
    """Delete meters; readings that come later are pending, and no period closes."""
    await count_change(tx)
    await tx.raw.execute(
        "DELETE FROM meter m USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE m.tenant_id = k.tenant_id AND m.id = k.id",
        *columns_of(keys, 2),
    )


async def count_change(tx: WriteConnection) -> None:
    """Every process sees that its copies are old, once this transaction commits."""
    await tx.raw.execute("UPDATE registry_change SET count = count + 1")
