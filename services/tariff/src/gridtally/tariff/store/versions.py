"""Versions of tariffs and of calendars as rows, found by their numbers.

Owns the statements that both have in common. What a version's row holds is its own file's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.versions import Status

T = TypeVar("T")
FromRow = Callable[[Row], Stored[T]]
"""Makes a stored version of a row."""


@dataclass(frozen=True, slots=True)
class VersionTable(Generic[T]):
    """The table of versions of one kind, and the table of their owners, which are what they are
    versions of; `owner_column` names a version's owner."""

    table: sa.Table
    owners: sa.Table
    owner_column: str
    of: FromRow[T]

    def select(self, tenant_id: str, owner_id: UUID) -> sa.Select[Any]:
        """A query for the versions of one owner."""
        return sa.select(self.table).where(
            self.table.c.tenant_id == tenant_id, self.table.c[self.owner_column] == owner_id
        )


async def insert_draft(
    tx: WriteConnection,
    tenant_id: str,
    versions: VersionTable[T],
    owner_id: UUID,
    id_: UUID,
    columns: Mapping[str, Any],
    now: datetime,
) -> Stored[T]:
    """Insert a draft with the next number; the owner must be locked and the id free."""
    row = {
        "tenant_id": tenant_id,
        "id": id_,
        versions.owner_column: owner_id,
        "number": await _take_number(tx, tenant_id, versions, owner_id),
        "status": "draft",
        "created_at": now,
        "updated_at": now,
        **columns,
    }
    statement = sa.insert(versions.table).values(row).returning(versions.table)
    return versions.of((await tx.all(statement))[0])


# The owner counts the numbers, so that the number of a deleted draft is not given again.
async def _take_number(
    tx: WriteConnection, tenant_id: str, versions: VersionTable[T], owner_id: UUID
) -> int:
    """The number of the next version of a locked owner."""
    table = versions.owners
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == tenant_id, table.c.id == owner_id)
        .values(last_number=table.c.last_number + 1)
        .returning(table.c.last_number)
    )
    return int((await tx.all(statement))[0]["last_number"])


async def fetch_version(
    read: ReadConnection, tenant_id: str, versions: VersionTable[T], id_: UUID
) -> Stored[T] | None:
    """The version of that id, if there is one."""
    table = versions.table
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == id_)
    row = await read.one_or_none(query)
    return versions.of(row) if row else None


async def fetch_numbered(
    read: ReadConnection,
    tenant_id: str,
    versions: VersionTable[T],
    owner_id: UUID,
    number: int,
    *,
    lock: bool = False,
) -> Stored[T] | None:
    """The owner's version of that number; with `lock`, locked until the transaction ends."""
    query = versions.select(tenant_id, owner_id).where(versions.table.c.number == number)
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return versions.of(row) if row else None


async def list_versions(
    read: ReadConnection,
    tenant_id: str,
    versions: VersionTable[T],
    owner_id: UUID,
    status: Status | None,
    after: int,
    rows_max: int,
) -> list[Stored[T]]:
    """A page of the owner's versions by number, those above `after`; of one status where named."""
    number = versions.table.c.number
    query = versions.select(tenant_id, owner_id).where(number > after)
    if status is not None:
        query = query.where(versions.table.c.status == status)
    return [versions.of(row) for row in await read.all(query.order_by(number).limit(rows_max))]


async def update_version(
    tx: WriteConnection,
    tenant_id: str,
    versions: VersionTable[T],
    id_: UUID,
    columns: Mapping[str, Any],
    now: datetime,
) -> Stored[T]:
    """Store other content of a locked version."""
    table = versions.table
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == tenant_id, table.c.id == id_)
        .values({**columns, "version": table.c.version + 1, "updated_at": now})
        .returning(table)
    )
    return versions.of((await tx.all(statement))[0])


async def delete_draft(
    tx: WriteConnection, tenant_id: str, versions: VersionTable[T], id_: UUID
) -> None:
    """Delete a locked draft."""
    table = versions.table
    await tx.execute(sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.id == id_))
