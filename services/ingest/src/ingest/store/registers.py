"""Reads of registers, and which registers are to be turned into intervals anew.

Owns the newest entry of each reading; the ledger keeps the older ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.metering import ReadingRecorded
from database import WriteConnection
from ingest.domain.registers import Held, Read, Rest, Span

Entry = tuple[str, str, ReadingRecorded]
"""Tenant, correlation id and event."""
RegisterKey = tuple[str, UUID, str]
"""Tenant, meter and flow."""

_BEFORE = """
SELECT e.tenant_id, e.reading_id, e.version, e.read_at
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, reading_id)
  JOIN register_entry e USING (tenant_id, reading_id)
   FOR UPDATE OF e
"""
_UPSERT = """
INSERT INTO register_entry AS e
       (tenant_id, reading_id, meter_id, flow, version, kind, value, digits, multiplier, read_at,
        recorded_at, correlation_id)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::text[],
                     $7::numeric[], $8::smallint[], $9::numeric[], $10::timestamptz[],
                     $11::timestamptz[], $12::text[])
ON CONFLICT (tenant_id, reading_id) DO UPDATE
   SET version = excluded.version, kind = excluded.kind, value = excluded.value,
       digits = excluded.digits, multiplier = excluded.multiplier, read_at = excluded.read_at,
       recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id
 WHERE e.version < excluded.version
"""
# From the read before the change to the one after: so far it can be told.
_MARK = """
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
# Without a channel for its flow a register waits: its meter may be registered anew with one.
_LOCK_DUE = """
SELECT c.tenant_id, c.meter_id, c.flow, c.from_at, c.to_at, c.ranked_at, c.correlation_id,
       c.told_from, c.told_to
  FROM register_channel c JOIN meter m ON m.tenant_id = c.tenant_id AND m.id = c.meter_id
 WHERE c.from_at IS NOT NULL AND (c.due_at IS NULL OR c.due_at <= $2)
   AND m.channels @> jsonb_build_array(jsonb_build_object('flow', c.flow))
 ORDER BY c.from_at LIMIT $1 FOR UPDATE OF c SKIP LOCKED
"""
_DONE = """
UPDATE register_channel SET ranked_at = $4, from_at = $5, to_at = $6, due_at = $7,
       told_from = $8, told_to = $9
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3)
"""
_NEIGHBOURS = """
SELECT (SELECT max(read_at) FROM register_entry
         WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
           AND read_at < $4) AS before_at,
       (SELECT min(read_at) FROM register_entry
         WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
           AND read_at > $5) AS after_at
"""
_READS = """
SELECT read_at, recorded_at, kind, value, digits, multiplier FROM register_entry
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND kind <> 'withdrawn'
   AND read_at BETWEEN $4 AND $5
"""
_RELEASE = """
DELETE FROM held_stretch
 WHERE (tenant_id, meter_id, flow) = ($1, $2, $3) AND start_at >= $4 AND start_at < $5
"""
_HOLD = """
INSERT INTO held_stretch (tenant_id, meter_id, flow, start_at, end_at, reason, start_value,
                          end_value)
SELECT $1, $2, $3, * FROM unnest($4::timestamptz[], $5::timestamptz[], $6::text[], $7::numeric[],
                                 $8::numeric[])
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A register of which something between two moments has changed.

    `ranked_at` is what intervals made of it before were ranked by, at the latest; `told` is where
    it has ever told any.
    """

    key: RegisterKey
    from_at: datetime
    to_at: datetime
    ranked_at: datetime
    correlation_id: str
    told: Span | None = None


async def upsert_entries(tx: WriteConnection, entries: Sequence[Entry]) -> None:
    """Keep the newest entry of each reading (one per reading); what it changes becomes due."""
    keys = [[tenant for tenant, _, _ in entries], [one.reading_id for _, _, one in entries]]
    before = {
        (row["tenant_id"], row["reading_id"]): row for row in await tx.raw.fetch(_BEFORE, *keys)
    }
    due: dict[RegisterKey, Due] = {}
    newer: list[Entry] = []
    for tenant_id, correlation_id, event in entries:
        old = before.get((tenant_id, event.reading_id))
        if old is not None and old["version"] >= event.version:
            continue
        newer.append((tenant_id, correlation_id, event))
        moments = [event.read_at] if old is None else [event.read_at, old["read_at"]]
        key = (tenant_id, event.meter_id, event.flow)
        known = due.get(key)
        if known is not None:
            moments += [known.from_at, known.to_at]
        ranked_at = max(event.recorded_at, known.ranked_at) if known else event.recorded_at
        due[key] = Due(key, min(moments), max(moments), ranked_at, correlation_id)
    await _write(tx, newer)
    await _mark(tx, [due[key] for key in sorted(due)])


async def _write(tx: WriteConnection, entries: Sequence[Entry]) -> None:
    events = [event for _, _, event in entries]
    await tx.raw.execute(
        _UPSERT,
        [tenant_id for tenant_id, _, _ in entries],
        [event.reading_id for event in events],
        [event.meter_id for event in events],
        [event.flow for event in events],
        [event.version for event in events],
        [event.kind for event in events],
        [event.value for event in events],
        [event.digits for event in events],
        [event.multiplier for event in events],
        [event.read_at for event in events],
        [event.recorded_at for event in events],
        [correlation_id for _, correlation_id, _ in entries],
    )


async def _mark(tx: WriteConnection, due: Sequence[Due]) -> None:
    await tx.raw.execute(
        _MARK,
        [one.key[0] for one in due],
        [one.key[1] for one in due],
        [one.key[2] for one in due],
        [one.from_at for one in due],
        [one.to_at for one in due],
        [one.ranked_at for one in due],
        [one.correlation_id for one in due],
    )


async def lock_due(tx: WriteConnection, now: datetime, registers_max: int) -> list[Due]:
    """Registers that are due and whose meter has a channel for them, locked."""
    return [
        Due(
            (row["tenant_id"], row["meter_id"], row["flow"]),
            row["from_at"],
            row["to_at"],
            row["ranked_at"],
            row["correlation_id"],
            Span(row["told_from"], row["told_to"]) if row["told_from"] else None,
        )
        for row in await tx.raw.fetch(_LOCK_DUE, registers_max, now)
    ]


async def mark_done(
    tx: WriteConnection,
    key: RegisterKey,
    ranked_at: datetime,
    rest: Rest | None,
    told: Span | None,
) -> None:
    """The register is due no longer but for the rest; its intervals are ranked by this moment."""
    left = (rest.from_at, rest.to_at, rest.due_at) if rest is not None else (None, None, None)
    span = (told.start_at, told.end_at) if told is not None else (None, None)
    await tx.raw.execute(_DONE, *key, ranked_at, *left, *span)


async def replace_held(
    tx: WriteConnection,
    key: RegisterKey,
    window: tuple[datetime, datetime],
    found: Sequence[Held],
) -> None:
    """What is held of a register from a moment of the window on, which is half-open, is this."""
    await tx.raw.execute(_RELEASE, *key, *window)
    if found:
        await tx.raw.execute(
            _HOLD,
            *key,
            [one.start_at for one in found],
            [one.end_at for one in found],
            [one.reason for one in found],
            [one.start_value for one in found],
            [one.end_value for one in found],
        )


async def fetch_neighbours(
    tx: WriteConnection, key: RegisterKey, from_at: datetime, to_at: datetime
) -> tuple[datetime, datetime]:
    """The moments of the reads before and after, or these moments where there is none."""
    row: Any = await tx.raw.fetchrow(_NEIGHBOURS, *key, from_at, to_at)
    return row["before_at"] or from_at, row["after_at"] or to_at


async def fetch_reads(
    tx: WriteConnection, key: RegisterKey, from_at: datetime, to_at: datetime
) -> list[Read]:
    """The reads between two moments, both included."""
    return [Read(**row) for row in await tx.raw.fetch(_READS, *key, from_at, to_at)]
