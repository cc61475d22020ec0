"""Channel-days that wait to be announced.

`usage_pending` has no unique key: writers add marks without waiting for anybody, and a claim takes
all marks of a channel-day at once. A mark is committed together with the change that it tells of,
so whoever sees the mark sees the change.
"""

from datetime import datetime

import numpy as np

from database import WriteConnection, copy
from ingest.domain.intake import DayKey
from ingest.store.partitions import plan_by_key
from ingest.store.rows import bounds
from ingest.wire import ChangedDay

_CLAIM = """
WITH due AS (
    SELECT DISTINCT tenant_id, meter_id, flow, minutes, day
      FROM (SELECT * FROM usage_pending WHERE due_at <= $1 ORDER BY due_at LIMIT $2
               FOR UPDATE SKIP LOCKED) AS p),
gone AS (
    DELETE FROM usage_pending p USING due k
     WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.meter_id AND p.flow = k.flow
       AND p.minutes = k.minutes AND p.day = k.day)
SELECT * FROM due
"""
_FETCH = """
SELECT k.*, d.*
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[])
       AS k (tenant_id, meter_id, flow, minutes, day)
 CROSS JOIN LATERAL (
       SELECT c.zone, c.version, c.recorded_at, c.correlation_id, c.quality,
              array_send(array_replace(c.values, NULL, -1)) AS sent
         FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
          AND c.minutes = k.minutes AND c.day = k.day AND c.day BETWEEN $6 AND $7
       OFFSET 0) AS d
"""
_MARK_MONTHS = """
INSERT INTO period_check (tenant_id, meter_id, month_on, due_at)
SELECT DISTINCT k.tenant_id, k.meter_id, date_trunc('month', k.day)::date, $4::timestamptz
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, meter_id, day)
 WHERE date_trunc('month', k.day) + interval '1 month' <= $4::timestamptz + interval '1 day'
    OR EXISTS (SELECT FROM period p
                WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.meter_id
                  AND p.start_on <= k.day AND p.end_on > k.day
                  AND p.end_on <= $4::timestamptz + interval '1 day')
"""


async def claim_changed_days(tx: WriteConnection, now: datetime, most: int) -> list[ChangedDay]:
    """Take channel-days whose announcement is due off the queue, in their newest version."""
    await plan_by_key(tx)
    claimed = [DayKey(*row) for row in await tx.raw.fetch(_CLAIM, now, most)]
    if not claimed:
        return []
    columns = (list(column) for column in zip(*claimed, strict=True))
    rows = await tx.raw.fetch(_FETCH, *columns, *bounds(claimed))
    values: list[np.ndarray[tuple[int], np.dtype[np.int32]]]
    values = copy.split_int4_arrays(b"".join([row["sent"] for row in rows]))
    return [
        ChangedDay(
            row["tenant_id"],
            row["meter_id"],
            row["flow"],
            row["minutes"],
            row["day"],
            row["zone"],
            row["version"],
            row["recorded_at"],
            row["correlation_id"],
            row["quality"],
            of_day,
        )
        for row, of_day in zip(rows, values, strict=True)
    ]


async def mark_ended_months(tx: WriteConnection, days: list[ChangedDay], now: datetime) -> None:
    """Have the closer look at the periods that have ended and in which these days lie."""
    await tx.raw.execute(
        _MARK_MONTHS,
        [it.tenant_id for it in days],
        [it.meter_id for it in days],
        [it.day for it in days],
        now,
    )
