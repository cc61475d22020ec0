"""Versions of tariffs as rows, and which of them is in force when."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, as_row, from_row, stored
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.tariff_versions import TariffVersion, Terms, UsedCalendar, Withdrawal
from gridtally.tariff.domain.versions import VersionStep
from gridtally.tariff.store.versions import VersionTable, update_version
from gridtally.tariff.tables import tariff, tariff_version


def _of(row: Row) -> Stored[TariffVersion]:
    calendar = published = withdrawn = withdrawal = None
    if row["calendar_id"] is not None:
        calendar = UsedCalendar(row["calendar_id"], row["calendar_number"])
    if row["published_at"] is not None:
        published = VersionStep(row["published_at"], row["published_by"])
    if row["withdrawn_at"] is not None:
        withdrawn = VersionStep(row["withdrawn_at"], row["withdrawn_by"])
        withdrawal = Withdrawal(row["withdrawn_from"], row["withdrawal_reason"])
    version = from_row(
        TariffVersion,
        row,
        terms=from_row(Terms, row),
        calendar=calendar,
        published=published,
        withdrawn=withdrawn,
        withdrawal=withdrawal,
    )
    return stored(version, row)


TARIFF_VERSIONS = VersionTable(tariff_version, tariff, "tariff_id", _of)


def columns_of(terms: Terms) -> dict[str, Any]:
    """The columns that hold what a version says, by name."""
    return as_row(terms, tariff_version)


def in_force_on(day: date) -> list[sa.ColumnElement[bool]]:
    """Clauses for the versions that hold a day: neither ended nor withdrawn by then."""
    return [
        tariff_version.c.status != "draft",
        tariff_version.c.effective_from <= day,
        sa.func.coalesce(
            sa.func.least(tariff_version.c.effective_to, tariff_version.c.withdrawn_from) > day,
            sa.true(),
        ),
    ]


async def fetch_in_force(
    read: ReadConnection, tenant_id: str, tariff_id: UUID, day: date
) -> Stored[TariffVersion] | None:
    """The version that holds `day` and began last; of those the highest number."""
    query = (
        TARIFF_VERSIONS.select(tenant_id, tariff_id)
        .where(*in_force_on(day))
        .order_by(tariff_version.c.effective_from.desc(), tariff_version.c.number.desc())
        .limit(1)
    )
    row = await read.one_or_none(query)
    return _of(row) if row else None


async def update_terms(
    tx: WriteConnection, tenant_id: str, id_: UUID, terms: Terms, now: datetime
) -> Stored[TariffVersion]:
    """Replace what a locked draft says."""
    return await update_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns_of(terms), now)


async def publish_version(
    tx: WriteConnection,
    tenant_id: str,
    id_: UUID,
    published: VersionStep,
    terms: Terms,
    calendar: UsedCalendar | None,
) -> Stored[TariffVersion]:
    """Publish a locked draft, with terms whose document is complete."""
    columns = columns_of(terms) | {
        "status": "published",
        "published_at": published.at,
        "published_by": published.key_id,
        "calendar_id": calendar.id if calendar else None,
        "calendar_number": calendar.number if calendar else None,
    }
    return await update_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns, published.at)


async def withdraw_version(
    tx: WriteConnection, tenant_id: str, id_: UUID, withdrawn: VersionStep, withdrawal: Withdrawal
) -> Stored[TariffVersion]:
    """Withdraw a locked published version."""
    columns = {
        "status": "withdrawn",
        "withdrawn_at": withdrawn.at,
        "withdrawn_by": withdrawn.key_id,
        "withdrawn_from": withdrawal.from_on,
        "withdrawal_reason": withdrawal.reason,
    }
    return await update_version(tx, tenant_id, TARIFF_VERSIONS, id_, columns, withdrawn.at)
