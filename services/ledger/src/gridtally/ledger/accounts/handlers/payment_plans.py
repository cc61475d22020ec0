"""Agreeing payment plans, cancelling them, and taking over what was published of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.accounts import PaymentPlanChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.payment_plans import (
    REDUCING_KINDS,
    CancelReason,
    EqualInstalments,
    PaymentPlan,
    PlannedItem,
    RequestedInstalment,
    instalments_of,
    requested_items,
)
from gridtally.ledger.accounts.domain.transactions import sum_of
from gridtally.ledger.accounts.store import (
    customer_accounts,
    customers,
    open_items,
    payment_plans,
)
from gridtally.messaging import ReceivedMessage, enqueue

PLANS_MAX = 1_000
"""Looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class RequestedPlan:
    """What is to be paid in instalments, and in which."""

    customer_id: UUID
    currency: str
    item_ids: Sequence[UUID]
    instalments: EqualInstalments | Sequence[RequestedInstalment]
    grace_days: int


async def plan_of(
    read: ReadConnection, tenant_id: str, wanted: RequestedPlan, now: datetime
) -> PaymentPlan:
    """The plan as it would be agreed now; Rejected where an item is not open or the instalments do
    not fit, Conflict where an item is in another plan. To agree it the customer must be locked."""
    key = (tenant_id, wanted.customer_id, wanted.currency)
    accounts = await customer_accounts.fetch_customer_accounts(read, [key], wanted.item_ids)
    agreed = requested_items(accounts[key], wanted.item_ids)
    others = await payment_plans.fetch_live_of(read, [key[:2]])
    planned = {
        item.id
        for position in others.get(key[:2], ())
        for item in position.plan.items
        if position.open_of(item)
    }
    if taken := [index for index, id_ in enumerate(agreed) if id_ in planned]:
        fault = Fault(f"/invoice_ids/{taken[0]}", "must be in no other plan; cancel that first")
        raise Conflict("item_planned", "it is to be paid by another plan", (fault,))
    live = await open_items.fetch_allocations_of_items(read, [(tenant_id, id_) for id_ in agreed])
    reduced = {
        id_: sum_of(own.amount for own in allocations if own.source_kind in REDUCING_KINDS)
        for (_, id_), allocations in live.items()
    }
    today = now.astimezone(UTC).date()
    total = sum_of(agreed.values())
    return PaymentPlan(
        id=new_id(),
        customer_id=wanted.customer_id,
        currency=wanted.currency,
        items=tuple(
            PlannedItem(id_, amount, reduced.get(id_, ZERO)) for id_, amount in agreed.items()
        ),
        instalments=instalments_of(wanted.instalments, total, wanted.currency, today),
        grace_days=wanted.grace_days,
        agreed_at=now,
    )


async def agree_plan(
    tx: WriteConnection, cause: Cause, wanted: RequestedPlan, now: datetime
) -> UUID:
    """Store and publish a plan; the customer's arrears are published again. Returns its id."""
    await customers.lock_customers(tx, [(cause.tenant_id, wanted.customer_id)])
    plan = await plan_of(tx, cause.tenant_id, wanted, now)
    look_on = plan.next_look_on(now.astimezone(UTC).date())
    await payment_plans.put_plan(tx, cause.tenant_id, plan, 1, look_on)
    await enqueue(tx, [events.payment_plan_changed(plan, 1, cause)])
    return plan.id


async def cancel_plan(
    tx: WriteConnection, cause: Cause, id_: UUID, reason: CancelReason, now: datetime
) -> None:
    """Have the items due as they were; NotFound where there is no such plan, Conflict where it has
    ended."""
    plans = await payment_plans.fetch_plans(tx, cause.tenant_id, [id_])
    if not plans:
        raise NotFound("payment_plan_unknown", "no payment plan has this id")
    await customers.lock_customers(tx, [(cause.tenant_id, plans[0].plan.customer_id)])
    [position] = await payment_plans.fetch_plans(tx, cause.tenant_id, [id_])
    position.require_live(now.astimezone(UTC).date())
    version = await payment_plans.cancel_plan(tx, cause.tenant_id, id_, now, reason)
    cancelled = replace(position.plan, cancelled_at=now, cancel_reason=reason)
    await enqueue(tx, [events.payment_plan_changed(cancelled, version, cause)])


async def report_late(tx: WriteConnection, now: datetime) -> int:
    """Have balances published of whom an instalment may be late since today (UTC), or a plan be
    broken. Returns how many plans that were."""
    today = now.astimezone(UTC).date()
    plans = await payment_plans.fetch_to_look_at(tx, today, PLANS_MAX)
    if plans:
        await customers.lock_customers(tx, [(own.tenant_id, own.plan.customer_id) for own in plans])
        await payment_plans.update_look_on(
            tx, [(own.tenant_id, own.plan.id, own.plan.next_look_on(today)) for own in plans]
        )
    return len(plans)


async def adopt_plans(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PaymentPlanChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: plans in the versions that were published. They are looked at as soon as one
    of their days has come, since nobody knows what of them was published."""
    for message in messages:
        if message.event is not None:
            plan = events.payment_plan(message.event)
            look_on = plan.next_look_on(plan.agreed_at.date())
            tenant_id = message.envelope.tenant_id
            await payment_plans.put_plan(tx, tenant_id, plan, message.event.version, look_on)
    return []
