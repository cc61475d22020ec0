"""Blocks that are pending until their meter is registered."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.ingest.api.callers import Reader
from gridtally.ingest.store import pending_blocks

router = Router(prefix="/v1/pending-blocks", tags=["pending blocks"])


class PendingMeter(BaseModel):
    """A meter that is not known, how many blocks are pending for it, and since when."""

    meter_id: UUID
    blocks: int
    oldest_at: datetime


@router.get("")
async def list_pending_meters(db: Db, caller: Reader, paging: Paging) -> Page[PendingMeter]:
    """Meters that are not known yet and that have pending blocks, by id."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await pending_blocks.list_pending_meters(
            read, caller.tenant_id, after=paging.after(UUID), rows_max=paging.rows
        )
    return paging.cut(
        rows, item=PendingMeter.model_validate, position=lambda row: (row["meter_id"],)
    )
