"""Readings as rows: entries are added and never changed.

An entry counts where no later one supersedes it, none withdrew it, and its meter was not removed
after it: now, or as it was known at some moment (the SQL function `reading_known_at`). Writers lock
the meters that they write for, in the order of their ids, so that what they check stays true until
they commit.
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

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, from_row, insert_rows
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.readings.domain.readings import (
    Entry,
    Neighbours,
    ReadingContent,
    RecordedEntry,
)
from gridtally.ledger.metering.readings.tables import reading_entry
from gridtally.ledger.registry.domain.meters import ActiveFlow, Meter
from gridtally.ledger.registry.store.registers import register_of

GROWING = ("reading_entry",)
"""The table that grows with readings, for `keep_plans`."""
FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""As known at the end of time: with all that is recorded."""


def entry_of(row: Row) -> Entry:
    """The entry of a row."""
    return from_row(Entry, row, register=register_of(row))


def recorded_of(row: Row) -> RecordedEntry:
    """The entry of a row and when it was recorded."""
    return RecordedEntry(entry_of(row), row["created_at"])


# Locks properties against being changed and meters against other writers of readings, both by id,
# as the registry does: so nobody waits in a circle.
_LOCK_METERS = """
SELECT FROM property p
  JOIN meter m ON m.tenant_id = p.tenant_id AND m.property_id = p.id
 WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])
 ORDER BY p.id, m.id
   FOR SHARE OF p FOR NO KEY UPDATE OF m
"""
# Meters with their registers, in a statement of its own: one that had to wait for a lock still sees
# what it joins as that was before.
_METERS = """
SELECT m.id, m.property_id, m.meter_type, m.name, r.flow, r.digits, r.decimals, r.multiplier,
       r.rollover_kwh
  FROM meter m
  LEFT JOIN register r ON r.tenant_id = m.tenant_id AND r.meter_id = m.id
 WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])
 ORDER BY m.id, r.flow
"""


async def lock_meters(
    tx: WriteConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Meter]:
    """Those of `ids` that exist, with registers but without channels, locked until the end of the
    transaction."""
    await tx.raw.execute(_LOCK_METERS, tenant_id, ids)
    rows = await tx.raw.fetch(_METERS, tenant_id, ids)
    meters = {}
    for id_, rows_of_meter in groupby(rows, lambda row: row["id"]):
        [first, *others] = rows_of_meter
        registers = tuple(register_of(row) for row in (first, *others) if row["flow"] is not None)
        meters[id_] = from_row(Meter, first, channels=(), registers=registers)
    return meters


async def insert_entries(
    tx: WriteConnection, caused: Sequence[tuple[Entry, Cause]]
) -> list[RecordedEntry]:
    """Record entries with what caused them, in their order; each with the moment at which the
    database recorded it."""
    rows = await insert_rows(
        tx,
        reading_entry,
        [
            as_row(
                entry,
                reading_entry,
                tenant_id=cause.tenant_id,
                flow=entry.register.flow,
                digits=entry.register.digits,
                decimals=entry.register.decimals,
                multiplier=entry.register.multiplier,
                rollover_kwh=entry.register.rollover_kwh,
                correlation_id=cause.correlation_id,
            )
            for entry, cause in caused
        ],
        "RETURNING id, created_at",
    )
    created_at = {row["id"]: row["created_at"] for row in rows}
    return [RecordedEntry(entry, created_at[entry.id]) for entry, _ in caused]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a register already has around a new reading: its last one, those taken just before and
    just after it, one of the same moment, and the closing reading of the next exchange."""

    last: RecordedEntry | None = None
    before: RecordedEntry | None = None
    after: RecordedEntry | None = None
    same: RecordedEntry | None = None
    closing: RecordedEntry | None = None

    @property
    def neighbours(self) -> Neighbours:
        """Those that a new reading is compared with."""
        return Neighbours(
            *(
                None if recorded is None else recorded.entry
                for recorded in (self.last, self.before, self.after)
            )
        )


NOTHING_AROUND = Surroundings()

# For each new reading up to five existing ones of its register, labelled by `role`, each found at
# the end of an index: one statement for a thousand readings instead of three for each.
_SURROUNDINGS = """
SELECT new.n, existing.*
  FROM unnest($2::integer[], $3::uuid[], $4::text[], $5::timestamptz[], $6::uuid[])
       AS new (n, meter_id, flow, read_at, but_id)
 CROSS JOIN LATERAL (
       (SELECT 'last' AS role, e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = new.meter_id AND e.flow = new.flow
           AND e.reading_id IS DISTINCT FROM new.but_id
         ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1)
       UNION ALL
       (SELECT 'before', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = new.meter_id AND e.flow = new.flow
           AND e.read_at < new.read_at AND e.reading_id IS DISTINCT FROM new.but_id
         ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT 1)
       UNION ALL
       (SELECT 'after', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = new.meter_id AND e.flow = new.flow
           AND e.read_at > new.read_at AND e.reading_id IS DISTINCT FROM new.but_id
         ORDER BY e.read_at, e.kind = 'exchange_initial' LIMIT 1)
       UNION ALL
       (SELECT 'same', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = new.meter_id AND e.flow = new.flow
           AND e.read_at = new.read_at AND e.reading_id IS DISTINCT FROM new.but_id LIMIT 1)
       UNION ALL
       (SELECT 'closing', e.* FROM reading_known_at('infinity') e
         WHERE e.tenant_id = $1 AND e.meter_id = new.meter_id AND e.flow = new.flow
           AND e.kind = 'exchange_final' AND e.read_at >= new.read_at
         ORDER BY e.read_at LIMIT 1)) AS existing
"""


async def fetch_surroundings(
    read: ReadConnection,
    tenant_id: str,
    new: Sequence[tuple[UUID, ActiveFlow, ReadingContent]],
    *,
    but: Sequence[UUID | None] | None = None,
) -> list[Surroundings]:
    """What is around each new reading of a meter and flow, leaving the reading that stands for it
    in `but` out of account."""
    rows = await read.raw.fetch(
        _SURROUNDINGS,
        tenant_id,
        list(range(len(new))),
        [meter_id for meter_id, _, _ in new],
        [flow for _, flow, _ in new],
        [content.read_at for _, _, content in new],
        [None] * len(new) if but is None else list(but),
    )
    existing: defaultdict[int, dict[str, RecordedEntry]] = defaultdict(dict)
    for row in rows:
        existing[row["n"]][row["role"]] = recorded_of(row)
    return [Surroundings(**existing[index]) for index in range(len(new))]


# Asks for each of the four flows whether there is a reading, and stops at the first one found.
_FLOWS_READ = """
SELECT f.flow FROM unnest(ARRAY['import', 'export', 'load', 'generation']) AS f (flow)
 WHERE EXISTS (SELECT FROM reading_known_at('infinity') e
                WHERE e.tenant_id = $1 AND e.meter_id = $2 AND e.flow = f.flow)
"""


async def fetch_flows_read(read: ReadConnection, tenant_id: str, meter_id: UUID) -> set[str]:
    """The flows of a meter that have readings."""
    return {row["flow"] for row in await read.raw.fetch(_FLOWS_READ, tenant_id, meter_id)}


async def fetch_reading(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> RecordedEntry | None:
    """The entry of a reading that counts, now or as known at a moment."""
    e = known_at(as_of)
    row = await read.one_or_none(
        sa.select(e).where(e.c.tenant_id == tenant_id, e.c.reading_id == reading_id)
    )
    return recorded_of(row) if row else None


async def fetch_history(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> list[RecordedEntry]:
    """Every entry of a reading, oldest first, also of meters that were removed."""
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


def known_at(as_of: datetime | None) -> sa.TableValuedAlias:
    """The readings that count, as known at a moment or now."""
    columns = [sa.column(column.name, column.type) for column in reading_entry.c]
    return sa.func.reading_known_at(as_of or FOR_EVER).table_valued(*columns, name="e")


Position = tuple[datetime, UUID]
"""Where a reading stands in a list: when it was taken, and its id."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Readings whose columns equal `filters`, taken in [from_at, to_at), as known at `as_of`."""

    filters: Mapping[str, Any]
    from_at: datetime | None = None
    to_at: datetime | None = None
    as_of: datetime | None = None


async def list_readings(
    read: ReadConnection,
    tenant_id: str,
    selection: Selection,
    after: Position | None,
    rows_max: int,
    *,
    descending: bool = False,
) -> list[RecordedEntry]:
    """A page of the readings that count, in the order they were taken."""
    e = known_at(selection.as_of)
    query = page_after(
        sa.select(e).where(*selected(e, tenant_id, selection)),
        (e.c.read_at, e.c.reading_id),
        after=after,
        rows_max=rows_max,
        descending=descending,
    )
    return [recorded_of(row) for row in await read.all(query)]


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures about the values of readings; None where there are none."""

    count: int
    min: Decimal | None
    max: Decimal | None
    sum: Decimal | None


async def summarize(read: ReadConnection, tenant_id: str, selection: Selection) -> Summary:
    """Count, least, greatest and sum of the values that count."""
    e = known_at(selection.as_of)
    query = sa.select(
        sa.func.count().label("count"),
        *(getattr(sa.func, name)(e.c.value).label(name) for name in ("min", "max", "sum")),
    ).where(*selected(e, tenant_id, selection))
    [row] = await read.all(query)
    return Summary(**row)


def selected(
    e: sa.TableValuedAlias, tenant_id: str, selection: Selection
) -> list[sa.ColumnElement[bool]]:
    """The conditions on `known_at` that a selection means."""
    conditions = [e.c.tenant_id == tenant_id]
    conditions += [e.c[name] == value for name, value in selection.filters.items()]
    if selection.from_at is not None:
        conditions.append(e.c.read_at >= selection.from_at)
    if selection.to_at is not None:
        conditions.append(e.c.read_at < selection.to_at)
    return conditions
