"""What the queries of the catalogue have in common: stamps, pages, and what the driver refuses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from database import ReadConnection, WriteConnection
from kernel.errors import Rejected
from tariff.domain.stored import Stored

T = TypeVar("T")
Of = Callable[[RowMapping], Stored[T]]
"""Makes a stored thing of a row."""
OrderedBy = Literal["created_at", "code", "name"]


@dataclass(frozen=True, slots=True)
class Place:
    """Which page of a list: its order, where it begins, and at most how many rows."""

    limit: int
    by: OrderedBy = "created_at"
    descending: bool = False
    after: tuple[datetime | str, UUID] | None = None


@contextmanager
def answering(answers: Mapping[str, Rejected]) -> Iterator[None]:
    """A broken constraint becomes the answer under its name; others stay the defects they are."""
    try:
        yield
    except IntegrityError as broken:
        cause = broken.orig.__cause__ if broken.orig is not None else None
        answer = answers.get(getattr(cause, "constraint_name", ""))
        if answer is None:
            raise
        raise answer from None


def stored(thing: T, row: RowMapping) -> Stored[T]:
    """The thing with its row's stamps."""
    return Stored(thing, row["revision"], row["created_at"], row["updated_at"])


async def insert_new(
    tx: WriteConnection, table: sa.Table, tenant_id: str, columns: Mapping[str, Any], of: Of[T]
) -> Stored[T] | None:
    """Insert, or None where the id is taken."""
    statement = (
        insert(table)
        .values(tenant_id=tenant_id, **columns)
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(table)
    )
    rows = await tx.all(statement)
    return of(rows[0]) if rows else None


async def fetch_one(
    read: ReadConnection, table: sa.Table, tenant_id: str, id_: UUID, of: Of[T], *, lock: bool
) -> Stored[T] | None:
    """The thing of that id; with `lock`, held until the transaction ends."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == id_)
    row = await read.one_or_none(query.with_for_update(key_share=True) if lock else query)
    return of(row) if row else None


async def fetch_page(
    read: ReadConnection,
    table: sa.Table,
    tenant_id: str,
    clauses: Sequence[sa.ColumnElement[bool]],
    place: Place,
    of: Of[T],
) -> list[Stored[T]]:
    """The tenant's things that meet the clauses, in order; ids decide among equals."""
    by = (table.c[place.by], table.c.id)
    query = sa.select(table).where(table.c.tenant_id == tenant_id, *clauses)
    if place.after is not None:
        here, after = sa.tuple_(*by), sa.tuple_(*place.after)
        query = query.where(here < after if place.descending else here > after)
    ordered = [column.desc() for column in by] if place.descending else by
    return [of(row) for row in await read.all(query.order_by(*ordered).limit(place.limit))]


async def change_one(
    tx: WriteConnection,
    table: sa.Table,
    tenant_id: str,
    id_: UUID,
    columns: Mapping[str, Any],
    of: Of[T],
) -> Stored[T]:
    """Store other content as the next revision of a thing that is held."""
    stamps = {"revision": table.c.revision + 1, "updated_at": sa.func.now()}
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == tenant_id, table.c.id == id_)
        .values({**columns, **stamps})
        .returning(table)
    )
    return of((await tx.all(statement))[0])


async def delete_one(tx: WriteConnection, table: sa.Table, tenant_id: str, id_: UUID) -> None:
    """Delete a thing that is held."""
    await tx.execute(sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.id == id_))


def equal(table: sa.Table, filters: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    """Clauses for the columns that are to be equal; what is None is not asked for."""
    return [table.c[name] == value for name, value in filters.items() if value is not None]


def holding(table: sa.Table, text: str | None) -> list[sa.ColumnElement[bool]]:
    """A clause for things whose code or name holds the text, in small or capital letters."""
    if text is None:
        return []
    return [
        table.c.code.icontains(text, autoescape=True)
        | table.c.name.icontains(text, autoescape=True)
    ]


async def next_number(tx: WriteConnection, table: sa.Table, tenant_id: str, id_: UUID) -> int:
    """The number of the next version of a thing that is held; none is given out twice."""
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == tenant_id, table.c.id == id_)
        .values(last_number=table.c.last_number + 1)
        .returning(table.c.last_number)
    )
    return int((await tx.all(statement))[0]["last_number"])
