"""Versions of calendars: drafting, replacing and publishing them.

Whoever changes a version holds its calendar's row, so that no number is given twice and events
keep their order.
"""

from uuid import UUID

from database import ReadConnection, WriteConnection
from kernel.errors import Conflict, NotFound
from messaging import enqueue
from tariff.domain.calendars import CalendarVersion, calendar_described
from tariff.domain.catalogue import Calendar
from tariff.domain.stored import Stored
from tariff.domain.versions import Document, check_draft, may_publish, unknown_version
from tariff.handlers.catalogue import found
from tariff.store import calendars
from tariff.wire import Cause, calendar_published, check_calendar_shape


async def lock_calendar(tx: WriteConnection, tenant_id: str, calendar_id: UUID) -> Calendar:
    """The calendar, held until the transaction ends; NotFound."""
    one = await calendars.fetch_calendar(tx, tenant_id, calendar_id, lock=True)
    return found("calendar", one).thing


async def lock_version(
    tx: WriteConnection, tenant_id: str, calendar_id: UUID, number: int
) -> tuple[Calendar, Stored[CalendarVersion]]:
    """The calendar and its version, both held until the transaction ends; NotFound."""
    calendar = await lock_calendar(tx, tenant_id, calendar_id)
    one = await calendars.fetch_numbered(tx, tenant_id, calendar_id, number, lock=True)
    if one is None:
        raise unknown_version()
    return calendar, one


async def fetch_version(
    read: ReadConnection, tenant_id: str, calendar_id: UUID, number: int | None
) -> Stored[CalendarVersion]:
    """The version of a number, or the published one with the highest; NotFound."""
    found("calendar", await calendars.fetch_calendar(read, tenant_id, calendar_id))
    if number is not None:
        one = await calendars.fetch_numbered(read, tenant_id, calendar_id, number)
        if one is None:
            raise unknown_version()
        return one
    newest = await calendars.fetch_newest(read, tenant_id, calendar_id)
    if newest is None:
        raise NotFound("calendar_unpublished", "no version of this calendar is published")
    return newest


async def draft_version(
    tx: WriteConnection, cause: Cause, calendar: Calendar, id_: UUID, document: Document
) -> tuple[Stored[CalendarVersion], bool]:
    """A new draft of a locked calendar, and whether it is new; Conflict for an id of another."""
    known = await calendars.fetch_version(tx, cause.tenant_id, id_)
    if known is not None:
        if known.thing.calendar_id != calendar.id or known.thing.document != document:
            raise Conflict("version_exists", f"another version has the id {id_}")
        return known, False
    _check(document)
    return await calendars.insert_draft(tx, cause.tenant_id, calendar.id, id_, document), True


async def replace_draft(
    tx: WriteConnection, cause: Cause, current: Stored[CalendarVersion], document: Document
) -> Stored[CalendarVersion]:
    """Put another document into a draft; Conflict once it is published."""
    check_draft(current.thing.status)
    if document == current.thing.document:
        return current
    _check(document)
    return await calendars.update_document(tx, cause.tenant_id, current.thing.id, document)


async def delete_draft(tx: WriteConnection, cause: Cause, current: Stored[CalendarVersion]) -> None:
    """Delete a draft, whose number is not given again; Conflict once it is published."""
    check_draft(current.thing.status)
    await calendars.delete_draft(tx, cause.tenant_id, current.thing.id)


async def publish(
    tx: WriteConnection, cause: Cause, calendar: Calendar, current: Stored[CalendarVersion]
) -> Stored[CalendarVersion]:
    """Put a draft in use for good; a published version stays as it is."""
    if not may_publish(current.thing.status):
        return current
    id_ = current.thing.id
    published = await calendars.publish_version(tx, cause.tenant_id, id_, cause.key_id)
    await enqueue(tx, [calendar_published(calendar, published.thing, cause, published.updated_at)])
    return published


def _check(document: Document) -> None:
    """The engine's faults first: they name every place; the schema's limits after that."""
    calendar_described(document)
    check_calendar_shape(document)
