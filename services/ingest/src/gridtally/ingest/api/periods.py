"""Billing periods: which are open, which are closed, and closing one by hand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.ingest.api.callers import Archived, Reader, Writer
from gridtally.ingest.domain.periods import ClosedBy, OpenPeriod
from gridtally.ingest.handlers.periods import force_close
from gridtally.ingest.store import period_lists, periods
from gridtally.kernel.errors import NotFound

router = Router(prefix="/v1", tags=["periods"])


class Period(BaseModel):
    """A billing period of an agreement; the fields after `revision` are of its newest close.

    Of an open period `expected` and `present` are the intervals that make it complete, and those
    that are there now; null where its meter is not known.
    """

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    state: periods.State
    late_since: datetime | None
    revision: int
    closed_by: ClosedBy | None
    closed_at: datetime | None
    expected: int | None
    present: int | None
    energy_wh: dict[str, int] | None
    digest: str | None

    @classmethod
    def of(
        cls, row: Any, progress: tuple[OpenPeriod, int] | None = None, now: datetime | None = None
    ) -> "Period":
        """The period in a row of the table; an open one with how far it has come by now."""
        fields = {name: row[name] for name in cls.model_fields if name != "late_since"}
        late_since = None
        if progress is not None:
            period, present = progress
            fields |= {"expected": period.expected, "present": present}
            if now is not None and period.end_at <= now:
                late_since = period.end_at
        return cls.model_validate(fields | {"late_since": late_since})


@router.get("/periods")
async def list_periods(
    db: Db,
    caller: Reader,
    paging: Paging,
    now: Now,
    agreement_id: UUID | None = None,
    meter_id: UUID | None = None,
    state: periods.State | None = None,
    ended_by: date | None = None,
) -> Page[Period]:
    """Periods by agreement and first day. `state=open` with today as `ended_by`: what is late."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await period_lists.list_periods(
            read,
            caller.tenant_id,
            agreement_id=agreement_id,
            meter_id=meter_id,
            state=state,
            ended_by=ended_by,
            after=paging.after(UUID, date.fromisoformat),
            rows_max=paging.rows,
        )
        open_keys = [
            (caller.tenant_id, row["agreement_id"], row["start_on"])
            for row in rows
            if row["state"] == "open"
        ]
        progress = await periods.fetch_progress(read, open_keys)
    return paging.cut(
        rows,
        item=lambda row: Period.of(
            row, progress.get((caller.tenant_id, row["agreement_id"], row["start_on"])), now
        ),
        position=lambda row: (row["agreement_id"], row["start_on"]),
    )


@router.post("/agreements/{agreement_id}/periods/{start_on}/close")
async def close_period(
    agreement_id: UUID, start_on: date, db: Db, archive: Archived, caller: Writer, now: Now
) -> Period:
    """Close an ended period now, with what is there; 409 when it is closed already and has lost no
    value since."""
    async with transaction(db, tenant=caller.tenant_id) as tx:
        await force_close(tx, archive, caller.tenant_id, agreement_id, start_on, now)
        row = await period_lists.fetch_period(tx, caller.tenant_id, agreement_id, start_on)
    if row is None:
        raise NotFound("period_unknown", "this agreement has no such period")
    return Period.of(row)
