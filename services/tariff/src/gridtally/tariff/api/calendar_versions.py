"""`/v1/calendars/{id}/versions`: drafts of calendars, and what was published for good."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Response

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, RequiredMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body, StoredModel, answer, answer_created, fields
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.tariff.api.callers import Reader, WriteCause
from gridtally.tariff.api.models import Described, Number, VersionStep, number_in
from gridtally.tariff.documents import CALENDAR_DOCUMENT
from gridtally.tariff.domain import calendar_versions as domain
from gridtally.tariff.domain.versions import Status
from gridtally.tariff.handlers import calendar_versions as handlers
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.store import versions
from gridtally.tariff.store.calendar_versions import CALENDAR_VERSIONS
from gridtally.tariff.store.calendars import CALENDARS

router = Router(prefix="/v1/calendars/{calendar_id}/versions", tags=["calendars"])
Document = Annotated[dict[str, Any], Described(CALENDAR_DOCUMENT)]


class CalendarTerms(Body):
    """What a version of a calendar says."""

    document: Document
    """Seasons, day types and holidays."""


class NewCalendarVersion(CalendarTerms):
    """A draft of a new version."""

    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""


class CalendarVersion(StoredModel):
    """A version of a calendar. The published one with the highest number is in use; a published
    version never changes, nor do the tariff versions that were published with it."""

    id: UUID
    """The version's id."""
    calendar_id: UUID
    """The calendar that it is a version of."""
    number: int
    """Its number within the calendar, from 1."""
    status: Status
    """Whether it is a draft or published."""
    document: Document
    """Seasons, day types and holidays."""
    published: VersionStep | None
    """When and by whom it was published; null for a draft."""

    @classmethod
    def of(cls, version: Stored[domain.CalendarVersion]) -> Self:
        """The version as the API shows it."""
        published = VersionStep.of(version.resource.published)
        return cls(**fields(version) | {"published": published})


@router.post("", status_code=201)
async def draft_calendar_version(
    calendar_id: UUID,
    new: NewCalendarVersion,
    db: Db,
    cause: WriteCause,
    now: Now,
    response: Response,
) -> CalendarVersion:
    """Draft a version with the next number; the same again answers 200 with what exists."""
    id_ = new.id or new_id()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        calendar = await catalogue.lock(tx, cause.tenant_id, CALENDARS, calendar_id)
        stored, created = await handlers.draft_version(
            tx, cause, calendar.resource, id_, new.document, now
        )
    location = f"/v1/calendars/{calendar_id}/versions/{stored.resource.number}"
    return answer_created(response, stored, CalendarVersion.of, created=created, location=location)


@router.get("")
async def list_calendar_versions(
    calendar_id: UUID, db: Db, caller: Reader, paging: Paging, status: Status | None = None
) -> Page[CalendarVersion]:
    """The calendar's versions by number."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await catalogue.load(read, caller.tenant_id, CALENDARS, calendar_id)
        rows = await versions.list_versions(
            read,
            caller.tenant_id,
            CALENDAR_VERSIONS,
            calendar_id,
            status,
            after[0] if after else 0,
            paging.rows,
        )
    return paging.cut(
        rows, item=CalendarVersion.of, position=lambda stored: (stored.resource.number,)
    )


@router.get("/{number}")
async def get_calendar_version(
    calendar_id: UUID, number: Number, db: Db, caller: Reader, response: Response
) -> CalendarVersion:
    """One version."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await handlers.load_version(read, caller.tenant_id, calendar_id, number)
    return answer(response, stored, CalendarVersion.of)


@router.put("/{number}")
async def replace_calendar_draft(
    calendar_id: UUID,
    number: Number,
    new: CalendarTerms,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> CalendarVersion:
    """Replace what a draft says; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if_match.check(current.version)
        changed = await handlers.replace_draft(tx, cause, current, new.document, now)
    return answer(response, changed, CalendarVersion.of)


@router.delete("/{number}", status_code=204)
async def delete_calendar_draft(
    calendar_id: UUID, number: Number, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a draft, whose number is not given again; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if_match.check(current.version)
        await handlers.delete_draft(tx, cause, current)


@router.post("/{number}/publish")
async def publish_calendar_version(
    calendar_id: UUID,
    number: Number,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> CalendarVersion:
    """Put a draft in use for good, and publish it. Publishing again changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        calendar, current = await handlers.lock_version(tx, cause.tenant_id, calendar_id, number)
        if current.resource.status == "draft":  # what was done already may be requested again
            if_match.check(current.version)
        published = await handlers.publish(tx, cause, calendar, current, now)
    return answer(response, published, CalendarVersion.of)
