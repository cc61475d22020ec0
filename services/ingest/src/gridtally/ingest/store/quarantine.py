"""Blocks in quarantine: refused, with their reasons, until they are replayed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.readings import ReceivedBlocks
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.tables import quarantine as table


async def insert_quarantined(
    tx: WriteConnection,
    received: ReceivedBlocks,
    refused: Mapping[UUID, tuple[int, Refusal]],
    now: datetime,
) -> set[UUID]:
    """Put refused blocks, by quarantine id and index, into quarantine.

    Returns the ids that were not there yet.
    """
    rows = [
        {
            "tenant_id": received.tenants[index],
            "id": quarantine_id,
            "event_id": received.event_ids[index],
            "meter_id": received.blocks[index].meter_id,
            "flow": received.blocks[index].flow,
            "reason": refusal.reason,
            "detail": refusal.detail,
            "source": received.sources[index],
            "occurred_at": received.occurred_at[index],
            "correlation_id": received.correlation_ids[index],
            "value": received.values[index],
            "recorded_at": now,
            "replayed_at": None,
        }
        for quarantine_id, (index, refusal) in refused.items()
    ]
    inserted = await insert_rows(tx, table, rows, "ON CONFLICT DO NOTHING RETURNING id")
    return {row["id"] for row in inserted}


async def lock_quarantined(
    tx: WriteConnection, tenant_id: str, quarantine_id: UUID
) -> RowMapping | None:
    """The block, locked until the transaction ends."""
    return await tx.one_or_none(
        sa.select(table).where(_is(tenant_id, quarantine_id)).with_for_update()
    )


async def mark_replayed(
    tx: WriteConnection, tenant_id: str, quarantine_id: UUID, now: datetime
) -> None:
    """The block has left quarantine."""
    await tx.execute(table.update().where(_is(tenant_id, quarantine_id)).values(replayed_at=now))


def _is(tenant_id: str, quarantine_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == tenant_id, table.c.id == quarantine_id)


async def list_quarantined(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    replayed: bool,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Refused blocks, oldest first: those that were replayed, or those that were not."""
    left_at = table.c.replayed_at
    query = sa.select(table).where(
        table.c.tenant_id == tenant_id, left_at.is_not(None) if replayed else left_at.is_(None)
    )
    if meter_id is not None:
        query = query.where(table.c.meter_id == meter_id)
    return await read.all(
        page_after(query, (table.c.recorded_at, table.c.id), after=after, rows_max=rows_max)
    )
