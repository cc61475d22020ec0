"""Versions of calendars as rows."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.calendars import CalendarVersion
from tariff.domain.stored import Stored
from tariff.domain.versions import Document, Step
from tariff.store.numbered import Numbered, change_version
from tariff.store.rows import stored
from tariff.tables import calendar, calendar_version


def _of(row: RowMapping) -> Stored[CalendarVersion]:
    thing = CalendarVersion(
        id=row["id"],
        calendar_id=row["calendar_id"],
        number=row["number"],
        status=row["status"],
        document=row["document"],
        published=Step(row["published_at"], row["published_by"]) if row["published_at"] else None,
    )
    return stored(thing, row)


CALENDAR_VERSIONS = Numbered(calendar_version, calendar, "calendar_id", _of)


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
    tx: WriteConnection, tenant_id: str, id_: UUID, document: Document
) -> Stored[CalendarVersion]:
    """Replace what a draft says."""
    columns = {"document": document}
    return await change_version(tx, tenant_id, CALENDAR_VERSIONS, id_, columns)


async def publish_version(
    tx: WriteConnection, tenant_id: str, id_: UUID, key_id: str
) -> Stored[CalendarVersion]:
    """Publish a draft on behalf of an API key."""
    columns = {"status": "published", "published_at": sa.func.now(), "published_by": key_id}
    return await change_version(tx, tenant_id, CALENDAR_VERSIONS, id_, columns)
