"""Held periods over HTTP: looked at, dismissed and recalled. What they lack bills them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.handlers import held_periods as handlers
from gridtally.billing.store import held_periods as store
from gridtally.contracts.model import Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body

router = Router(prefix="/v1", tags=["held periods"])


class HeldPeriod(BaseModel):
    """A closed period that cannot be billed until something arrives, or that was dismissed."""

    agreement_id: UUID
    customer_id: UUID | None
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    reason: str
    detail: str
    held_at: datetime
    correlation_id: str
    dismissed_at: datetime | None
    dismissed_by: str | None
    dismissal: str | None

    @classmethod
    def of(cls, row: Any) -> "HeldPeriod":
        """The held period of a row."""
        return cls.model_validate(dict(row))


class Dismissal(Body):
    """That nothing is billed of a held period."""

    reason: Text
    """Why, for whoever looks at it later."""


@router.get("/held-invoices")
async def list_held_periods(
    db: Db,
    caller: Reader,
    paging: Paging,
    reason: Annotated[str | None, Query(max_length=100, description="Why they are held")] = None,
    customer_id: UUID | None = None,
    agreement_id: UUID | None = None,
    meter_id: UUID | None = None,
    ended_by: Annotated[
        date | None, Query(description="Those whose days all lie before this local day")
    ] = None,
    held_before: Annotated[
        datetime | None, Query(description="Those that are held since this instant or longer")
    ] = None,
    state: Annotated[
        Literal["held", "dismissed"], Query(description="Those that wait, or were dismissed")
    ] = "held",
) -> Page[HeldPeriod]:
    """Closed periods without an invoice, with the reason; billed when what they lack arrives."""
    filters = store.HeldFilter(
        reason, customer_id, agreement_id, meter_id, ended_by, held_before, state == "dismissed"
    )
    after = paging.after(UUID, date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_held_periods(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(
        rows,
        item=HeldPeriod.of,
        position=lambda row: (row["agreement_id"], row["start_on"]),
    )


@router.post("/held-invoices/{agreement_id}/{start_on}/dismiss", status_code=204)
async def dismiss_held_period(
    agreement_id: UUID, start_on: date, body: Dismissal, db: Db, cause: WriteCause, now: Now
) -> None:
    """Bill nothing of a held period, for a reason. A newer revision of it, after its readings have
    changed, is billed or held again; a live invoice of an older one stays."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.dismiss_period(tx, cause, agreement_id, start_on, body.reason, now)


@router.post("/held-invoices/{agreement_id}/{start_on}/recall", status_code=204)
async def recall_held_period(agreement_id: UUID, start_on: date, db: Db, cause: WriteCause) -> None:
    """Try a dismissed period again, as any that is held."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.recall_period(tx, cause.tenant_id, agreement_id, start_on)
