"""Agreements, their planned periods, and what decides about closing them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from contracts.commerce import AgreementChanged
from database import ReadConnection, WriteConnection, copy
from ingest.domain.days import OLDEST_ON
from ingest.domain.periods import FlowSeries, OpenPeriod, Policy, StoredDay, assemble
from ingest.store.meters import MeterKey, read_meter
from ingest.store.partitions import plan_by_key
from ingest.wire import ClosedPeriod
from kernel.periods import Period, midnight_utc, month_of, months_between

_UPSERT_AGREEMENTS = """
INSERT INTO agreement AS a (tenant_id, id, meter_id, start_on, end_on, closing, grace_hours,
                            version, planned_until)
SELECT *, $9 FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[], $5::date[], $6::text[],
                         $7::int[], $8::int[])
ON CONFLICT (tenant_id, id) DO UPDATE
   SET meter_id = excluded.meter_id, start_on = excluded.start_on, end_on = excluded.end_on,
       closing = excluded.closing, grace_hours = excluded.grace_hours,
       version = excluded.version, planned_until = excluded.planned_until
 WHERE a.version < excluded.version
RETURNING a.tenant_id, a.id
"""
_DROP_OPEN = """
DELETE FROM period p USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.id AND p.state = 'open'
"""
_TO_PLAN = """
SELECT a.tenant_id, a.id, a.meter_id, a.start_on, a.end_on, m.zone
  FROM agreement a JOIN meter m ON m.tenant_id = a.tenant_id AND m.id = a.meter_id
 WHERE a.planned_until < $1 AND (a.end_on IS NULL OR a.planned_until < a.end_on)
 ORDER BY a.planned_until LIMIT $2 FOR UPDATE OF a SKIP LOCKED
"""
_PLAN = """
INSERT INTO period (tenant_id, agreement_id, meter_id, start_on, end_on, check_at)
SELECT n.* FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[], $5::date[],
                       $6::timestamptz[])
       AS n (tenant_id, agreement_id, meter_id, start_on, end_on, check_at)
 WHERE NOT EXISTS (SELECT FROM period p
                    WHERE p.tenant_id = n.tenant_id AND p.agreement_id = n.agreement_id
                      AND p.start_on < n.end_on AND p.end_on > n.start_on)
"""
_PLANNED = """
UPDATE agreement a SET planned_until = $3
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE a.tenant_id = k.tenant_id AND a.id = k.id
"""
_CHECK_METERS = """
UPDATE period p SET check_at = $3
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.id AND p.state = 'open'
"""
_CLAIM = """
WITH marks AS (
    DELETE FROM period_check WHERE id IN (
        SELECT id FROM period_check WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2
           FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id, meter_id, month_on)
SELECT p.tenant_id, p.agreement_id, p.start_on
  FROM (SELECT DISTINCT * FROM marks) k
  JOIN period p ON p.tenant_id = k.tenant_id AND p.meter_id = k.meter_id
   AND p.start_on >= k.month_on AND p.start_on < k.month_on + interval '1 month'
UNION
SELECT * FROM (SELECT tenant_id, agreement_id, start_on FROM period
                WHERE check_at <= $1 ORDER BY check_at LIMIT $2) AS due
"""
_LOCK = """
SELECT p.tenant_id, p.agreement_id, p.start_on, p.end_on, p.revision, p.digest, p.closed_by,
       a.closing, a.grace_hours, m.id, m.type, m.zone, m.channels
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM period p
        WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id
          AND p.start_on = k.start_on FOR UPDATE) AS p
 CROSS JOIN LATERAL (
       SELECT * FROM agreement a
        WHERE a.tenant_id = k.tenant_id AND a.id = k.agreement_id OFFSET 0) AS a
 CROSS JOIN LATERAL (
       SELECT * FROM meter m WHERE m.tenant_id = k.tenant_id AND m.id = p.meter_id OFFSET 0) AS m
"""
_PERIODS = (
    "unnest($1::text[], $2::uuid[], $3::date[], $4::date[]) WITH ORDINALITY "
    "AS k (tenant_id, meter_id, start_on, end_on, n)"
)
_DAYS_OF = """CROSS JOIN LATERAL (
       SELECT c.* FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id
          AND c.day >= k.start_on AND c.day < k.end_on AND c.day BETWEEN $5 AND $6
       OFFSET 0) AS d"""
_PRESENCE = f"""
SELECT k.n, d.flow, d.minutes, sum(d.present) AS present, max(d.recorded_at) AS changed_at,
       (array_agg(d.correlation_id ORDER BY d.recorded_at DESC, d.day DESC))[1] AS correlation_id
  FROM {_PERIODS} {_DAYS_OF}
 GROUP BY k.n, d.flow, d.minutes
"""  # noqa: S608 - made of this module's constants
_SERIES = f"""
SELECT k.n, d.flow, d.minutes, array_agg(d.day - k.start_on ORDER BY d.day) AS days,
       string_agg(array_send(array_replace(d.values, NULL, -1)), ''::bytea ORDER BY d.day) AS sent,
       string_agg(d.quality, '' ORDER BY d.day) AS quality
  FROM {_PERIODS} {_DAYS_OF}
 GROUP BY k.n, d.flow, d.minutes
"""  # noqa: S608 - made of this module's constants
_WAIT = """
UPDATE period p SET check_at = k.check_at
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::timestamptz[])
       AS k (tenant_id, agreement_id, start_on, check_at)
 WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id AND p.start_on = k.start_on
"""
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
PeriodKey = tuple[str, UUID, date]
"""Tenant, agreement and first day."""
AgreementKey = tuple[str, UUID]


async def upsert_agreements(
    tx: WriteConnection, agreements: Sequence[tuple[str, AgreementChanged]]
) -> None:
    """Keep the newest version of each (one per agreement); its open periods are planned anew."""
    events = [event for _, event in agreements]
    changed = await tx.raw.fetch(
        _UPSERT_AGREEMENTS,
        [tenant for tenant, _ in agreements],
        [e.agreement_id for e in events],
        [e.meter_id for e in events],
        [e.start_on for e in events],
        [e.end_on for e in events],
        [e.closing for e in events],
        [e.grace_hours for e in events],
        [e.version for e in events],
        OLDEST_ON,
    )
    await tx.raw.execute(
        _DROP_OPEN, [row["tenant_id"] for row in changed], [row["id"] for row in changed]
    )


async def delete_agreements(tx: WriteConnection, keys: Collection[AgreementKey]) -> None:
    """Forget agreements with their open periods; what is closed stays closed."""
    columns = ([key[0] for key in keys], [key[1] for key in keys])
    await tx.raw.execute(_DROP_OPEN, *columns)
    await tx.raw.execute(
        "DELETE FROM agreement a USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE a.tenant_id = k.tenant_id AND a.id = k.id",
        *columns,
    )


async def check_meters(tx: WriteConnection, keys: Collection[MeterKey], now: datetime) -> None:
    """Look at the open periods of these meters again."""
    await tx.raw.execute(_CHECK_METERS, [key[0] for key in keys], [key[1] for key in keys], now)


async def plan(tx: WriteConnection, now: datetime, agreements_max: int) -> int:
    """Plan periods up to the end of next month, of agreements whose meter is known.

    Returns how many agreements were planned. What overlaps a closed period is left out.
    """
    horizon = month_of(month_of(now.date()).end_on).end_on
    rows = await tx.raw.fetch(_TO_PLAN, horizon, agreements_max)
    planned: list[tuple[Any, ...]] = []
    for row in rows:
        start_on = max(row["start_on"], OLDEST_ON)
        end_on = min(row["end_on"] or horizon, horizon)
        if start_on >= end_on:
            continue
        planned += [
            (row["tenant_id"], row["id"], row["meter_id"], month.start_on, month.end_on,
             midnight_utc(row["zone"], month.end_on))
            for month in months_between(start_on, end_on)
        ]  # fmt: skip
    if planned:
        await tx.raw.execute(_PLAN, *map(list, zip(*planned, strict=True)))
    if rows:
        keys = ([row["tenant_id"] for row in rows], [row["id"] for row in rows])
        await tx.raw.execute(_PLANNED, *keys, horizon)
    return len(rows)


async def claim_due(tx: WriteConnection, now: datetime, most: int) -> list[PeriodKey]:
    """The periods to look at: their readings have changed, or their time has come."""
    rows = await tx.raw.fetch(_CLAIM, now, most)
    return [(row["tenant_id"], row["agreement_id"], row["start_on"]) for row in rows]


async def lock_periods(tx: WriteConnection, keys: Sequence[PeriodKey]) -> list[OpenPeriod]:
    """Those of the periods whose agreement and meter are known, each locked, in their order."""
    await plan_by_key(tx)
    rows = await tx.raw.fetch(_LOCK, *_columns(sorted(keys)))
    return [
        OpenPeriod(
            row["tenant_id"],
            row["agreement_id"],
            read_meter(row),
            Period(row["start_on"], row["end_on"]),
            Policy(row["closing"], timedelta(hours=row["grace_hours"])),
            row["revision"],
            row["digest"],
            row["closed_by"],
        )
        for row in rows
    ]


def _columns(keys: Sequence[PeriodKey]) -> tuple[list[Any], ...]:
    return tuple([key[part] for key in keys] for part in range(3))


def key_of(it: OpenPeriod) -> PeriodKey:
    """What names a period."""
    return (it.tenant_id, it.agreement_id, it.period.start_on)


def _spans(periods: Sequence[OpenPeriod]) -> tuple[Any, ...]:
    return (
        [it.tenant_id for it in periods],
        [it.meter.meter_id for it in periods],
        [it.period.start_on for it in periods],
        [it.period.end_on for it in periods],
        min(it.period.start_on for it in periods),
        max(it.period.end_on for it in periods),
    )


@dataclass(frozen=True, slots=True)
class Presence:
    """How many intervals of a period there are, since when, and which cause was the last."""

    intervals: int = 0
    changed_at: datetime | None = None
    correlation_id: str | None = None


async def fetch_presence(read: ReadConnection, periods: Sequence[OpenPeriod]) -> list[Presence]:
    """Of each period, over the channels that its meter has now."""
    found = [Presence() for _ in periods]
    for row in await read.raw.fetch(_PRESENCE, *_spans(periods)):
        n = row["n"] - 1
        channel = periods[n].meter.channel(row["flow"])
        if channel is None or channel.minutes != row["minutes"]:
            continue
        so_far = found[n]
        newest = so_far.changed_at is None or row["changed_at"] > so_far.changed_at
        found[n] = Presence(
            so_far.intervals + row["present"],
            row["changed_at"] if newest else so_far.changed_at,
            row["correlation_id"] if newest else so_far.correlation_id,
        )
    return found


async def fetch_series(
    read: ReadConnection, periods: Sequence[OpenPeriod]
) -> list[tuple[FlowSeries, ...]]:
    """Of each period, all channels that its meter has now."""
    found: dict[tuple[int, str, int], list[StoredDay]] = {}
    for row in await read.raw.fetch(_SERIES, *_spans(periods)):
        n = row["n"] - 1
        found[n, row["flow"], row["minutes"]] = _days(periods[n], row)
    return [
        tuple(
            assemble(
                it.meter.zone, it.period, channel, found.get((n, channel.flow, channel.minutes), ())
            )
            for channel in it.meter.channels
        )
        for n, it in enumerate(periods)
    ]


def _days(it: OpenPeriod, row: Any) -> list[StoredDay]:
    """The stored days of one channel, cut out of what was sent as one."""
    letters = np.frombuffer(row["quality"].encode(), np.uint8)
    days: list[StoredDay] = []
    at = 0
    for number, values in zip(row["days"], copy.split_int4_arrays(row["sent"]), strict=True):
        day = it.period.start_on + timedelta(days=number)
        days.append((day, values, letters[at : at + values.size]))
        at += values.size
    return days


async def update_waiting(
    tx: WriteConnection, waiting: Sequence[tuple[PeriodKey, datetime | None]]
) -> None:
    """When to look at periods again."""
    if waiting:
        keys = [key for key, _ in waiting]
        await tx.raw.execute(_WAIT, *_columns(keys), [until for _, until in waiting])


async def update_closed(tx: WriteConnection, closed: Sequence[ClosedPeriod], now: datetime) -> None:
    """Mark periods as closed in their newest revision."""
    await tx.raw.execute(
        _CLOSE,
        *_columns([key_of(it.of) for it in closed]),
        now,
        [it.revision for it in closed],
        [it.close.by for it in closed],
        [it.of.expected for it in closed],
        [it.present for it in closed],
        [orjson.dumps({s.flow: s.energy_wh for s in it.series}).decode() for it in closed],
        [it.digest for it in closed],
        [it.correlation_id for it in closed],
        [it.close.again_at for it in closed],
    )
