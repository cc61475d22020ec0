"""Versions by number, of a tariff or a calendar, as rows. What a version says is its own file's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from database import ReadConnection, WriteConnection
from tariff.domain.stored import Stored
from tariff.domain.versions import Status
from tariff.store.rows import Of, change_one, delete_one, fetch_one, next_number

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Numbered(Generic[T]):
    """Their table, the table of what they are versions of, and the column that names that."""

    table: sa.Table
    owners: sa.Table
    owner_column: str
    of: Of[T]

    def select(self, tenant_id: str, owner_id: UUID) -> sa.Select[Any]:
        """The versions of one owner."""
        return sa.select(self.table).where(
            self.table.c.tenant_id == tenant_id, self.table.c[self.owner_column] == owner_id
        )


async def insert_draft(
    tx: WriteConnection,
    tenant_id: str,
    versions: Numbered[T],
    owner_id: UUID,
    id_: UUID,
    terms: Mapping[str, Any],
) -> Stored[T]:
    """A draft with the next number; the owner must be locked and the id free."""
    statement = (
        sa.insert(versions.table)
        .values(
            tenant_id=tenant_id,
            id=id_,
            number=await next_number(tx, versions.owners, tenant_id, owner_id),
            status="draft",
            **{versions.owner_column: owner_id},
            **terms,
        )
        .returning(versions.table)
    )
    return versions.of((await tx.all(statement))[0])


async def fetch_version(
    read: ReadConnection, tenant_id: str, versions: Numbered[T], id_: UUID
) -> Stored[T] | None:
    """The version of that id, if there is one."""
    return await fetch_one(read, versions.table, tenant_id, id_, versions.of, lock=False)


async def fetch_numbered(
    read: ReadConnection,
    tenant_id: str,
    versions: Numbered[T],
    owner_id: UUID,
    number: int,
    *,
    lock: bool = False,
) -> Stored[T] | None:
    """The owner's version of that number; with `lock`, held until the transaction ends."""
    query = versions.select(tenant_id, owner_id).where(versions.table.c.number == number)
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return versions.of(row) if row else None


async def list_versions(
    read: ReadConnection,
    tenant_id: str,
    versions: Numbered[T],
    owner_id: UUID,
    status: Status | None,
    after: int,
    limit: int,
) -> list[Stored[T]]:
    """A page of the owner's versions by number."""
    number = versions.table.c.number
    query = versions.select(tenant_id, owner_id).where(number > after)
    if status is not None:
        query = query.where(versions.table.c.status == status)
    return [versions.of(row) for row in await read.all(query.order_by(number).limit(limit))]


async def change_version(
    tx: WriteConnection,
    tenant_id: str,
    versions: Numbered[T],
    id_: UUID,
    columns: Mapping[str, Any],
) -> Stored[T]:
    """Store other content of a version that is held as its next revision."""
    return await change_one(tx, versions.table, tenant_id, id_, columns, versions.of)


async def delete_draft(
    tx: WriteConnection, tenant_id: str, versions: Numbered[T], id_: UUID
) -> None:
    """Delete a draft that is held."""
    await delete_one(tx, versions.table, tenant_id, id_)
