"""Blocks in quarantine, one by one."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import WriteConnection
from ingest.tables import quarantine as table


def _is(tenant_id: str, quarantine_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == tenant_id, table.c.id == quarantine_id)


async def lock(tx: WriteConnection, tenant_id: str, quarantine_id: UUID) -> RowMapping | None:
    """The block, locked until the transaction ends."""
    return await tx.one_or_none(
        sa.select(table).where(_is(tenant_id, quarantine_id)).with_for_update()
    )


async def mark_replayed(
    tx: WriteConnection, tenant_id: str, quarantine_id: UUID, now: datetime
) -> None:
    """It has left quarantine."""
    await tx.execute(table.update().where(_is(tenant_id, quarantine_id)).values(replayed_at=now))
