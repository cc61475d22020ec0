"""What billing does in the background: take up what a new fact has made due."""

from billing.handlers import days, periods
from database import Database
from serving.passes import Clock, loop_of
from serving.service import Loop


def loops(database: Database, clock: Clock) -> list[Loop]:
    """One for held periods, one for days to be priced again."""
    return [
        loop_of("billing.held_periods", periods.retry_held_periods, database, clock),
        loop_of("billing.due_days", days.price_due_days, database, clock),
    ]
