"""Events of budget plans on one side, the domain's values on the other."""

from datetime import datetime

from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import in_currency
from gridtally.ledger.accounts.domain.budget_plans import BudgetPlan
from gridtally.ledger.accounts.domain.payment_plans import Instalment
from gridtally.ledger.events import SOURCE
from gridtally.messaging import OutgoingMessage


def budget_plan_changed(
    tenant_id: str, plan: BudgetPlan, version: int, at: datetime, correlation_id: str
) -> OutgoingMessage:
    """`budget_plan.changed`: a plan as it is from now on."""
    event = BudgetPlanChanged.model_validate(
        {
            "plan_id": plan.id,
            "customer_id": plan.customer_id,
            "currency": plan.currency,
            "start_on": plan.start_on,
            "end_on": plan.end_on,
            "instalments": [
                {"due_on": own.due_on, "amount": in_currency(own.amount, plan.currency)}
                for own in plan.instalments
            ],
            "settle_on": plan.settle_on,
            "agreed_at": plan.agreed_at,
            "settled_at": plan.settled_at,
            "settled": in_currency(plan.settled, plan.currency),
            "version": version,
        }
    )
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=correlation_id,
        source=SOURCE,
        event_id=derive_id(event.TOPIC, tenant_id, plan.id, version),
        occurred_at=at,
    )


def budget_plan(event: BudgetPlanChanged) -> BudgetPlan:
    """A plan as it was published."""
    return BudgetPlan(
        id=event.plan_id,
        customer_id=event.customer_id,
        currency=event.currency,
        start_on=event.start_on,
        end_on=event.end_on,
        instalments=tuple(Instalment(own.due_on, own.amount) for own in event.instalments),
        settle_on=event.settle_on,
        agreed_at=event.agreed_at,
        settled_at=event.settled_at,
        settled=event.settled,
    )
