"""What simulation does in the background: end the runs that are due."""

from datetime import datetime, timedelta

from gridtally.database import WriteConnection
from gridtally.http.idempotency import purge_expired
from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Process
from gridtally.simulation.handlers import runs
from gridtally.simulation.settings import Settings

PURGE_IDLE_S = 60.0


def loops(process: Process[Settings]) -> list[Loop]:
    """One ends runs, one deletes expired answers to idempotent requests."""
    database, clock = process.database, process.clock
    stalled_after = timedelta(seconds=process.settings.stalled_after_s)

    async def end_due_runs(tx: WriteConnection, now: datetime) -> int:
        return await runs.end_due_runs(tx, now, stalled_after)

    async def purge(tx: WriteConnection, now: datetime) -> int:
        del now
        return await purge_expired(tx)

    return [
        polling_loop("simulation.runs", end_due_runs, database, clock),
        polling_loop("simulation.expired_keys", purge, database, clock, idle_s=PURGE_IDLE_S),
    ]
