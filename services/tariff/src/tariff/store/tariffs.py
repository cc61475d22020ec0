"""Tariffs as rows."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import Tariff
from tariff.domain.stored import Stored
from tariff.store.rows import After, next_revision, one_of, page_of, stored
from tariff.tables import tariff

FIELDS = ("code", "name", "currency", "zone", "region_id")


def _of(row: RowMapping) -> Stored[Tariff]:
    return stored(Tariff(row["id"], *(row[name] for name in FIELDS)), row)


async def insert_tariff(tx: WriteConnection, tenant_id: str, new: Tariff) -> Stored[Tariff] | None:
    """Insert, or None where the id is taken; IntegrityError for a code or region that cannot be."""
    statement = (
        insert(tariff)
        .values(tenant_id=tenant_id, id=new.id, **{name: getattr(new, name) for name in FIELDS})
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(tariff)
    )
    rows = await tx.all(statement)
    return _of(rows[0]) if rows else None


async def fetch_tariff(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[Tariff] | None:
    """The tariff, if there is one; with `lock`, held until the transaction ends."""
    row = await read.one_or_none(one_of(tariff, tenant_id, id_, lock=lock))
    return _of(row) if row else None


async def list_tariffs(
    read: ReadConnection, tenant_id: str, filters: dict[str, Any], after: After | None, limit: int
) -> list[Stored[Tariff]]:
    """A page of tariffs whose columns equal `filters`."""
    rows = await read.all(page_of(tariff, tenant_id, filters, after, limit))
    return [_of(row) for row in rows]


async def update_tariff(tx: WriteConnection, tenant_id: str, changed: Tariff) -> Stored[Tariff]:
    """Store the new name and region as the next revision; IntegrityError for an unknown region."""
    statement = (
        sa.update(tariff)
        .where(tariff.c.tenant_id == tenant_id, tariff.c.id == changed.id)
        .values({"name": changed.name, "region_id": changed.region_id} | next_revision(tariff))
        .returning(tariff)
    )
    return _of((await tx.all(statement))[0])
