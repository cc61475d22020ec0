"""Versions of calendars as rows."""

from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, from_row, stored
from gridtally.kernel.resources import Stored
from gridtally.tariff.domain.calendar_versions import CalendarVersion
from gridtally.tariff.domain.versions import Document, VersionStep
from gridtally.tariff.store.versions import VersionTable, update_version
from gridtally.tariff.tables import calendar, calendar_version


def _of(row: Row) -> Stored[CalendarVersion]:
    is_draft = row["published_at"] is None
    published = None if is_draft else VersionStep(row["published_at"], row["published_by"])
    return stored(from_row(CalendarVersion, row, published=published), row)


CALENDAR_VERSIONS = VersionTable(calendar_version, calendar, "calendar_id", _of)


async def fetch_newest(
    read: ReadConnection, tenant_id: str, calendar_id: UUID
) -> Stored[CalendarVersion] | None:
    """The published version with the highest number, which is the one in use."""
    query = (
        CALENDAR_VERSIONS.select(tenant_id, calendar_id)
        .where(calendar_version.c.status == "published")
        .order_by(calendar_version.c.number.desc())
        .limit(1)
    )
    row = await read.one_or_none(query)
    return _of(row) if row else None


async def update_document(
    tx: WriteConnection, tenant_id: str, id_: UUID, document: Document, now: datetime
) -> Stored[CalendarVersion]:
    """Replace what a locked draft says."""
    columns = {"document": document}
    return await update_version(tx, tenant_id, CALENDAR_VERSIONS, id_, columns, now)


async def publish_version(
    tx: WriteConnection, tenant_id: str, id_: UUID, published: VersionStep
) -> Stored[CalendarVersion]:
    """Publish a locked draft."""
    columns = {
        "status": "published",
        "published_at": published.at,
        "published_by": published.key_id,
    }
    return await update_version(tx, tenant_id, CALENDAR_VERSIONS, id_, columns, published.at)
