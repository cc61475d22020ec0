"""What simulation does in the background: end the runs that are due."""

from datetime import datetime, timedelta

from gridtally.database import WriteConnection
from gridtally.service.idempotency import idempotency_key_expiry
from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Process
from gridtally.simulation.handlers import runs
from gridtally.simulation.settings import Settings


def loops(process: Process[Settings]) -> list[Loop]:
    """One ends runs, one deletes expired answers to idempotent requests."""
    stalled_after = timedelta(seconds=process.settings.stalled_after_s)

    async def end_due_runs(tx: WriteConnection, now: datetime) -> int:
        return await runs.end_due_runs(tx, now, stalled_after)

    return [
        polling_loop("simulation.runs", end_due_runs, process.database, process.clock),
        idempotency_key_expiry(process),
    ]
