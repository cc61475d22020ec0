"""Events of budget plans: equal amounts that are asked for, and settled against what was used.

What is booked for a plan is published as `transaction.recorded`.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from gridtally.contracts.accounts import Paid
from gridtally.contracts.model import Amount, ContractModel, Count, Currency, Day, Event, Instant

BUDGET_INSTALMENTS_MAX = 24
"""The most instalments of one plan."""


class BudgetInstalment(ContractModel):
    """An instalment of a budget plan."""

    due_on: Day
    """The last day to pay it, in UTC."""
    amount: Paid
    """How much, in the plan's currency."""


class BudgetPlanChanged(Event):
    """A budget plan as it was agreed, changed, ended or settled: what a customer pays in advance,
    in equal amounts. Invoices whose periods begin from `start_on` and before `end_on`, and that
    were issued after it was agreed, wait for its settlement.
    """

    TOPIC: ClassVar[str] = "budget_plan.changed.v1"
    KEY: ClassVar[str] = "plan_id"

    plan_id: UUID
    """The plan."""
    customer_id: UUID
    """Who pays."""
    currency: Currency
    """The currency of all amounts."""
    start_on: Day
    """The first local day of what it is for."""
    end_on: Day
    """The local day after its last."""
    instalments: Annotated[list[BudgetInstalment], Field(max_length=BUDGET_INSTALMENTS_MAX)]
    """What is asked for, by the due days; once it is settled, what was."""
    settle_on: Day
    """The day, in UTC, on which it is settled by itself."""
    agreed_at: Instant
    """When it was agreed, in UTC."""
    settled_at: Instant | None = None
    """When it was settled first, in UTC; null while it was not."""
    settled: Amount
    """What its settlements came to, in `currency`: above zero what was owed, below zero credit."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
