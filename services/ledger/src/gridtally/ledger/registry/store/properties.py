"""Properties as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.constraints import rejecting
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, among, as_row, from_row, insert_rows, stored
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Stored
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.tables import property_

PARENT = "property_tenant_id_parent_id_fkey"
"""The foreign key from a property to the one above it."""
TREE_LOCK = 7_104_310
"""With the tenant's hash, the advisory lock that whoever moves a property in the tree holds."""


def _property(row: Row) -> Stored[Property]:
    return stored(from_row(Property, row), row)


async def insert_properties(
    tx: WriteConnection, tenant_id: str, properties: Sequence[Property]
) -> dict[UUID, Stored[Property]]:
    """Insert those whose id is free, and return them; the others are left as they are.

    Rejected where a parent does not exist.
    """
    by_id = {property_.id: property_ for property_ in properties}
    with rejecting({PARENT: _unknown_parent()}):
        rows = await insert_rows(
            tx,
            property_,
            [as_row(new, property_, tenant_id=tenant_id) for new in properties],
            "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id, version, created_at, updated_at",
        )
    return {row["id"]: stored(by_id[row["id"]], row) for row in rows}


async def fetch_properties(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID], *, lock: bool = False
) -> dict[UUID, Stored[Property]]:
    """Those of `ids` that exist, by id; with `lock`, locked until the transaction ends."""
    query = (
        sa.select(property_)
        .where(property_.c.tenant_id == tenant_id, among(property_.c.id, ids))
        .order_by(property_.c.id)
    )
    if lock:
        query = query.with_for_update(key_share=True)
    return {row["id"]: _property(row) for row in await read.all(query)}


async def list_properties(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    position: PagePosition,
    *,
    under: UUID | None = None,
) -> list[Stored[Property]]:
    """A page of the tenant's properties whose columns equal `filters`; with `under`, of those
    below that one in the tree."""
    query = sa.select(property_).where(
        property_.c.tenant_id == tenant_id,
        *(property_.c[name] == value for name, value in filters.items()),
    )
    if under is not None:
        query = query.where(property_.c.id.in_(_below(tenant_id, under)))
    return [_property(row) for row in await read.all(sorted_page(query, property_, position))]


def _below(tenant_id: str, id_: UUID) -> sa.Select[tuple[UUID]]:
    """The query for the ids of all properties below one in the tree."""
    child = property_.alias("child")
    below = (
        sa.select(property_.c.id)
        .where(property_.c.tenant_id == tenant_id, property_.c.parent_id == id_)
        .cte("below", recursive=True)
    )
    below = below.union(
        sa.select(child.c.id).where(child.c.tenant_id == tenant_id, child.c.parent_id == below.c.id)
    )
    return sa.select(below.c.id)


async def fetch_ids_below(read: ReadConnection, tenant_id: str, id_: UUID) -> set[UUID]:
    """The ids of all properties below one in the tree."""
    rows = await read.all(_below(tenant_id, id_))
    return {row["id"] for row in rows}


async def fetch_children(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> dict[UUID, Stored[Property]]:
    """The properties directly below one, by id."""
    query = sa.select(property_).where(
        property_.c.tenant_id == tenant_id, property_.c.parent_id == id_
    )
    return {row["id"]: _property(row) for row in await read.all(query)}


async def lock_tree(tx: WriteConnection, tenant_id: str) -> None:
    """Let nobody else move a property in this tenant's tree until the transaction ends."""
    await tx.execute(
        sa.select(sa.func.pg_advisory_xact_lock(TREE_LOCK, sa.func.hashtext(tenant_id)))
    )


# Walks up from `parent_id` to the root; UNION, so that a circle would end the walk, too.
_IS_ABOVE = """
WITH RECURSIVE above (id) AS (
    SELECT CAST(:parent_id AS uuid)
    UNION
    SELECT p.parent_id FROM property p JOIN above ON p.tenant_id = :tenant AND p.id = above.id
)
SELECT true FROM above WHERE id = :id
"""


async def is_above(read: ReadConnection, tenant_id: str, id_: UUID, parent_id: UUID) -> bool:
    """Whether `id_` is `parent_id` or stands above it in the tree."""
    row = await read.scalar(
        sa.text(_IS_ABOVE), {"tenant": tenant_id, "id": id_, "parent_id": parent_id}
    )
    return bool(row)


async def update_property(
    tx: WriteConnection, tenant_id: str, changed: Property
) -> Stored[Property]:
    """Store the new content as the next version; Rejected where its parent does not exist."""
    statement = (
        sa.update(property_)
        .where(property_.c.tenant_id == tenant_id, property_.c.id == changed.id)
        .values(
            as_row(
                changed,
                property_,
                version=property_.c.version + 1,
                updated_at=sa.func.now(),
            )
        )
        .returning(property_)
    )
    with rejecting({PARENT: _unknown_parent()}):
        [row] = await tx.all(statement)
    return _property(row)


async def delete_property(tx: WriteConnection, tenant_id: str, id_: UUID) -> datetime:
    """Delete it with its meters and users, and return when; Conflict where others are below it."""
    statement = (
        sa.delete(property_)
        .where(property_.c.tenant_id == tenant_id, property_.c.id == id_)
        .returning(sa.func.now())
    )
    with rejecting({PARENT: Conflict("has_children", "other properties hang under this one")}):
        at: datetime = await tx.scalar(statement)
    return at


def _unknown_parent() -> Rejected:
    fault = Fault("/parent_id", "must be a property that exists")
    return Rejected("unknown_parent", "the parent does not exist", (fault,))
