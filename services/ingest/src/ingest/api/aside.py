"""What was kept aside: blocks in quarantine, blocks that wait for their meter, and reads of
registers that do not fit one another."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from contracts.metering import ReadingsReceived
from database import snapshot, transaction
from ingest.api.callers import Reader, Writer
from ingest.domain.meters import Flow
from ingest.domain.registers import Reason
from ingest.handlers.keeping import replay_quarantined
from ingest.handlers.recording import Recorder
from ingest.store import listings
from serving.context import Db
from serving.paging import Page, Paging


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


class HeldStretch(BaseModel):
    """From one read of a register to the next, between which no energy is known; the values are
    what the dial showed, in kWh.

    `fall`: too little for a rollover, so one of the reads is mistaken. `other_dial`: the reads are
    not of the same dial. `too_old`: the first was taken before anything that is stored.
    """

    meter_id: UUID
    flow: Flow
    start_at: datetime
    end_at: datetime
    reason: Reason
    start_value: Decimal
    end_value: Decimal


class Replayed(BaseModel):
    """A block that has left quarantine."""

    id: UUID
    replayed_at: datetime


def router(recorder: Recorder, clock: Callable[[], datetime]) -> APIRouter:
    """`/v1/quarantine`, `/v1/waiting` and `/v1/held-stretches`."""
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
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await listings.fetch_quarantined(
                read,
                caller.tenant_id,
                meter_id=meter_id,
                replayed=replayed,
                after=paging.after(datetime.fromisoformat, UUID),
                rows=paging.rows,
            )
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
        after = paging.after(UUID)
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await listings.fetch_waiting_meters(
                read, caller.tenant_id, after=after[0] if after else None, rows=paging.rows
            )
        return paging.cut(
            rows, item=WaitingMeter.model_validate, position=lambda row: (row["meter_id"],)
        )

    @api.get("/held-stretches")
    async def list_held_stretches(
        db: Db, caller: Reader, paging: Paging, meter_id: UUID | None = None
    ) -> Page[HeldStretch]:
        """Where two reads of a register make no energy, by meter, flow and moment.

        Correct or withdraw the mistaken read in the ledger, and the stretch leaves this list.
        """
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await listings.fetch_held_stretches(
                read,
                caller.tenant_id,
                meter_id=meter_id,
                after=paging.after(UUID, str, datetime.fromisoformat),
                rows=paging.rows,
            )
        return paging.cut(
            rows,
            item=HeldStretch.model_validate,
            position=lambda row: (row["meter_id"], row["flow"], row["start_at"]),
        )

    return api


def _shown(row: Any) -> Quarantined:
    names = Quarantined.model_fields.keys() - {"reading"}
    reading = ReadingsReceived.model_validate_json(row["value"])
    return Quarantined(reading=reading, **{name: row[name] for name in names})
