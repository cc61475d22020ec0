"""`/v1/payment-plans`: what a customer owes, in instalments that were agreed."""

from datetime import UTC, date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field, model_validator

from gridtally.contracts.model import Currency
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.api.payments import Amount
from gridtally.ledger.accounts.domain import payment_plans as domain
from gridtally.ledger.accounts.domain.payment_plans import (
    GRACE_DAYS_DEFAULT,
    GRACE_DAYS_MAX,
    INSTALMENTS_MAX,
    ITEMS_MAX,
    CancelReason,
    PlanPosition,
    PlanState,
)
from gridtally.ledger.accounts.handlers import payment_plans as handlers
from gridtally.ledger.accounts.handlers.payment_plans import RequestedPlan
from gridtally.ledger.accounts.store import payment_plans
from gridtally.ledger.callers import CustomerReader, Reader, WriteCause, instant, named_filters

router = Router(prefix="/v1/payment-plans", tags=["payments"])
PlanId = Annotated[UUID, Path(description="The payment plan")]
OnDay = Annotated[
    date | None, Query(description="The day, in UTC, of which the state is asked; today by default")
]


class EqualInstalments(Body):
    """So many equal instalments; the last takes the remainder."""

    count: Annotated[int, Field(ge=1, le=INSTALMENTS_MAX, description="How many there are")]
    first_due_on: Annotated[date, Field(description="The last day, in UTC, to pay the first")]
    every_months: Annotated[
        int,
        Field(
            ge=1, le=12,
            description="Months between two of them: on the same day of the month, or its last",
        ),
    ] = 1  # fmt: skip


class NewInstalment(Body):
    """An instalment that was agreed."""

    due_on: Annotated[date, Field(description="The last day, in UTC, to pay it")]
    amount: Annotated[
        Amount | None, Field(description="Left out of the last, it is what remains")
    ] = None


class NewPaymentPlan(Body):
    """What is to be paid in instalments, and in which: `equal` ones, or a list of them that comes
    to what is open of the invoices."""

    customer_id: UUID
    currency: Currency
    invoice_ids: Annotated[
        list[UUID],
        Field(
            min_length=1, max_length=ITEMS_MAX,
            description="The open invoices and charges that it is about",
        ),
    ]  # fmt: skip
    equal: Annotated[EqualInstalments | None, Field(description="Or `instalments`")] = None
    instalments: Annotated[
        list[NewInstalment] | None,
        Field(min_length=1, max_length=INSTALMENTS_MAX, description="In the order of their days"),
    ] = None
    grace_days: Annotated[
        int,
        Field(
            ge=0, le=GRACE_DAYS_MAX,
            description="How many days an instalment may be late without breaking the plan",
        ),
    ] = GRACE_DAYS_DEFAULT  # fmt: skip

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.equal is None) == (self.instalments is None):
            raise ValueError("either `equal` or `instalments` must be there")
        return self

    def to_domain(self) -> RequestedPlan:
        """The plan that is asked for."""
        wanted = [
            domain.RequestedInstalment(own.due_on, own.amount) for own in self.instalments or ()
        ]
        equal = self.equal and domain.EqualInstalments(**dict(self.equal))
        return RequestedPlan(
            customer_id=self.customer_id,
            currency=self.currency,
            item_ids=self.invoice_ids,
            instalments=equal or wanted,
            grace_days=self.grace_days,
        )


class PlannedInvoice(BaseModel):
    """An invoice or a charge in a plan: what was open of it at the agreement, and what of that is
    still to be paid."""

    invoice_id: UUID
    agreed: Annotated[Money, Field(description="What was open of it at the agreement")]
    open: Money


class Instalment(BaseModel):
    """An instalment as it stands. `amount` is less than was agreed where invoices were credited or
    written off since: a plan shrinks from its end."""

    due_on: date
    amount: Money
    paid: Annotated[Money, Field(description="What was paid of it")]
    open: Money


class PlannedInstalments(InCurrency):
    """What would be agreed."""

    total: Annotated[Money, Field(description="What is open of the invoices")]
    items: list[PlannedInvoice]
    instalments: Annotated[list[Instalment], Field(description="By their due days")]

    @classmethod
    def of(cls, position: PlanPosition, **others: object) -> Self:
        """What a plan has, with the fields of a wider model."""
        plan = position.plan
        items = [
            PlannedInvoice(invoice_id=item.id, agreed=item.agreed, open=position.open_of(item))
            for item in plan.items
        ]
        instalments = [
            Instalment.model_validate(own, from_attributes=True) for own in position.instalments()
        ]
        fields = {
            "currency": plan.currency, "total": position.total, "items": items,
            "instalments": instalments,
        }  # fmt: skip
        return cls.model_validate(fields | others)


class PaymentPlan(PlannedInstalments):
    """A debt in instalments, and how far it is paid. An instalment is paid as far as what is no
    longer open of the invoices reaches, in order. `kept`: nothing is late; `late`: something is, by
    no more than `grace_days`; `broken`: by more, so that the invoices are due as they were."""

    id: UUID
    customer_id: UUID
    state: PlanState
    total: Annotated[Money, Field(description="What is to be paid: what was agreed, less what was "
                                              "credited or written off since")]  # fmt: skip
    paid: Annotated[Money, Field(description="What was paid since the agreement")]
    open: Money
    late: Annotated[Money, Field(description="What was due before the day and is not paid")]
    grace_days: Annotated[
        int, Field(description="How many days an instalment may be late without breaking the plan")
    ]
    agreed_at: Annotated[datetime, Field(description="When it was agreed, UTC")]
    cancelled_at: Annotated[
        datetime | None,
        Field(description="Since when it no longer counts, UTC; null while it does"),
    ]
    cancel_reason: Annotated[
        CancelReason | None, Field(description="Why it was cancelled; null while it counts")
    ]

    @classmethod
    def on(cls, day: date, position: PlanPosition) -> Self:
        """The plan as the API shows it, as it stands on a day."""
        plan = position.plan
        names = ("id", "customer_id", "grace_days", "agreed_at", "cancelled_at", "cancel_reason")
        own = {name: getattr(plan, name) for name in names}
        amounts = {"paid": position.paid, "open": position.open, "late": position.late(day)}
        return cls.of(position, state=position.state(day), **own, **amounts)


class NewCancellation(Body):
    """Why a plan is cancelled."""

    reason: Annotated[
        CancelReason, Field(description="Why: it was not kept, another replaces it, both agreed to "
                                        "end it, or it should never have been")
    ]  # fmt: skip


@router.post("", status_code=201, response_model=PaymentPlan)
async def post_payment_plan(
    body: NewPaymentPlan, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Agree a plan over what is open of some invoices. It posts nothing: payments go to invoices by
    the rule as before. While it is kept, arrears and ageing count its instalments, and not the
    invoices' own due days."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        id_ = await handlers.agree_plan(tx, cause, body.to_domain(), now)
        [position] = await payment_plans.fetch_plans(tx, cause.tenant_id, [id_])
        location = {"Location": f"/v1/payment-plans/{id_}"}
        agreed = PaymentPlan.on(_day(None, now), position)
        return await request.store_answer(tx, 201, agreed, location)


@router.post("/preview")
async def preview_payment_plan(
    body: NewPaymentPlan, db: Db, caller: Reader, now: Now
) -> PlannedInstalments:
    """What would be agreed, without agreeing it."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        plan = await handlers.plan_of(read, caller.tenant_id, body.to_domain(), now)
    return PlannedInstalments.of(PlanPosition.at_agreement(plan))


@router.get("")
async def list_payment_plans(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    now: Now,
    customer_id: UUID | None = None,
    currency: CurrencyCode | None = None,
    on: OnDay = None,
) -> Page[PaymentPlan]:
    """Plans, the oldest first, each as it stands on a day by what is paid now."""
    filters = named_filters(customer_id=customer_id or caller.customer_id, currency=currency)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await payment_plans.list_plans(
            read, caller.tenant_id, filters, (after[0], after[1]) if after else None, paging.rows
        )
    day = _day(on, now)
    return paging.cut(
        rows,
        item=lambda position: PaymentPlan.on(day, position),
        position=lambda position: (position.plan.agreed_at, position.plan.id),
    )


@router.get("/{plan_id}")
async def get_payment_plan(
    plan_id: PlanId, db: Db, caller: CustomerReader, now: Now, on: OnDay = None
) -> PaymentPlan:
    """One plan as it stands on a day, by what is paid now."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        plans = await payment_plans.fetch_plans(read, caller.tenant_id, [plan_id])
    if not plans:
        raise NotFound("payment_plan_unknown", "no payment plan has this id")
    return PaymentPlan.on(_day(on, now), plans[0])


@router.post("/{plan_id}/cancel", response_model=PaymentPlan)
async def cancel_payment_plan(
    plan_id: PlanId, body: NewCancellation, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """End a plan, so that its invoices are due as they were. 409 where it has ended."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.cancel_plan(tx, cause, plan_id, body.reason, now)
        [position] = await payment_plans.fetch_plans(tx, cause.tenant_id, [plan_id])
        return await request.store_answer(tx, 200, PaymentPlan.on(_day(None, now), position))


def _day(on: date | None, now: datetime) -> date:
    """The day asked for, or today in UTC."""
    return on or now.astimezone(UTC).date()
