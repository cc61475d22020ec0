"""Versions of calendars: drafting, replacing and publishing them.

Whoever changes a version locks its calendar's row, so that no number is given twice and events
keep their order.
"""

from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import NotFound
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue
from gridtally.tariff.documents import check_calendar_shape
from gridtally.tariff.domain.calendar_versions import CalendarVersion
from gridtally.tariff.domain.calendars import Calendar, calendar_described
from gridtally.tariff.domain.versions import (
    Document,
    VersionStep,
    check_draft,
    id_of_another_version,
    may_publish,
)
from gridtally.tariff.events import calendar_published
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import versions as handlers
from gridtally.tariff.store import calendar_versions, versions
from gridtally.tariff.store.calendar_versions import CALENDAR_VERSIONS
from gridtally.tariff.store.calendars import CALENDARS


async def lock_version(
    tx: WriteConnection, tenant_id: str, calendar_id: UUID, number: int
) -> tuple[Calendar, Stored[CalendarVersion]]:
    """The calendar and its version, both locked until the transaction ends; NotFound."""
    calendar = await catalogue.lock(tx, tenant_id, CALENDARS, calendar_id)
    version = await handlers.lock(tx, tenant_id, CALENDAR_VERSIONS, calendar_id, number)
    return calendar.resource, version


async def load_version(
    read: ReadConnection, tenant_id: str, calendar_id: UUID, number: int | None
) -> Stored[CalendarVersion]:
    """The version of a number, or the published one with the highest; NotFound."""
    await catalogue.load(read, tenant_id, CALENDARS, calendar_id)
    if number is not None:
        return await handlers.load(read, tenant_id, CALENDAR_VERSIONS, calendar_id, number)
    newest = await calendar_versions.fetch_newest(read, tenant_id, calendar_id)
    if newest is None:
        raise NotFound("calendar_unpublished", "no version of this calendar is published")
    return newest


async def draft_version(
    tx: WriteConnection,
    cause: Cause,
    calendar: Calendar,
    id_: UUID,
    document: Document,
    now: datetime,
) -> tuple[Stored[CalendarVersion], bool]:
    """A new draft of a locked calendar, and whether it is new; Conflict for an id of another."""
    known = await versions.fetch_version(tx, cause.tenant_id, CALENDAR_VERSIONS, id_)
    if known is not None:
        if known.resource.calendar_id != calendar.id or known.resource.document != document:
            raise id_of_another_version(id_)
        return known, False
    _check(document)
    columns = {"document": document}
    draft = await versions.insert_draft(
        tx, cause.tenant_id, CALENDAR_VERSIONS, calendar.id, id_, columns, now
    )
    return draft, True


async def replace_draft(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[CalendarVersion],
    document: Document,
    now: datetime,
) -> Stored[CalendarVersion]:
    """Put another document into a locked draft; Conflict once it is published."""
    version = current.resource
    check_draft(version.status)
    if document == version.document:
        return current
    _check(document)
    return await calendar_versions.update_document(tx, cause.tenant_id, version.id, document, now)


async def delete_draft(tx: WriteConnection, cause: Cause, current: Stored[CalendarVersion]) -> None:
    """Delete a locked draft, whose number is not given again; Conflict once it is published."""
    check_draft(current.resource.status)
    await versions.delete_draft(tx, cause.tenant_id, CALENDAR_VERSIONS, current.resource.id)


async def publish(
    tx: WriteConnection,
    cause: Cause,
    calendar: Calendar,
    current: Stored[CalendarVersion],
    now: datetime,
) -> Stored[CalendarVersion]:
    """Put a locked draft in use for good; a published version stays as it is."""
    if not may_publish(current.resource.status):
        return current
    published = await calendar_versions.publish_version(
        tx, cause.tenant_id, current.resource.id, VersionStep(now, cause.key_id)
    )
    await enqueue(tx, [calendar_published(calendar, published.resource, cause, now)])
    return published


def _check(document: Document) -> None:
    """The engine's faults first: they name every path; the schema's limits after that."""
    calendar_described(document)
    check_calendar_shape(document)
