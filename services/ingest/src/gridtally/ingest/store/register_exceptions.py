"""Register exceptions: the time between two register readings that make no energy."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ingest.domain.registers import RegisterKey
from gridtally.ingest.tables import register_exception as table
from gridtally.metering.readings import RegisterException

_DELETE = """
DELETE FROM register_exception x
 USING unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
       AS k (tenant_id, meter_id, flow, from_at, to_at)
 WHERE (x.tenant_id, x.meter_id, x.flow) = (k.tenant_id, k.meter_id, k.flow)
   AND x.start_at >= k.from_at AND x.start_at < k.to_at
"""


async def replace_exceptions(
    tx: WriteConnection,
    windows: Sequence[tuple[RegisterKey, datetime, datetime]],
    exceptions: Sequence[tuple[RegisterKey, RegisterException]],
) -> None:
    """Replace the exceptions of registers that begin in windows, which are half-open."""
    await tx.raw.execute(_DELETE, *columns_of([(*key, *window) for key, *window in windows], 5))
    rows = [
        as_row(exception, table, tenant_id=tenant_id, meter_id=meter_id, flow=flow)
        for (tenant_id, meter_id, flow), exception in exceptions
    ]
    await insert_rows(tx, table, rows)


async def list_exceptions(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    after: tuple[UUID, str, datetime] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Exceptions by meter, flow and moment."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id)
    if meter_id is not None:
        query = query.where(table.c.meter_id == meter_id)
    position = (table.c.meter_id, table.c.flow, table.c.start_at)
    return await read.all(page_after(query, position, after=after, rows_max=rows_max))
