"""Billing periods: which are open, which are closed, and closing one by hand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.paging import Page, Paging
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain.periods import ClosedBy
from gridtally.ingest.handlers.periods import force_close
from gridtally.ingest.store import periods
from gridtally.kernel.errors import NotFound

router = APIRouter(prefix="/v1", tags=["periods"])


class Period(BaseModel):
    """A billing period of an agreement; the fields after `revision` are of its newest close."""

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    state: periods.State
    revision: int
    closed_by: ClosedBy | None
    closed_at: datetime | None
    expected: int | None
    present: int | None
    energy_wh: dict[str, int] | None
    digest: str | None

    @classmethod
    def of(cls, row: Any) -> "Period":
        """The period in a row of the table."""
        return cls.model_validate({name: row[name] for name in cls.model_fields})


@router.get("/periods")
async def list_periods(
    db: Db,
    caller: Reader,
    paging: Paging,
    agreement_id: UUID | None = None,
    state: periods.State | None = None,
) -> Page[Period]:
    """Periods by agreement and first day."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await periods.list_periods(
            read,
            caller.tenant_id,
            agreement_id=agreement_id,
            state=state,
            after=paging.after(UUID, date.fromisoformat),
            rows_max=paging.rows,
        )
    return paging.cut(
        rows, item=Period.of, position=lambda row: (row["agreement_id"], row["start_on"])
    )


@router.post("/agreements/{agreement_id}/periods/{start_on}/close")
async def close_period(
    agreement_id: UUID, start_on: date, db: Db, caller: Writer, now: Now
) -> Period:
    """Close an ended period now, with what is there; 409 when it is closed already and has lost no
    value since."""
    async with transaction(db, tenant=caller.tenant_id) as tx:
        await force_close(tx, caller.tenant_id, agreement_id, start_on, now)
        row = await periods.fetch_period(tx, caller.tenant_id, agreement_id, start_on)
    if row is None:
        raise NotFound("period_unknown", "this agreement has no such period")
    return Period.of(row)
