"""Regions as rows."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import Region
from tariff.domain.stored import Stored
from tariff.store.rows import After, next_revision, one_of, page_of, stored
from tariff.tables import region


def _of(row: RowMapping) -> Stored[Region]:
    return stored(Region(row["id"], row["code"], row["name"], row["zone"]), row)


async def insert_region(tx: WriteConnection, tenant_id: str, new: Region) -> Stored[Region] | None:
    """Insert, or None where the id is taken; IntegrityError where the code is."""
    statement = (
        insert(region)
        .values(tenant_id=tenant_id, id=new.id, code=new.code, name=new.name, zone=new.zone)
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(region)
    )
    rows = await tx.all(statement)
    return _of(rows[0]) if rows else None


async def fetch_region(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[Region] | None:
    """The region, if there is one; with `lock`, held until the transaction ends."""
    row = await read.one_or_none(one_of(region, tenant_id, id_, lock=lock))
    return _of(row) if row else None


async def list_regions(
    read: ReadConnection, tenant_id: str, filters: dict[str, Any], after: After | None, limit: int
) -> list[Stored[Region]]:
    """A page of regions whose columns equal `filters`."""
    rows = await read.all(page_of(region, tenant_id, filters, after, limit))
    return [_of(row) for row in rows]


async def update_region(tx: WriteConnection, tenant_id: str, changed: Region) -> Stored[Region]:
    """Store the new content as the next revision; IntegrityError where the code is taken."""
    statement = (
        sa.update(region)
        .where(region.c.tenant_id == tenant_id, region.c.id == changed.id)
        .values(
            {"code": changed.code, "name": changed.name, "zone": changed.zone}
            | next_revision(region)
        )
        .returning(region)
    )
    return _of((await tx.all(statement))[0])
