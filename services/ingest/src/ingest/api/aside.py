"""What was kept aside: blocks in quarantine, and blocks that wait for their meter."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy.engine import RowMapping

from contracts.metering import ReadingsReceived
from database import snapshot, transaction
from ingest.handlers.keeping import replay_quarantined
from ingest.handlers.recording import Recorder
from ingest.tables import quarantine, waiting_block
from serving.auth import Principal, require
from serving.context import Db
from serving.paging import Page, Paging

Reader = Annotated[Principal, Depends(require("ingest:read"))]
Writer = Annotated[Principal, Depends(require("ingest:write"))]


class Quarantined(BaseModel):
    """A refused block, why it was refused, and when it was replayed, if it was."""

    id: UUID
    event_id: UUID
    reason: str
    detail: str
    recorded_at: datetime
    replayed_at: datetime | None
    reading: ReadingsReceived


class WaitingMeter(BaseModel):
    """A meter that is not known, and how many blocks wait for it since when."""

    meter_id: UUID
    blocks: int
    oldest_at: datetime


class Replayed(BaseModel):
    """A block that has left quarantine."""

    id: UUID
    replayed_at: datetime


def router(recorder: Recorder, clock: Callable[[], datetime]) -> APIRouter:
    """`/v1/quarantine` and `/v1/waiting`."""
    api = APIRouter(prefix="/v1", tags=["kept aside"])

    @api.get("/quarantine")
    async def list_quarantine(
        db: Db,
        caller: Reader,
        paging: Paging,
        meter_id: UUID | None = None,
        replayed: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Page[Quarantined]:
        """Refused blocks, oldest first; those that were replayed only when asked for."""
        position = (quarantine.c.recorded_at, quarantine.c.id)
        left = quarantine.c.replayed_at
        statement = (
            sa.select(quarantine)
            .where(quarantine.c.tenant_id == caller.tenant_id)
            .where(left.is_not(None) if replayed else left.is_(None))
            .order_by(*position)
            .limit(paging.rows)
        )
        if meter_id is not None:
            statement = statement.where(quarantine.c.meter_id == meter_id)
        after = paging.after(datetime.fromisoformat, UUID)
        if after is not None:
            statement = statement.where(sa.tuple_(*position) > after)
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await read.all(statement)
        return paging.cut(rows, item=_shown, position=lambda row: (row["recorded_at"], row["id"]))

    @api.post("/quarantine/{quarantine_id}/replay")
    async def replay(quarantine_id: UUID, db: Db, caller: Writer) -> Replayed:
        """Check the block again and store it; 409 when it is refused again."""
        now = clock()
        async with transaction(db, tenant=caller.tenant_id) as tx:
            await replay_quarantined(tx, recorder, caller.tenant_id, quarantine_id, now)
        return Replayed(id=quarantine_id, replayed_at=now)

    @api.get("/waiting")
    async def list_waiting(db: Db, caller: Reader, paging: Paging) -> Page[WaitingMeter]:
        """Meters that are not known yet and that blocks wait for."""
        meter_id = waiting_block.c.meter_id
        statement = (
            sa.select(
                meter_id,
                sa.func.count().label("blocks"),
                sa.func.min(waiting_block.c.recorded_at).label("oldest_at"),
            )
            .where(waiting_block.c.tenant_id == caller.tenant_id)
            .group_by(meter_id)
            .order_by(meter_id)
            .limit(paging.rows)
        )
        after = paging.after(UUID)
        if after is not None:
            statement = statement.where(meter_id > after[0])
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await read.all(statement)
        return paging.cut(
            rows, item=WaitingMeter.model_validate, position=lambda row: (row["meter_id"],)
        )

    return api


def _shown(row: RowMapping) -> Quarantined:
    names = Quarantined.model_fields.keys() - {"reading"}
    reading = ReadingsReceived.model_validate_json(row["value"])
    return Quarantined(reading=reading, **{name: row[name] for name in names})
