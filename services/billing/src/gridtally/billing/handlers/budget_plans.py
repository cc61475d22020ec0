"""The ledger's budget plans are stored: who pays by one is not on prepayment too."""

from collections.abc import Sequence

from gridtally.billing.store import budget_plans
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.database import WriteConnection
from gridtally.messaging import ReceivedMessage, newest_events


async def apply_plans(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[BudgetPlanChanged]]
) -> None:
    """Store budget plans as they are now."""
    await budget_plans.upsert_plans(tx, newest_events(messages, lambda event: event.version))
