"""Register exceptions: the time between two register readings that make no energy."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, insert_rows
from gridtally.ingest.domain.registers import RegisterKey
from gridtally.ingest.tables import register_exception as table
from gridtally.metering.readings import RegisterException

_DELETE = """
DELETE FROM register_exception
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND start_at >= $4 AND start_at < $5
"""


async def replace_exceptions(
    tx: WriteConnection,
    key: RegisterKey,
    window: tuple[datetime, datetime],
    exceptions: Sequence[RegisterException],
) -> None:
    """Replace the register's exceptions that begin in the window, which is half-open."""
    await tx.raw.execute(_DELETE, *key, *window)
    tenant_id, meter_id, flow = key
    rows = [
        as_row(exception, table, tenant_id=tenant_id, meter_id=meter_id, flow=flow)
        for exception in exceptions
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
