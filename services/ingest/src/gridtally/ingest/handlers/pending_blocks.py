"""Recording pending blocks, whose meter has been registered by now, and dropping those that have
waited too long."""

from datetime import datetime

import structlog

from gridtally.database import WriteConnection
from gridtally.ingest.events.blocks import stored_blocks
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import pending_blocks
from gridtally.ingest.store.intake_counts import IntakeCounts

PENDING_BLOCKS_MAX = 1_000
"""Blocks that are recorded, or dropped, in one transaction."""

log = structlog.get_logger(__name__)


async def record_pending(tx: WriteConnection, recorder: Recorder, now: datetime) -> int:
    """Record pending blocks whose meter has been registered, in the order they came.

    Returns how many. A loop does this, not the registration: a block may become pending in the very
    moment in which its meter is registered.
    """
    rows = await pending_blocks.take_pending(tx, PENDING_BLOCKS_MAX)
    if rows:
        await recorder.record(tx, stored_blocks(rows), now, origin="pending")
    return len(rows)


async def drop_expired(tx: WriteConnection, before: datetime) -> int:
    """Drop the oldest blocks that have been pending since before an instant, and count them as
    `dropped`. Returns how many."""
    expired = await pending_blocks.delete_expired(tx, before, PENDING_BLOCKS_MAX)
    counts = IntakeCounts()
    for tenant_id, blocks in expired.items():
        counts.add_expired(tenant_id, blocks)
        log.warning("pending blocks dropped", tenant_id=tenant_id, blocks=blocks)
    await counts.save(tx)
    return sum(expired.values())
