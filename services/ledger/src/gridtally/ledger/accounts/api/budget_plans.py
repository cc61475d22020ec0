"""`/v1/budget-plans`: equal monthly amounts, settled once against what was really used."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from gridtally.contracts.model import Currency
from gridtally.database import WriteConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent, IdempotentRequest
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.api.models import CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.api.payments import Amount
from gridtally.ledger.accounts.domain import budget_plans as domain
from gridtally.ledger.accounts.domain.budget_plans import (
    MONTHS_DEFAULT,
    MONTHS_MAX,
    SETTLE_DAYS_DEFAULT,
    SETTLE_DAYS_MAX,
    BudgetPosition,
    BudgetState,
    RequestedBudget,
    monthly_amount,
)
from gridtally.ledger.accounts.handlers import budget_plans as handlers
from gridtally.ledger.accounts.store import budget_plans
from gridtally.ledger.callers import CustomerReader, Reader, WriteCause, instant, named_filters

router = Router(prefix="/v1/budget-plans", tags=["payments"])
BudgetPlanId = Annotated[UUID, Path(description="The budget plan")]
MONTH_DAYS = Decimal("365.25") / 12


class NewBudgetPlan(Body):
    """What a customer is to pay each month, and for what time."""

    customer_id: UUID
    currency: Currency
    amount: Annotated[Amount, Field(description="Of each instalment; a decimal string")]
    start_on: Annotated[
        date,
        Field(description="Invoices of periods that begin on this local day or later, and before "
                          "the end, wait for the settlement"),
    ]  # fmt: skip
    months: Annotated[
        int, Field(ge=1, le=MONTHS_MAX, description="How many months it goes on, and instalments")
    ] = MONTHS_DEFAULT
    first_due_on: Annotated[
        date | None,
        Field(
            description="The last day, in UTC, to pay the first; the others are due on the same "
            "day of the next months, or their last. The first day of the plan, or today, where it "
            "is left out"
        ),
    ] = None
    settle_days: Annotated[
        int,
        Field(
            ge=0, le=SETTLE_DAYS_MAX,
            description="So many days after its end it is settled by itself",
        ),
    ] = SETTLE_DAYS_DEFAULT  # fmt: skip

    def to_domain(self) -> RequestedBudget:
        """The plan that is asked for."""
        return RequestedBudget(**dict(self))


class NewBudgetAmount(Body):
    """Another amount for the instalments that are due from a day on."""

    amount: Amount
    from_on: Annotated[
        date, Field(description="The first due day that it is for; none of these was asked for yet")
    ]


class NewBudgetEnd(Body):
    """An earlier end, as of a customer who moves out."""

    end_on: Annotated[
        date, Field(description="Invoices of periods that begin before this local day wait for it")
    ]


class BudgetInstalment(BaseModel):
    """An instalment. It is an open item, under `invoice_id`, once it is asked for: fourteen days
    before it is due."""

    due_on: date
    amount: Money
    invoice_id: Annotated[UUID | None, Field(description="Null while it was not asked for")]
    open: Annotated[Money | None, Field(description="What of it is open, once it was asked for")]


class BudgetPlan(InCurrency):
    """Equal amounts that are asked for each month. Invoices of its time are paid by it as they are
    issued, so that nobody is asked for these: `used` is what they came to. At the settlement the
    customer owes what was used beyond `requested`, or has the rest as credit: `settled`."""

    id: UUID
    customer_id: UUID
    state: Annotated[
        BudgetState, Field(description="`ended`: its time is over, and it waits to be settled")
    ]
    start_on: date
    end_on: Annotated[date, Field(description="The local day after its last")]
    settle_on: Annotated[date, Field(description="When it is settled by itself, UTC")]
    instalments: Annotated[
        list[BudgetInstalment],
        Field(description="By their due days; of one that is settled, those it asked for"),
    ]
    requested: Annotated[Money, Field(description="What was asked for")]
    used: Annotated[
        Money, Field(description="What invoices of its time came to, less what was credited")
    ]
    settled: Annotated[
        Money,
        Field(description="What its settlement came to: above zero is owed, below zero is credit"),
    ]
    agreed_at: Annotated[datetime, Field(description="When it was agreed, UTC")]
    settled_at: Annotated[
        datetime | None, Field(description="When it was settled first, UTC; null while it was not")
    ]

    @classmethod
    def on(cls, day: date, position: BudgetPosition) -> Self:
        """The plan as the API shows it, as it stands on a day."""
        plan = position.plan
        names = (
            "id", "customer_id", "currency", "start_on", "end_on", "settle_on", "settled",
            "agreed_at", "settled_at",
        )  # fmt: skip
        instalments = []
        for own in plan.instalments:
            item = position.item(own)
            instalments.append(
                BudgetInstalment(
                    due_on=own.due_on,
                    amount=own.amount,
                    invoice_id=item and item.id,
                    open=item and item.open,
                )
            )
        fields = {name: getattr(plan, name) for name in names} | {
            "state": plan.state(day), "instalments": instalments,
            "requested": position.requested, "used": position.used,
        }  # fmt: skip
        return cls.model_validate(fields)


class BudgetProposal(InCurrency):
    """What a customer's months came to lately, for a plan."""

    customer_id: UUID
    months: Annotated[int, Field(description="How many months back invoices were looked at")]
    invoices: Annotated[int, Field(description="How many invoices of that time stand")]
    invoiced: Annotated[Money, Field(description="What they came to, less what was credited")]
    first_issued_at: Annotated[
        datetime | None,
        Field(description="When the first of them was issued, UTC: whether they fill the months"),
    ]
    amount: Annotated[
        Money | None,
        Field(description="What a month comes to, in whole units; null where nothing was invoiced"),
    ]


@router.post("", status_code=201, response_model=BudgetPlan)
async def post_budget_plan(
    body: NewBudgetPlan, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Agree a plan. Its instalments are asked for by themselves, fourteen days before each is due:
    as open items, and not as invoices. Invoices of its time that are issued from now on wait for
    the settlement. 409 where another plan of the customer in this currency has some of its days."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        id_ = await handlers.agree_plan(tx, cause, body.to_domain(), now)
        location = {"Location": f"/v1/budget-plans/{id_}"}
        return await _answered(tx, request, cause.tenant_id, id_, now, 201, location)


@router.get("")
async def list_budget_plans(
    db: Db,
    caller: CustomerReader,
    paging: Paging,
    now: Now,
    customer_id: UUID | None = None,
    currency: CurrencyCode | None = None,
) -> Page[BudgetPlan]:
    """Plans, the oldest first."""
    filters = named_filters(customer_id=customer_id or caller.customer_id, currency=currency)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await budget_plans.list_plans(
            read, caller.tenant_id, filters, (after[0], after[1]) if after else None, paging.rows
        )
    today = now.astimezone(UTC).date()
    return paging.cut(
        rows,
        item=lambda position: BudgetPlan.on(today, position),
        position=lambda position: (position.plan.agreed_at, position.plan.id),
    )


@router.get("/proposal")
async def propose_budget(
    db: Db,
    caller: Reader,
    now: Now,
    customer_id: UUID,
    currency: CurrencyCode,
    months: Annotated[
        int, Query(ge=1, le=MONTHS_MAX, description="How many months back invoices are looked at")
    ] = MONTHS_DEFAULT,
) -> BudgetProposal:
    """What to agree, by what a customer's invoices of the last months came to a month."""
    from_at = now - timedelta(days=round(months * MONTH_DAYS))
    async with snapshot(db, tenant=caller.tenant_id) as read:
        invoiced = await budget_plans.fetch_invoiced(
            read, caller.tenant_id, customer_id, currency, from_at, now
        )
    return BudgetProposal(
        customer_id=customer_id,
        currency=currency,
        months=months,
        invoices=invoiced.invoices,
        invoiced=invoiced.total,
        first_issued_at=invoiced.first_at,
        amount=monthly_amount(invoiced.total, months),
    )


@router.get("/{budget_plan_id}")
async def get_budget_plan(
    budget_plan_id: BudgetPlanId, db: Db, caller: CustomerReader, now: Now
) -> BudgetPlan:
    """One plan, as it stands."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        plans = await budget_plans.fetch_plans(read, caller.tenant_id, [budget_plan_id])
        positions = await budget_plans.fetch_positions(read, plans)
    if not positions:
        raise NotFound("budget_plan_unknown", "no budget plan has this id")
    return BudgetPlan.on(now.astimezone(UTC).date(), positions[0])


@router.post("/{budget_plan_id}/amount", response_model=BudgetPlan)
async def change_budget_amount(
    budget_plan_id: BudgetPlanId,
    body: NewBudgetAmount,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """Ask for another amount from a day on; the same again changes nothing."""

    def change(position: BudgetPosition) -> domain.BudgetPlan:
        asked = position.instalments_asked()
        return position.plan.with_amount(body.amount, body.from_on, asked)

    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.change_plan(tx, cause, budget_plan_id, change, now)
        return await _answered(tx, request, cause.tenant_id, budget_plan_id, now)


@router.post("/{budget_plan_id}/end", response_model=BudgetPlan)
async def end_budget_plan(
    budget_plan_id: BudgetPlanId,
    body: NewBudgetEnd,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
) -> Response:
    """End a plan early, as of a customer who moves out: it asks for nothing that is due later, and
    is settled by itself as many days after its end as was agreed. The same again changes
    nothing."""

    def end(position: BudgetPosition) -> domain.BudgetPlan:
        return position.plan.ended(body.end_on, position.instalments_asked())

    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.change_plan(tx, cause, budget_plan_id, end, now)
        return await _answered(tx, request, cause.tenant_id, budget_plan_id, now)


@router.post("/{budget_plan_id}/settlement", response_model=BudgetPlan)
async def settle_budget_plan(
    budget_plan_id: BudgetPlanId, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Settle a plan whose time is over, when all invoices of it are there. What was used beyond
    what was asked for is an open item, due by the terms of payment; else the rest is credit, which
    pays what else is open. 409 where it goes on, or was settled."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (answer := await request.fetch_answer(tx)) is not None:
            return answer
        await handlers.settle_plan(tx, cause, budget_plan_id, now)
        return await _answered(tx, request, cause.tenant_id, budget_plan_id, now)


async def _answered(
    tx: WriteConnection,
    request: IdempotentRequest,
    tenant_id: str,
    id_: UUID,
    now: datetime,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer that shows a plan as it is now, stored under the request's key."""
    plans = await budget_plans.fetch_plans(tx, tenant_id, [id_])
    [position] = await budget_plans.fetch_positions(tx, plans)
    shown = BudgetPlan.on(now.astimezone(UTC).date(), position)
    return await request.store_answer(tx, status, shown, headers or {})
