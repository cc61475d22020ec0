"""Readings of registers, and which registers are to be turned into intervals again.

Owns the newest entry of each reading; the ledger has the older ones.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from gridtally.database import WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ingest.domain.registers import (
    DueRegister,
    EntryKey,
    KnownEntry,
    RegisterEntry,
    RegisterKey,
    Remainder,
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
       digits = excluded.digits, rollover_kwh = excluded.rollover_kwh,
       multiplier = excluded.multiplier, read_at = excluded.read_at,
       recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id
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
UPDATE register_channel SET ranked_at = $4, from_at = $5, to_at = $6, due_at = $7,
       reported_from = $8, reported_to = $9
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3)
"""


async def mark_done(
    tx: WriteConnection,
    key: RegisterKey,
    ranked_at: datetime,
    remainder: Remainder | None,
    reported: TimeRange | None,
) -> None:
    """The register is due no more but for the remainder.

    `ranked_at` is the `read_at` of the last block made of it, `reported` where it has had values.
    """
    left = (
        (remainder.from_at, remainder.to_at, remainder.due_at) if remainder else (None, None, None)
    )
    time = (reported.start_at, reported.end_at) if reported else (None, None)
    await tx.raw.execute(_MARK_DONE, *key, ranked_at, *left, *time)


_NEIGHBOURS = """
SELECT (SELECT max(read_at) FROM register_entry
         WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
           AND read_at < $4) AS before_at,
       (SELECT min(read_at) FROM register_entry
         WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
           AND read_at > $5) AS after_at
"""


async def fetch_neighbours(
    tx: WriteConnection, key: RegisterKey, from_at: datetime, to_at: datetime
) -> tuple[datetime, datetime]:
    """The moments of the readings before and after, or these moments where there is none."""
    row: Any = await tx.raw.fetchrow(_NEIGHBOURS, *key, from_at, to_at)
    return row["before_at"] or from_at, row["after_at"] or to_at


_READINGS = """
SELECT read_at, recorded_at, kind, value, digits, multiplier, rollover_kwh FROM register_entry
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
   AND read_at BETWEEN $4 AND $5
"""


async def fetch_readings(
    tx: WriteConnection, key: RegisterKey, from_at: datetime, to_at: datetime
) -> list[RegisterReading]:
    """The readings between two moments, both included."""
    rows = await tx.raw.fetch(_READINGS, *key, from_at, to_at)
    return [RegisterReading(**row) for row in rows]
