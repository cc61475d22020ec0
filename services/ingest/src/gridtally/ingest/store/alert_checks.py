"""Which meters are to be looked at for alerts, and what is stored of them.

`alert_check` has no unique key: whoever changes something about a meter adds a mark without waiting
for anybody, and a claim takes all marks of a meter at once. The one mark of a meter that nothing
happens to lies in the future, when its silence would be too long.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.alerts import (
    TAMPERED_FOR,
    Alert,
    AlertKey,
    ObservedChannel,
    ObservedDay,
    ObservedMeter,
    ObservedTampering,
    spoken_of_from,
)
from gridtally.ingest.domain.meters import Meter, MeterKey
from gridtally.ingest.tables import alert_check as table
from gridtally.kernel.periods import midnight_utc


class DueMeter(NamedTuple):
    """A meter to look at, since when its readings are waited for, and what caused it, if anything
    but time did."""

    tenant_id: str
    meter_id: UUID
    watched_from: datetime
    correlation_id: str | None


async def mark_meters(
    tx: WriteConnection, causes: Iterable[tuple[str, UUID, str | None]], now: datetime
) -> None:
    """Have meters (tenant, meter, correlation id) looked at."""
    marks = [DueMeter(tenant_id, id_, now, cause) for tenant_id, id_, cause in causes]
    await schedule(tx, [(mark, now) for mark in marks])


async def schedule(tx: WriteConnection, marks: Sequence[tuple[DueMeter, datetime]]) -> None:
    """Have meters looked at, each at an instant."""
    await insert_rows(tx, table, [mark._asdict() | {"due_at": due_at} for mark, due_at in marks])


_MARK_TENANT = """
INSERT INTO alert_check (tenant_id, meter_id, watched_from, due_at)
SELECT tenant_id, id, $2, $2 FROM meter WHERE tenant_id = $1
"""
_MARK_OPEN = """
INSERT INTO alert_check (tenant_id, meter_id, watched_from, due_at)
SELECT DISTINCT tenant_id, meter_id, $2::timestamptz, $2::timestamptz FROM alert
 WHERE tenant_id = $1 AND cleared_at IS NULL
"""


async def mark_tenant(tx: WriteConnection, tenant_id: str, now: datetime) -> None:
    """Have all meters of a tenant looked at."""
    await tx.raw.execute(_MARK_TENANT, tenant_id, now)


async def mark_open_alerts(tx: WriteConnection, tenant_id: str, now: datetime) -> None:
    """Have the meters of a tenant looked at that have an open alert."""
    await tx.raw.execute(_MARK_OPEN, tenant_id, now)


# One process looks at a time: two that looked at one meter at once would raise its alert twice.
_LOCK = "SELECT pg_try_advisory_xact_lock(7104417)"
# The marks that are due, oldest first; then all other marks of the same meters, due or not.
_CLAIM = """
WITH due AS (
    SELECT DISTINCT tenant_id, meter_id
      FROM (SELECT tenant_id, meter_id FROM alert_check
             WHERE due_at <= $1 ORDER BY due_at LIMIT $2) AS c),
claimed AS (
    DELETE FROM alert_check c USING due k
     WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id
    RETURNING c.*)
SELECT tenant_id, meter_id, min(watched_from) AS watched_from,
       max(correlation_id) AS correlation_id
  FROM claimed GROUP BY tenant_id, meter_id ORDER BY tenant_id, meter_id
"""


async def claim_due(tx: WriteConnection, now: datetime, marks_max: int) -> list[DueMeter]:
    """Take meters that are due off the queue; none while another process looks at some."""
    if not await tx.raw.fetchval(_LOCK):
        return []
    return [DueMeter(*row) for row in await tx.raw.fetch(_CLAIM, now, marks_max)]


# The two newest days of each channel, with their verdicts; each a walk down the primary key. Of a
# day the energy counts that a derived meter has exported.
_DAYS = """
SELECT k.n, d.day, d.is_whole, d.energy_wh, v.held, v.measured, v.cleared
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[])
       WITH ORDINALITY AS k (tenant_id, meter_id, flow, minutes, n)
 CROSS JOIN LATERAL (
       SELECT c.day, c.present = cardinality(c.values) AS is_whole,
              CASE WHEN c.flow = 'export'
                   THEN (SELECT coalesce(sum(u), 0) FROM unnest(c.values) AS u)
                   ELSE 0 END AS energy_wh
         FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
          AND c.minutes = k.minutes AND c.present > 0
        ORDER BY c.day DESC LIMIT 2) AS d
 CROSS JOIN LATERAL (
       SELECT array_agg(o.rule) FILTER (WHERE o.cleared_at IS NULL) AS held,
              array_agg(o.value) FILTER (WHERE o.cleared_at IS NULL) AS measured,
              array_agg(o.rule) FILTER (WHERE o.cleared_at IS NOT NULL) AS cleared
         FROM verdict o
        WHERE o.tenant_id = k.tenant_id AND o.meter_id = k.meter_id AND o.flow = k.flow
          AND o.minutes = k.minutes AND o.day = d.day) AS v
 ORDER BY k.n, d.day DESC
"""
# Up to which interval of which day a channel has actual readings. Most often of the newest day.
_READ_UNTIL = """
SELECT k.n, d.day, d.zone, d.slots, r.is_read_by_register
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[])
       WITH ORDINALITY AS k (tenant_id, meter_id, flow, minutes, n)
  LEFT JOIN LATERAL (
       SELECT c.day, c.zone, length(rtrim(c.quality, 'ES-')) AS slots
         FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
          AND c.minutes = k.minutes AND c.quality LIKE '%A%'
        ORDER BY c.day DESC LIMIT 1) AS d ON true
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT FROM register_channel g
                       WHERE g.tenant_id = k.tenant_id AND g.meter_id = k.meter_id
                         AND g.flow = k.flow) AS is_read_by_register) AS r
"""


# The events of tampering that are still looked at, and those that an open alert speaks of; of each
# as many as count, however many a broken meter has noted.
_TAMPERING = """
SELECT k.tenant_id, k.meter_id, w.events, w.first_at, l.last_at, a.events AS of_alert
  FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS k (tenant_id, meter_id, spoken_of_from)
 CROSS JOIN LATERAL (
       SELECT count(*) AS events, min(e.happened_at) AS first_at
         FROM (SELECT e.happened_at FROM device_event e
                WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
                  AND e.severity = 'tamper' AND e.happened_at > $4
                ORDER BY e.happened_at LIMIT $5) AS e) AS w
  LEFT JOIN LATERAL (
       SELECT e.happened_at AS last_at FROM device_event e
        WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
          AND e.severity = 'tamper' AND e.happened_at > $4
        ORDER BY e.happened_at DESC LIMIT 1) AS l ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS events
         FROM (SELECT FROM device_event e
                WHERE e.tenant_id = k.tenant_id AND e.meter_id = k.meter_id
                  AND e.severity = 'tamper' AND e.happened_at > k.spoken_of_from
                LIMIT $5) AS e) AS a
"""
EVENTS_COUNTED_MAX = 10_000
"""Events of tampering that are counted of a meter."""


async def observe(
    read: ReadConnection,
    due: Collection[DueMeter],
    meters: dict[MeterKey, Meter],
    latest: Mapping[MeterKey, Mapping[AlertKey, Alert]],
    now: datetime,
) -> dict[MeterKey, ObservedMeter]:
    """What is stored of meters; `meters` are those that are registered, `latest` has the newest
    alerts."""
    keys = [
        (*key, channel.flow, channel.minutes)
        for key, meter in meters.items()
        for channel in meter.channels
    ]
    columns = columns_of(keys, 4)
    days: dict[int, list[ObservedDay]] = {}
    for row in await read.raw.fetch(_DAYS, *columns):
        days.setdefault(row["n"] - 1, []).append(_day(row))
    channels: dict[MeterKey, dict[str, ObservedChannel]] = {key: {} for key in meters}
    for row in await read.raw.fetch(_READ_UNTIL, *columns):
        index = row["n"] - 1
        tenant_id, meter_id, flow, minutes = keys[index]
        channels[tenant_id, meter_id][flow] = ObservedChannel(
            tuple(days.get(index, ())), _read_until(row, minutes), row["is_read_by_register"]
        )
    spoken_of = [(*key, spoken_of_from(latest.get(key, {}))) for key in meters]
    rows = await read.raw.fetch(
        _TAMPERING, *columns_of(spoken_of, 3), now - TAMPERED_FOR, EVENTS_COUNTED_MAX
    )
    tamperings = {(row[0], row[1]): ObservedTampering(*row[2:]) for row in rows}
    return {
        key: ObservedMeter(
            meters.get(key), channels.get(key, {}), mark.watched_from, tamperings.get(key)
        )
        for mark in due
        for key in [(mark.tenant_id, mark.meter_id)]
    }


def _day(row: Any) -> ObservedDay:
    measured = map(_number, row["measured"] or ())
    return ObservedDay(
        row["day"],
        row["is_whole"],
        int(row["energy_wh"]),
        dict(zip(row["held"] or (), measured, strict=True)),
        frozenset(row["cleared"] or ()),
    )


def _number(measured: float) -> Decimal:
    return Decimal(int(measured)) if measured.is_integer() else Decimal(str(measured))


def _read_until(row: Any, minutes: int) -> datetime | None:
    if row["day"] is None:
        return None
    slots: int = row["slots"]
    return midnight_utc(row["zone"], row["day"]) + slots * timedelta(minutes=minutes)
