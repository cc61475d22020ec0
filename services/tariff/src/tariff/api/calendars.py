"""`/v1/calendars`: the calendars that many tariffs share, and what kind of day each date is."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from contracts.model import Code, Text
from contracts.tariff import Weekday
from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import RequiredMatch
from serving.paging import Page
from tariff.api.callers import Reader, WriteCause
from tariff.api.days import asked_period
from tariff.api.forms import NUMBER_MAX, Body, NotNull, Shown, answered, created_or_known, fields
from tariff.api.listing import Ordered, SearchText
from tariff.domain import catalogue as domain
from tariff.domain.calendars import DAYS_MAX, CalendarDay, calendar_described, days_of
from tariff.domain.stored import Stored
from tariff.handlers import calendars as handlers
from tariff.handlers import catalogue
from tariff.handlers.catalogue import find
from tariff.store.catalogue import CALENDARS, delete, list_page

router = APIRouter(prefix="/v1/calendars", tags=["calendars"])


class NewCalendar(Body):
    """A calendar; what it says is in its versions."""

    id: UUID | None = None
    code: Code
    name: Text

    def to_domain(self) -> domain.Calendar:
        """The calendar."""
        return domain.Calendar(self.id or new_id(), self.code, self.name)


class CalendarChange(Body):
    """What is to be different; what is left out stays."""

    code: Annotated[Code | None, NotNull] = None
    name: Annotated[Text | None, NotNull] = None


class NamedCalendar(Shown):
    """Seasons, day types and holidays that many tariffs share."""

    id: UUID
    code: str
    name: str


class Day(BaseModel):
    """What kind of day a local date is; a holiday of one's own has no name."""

    day: date
    weekday: Weekday
    season: str | None
    day_types: list[str]
    holiday: bool
    holiday_name: str | None


class Days(BaseModel):
    """The days of a period, by the calendar's version of that number."""

    number: int
    days: list[Day]


def shown_calendar(one: Stored[domain.Calendar]) -> NamedCalendar:
    """A calendar as the API shows it."""
    return NamedCalendar(**fields(one))


def _shown_day(one: CalendarDay) -> Day:
    return Day(
        day=one.day,
        weekday=one.weekday,
        season=one.season,
        day_types=list(one.day_types),
        holiday=one.holiday,
        holiday_name=one.holiday_name,
    )


@router.post("", status_code=201)
async def create_calendar(
    new: NewCalendar, db: Db, cause: WriteCause, response: Response
) -> NamedCalendar:
    """Create a calendar; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        told = await catalogue.create(tx, cause, CALENDARS, new.to_domain())
    return created_or_known(response, told, shown_calendar)


@router.get("")
async def list_calendars(
    db: Db, caller: Reader, listing: Ordered, code: Code | None = None, text: SearchText = None
) -> Page[NamedCalendar]:
    """Calendars, oldest first unless another order is asked for."""
    clauses = CALENDARS.matching({"code": code}, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_page(read, caller.tenant_id, CALENDARS, clauses, listing.place)
    return listing.cut(rows, shown_calendar)


@router.get("/{calendar_id}")
async def get_calendar(
    calendar_id: UUID, db: Db, caller: Reader, response: Response
) -> NamedCalendar:
    """One calendar."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await find(read, caller.tenant_id, CALENDARS, calendar_id)
    return answered(response, one, shown_calendar)


@router.get("/{calendar_id}/days")
async def list_days(
    calendar_id: UUID,
    db: Db,
    caller: Reader,
    start_on: Annotated[date, Query(alias="from", description="The first local date")],
    end_on: Annotated[date, Query(alias="to", description="The local date after the last")],
    number: Annotated[
        int | None, Query(ge=1, le=NUMBER_MAX, description="Of a version; else the one in use")
    ] = None,
) -> Days:
    """What kind of day each local date is: its season, its day types, and the holiday on it. By
    the published version with the highest number, unless another one is asked for."""
    period = asked_period(start_on, end_on, DAYS_MAX)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await handlers.fetch_version(read, caller.tenant_id, calendar_id, number)
    days = days_of(calendar_described(one.thing.document), period)
    return Days(number=one.thing.number, days=[_shown_day(day) for day in days])


@router.patch("/{calendar_id}")
async def change_calendar(
    calendar_id: UUID,
    change: CalendarChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> NamedCalendar:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, CALENDARS, calendar_id, lock=True)
        if_match.check(current.revision)
        changed = await catalogue.change(tx, cause, CALENDARS, current, change.changes())
    return answered(response, changed, shown_calendar)


@router.delete("/{calendar_id}", status_code=204)
async def delete_calendar(
    calendar_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a calendar without versions; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await find(tx, cause.tenant_id, CALENDARS, calendar_id, lock=True)
        if_match.check(current.revision)
        await delete(tx, cause.tenant_id, CALENDARS, calendar_id)
