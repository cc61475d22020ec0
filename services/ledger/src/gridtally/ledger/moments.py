"""The time that the ledger knows. No meter was read and no money came before or after it.

The database's driver takes the first instant of all and the last for infinity, and no local
calendar holds them; so what lies that far off is refused where it comes in.
"""

from datetime import UTC, datetime, time

from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON

EARLIEST_AT = datetime.combine(EARLIEST_ON, time.min, UTC)
LATEST_AT = datetime.combine(LATEST_ON, time.max, UTC)


def is_known(at: datetime) -> bool:
    """Whether an aware instant lies within it."""
    return EARLIEST_AT <= at <= LATEST_AT
