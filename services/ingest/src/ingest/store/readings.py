"""The readings store: blocks as received, and channel-days, their newest merge.

Owns the hot path's SQL. Keys and rows come and go by binary COPY. Writers are kept apart without
locks: a channel-day is written only over the version that was read, else Transient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import numpy as np

from database import ReadConnection, WriteConnection, copy
from database.copy import Field
from ingest.domain.intake import Cut, DayKey
from ingest.domain.merge import Days, Index, Layer
from ingest.store.partitions import plan_by_key
from ingest.store.rows import KEY_COLUMNS, bounds
from ingest.wire import Arrivals
from kernel.errors import Transient

_STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_day (
    n int, tenant_id text COLLATE "C", meter_id uuid, flow text COLLATE "C", minutes smallint,
    day date) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS changed_day (
    tenant_id text COLLATE "C", meter_id uuid, flow text COLLATE "C", minutes smallint, day date,
    version int, present smallint, recorded_at timestamptz, zone text, correlation_id text,
    quality text, values int4[]) ON COMMIT DELETE ROWS;
TRUNCATE wanted_day, changed_day
"""
# `OFFSET 0` has every key looked up by index, whatever the planner believes of the tables' sizes.
_FETCH_DAYS = """
SELECT k.n, d.version, d.quality, d.sent
  FROM wanted_day k CROSS JOIN LATERAL (
       SELECT c.version, c.quality, array_send(array_replace(c.values, NULL, -1)) AS sent
         FROM channel_day c
        WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
          AND c.minutes = k.minutes AND c.day = k.day AND c.day BETWEEN $1 AND $2
       OFFSET 0) AS d
"""
_UPSERT_DAYS = """
INSERT INTO channel_day AS d (tenant_id, meter_id, flow, minutes, day, version, present,
                              recorded_at, zone, correlation_id, quality, values)
SELECT * FROM changed_day ORDER BY tenant_id, meter_id, flow, minutes, day
ON CONFLICT (tenant_id, meter_id, flow, minutes, day) DO UPDATE
   SET version = excluded.version, present = excluded.present,
       recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id,
       quality = excluded.quality, values = excluded.values
 WHERE d.version = excluded.version - 1
"""
_ANNOUNCE = """
INSERT INTO usage_pending (tenant_id, meter_id, flow, minutes, day, due_at)
SELECT tenant_id, meter_id, flow, minutes, day,
       CASE WHEN present = cardinality(values) THEN recorded_at ELSE $1 END
  FROM changed_day
"""
_KEYS = (
    "unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[]{more}) "
    "WITH ORDINALITY AS k (tenant_id, meter_id, flow, minutes, day{names}, n)"
)
_STORED_PIECES = f"""
SELECT k.n FROM {_KEYS.format(more=", $6::uuid[], $7::timestamptz[]", names=", event_id, start_at")}
 WHERE EXISTS (
       SELECT FROM reading_block b
        WHERE b.tenant_id = k.tenant_id AND b.meter_id = k.meter_id AND b.flow = k.flow
          AND b.day = k.day AND b.event_id = k.event_id AND b.start_at = k.start_at
          AND b.minutes = k.minutes AND b.day BETWEEN $8 AND $9
       OFFSET 0)
"""  # noqa: S608 - made of this module's constants
_LAYERS = f"""
SELECT k.n, d.*
  FROM {_KEYS.format(more="", names="")} CROSS JOIN LATERAL (
       SELECT b.slot, b.read_at, b.event_id, b.quality, cardinality(b.values) AS count,
              array_send(array_replace(b.values, NULL, -1)) AS sent
         FROM reading_block b
        WHERE b.tenant_id = k.tenant_id AND b.meter_id = k.meter_id AND b.flow = k.flow
          AND b.day = k.day AND b.minutes = k.minutes AND b.day BETWEEN $6 AND $7
          AND ($8::timestamptz IS NULL OR b.recorded_at <= $8)
       OFFSET 0) AS d
"""  # noqa: S608 - made of this module's constants
_BLOCK_COLUMNS = (
    *KEY_COLUMNS, "event_id", "start_at", "slot", "piece", "quality", "read_at", "recorded_at",
    "source", "correlation_id", "values",
)  # fmt: skip
_DAY_COLUMNS = (
    *KEY_COLUMNS, "version", "present", "recorded_at", "zone", "correlation_id", "quality",
    "values",
)  # fmt: skip


async def fetch_days(tx: WriteConnection, cut: Cut, keys: Sequence[Field]) -> tuple[Days, Index]:
    """The batch's channel-days as they are stored, and their versions (0: not there yet).

    `keys` are the `key_fields` of the batch's channel-days, here and below.
    """
    await plan_by_key(tx)
    await tx.raw.execute(_STAGING)
    slots = np.array(cut.day_slots, np.int64)
    days, versions = Days.empty(slots), np.zeros(slots.size, np.int64)
    columns = ("n", *KEY_COLUMNS)
    order = copy.fixed(np.arange(slots.size, dtype=np.int32))
    await tx.copy_binary("wanted_day", columns, copy.body(len(columns), order, keys))
    rows = await tx.raw.fetch(_FETCH_DAYS, *bounds(cut.keys))
    if rows:
        _put(days, versions, rows)
    return days, versions


def _put(days: Days, versions: Index, rows: Sequence[Any]) -> None:
    """Lay stored rows into `days`, all of one length at a time."""
    found = np.array([row["n"] for row in rows], np.int64)
    versions[found] = [row["version"] for row in rows]
    for length in np.unique(days.slots[found]):
        same = np.flatnonzero(days.slots[found] == length).tolist()
        at = days.begins[found[same]][:, None] + np.arange(length)
        days.values[at] = copy.read_int4_arrays([rows[n]["sent"] for n in same], int(length))
        letters = "".join([rows[n]["quality"] for n in same]).encode()
        days.quality[at] = np.frombuffer(letters, np.uint8).reshape(-1, int(length))


@dataclass(frozen=True, slots=True)
class PieceKey:
    """What makes a piece one and the same: its channel-day, its event and where it begins."""

    day: DayKey
    event_id: Any
    start_at: datetime


async def fetch_stored_pieces(read: ReadConnection, pieces: Sequence[PieceKey]) -> set[int]:
    """The numbers of those that are stored already."""
    rows = await read.raw.fetch(
        _STORED_PIECES,
        *_key_lists([piece.day for piece in pieces]),
        [piece.event_id for piece in pieces],
        [piece.start_at for piece in pieces],
        *bounds([piece.day for piece in pieces]),
    )
    return {row["n"] - 1 for row in rows}


async def fetch_layers(
    read: ReadConnection, keys: Sequence[DayKey], *, known_at: datetime | None = None
) -> list[list[Layer]]:
    """Per channel-day all blocks of it, or those that were recorded up to `known_at`."""
    layers: list[list[Layer]] = [[] for _ in keys]
    rows = await read.raw.fetch(_LAYERS, *_key_lists(keys), *bounds(keys), known_at)
    for row in rows:
        layers[row["n"] - 1].append(
            Layer(
                row["slot"],
                copy.read_int4_arrays([row["sent"]], row["count"])[0],
                ord(row["quality"]),
                copy.microseconds(row["read_at"]),
                row["event_id"].bytes,
            )
        )
    return layers


def _key_lists(keys: Sequence[DayKey]) -> tuple[list[Any], ...]:
    return tuple([key[part] for key in keys] for part in range(5))


async def insert_blocks(
    tx: WriteConnection,
    arrivals: Arrivals,
    cut: Cut,
    keys: Sequence[Field],
    fresh: Index,
    now: datetime,
) -> None:
    """Store the pieces whose numbers are `fresh`; Transient when another was faster."""
    if not fresh.size:
        return
    pieces, chosen = cut.pieces, fresh.tolist()
    owners = [cut.owners[n] for n in chosen]
    envelopes = [arrivals.envelopes[owner] for owner in owners]
    sources = [arrivals.blocks[owner].source for owner in owners]
    mask = np.zeros(pieces.counts.size, np.bool_)
    mask[fresh] = True
    payload = copy.body(
        len(_BLOCK_COLUMNS),
        [keys[day] for day in pieces.days[fresh].tolist()],
        copy.fixed(
            copy.uuids([envelope.event_id for envelope in envelopes]),
            copy.instants([cut.starts[n] for n in chosen]),
            pieces.slots[fresh].astype(np.int16),
            np.array([cut.numbers[n] for n in chosen], np.int16),
            pieces.quality[fresh].view("S1"),
            copy.instants([arrivals.read_at[owner] for owner in owners]),
            _recorded_us(owners, arrivals, now),
        ),
        copy.texts([source or e.source for source, e in zip(sources, envelopes, strict=True)]),
        copy.texts([envelope.correlation_id for envelope in envelopes]),
        copy.int4_arrays(pieces.values[np.repeat(mask, pieces.counts)], pieces.counts[fresh]),
    )
    try:
        await tx.copy_binary("reading_block", _BLOCK_COLUMNS, payload)
    except asyncpg.UniqueViolationError as raced:
        raise Transient("another writer stored the same block") from raced


def _recorded_us(owners: Sequence[int], arrivals: Arrivals, now: datetime) -> Index:
    """When arrivals were recorded: the last one now, each other a microsecond before the next.

    So it can be told which came last, and what caused the state of several days.
    """
    return copy.microseconds(now) - (len(arrivals) - 1 - np.array(owners, np.int64))


@dataclass(frozen=True, slots=True)
class ChangedDays:
    """The channel-days that a batch changes: their numbers, the versions they had before, and the
    arrivals that came last of those that changed them."""

    chosen: Index
    versions: Index
    causes: list[int]


async def upsert_days(
    tx: WriteConnection,
    arrivals: Arrivals,
    cut: Cut,
    keys: Sequence[Field],
    days: Days,
    changed: ChangedDays,
    *,
    now: datetime,
    announce_delay: timedelta,
) -> None:
    """Write the next version of changed channel-days and queue them to be announced."""
    chosen = changed.chosen
    if not chosen.size:
        return
    lengths = days.slots[chosen]
    mask = np.zeros(days.slots.size, np.bool_)
    mask[chosen] = True
    inside = np.repeat(mask, days.slots)
    payload = copy.body(
        len(_DAY_COLUMNS),
        [keys[n] for n in chosen.tolist()],
        copy.fixed(
            (changed.versions + 1).astype(np.int32),
            days.per_day(days.values >= 0)[chosen].astype(np.int16),
            _recorded_us(changed.causes, arrivals, now),
        ),
        copy.texts([cut.zones[n] for n in chosen.tolist()]),
        copy.texts([arrivals.envelopes[n].correlation_id for n in changed.causes]),
        copy.letters(days.quality[inside], lengths),
        copy.int4_arrays(days.values[inside], lengths),
    )
    await tx.copy_binary("changed_day", _DAY_COLUMNS, payload)
    written = await tx.raw.execute(_UPSERT_DAYS)
    if int(written.rpartition(" ")[2]) != chosen.size:
        raise Transient("another writer changed the same channel-day")
    await tx.raw.execute(_ANNOUNCE, now + announce_delay)
