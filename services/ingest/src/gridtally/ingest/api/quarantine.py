"""Blocks in quarantine: why they were refused, and replaying them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel

from gridtally.contracts.metering import ReadingsReceived
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.handlers.quarantine import replay_quarantined
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.store import quarantine

router = Router(prefix="/v1/quarantine", tags=["quarantine"])


async def _recorder(request: Request) -> Recorder:
    recorder: Recorder = request.app.state.recorder
    return recorder


class QuarantinedBlock(BaseModel):
    """A refused block, why it was refused, and when it was replayed, if it was."""

    id: UUID
    event_id: UUID
    reason: str
    detail: str
    recorded_at: datetime
    replayed_at: datetime | None
    reading: ReadingsReceived

    @classmethod
    def of(cls, row: Any) -> "QuarantinedBlock":
        """The block in a row of the table."""
        names = cls.model_fields.keys() - {"reading"}
        reading = ReadingsReceived.model_validate_json(row["value"])
        return cls(reading=reading, **{name: row[name] for name in names})


class ReplayedBlock(BaseModel):
    """A block that has left quarantine."""

    id: UUID
    replayed_at: datetime


@router.get("")
async def list_quarantine(
    db: Db,
    caller: Reader,
    paging: Paging,
    meter_id: UUID | None = None,
    replayed: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Page[QuarantinedBlock]:
    """Refused blocks, oldest first; those that were replayed only with `replayed=true`."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await quarantine.list_quarantined(
            read,
            caller.tenant_id,
            meter_id=meter_id,
            replayed=replayed,
            after=paging.after(datetime.fromisoformat, UUID),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows, item=QuarantinedBlock.of, position=lambda row: (row["recorded_at"], row["id"])
    )


@router.post("/{quarantine_id}/replay")
async def replay_block(
    quarantine_id: UUID,
    db: Db,
    caller: Writer,
    now: Now,
    recorder: Annotated[Recorder, Depends(_recorder)],
) -> ReplayedBlock:
    """Check the block again and store it; 409 when it is refused again."""
    async with transaction(db, tenant=caller.tenant_id) as tx:
        await replay_quarantined(tx, recorder, caller.tenant_id, quarantine_id, now)
    return ReplayedBlock(id=quarantine_id, replayed_at=now)
