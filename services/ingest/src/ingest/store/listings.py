"""What the API lists, page by page: each query asks for rows after a position in a fixed order."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection
from ingest.tables import held_stretch, period, quarantine, waiting_block

State = Literal["open", "closed"]


async def fetch_period(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> RowMapping | None:
    """One period of an agreement."""
    return await read.one_or_none(
        sa.select(period).where(
            period.c.tenant_id == tenant_id,
            period.c.agreement_id == agreement_id,
            period.c.start_on == start_on,
        )
    )


async def fetch_periods(
    read: ReadConnection,
    tenant_id: str,
    *,
    agreement_id: UUID | None,
    state: State | None,
    after: tuple[UUID, date] | None,
    rows: int,
) -> Sequence[RowMapping]:
    """Periods by agreement and first day."""
    position = (period.c.agreement_id, period.c.start_on)
    statement = sa.select(period).where(period.c.tenant_id == tenant_id)
    if agreement_id is not None:
        statement = statement.where(period.c.agreement_id == agreement_id)
    if state is not None:
        statement = statement.where(period.c.state == state)
    if after is not None:
        statement = statement.where(sa.tuple_(*position) > after)
    return await read.all(statement.order_by(*position).limit(rows))


async def fetch_quarantined(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    replayed: bool,
    after: tuple[datetime, UUID] | None,
    rows: int,
) -> Sequence[RowMapping]:
    """Refused blocks, oldest first: those that were replayed, or those that were not."""
    position, left_at = (quarantine.c.recorded_at, quarantine.c.id), quarantine.c.replayed_at
    statement = sa.select(quarantine).where(
        quarantine.c.tenant_id == tenant_id,
        left_at.is_not(None) if replayed else left_at.is_(None),
    )
    if meter_id is not None:
        statement = statement.where(quarantine.c.meter_id == meter_id)
    if after is not None:
        statement = statement.where(sa.tuple_(*position) > after)
    return await read.all(statement.order_by(*position).limit(rows))


async def fetch_waiting_meters(
    read: ReadConnection, tenant_id: str, *, after: UUID | None, rows: int
) -> Sequence[RowMapping]:
    """Unknown meters by their id, with how many blocks wait and since when."""
    meter_id, recorded_at = waiting_block.c.meter_id, waiting_block.c.recorded_at
    statement = (
        sa.select(
            meter_id,
            sa.func.count().label("blocks"),
            sa.func.min(recorded_at).label("oldest_at"),
        )
        .where(waiting_block.c.tenant_id == tenant_id)
        .group_by(meter_id)
    )
    if after is not None:
        statement = statement.where(meter_id > after)
    return await read.all(statement.order_by(meter_id).limit(rows))


async def fetch_held_stretches(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    after: tuple[UUID, str, datetime] | None,
    rows: int,
) -> Sequence[RowMapping]:
    """What is held of registers, by meter, flow and moment."""
    position = (held_stretch.c.meter_id, held_stretch.c.flow, held_stretch.c.start_at)
    statement = sa.select(held_stretch).where(held_stretch.c.tenant_id == tenant_id)
    if meter_id is not None:
        statement = statement.where(held_stretch.c.meter_id == meter_id)
    if after is not None:
        statement = statement.where(sa.tuple_(*position) > after)
    return await read.all(statement.order_by(*position).limit(rows))
