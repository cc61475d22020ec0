"""Reading channel-days back, as they are or as they were known at an instant."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np

from gridtally.database import ReadConnection, copy
from gridtally.ingest.domain.local_days import days_between
from gridtally.ingest.domain.merge import MISSING, NO_QUALITY, rebuild_day
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.series import StoredDays
from gridtally.ingest.store.readings import fetch_ranked_pieces
from gridtally.kernel.periods import day_minutes

_DAYS = """
SELECT day, quality, array_send(array_replace(values, NULL, -1)) AS sent
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = $2 AND flow = $3 AND minutes = $4 AND day >= $5 AND day < $6
"""


async def fetch_days(
    read: ReadConnection,
    tenant_id: str,
    meter_id: UUID,
    channel: Channel,
    window: tuple[date, date],
) -> StoredDays:
    """The newest state of a channel's days, `window` half-open."""
    rows = await read.raw.fetch(_DAYS, tenant_id, meter_id, channel.flow, channel.minutes, *window)
    return {
        row["day"]: (
            copy.split_int4_arrays(row["sent"])[0],
            np.frombuffer(row["quality"].encode(), np.uint8),
        )
        for row in rows
    }


async def fetch_days_known_at(
    read: ReadConnection,
    tenant_id: str,
    meter: Meter,
    channel: Channel,
    window: tuple[date, date],
    known_at: datetime,
) -> StoredDays:
    """The same, rebuilt of the blocks that were recorded up to `known_at`."""
    dates = days_between(*window)
    keys = [DayKey(tenant_id, meter.meter_id, channel.flow, channel.minutes, day) for day in dates]
    days: StoredDays = {}
    pieces_by_day = await fetch_ranked_pieces(read, keys, known_at=known_at)
    for day, pieces in zip(dates, pieces_by_day, strict=True):
        slots = day_minutes(meter.zone, day) // channel.minutes
        values, quality = np.full(slots, MISSING, np.int32), np.full(slots, NO_QUALITY, np.uint8)
        rebuild_day(values, quality, pieces)
        days[day] = (values, quality)
    return days


# Per row the letters of one quality are what is left when those of the others are taken out.
_COMPLETENESS = """
SELECT day, flow, minutes, present, version, recorded_at,
       length(translate(quality, 'AS-', '')) AS estimated,
       length(translate(quality, 'AE-', '')) AS substituted
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = $2 AND day >= $3 AND day < $4
"""


async def fetch_completeness(
    read: ReadConnection, tenant_id: str, meter_id: UUID, window: tuple[date, date]
) -> dict[tuple[date, str, int], Any]:
    """What is there per day, flow and interval length."""
    rows = await read.raw.fetch(_COMPLETENESS, tenant_id, meter_id, *window)
    return {(row["day"], row["flow"], row["minutes"]): row for row in rows}
