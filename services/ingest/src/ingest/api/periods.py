"""Billing periods: which are open, which are closed, and closing one by hand."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from database import snapshot, transaction
from ingest.api.callers import Reader, Writer
from ingest.handlers.closing import force_close
from ingest.store import listings
from kernel.errors import NotFound
from serving.context import Db
from serving.paging import Page, Paging


class Period(BaseModel):
    """A billing period of an agreement; what stands after `revision` is of its newest close."""

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    state: Literal["open", "closed"]
    revision: int
    closed_by: Literal["complete", "grace", "forced"] | None
    closed_at: datetime | None
    expected: int | None
    present: int | None
    energy_wh: dict[str, int] | None
    digest: str | None


def router(clock: Callable[[], datetime]) -> APIRouter:
    """`/v1/periods`, and the one that closes."""
    api = APIRouter(prefix="/v1", tags=["periods"])

    @api.get("/periods")
    async def list_periods(
        db: Db,
        caller: Reader,
        paging: Paging,
        agreement_id: UUID | None = None,
        state: listings.State | None = None,
    ) -> Page[Period]:
        """Periods by agreement and first day."""
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await listings.fetch_periods(
                read,
                caller.tenant_id,
                agreement_id=agreement_id,
                state=state,
                after=paging.after(UUID, date.fromisoformat),
                rows=paging.rows,
            )
        return paging.cut(
            rows, item=_shown, position=lambda row: (row["agreement_id"], row["start_on"])
        )

    @api.post("/agreements/{agreement_id}/periods/{start_on}/close")
    async def close_period(agreement_id: UUID, start_on: date, db: Db, caller: Writer) -> Period:
        """Close an ended period now, with what is there; 409 when it is closed already and has
        lost no value since."""
        async with transaction(db, tenant=caller.tenant_id) as tx:
            await force_close(tx, caller.tenant_id, agreement_id, start_on, clock())
            row = await listings.fetch_period(tx, caller.tenant_id, agreement_id, start_on)
        if row is None:
            raise NotFound("period_unknown", "this agreement has no such period")
        return _shown(row)

    return api


def _shown(row: Any) -> Period:
    return Period.model_validate({name: row[name] for name in Period.model_fields})
