"""Versions of tariffs as rows."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.stored import Stored
from tariff.domain.versions import (
    Step,
    Terms,
    UsedCalendar,
    Version,
    Withdrawal,
)
from tariff.store.numbered import Numbered, change_version
from tariff.store.rows import stored
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


TARIFF_VERSIONS = Numbered(version, tariff, "tariff_id", _of)


def columns_of(terms: Terms) -> dict[str, Any]:
    """The columns that hold what a version says."""
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


async def fetch_in_force(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, day: date
) -> Stored[Version] | None:
    """The version that holds `day` and began last; of those the highest number."""
    query = (
        TARIFF_VERSIONS.select(tenant_id, tariff_id)
        .where(*in_force_on(day))
        .order_by(version.c.effective_from.desc(), version.c.number.desc())
        .limit(1)
    )
    row = await read.one_or_none(query)
    return _of(row) if row else None


async def update_terms(
    tx: WriteConnection, tenant_id: str, id_: UUID, terms: Terms
) -> Stored[Version]:
    """Replace what a draft says."""
    return await change_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns_of(terms))


async def publish_version(
    tx: WriteConnection,
    tenant_id: str,
    id_: UUID,
    key_id: str,
    terms: Terms,
    calendar: UsedCalendar | None,
) -> Stored[Version]:
    """Publish a draft, with a document that is complete, on behalf of an API key."""
    columns = columns_of(terms) | {
        "status": "published",
        "published_at": sa.func.now(),
        "published_by": key_id,
        "calendar_id": calendar.id if calendar else None,
        "calendar_number": calendar.number if calendar else None,
    }
    return await change_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns)


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
    return await change_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns)
