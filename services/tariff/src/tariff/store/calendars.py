"""Calendars and their versions as rows."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.calendars import CalendarVersion
from tariff.domain.catalogue import Calendar, code_taken, in_use
from tariff.domain.stored import Stored
from tariff.domain.versions import Document, Status, Step
from tariff.store.rows import (
    Place,
    answering,
    change_one,
    delete_one,
    equal,
    fetch_one,
    fetch_page,
    holding,
    insert_new,
    next_number,
    stored,
)
from tariff.tables import calendar, calendar_version

_ANSWERS = {"calendar_code": code_taken("calendar")}


def _of(row: RowMapping) -> Stored[Calendar]:
    return stored(Calendar(row["id"], row["code"], row["name"]), row)


def _version_of(row: RowMapping) -> Stored[CalendarVersion]:
    thing = CalendarVersion(
        id=row["id"],
        calendar_id=row["calendar_id"],
        number=row["number"],
        status=row["status"],
        document=row["document"],
        published=Step(row["published_at"], row["published_by"]) if row["published_at"] else None,
    )
    return stored(thing, row)


async def insert_calendar(
    tx: WriteConnection, tenant_id: str, new: Calendar
) -> Stored[Calendar] | None:
    """Insert, or None where the id is taken; Conflict where the code is."""
    columns = {"id": new.id, "code": new.code, "name": new.name}
    with answering(_ANSWERS):
        return await insert_new(tx, calendar, tenant_id, columns, _of)


async def fetch_calendar(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[Calendar] | None:
    """The calendar, if there is one; with `lock`, held until the transaction ends."""
    return await fetch_one(read, calendar, tenant_id, id_, _of, lock=lock)


async def list_calendars(
    read: ReadConnection, tenant_id: str, code: str | None, text: str | None, place: Place
) -> list[Stored[Calendar]]:
    """A page of calendars, by `code` or whose code or name holds `text`."""
    clauses = equal(calendar, {"code": code}) + holding(calendar, text)
    return await fetch_page(read, calendar, tenant_id, clauses, place, _of)


async def update_calendar(
    tx: WriteConnection, tenant_id: str, changed: Calendar
) -> Stored[Calendar]:
    """Store the new code and name as the next revision; Conflict where the code is taken."""
    columns = {"code": changed.code, "name": changed.name}
    with answering(_ANSWERS):
        return await change_one(tx, calendar, tenant_id, changed.id, columns, _of)


async def delete_calendar(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a calendar; Conflict where it has versions."""
    with answering({"calendar_version_calendar": in_use("calendar", "versions")}):
        await delete_one(tx, calendar, tenant_id, id_)


async def insert_draft(
    tx: WriteConnection, tenant_id: str, calendar_id: UUID, id_: UUID, document: Document
) -> Stored[CalendarVersion]:
    """A draft with the next number; the calendar must be locked and the id free."""
    statement = (
        sa.insert(calendar_version)
        .values(
            tenant_id=tenant_id,
            id=id_,
            calendar_id=calendar_id,
            number=await next_number(tx, calendar, tenant_id, calendar_id),
            status="draft",
            document=document,
        )
        .returning(calendar_version)
    )
    return _version_of((await tx.all(statement))[0])


async def fetch_version(
    read: ReadConnection, tenant_id: str, id_: UUID
) -> Stored[CalendarVersion] | None:
    """The version of that id, if there is one."""
    return await fetch_one(read, calendar_version, tenant_id, id_, _version_of, lock=False)


async def fetch_numbered(
    read: ReadConnection, tenant_id: str, calendar_id: UUID, number: int, *, lock: bool = False
) -> Stored[CalendarVersion] | None:
    """The calendar's version of that number; with `lock`, held until the transaction ends."""
    query = _versions(tenant_id, calendar_id).where(calendar_version.c.number == number)
    row = await read.one_or_none(query.with_for_update() if lock else query)
    return _version_of(row) if row else None


async def fetch_newest(
    read: ReadConnection, tenant_id: str, calendar_id: UUID
) -> Stored[CalendarVersion] | None:
    """The published version with the highest number, which is the one in use."""
    query = (
        _versions(tenant_id, calendar_id)
        .where(calendar_version.c.status == "published")
        .order_by(calendar_version.c.number.desc())
        .limit(1)
    )
    row = await read.one_or_none(query)
    return _version_of(row) if row else None


async def list_versions(
    read: ReadConnection,
    tenant_id: str,
    calendar_id: UUID,
    status: Status | None,
    after: int,
    limit: int,
) -> list[Stored[CalendarVersion]]:
    """A page of the calendar's versions by number."""
    query = _versions(tenant_id, calendar_id).where(calendar_version.c.number > after)
    if status is not None:
        query = query.where(calendar_version.c.status == status)
    rows = await read.all(query.order_by(calendar_version.c.number).limit(limit))
    return [_version_of(row) for row in rows]


async def update_document(
    tx: WriteConnection, tenant_id: str, id_: UUID, document: Document
) -> Stored[CalendarVersion]:
    """Replace what a draft says."""
    columns = {"document": document}
    return await change_one(tx, calendar_version, tenant_id, id_, columns, _version_of)


async def publish_version(
    tx: WriteConnection, tenant_id: str, id_: UUID, key_id: str
) -> Stored[CalendarVersion]:
    """Publish a draft on behalf of an API key."""
    columns = {"status": "published", "published_at": sa.func.now(), "published_by": key_id}
    return await change_one(tx, calendar_version, tenant_id, id_, columns, _version_of)


async def delete_draft(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a draft that is held."""
    await delete_one(tx, calendar_version, tenant_id, id_)


def _versions(tenant_id: str, calendar_id: UUID) -> sa.Select[Any]:
    return sa.select(calendar_version).where(
        calendar_version.c.tenant_id == tenant_id,
        calendar_version.c.calendar_id == calendar_id,
    )
