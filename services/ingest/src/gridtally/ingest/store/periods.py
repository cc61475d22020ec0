"""Periods: planned, checked when something is due, and closed; and the series that they carry."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import orjson

from gridtally.database import ReadConnection, WriteConnection, copy
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.agreements import AgreementKey
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.domain.periods import (
    ClosedPeriod,
    FlowSeries,
    OpenPeriod,
    PeriodKey,
    PlannedPeriod,
    Policy,
    Presence,
    StoredDay,
    assemble,
)
from gridtally.ingest.store.meters import meter_of
from gridtally.ingest.store.partitions import plan_by_key
from gridtally.kernel.billing_calendars import PERIOD_DAYS_MAX
from gridtally.kernel.periods import Period

State = Literal["open", "closed", "cancelled"]
"""`cancelled`: its agreement has no such period any more. The row stays for its revision, on which
the same first day goes on if it is planned again."""

# Planned under the lock of the agreement, around the periods that are there; should one have come
# in between all the same, what overlaps it is left out.
_INSERT = """
INSERT INTO period (tenant_id, agreement_id, meter_id, start_on, end_on, check_at)
SELECT n.* FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[], $5::date[],
                       $6::timestamptz[])
       AS n (tenant_id, agreement_id, meter_id, start_on, end_on, check_at)
 WHERE NOT EXISTS (SELECT FROM period p
                    WHERE p.tenant_id = n.tenant_id AND p.agreement_id = n.agreement_id
                      AND p.start_on < n.end_on AND p.end_on > n.start_on
                      AND p.state <> 'cancelled')
ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE
   SET end_on = excluded.end_on, meter_id = excluded.meter_id, check_at = excluded.check_at,
       state = 'open', closed_by = NULL, digest = NULL, estimate = NULL
 WHERE period.state = 'cancelled'
"""


async def insert_periods(tx: WriteConnection, planned: Sequence[PlannedPeriod]) -> None:
    """Store planned periods; one that overlaps another of its agreement is left out."""
    if planned:
        await tx.raw.execute(
            _INSERT,
            [period.tenant_id for period in planned],
            [period.agreement_id for period in planned],
            [period.meter_id for period in planned],
            [period.start_on for period in planned],
            [period.end_on for period in planned],
            [period.check_at for period in planned],
        )


_KNOWN = """
SELECT p.tenant_id, p.agreement_id, p.start_on, p.end_on
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 CROSS JOIN LATERAL (
       SELECT * FROM period p
        WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.id AND p.state <> 'cancelled'
       OFFSET 0) AS p
"""


async def fetch_known_periods(
    read: ReadConnection, keys: Collection[AgreementKey]
) -> dict[AgreementKey, list[Period]]:
    """All periods of agreements that are planned or closed."""
    known: dict[AgreementKey, list[Period]] = {}
    for row in await read.raw.fetch(_KNOWN, *columns_of(keys, 2)):
        key = (row["tenant_id"], row["agreement_id"])
        known.setdefault(key, []).append(Period(row["start_on"], row["end_on"]))
    return known


_DELETE_OPEN = """
DELETE FROM period p USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.id AND p.revision = 0
"""
# Those that were closed once, and are open again or lie no longer within the agreement's days.
_CANCEL = """
UPDATE period p SET state = 'cancelled', check_at = NULL, estimate = NULL
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN agreement a USING (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.id AND p.state <> 'cancelled'
   AND (p.state = 'open' OR p.start_on < a.start_on OR p.end_on > a.end_on
        OR p.meter_id <> a.meter_id)
"""


async def cancel_periods(tx: WriteConnection, keys: Collection[AgreementKey]) -> None:
    """Take from changed agreements what is to be planned again: what is open, and what is closed
    and lies not within their days any more. What is closed and does stays."""
    await tx.raw.execute(_DELETE_OPEN, *columns_of(keys, 2))
    await tx.raw.execute(_CANCEL, *columns_of(keys, 2))


_DELETE = """
DELETE FROM period p USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.id
"""


async def delete_periods(tx: WriteConnection, keys: Collection[AgreementKey]) -> None:
    """Delete all periods of agreements that were deleted."""
    await tx.raw.execute(_DELETE, *columns_of(keys, 2))


_CHECK_METERS = """
UPDATE period p SET check_at = $3
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.id AND p.state = $4
"""


async def check_periods_of_meters(
    tx: WriteConnection, keys: Collection[MeterKey], now: datetime, *, state: State = "open"
) -> None:
    """Have the periods of these meters that are in this state checked."""
    await tx.raw.execute(_CHECK_METERS, *columns_of(keys, 2), now, state)


# Two reasons to check a period. Marks: readings of a month have changed that has ended, or in which
# a period has; they are taken off here, without waiting for those that another process has claimed,
# and committed with what becomes of the periods. Time: `check_at` has come; it is moved on when the
# period is decided, so two processes may claim the same period here, and the second waits in
# `lock_periods` and then finds nothing new. The work of one claim is bounded by $2 of each. No
# period is longer than $3 days.
_CLAIM = """
WITH marks AS (
    DELETE FROM period_check WHERE id IN (
        SELECT id FROM period_check WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2
           FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, meter_id, month_on)
SELECT p.tenant_id, p.agreement_id, p.start_on
  FROM (SELECT DISTINCT * FROM marks) k
 CROSS JOIN LATERAL (
       SELECT * FROM period p
        WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.meter_id
          AND p.start_on >= k.month_on - $3::int AND p.start_on < k.month_on + interval '1 month'
          AND p.end_on > k.month_on AND p.state <> 'cancelled' OFFSET 0) AS p
UNION
SELECT * FROM (SELECT tenant_id, agreement_id, start_on FROM period
                WHERE check_at <= $1 ORDER BY check_at LIMIT $2) AS due
"""


async def claim_due_periods(
    tx: WriteConnection, now: datetime, periods_max: int
) -> list[PeriodKey]:
    """The periods to check: their readings have changed, or their time has come."""
    rows = await tx.raw.fetch(_CLAIM, now, periods_max, PERIOD_DAYS_MAX)
    return [(row["tenant_id"], row["agreement_id"], row["start_on"]) for row in rows]


# In the order of the keys, so that two processes lock in the same order. LATERAL and OFFSET 0: one
# lookup by index for each key. A period without its agreement or meter does not come back.
_LOCK = """
SELECT p.tenant_id, p.agreement_id, p.start_on, p.end_on, p.revision, p.digest, p.closed_by,
       p.estimate, a.closing, a.grace_hours, m.id, m.meter_type, m.zone, m.channels
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM period p
        WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id
          AND p.start_on = k.start_on AND p.state <> 'cancelled' FOR UPDATE) AS p
 CROSS JOIN LATERAL (
       SELECT * FROM agreement a
        WHERE a.tenant_id = k.tenant_id AND a.id = k.agreement_id OFFSET 0) AS a
 CROSS JOIN LATERAL (
       SELECT * FROM meter m WHERE m.tenant_id = k.tenant_id AND m.id = p.meter_id OFFSET 0) AS m
"""


async def lock_periods(tx: WriteConnection, keys: Sequence[PeriodKey]) -> list[OpenPeriod]:
    """Those of the periods whose agreement and meter are known, each locked, in their order."""
    await plan_by_key(tx)
    return _open_periods(await tx.raw.fetch(_LOCK, *columns_of(sorted(keys), 3)))


_READ = _LOCK.replace("FOR UPDATE", "OFFSET 0")


async def fetch_progress(
    read: ReadConnection, keys: Sequence[PeriodKey]
) -> dict[PeriodKey, tuple[OpenPeriod, int]]:
    """Periods as they are now, with how many of the intervals that make each complete are there;
    without those whose agreement or meter is not known."""
    if not keys:
        return {}
    periods = _open_periods(await read.raw.fetch(_READ, *columns_of(sorted(keys), 3)))
    presences = await fetch_presence(read, periods) if periods else []
    return {
        period.key: (period, presence.intervals)
        for period, presence in zip(periods, presences, strict=True)
    }


def _open_periods(rows: Sequence[Any]) -> list[OpenPeriod]:
    return [
        OpenPeriod(
            row["tenant_id"],
            row["agreement_id"],
            meter_of(row),
            Period(row["start_on"], row["end_on"]),
            Policy(row["closing"], timedelta(hours=row["grace_hours"])),
            row["revision"],
            row["digest"],
            row["closed_by"],
            row["estimate"] != "impossible",
        )
        for row in rows
    ]


_PERIODS = (
    "unnest($1::text[], $2::uuid[], $3::date[], $4::date[]) WITH ORDINALITY "
    "AS k (tenant_id, meter_id, start_on, end_on, n)"
)
# $5 and $6 are the first and last day of all periods, which let the plan leave chunks out.
_DAYS_OF = """CROSS JOIN LATERAL (
       SELECT c.* FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id
          AND c.day >= k.start_on AND c.day < k.end_on AND c.day BETWEEN $5 AND $6
       OFFSET 0) AS d"""
# Counts alone, without the values: most periods that are checked do not close.
_PRESENCE = f"""
SELECT k.n, d.flow, d.minutes, sum(d.present) AS present, max(d.recorded_at) AS changed_at,
       (array_agg(d.correlation_id ORDER BY d.recorded_at DESC, d.day DESC))[1] AS correlation_id
  FROM {_PERIODS} {_DAYS_OF}
 GROUP BY k.n, d.flow, d.minutes
"""  # noqa: S608 - made of this module's constants


async def fetch_presence(read: ReadConnection, periods: Sequence[OpenPeriod]) -> list[Presence]:
    """Of each period, over the channels that its meter has now."""
    presences = [Presence() for _ in periods]
    for row in await read.raw.fetch(_PRESENCE, *_day_ranges(periods)):
        index = row["n"] - 1
        channel = periods[index].meter.channel(row["flow"])
        if channel is None or channel.minutes != row["minutes"]:
            continue
        so_far = presences[index]
        newest = so_far.changed_at is None or row["changed_at"] > so_far.changed_at
        presences[index] = Presence(
            so_far.intervals + row["present"],
            row["changed_at"] if newest else so_far.changed_at,
            row["correlation_id"] if newest else so_far.correlation_id,
        )
    partly = [index for index, period in enumerate(periods) if period.is_partly_measured]
    if partly:  # only their values show which of them are expected
        series = await fetch_series(read, [periods[index] for index in partly])
        for index, flows in zip(partly, series, strict=True):
            intervals = periods[index].expected_present(flows)
            presences[index] = replace(presences[index], intervals=intervals)
    return presences


def _day_ranges(periods: Sequence[OpenPeriod]) -> tuple[Any, ...]:
    return (
        [period.tenant_id for period in periods],
        [period.meter.meter_id for period in periods],
        [period.period.start_on for period in periods],
        [period.period.end_on for period in periods],
        min(period.period.start_on for period in periods),
        max(period.period.end_on for period in periods),
    )


# One row per period and channel: all arrays in their binary form, one after another, so that a
# month is decoded by numpy at once and not day by day from thirty rows.
_SERIES = f"""
SELECT k.n, d.flow, d.minutes, array_agg(d.day - k.start_on ORDER BY d.day) AS days,
       string_agg(array_send(array_replace(d.values, NULL, -1)), ''::bytea ORDER BY d.day) AS sent,
       string_agg(d.quality, '' ORDER BY d.day) AS quality
  FROM {_PERIODS} {_DAYS_OF}
 GROUP BY k.n, d.flow, d.minutes
"""  # noqa: S608 - made of this module's constants


async def fetch_series(
    read: ReadConnection, periods: Sequence[OpenPeriod]
) -> list[tuple[FlowSeries, ...]]:
    """Of each period, all channels that its meter has now."""
    stored: dict[tuple[int, str, int], list[StoredDay]] = {}
    for row in await read.raw.fetch(_SERIES, *_day_ranges(periods)):
        index = row["n"] - 1
        stored[index, row["flow"], row["minutes"]] = _stored_days(periods[index], row)
    return [
        tuple(
            assemble(
                period.meter.zone,
                period.period,
                channel,
                stored.get((index, channel.flow, channel.minutes), ()),
            )
            for channel in period.meter.channels
        )
        for index, period in enumerate(periods)
    ]


def _stored_days(period: OpenPeriod, row: Any) -> list[StoredDay]:
    """The stored days of one channel, cut out of what was sent as one."""
    quality = np.frombuffer(row["quality"].encode(), np.uint8)
    days: list[StoredDay] = []
    begin = 0
    for number, values in zip(row["days"], copy.split_int4_arrays(row["sent"]), strict=True):
        day = period.period.start_on + timedelta(days=number)
        days.append((day, values, quality[begin : begin + values.size]))
        begin += values.size
    return days


_CHECK_LATER = """
UPDATE period p SET check_at = k.check_at
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::timestamptz[])
       AS k (tenant_id, agreement_id, start_on, check_at)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id AND p.start_on = k.start_on
"""


async def update_check_times(
    tx: WriteConnection, check_at: Sequence[tuple[PeriodKey, datetime | None]]
) -> None:
    """When to check periods again; None: not before something changes."""
    if check_at:
        keys = [key for key, _ in check_at]
        await tx.raw.execute(_CHECK_LATER, *columns_of(keys, 3), [until for _, until in check_at])


_CLOSE = """
UPDATE period p
   SET state = 'closed', revision = k.revision, closed_by = k.closed_by, closed_at = $4,
       check_at = k.again_at, expected = k.expected, present = k.present, energy_wh = k.energy_wh,
       digest = k.digest, correlation_id = k.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::date[], $5::int[], $6::text[], $7::int[], $8::int[],
              $9::jsonb[], $10::text[], $11::text[], $12::timestamptz[])
       AS k (tenant_id, agreement_id, start_on, revision, closed_by, expected, present, energy_wh,
             digest, correlation_id, again_at)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id AND p.start_on = k.start_on
"""


async def update_closed(tx: WriteConnection, closed: Sequence[ClosedPeriod], now: datetime) -> None:
    """Mark periods as closed in their newest revision."""
    await tx.raw.execute(
        _CLOSE,
        *columns_of([period.period.key for period in closed], 3),
        now,
        [period.revision for period in closed],
        [period.close.by for period in closed],
        [period.expected for period in closed],
        [period.present for period in closed],
        [_energy_json(period) for period in closed],
        [period.digest for period in closed],
        [period.correlation_id for period in closed],
        [period.close.again_at for period in closed],
    )


def _energy_json(closed: ClosedPeriod) -> str:
    """The energy of each flow in Wh."""
    energy_wh = {flow_series.flow: flow_series.energy_wh for flow_series in closed.series}
    return orjson.dumps(energy_wh).decode()
