"""What the ledger does in the background: seals, announcements, and a look at what is overdue."""

from datetime import datetime

from database import Database, WriteConnection
from ledger.handlers import announcing, sealing
from serving.passes import Clock, loop_of
from serving.service import Loop

SEAL_POLL_S = 0.25
OVERDUE_POLL_S = 60.0


def loops(database: Database, clock: Clock) -> list[Loop]:
    """One that seals, one that announces, one that looks for what has fallen overdue."""
    return [
        loop_of("ledger.sealer", _seal, database, clock, idle_s=SEAL_POLL_S),
        loop_of("ledger.accounts", announcing.announce_changed, database, clock),
        loop_of("ledger.overdue", announcing.tell_overdue, database, clock, idle_s=OVERDUE_POLL_S),
    ]


async def _seal(tx: WriteConnection, _now: datetime) -> int:
    return await sealing.seal_waiting(tx)
