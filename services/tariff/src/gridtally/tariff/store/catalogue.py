"""Regions, tariffs, calendars and price series as rows: a table each, and a column per field.

Owns the statements that these four have in common. Their tables, and what only one of them can be
asked for, stand in the file of its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.constraints import rejecting
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, as_row, from_row, stored
from gridtally.kernel.errors import Rejected
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.catalogue import Resource


@dataclass(frozen=True, slots=True)
class ResourceTable(Generic[Resource]):
    """The table of one kind of resource: its noun among people, its dataclass, each of whose fields
    is a column, and which of them may change.

    The answers are those to a broken constraint, by its name: `write_answers` to an insert or a
    change, `delete_answers` to a deletion.
    """

    noun: str
    kind: type[Resource]
    table: sa.Table
    changeable: tuple[str, ...]
    write_answers: Mapping[str, Rejected]
    delete_answers: Mapping[str, Rejected] = field(default_factory=dict)

    def of(self, row: Row) -> Stored[Resource]:
        """The resource that a row holds."""
        return stored(from_row(self.kind, row), row)


# The id is the caller's, so that a request that is sent again finds what it made: a taken id is no
# error here, whereas a taken code breaks a constraint.
async def insert_resource(
    tx: WriteConnection,
    tenant_id: str,
    resources: ResourceTable[Resource],
    new: Resource,
    now: datetime,
) -> Stored[Resource] | None:
    """Insert, or None where the id is taken; Conflict for a code, Rejected for a region."""
    row = as_row(new, resources.table, tenant_id=tenant_id, created_at=now, updated_at=now)
    statement = (
        insert(resources.table)
        .values(row)
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(resources.table)
    )
    with rejecting(resources.write_answers):
        rows = await tx.all(statement)
    return resources.of(rows[0]) if rows else None


async def fetch_resource(
    read: ReadConnection, tenant_id: str, resources: ResourceTable[Resource], id_: UUID
) -> Stored[Resource] | None:
    """The resource of that id, if there is one."""
    row = await read.one_or_none(_by_id(resources, tenant_id, id_))
    return resources.of(row) if row else None


# FOR NO KEY UPDATE: others may still insert rows that refer to this one, whose foreign keys' checks
# share the key, while nobody else may change it.
async def lock_resource(
    tx: WriteConnection, tenant_id: str, resources: ResourceTable[Resource], id_: UUID
) -> Stored[Resource] | None:
    """As `fetch_resource`, locked until the transaction ends."""
    query = _by_id(resources, tenant_id, id_).with_for_update(key_share=True)
    row = await tx.one_or_none(query)
    return resources.of(row) if row else None


def _by_id(resources: ResourceTable[Any], tenant_id: str, id_: UUID) -> sa.Select[Any]:
    table = resources.table
    return sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == id_)


async def list_resources(
    read: ReadConnection,
    tenant_id: str,
    resources: ResourceTable[Resource],
    clauses: Sequence[sa.ColumnElement[bool]],
    position: PagePosition,
) -> list[Stored[Resource]]:
    """The page at `position` of the tenant's resources that meet the clauses."""
    table = resources.table
    query = sa.select(table).where(table.c.tenant_id == tenant_id, *clauses)
    return [resources.of(row) for row in await read.all(sorted_page(query, table, position))]


async def update_resource(
    tx: WriteConnection,
    tenant_id: str,
    resources: ResourceTable[Resource],
    changed: Resource,
    now: datetime,
) -> Stored[Resource]:
    """Store what may change of a locked resource; Conflict for a code, Rejected for a region."""
    table = resources.table
    columns = {name: getattr(changed, name) for name in resources.changeable}
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == tenant_id, table.c.id == changed.id)
        .values({**columns, "version": table.c.version + 1, "updated_at": now})
        .returning(table)
    )
    with rejecting(resources.write_answers):
        return resources.of((await tx.all(statement))[0])


async def delete_resource(
    tx: WriteConnection, tenant_id: str, resources: ResourceTable[Resource], id_: UUID
) -> None:
    """Delete a locked resource; Conflict where others are built on it."""
    table = resources.table
    statement = sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.id == id_)
    with rejecting(resources.delete_answers):
        await tx.execute(statement)


def matching(
    table: sa.Table, filters: Mapping[str, Any], text: str | None = None
) -> list[sa.ColumnElement[bool]]:
    """Clauses for rows whose columns equal `filters`, but for those that are None, and whose code
    or name contains `text`, in small or capital letters."""
    clauses = [table.c[name] == value for name, value in filters.items() if value is not None]
    if text is not None:
        in_code, in_name = (
            table.c[name].icontains(text, autoescape=True) for name in ("code", "name")
        )
        clauses.append(in_code | in_name)
    return clauses
