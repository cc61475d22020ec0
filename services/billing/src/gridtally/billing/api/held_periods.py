"""Held periods over HTTP; nothing here writes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from gridtally.billing.api.callers import Reader
from gridtally.billing.store import held_periods as store
from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.paging import Page, Paging

router = APIRouter(prefix="/v1", tags=["held periods"])


class HeldPeriod(BaseModel):
    """A closed period that cannot be billed until something arrives."""

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    reason: str
    detail: str
    held_at: datetime
    correlation_id: str

    @classmethod
    def of(cls, row: Any) -> "HeldPeriod":
        """The held period of a row."""
        return cls.model_validate(dict(row))


@router.get("/held-invoices")
async def list_held_periods(db: Db, caller: Reader, paging: Paging) -> Page[HeldPeriod]:
    """Closed periods without an invoice, with the reason; billed when what they lack arrives."""
    after = paging.after(UUID, date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_held_periods(read, caller.tenant_id, after, paging.rows)
    return paging.cut(
        rows,
        item=HeldPeriod.of,
        position=lambda row: (row["agreement_id"], row["start_on"]),
    )
