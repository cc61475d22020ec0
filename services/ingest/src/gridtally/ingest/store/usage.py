"""Channel-days that have changed and are not published yet.

`changed_day` has no unique key: writers add marks without waiting for anybody, and a claim takes
all marks of a channel-day at once. A mark is committed together with the change that it is of, so
whoever sees the mark sees the change.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from gridtally.database import WriteConnection, copy
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.store.partitions import plan_by_key
from gridtally.ingest.store.readings import day_bounds

# From the session's own table, where `readings.upsert_days` has put what it wrote: nothing has to
# be sent again. A complete day is due at once.
_QUEUE = """
INSERT INTO changed_day (tenant_id, meter_id, flow, minutes, day, due_at)
SELECT tenant_id, meter_id, flow, minutes, day,
       CASE WHEN present = cardinality(values) THEN recorded_at ELSE $1 END
  FROM written_day
"""


async def queue_changed_days(tx: WriteConnection, incomplete_due_at: datetime) -> None:
    """Queue the channel-days that this transaction has written: complete ones at once, the others
    from `incomplete_due_at` on."""
    await tx.raw.execute(_QUEUE, incomplete_due_at)


# The marks that are due, oldest first, without waiting for those that another process has claimed;
# then all other marks of the same channel-days, due or not, since the newest version covers them.
_CLAIM = """
WITH due AS (
    SELECT DISTINCT tenant_id, meter_id, flow, minutes, day
      FROM (SELECT * FROM changed_day WHERE due_at <= $1 ORDER BY due_at LIMIT $2
               FOR UPDATE SKIP LOCKED) AS c),
claimed AS (
    DELETE FROM changed_day c USING due k
     WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
       AND c.minutes = k.minutes AND c.day = k.day)
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


async def claim_changed_days(
    tx: WriteConnection, now: datetime, marks_max: int
) -> list[ChangedDay]:
    """Take channel-days that are due off the queue, in their newest version."""
    await plan_by_key(tx)
    claimed = [DayKey(*row) for row in await tx.raw.fetch(_CLAIM, now, marks_max)]
    if not claimed:
        return []
    rows = await tx.raw.fetch(_FETCH, *columns_of(claimed, 5), *day_bounds(claimed))
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
            values_of_day,
        )
        for row, values_of_day in zip(rows, values, strict=True)
    ]


# A month that has not ended needs no mark: the period's own `check_at` wakes it. A day of
# tolerance, since months are the zone's and this compares by UTC; the period's exact end decides.
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


async def mark_ended_months(
    tx: WriteConnection, days: Sequence[ChangedDay | PublishedDay], now: datetime
) -> None:
    """Mark the periods that have ended and in which these days lie, to be checked again."""
    await tx.raw.execute(
        _MARK_MONTHS,
        [changed.tenant_id for changed in days],
        [changed.meter_id for changed in days],
        [changed.day for changed in days],
        now,
    )
