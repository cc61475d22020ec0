"""Readings as rows: entries go in and are never touched again.

An entry counts where no later one supersedes it, none withdrew it, and its meter was not removed
after it: now, or as it was known at some moment. Writers hold the meters that they write for, in
the order of their ids, so that what they check stays true until they commit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from database import ReadConnection, WriteConnection
from database.copy_out import Take, copy_csv
from ledger.domain.readings import Entry, Recorded, Wanted
from ledger.domain.registry import Flow, Meter
from ledger.store.rows import Row, register_of
from ledger.tables import reading_entry

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""As known at the end of time: with all that is recorded."""

_LOCK_METERS = """
SELECT FROM property p
  JOIN meter m ON m.tenant_id = p.tenant_id AND m.property_id = p.id
 WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])
 ORDER BY p.id, m.id
   FOR SHARE OF p FOR NO KEY UPDATE OF m
"""
# A statement that waited for a lock has what it joins as that was before; so another one looks.
_METERS = """
SELECT m.id, m.property_id, m.type, m.name, r.flow, r.digits, r.decimals, r.multiplier
  FROM meter m
  LEFT JOIN register r ON r.tenant_id = m.tenant_id AND r.meter_id = m.id
 WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])
 ORDER BY m.id, r.flow
"""
_INSERT = """
INSERT INTO reading_entry (tenant_id, id, reading_id, version, supersedes_id, meter_id, property_id,
                           flow, kind, exchange_id, value, digits, decimals, multiplier, quality,
                           note, read_at, correlation_id)
SELECT $1, *, $18 FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::uuid[], $6::uuid[],
                              $7::uuid[], $8::text[], $9::text[], $10::uuid[], $11::numeric[],
                              $12::smallint[], $13::smallint[], $14::numeric[], $15::text[],
                              $16::text[], $17::timestamptz[])
RETURNING id, created_at
"""
_SURROUNDINGS = """
SELECT asked.n, found.*
  FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::timestamptz[], $6::uuid[])
       AS asked (n, meter_id, flow, read_at, but_id)
 CROSS JOIN LATERAL (
       (SELECT 'last' AS what, e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = asked.meter_id AND e.flow = asked.flow
           AND e.reading_id IS DISTINCT FROM asked.but_id
         ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1)
       UNION ALL
       (SELECT 'same', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = asked.meter_id AND e.flow = asked.flow
           AND e.read_at = asked.read_at AND e.reading_id IS DISTINCT FROM asked.but_id LIMIT 1)
       UNION ALL
       (SELECT 'closing', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = asked.meter_id AND e.flow = asked.flow
           AND e.kind = 'exchange_final' AND e.read_at >= asked.read_at
         ORDER BY e.read_at LIMIT 1)) AS found
"""
_FLOWS_READ = """
SELECT f.flow FROM unnest(ARRAY['import', 'export', 'load', 'generation']) AS f (flow)
 WHERE EXISTS (SELECT FROM reading_known_at('infinity') e
                WHERE e.tenant_id = $1 AND e.meter_id = $2 AND e.flow = f.flow)
"""
_OF_EXCHANGE = """
SELECT e.* FROM reading_known_at('infinity') e
 WHERE e.tenant_id = $1 AND e.meter_id = $2 AND e.read_at = $3 AND e.exchange_id = $4
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a register already has around a reading to be: its last one, one of the very moment,
    and the closing read of the next exchange."""

    last: Recorded | None = None
    same: Recorded | None = None
    closing: Recorded | None = None


NOTHING_AROUND = Surroundings()


def entry_of(row: Row) -> Entry:
    """The entry of a row."""
    return Entry(
        id=row["id"],
        reading_id=row["reading_id"],
        version=row["version"],
        supersedes_id=row["supersedes_id"],
        meter_id=row["meter_id"],
        property_id=row["property_id"],
        register=register_of(row),
        kind=row["kind"],
        exchange_id=row["exchange_id"],
        value=row["value"],
        quality=row["quality"],
        note=row["note"],
        read_at=row["read_at"],
    )


def recorded_of(row: Row) -> Recorded:
    """The entry of a row and when it was recorded."""
    return Recorded(entry_of(row), row["created_at"])


async def lock_meters(
    tx: WriteConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Meter]:
    """Those of `ids` that exist, with registers but without channels, held until the end."""
    await tx.raw.execute(_LOCK_METERS, tenant_id, ids)
    rows = await tx.raw.fetch(_METERS, tenant_id, ids)
    found = {}
    for id_, parts in groupby(rows, lambda row: row["id"]):
        each = list(parts)
        registers = tuple(register_of(row) for row in each if row["flow"] is not None)
        head = each[0]
        found[id_] = Meter(id_, head["property_id"], head["type"], head["name"], (), registers)
    return found


async def insert_entries(
    tx: WriteConnection, tenant_id: str, correlation_id: str, entries: Sequence[Entry]
) -> list[Recorded]:
    """Record entries, in their order."""
    rows = await tx.raw.fetch(
        _INSERT,
        tenant_id,
        [one.id for one in entries],
        [one.reading_id for one in entries],
        [one.version for one in entries],
        [one.supersedes_id for one in entries],
        [one.meter_id for one in entries],
        [one.property_id for one in entries],
        [one.register.flow for one in entries],
        [one.kind for one in entries],
        [one.exchange_id for one in entries],
        [one.value for one in entries],
        [one.register.digits for one in entries],
        [one.register.decimals for one in entries],
        [one.register.multiplier for one in entries],
        [one.quality for one in entries],
        [one.note for one in entries],
        [one.read_at for one in entries],
        correlation_id,
    )
    at = {row["id"]: row["created_at"] for row in rows}
    return [Recorded(one, at[one.id]) for one in entries]


async def fetch_surroundings(
    read: ReadConnection,
    tenant_id: str,
    asked: Sequence[tuple[UUID, Flow, Wanted]],
    *,
    but: UUID | None = None,
) -> list[Surroundings]:
    """What is around each reading to be, leaving the reading `but` out of account."""
    rows = await read.raw.fetch(
        _SURROUNDINGS,
        tenant_id,
        list(range(len(asked))),
        [meter_id for meter_id, _, _ in asked],
        [flow for _, flow, _ in asked],
        [wanted.read_at for _, _, wanted in asked],
        [but] * len(asked),
    )
    found: defaultdict[int, dict[str, Recorded]] = defaultdict(dict)
    for row in rows:
        found[row["n"]][row["what"]] = recorded_of(row)
    return [Surroundings(**found[n]) for n in range(len(asked))]


async def fetch_flows_read(read: ReadConnection, tenant_id: str, meter_id: UUID) -> set[str]:
    """The flows of a meter that have readings."""
    return {row["flow"] for row in await read.raw.fetch(_FLOWS_READ, tenant_id, meter_id)}


async def fetch_exchange(read: ReadConnection, tenant_id: str, half: Entry) -> list[Entry]:
    """Both halves of the exchange that an entry belongs to, the closing one first."""
    rows = await read.raw.fetch(
        _OF_EXCHANGE, tenant_id, half.meter_id, half.read_at, half.exchange_id
    )
    return sorted(map(entry_of, rows), key=lambda one: one.place)


async def fetch_reading(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> Recorded | None:
    """The entry of a reading that counts, now or as known at a moment."""
    e = _known_at(as_of)
    row = await read.one_or_none(
        sa.select(e).where(e.c.tenant_id == tenant_id, e.c.reading_id == reading_id)
    )
    return recorded_of(row) if row else None


async def fetch_history(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> list[Recorded]:
    """Every entry of a reading, oldest first, also of meters that are gone."""
    query = (
        sa.select(reading_entry)
        .where(
            reading_entry.c.tenant_id == tenant_id,
            reading_entry.c.reading_id == reading_id,
            reading_entry.c.created_at <= (as_of or FOR_EVER),
        )
        .order_by(reading_entry.c.version)
    )
    return [recorded_of(row) for row in await read.all(query)]


def _known_at(as_of: datetime | None) -> sa.TableValuedAlias:
    """The readings that count, as known at a moment or now."""
    columns = [sa.column(each.name, each.type) for each in reading_entry.c]
    return sa.func.reading_known_at(as_of or FOR_EVER).table_valued(*columns, name="e")


Place = tuple[datetime, UUID]
"""The place in a list of readings, by when they were taken and the reading's id."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which readings are meant: of columns that equal `filters`, taken in [from_at, to_at), as
    known at `as_of`."""

    filters: Mapping[str, Any]
    from_at: datetime | None = None
    to_at: datetime | None = None
    as_of: datetime | None = None


async def list_readings(
    read: ReadConnection,
    tenant_id: str,
    selection: Selection,
    after: Place | None,
    limit: int,
    *,
    descending: bool = False,
) -> list[Recorded]:
    """A page of the readings that count, in the order they were taken."""
    e = _known_at(selection.as_of)
    query = sa.select(e).where(*_selected(e, tenant_id, selection))
    place = [e.c.read_at, e.c.reading_id]
    if after is not None:
        here, there = sa.tuple_(*place), sa.tuple_(*after)
        query = query.where(here < there if descending else here > there)
    query = query.order_by(*(each.desc() if descending else each for each in place)).limit(limit)
    return [recorded_of(row) for row in await read.all(query)]


async def copy_readings(
    read: ReadConnection,
    tenant_id: str,
    selection: Selection,
    columns: Sequence[str],
    take: Take,
) -> None:
    """All readings that count, in the order they were taken, as lines of CSV."""
    e = _known_at(selection.as_of)
    query = (
        sa.select(*(e.c[name] for name in columns))
        .where(*_selected(e, tenant_id, selection))
        .order_by(e.c.read_at, e.c.reading_id)
    )
    await copy_csv(read, query, take)


@dataclass(frozen=True, slots=True)
class Summary:
    """What readings have in common; None where there are none."""

    count: int
    min: Decimal | None
    max: Decimal | None
    sum: Decimal | None


async def summarize(read: ReadConnection, tenant_id: str, selection: Selection) -> Summary:
    """Count, least, greatest and sum of the values that count."""
    e = _known_at(selection.as_of)
    query = sa.select(
        sa.func.count().label("count"),
        *(getattr(sa.func, name)(e.c.value).label(name) for name in ("min", "max", "sum")),
    ).where(*_selected(e, tenant_id, selection))
    return Summary(**(await read.all(query))[0])


def _selected(
    e: sa.TableValuedAlias, tenant_id: str, selection: Selection
) -> list[sa.ColumnElement[bool]]:
    conditions = [e.c.tenant_id == tenant_id]
    conditions += [e.c[name] == value for name, value in selection.filters.items()]
    if selection.from_at is not None:
        conditions.append(e.c.read_at >= selection.from_at)
    if selection.to_at is not None:
        conditions.append(e.c.read_at < selection.to_at)
    return conditions
