"""Events of devices: stored once each, counted by day, and deleted when they are old."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ingest.domain.device_events import DeviceEvent, FlaggedDay, Tampering
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.tables import device_event as table

# Those of a batch that are stored under these ids, or as the same kind of a meter at an instant.
_STORED = """
SELECT e.tenant_id, e.id, e.meter_id, e.kind, e.happened_at
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN device_event e USING (tenant_id, id)
UNION
SELECT e.tenant_id, e.id, e.meter_id, e.kind, e.happened_at
  FROM unnest($1::text[], $3::uuid[], $4::text[], $5::timestamptz[])
       AS k (tenant_id, meter_id, kind, happened_at)
  JOIN device_event e USING (tenant_id, meter_id, kind, happened_at)
"""


async def fetch_stored(read: ReadConnection, events: Sequence[DeviceEvent]) -> list[RowMapping]:
    """What is stored already of the ids and the contents of these events."""
    keys = [(event.tenant_id, event.id, *event.content) for event in events]
    rows: list[RowMapping] = await read.raw.fetch(_STORED, *columns_of(keys, 5))
    return rows


async def insert_events(tx: WriteConnection, events: Sequence[DeviceEvent], now: datetime) -> None:
    """Store events; one that another transaction has stored meanwhile stays as it is."""
    rows = [as_row(event, table, severity=event.severity, recorded_at=now) for event in events]
    await insert_rows(tx, table, rows, "ON CONFLICT DO NOTHING")


_TAMPERED = """
SELECT e.tenant_id, e.meter_id, e.happened_at
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
  JOIN device_event e USING (tenant_id, meter_id)
 WHERE e.severity = 'tamper'
"""


async def fetch_tampered(
    read: ReadConnection, keys: Collection[MeterKey]
) -> list[tuple[str, UUID, datetime]]:
    """When these meters were tampered with, as far as that is stored."""
    return [tuple(row) for row in await read.raw.fetch(_TAMPERED, *columns_of(keys, 2))]


_COUNT = """
SELECT k.n, count(*) AS events, min(e.happened_at) AS first_at, max(e.happened_at) AS last_at
  FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
       WITH ORDINALITY AS k (tenant_id, meter_id, start_at, end_at, n)
  JOIN device_event e ON e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
   AND e.happened_at >= k.start_at AND e.happened_at < k.end_at AND e.severity = 'tamper'
 GROUP BY k.n
"""


async def count_tampering(read: ReadConnection, days: Sequence[FlaggedDay]) -> dict[int, Tampering]:
    """How often meters were tampered with on these days, by the index of the day."""
    keys = [(day.tenant_id, day.meter_id, day.start_at, day.end_at) for day in days]
    rows = await read.raw.fetch(_COUNT, *columns_of(keys, 4))
    return {row["n"] - 1: Tampering(*row[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class DeviceEventFilter:
    """Which events of a tenant; None for any. `before_at` itself is left out."""

    meter_id: UUID | None = None
    kind: str | None = None
    severity: str | None = None
    from_at: datetime | None = None
    before_at: datetime | None = None


async def list_events(
    read: ReadConnection,
    tenant_id: str,
    wanted: DeviceEventFilter,
    *,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Events, the newest first."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id)
    for column in ("meter_id", "kind", "severity"):
        value = getattr(wanted, column)
        if value is not None:
            query = query.where(table.c[column] == value)
    if wanted.from_at is not None:
        query = query.where(table.c.happened_at >= wanted.from_at)
    if wanted.before_at is not None:
        query = query.where(table.c.happened_at < wanted.before_at)
    position = (table.c.happened_at, table.c.id)
    return await read.all(
        page_after(query, position, after=after, rows_max=rows_max, descending=True)
    )


_DELETE_EXPIRED = """
DELETE FROM device_event
 WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM device_event
                            WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2)
"""


async def delete_expired(tx: WriteConnection, before: datetime, rows_max: int) -> int:
    """Delete the oldest events that were recorded before an instant; how many."""
    status: str = await tx.raw.execute(_DELETE_EXPIRED, before, rows_max)
    return int(status.rpartition(" ")[2])
