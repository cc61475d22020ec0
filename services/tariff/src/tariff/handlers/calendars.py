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
from tariff.domain.versions import Document, check_draft, may_publish
from tariff.handlers.catalogue import find, find_version
from tariff.store import calendars, numbered
from tariff.store.calendars import CALENDAR_VERSIONS
from tariff.store.catalogue import CALENDARS
from tariff.wire import Cause, calendar_published, check_calendar_shape


async def lock_calendar(tx: WriteConnection, tenant_id: str, calendar_id: UUID) -> Calendar:
    """The calendar, held until the transaction ends; NotFound."""
    return (await find(tx, tenant_id, CALENDARS, calendar_id, lock=True)).thing


async def lock_version(
    tx: WriteConnection, tenant_id: str, calendar_id: UUID, number: int
) -> tuple[Calendar, Stored[CalendarVersion]]:
    """The calendar and its version, both held until the transaction ends; NotFound."""
    calendar = await lock_calendar(tx, tenant_id, calendar_id)
    return calendar, await find_version(
        tx, tenant_id, CALENDAR_VERSIONS, calendar_id, number, lock=True
    )


async def fetch_version(
    read: ReadConnection, tenant_id: str, calendar_id: UUID, number: int | None
) -> Stored[CalendarVersion]:
    """The version of a number, or the published one with the highest; NotFound."""
    await find(read, tenant_id, CALENDARS, calendar_id)
    if number is not None:
        return await find_version(read, tenant_id, CALENDAR_VERSIONS, calendar_id, number)
    newest = await calendars.fetch_newest(read, tenant_id, calendar_id)
    if newest is None:
        raise NotFound("calendar_unpublished", "no version of this calendar is published")
    return newest


async def draft_version(
    tx: WriteConnection, cause: Cause, calendar: Calendar, id_: UUID, document: Document
) -> tuple[Stored[CalendarVersion], bool]:
    """A new draft of a locked calendar, and whether it is new; Conflict for an id of another."""
    known = await numbered.fetch_version(tx, cause.tenant_id, CALENDAR_VERSIONS, id_)
    if known is not None:
        if known.thing.calendar_id != calendar.id or known.thing.document != document:
            raise Conflict("version_exists", f"another version has the id {id_}")
        return known, False
    _check(document)
    draft = await numbered.insert_draft(
        tx, cause.tenant_id, CALENDAR_VERSIONS, calendar.id, id_, {"document": document}
    )
    return draft, True


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
    await numbered.delete_draft(tx, cause.tenant_id, CALENDAR_VERSIONS, current.thing.id)


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
