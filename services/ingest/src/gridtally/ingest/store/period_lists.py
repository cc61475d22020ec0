"""Periods as people look at them: one, or a page of them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection
from gridtally.database.pages import page_after
from gridtally.ingest.store.periods import State
from gridtally.ingest.tables import period as table


async def fetch_period(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> RowMapping | None:
    """One period of an agreement."""
    return await read.one_or_none(
        sa.select(table).where(
            table.c.tenant_id == tenant_id,
            table.c.agreement_id == agreement_id,
            table.c.start_on == start_on,
        )
    )


async def list_periods(
    read: ReadConnection,
    tenant_id: str,
    *,
    agreement_id: UUID | None,
    meter_id: UUID | None,
    state: State | None,
    ended_by: date | None,
    after: tuple[UUID, date] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Periods by agreement and first day; `ended_by` a day: only those without a later one. Those
    that are cancelled only where this state is asked for."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id)
    if state is None:
        query = query.where(table.c.state != "cancelled")
    for column, wanted in (
        ("agreement_id", agreement_id),
        ("meter_id", meter_id),
        ("state", state),
    ):
        if wanted is not None:
            query = query.where(table.c[column] == wanted)
    if ended_by is not None:
        query = query.where(table.c.end_on <= ended_by)
    position = (table.c.agreement_id, table.c.start_on)
    return await read.all(page_after(query, position, after=after, rows_max=rows_max))
