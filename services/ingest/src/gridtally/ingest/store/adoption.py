"""Storing channel-days and periods that were published before a restore, unless newer are there."""

from collections.abc import Sequence
from itertools import accumulate

import orjson

from gridtally.database import WriteConnection
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.adoption import PublishedDay, PublishedPeriod

# `unnest` takes arrays of arrays apart, so all values come in one array, and each day takes its own
# out of it. Every old row is looked at by its key, for how many values are new.
_DAYS = """
WITH published AS (
    SELECT k.*, ($13::integer[])[k.first:k.last] AS values
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[], $6::bigint[],
                  $7::integer[], $8::timestamptz[], $9::text[], $10::text[], $11::text[],
                  $12::integer[], $14::integer[])
           AS k (tenant_id, meter_id, flow, minutes, day, version, present, recorded_at, zone,
                 correlation_id, quality, first, last)),
known AS MATERIALIZED (
    SELECT p.tenant_id, p.meter_id, p.flow, p.minutes, p.day, d.present
      FROM published p CROSS JOIN LATERAL (
           SELECT present FROM channel_day d
            WHERE (d.tenant_id, d.meter_id, d.flow, d.minutes, d.day)
                = (p.tenant_id, p.meter_id, p.flow, p.minutes, p.day) LIMIT 1) AS d),
stored AS (
    INSERT INTO channel_day AS d (tenant_id, meter_id, flow, minutes, day, version, present,
                                  recorded_at, zone, correlation_id, quality, values)
    SELECT tenant_id, meter_id, flow, minutes, day, version, present, recorded_at, zone,
           correlation_id, quality, values FROM published
    ON CONFLICT (tenant_id, meter_id, flow, minutes, day) DO UPDATE
       SET version = excluded.version, present = excluded.present,
           recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id,
           quality = excluded.quality, values = excluded.values
     WHERE d.version < excluded.version
    RETURNING tenant_id, meter_id, flow, minutes, day, present)
SELECT s.tenant_id, sum(s.present - coalesce(k.present, 0))::bigint AS added
  FROM stored s LEFT JOIN known k USING (tenant_id, meter_id, flow, minutes, day)
 GROUP BY s.tenant_id
"""


async def adopt_days(tx: WriteConnection, days: Sequence[PublishedDay]) -> dict[str, int]:
    """Store channel-days, each once, in their versions; their partitions must be there. Returns how
    many values that each tenant has now were not there before."""
    ends = list(accumulate(len(day.values) for day in days))
    rows = [
        (
            day.tenant_id, day.meter_id, day.flow, day.minutes, day.day, day.version, day.present,
            day.recorded_at, day.zone, day.correlation_id, day.quality,
            end - len(day.values) + 1,
        )
        for day, end in zip(days, ends, strict=True)
    ]  # fmt: skip
    values = [value for day in days for value in day.values]
    added = await tx.raw.fetch(_DAYS, *columns_of(rows, 12), values, ends)
    return {row["tenant_id"]: row["added"] for row in added}


# A planned period that overlaps one that was closed, by other dates, gives way to it.
_GIVE_WAY = """
DELETE FROM period
 WHERE tenant_id = $1 AND agreement_id = $2 AND start_on <> $3 AND start_on < $4 AND end_on > $3
   AND state = 'open'
"""
_PERIOD = """
INSERT INTO period AS p (tenant_id, agreement_id, start_on, end_on, meter_id, state, revision,
                         closed_by, closed_at, expected, present, energy_wh, digest,
                         correlation_id)
VALUES ($1, $2, $3, $4, $5, 'closed', $6, $7, $8, $9, $10, $11::jsonb, $12, $13)
ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE
   SET end_on = excluded.end_on, state = 'closed', revision = excluded.revision,
       closed_by = excluded.closed_by, closed_at = excluded.closed_at, check_at = NULL,
       expected = excluded.expected, present = excluded.present, energy_wh = excluded.energy_wh,
       digest = excluded.digest, correlation_id = excluded.correlation_id
 WHERE p.revision < excluded.revision
"""


async def adopt_periods(tx: WriteConnection, periods: Sequence[PublishedPeriod]) -> None:
    """Store closed periods in their revisions."""
    await tx.raw.executemany(
        _GIVE_WAY,
        [
            (period.tenant_id, period.agreement_id, period.start_on, period.end_on)
            for period in periods
        ],
    )
    await tx.raw.executemany(
        _PERIOD,
        [
            (
                period.tenant_id,
                period.agreement_id,
                period.start_on,
                period.end_on,
                period.meter_id,
                period.revision,
                period.closed_by,
                period.closed_at,
                period.expected,
                period.present,
                orjson.dumps(dict(period.energy_wh)).decode(),
                period.digest,
                period.correlation_id,
            )
            for period in periods
        ],
    )
