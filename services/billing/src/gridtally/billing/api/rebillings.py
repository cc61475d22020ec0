"""Rebillings over HTTP: an agreement that is billed already was wrong from a day on."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from fastapi import Response

from gridtally.billing.api.agreements import Agreement, GraceHours
from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.api.customers import BillingCalendar
from gridtally.billing.api.previews import PreviewBill
from gridtally.billing.domain import rebillings as domain
from gridtally.billing.domain.agreements import ClosingPolicy
from gridtally.billing.handlers import rebillings as handlers
from gridtally.billing.handlers.agreements import lock_with_reference_data
from gridtally.billing.store import rebillings as store
from gridtally.contracts.model import Amount, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import RequiredMatch
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body, location_of
from gridtally.kernel.errors import NotFound
from gridtally.kernel.money import in_currency

router = Router(prefix="/v1", tags=["rebillings"])


class Replacement(Body):
    """By what an agreement is replaced; what is left out stays as it was.

    But `end_on` null leaves the replacement without an end. With nothing in it the same is agreed
    again: its days are billed by the tariff and the prices that are published by now. Where the
    tariff carries something from bill to bill, such as banked energy or tiers, the same customer
    is billed by it anew from the agreement's first day only (`carried_state_lost`).
    """

    customer_id: UUID | None = None
    """Who is billed."""
    meter_id: UUID | None = None
    """Which meter's energy is billed."""
    tariff_id: UUID | None = None
    """By which tariff."""
    start_on: date | None = None
    """The first local day; the day from which the agreement is cancelled, if it is left out."""
    end_on: date | None = None
    """The local day after the last."""
    closing: ClosingPolicy | None = None
    """How its periods close."""
    grace_hours: GraceHours | None = None
    """How many hours after its end a period closes under `bill_present`."""
    billing_calendar: BillingCalendar | None = None
    """Into which periods its days are divided."""

    def changes(self) -> dict[str, object]:
        """The fields that differ, with their values, but for the calendar."""
        named = super().changes()
        named.pop("billing_calendar", None)
        return {
            name: value for name, value in named.items() if name == "end_on" or value is not None
        }


class NewRebilling(Body):
    """That an agreement is cancelled from a local day on, and by what it is replaced."""

    from_on: date
    """The first local day on which the agreement was wrong; all of it, where that is no later than
    its first day."""
    reason: Text
    """Why, for the customer, who reads it on the credit notes."""
    replacement: Replacement | None = None
    """What is agreed instead; null where nothing is."""

    def order(self) -> domain.RebillingOrder:
        """What is to be done."""
        new = self.replacement
        calendar = None if new is None else new.billing_calendar
        return domain.RebillingOrder(
            self.from_on,
            self.reason,
            None if new is None else new.changes(),
            None if calendar is None else calendar.calendar(),
        )


class RebilledCredit(AnswerModel):
    """An invoice that is credited whole, or what was left of it."""

    invoice_id: UUID
    """The invoice."""
    invoice_number: str
    """Its number."""
    customer_id: UUID
    """Whose it is."""
    currency: str
    """The currency of the total."""
    total: Amount
    """What is credited, with taxes."""

    @classmethod
    def of(cls, note: Any) -> Self:
        """The credit of a credit note."""
        return cls.model_validate(note, from_attributes=True)


class RebilledBill(AnswerModel):
    """A bill that would follow."""

    agreement_id: UUID
    """The agreement that it is of: the one that is cut, or its replacement."""
    customer_id: UUID
    """Who would get it."""
    meter_id: UUID
    """The meter."""
    start_on: date
    """The first local day of its period."""
    end_on: date
    """The local day after the last."""
    currency: str | None
    """The currency of its amounts; null where it could not be billed."""
    bill: PreviewBill | None
    """The bill, of what is recorded by now; null where it could not be billed."""
    reason: str | None
    """Why its period would be held; null where it would not."""
    detail: str | None
    """The same in words."""

    @classmethod
    def of(cls, new: handlers.NewBill) -> Self:
        """The bill as the API shows it."""
        made = new.preview
        return cls(
            agreement_id=new.agreement.id,
            customer_id=new.agreement.customer_id,
            meter_id=new.agreement.meter_id,
            start_on=new.period.start_on,
            end_on=new.period.end_on,
            currency=None if made is None else made.so_far.bill.currency,
            bill=None if made is None else PreviewBill.of(made.so_far),
            reason=new.reason,
            detail=new.detail,
        )


class AccountChange(AnswerModel):
    """What it comes to for a customer."""

    customer_id: UUID
    """The customer."""
    currency: str
    """The currency of the amounts."""
    credited: Amount
    """What is credited."""
    billed: Amount
    """What is billed instead."""
    difference: Amount
    """By how much the customer owes more; less where it is below nothing."""


class RebillingPreview(AnswerModel):
    """What a rebilling would do; nothing is changed."""

    kind: Literal["preview"]
    """Always `preview`."""
    agreement: Agreement
    """The agreement as it would be; without days where both its dates are the same."""
    replacement: Agreement | None
    """The agreement in its place."""
    credits: list[RebilledCredit]
    """The invoices that would be credited."""
    withdrawn: list[date]
    """The first days of the periods that would be billed no more as they were closed, invoiced or
    held."""
    bills: list[RebilledBill]
    """The bills that would follow, of the periods that have ended."""
    changes: list[AccountChange]
    """What it comes to for each customer."""
    is_all: bool
    """Whether there are no more bills than these."""

    @classmethod
    def of(cls, made: handlers.RebillingPreview) -> Self:
        """The preview as the API shows it."""
        rebilled, new = made.rebilled, made.rebilled.replacement
        notes = [(note.customer_id, note.currency, note.total) for note in rebilled.notes]
        billed = [
            (
                own.agreement.customer_id,
                own.preview.so_far.bill.currency,
                own.preview.so_far.bill.total,
            )
            for own in made.bills
            if own.preview is not None
        ]
        return cls(
            kind="preview",
            agreement=Agreement.of(rebilled.agreement),
            replacement=None if new is None else Agreement.of(new),
            credits=[RebilledCredit.of(note) for note in rebilled.notes],
            withdrawn=list(rebilled.rebilling.withdrawn),
            bills=[RebilledBill.of(own) for own in made.bills],
            changes=[_change(change) for change in domain.account_changes(notes, billed)],
            is_all=made.is_all,
        )


def _change(change: domain.AccountChange) -> AccountChange:
    credited, billed, difference = (
        in_currency(amount, change.currency)
        for amount in (change.credited, change.billed, change.difference)
    )
    return AccountChange(
        customer_id=change.customer_id,
        currency=change.currency,
        credited=credited,
        billed=billed,
        difference=difference,
    )


class Rebilling(AnswerModel):
    """What was rebilled, by whom and why."""

    id: UUID
    """The rebilling."""
    agreement_id: UUID
    """The agreement that was cancelled from a day on."""
    from_on: date
    """That local day."""
    replacement_id: UUID | None
    """The agreement in its place; null where there is none."""
    reason: str
    """Why."""
    rebilled_by: str
    """The API key that did it."""
    rebilled_at: datetime
    """When, in UTC."""
    correlation_id: str
    """The id that follows it through all services, and is on the credit notes."""
    withdrawn: list[date]
    """The first days of the periods that are billed no more as they were closed."""

    @classmethod
    def of(cls, rebilling: domain.Rebilling) -> Self:
        """The rebilling as the API shows it."""
        return cls.model_validate(rebilling, from_attributes=True)


class RebillingNote(RebilledCredit):
    """The credit note of an invoice."""

    credit_note_id: UUID
    """The credit note."""
    number: str
    """What people call it."""


class RebillingDetail(Rebilling):
    """A rebilling with its credit notes; new invoices are those of the agreements."""

    credit_notes: list[RebillingNote]
    """The credit notes."""

    @classmethod
    def made(cls, rebilling: domain.Rebilling, notes: Sequence[Any]) -> Self:
        """The rebilling with credit notes, of the domain or rows."""
        shown = [
            RebillingNote(
                **RebilledCredit.of(note).model_dump(), credit_note_id=note.id, number=note.number
            )
            for note in notes
        ]
        return cls(**Rebilling.of(rebilling).model_dump(), credit_notes=shown)


@router.post("/agreements/{agreement_id}/rebilling/preview")
async def preview_rebilling(
    agreement_id: UUID, new: NewRebilling, db: Db, cause: WriteCause, now: Now
) -> RebillingPreview:
    """What a rebilling would change: which invoices are credited, and which bills follow.

    It is done by what does it, and taken back: nothing is changed, numbered or published.
    """
    made = await handlers.preview_rebilling(db, cause, agreement_id, new.order(), now)
    return RebillingPreview.of(made)


@router.post(
    "/agreements/{agreement_id}/rebilling", status_code=201, response_model=RebillingDetail
)
async def create_rebilling(
    agreement_id: UUID,
    new: NewRebilling,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    request: Idempotent,
) -> Response:
    """Cancel an agreement from a day on that may be billed already, and bill it by another one.

    What was issued of these days is credited at once, with the reason; the new invoices follow
    within seconds, when ingest has closed their periods. Drafts and held periods of these days are
    withdrawn. `If-Match` names the version of the agreement that was read. 409 when another
    agreement of the meter is in the way, or nothing would change.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        agreement = await lock_with_reference_data(tx, cause.tenant_id, agreement_id)
        if_match.check(agreement.version)
        rebilled = await handlers.rebill_agreement(tx, cause, agreement, new.order(), now)
        body = RebillingDetail.made(rebilled.rebilling, rebilled.notes)
        location = location_of(f"/v1/rebillings/{body.id}", created=True)
        return await request.store_answer(tx, 201, body, location)


@router.get("/rebillings")
async def list_rebillings(
    db: Db, caller: Reader, paging: Paging, agreement_id: UUID | None = None
) -> Page[Rebilling]:
    """Rebillings, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rebillings = await store.list_rebillings(
            read, caller.tenant_id, agreement_id, after, paging.rows
        )
    return paging.cut(
        rebillings,
        item=Rebilling.of,
        position=lambda rebilling: (rebilling.rebilled_at, rebilling.id),
    )


@router.get("/rebillings/{rebilling_id}")
async def get_rebilling(rebilling_id: UUID, db: Db, caller: Reader) -> RebillingDetail:
    """A rebilling with its credit notes."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rebilling = await store.fetch_rebilling(read, caller.tenant_id, rebilling_id)
        if rebilling is None:
            raise NotFound("rebilling_unknown", f"there is no rebilling {rebilling_id}")
        notes = await store.fetch_notes_of(read, caller.tenant_id, rebilling.invoice_ids)
    return RebillingDetail.made(rebilling, notes)
