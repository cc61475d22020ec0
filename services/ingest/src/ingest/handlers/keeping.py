"""Taking up again what was kept: blocks whose meter is known by now, and repaired quarantine."""

from datetime import datetime
from uuid import UUID

from database import ALL_TENANTS, Database, WriteConnection, transaction
from ingest.handlers.recording import Recorder
from ingest.store import intake, quarantine
from kernel.errors import Conflict, NotFound

TAKE_BLOCKS_MAX = 1_000


async def take_up_waiting(database: Database, recorder: Recorder, now: datetime) -> int:
    """Record waiting blocks whose meter has been registered, in the order they came; how many.

    A loop does this, not the registration: a block may begin to wait in the very moment in which
    its meter is registered.
    """
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        arrivals = await intake.take_waiting(tx, TAKE_BLOCKS_MAX)
        if arrivals:
            await recorder.record(tx, arrivals, now, origin="waiting")
    return len(arrivals)


async def replay_quarantined(
    tx: WriteConnection, recorder: Recorder, tenant_id: str, quarantine_id: UUID, now: datetime
) -> None:
    """Record a block out of quarantine, if it passes the checks now.

    NotFound for an unknown one; Conflict when it was replayed before, or is refused again.
    """
    row = await quarantine.lock(tx, tenant_id, quarantine_id)
    if row is None:
        raise NotFound("quarantine_unknown", "nothing lies in quarantine under this id")
    if row["replayed_at"] is not None:
        raise Conflict("already_replayed", "this block has been replayed")
    arrivals = intake.kept_arrivals([row])
    refusal = await recorder.refusal(tx, arrivals, now)
    if refusal is not None:
        raise Conflict("refused_again", f"{refusal.reason}: {refusal.detail}")
    await quarantine.mark_replayed(tx, tenant_id, quarantine_id, now)
    await recorder.record(tx, arrivals, now, origin="quarantined")
