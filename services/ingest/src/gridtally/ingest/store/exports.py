"""Intervals as lines of a file: one for each value, as it is now."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection
from gridtally.database.copy_out import TakeLines, copy_csv
from gridtally.database.rows import among
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.archive.intervals import (
    fetch_interval_days,
    interval_days,
    take_intervals,
)
from gridtally.kernel.periods import Period

INTERVAL_COLUMNS = (
    "meter_id", "flow", "day", "start_at", "minutes", "energy_wh", "quality", "recorded_at",
)  # fmt: skip
METERS_AT_ONCE = 50
"""Of one statement: what it sorts fits in memory, however many meters are asked for."""
_reading = sa.table(
    "reading",
    sa.column("tenant_id", sa.Text),
    sa.column("meter_id", sa.Uuid),
    sa.column("flow", sa.Text),
    sa.column("day", sa.Date),
    *(sa.column(name) for name in INTERVAL_COLUMNS[3:]),
)


async def copy_intervals(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter_ids: Sequence[UUID],
    flows: Sequence[str],
    window: Period,
    take: TakeLines,
) -> None:
    """All intervals of channel-days that have anything, by meter as asked for, flow and time; one
    that is missing has no energy."""
    columns = _reading.c
    for first in range(0, len(meter_ids), METERS_AT_ONCE):
        chosen = meter_ids[first : first + METERS_AT_ONCE]
        archived = await archive.fetch_channels(
            read, tenant_id, chosen, flows, window, with_facts=True
        )
        if archived:
            days = await fetch_interval_days(read, tenant_id, chosen, flows, window)
            await take_intervals(read, [*days, *interval_days(archived)], take)
            continue
        query = (
            sa.select(*(columns[name] for name in INTERVAL_COLUMNS))
            .where(
                columns.tenant_id == tenant_id,
                among(columns.meter_id, chosen),
                among(columns.flow, flows),
                columns.day >= window.start_on,
                columns.day < window.end_on,
            )
            .order_by(columns.meter_id, columns.flow, columns.start_at)
        )
        await copy_csv(read, query, take)
