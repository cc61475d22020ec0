"""`/v1/tariffs/{id}/versions`: drafts, what was published for good, and what is in force when."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from contracts.model import Text
from contracts.problem import FaultDetail
from contracts.tariff import TariffDocument
from database import snapshot, transaction
from kernel.errors import NotFound
from kernel.ids import new_id
from serving.context import Db
from serving.etags import OptionalMatch, RequiredMatch
from serving.paging import Page, Paging
from serving.problems import shown_faults
from tariff.api.callers import Reader, WriteCause
from tariff.api.forms import (
    NUMBER_MAX,
    Body,
    Described,
    Done,
    NotNull,
    Shown,
    answered,
    created_or_known,
    fields,
    number_in,
    shown_step,
)
from tariff.domain import versions as domain
from tariff.domain.stored import Stored
from tariff.domain.versions import Status
from tariff.handlers import versions as handlers
from tariff.handlers.catalogue import find, find_version
from tariff.store import versions
from tariff.store.catalogue import TARIFFS
from tariff.store.numbered import list_versions as list_numbered
from tariff.store.versions import TARIFF_VERSIONS

router = APIRouter(prefix="/v1/tariffs/{tariff_id}/versions", tags=["versions"])
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


class DraftDocument(TariffDocument):
    """A tariff version. It may name a calendar in place of one of its own: the newest published
    version of that becomes part of the document when the version is published."""

    calendar_id: UUID | None = None


Document = Annotated[dict[str, Any], Described(DraftDocument)]


class VersionTerms(Body):
    """What a version says, in force on local dates from `effective_from` up to, but without,
    `effective_to`, as long as no later version has begun."""

    effective_from: date
    effective_to: date | None = None
    document: Document
    note: Text | None = None

    def to_domain(self) -> domain.Terms:
        """The terms; Rejected for an empty period."""
        return domain.Terms(self.effective_from, self.effective_to, self.document, self.note)


class NewVersion(VersionTerms):
    """A draft of a new version."""

    id: UUID | None = None


class VersionChange(Body):
    """What is to be different in a draft; what is left out stays."""

    effective_from: Annotated[date | None, NotNull] = None
    effective_to: date | None = None
    note: Text | None = None


class WithdrawalRequest(Body):
    """Why a version is withdrawn, and from which local date on; from its beginning unless named."""

    reason: Text
    from_on: date | None = None


class Withdrawal(BaseModel):
    """Why a version is out of force from a local date on."""

    from_on: date
    reason: str


class UsedCalendar(BaseModel):
    """The calendar, and the number of its version, that a version was published with."""

    id: UUID
    number: int


class Version(Shown):
    """A version of a tariff. A published one never changes; it may only be withdrawn."""

    id: UUID
    tariff_id: UUID
    number: int
    status: Status
    effective_from: date
    effective_to: date | None
    document: Document
    note: str | None
    calendar: UsedCalendar | None
    published: Done | None
    withdrawn: Done | None
    withdrawal: Withdrawal | None


class Verdict(BaseModel):
    """Whether a version could be published, and what is wrong where it could not."""

    valid: bool
    faults: list[FaultDetail]


def shown_version(one: Stored[domain.Version]) -> Version:
    """A version as the API shows it."""
    version, terms = one.thing, one.thing.terms
    used, withdrawal = version.calendar, version.withdrawal
    return Version(
        **{name: value for name, value in fields(one).items() if name in _PLAIN},
        effective_from=terms.effective_from,
        effective_to=terms.effective_to,
        document=dict(terms.document),
        note=terms.note,
        calendar=UsedCalendar(id=used.id, number=used.number) if used else None,
        published=shown_step(version.published),
        withdrawn=shown_step(version.withdrawn),
        withdrawal=Withdrawal(from_on=withdrawal.from_on, reason=withdrawal.reason)
        if withdrawal
        else None,
    )


_PLAIN = {"id", "tariff_id", "number", "status", *Shown.model_fields}


@router.post("", status_code=201)
async def draft_version(
    tariff_id: UUID, new: NewVersion, db: Db, cause: WriteCause, response: Response
) -> Version:
    """Draft a version with the next number; the same again answers 200 with what exists."""
    terms = new.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff = await handlers.lock_tariff(tx, cause.tenant_id, tariff_id)
        told = await handlers.draft_version(tx, cause, tariff, new.id or new_id(), terms)
    return created_or_known(response, told, shown_version)


@router.post("/validate")
async def validate_version(tariff_id: UUID, new: VersionTerms, db: Db, caller: Reader) -> Verdict:
    """Look for everything that keeps such a version from being published; nothing is stored."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        tariff = await find(read, caller.tenant_id, TARIFFS, tariff_id)
        faults = await handlers.find_faults(
            read,
            caller.tenant_id,
            tariff.thing,
            new.effective_from,
            new.effective_to,
            new.document,
        )
    shown = shown_faults(faults)
    return Verdict(valid=not shown, faults=shown)


@router.get("")
async def list_versions(
    tariff_id: UUID, db: Db, caller: Reader, paging: Paging, status: Status | None = None
) -> Page[Version]:
    """The tariff's versions by number."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await find(read, caller.tenant_id, TARIFFS, tariff_id)
        first = after[0] if after else 0
        rows = await list_numbered(
            read, caller.tenant_id, TARIFF_VERSIONS, tariff_id, status, first, paging.rows
        )
    return paging.cut(rows, item=shown_version, position=lambda one: (one.thing.number,))


@router.get("/in-force")
async def get_version_in_force(
    tariff_id: UUID, on: date, db: Db, caller: Reader, response: Response
) -> Version:
    """The version in force on a local date: of the published versions whose dates hold it, and
    that are not withdrawn from it on, the one that began last; of those that began on the same
    date, the highest number. 404 where there is none."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await find(read, caller.tenant_id, TARIFFS, tariff_id)
        one = await versions.fetch_in_force(read, caller.tenant_id, tariff_id, on)
    if one is None:
        raise NotFound("no_version_in_force", f"no version of this tariff is in force on {on}")
    return answered(response, one, shown_version)


@router.get("/{number}")
async def get_version(
    tariff_id: UUID, number: Number, db: Db, caller: Reader, response: Response
) -> Version:
    """One version."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        one = await find_version(read, caller.tenant_id, TARIFF_VERSIONS, tariff_id, number)
    return answered(response, one, shown_version)


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
    return answered(response, changed, shown_version)


@router.patch("/{number}")
async def change_draft(
    tariff_id: UUID,
    number: Number,
    change: VersionChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> Version:
    """Change a draft's dates or note and leave its document; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.revision)
        changed = await handlers.change_draft(tx, cause, tariff, current, change.changes())
    return answered(response, changed, shown_version)


@router.delete("/{number}", status_code=204)
async def delete_draft(
    tariff_id: UUID, number: Number, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a draft, whose number is not given again; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.revision)
        await handlers.delete_draft(tx, cause, current)


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
        if current.thing.status == "draft":  # what was done already may be asked for again
            if_match.check(current.revision)
        published = await handlers.publish(tx, cause, tariff, current)
    return answered(response, published, shown_version)


@router.post("/{number}/withdraw")
async def withdraw_version(
    tariff_id: UUID,
    number: Number,
    asked: WithdrawalRequest,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> Version:
    """Take a published version out of force from a local date on, and tell of it. What was billed
    by it stays. Withdrawing again from the same date changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if current.thing.status != "withdrawn":  # what was done already may be asked for again
            if_match.check(current.revision)
        withdrawn = await handlers.withdraw(
            tx, cause, tariff, current, reason=asked.reason, from_on=asked.from_on
        )
    return answered(response, withdrawn, shown_version)
