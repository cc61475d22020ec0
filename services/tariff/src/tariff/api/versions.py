"""`/v1/tariffs/{id}/versions`: drafts, and what was published for good."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from database import snapshot, transaction
from kernel.ids import new_id
from serving.context import Db
from serving.etags import OptionalMatch, RequiredMatch, tag
from serving.paging import Page, Paging
from tariff.api.models import NewVersion, Reader, Version, VersionTerms, WriteCause, shown_version
from tariff.domain.catalogue import Status
from tariff.handlers import versions as handlers
from tariff.handlers.catalogue import unknown_tariff
from tariff.store import tariffs, versions

router = APIRouter(prefix="/v1/tariffs/{tariff_id}/versions", tags=["versions"])
NUMBER_MAX = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


def _number(text: str) -> int:
    """A version's number from a cursor; ValueError for what is none."""
    number = int(text)
    if not 1 <= number <= NUMBER_MAX:
        raise ValueError("no version has this number")
    return number


@router.post("", status_code=201)
async def draft_version(
    tariff_id: UUID, new: NewVersion, db: Db, cause: WriteCause, response: Response
) -> Version:
    """Draft a version with the next number; the same again answers 200 with what exists."""
    terms = new.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff = await handlers.lock_tariff(tx, cause.tenant_id, tariff_id)
        one, created = await handlers.draft_version(tx, cause, tariff, new.id or new_id(), terms)
    response.status_code = 201 if created else 200
    tag(response, one.revision)
    return shown_version(one)


@router.get("")
async def list_versions(
    tariff_id: UUID, db: Db, caller: Reader, paging: Paging, status: Status | None = None
) -> Page[Version]:
    """The tariff's versions by number."""
    after = paging.after(_number)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        if await tariffs.fetch_tariff(read, caller.tenant_id, tariff_id) is None:
            raise unknown_tariff()
        rows = await versions.list_versions(
            read, caller.tenant_id, tariff_id, status, after[0] if after else 0, paging.rows
        )
    return paging.cut(rows, item=shown_version, position=lambda one: (one.thing.number,))


@router.get("/{number}")
async def get_version(
    tariff_id: UUID, number: Number, db: Db, caller: Reader, response: Response
) -> Version:
    """One version."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await versions.fetch_numbered(read, caller.tenant_id, tariff_id, number)
    if found is None:
        raise handlers.unknown_version()
    tag(response, found.revision)
    return shown_version(found)


@router.put("/{number}")
async def replace_draft(
    tariff_id: UUID,
    number: Number,
    new: VersionTerms,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Version:
    """Replace what a draft says; 409 once it is published."""
    terms = new.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.revision)
        changed = await handlers.replace_draft(tx, cause, tariff, current, terms)
    tag(response, changed.revision)
    return shown_version(changed)


@router.post("/{number}/publish")
async def publish_version(
    tariff_id: UUID,
    number: Number,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> Version:
    """Put a draft in force for good, and tell of it. Publishing again changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.revision)
        published = await handlers.publish(tx, cause, tariff, current)
    tag(response, published.revision)
    return shown_version(published)


@router.post("/{number}/withdraw")
async def withdraw_version(
    tariff_id: UUID,
    number: Number,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> Version:
    """Take a published version out of force, and tell of it. What was billed by it stays."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.revision)
        withdrawn = await handlers.withdraw(tx, cause, tariff, current)
    tag(response, withdrawn.revision)
    return shown_version(withdrawn)
