"""Replaying a block out of quarantine, once the cause of its refusal is repaired."""

from datetime import datetime
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.ingest.events.blocks import stored_blocks
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import quarantine
from gridtally.kernel.errors import Conflict, NotFound


async def replay_quarantined(
    tx: WriteConnection, recorder: Recorder, tenant_id: str, quarantine_id: UUID, now: datetime
) -> None:
    """Record a block out of quarantine, if it passes the checks now.

    NotFound for an unknown one; Conflict when it was replayed before, or is refused again.
    """
    row = await quarantine.lock_quarantined(tx, tenant_id, quarantine_id)
    if row is None:
        raise NotFound("quarantine_unknown", "nothing lies in quarantine under this id")
    if row["replayed_at"] is not None:
        raise Conflict("already_replayed", "this block has been replayed")
    blocks = stored_blocks([row])
    refusal = await recorder.refusal(tx, blocks, now)
    if refusal is not None:
        raise Conflict("still_refused", f"{refusal.reason}: {refusal.detail}")
    await quarantine.mark_replayed(tx, tenant_id, quarantine_id, now)
    await recorder.record(tx, blocks, now, origin="quarantined")
