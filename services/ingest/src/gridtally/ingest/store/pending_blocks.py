"""Blocks of meters that are not registered yet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.pending_blocks import PendingKey
from gridtally.ingest.domain.readings import ReceivedBlocks
from gridtally.ingest.tables import pending_block as table


async def insert_pending(
    tx: WriteConnection, received: ReceivedBlocks, pending: Mapping[PendingKey, int], now: datetime
) -> set[PendingKey]:
    """Store blocks of unknown meters, by key and index; the keys that were not there yet."""
    rows = [
        {
            "tenant_id": tenant_id,
            "meter_id": meter_id,
            "event_id": event_id,
            "source": received.sources[index],
            "occurred_at": received.occurred_at[index],
            "correlation_id": received.correlation_ids[index],
            "value": received.values[index],
            "recorded_at": now,
        }
        for (tenant_id, meter_id, event_id), index in pending.items()
    ]
    inserted = await insert_rows(
        tx, table, rows, "ON CONFLICT DO NOTHING RETURNING tenant_id, meter_id, event_id"
    )
    return {(row["tenant_id"], row["meter_id"], row["event_id"]) for row in inserted}


_DELETE = """
DELETE FROM pending_block p
 USING unnest($1::text[], $2::uuid[], $3::uuid[]) AS k (tenant_id, meter_id, event_id)
 WHERE (p.tenant_id, p.meter_id, p.event_id) = (k.tenant_id, k.meter_id, k.event_id)
"""


async def delete_pending(tx: WriteConnection, keys: Collection[PendingKey]) -> None:
    """Remove these blocks."""
    await tx.raw.execute(_DELETE, *columns_of(keys, 3))


_DELETE_EXPIRED = """
WITH old AS (
  SELECT tenant_id, meter_id, event_id FROM pending_block WHERE recorded_at < $1
   ORDER BY recorded_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM pending_block p USING old o
   WHERE (p.tenant_id, p.meter_id, p.event_id) = (o.tenant_id, o.meter_id, o.event_id)
  RETURNING p.tenant_id)
SELECT tenant_id, count(*) AS blocks FROM gone GROUP BY tenant_id ORDER BY tenant_id
"""


async def delete_expired(tx: WriteConnection, before: datetime, rows_max: int) -> dict[str, int]:
    """Remove the oldest blocks that came before an instant; how many, by tenant."""
    rows = await tx.raw.fetch(_DELETE_EXPIRED, before, rows_max)
    return {row["tenant_id"]: row["blocks"] for row in rows}


# The recursion goes from one awaited meter to the next by the index, however many blocks each has,
# so that a million blocks of one unknown meter cost nothing while it is unknown.
_TAKE = """
WITH RECURSIVE awaited AS (
    (SELECT tenant_id, meter_id FROM pending_block ORDER BY tenant_id, meter_id LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.meter_id
      FROM awaited a CROSS JOIN LATERAL (
           SELECT p.tenant_id, p.meter_id FROM pending_block p
            WHERE (p.tenant_id, p.meter_id) > (a.tenant_id, a.meter_id)
            ORDER BY p.tenant_id, p.meter_id LIMIT 1) AS n),
taken AS (
    SELECT p.tenant_id, p.meter_id, p.event_id
      FROM awaited a
      JOIN meter m ON m.tenant_id = a.tenant_id AND m.id = a.meter_id
      JOIN pending_block p ON p.tenant_id = a.tenant_id AND p.meter_id = a.meter_id
     ORDER BY p.seq LIMIT $1 FOR UPDATE OF p SKIP LOCKED)
DELETE FROM pending_block p USING taken t
 WHERE p.tenant_id = t.tenant_id AND p.meter_id = t.meter_id AND p.event_id = t.event_id
RETURNING p.tenant_id, p.seq, p.event_id, p.source, p.occurred_at, p.correlation_id, p.value
"""


async def take_pending(tx: WriteConnection, rows_max: int) -> list[Any]:
    """Remove and return blocks whose meter is known by now, in the order they came."""
    rows = await tx.raw.fetch(_TAKE, rows_max)
    return sorted(rows, key=lambda row: row["seq"])


async def list_pending_meters(
    read: ReadConnection, tenant_id: str, *, after: tuple[UUID] | None, rows_max: int
) -> Sequence[RowMapping]:
    """Unknown meters by their id, with how many blocks are pending and since when."""
    meter_id = table.c.meter_id
    query = (
        sa.select(
            meter_id,
            sa.func.count().label("blocks"),
            sa.func.min(table.c.recorded_at).label("oldest_at"),
        )
        .where(table.c.tenant_id == tenant_id)
        .group_by(meter_id)
    )
    return await read.all(page_after(query, (meter_id,), after=after, rows_max=rows_max))
