"""Readings of registers, and which registers are to be turned into intervals again.

Owns the newest entry of each reading; the ledger has the older ones.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ingest.domain.registers import (
    DoneRegister,
    DueRegister,
    EntryKey,
    KnownEntry,
    RegisterEntry,
    RegisterKey,
    TimeRange,
)
from gridtally.ingest.tables import register_entry
from gridtally.metering.readings import RegisterReading

_LOCK_ENTRIES = """
SELECT e.tenant_id, e.reading_id, e.version, e.read_at
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, reading_id)
  JOIN register_entry e USING (tenant_id, reading_id)
   FOR UPDATE OF e
"""


async def lock_entries(
    tx: WriteConnection, keys: Collection[EntryKey]
) -> Mapping[EntryKey, KnownEntry]:
    """What is stored of these readings, locked."""
    rows = await tx.raw.fetch(_LOCK_ENTRIES, *columns_of(keys, 2))
    return {
        (row["tenant_id"], row["reading_id"]): KnownEntry(row["version"], row["read_at"])
        for row in rows
    }


_KEEP_NEWEST = """
ON CONFLICT (tenant_id, reading_id) DO UPDATE
   SET version = excluded.version, kind = excluded.kind, value = excluded.value,
       digits = excluded.digits, decimals = excluded.decimals, quality = excluded.quality,
       rollover_kwh = excluded.rollover_kwh, multiplier = excluded.multiplier,
       read_at = excluded.read_at, recorded_at = excluded.recorded_at,
       correlation_id = excluded.correlation_id
 WHERE register_entry.version < excluded.version
"""


async def upsert_entries(tx: WriteConnection, entries: Sequence[RegisterEntry]) -> None:
    """Store the newest entry of each reading (one per reading)."""
    rows = [as_row(entry, register_entry) for entry in entries]
    await insert_rows(tx, register_entry, rows, _KEEP_NEWEST)


# Widened from the reading before the change to the one after it, since both differences change. A
# register that is due already becomes due over both times, and at once.
_MARK_DUE = """
INSERT INTO register_channel AS c (tenant_id, meter_id, flow, from_at, to_at, ranked_at,
                                   correlation_id)
SELECT k.tenant_id, k.meter_id, k.flow, coalesce(b.read_at, k.from_at),
       coalesce(a.read_at, k.to_at), k.ranked_at, k.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
              $6::timestamptz[], $7::text[])
       AS k (tenant_id, meter_id, flow, from_at, to_at, ranked_at, correlation_id)
 CROSS JOIN LATERAL (
       SELECT max(e.read_at) AS read_at FROM register_entry e
        WHERE (e.tenant_id, e.meter_id, e.flow) = (k.tenant_id, k.meter_id, k.flow)
          AND e.kind <> 'withdrawn' AND e.read_at < k.from_at) AS b
 CROSS JOIN LATERAL (
       SELECT min(e.read_at) AS read_at FROM register_entry e
        WHERE (e.tenant_id, e.meter_id, e.flow) = (k.tenant_id, k.meter_id, k.flow)
          AND e.kind <> 'withdrawn' AND e.read_at > k.to_at) AS a
ON CONFLICT (tenant_id, meter_id, flow) DO UPDATE
   SET from_at = least(c.from_at, excluded.from_at), to_at = greatest(c.to_at, excluded.to_at),
       ranked_at = greatest(c.ranked_at, excluded.ranked_at),
       correlation_id = excluded.correlation_id, due_at = NULL
"""


async def mark_due(tx: WriteConnection, registers: Sequence[DueRegister]) -> None:
    """These registers have changed; they must come in the order of their keys."""
    await tx.raw.execute(
        _MARK_DUE,
        *columns_of([register.key for register in registers], 3),
        [register.from_at for register in registers],
        [register.to_at for register in registers],
        [register.ranked_at for register in registers],
        [register.correlation_id for register in registers],
    )


# Without a channel for its flow a register stays due: its meter may be registered again with one.
_LOCK_DUE = """
SELECT c.tenant_id, c.meter_id, c.flow, c.from_at, c.to_at, c.ranked_at, c.correlation_id,
       c.reported_from, c.reported_to
  FROM register_channel c JOIN meter m ON m.tenant_id = c.tenant_id AND m.id = c.meter_id
 WHERE c.from_at IS NOT NULL AND (c.due_at IS NULL OR c.due_at <= $2)
   AND m.channels @> jsonb_build_array(jsonb_build_object('flow', c.flow))
 ORDER BY c.from_at LIMIT $1 FOR UPDATE OF c SKIP LOCKED
"""


async def lock_due_registers(
    tx: WriteConnection, now: datetime, registers_max: int
) -> list[DueRegister]:
    """Registers that are due and whose meter has a channel for them, locked."""
    return [
        DueRegister(
            (row["tenant_id"], row["meter_id"], row["flow"]),
            row["from_at"],
            row["to_at"],
            row["ranked_at"],
            row["correlation_id"],
            TimeRange(row["reported_from"], row["reported_to"]) if row["reported_from"] else None,
        )
        for row in await tx.raw.fetch(_LOCK_DUE, registers_max, now)
    ]


_MARK_DONE = """
UPDATE register_channel c
   SET ranked_at = k.ranked_at, from_at = k.from_at, to_at = k.to_at, due_at = k.due_at,
       reported_from = k.reported_from, reported_to = k.reported_to
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
              $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
       AS k (tenant_id, meter_id, flow, ranked_at, from_at, to_at, due_at, reported_from,
             reported_to)
 WHERE (c.tenant_id, c.meter_id, c.flow) = (k.tenant_id, k.meter_id, k.flow)
"""


async def mark_done(tx: WriteConnection, registers: Sequence[DoneRegister]) -> None:
    """These registers, each of them once, are due no more but for what remains of them."""
    rows = []
    for done in registers:
        left, time = done.remainder, done.reported
        remaining = (left.from_at, left.to_at, left.due_at) if left else (None, None, None)
        reported = (time.start_at, time.end_at) if time else (None, None)
        rows.append((*done.key, done.ranked_at, *remaining, *reported))
    await tx.raw.execute(_MARK_DONE, *columns_of(rows, 9))


_HAS_MORE = """
SELECT EXISTS (SELECT FROM register_entry e
                WHERE (e.tenant_id, e.meter_id, e.flow) = ($1, $2, $3)
                  AND e.kind <> 'withdrawn' AND e.read_at BETWEEN $4 AND $5
               OFFSET $6)
"""


async def has_more_readings(
    read: ReadConnection, key: RegisterKey, start_at: datetime, end_at: datetime, readings_max: int
) -> bool:
    """Whether a register was read more often than this between two moments."""
    more: bool = await read.raw.fetchval(_HAS_MORE, *key, start_at, end_at, readings_max)
    return more


# With $6 an estimate is none, but that of an exchange, between whose sides nothing is subtracted.
_READINGS_AROUND = """
SELECT k.position, e.read_at, e.recorded_at, e.kind, e.value, e.digits, e.multiplier,
       e.rollover_kwh, coalesce(e.decimals, greatest(scale(trim_scale(e.value)), 0)) AS decimals,
       CASE WHEN $6 THEN coalesce(e.quality, 'actual') ELSE 'actual' END AS quality
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
       WITH ORDINALITY AS k (tenant_id, meter_id, flow, from_at, to_at, position)
 CROSS JOIN LATERAL (
       SELECT max(e.read_at) AS read_at FROM register_entry e
        WHERE (e.tenant_id, e.meter_id, e.flow) = (k.tenant_id, k.meter_id, k.flow)
          AND e.kind <> 'withdrawn'
          AND (NOT $6 OR e.kind <> 'reading' OR coalesce(e.quality, 'actual') = 'actual')
          AND e.read_at < k.from_at) AS b
 CROSS JOIN LATERAL (
       SELECT min(e.read_at) AS read_at FROM register_entry e
        WHERE (e.tenant_id, e.meter_id, e.flow) = (k.tenant_id, k.meter_id, k.flow)
          AND e.kind <> 'withdrawn'
          AND (NOT $6 OR e.kind <> 'reading' OR coalesce(e.quality, 'actual') = 'actual')
          AND e.read_at > k.to_at) AS a
 CROSS JOIN LATERAL (
       SELECT * FROM register_entry e
        WHERE (e.tenant_id, e.meter_id, e.flow) = (k.tenant_id, k.meter_id, k.flow)
          AND e.kind <> 'withdrawn'
          AND (NOT $6 OR e.kind <> 'reading' OR coalesce(e.quality, 'actual') = 'actual')
          AND e.read_at BETWEEN coalesce(b.read_at, k.from_at)
                            AND coalesce(a.read_at, k.to_at)) AS e
"""


async def fetch_readings_around(
    read: ReadConnection,
    spans: Sequence[tuple[RegisterKey, datetime, datetime]],
    *,
    measured_alone: bool = False,
) -> list[list[RegisterReading]]:
    """Of each span of a register, both its moments included, the readings within it and the ones
    just before and after it.

    With `measured_alone` those that were estimated are left out, but for those of exchanges;
    without it energy is spread between all readings alike, and none says its quality.
    """
    keys = [(*key, *moments) for key, *moments in spans]
    rows = await read.raw.fetch(_READINGS_AROUND, *columns_of(keys, 5), measured_alone)
    readings: list[list[RegisterReading]] = [[] for _ in spans]
    for row in rows:
        fields = dict(row)
        readings[fields.pop("position") - 1].append(RegisterReading(**fields))
    return readings
