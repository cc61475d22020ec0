"""Policies as rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import Row, as_row, from_row, stored
from gridtally.kernel.resources import Stored
from gridtally.simulation.domain.policies import NamedPolicy
from gridtally.simulation.tables import policy


def _of(row: Row) -> Stored[NamedPolicy]:
    return stored(from_row(NamedPolicy, row), row)


async def insert_policy(
    tx: WriteConnection, tenant_id: str, new: NamedPolicy, now: datetime
) -> Stored[NamedPolicy] | None:
    """Insert, or None where the id is taken."""
    row = as_row(new, policy, tenant_id=tenant_id, created_at=now, updated_at=now)
    rows = await tx.all(insert(policy).values(row).on_conflict_do_nothing().returning(policy))
    return _of(rows[0]) if rows else None


async def fetch_policy(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[NamedPolicy] | None:
    """The policy of that id; with `lock`, locked until the transaction ends."""
    query = sa.select(policy).where(policy.c.tenant_id == tenant_id, policy.c.id == id_)
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return _of(row) if row else None


async def list_policies(
    read: ReadConnection, tenant_id: str, position: PagePosition, type_: str | None
) -> list[Stored[NamedPolicy]]:
    """A page of policies; of one type where named."""
    query = sa.select(policy).where(policy.c.tenant_id == tenant_id)
    if type_ is not None:
        query = query.where(policy.c.policy["type"].astext == type_)
    return [_of(row) for row in await read.all(sorted_page(query, policy, position))]


async def update_policy(
    tx: WriteConnection, tenant_id: str, id_: UUID, changes: Mapping[str, Any], now: datetime
) -> Stored[NamedPolicy]:
    """Change a locked policy."""
    rows = await tx.all(
        sa.update(policy)
        .where(policy.c.tenant_id == tenant_id, policy.c.id == id_)
        .values({**changes, "version": policy.c.version + 1, "updated_at": now})
        .returning(policy)
    )
    return _of(rows[0])


async def delete_policy(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a locked policy; runs have a copy of it."""
    await tx.execute(sa.delete(policy).where(policy.c.tenant_id == tenant_id, policy.c.id == id_))
