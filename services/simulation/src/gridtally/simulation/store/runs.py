"""Runs as rows, with their houses and how many of these are done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, as_row, from_row, insert_rows, stored
from gridtally.kernel.resources import Stored
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.runs import Progress, Run
from gridtally.simulation.store.house_profiles import profile_json, profile_of
from gridtally.simulation.tables import run, run_chunk, run_house

Done = sa.ColumnElement[int]


@dataclass(frozen=True, slots=True)
class RunState:
    """A run and how far it is; the fields of both, for lists that are sorted by them."""

    run: Run
    progress: Progress
    tenant_id: str
    correlation_id: str

    @property
    def id(self) -> UUID:
        """The run's id."""
        return self.run.id

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name


def _done() -> Done:
    """How many houses of a run are rated; of one that is complete all."""
    done = (
        sa.select(sa.func.coalesce(sa.func.sum(run_chunk.c.houses), 0))
        .where(run_chunk.c.tenant_id == run.c.tenant_id, run_chunk.c.run_id == run.c.id)
        .scalar_subquery()
    )
    return sa.case((run.c.status == "COMPLETED", run.c.houses), else_=done).label("houses_done")


def _of(row: Row) -> Stored[RunState]:
    state = RunState(
        run=from_row(Run, row, profile=profile_of(row["profile"])),
        progress=from_row(Progress, row, houses_done=int(row.get("houses_done") or 0)),
        tenant_id=row["tenant_id"],
        correlation_id=row["correlation_id"] or "",
    )
    return stored(state, row)


async def insert_run(
    tx: WriteConnection, tenant_id: str, new: Run, now: datetime
) -> Stored[RunState] | None:
    """Insert a pending run, or None where the id is taken."""
    row = as_row(
        new,
        run,
        tenant_id=tenant_id,
        profile=profile_json(new.profile),
        created_at=now,
        updated_at=now,
    )
    rows = await tx.all(insert(run).values(row).on_conflict_do_nothing().returning(run))
    return _of(rows[0]) if rows else None


async def fetch_run(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[RunState] | None:
    """The run of that id; with `lock`, locked until the transaction ends."""
    clauses = (run.c.tenant_id == tenant_id, run.c.id == id_)
    if lock:
        await read.all(sa.select(run.c.id).where(*clauses).with_for_update())
    row = await read.one_or_none(sa.select(run, _done()).where(*clauses))
    return _of(row) if row else None


# Workers share the lock, so that they do not wait for one another; who ends the run waits for them.
async def share_run(tx: WriteConnection, tenant_id: str, id_: UUID) -> bool:
    """Whether the run is RUNNING, which it stays until this transaction ends."""
    query = (
        sa.select(run.c.status)
        .where(run.c.tenant_id == tenant_id, run.c.id == id_)
        .with_for_update(read=True)
    )
    return bool(await tx.scalar(query) == "RUNNING")


async def list_runs(
    read: ReadConnection,
    tenant_id: str,
    position: PagePosition,
    filters: Mapping[str, Any],
    *,
    comparisons: bool = False,
) -> list[Stored[RunState]]:
    """A page of runs, or of comparisons, whose columns have the values of `filters`, but for those
    that are None."""
    clauses = [run.c[name] == value for name, value in filters.items() if value is not None]
    clauses.append(run.c.scenarios.is_not(None) if comparisons else run.c.scenarios.is_(None))
    query = sa.select(run, _done()).where(run.c.tenant_id == tenant_id, *clauses)
    return [_of(row) for row in await read.all(sorted_page(query, run, position))]


async def update_run(
    tx: WriteConnection, tenant_id: str, changed: Run, now: datetime
) -> Stored[RunState]:
    """Store what a locked, pending run says now."""
    columns = as_row(changed, run, profile=profile_json(changed.profile))
    return await _update(tx, tenant_id, changed.id, columns, now)


async def update_progress(
    tx: WriteConnection, tenant_id: str, id_: UUID, changes: Mapping[str, Any], now: datetime
) -> Stored[RunState]:
    """Store how far a locked run is, by columns."""
    return await _update(tx, tenant_id, id_, changes, now)


async def _update(
    tx: WriteConnection, tenant_id: str, id_: UUID, columns: Mapping[str, Any], now: datetime
) -> Stored[RunState]:
    rows = await tx.all(
        sa.update(run)
        .where(run.c.tenant_id == tenant_id, run.c.id == id_)
        .values({**columns, "version": run.c.version + 1, "updated_at": now})
        .returning(run, _done())
    )
    return _of(rows[0])


async def delete_run(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a locked run with its houses; its bills are deleted by `house_bills`."""
    for table, column in ((run_house, run_house.c.run_id), (run, run.c.id)):
        await tx.execute(sa.delete(table).where(table.c.tenant_id == tenant_id, column == id_))


async def insert_houses(
    tx: WriteConnection, tenant_id: str, run_id: UUID, houses: Sequence[House]
) -> None:
    """Store a run's houses as they are now."""
    rows = [
        {
            "tenant_id": tenant_id,
            "run_id": run_id,
            "number": house.number,
            "house_node_id": house.house_node_id,
            "name": house.name,
            "zone": house.zone,
            "connected_kw": house.connected_kw,
            "meter_ids": json.dumps([str(id_) for id_ in house.meter_ids]),
            "profile": None if house.profile is None else json.dumps(profile_json(house.profile)),
        }
        for house in houses
    ]
    await insert_rows(tx, run_house, rows)


_COPY_HOUSES = """
INSERT INTO run_house (tenant_id, run_id, number, house_node_id, name, zone, connected_kw,
                       meter_ids, profile)
SELECT tenant_id, $3, number, house_node_id, name, zone, connected_kw, meter_ids, profile
  FROM run_house WHERE tenant_id = $1 AND run_id = $2
"""


async def copy_houses(tx: WriteConnection, tenant_id: str, of_run_id: UUID, run_id: UUID) -> None:
    """Store the houses of another run as those of this one, as they were then."""
    await tx.raw.execute(_COPY_HOUSES, tenant_id, of_run_id, run_id)


async def fetch_houses(
    read: ReadConnection, tenant_id: str, run_id: UUID, first: int, count: int
) -> list[House]:
    """`count` houses of a run from the number `first` on, in order."""
    query = (
        sa.select(run_house)
        .where(
            run_house.c.tenant_id == tenant_id,
            run_house.c.run_id == run_id,
            run_house.c.number >= first,
            run_house.c.number < first + count,
        )
        .order_by(run_house.c.number)
    )
    return [_house(row) for row in await read.all(query)]


async def fetch_house(
    read: ReadConnection, tenant_id: str, run_id: UUID, house_id: UUID
) -> House | None:
    """One house of a run."""
    row = await read.one_or_none(
        sa.select(run_house).where(
            run_house.c.tenant_id == tenant_id,
            run_house.c.run_id == run_id,
            run_house.c.house_node_id == house_id,
        )
    )
    return _house(row) if row else None


def _house(row: Row) -> House:
    return from_row(
        House,
        row,
        meter_ids=tuple(UUID(text) for text in row["meter_ids"]),
        profile=None if row["profile"] is None else profile_of(row["profile"]),
    )


async def mark_chunk_done(
    tx: WriteConnection, tenant_id: str, run_id: UUID, number: int, houses: int, now: datetime
) -> bool:
    """Note that a chunk is done, unless it was; whether it was not."""
    done = {
        "tenant_id": tenant_id,
        "run_id": run_id,
        "number": number,
        "houses": houses,
        "done_at": now,
    }
    return bool(await insert_rows(tx, run_chunk, [done], _ONCE))


_ONCE = "ON CONFLICT DO NOTHING RETURNING number"


async def is_chunk_done(read: ReadConnection, tenant_id: str, run_id: UUID, number: int) -> bool:
    """Whether the results of a chunk are staged."""
    query = sa.select(run_chunk.c.number).where(
        run_chunk.c.tenant_id == tenant_id,
        run_chunk.c.run_id == run_id,
        run_chunk.c.number == number,
    )
    return await read.scalar(query) is not None


async def delete_chunks(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Forget which chunks of a run are done, once it is over."""
    await tx.execute(
        sa.delete(run_chunk).where(run_chunk.c.tenant_id == tenant_id, run_chunk.c.run_id == run_id)
    )


# A run whose chunks are all done, without waiting for what another process is at; and one of which
# nothing was done for long. One at a time: its bills may be a hundred thousand.
_DUE = sa.text("""
SELECT r.tenant_id, r.id,
       (SELECT count(*) FROM run_chunk c WHERE c.tenant_id = r.tenant_id AND c.run_id = r.id)
       = r.chunks AS is_done
  FROM run r
 WHERE r.status = 'RUNNING'
   AND ((SELECT count(*) FROM run_chunk c WHERE c.tenant_id = r.tenant_id AND c.run_id = r.id)
        = r.chunks
        OR greatest(r.progressed_at,
                    (SELECT max(done_at) FROM run_chunk c
                      WHERE c.tenant_id = r.tenant_id AND c.run_id = r.id)) < :stalled_before)
 ORDER BY r.started_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED
""")


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that is to be ended: complete where it `is_done`, else failed."""

    tenant_id: str
    id: UUID
    is_done: bool


async def lock_due_run(tx: WriteConnection, stalled_before: datetime) -> DueRun | None:
    """A run that is to be ended, locked; None where there is none."""
    row = await tx.one_or_none(_DUE, {"stalled_before": stalled_before})
    return from_row(DueRun, row) if row else None
