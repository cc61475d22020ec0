"""Estimates as they were made, interval by interval with their methods, and periods that want some.

Owns what was estimated for good: the values in force are the channel-day's, in which an actual
value takes an estimate's place; what is here stays, so that both can be compared.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from gridtally.database import ReadConnection, WriteConnection, copy
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.estimates import ChannelEstimate, EstimationSettings
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.periods import PeriodKey
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.tables import estimation_settings as settings_table
from gridtally.kernel.periods import Period

GROUP_METERS_MAX = 50
"""Of how many other meters a group's profile is made."""

_TO_ESTIMATE = """
UPDATE period p SET estimate = 'due'
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id AND p.start_on = k.start_on
"""


async def mark_to_be_estimated(tx: WriteConnection, keys: Sequence[PeriodKey]) -> None:
    """Have what these periods lack estimated."""
    await tx.raw.execute(_TO_ESTIMATE, *columns_of(keys, 3))


_CLAIM = """
SELECT tenant_id, agreement_id, start_on FROM period
 WHERE estimate = 'due' ORDER BY tenant_id, agreement_id, start_on LIMIT $1
   FOR UPDATE SKIP LOCKED
"""


async def claim_due(tx: WriteConnection, periods_max: int) -> list[PeriodKey]:
    """Periods that want estimates, locked."""
    rows = await tx.raw.fetch(_CLAIM, periods_max)
    return [(row["tenant_id"], row["agreement_id"], row["start_on"]) for row in rows]


_MARK = """
UPDATE period SET estimate = $4, check_at = $5
 WHERE (tenant_id, agreement_id, start_on) = ($1, $2, $3)
"""


async def mark_estimated(
    tx: WriteConnection, key: PeriodKey, *, is_whole: bool, now: datetime
) -> None:
    """The period wants no estimates any more; it is checked again, and closes with what is there
    where that `is_whole` no more than before."""
    await tx.raw.execute(_MARK, *key, None if is_whole else "impossible", now)


# Those whose ids come first, of the same type in the same zone; `c.quality` has the actual ones.
_GROUP = """
SELECT id FROM meter
 WHERE tenant_id = $1 AND meter_type = $2 AND zone = $3 AND id <> $4
   AND channels @> jsonb_build_array(jsonb_build_object('flow', $5::text, 'minutes', $6::int))
 ORDER BY id LIMIT $7
"""
_GROUP_DAYS = """
SELECT c.day, c.quality, array_send(array_replace(c.values, NULL, -1)) AS sent
  FROM unnest($2::uuid[]) AS m (id)
 CROSS JOIN LATERAL (
       SELECT d.day, d.quality, d.values FROM channel_day d
        WHERE d.tenant_id = $1 AND d.meter_id = m.id AND d.flow = $3 AND d.minutes = $4
          AND d.day >= $5 AND d.day < $6
       OFFSET 0) AS c
"""


async def fetch_group_days(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter: Meter,
    channel: Channel,
    window: Period,
) -> list[tuple[date, npt.NDArray[np.int32], str]]:
    """The days of other meters of this type and zone that have the same channel."""
    of_group = await read.raw.fetch(
        _GROUP, tenant_id, meter.meter_type, meter.zone, meter.meter_id, channel.flow,
        channel.minutes, GROUP_METERS_MAX,
    )  # fmt: skip
    ids = [row["id"] for row in of_group]
    rows = await read.raw.fetch(
        _GROUP_DAYS, tenant_id, ids, channel.flow, channel.minutes, window.start_on, window.end_on
    )
    values = copy.split_int4_arrays(b"".join([row["sent"] for row in rows]))
    days = [(row["day"], of_day, row["quality"]) for row, of_day in zip(rows, values, strict=True)]
    for part in await archive.fetch_channels(read, tenant_id, ids, [channel.flow], window):
        if part.minutes == channel.minutes:
            days += [
                (day, of_day, letters.tobytes().decode())
                for day, (of_day, letters) in part.stored.by_day().items()
            ]
    return days


# A later estimate of the same day adds its intervals to what was estimated before.
_INSERT = """
INSERT INTO estimate AS e (tenant_id, meter_id, flow, minutes, day, methods, values, made_at)
SELECT tenant_id, meter_id, flow, minutes, day, methods, values::int4[], $8
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[], $6::text[],
              $7::text[]) AS k (tenant_id, meter_id, flow, minutes, day, methods, values)
ON CONFLICT (tenant_id, meter_id, flow, minutes, day) DO UPDATE
   SET made_at = excluded.made_at,
       methods = (SELECT string_agg(CASE WHEN u.new = '-' THEN u.old ELSE u.new END, ''
                                    ORDER BY u.n)
                    FROM unnest(string_to_array(e.methods, NULL),
                                string_to_array(excluded.methods, NULL))
                         WITH ORDINALITY AS u (old, new, n)),
       values = (SELECT array_agg(coalesce(u.new, u.old) ORDER BY u.n)
                   FROM unnest(e.values, excluded.values) WITH ORDINALITY AS u (old, new, n))
"""


async def insert_estimates(
    tx: WriteConnection, estimates: Sequence[ChannelEstimate], now: datetime
) -> None:
    """Remember what was estimated, by day."""
    rows = [
        (
            made.tenant_id,
            made.meter_id,
            made.channel.flow,
            made.channel.minutes,
            day,
            methods,
            "{" + ",".join("NULL" if value < 0 else str(value) for value in values.tolist()) + "}",
        )
        for made in estimates
        for day, values, methods in made.days()
    ]
    if rows:
        await tx.raw.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)), now)


# With each day how far it was off, over those of its intervals that an actual value has replaced.
_LIST = """
SELECT e.meter_id, e.flow, e.minutes, e.day, e.methods, e.values, e.made_at,
       coalesce(r.replaced, 0) AS replaced, coalesce(r.off_wh, 0) AS off_wh,
       coalesce(r.absolute_off_wh, 0) AS absolute_off_wh
  FROM estimate e
 CROSS JOIN LATERAL (
       SELECT count(*)::int AS replaced, sum(u.estimated - u.actual)::bigint AS off_wh,
              sum(abs(u.estimated - u.actual))::bigint AS absolute_off_wh
         FROM channel_day c
        CROSS JOIN LATERAL unnest(e.values, c.values, string_to_array(c.quality, NULL))
                   AS u (estimated, actual, quality)
        WHERE c.tenant_id = e.tenant_id AND c.meter_id = e.meter_id AND c.flow = e.flow
          AND c.minutes = e.minutes AND c.day = e.day
          AND u.quality = 'A' AND u.estimated IS NOT NULL) AS r
 WHERE e.tenant_id = $1 AND ($2::uuid IS NULL OR e.meter_id = $2)
   AND ($3::date IS NULL OR e.day >= $3) AND ($4::date IS NULL OR e.day < $4)
   AND ($5::date IS NULL OR (e.day, e.meter_id, e.flow, e.minutes) > ($5, $6, $7, $8))
 ORDER BY e.day, e.meter_id, e.flow, e.minutes LIMIT $9
"""


async def list_estimates(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    window: tuple[date | None, date | None],
    after: tuple[date, UUID, str, int] | None,
    rows_max: int,
) -> Sequence[Any]:
    """Estimated days, oldest first."""
    position = after or (None, None, None, None)
    return await read.raw.fetch(_LIST, tenant_id, meter_id, *window, *position, rows_max)


# By meter: those before the page are left out before any day is looked at.
_ACCURACY = """
SELECT e.meter_id, u.method, count(*)::int AS intervals, sum(u.actual)::bigint AS actual_wh,
       sum(u.estimated - u.actual)::bigint AS off_wh,
       sum(abs(u.estimated - u.actual))::bigint AS absolute_off_wh
  FROM estimate e
 CROSS JOIN LATERAL (
       SELECT c.values, c.quality FROM channel_day c
        WHERE c.tenant_id = e.tenant_id AND c.meter_id = e.meter_id AND c.flow = e.flow
          AND c.minutes = e.minutes AND c.day = e.day OFFSET 0) AS c
 CROSS JOIN LATERAL unnest(e.values, c.values, string_to_array(e.methods, NULL),
                           string_to_array(c.quality, NULL))
            AS u (estimated, actual, method, quality)
 WHERE e.tenant_id = $1 AND ($2::uuid IS NULL OR e.meter_id = $2)
   AND ($3::uuid IS NULL OR e.meter_id >= $3) AND u.quality = 'A' AND u.estimated IS NOT NULL
 GROUP BY e.meter_id, u.method
HAVING $3::uuid IS NULL OR (e.meter_id, u.method) > ($3, $4)
 ORDER BY e.meter_id, u.method LIMIT $5
"""


async def list_accuracy(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    after: tuple[UUID, str] | None,
    rows_max: int,
) -> Sequence[Any]:
    """How far estimates were off that actual values have replaced, by meter and method."""
    position = after or (None, None)
    return await read.raw.fetch(_ACCURACY, tenant_id, meter_id, *position, rows_max)


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_SETTINGS = "SELECT * FROM estimation_settings WHERE tenant_id = $1"


async def fetch_settings(read: ReadConnection, tenant_id: str) -> EstimationSettings:
    """How the tenant estimates; as usual where it has said nothing."""
    row = await read.raw.fetchrow(_SETTINGS, tenant_id)
    if row is None:
        return EstimationSettings()
    return EstimationSettings(
        row["line_hours_max"], row["days_max"], row["holidays"], row["version"]
    )


async def lock_settings(tx: WriteConnection, tenant_id: str) -> EstimationSettings:
    """The same, so that nobody else changes them until the transaction ends."""
    await tx.raw.execute(_LOCK, f"estimation_settings:{tenant_id}")
    return await fetch_settings(tx, tenant_id)


_UPSERT = """
ON CONFLICT (tenant_id) DO UPDATE
   SET line_hours_max = excluded.line_hours_max, days_max = excluded.days_max,
       holidays = excluded.holidays, version = excluded.version
"""


async def upsert_settings(
    tx: WriteConnection, tenant_id: str, settings: EstimationSettings
) -> None:
    """Estimate so from now on."""
    row = {
        "tenant_id": tenant_id,
        "line_hours_max": settings.line_hours_max,
        "days_max": settings.days_max,
        "holidays": settings.holidays,
        "version": settings.version,
    }
    await insert_rows(tx, settings_table, [row], _UPSERT)
