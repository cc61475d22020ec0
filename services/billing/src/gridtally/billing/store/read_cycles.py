"""Read cycles, and which agreements do not have their dates yet."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql

from gridtally.billing import tables
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.read_cycles import ReadCycle
from gridtally.billing.store.agreements import agreement_of
from gridtally.billing.store.json_columns import JsonColumns, as_json, from_json
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, among, as_row, from_row, stored
from gridtally.kernel.resources import Stored

read_cycle = tables.read_cycle
_IN_JSON: JsonColumns = {"dates": TypeAdapter(tuple[date, ...])}


def dates_json(dates: Sequence[date]) -> str:
    """Dates as the driver takes them."""
    return _IN_JSON["dates"].dump_json(tuple(dates)).decode()


async def fetch_read_cycle(
    read: ReadConnection, tenant_id: str, name: str, *, lock: bool = False
) -> Stored[ReadCycle] | None:
    """A cycle; with `lock`, no agreement takes its dates until the transaction ends."""
    query = sa.select(read_cycle).where(
        read_cycle.c.tenant_id == tenant_id, read_cycle.c.name == name
    )
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return None if row is None else _stored(row)


async def list_read_cycles(
    read: ReadConnection, tenant_id: str, after: tuple[str, ...] | None, rows_max: int
) -> list[Stored[ReadCycle]]:
    """Cycles by name, those after the name `after`."""
    query = sa.select(read_cycle).where(read_cycle.c.tenant_id == tenant_id)
    page = page_after(query, (read_cycle.c.name,), after=after, rows_max=rows_max)
    return [_stored(row) for row in await read.all(page)]


# KEY SHARE: the dates stay, since who changes them locks FOR UPDATE, but `claim_unspread` and those
# who take the dates do not wait for one another.
async def lock_read_dates(
    tx: WriteConnection, tenant_id: str, names: Collection[str]
) -> dict[str, tuple[date, ...]]:
    """The dates of these cycles, as far as there are such, unchanged until the transaction ends."""
    rows = await tx.all(
        sa.select(read_cycle)
        .where(read_cycle.c.tenant_id == tenant_id, among(read_cycle.c.name, sorted(names)))
        .order_by(read_cycle.c.name)
        .with_for_update(read=True, key_share=True)
    )
    return {row["name"]: _stored(row).resource.dates for row in rows}


async def insert_read_cycle(
    tx: WriteConnection, tenant_id: str, new: ReadCycle, now: datetime
) -> bool:
    """Store a cycle, unless there is one of its name; whether there was none."""
    row = as_row(new, read_cycle, tenant_id=tenant_id, created_at=now, updated_at=now)
    added = await tx.all(
        postgresql.insert(read_cycle)
        .values(row | as_json(new, _IN_JSON))
        .on_conflict_do_nothing()
        .returning(read_cycle.c.name)
    )
    return bool(added)


async def update_read_cycle(
    tx: WriteConnection, tenant_id: str, changed: ReadCycle, now: datetime
) -> Stored[ReadCycle]:
    """Store other dates of a locked cycle as its next version; its agreements are to have them."""
    (row,) = await tx.all(
        sa.update(read_cycle)
        .where(read_cycle.c.tenant_id == tenant_id, read_cycle.c.name == changed.name)
        .values(
            **as_json(changed, _IN_JSON),
            version=read_cycle.c.version + 1,
            updated_at=now,
            spread=False,
        )
        .returning(read_cycle)
    )
    return _stored(row)


async def claim_unspread(tx: WriteConnection) -> tuple[str, ReadCycle] | None:
    """A cycle, of any tenant, whose agreements may lack dates, locked, with its tenant.

    SKIP LOCKED: what another process spreads is left to it.
    """
    row = await tx.one_or_none(
        sa.select(read_cycle)
        .where(read_cycle.c.spread.is_(False))
        .order_by(read_cycle.c.tenant_id, read_cycle.c.name)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return None if row is None else (row["tenant_id"], _stored(row).resource)


# By the index of agreements on a cycle; those that are up to date are passed over.
_OUTDATED = """
SELECT * FROM agreement
 WHERE tenant_id = $1 AND read_cycle = $2 AND billing_calendar -> 'read_dates' <> $3::jsonb
 ORDER BY id LIMIT $4 FOR NO KEY UPDATE
"""


async def lock_outdated(
    tx: WriteConnection, tenant_id: str, cycle: ReadCycle, agreements_max: int
) -> Sequence[Agreement]:
    """Agreements on a cycle that have other dates than it has, locked."""
    dates = dates_json(cycle.dates)
    rows = await tx.raw.fetch(_OUTDATED, tenant_id, cycle.name, dates, agreements_max)
    return [agreement_of(row) for row in rows]


async def update_spread(tx: WriteConnection, tenant_id: str, name: str) -> None:
    """All agreements on a cycle, which is locked, have its dates."""
    await tx.execute(
        sa.update(read_cycle)
        .where(read_cycle.c.tenant_id == tenant_id, read_cycle.c.name == name)
        .values(spread=True)
    )


def _stored(row: Row) -> Stored[ReadCycle]:
    return stored(from_row(ReadCycle, row, **from_json(row, _IN_JSON)), row)
