"""`/v1/calendars/{id}/versions`: drafts of calendars, and what was published for good."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts import tariff as contract
from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import OptionalMatch, RequiredMatch
from serving.paging import Page, Paging
from tariff.api.callers import Reader, WriteCause
from tariff.api.forms import (
    NUMBER_MAX,
    Body,
    Described,
    Done,
    Shown,
    answered,
    created_or_known,
    fields,
    number_in,
    shown_step,
)
from tariff.domain.calendars import CalendarVersion as Version
from tariff.domain.stored import Stored
from tariff.domain.versions import Status
from tariff.handlers import calendars as handlers
from tariff.handlers.catalogue import find
from tariff.store.calendars import CALENDAR_VERSIONS
from tariff.store.catalogue import CALENDARS
from tariff.store.numbered import list_versions as list_numbered

router = APIRouter(prefix="/v1/calendars/{calendar_id}/versions", tags=["calendars"])
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Document = Annotated[dict[str, Any], Described(contract.Calendar)]


class CalendarTerms(Body):
    """What a version of a calendar says."""

    document: Document


class NewCalendarVersion(CalendarTerms):
    """A draft of a new version."""

    id: UUID | None = None


class CalendarVersion(Shown):
    """A version of a calendar. The published one with the highest number is in use; a published
    version never changes, nor do the tariff versions that were published with it."""

    id: UUID
    calendar_id: UUID
    number: int
    status: Status
    document: Document
    published: Done | None


def shown_version(one: Stored[Version]) -> CalendarVersion:
    """A calendar's version as the API shows it."""
    return CalendarVersion(**fields(one) | {"published": shown_step(one.thing.published)})


@router.post("", status_code=201)
async def draft_calendar_version(
    calendar_id: UUID, new: NewCalendarVersion, db: Db, cause: WriteCause, response: Response
) -> CalendarVersion:
    """Draft a version with the next number; the same again answers 200 with what exists."""
    id_ = new.id or new_id()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        calendar = await handlers.lock_calendar(tx, cause.tenant_id, calendar_id)
        told = await handlers.draft_version(tx, cause, calendar, id_, new.document)
    return created_or_known(response, told, shown_version)


@router.get("")
async def list_calendar_versions(
    calendar_id: UUID, db: Db, caller: Reader, paging: Paging, status: Status | None = None
) -> Page[CalendarVersion]:
    """The calendar's versions by number."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await find(read, caller.tenant_id, CALENDARS, calendar_id)
        first = after[0] if after else 0
        rows = await list_numbered(
            read, caller.tenant_id, CALENDAR_VERSIONS, calendar_id, status, first, paging.rows
        )
    return paging.cut(rows, item=shown_version, position=lambda one: (one.thing.number,))


@router.get("/{number}")
async def get_calendar_version(
    calendar_id: UUID, number: Number, db: Db, caller: Reader, response: Response
) -> CalendarVersion:
    """One version."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await handlers.fetch_version(read, caller.tenant_id, calendar_id, number)
    return answered(response, one, shown_version)


@router.put("/{number}")
async def replace_calendar_draft(
    calendar_id: UUID,
    number: Number,
    new: CalendarTerms,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> CalendarVersion:
    """Replace what a draft says; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if_match.check(current.revision)
        changed = await handlers.replace_draft(tx, cause, current, new.document)
    return answered(response, changed, shown_version)


@router.delete("/{number}", status_code=204)
async def delete_calendar_draft(
    calendar_id: UUID, number: Number, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a draft, whose number is not given again; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if_match.check(current.revision)
        await handlers.delete_draft(tx, cause, current)


@router.post("/{number}/publish")
async def publish_calendar_version(
    calendar_id: UUID,
    number: Number,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> CalendarVersion:
    """Put a draft in use for good, and tell of it. Publishing again changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        calendar, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if current.thing.status == "draft":  # what was done already may be asked for again
            if_match.check(current.revision)
        published = await handlers.publish(tx, cause, calendar, current)
    return answered(response, published, shown_version)
