"""`/v1/tariffs/{id}/versions`: drafts, what was published for good, and what is in force when."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path, Response
from pydantic import Field, create_model

from gridtally.contracts.model import Text
from gridtally.contracts.problem import ProblemError
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, RequiredMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import to_errors
from gridtally.http.resources import (
    AnswerModel,
    Body,
    NotNull,
    StoredModel,
    answer,
    answer_created,
    stamps,
)
from gridtally.kernel.errors import NotFound
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.tariff.api.callers import Reader, WriteCause
from gridtally.tariff.api.models import Described, Number, VersionStep, number_in
from gridtally.tariff.documents import TARIFF_DOCUMENT
from gridtally.tariff.domain import tariff_versions as domain
from gridtally.tariff.domain.versions import Status, unknown_version
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import tariff_versions as handlers
from gridtally.tariff.handlers import versions as numbered
from gridtally.tariff.store import tariff_versions, versions
from gridtally.tariff.store.tariff_versions import TARIFF_VERSIONS
from gridtally.tariff.store.tariffs import TARIFFS

router = Router(prefix="/v1/tariffs/{tariff_id}/versions", tags=["tariff versions"])
by_id = Router(prefix="/v1/tariff-versions", tags=["tariff versions"])


DRAFT_DOCUMENT = create_model(
    "DraftDocument",
    __base__=TARIFF_DOCUMENT,
    __doc__="""A tariff version. It may name a calendar in place of one of its own: the newest
    published version of that becomes part of the document when the version is published.""",
    calendar_id=(
        UUID | None,
        Field(default=None, description="A calendar in place of `calendar`."),
    ),
)
Document = Annotated[dict[str, Any], Described(DRAFT_DOCUMENT)]


class TariffVersionTerms(Body):
    """What a version says, in force on local dates from `effective_from` up to, but without,
    `effective_to`, as long as no later version has begun."""

    effective_from: date
    """The first local date on which it is in force."""
    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""
    document: Document
    """What it charges."""
    note: Text | None = None
    """What is new in it, for people."""

    def to_domain(self) -> domain.Terms:
        """The terms; Rejected for an empty period."""
        return domain.Terms(self.effective_from, self.effective_to, self.document, self.note)


class NewTariffVersion(TariffVersionTerms):
    """A draft of a new version."""

    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""


class TariffVersionChange(Body):
    """What is to be different in a draft; what is left out stays."""

    effective_from: Annotated[date | None, NotNull] = None
    """The first local date on which it is in force."""
    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""
    note: Text | None = None
    """What is new in it, for people."""


class WithdrawalRequest(Body):
    """Why a version is withdrawn, and from which local date on; from its beginning unless named."""

    reason: Text
    """Why it is withdrawn, for people."""
    from_on: date | None = None
    """The first local date on which it is not in force; null for its very first."""


class Withdrawal(AnswerModel):
    """Why a version is out of force from a local date on."""

    from_on: date
    """The first local date on which it is not in force."""
    reason: str
    """Why it was withdrawn, for people."""

    @classmethod
    def of(cls, withdrawal: domain.Withdrawal | None) -> Self | None:
        """The withdrawal as the API shows it, if there is one."""
        if withdrawal is None:
            return None
        return cls(from_on=withdrawal.from_on, reason=withdrawal.reason)


class UsedCalendar(AnswerModel):
    """The calendar, and the number of its version, that a version was published with."""

    id: UUID
    """The calendar."""
    number: int
    """The number of its version."""

    @classmethod
    def of(cls, calendar: domain.UsedCalendar | None) -> Self | None:
        """The calendar as the API shows it, if the version has one."""
        return cls(id=calendar.id, number=calendar.number) if calendar is not None else None


class TariffVersion(StoredModel):
    """A version of a tariff. A published one never changes; it may only be withdrawn."""

    id: UUID
    """The version's id."""
    tariff_id: UUID
    """The tariff that it is a version of."""
    number: int
    """Its number within the tariff, from 1."""
    status: Status
    """Whether it is a draft, published or withdrawn."""
    effective_from: date
    """The first local date on which it is in force."""
    effective_to: date | None
    """The local date from which it is no longer in force; null for no end."""
    document: Document
    """What it charges."""
    note: str | None
    """What is new in it, for people."""
    calendar: UsedCalendar | None
    """The calendar that became part of its document; null where it named none."""
    published: VersionStep | None
    """When and by whom it was published; null for a draft."""
    withdrawn: VersionStep | None
    """When and by whom it was withdrawn; null where it was not."""
    withdrawal: Withdrawal | None
    """From when on and why it was withdrawn; null where it was not."""

    @classmethod
    def of(cls, stored: Stored[domain.TariffVersion]) -> Self:
        """The version as the API shows it."""
        version, terms = stored.resource, stored.resource.terms
        return cls(
            **stamps(stored),
            id=version.id,
            tariff_id=version.tariff_id,
            number=version.number,
            status=version.status,
            effective_from=terms.effective_from,
            effective_to=terms.effective_to,
            document=dict(terms.document),
            note=terms.note,
            calendar=UsedCalendar.of(version.calendar),
            published=VersionStep.of(version.published),
            withdrawn=VersionStep.of(version.withdrawn),
            withdrawal=Withdrawal.of(version.withdrawal),
        )


class Verdict(AnswerModel):
    """Whether a version could be published, and what is wrong where it could not."""

    valid: bool
    """Whether it could be published as it is."""
    errors: list[ProblemError]
    """What is wrong, once for each part of the document."""


@router.post("", status_code=201)
async def draft_tariff_version(
    tariff_id: UUID, new: NewTariffVersion, db: Db, cause: WriteCause, now: Now, response: Response
) -> TariffVersion:
    """Draft a version with the next number; the same again answers 200 with what exists."""
    terms = new.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff = await catalogue.lock(tx, cause.tenant_id, TARIFFS, tariff_id)
        stored, created = await handlers.draft_version(
            tx, cause, tariff.resource, new.id or new_id(), terms, now
        )
    location = f"/v1/tariffs/{tariff_id}/versions/{stored.resource.number}"
    return answer_created(response, stored, TariffVersion.of, created=created, location=location)


@router.post("/validate")
async def validate_tariff_version(
    tariff_id: UUID, new: TariffVersionTerms, db: Db, caller: Reader
) -> Verdict:
    """Look for everything that keeps such a version from being published; nothing is stored."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        tariff = await catalogue.load(read, caller.tenant_id, TARIFFS, tariff_id)
        faults = await handlers.find_faults(
            read,
            caller.tenant_id,
            tariff.resource,
            new.effective_from,
            new.effective_to,
            new.document,
        )
    errors = to_errors(faults)
    return Verdict(valid=not errors, errors=errors)


@router.get("")
async def list_tariff_versions(
    tariff_id: UUID, db: Db, caller: Reader, paging: Paging, status: Status | None = None
) -> Page[TariffVersion]:
    """The tariff's versions by number."""
    after = paging.after(number_in)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await catalogue.load(read, caller.tenant_id, TARIFFS, tariff_id)
        rows = await versions.list_versions(
            read,
            caller.tenant_id,
            TARIFF_VERSIONS,
            tariff_id,
            status,
            after[0] if after else 0,
            paging.rows,
        )
    return paging.cut(
        rows, item=TariffVersion.of, position=lambda stored: (stored.resource.number,)
    )


@router.get("/in-force")
async def get_tariff_version_in_force(
    tariff_id: UUID, on: date, db: Db, caller: Reader, response: Response
) -> TariffVersion:
    """The version in force on a local date: of the published versions whose dates hold it, and
    that are not withdrawn from it on, the one that began last; of those that began on the same
    date, the highest number. 404 where there is none."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await catalogue.load(read, caller.tenant_id, TARIFFS, tariff_id)
        stored = await tariff_versions.fetch_in_force(read, caller.tenant_id, tariff_id, on)
    if stored is None:
        raise NotFound("no_version_in_force", f"no version of this tariff is in force on {on}")
    return answer(response, stored, TariffVersion.of)


@router.get("/{number}")
async def get_tariff_version(
    tariff_id: UUID, number: Number, db: Db, caller: Reader, response: Response
) -> TariffVersion:
    """One version."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await numbered.load(read, caller.tenant_id, TARIFF_VERSIONS, tariff_id, number)
    return answer(response, stored, TariffVersion.of)


@by_id.get("/{version_id}")
async def get_tariff_version_by_id(
    version_id: Annotated[UUID, Path(description="The version's own id")],
    db: Db,
    caller: Reader,
    response: Response,
) -> TariffVersion:
    """One version, of whichever tariff, by its own id."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await versions.fetch_version(read, caller.tenant_id, TARIFF_VERSIONS, version_id)
    if stored is None:
        raise unknown_version()
    return answer(response, stored, TariffVersion.of)


@router.put("/{number}")
async def replace_tariff_draft(
    tariff_id: UUID,
    number: Number,
    new: TariffVersionTerms,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> TariffVersion:
    """Replace what a draft says; 409 once it is published."""
    terms = new.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.version)
        changed = await handlers.replace_draft(tx, cause, tariff, current, terms, now)
    return answer(response, changed, TariffVersion.of)


@router.patch("/{number}")
async def change_tariff_draft(
    tariff_id: UUID,
    number: Number,
    change: TariffVersionChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> TariffVersion:
    """Change a draft's dates or note and leave its document; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.version)
        changed = await handlers.change_draft(tx, cause, tariff, current, change.changes(), now)
    return answer(response, changed, TariffVersion.of)


@router.delete("/{number}", status_code=204)
async def delete_tariff_draft(
    tariff_id: UUID, number: Number, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a draft, whose number is not given again; 409 once it is published."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        _, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if_match.check(current.version)
        await handlers.delete_draft(tx, cause, current)


@router.post("/{number}/publish")
async def publish_tariff_version(
    tariff_id: UUID,
    number: Number,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> TariffVersion:
    """Put a draft in force for good, and publish it. Publishing again changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if current.resource.status == "draft":  # what was done already may be requested again
            if_match.check(current.version)
        published = await handlers.publish(tx, cause, tariff, current, now)
    return answer(response, published, TariffVersion.of)


@router.post("/{number}/withdraw")
async def withdraw_tariff_version(
    tariff_id: UUID,
    number: Number,
    request: WithdrawalRequest,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> TariffVersion:
    """Take a published version out of force from a local date on, and publish that. What was
    billed by it stays. Withdrawing again from the same date changes nothing."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff, current = await handlers.lock_version(tx, cause.tenant_id, tariff_id, number)
        if current.resource.status != "withdrawn":  # what was done already may be requested again
            if_match.check(current.version)
        withdrawn = await handlers.withdraw(
            tx, cause, tariff, current, now, reason=request.reason, from_on=request.from_on
        )
    return answer(response, withdrawn, TariffVersion.of)
