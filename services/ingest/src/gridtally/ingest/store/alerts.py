"""Alerts: raised once, touched while they last, cleared once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, from_row, insert_rows
from gridtally.ingest.domain.adoption import PublishedClearing
from gridtally.ingest.domain.alerts import Alert
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.tables import alert as table
from gridtally.ingest.tables import meter

# The newest of each kind and flow, open or not: the next one counts on from it.
_LATEST = """
SELECT DISTINCT ON (a.tenant_id, a.meter_id, a.kind, a.flow) a.*
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
  JOIN alert a USING (tenant_id, meter_id)
 ORDER BY a.tenant_id, a.meter_id, a.kind, a.flow, a.number DESC
"""


async def fetch_latest(read: ReadConnection, keys: Collection[MeterKey]) -> list[Alert]:
    """The newest alerts of meters."""
    rows = await read.raw.fetch(_LATEST, *columns_of(keys, 2))
    return [from_row(Alert, row) for row in rows]


async def insert_alerts(tx: WriteConnection, alerts: Sequence[Alert]) -> None:
    """Store new alerts."""
    await insert_rows(tx, table, [_row(alert) for alert in alerts])


def _row(alert: Alert) -> dict[str, Any]:
    """The row of an alert that nobody has acknowledged."""
    return as_row(alert, table, acknowledged_at=None, acknowledged_by=None, note=None)


_UPDATE = """
UPDATE alert a
   SET day = k.day, value = k.value, worst_value = k.worst_value, "limit" = k."limit",
       seen_at = k.seen_at, cleared_at = k.cleared_at, reason = k.reason
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[],
              $7::timestamptz[], $8::timestamptz[], $9::text[])
       AS k (tenant_id, id, day, value, worst_value, "limit", seen_at, cleared_at, reason)
 WHERE a.tenant_id = k.tenant_id AND a.id = k.id
"""


async def update_alerts(tx: WriteConnection, alerts: Sequence[Alert]) -> None:
    """Store what has become of alerts."""
    rows = [
        (
            alert.tenant_id,
            alert.id,
            alert.day,
            alert.value,
            alert.worst_value,
            alert.limit,
            alert.seen_at,
            alert.cleared_at,
            alert.reason,
        )
        for alert in alerts
    ]
    if rows:
        await tx.raw.execute(_UPDATE, *columns_of(rows, 9))


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts of a tenant; None for any."""

    is_open: bool | None = None
    kind: str | None = None
    meter_id: UUID | None = None
    raised_from: datetime | None = None
    is_acknowledged: bool | None = None


_ROWS = sa.select(table, meter.c.name.label("meter_name")).select_from(
    table.outerjoin(
        meter, sa.and_(meter.c.tenant_id == table.c.tenant_id, meter.c.id == table.c.meter_id)
    )
)


async def list_alerts(
    read: ReadConnection,
    tenant_id: str,
    wanted: AlertFilter,
    *,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Alerts with the names of their meters, the newest first."""
    query = _ROWS.where(table.c.tenant_id == tenant_id)
    if wanted.is_open is not None:
        query = query.where(table.c.cleared_at.is_(None) == wanted.is_open)
    if wanted.is_acknowledged is not None:
        query = query.where(table.c.acknowledged_at.is_not(None) == wanted.is_acknowledged)
    for column, value in (("kind", wanted.kind), ("meter_id", wanted.meter_id)):
        if value is not None:
            query = query.where(table.c[column] == value)
    if wanted.raised_from is not None:
        query = query.where(table.c.raised_at >= wanted.raised_from)
    position = (table.c.raised_at, table.c.id)
    return await read.all(
        page_after(query, position, after=after, rows_max=rows_max, descending=True)
    )


async def fetch_alert(read: ReadConnection, tenant_id: str, alert_id: UUID) -> RowMapping | None:
    """An alert with the name of its meter."""
    return await read.one_or_none(
        _ROWS.where(table.c.tenant_id == tenant_id, table.c.id == alert_id)
    )


async def lock_alert(tx: WriteConnection, tenant_id: str, alert_id: UUID) -> RowMapping | None:
    """An alert, locked until the transaction ends."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == alert_id)
    return await tx.one_or_none(query.with_for_update())


async def update_acknowledged(
    tx: WriteConnection, tenant_id: str, alert_id: UUID, said: tuple[datetime, str, str]
) -> None:
    """Somebody has seen the alert: when, by which key, and with which note."""
    acknowledged_at, acknowledged_by, note = said
    await tx.execute(
        table.update()
        .where(table.c.tenant_id == tenant_id, table.c.id == alert_id)
        .values(acknowledged_at=acknowledged_at, acknowledged_by=acknowledged_by, note=note)
    )


# Only the newest of a meter, kind and flow can be open: each but that ended when the next one was
# raised, if its own end is not heard of.
_END_EARLIER = """
UPDATE alert a SET cleared_at = k.raised_at, reason = 'ended'
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::timestamptz[])
       AS k (tenant_id, meter_id, kind, flow, number, raised_at)
 WHERE a.tenant_id = k.tenant_id AND a.meter_id = k.meter_id AND a.kind = k.kind
   AND a.flow = k.flow AND a.number < k.number AND a.cleared_at IS NULL
"""


async def adopt_alerts(tx: WriteConnection, alerts: Sequence[Alert]) -> None:
    """Store alerts that were published before a restore, in the order of their numbers, unless they
    are known."""
    for alert in alerts:
        key = (alert.tenant_id, alert.meter_id, alert.kind, alert.flow)
        earlier = [(*key, alert.number, alert.raised_at)]
        await tx.raw.execute(_END_EARLIER, *columns_of(earlier, 6))
        await insert_rows(tx, table, [_row(alert)], "ON CONFLICT DO NOTHING")


_ADOPT_CLEARING = """
UPDATE alert SET worst_value = $3, cleared_at = $4, reason = $5 WHERE (tenant_id, id) = ($1, $2)
"""


async def adopt_clearings(tx: WriteConnection, clearings: Sequence[PublishedClearing]) -> None:
    """Alerts that ended before a restore have ended."""
    await tx.raw.executemany(
        _ADOPT_CLEARING,
        [(own.tenant_id, own.id, own.worst_value, own.cleared_at, own.reason) for own in clearings],
    )
