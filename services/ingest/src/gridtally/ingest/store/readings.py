"""The readings store: blocks as received, and channel-days, their newest merge.

Owns the hot path's SQL. Keys and rows come and go by binary COPY, column by column, since ten
thousand rows of parameters took longer to encode than everything else of a batch. Writers are kept
apart without locks: a channel-day is written only over the version that was read, else Transient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np

from gridtally.database import ReadConnection, WriteConnection, copy
from gridtally.database.copy import Field
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.merge import Days, Index, RankedPiece
from gridtally.ingest.domain.readings import DayKey, DayPieces, ReceivedBlocks
from gridtally.ingest.store.partitions import plan_by_key
from gridtally.kernel.errors import Transient

KEY_COLUMNS = ("tenant_id", "flow", "meter_id", "minutes", "day")
_BLOCK_COLUMNS = (
    *KEY_COLUMNS, "event_id", "start_at", "slot", "piece", "quality", "read_at", "recorded_at",
    "source", "correlation_id", "values",
)  # fmt: skip
_DAY_COLUMNS = (
    *KEY_COLUMNS, "version", "present", "recorded_at", "zone", "correlation_id", "quality",
    "values",
)  # fmt: skip


def channel_day_columns(keys: Sequence[DayKey]) -> list[Field]:
    """The `KEY_COLUMNS` of each channel-day, encoded for COPY: once for all uses of a batch."""
    days = {key.day: copy.day_number(key.day) for key in keys}
    rows = zip(
        copy.texts([key.tenant_id for key in keys]),
        copy.texts([key.flow for key in keys]),
        copy.fixed(
            copy.uuids([key.meter_id for key in keys]),
            np.array([key.minutes for key in keys], np.int16),
            np.array([days[key.day] for key in keys], np.int32),
        ),
        strict=True,
    )
    return [b"".join(row) for row in rows]


def day_bounds(keys: Sequence[DayKey]) -> tuple[date, date]:
    """The first and the last day, which let a query leave chunks out."""
    days = {key.day for key in keys}
    return min(days), max(days)


# Two tables of this session, which every batch empties: the keys to read, and the days to write.
_STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_day (
    n int, tenant_id text COLLATE "C", meter_id uuid, flow text COLLATE "C", minutes smallint,
    day date) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS written_day (
    tenant_id text COLLATE "C", meter_id uuid, flow text COLLATE "C", minutes smallint, day date,
    version int, present smallint, recorded_at timestamptz, zone text, correlation_id text,
    quality text, values int4[]) ON COMMIT DELETE ROWS;
TRUNCATE wanted_day, written_day
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


async def fetch_days(
    tx: WriteConnection, batch: DayPieces, keys: Sequence[Field]
) -> tuple[Days, Index]:
    """The batch's channel-days as they are stored, and their versions (0: not there yet).

    `keys` are the `channel_day_columns` of the batch, here and below.
    """
    await plan_by_key(tx)
    await tx.raw.execute(_STAGING)
    slots = np.array(batch.day_slots, np.int64)
    days, versions = Days.empty(slots), np.zeros(slots.size, np.int64)
    columns = ("n", *KEY_COLUMNS)
    numbers = copy.fixed(np.arange(slots.size, dtype=np.int32))
    await tx.copy_binary("wanted_day", columns, copy.body(len(columns), numbers, keys))
    rows = await tx.raw.fetch(_FETCH_DAYS, *day_bounds(batch.keys))
    if rows:
        _put(days, versions, rows)
    return days, versions


def _put(days: Days, versions: Index, rows: Sequence[Any]) -> None:
    """Write stored rows into `days`.

    All days of one length (92, 96 or 100 slots) at a time, as a matrix of days × slots, so that a
    batch takes a few numpy calls however many days it has.
    """
    indexes = np.array([row["n"] for row in rows], np.int64)
    versions[indexes] = [row["version"] for row in rows]
    for length in np.unique(days.slots[indexes]):
        of_length = np.flatnonzero(days.slots[indexes] == length).tolist()
        slots = days.begins[indexes[of_length]][:, None] + np.arange(length)
        sent = [rows[index]["sent"] for index in of_length]
        days.values[slots] = copy.read_int4_arrays(sent, int(length))
        letters = "".join([rows[index]["quality"] for index in of_length]).encode()
        days.quality[slots] = np.frombuffer(letters, np.uint8).reshape(-1, int(length))


@dataclass(frozen=True, slots=True)
class PieceKey:
    """What makes a piece one and the same: its channel-day, its event and where it begins."""

    day: DayKey
    event_id: UUID
    start_at: datetime


_KEYS = (
    "unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[]{more}) "
    "WITH ORDINALITY AS k (tenant_id, meter_id, flow, minutes, day{names}, n)"
)
# LATERAL with OFFSET 0, here and below: one lookup in the primary key for each.
_PIECE_COLUMNS = """b.slot, b.read_at, b.event_id, b.quality, cardinality(b.values) AS count,
              array_send(array_replace(b.values, NULL, -1)) AS sent"""
_STORED_PIECES = f"""
SELECT k.n, d.*
  FROM {_KEYS.format(more=", $6::uuid[], $7::timestamptz[]", names=", event_id, start_at")}
 CROSS JOIN LATERAL (
       SELECT {_PIECE_COLUMNS}
         FROM reading_block b
        WHERE b.tenant_id = k.tenant_id AND b.meter_id = k.meter_id AND b.flow = k.flow
          AND b.day = k.day AND b.event_id = k.event_id AND b.start_at = k.start_at
          AND b.minutes = k.minutes AND b.day BETWEEN $8 AND $9
       OFFSET 0) AS d
"""  # noqa: S608 - made of this module's constants


async def fetch_stored_pieces(
    read: ReadConnection, pieces: Sequence[PieceKey]
) -> dict[PieceKey, RankedPiece]:
    """Those of the pieces that are stored already, as they are stored."""
    days = [piece.day for piece in pieces]
    rows = await read.raw.fetch(
        _STORED_PIECES,
        *columns_of(days, 5),
        [piece.event_id for piece in pieces],
        [piece.start_at for piece in pieces],
        *day_bounds(days),
    )
    return {pieces[row["n"] - 1]: _ranked_piece(row) for row in rows}


def _ranked_piece(row: Any) -> RankedPiece:
    return RankedPiece(
        row["slot"],
        copy.read_int4_arrays([row["sent"]], row["count"])[0],
        ord(row["quality"]),
        copy.microseconds(row["read_at"]),
        row["event_id"].bytes,
    )


# All blocks of each channel-day, or those that were recorded up to an instant ($8), without those
# whose events were withdrawn (by then).
_RANKED_PIECES = f"""
SELECT k.n, d.*
  FROM {_KEYS.format(more="", names="")} CROSS JOIN LATERAL (
       SELECT {_PIECE_COLUMNS}
         FROM reading_block b
        WHERE b.tenant_id = k.tenant_id AND b.meter_id = k.meter_id AND b.flow = k.flow
          AND b.day = k.day AND b.minutes = k.minutes AND b.day BETWEEN $6 AND $7
          AND ($8::timestamptz IS NULL OR b.recorded_at <= $8)
          AND NOT EXISTS (
              SELECT FROM withdrawn_event w
               WHERE w.tenant_id = b.tenant_id AND w.meter_id = b.meter_id AND w.flow = b.flow
                 AND w.event_id = b.event_id
                 AND ($8::timestamptz IS NULL OR w.withdrawn_at <= $8))
       OFFSET 0) AS d
"""  # noqa: S608 - made of this module's constants


async def fetch_ranked_pieces(
    read: ReadConnection, keys: Sequence[DayKey], *, known_at: datetime | None = None
) -> list[list[RankedPiece]]:
    """Per channel-day all pieces of it that count, or those that did as known at `known_at`."""
    pieces: list[list[RankedPiece]] = [[] for _ in keys]
    rows = await read.raw.fetch(_RANKED_PIECES, *columns_of(keys, 5), *day_bounds(keys), known_at)
    for row in rows:
        pieces[row["n"] - 1].append(_ranked_piece(row))
    return pieces


async def insert_blocks(
    tx: WriteConnection,
    received: ReceivedBlocks,
    batch: DayPieces,
    keys: Sequence[Field],
    fresh: Index,
    now: datetime,
) -> None:
    """Store the pieces at the indexes `fresh`; Transient when another writer was faster.

    COPY straight into the table: its rows are new, and a key that is there already fails it all.
    """
    if not fresh.size:
        return
    pieces, chosen = batch.pieces, fresh.tolist()
    blocks = [batch.blocks[index] for index in chosen]
    sources = [received.blocks[index].source or received.sources[index] for index in blocks]
    mask = np.zeros(pieces.counts.size, np.bool_)
    mask[fresh] = True
    payload = copy.body(
        len(_BLOCK_COLUMNS),
        [keys[day] for day in pieces.days[fresh].tolist()],
        copy.fixed(
            copy.uuids([received.event_ids[index] for index in blocks]),
            copy.instants([batch.starts_at[index] for index in chosen]),
            pieces.slots[fresh].astype(np.int16),
            np.array([batch.numbers[index] for index in chosen], np.int16),
            pieces.quality[fresh].view("S1"),
            copy.instants([received.read_at[index] for index in blocks]),
            _recorded_us(blocks, received, now),
        ),
        copy.texts(sources),
        copy.texts([received.correlation_ids[index] for index in blocks]),
        copy.int4_arrays(pieces.values[np.repeat(mask, pieces.counts)], pieces.counts[fresh]),
    )
    try:
        await tx.copy_binary("reading_block", _BLOCK_COLUMNS, payload)
    except asyncpg.UniqueViolationError as raced:
        raise Transient("another writer stored the same block") from raced


def _recorded_us(blocks: Sequence[int], received: ReceivedBlocks, now: datetime) -> Index:
    """When blocks were recorded: the last one now, each other a microsecond before the next.

    So it shows which came last, and which one caused the state of several days.
    """
    return copy.microseconds(now) - (len(received) - 1 - np.array(blocks, np.int64))


@dataclass(frozen=True, slots=True)
class DayChanges:
    """The channel-days that a batch changes: their indexes, the versions that they had before, and
    the indexes of the blocks that came last of those that changed them."""

    days: Index
    versions: Index
    causes: list[int]


# In the order of the key, so that two writers of the same days wait for one another and never in a
# circle. Only over the version that was read: the number of rows written shows whether all were.
_UPSERT_DAYS = """
INSERT INTO channel_day AS d (tenant_id, meter_id, flow, minutes, day, version, present,
                              recorded_at, zone, correlation_id, quality, values)
SELECT * FROM written_day ORDER BY tenant_id, meter_id, flow, minutes, day
ON CONFLICT (tenant_id, meter_id, flow, minutes, day) DO UPDATE
   SET version = excluded.version, present = excluded.present,
       recorded_at = excluded.recorded_at, correlation_id = excluded.correlation_id,
       quality = excluded.quality, values = excluded.values
 WHERE d.version = excluded.version - 1
"""


async def upsert_days(
    tx: WriteConnection,
    received: ReceivedBlocks,
    batch: DayPieces,
    keys: Sequence[Field],
    days: Days,
    changes: DayChanges,
    now: datetime,
) -> None:
    """Write the next version of changed channel-days; Transient when another writer was faster.

    They stay in `written_day` until the transaction ends, for `usage.queue_changed_days`.
    """
    chosen = changes.days
    lengths = days.slots[chosen]
    mask = np.zeros(days.slots.size, np.bool_)
    mask[chosen] = True
    inside = np.repeat(mask, days.slots)
    payload = copy.body(
        len(_DAY_COLUMNS),
        [keys[day] for day in chosen.tolist()],
        copy.fixed(
            (changes.versions + 1).astype(np.int32),
            days.per_day(days.values >= 0)[chosen].astype(np.int16),
            _recorded_us(changes.causes, received, now),
        ),
        copy.texts([batch.zones[day] for day in chosen.tolist()]),
        copy.texts([received.correlation_ids[index] for index in changes.causes]),
        copy.byte_texts(days.quality[inside], lengths),
        copy.int4_arrays(days.values[inside], lengths),
    )
    await tx.copy_binary("written_day", _DAY_COLUMNS, payload)
    written = await tx.raw.execute(_UPSERT_DAYS)
    if int(written.rpartition(" ")[2]) != chosen.size:
        raise Transient("another writer changed the same channel-day")
