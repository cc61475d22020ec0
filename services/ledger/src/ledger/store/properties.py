"""Properties as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from database import ReadConnection, WriteConnection
from kernel.errors import Conflict, Fault, Rejected
from ledger.domain.registry import Property
from ledger.domain.stored import Stored
from ledger.store.rows import Order, among, page, stored
from ledger.tables import property_

FIELDS = ("name", "address", "zone", "region_id", "connected_kw", "parent_id")
TREE_LOCK = 7_104_310
"""With the tenant's hash, the advisory lock that whoever moves a node in the tree holds."""

_INSERT = """
INSERT INTO property (tenant_id, id, name, address, zone, region_id, connected_kw, parent_id)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                         $7::numeric[], $8::uuid[])
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id, version, created_at, updated_at
"""
_IS_ABOVE = """
WITH RECURSIVE above (id) AS (
    SELECT CAST(:parent_id AS uuid)
    UNION
    SELECT p.parent_id FROM property p JOIN above ON p.tenant_id = :tenant AND p.id = above.id
)
SELECT true FROM above WHERE id = :id
"""


def _of(row: RowMapping) -> Stored[Property]:
    return stored(Property(row["id"], *(row[name] for name in FIELDS)), row)


async def insert_properties(
    tx: WriteConnection, tenant_id: str, properties: Sequence[Property]
) -> dict[UUID, Stored[Property]]:
    """Insert those whose id is free, and return them; the others are left as they are.

    Rejected where a parent does not exist.
    """
    columns = [[getattr(one, name) for one in properties] for name in ("id", *FIELDS)]
    by_id = {one.id: one for one in properties}
    try:
        rows = await tx.raw.fetch(_INSERT, tenant_id, *columns)
    except asyncpg.ForeignKeyViolationError:
        raise _unknown_parent() from None
    return {row["id"]: stored(by_id[row["id"]], row) for row in rows}


async def fetch_properties(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID], *, lock: bool = False
) -> dict[UUID, Stored[Property]]:
    """Those of `ids` that exist; with `lock`, held until the transaction ends."""
    query = (
        sa.select(property_)
        .where(property_.c.tenant_id == tenant_id, among(property_.c.id, ids))
        .order_by(property_.c.id)
    )
    if lock:
        query = query.with_for_update(key_share=True)
    return {row["id"]: _of(row) for row in await read.all(query)}


async def list_properties(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    order: Order,
    limit: int,
    *,
    under: UUID | None = None,
) -> list[Stored[Property]]:
    """A page of the tenant's properties whose columns equal `filters`, all or those below one."""
    query = sa.select(property_).where(
        property_.c.tenant_id == tenant_id,
        *(property_.c[name] == value for name, value in filters.items()),
    )
    if under is not None:
        query = query.where(property_.c.id.in_(_below(tenant_id, under)))
    return [_of(row) for row in await read.all(page(query, property_, order, limit))]


def _below(tenant_id: str, id_: UUID) -> sa.Select[tuple[UUID]]:
    """The ids of all properties that stand below one in the tree."""
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


async def fetch_below(read: ReadConnection, tenant_id: str, id_: UUID) -> set[UUID]:
    """The ids of all properties that stand below one in the tree."""
    rows = await read.all(_below(tenant_id, id_))
    return {row["id"] for row in rows}


async def fetch_children(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> dict[UUID, Stored[Property]]:
    """The properties that hang directly under one."""
    query = sa.select(property_).where(
        property_.c.tenant_id == tenant_id, property_.c.parent_id == id_
    )
    return {row["id"]: _of(row) for row in await read.all(query)}


async def lock_tree(tx: WriteConnection, tenant_id: str) -> None:
    """Let nobody else move a node of this tenant's tree until the transaction ends."""
    await tx.execute(
        sa.select(sa.func.pg_advisory_xact_lock(TREE_LOCK, sa.func.hashtext(tenant_id)))
    )


async def is_above(read: ReadConnection, tenant_id: str, id_: UUID, parent_id: UUID) -> bool:
    """Whether `id_` is `parent_id` or stands above it in the tree."""
    found = await read.scalar(
        sa.text(_IS_ABOVE), {"tenant": tenant_id, "id": id_, "parent_id": parent_id}
    )
    return bool(found)


async def update_property(
    tx: WriteConnection, tenant_id: str, changed: Property
) -> Stored[Property]:
    """Store the new content as the next version; Rejected where its parent does not exist."""
    statement = (
        sa.update(property_)
        .where(property_.c.tenant_id == tenant_id, property_.c.id == changed.id)
        .values(
            {name: getattr(changed, name) for name in FIELDS}
            | {"version": property_.c.version + 1, "updated_at": sa.func.now()}
        )
        .returning(property_)
    )
    try:
        return _of((await tx.all(statement))[0])
    except IntegrityError:
        raise _unknown_parent() from None


async def delete_property(tx: WriteConnection, tenant_id: str, id_: UUID) -> datetime:
    """Remove it with its meters and users, and tell when; Conflict where others hang under it."""
    statement = (
        sa.delete(property_)
        .where(property_.c.tenant_id == tenant_id, property_.c.id == id_)
        .returning(sa.func.now())
    )
    try:
        at: datetime = await tx.scalar(statement)
    except IntegrityError:
        raise Conflict("has_children", "other properties hang under this one") from None
    return at


def _unknown_parent() -> Rejected:
    fault = Fault("/parent_id", "must be a property that exists")
    return Rejected("unknown_parent", "the parent does not exist", (fault,))
