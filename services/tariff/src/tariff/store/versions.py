"""Versions of tariffs as rows."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import Status, Terms, Version
from tariff.domain.stored import Stored
from tariff.store.rows import next_revision, one_of, stored
from tariff.tables import version


def _of(row: RowMapping) -> Stored[Version]:
    terms = Terms(row["effective_from"], row["effective_to"], row["document"])
    thing = Version(row["id"], row["tariff_id"], row["number"], row["status"], terms)
    return stored(thing, row)


def _columns(terms: Terms) -> dict[str, Any]:
    return {
        "effective_from": terms.effective_from,
        "effective_to": terms.effective_to,
        "document": terms.document,
    }


async def insert_draft(
    tx: WriteConnection, tenant_id: str, tariff_id: UUID, id_: UUID, terms: Terms
) -> Stored[Version]:
    """A draft with the next number; the tariff must be locked and the id free."""
    numbers = sa.select(sa.func.coalesce(sa.func.max(version.c.number), 0) + 1).where(
        version.c.tenant_id == tenant_id, version.c.tariff_id == tariff_id
    )
    statement = (
        sa.insert(version)
        .values(
            tenant_id=tenant_id,
            id=id_,
            tariff_id=tariff_id,
            number=numbers.scalar_subquery(),
            status="draft",
            **_columns(terms),
        )
        .returning(version)
    )
    return _of((await tx.all(statement))[0])


async def fetch_version(read: ReadConnection, tenant_id: str, id_: UUID) -> Stored[Version] | None:
    """The version of that id, if there is one."""
    row = await read.one_or_none(one_of(version, tenant_id, id_))
    return _of(row) if row else None


async def fetch_numbered(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, number: int, *, lock: bool = False
) -> Stored[Version] | None:
    """The tariff's version of that number; with `lock`, held until the transaction ends."""
    query = sa.select(version).where(
        version.c.tenant_id == tenant_id,
        version.c.tariff_id == tariff_id,
        version.c.number == number,
    )
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return _of(row) if row else None


async def fetch_in_force(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, day: date
) -> Stored[Version] | None:
    """The published version that holds `day` and began last; of those the highest number."""
    query = (
        sa.select(version)
        .where(
            version.c.tenant_id == tenant_id,
            version.c.tariff_id == tariff_id,
            version.c.status == "published",
            version.c.effective_from <= day,
            (version.c.effective_to > day) | version.c.effective_to.is_(None),
        )
        .order_by(version.c.effective_from.desc(), version.c.number.desc())
        .limit(1)
    )
    row = await read.one_or_none(query)
    return _of(row) if row else None


async def list_versions(
    read: ReadConnection,
    tenant_id: str,
    tariff_id: UUID,
    status: Status | None,
    after: int,
    limit: int,
) -> list[Stored[Version]]:
    """A page of the tariff's versions by number."""
    query = sa.select(version).where(
        version.c.tenant_id == tenant_id,
        version.c.tariff_id == tariff_id,
        version.c.number > after,
    )
    if status is not None:
        query = query.where(version.c.status == status)
    rows = await read.all(query.order_by(version.c.number).limit(limit))
    return [_of(row) for row in rows]


async def update_terms(
    tx: WriteConnection, tenant_id: str, id_: UUID, terms: Terms
) -> Stored[Version]:
    """Replace what a draft says."""
    return await _update(tx, tenant_id, id_, _columns(terms))


async def update_status(
    tx: WriteConnection, tenant_id: str, id_: UUID, status: Status
) -> Stored[Version]:
    """Publish or withdraw."""
    return await _update(tx, tenant_id, id_, {"status": status})


async def _update(
    tx: WriteConnection, tenant_id: str, id_: UUID, values: dict[str, Any]
) -> Stored[Version]:
    statement = (
        sa.update(version)
        .where(version.c.tenant_id == tenant_id, version.c.id == id_)
        .values(values | next_revision(version))
        .returning(version)
    )
    return _of((await tx.all(statement))[0])
