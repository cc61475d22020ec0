"""`/v1/calendars`: the calendars that many tariffs share, and what kind of day each date is."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response

from gridtally.contracts.model import Code, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import RequiredMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page
from gridtally.http.resources import (
    AnswerModel,
    Body,
    NotNull,
    StoredModel,
    answer,
    answer_created,
    fields,
)
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.rating.calendar import Weekday
from gridtally.tariff.api.callers import Reader, WriteCause
from gridtally.tariff.api.models import NUMBER_MAX, SearchText, Sorted
from gridtally.tariff.domain import calendars as domain
from gridtally.tariff.domain.local_days import requested_period
from gridtally.tariff.handlers import calendar_versions, catalogue
from gridtally.tariff.store.calendars import CALENDARS
from gridtally.tariff.store.catalogue import list_resources, matching

router = Router(prefix="/v1/calendars", tags=["calendars"])


class NewCalendar(Body):
    """A calendar; what it says is in its versions."""

    id: UUID | None = None
    """The calendar's id; made by the service unless the caller names one."""
    code: Code
    """A short name for programs, unique among the tenant's calendars."""
    name: Text
    """What people call it."""

    def to_domain(self) -> domain.Calendar:
        """The calendar."""
        return domain.Calendar(self.id or new_id(), self.code, self.name)


class CalendarChange(Body):
    """What is to be different; what is left out stays."""

    code: Annotated[Code | None, NotNull] = None
    """A short name for programs, unique among the tenant's calendars."""
    name: Annotated[Text | None, NotNull] = None
    """What people call it."""


class Calendar(StoredModel):
    """Seasons, day types and holidays that many tariffs share."""

    id: UUID
    """The calendar's id."""
    code: str
    """A short name for programs, unique among the tenant's calendars."""
    name: str
    """What people call it."""

    @classmethod
    def of(cls, calendar: Stored[domain.Calendar]) -> Self:
        """The calendar as the API shows it."""
        return cls(**fields(calendar))


class CalendarDay(AnswerModel):
    """What kind of day a local date is; a holiday that the document itself dates has no name."""

    day: date
    """The local date."""
    weekday: Weekday
    """Its day of the week."""
    season: str | None
    """The season that it lies in; null where the calendar has none."""
    day_types: list[str]
    """The day types that it is of."""
    holiday: bool
    """Whether it is a holiday."""
    holiday_name: str | None
    """What the holiday is called; null where it is none, or has no name."""

    @classmethod
    def of(cls, day: domain.CalendarDay) -> Self:
        """The day as the API shows it."""
        return cls(
            day=day.day,
            weekday=day.weekday,
            season=day.season,
            day_types=list(day.day_types),
            holiday=day.holiday,
            holiday_name=day.holiday_name,
        )


class CalendarDays(AnswerModel):
    """The days of a period, by the calendar's version of that number."""

    number: int
    """The number of the calendar's version that they are read by."""
    days: list[CalendarDay]
    """The days, in order."""


@router.post("", status_code=201)
async def create_calendar(
    new: NewCalendar, db: Db, cause: WriteCause, now: Now, response: Response
) -> Calendar:
    """Create a calendar; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await catalogue.create(tx, cause, CALENDARS, new.to_domain(), now)
    location = f"/v1/calendars/{stored.resource.id}"
    return answer_created(response, stored, Calendar.of, created=created, location=location)


@router.get("")
async def list_calendars(
    db: Db, caller: Reader, page: Sorted, code: Code | None = None, text: SearchText = None
) -> Page[Calendar]:
    """Calendars, oldest first unless another order is asked for."""
    clauses = matching(CALENDARS.table, {"code": code}, text)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await list_resources(read, caller.tenant_id, CALENDARS, clauses, page.position())
    return page.cut(rows, Calendar.of)


@router.get("/{calendar_id}")
async def get_calendar(calendar_id: UUID, db: Db, caller: Reader, response: Response) -> Calendar:
    """One calendar."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await catalogue.load(read, caller.tenant_id, CALENDARS, calendar_id)
    return answer(response, stored, Calendar.of)


@router.get("/{calendar_id}/days")
async def list_calendar_days(
    calendar_id: UUID,
    db: Db,
    caller: Reader,
    start_on: Annotated[date, Query(alias="from", description="The first local date")],
    end_on: Annotated[date, Query(alias="to", description="The local date after the last")],
    number: Annotated[
        int | None, Query(ge=1, le=NUMBER_MAX, description="Of a version; else the one in use")
    ] = None,
) -> CalendarDays:
    """What kind of day each local date is: its season, its day types, and the holiday on it. By
    the published version with the highest number, unless another one is asked for."""
    period = requested_period(start_on, end_on, domain.DAYS_MAX)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await calendar_versions.load_version(read, caller.tenant_id, calendar_id, number)
    version = stored.resource
    days = domain.days_of(domain.calendar_described(version.document), period)
    return CalendarDays(number=version.number, days=[CalendarDay.of(day) for day in days])


@router.patch("/{calendar_id}")
async def change_calendar(
    calendar_id: UUID,
    change: CalendarChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Calendar:
    """Change what is named."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, CALENDARS, calendar_id)
        if_match.check(current.version)
        changed = await catalogue.change(tx, cause, CALENDARS, current, change.changes(), now)
    return answer(response, changed, Calendar.of)


@router.delete("/{calendar_id}", status_code=204)
async def delete_calendar(
    calendar_id: UUID, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a calendar without versions; 409 where it has any."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await catalogue.lock(tx, cause.tenant_id, CALENDARS, calendar_id)
        if_match.check(current.version)
        await catalogue.delete(tx, cause, CALENDARS, current)
