"""Readings as lines of a file."""

from collections.abc import Sequence

import sqlalchemy as sa

from gridtally.database import ReadConnection
from gridtally.database.copy_out import TakeLines, copy_csv
from gridtally.ledger.metering.readings.store.readings import Selection, known_at, selected


async def copy_readings(
    read: ReadConnection,
    tenant_id: str,
    selection: Selection,
    columns: Sequence[str],
    take: TakeLines,
) -> None:
    """All readings that count, in the order they were taken, as lines of CSV."""
    e = known_at(selection.as_of)
    query = (
        sa.select(*(e.c[name] for name in columns))
        .where(*selected(e, tenant_id, selection))
        .order_by(e.c.read_at, e.c.reading_id)
    )
    await copy_csv(read, query, take)
