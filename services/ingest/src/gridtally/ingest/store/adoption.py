"""Storing channel-days and periods that were published before a restore, unless newer are there."""

from collections import Counter
from collections.abc import Sequence

import orjson

from gridtally.database import WriteConnection
from gridtally.ingest.domain.adoption import PublishedDay, PublishedPeriod

# Arrays of arrays cannot be taken apart by `unnest`: one row each, of which there are as many as
# days were published since the copy. The old row is read first, for how many values are new.
_DAY = """
WITH known AS (
    SELECT present FROM channel_day
     WHERE tenant_id = $1 AND meter_id = $2 AND flow = $3 AND minutes = $4 AND day = $5)
INSERT INTO channel_day AS d (tenant_id, meter_id, flow, minutes, day, version, present,
                              recorded_at, zone, correlation_id, quality, values)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (tenant_id, meter_id, flow, minutes, day) DO UPDATE
   SET version = excluded.version, present = excluded.present,
       recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id,
       quality = excluded.quality, values = excluded.values
 WHERE d.version < excluded.version
RETURNING d.present - coalesce((SELECT present FROM known), 0)
"""


async def adopt_days(tx: WriteConnection, days: Sequence[PublishedDay]) -> dict[str, int]:
    """Store channel-days in their versions; their partitions must be there. Returns how many
    values that each tenant has now were not there before."""
    added: Counter[str] = Counter()
    for day in days:
        new = await tx.raw.fetchval(
            _DAY,
            day.tenant_id,
            day.meter_id,
            day.flow,
            day.minutes,
            day.day,
            day.version,
            day.present,
            day.recorded_at,
            day.zone,
            day.correlation_id,
            day.quality,
            list(day.values),
        )
        added[day.tenant_id] += new or 0
    return dict(added)


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
