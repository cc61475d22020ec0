"""Versions of tariffs as rows."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.stored import Stored
from tariff.domain.versions import (
    Status,
    Step,
    Terms,
    UsedCalendar,
    Version,
    Withdrawal,
)
from tariff.store.rows import change_one, delete_one, fetch_one, next_number, stored
from tariff.tables import tariff, version

_TERMS = ("effective_from", "effective_to", "document", "note")


def _of(row: RowMapping) -> Stored[Version]:
    withdrawn = row["status"] == "withdrawn"
    thing = Version(
        id=row["id"],
        tariff_id=row["tariff_id"],
        number=row["number"],
        status=row["status"],
        terms=Terms(*(row[name] for name in _TERMS)),
        calendar=UsedCalendar(row["calendar_id"], row["calendar_number"])
        if row["calendar_id"]
        else None,
        published=Step(row["published_at"], row["published_by"]) if row["published_at"] else None,
        withdrawn=Step(row["withdrawn_at"], row["withdrawn_by"]) if withdrawn else None,
        withdrawal=Withdrawal(row["withdrawn_from"], row["withdrawal_reason"])
        if withdrawn
        else None,
    )
    return stored(thing, row)


def _columns(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in _TERMS}


def in_force_on(day: date) -> list[sa.ColumnElement[bool]]:
    """Clauses for the versions that hold a day: neither ended nor withdrawn by then."""
    return [
        version.c.status != "draft",
        version.c.effective_from <= day,
        sa.func.coalesce(
            sa.func.least(version.c.effective_to, version.c.withdrawn_from) > day, sa.true()
        ),
    ]


async def insert_draft(
    tx: WriteConnection, tenant_id: str, tariff_id: UUID, id_: UUID, terms: Terms
) -> Stored[Version]:
    """A draft with the next number; the tariff must be locked and the id free."""
    statement = (
        sa.insert(version)
        .values(
            tenant_id=tenant_id,
            id=id_,
            tariff_id=tariff_id,
            number=await next_number(tx, tariff, tenant_id, tariff_id),
            status="draft",
            **_columns(terms),
        )
        .returning(version)
    )
    return _of((await tx.all(statement))[0])


async def fetch_version(read: ReadConnection, tenant_id: str, id_: UUID) -> Stored[Version] | None:
    """The version of that id, if there is one."""
    return await fetch_one(read, version, tenant_id, id_, _of, lock=False)


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
    """The version that holds `day` and began last; of those the highest number."""
    query = (
        sa.select(version)
        .where(
            version.c.tenant_id == tenant_id,
            version.c.tariff_id == tariff_id,
            *in_force_on(day),
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
    return await change_one(tx, version, tenant_id, id_, _columns(terms), _of)


async def publish_version(
    tx: WriteConnection,
    tenant_id: str,
    id_: UUID,
    key_id: str,
    terms: Terms,
    calendar: UsedCalendar | None,
) -> Stored[Version]:
    """Publish a draft, with a document that is complete, on behalf of an API key."""
    columns = _columns(terms) | {
        "status": "published",
        "published_at": sa.func.now(),
        "published_by": key_id,
        "calendar_id": calendar.id if calendar else None,
        "calendar_number": calendar.number if calendar else None,
    }
    return await change_one(tx, version, tenant_id, id_, columns, _of)


async def withdraw_version(
    tx: WriteConnection, tenant_id: str, id_: UUID, key_id: str, withdrawal: Withdrawal
) -> Stored[Version]:
    """Withdraw a published version on behalf of an API key."""
    columns = {
        "status": "withdrawn",
        "withdrawn_at": sa.func.now(),
        "withdrawn_by": key_id,
        "withdrawn_from": withdrawal.from_on,
        "withdrawal_reason": withdrawal.reason,
    }
    return await change_one(tx, version, tenant_id, id_, columns, _of)


async def delete_draft(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a draft that is held."""
    await delete_one(tx, version, tenant_id, id_)
