"""Agreements over HTTP. A customer changes tariff by ending one agreement and making the next."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, model_validator

from gridtally.billing.api.callers import BATCH_MAX, CustomerReader, WriteCause, pointing
from gridtally.billing.api.customers import BillingCalendar
from gridtally.billing.domain import agreements as domain
from gridtally.billing.handlers import agreements as handlers
from gridtally.billing.store import agreements as store
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import RequiredMatch, etag, tag
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body, location_of
from gridtally.kernel import billing_calendars as calendars
from gridtally.kernel.errors import NotFound
from gridtally.kernel.ids import new_id

router = Router(prefix="/v1/agreements", tags=["agreements"])
GraceHours = Annotated[int, Field(ge=0, le=domain.GRACE_HOURS_MAX)]
BackBillingMonths = Annotated[int, Field(ge=1, le=domain.BACK_BILLING_MONTHS_MAX)]


class EarlierCalendar(AnswerModel):
    """The billing calendar that an agreement had until a day."""

    until_on: date
    """The local date from which it is in force no more; the period before ends there."""
    calendar: BillingCalendar
    """What it was."""


class NewAgreement(Body):
    """An agreement to be made, in force on local days from `start_on` until before `end_on`.

    The same `id` again answers what exists.
    """

    id: UUID = Field(default_factory=new_id)
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None = None
    closing: domain.ClosingPolicy = "wait"
    grace_hours: GraceHours = 72
    billing_starts_on: date | None = None
    """The first local date that is invoiced, later than `start_on`: readings and costs of days
    before it are known, and their invoices were issued elsewhere. `start_on` where left out."""
    back_billing_months: BackBillingMonths | None = None
    """For how many months after its end a period that was billed may be corrected: what changes
    later is kept, listed among what is held and dismissed, and not billed unless somebody recalls
    it. However late where it is left out."""
    billing_calendar: BillingCalendar | None = None
    """Into which periods its days are divided; the customer's calendar where it is left out, and
    calendar months where the customer has none."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "NewAgreement":
        if self.end_on is not None and self.end_on <= self.start_on:
            raise ValueError("end_on must lie after start_on")
        billed_from_on = self.billing_starts_on
        if billed_from_on is not None and billed_from_on <= self.start_on:
            raise ValueError("billing_starts_on must lie after start_on, or be left out")
        if billed_from_on is not None and self.end_on is not None and self.end_on <= billed_from_on:
            raise ValueError("end_on must lie after billing_starts_on")
        return self

    def agreement(self) -> domain.Agreement:
        """The first version of it, but for its billing calendar."""
        fields = self.model_dump(exclude={"billing_calendar"})
        return domain.Agreement(**fields, version=1)


class NewAgreements(Body):
    """Agreements to be made together: all or none."""

    items: Annotated[list[NewAgreement], Field(min_length=1, max_length=BATCH_MAX)]


class AgreementChange(Body):
    """What of an agreement can change; a field that is left out or null stays.

    But `end_on` null opens the end again, and `back_billing_months` null lifts that limit.
    """

    end_on: date | None = None
    closing: domain.ClosingPolicy | None = None
    grace_hours: GraceHours | None = None
    back_billing_months: BackBillingMonths | None = None
    """For how many months after its end a period that was billed may be corrected, of what changes
    from now on."""
    billing_calendar: BillingCalendar | None = None
    """Another billing calendar; the period that is open ends on the day of the change."""
    billing_calendar_from_on: date | None = None
    """The local day of that change, later than every closed period; today where it is left out."""

    @model_validator(mode="after")
    def _names_the_calendar_of_a_day(self) -> "AgreementChange":
        if self.billing_calendar_from_on is not None and self.billing_calendar is None:
            raise ValueError("billing_calendar_from_on needs a billing_calendar")
        return self

    def changes(self) -> dict[str, object]:
        """The fields to change, with their new values."""
        named = super().changes()
        return {
            name: value
            for name, value in named.items()
            if not name.startswith("billing_calendar")
            and (name in ("end_on", "back_billing_months") or value is not None)
        }

    def calendar(self) -> domain.CalendarChange | None:
        """The change of its billing calendar."""
        if self.billing_calendar is None:
            return None
        return domain.CalendarChange(
            self.billing_calendar.calendar(), self.billing_calendar_from_on
        )


class Agreement(AnswerModel):
    """A customer's meter on a tariff from one local date to another; `version` is its ETag."""

    id: UUID
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None
    billing_starts_on: date | None
    """The first local date that is invoiced, where that is not `start_on`."""
    back_billing_months: int | None
    """For how many months after its end a period that was billed may be corrected; null: however
    late."""
    closing: domain.ClosingPolicy
    grace_hours: int
    billing_calendar: BillingCalendar
    """Into which periods its days are divided."""
    earlier_calendars: tuple[EarlierCalendar, ...]
    """The billing calendars that it had before, and until when, oldest first."""
    version: int

    @classmethod
    def of(cls, agreement: domain.Agreement) -> "Agreement":
        """The agreement as the API shows it."""
        return cls.model_validate(agreement, from_attributes=True)


def _calendars(agreements: Sequence[NewAgreement]) -> dict[UUID, calendars.BillingCalendar | None]:
    """The billing calendars that new agreements name."""
    return {
        new.id: None if new.billing_calendar is None else new.billing_calendar.calendar()
        for new in agreements
    }


class Agreements(BaseModel):
    """Agreements, in the order of the request."""

    items: list[Agreement]


@router.post("", status_code=201, response_model=Agreement)
async def create_agreement(
    new: NewAgreement, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Make an agreement.

    200 when it exists already just as it is; 409 when it is another, or when the meter has
    another agreement on some of its days.
    """
    agreement = new.agreement()
    with pointing(batch=False):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            (agreement,), added = await handlers.register_agreements(
                tx, cause, [agreement], now, calendars=_calendars([new])
            )
            location = location_of(f"/v1/agreements/{agreement.id}", created=added)
            headers = {"ETag": etag(agreement.version)} | location
            body = Agreement.of(agreement)
            return await request.store_answer(tx, 201 if added else 200, body, headers)


@router.post("/batch", status_code=201, response_model=Agreements)
async def create_agreements(
    new: NewAgreements, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Make many agreements at once, all or none; 200 when all of them exist already."""
    agreements = [item.agreement() for item in new.items]
    with pointing(batch=True):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            if (stored_answer := await request.fetch_answer(tx)) is not None:
                return stored_answer
            agreements, added = await handlers.register_agreements(
                tx, cause, agreements, now, calendars=_calendars(new.items)
            )
            body = Agreements(items=[Agreement.of(agreement) for agreement in agreements])
            return await request.store_answer(tx, 201 if added else 200, body)


@router.get("")
async def list_agreements(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    customer_id: UUID | None = None,
    meter_id: UUID | None = None,
) -> Page[Agreement]:
    """Agreements by their id."""
    after = paging.after(UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        agreements = await store.list_agreements(
            read,
            caller.tenant_id,
            customer_id or caller.customer_id,
            meter_id,
            after,
            paging.rows,
        )
    return paging.cut(agreements, item=Agreement.of, position=lambda agreement: (agreement.id,))


@router.get("/{agreement_id}")
async def get_agreement(
    agreement_id: UUID, db: Db, caller: CustomerReader, response: Response
) -> Agreement:
    """One agreement."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        known = await store.fetch_agreements(read, caller.tenant_id, [agreement_id])
    if agreement_id not in known:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    tag(response, known[agreement_id].version)
    return Agreement.of(known[agreement_id])


@router.patch("/{agreement_id}")
async def change_agreement(
    agreement_id: UUID,
    change: AgreementChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> Agreement:
    """Change the end, the way its periods close or its billing calendar; `If-Match` names the
    version that was read.

    409 when invoices cover days after the new end, closed periods days after the change of the
    calendar, or another agreement of the meter is in the way.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        agreement = await handlers.lock_agreement(tx, cause.tenant_id, agreement_id)
        if_match.check(agreement.version)
        changed = await handlers.change_agreement(
            tx, cause, agreement, change.changes(), now, change.calendar()
        )
    tag(response, changed.version)
    return Agreement.of(changed)


@router.delete("/{agreement_id}", status_code=204)
async def delete_agreement(
    agreement_id: UUID, db: Db, cause: WriteCause, now: Now, if_match: RequiredMatch
) -> None:
    """Delete an agreement by which nothing was ever billed; `If-Match` names the version that was
    read.

    Its closed, held and waiting periods go with it, and its days have no cost any more. 409
    `agreement_billed` when an invoice was issued by it: then cancel and rebill it.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        agreement = await handlers.lock_with_reference_data(tx, cause.tenant_id, agreement_id)
        if_match.check(agreement.version)
        await handlers.delete_agreement(tx, cause, agreement, now)
