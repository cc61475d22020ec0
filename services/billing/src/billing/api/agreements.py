"""Agreements over HTTP. A customer changes tariff by ending one agreement and making the next."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from billing.api.callers import BATCH_MAX, Reader, Writer, pointing
from billing.domain.agreements import GRACE_HOURS_MAX, Agreement, Closing
from billing.handlers import agreements as handlers
from billing.store import listing
from billing.store.agreements import agreement_of
from database import Database, snapshot, transaction
from kernel.errors import NotFound
from kernel.ids import new_id
from serving.context import CorrelationId, Db
from serving.etags import RequiredMatch, tag
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/agreements", tags=["agreements"])
GraceHours = Annotated[int, Field(ge=0, le=GRACE_HOURS_MAX)]


class NewAgreement(BaseModel):
    """An agreement to be made, in force on local days from `start_on` until before `end_on`.

    The same `id` again answers what exists.
    """

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(default_factory=new_id)
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None = None
    closing: Closing = "wait"
    grace_hours: GraceHours = 72

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "NewAgreement":
        if self.end_on is not None and self.end_on <= self.start_on:
            raise ValueError("end_on must lie after start_on")
        return self

    def agreement(self) -> Agreement:
        """The first version of it."""
        return Agreement(**self.model_dump(), version=1)


class NewAgreements(BaseModel):
    """Agreements to be made together: all or none."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[NewAgreement], Field(min_length=1, max_length=BATCH_MAX)]


class AgreementChange(BaseModel):
    """What of an agreement can change; a field that is left out stays.

    `end_on` null opens the end again.
    """

    model_config = ConfigDict(extra="forbid")

    end_on: date | None = None
    closing: Closing | None = None
    grace_hours: GraceHours | None = None

    def changes(self) -> dict[str, object]:
        """The fields that were named."""
        named = self.model_dump(exclude_unset=True)
        return {
            name: value for name, value in named.items() if name == "end_on" or value is not None
        }


class AgreementShown(BaseModel):
    """An agreement; `version` is its ETag."""

    id: UUID
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None
    closing: Closing
    grace_hours: int
    version: int


class AgreementsShown(BaseModel):
    """Agreements, in the order of the request."""

    items: list[AgreementShown]


@router.post("", status_code=201)
async def create_agreement(
    new: NewAgreement, db: Db, caller: Writer, correlation_id: CorrelationId, response: Response
) -> AgreementShown:
    """Make an agreement.

    200 when it exists already just as it is; 409 when it is another, or when the meter has
    another agreement on some of its days.
    """
    agreement = new.agreement()
    with pointing(batch=False):
        await _register(db, caller.tenant_id, [agreement], correlation_id, response)
    tag(response, agreement.version)
    return _shown(agreement)


@router.post("/batch", status_code=201)
async def create_agreements(
    new: NewAgreements, db: Db, caller: Writer, correlation_id: CorrelationId, response: Response
) -> AgreementsShown:
    """Make many agreements at once, all or none; 200 when all of them exist already."""
    agreements = [one.agreement() for one in new.items]
    with pointing(batch=True):
        await _register(db, caller.tenant_id, agreements, correlation_id, response)
    return AgreementsShown(items=[_shown(agreement) for agreement in agreements])


async def _register(
    db: Database,
    tenant_id: str,
    agreements: list[Agreement],
    correlation_id: str,
    response: Response,
) -> None:
    async with transaction(db, tenant=tenant_id) as tx:
        added = await handlers.register_agreements(
            tx, tenant_id, agreements, correlation_id=correlation_id, now=datetime.now(UTC)
        )
    response.status_code = 201 if added else 200


@router.get("")
async def list_agreements(
    db: Db,
    caller: Reader,
    paging: Paging,
    customer_id: UUID | None = None,
    meter_id: UUID | None = None,
) -> Page[AgreementShown]:
    """Agreements by their id."""
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await listing.list_agreements(
            read, caller.tenant_id, customer_id, meter_id, after, paging.rows
        )
    return paging.cut(
        rows, item=lambda row: _shown(agreement_of(row)), position=lambda row: (row["id"],)
    )


@router.get("/{agreement_id}")
async def get_agreement(
    agreement_id: UUID, db: Db, caller: Reader, response: Response
) -> AgreementShown:
    """One agreement."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        row = await listing.fetch_agreement(read, caller.tenant_id, agreement_id)
    if row is None:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    tag(response, row["version"])
    return _shown(agreement_of(row))


@router.patch("/{agreement_id}")
async def change_agreement(
    agreement_id: UUID,
    change: AgreementChange,
    db: Db,
    caller: Writer,
    if_match: RequiredMatch,
    correlation_id: CorrelationId,
    response: Response,
) -> AgreementShown:
    """Change the end or the way its periods close; `If-Match` names the version that was read.

    409 when invoices cover days after the new end, or another agreement of the meter is in the
    way.
    """
    async with transaction(db, tenant=caller.tenant_id) as tx:
        agreement = await handlers.lock_agreement(tx, caller.tenant_id, agreement_id)
        if_match.check(agreement.version)
        changed = await handlers.change_agreement(
            tx,
            caller.tenant_id,
            agreement,
            change.changes(),
            correlation_id=correlation_id,
            now=datetime.now(UTC),
        )
    tag(response, changed.version)
    return _shown(changed)


def _shown(agreement: Agreement) -> AgreementShown:
    return AgreementShown.model_validate(agreement, from_attributes=True)
