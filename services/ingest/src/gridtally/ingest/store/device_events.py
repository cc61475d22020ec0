"""Events of devices: stored once each, counted by day, and deleted when they are old."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ingest.domain.device_events import (
    EVENTS_OF_DAY_MAX,
    DeviceEvent,
    FlaggedDay,
    NotedDay,
    StoredEvent,
    Tampering,
)
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


async def fetch_stored(read: ReadConnection, events: Sequence[DeviceEvent]) -> list[StoredEvent]:
    """What is stored already of the ids and the contents of these events."""
    keys = [(event.tenant_id, event.id, *event.content) for event in events]
    return [StoredEvent(*row) for row in await read.raw.fetch(_STORED, *columns_of(keys, 5))]


async def insert_events(tx: WriteConnection, events: Sequence[DeviceEvent], now: datetime) -> None:
    """Store events; one that another transaction has stored meanwhile stays as it is."""
    rows = [as_row(event, table, severity=event.severity, recorded_at=now) for event in events]
    await insert_rows(tx, table, rows, "ON CONFLICT DO NOTHING")


_TAMPERED = """
SELECT k.tenant_id, k.meter_id
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
 WHERE EXISTS (SELECT FROM device_event e
                WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
                  AND e.severity = 'tamper' AND e.happened_at >= $3)
"""


async def fetch_tampered(
    read: ReadConnection, keys: Collection[MeterKey], since_at: datetime
) -> list[MeterKey]:
    """Those of these meters that were tampered with since an instant, as far as that is stored."""
    return [tuple(row) for row in await read.raw.fetch(_TAMPERED, *columns_of(keys, 2), since_at)]


_COUNT_STORED = """
SELECT k.tenant_id, k.meter_id, k.day, c.events
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::timestamptz[], $5::timestamptz[])
       AS k (tenant_id, meter_id, day, start_at, end_at)
 CROSS JOIN LATERAL (
       SELECT count(*) AS events
         FROM (SELECT FROM device_event e
                WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
                  AND e.happened_at >= k.start_at AND e.happened_at < k.end_at LIMIT $6) AS e) AS c
"""


async def count_stored(read: ReadConnection, days: Collection[NotedDay]) -> dict[NotedDay, int]:
    """How many events are stored of these days of meters, counted up to the most of a day."""
    rows = [
        (*day, start_at, start_at + timedelta(days=1))
        for day in days
        for start_at in [datetime.combine(day.day, time(), UTC)]
    ]
    counted = await read.raw.fetch(_COUNT_STORED, *columns_of(rows, 5), EVENTS_OF_DAY_MAX)
    return {NotedDay(*row[:3]): row["events"] for row in counted}


# The first and the last are a step each down the index; counted is up to the most of a day.
_COUNT = """
SELECT k.n, c.events, c.first_at, l.last_at
  FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
       WITH ORDINALITY AS k (tenant_id, meter_id, start_at, end_at, n)
 CROSS JOIN LATERAL (
       SELECT count(*) AS events, min(e.happened_at) AS first_at
         FROM (SELECT e.happened_at FROM device_event e
                WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
                  AND e.happened_at >= k.start_at AND e.happened_at < k.end_at
                  AND e.severity = 'tamper'
                ORDER BY e.happened_at LIMIT $5) AS e) AS c
 CROSS JOIN LATERAL (
       SELECT e.happened_at AS last_at FROM device_event e
        WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
          AND e.happened_at >= k.start_at AND e.happened_at < k.end_at AND e.severity = 'tamper'
        ORDER BY e.happened_at DESC LIMIT 1) AS l
"""


async def count_tampering(read: ReadConnection, days: Sequence[FlaggedDay]) -> dict[int, Tampering]:
    """How often meters were tampered with on these days, by the index of the day."""
    keys = [(day.tenant_id, day.meter_id, day.start_at, day.end_at) for day in days]
    rows = await read.raw.fetch(_COUNT, *columns_of(keys, 4), EVENTS_OF_DAY_MAX)
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
