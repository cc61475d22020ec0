"""Collective invoices that wait for their sections, over HTTP; and their release by hand."""

from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.handlers import collective_members as handlers
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body

router = Router(prefix="/v1/pending-collective-invoices", tags=["collective invoices"])


class PresentPeriod(AnswerModel):
    """A period that is billed and waits for the others."""

    agreement_id: UUID
    """The agreement that is billed."""
    start_on: date
    """The first local day of the period."""
    end_on: date
    """The local day after its last."""


class MissingPeriod(PresentPeriod):
    """A period that a collective invoice waits for."""

    reason: str
    """`not_closed`, or why the period is held."""


class PendingCollectiveInvoice(AnswerModel):
    """A collective invoice that is not issued yet, since some of its sections are missing."""

    customer_id: UUID
    """Who is to pay."""
    start_on: date
    """The first local day of those whose periods share the invoice."""
    end_on: date
    """The local day after the last."""
    reason: Literal["sections_missing", "below_minimum", "due"]
    """What it waits for: sections; the next invoice, since it comes to less than the customer's
    minimum; or nothing, and it is issued within seconds."""
    waits_since: datetime
    """When the first of its periods was billed, UTC."""
    grace_ends_at: datetime
    """When it is issued without what is missing then, UTC; that follows on an invoice of its
    own."""
    released_at: datetime | None
    """When somebody had it issued with what is there; null where nobody did."""
    released_by: str | None
    """The API key that did."""
    present: list[PresentPeriod]
    """The periods that are billed."""
    missing: list[MissingPeriod]
    """The periods that it waits for."""

    @classmethod
    def of(cls, pending: tuple[Any, list[handlers.MissingPeriod]]) -> Self:
        """The invoice of a row, with what it waits for."""
        row, missing = pending
        return cls.model_validate(
            dict(row)
            | {
                "start_on": row["collective_start_on"],
                "end_on": row["collective_end_on"],
                "reason": _reason(row, missing),
                "missing": [
                    MissingPeriod.model_validate(period, from_attributes=True) for period in missing
                ],
            }
        )


def _reason(row: Any, missing: list[handlers.MissingPeriod]) -> str:
    if row["is_below_minimum"]:
        return "below_minimum"
    return "sections_missing" if missing else "due"


class CollectiveInvoiceRelease(Body):
    """Which collective invoice is issued with what is there."""

    customer_id: UUID
    """Whose it is."""
    start_on: date
    """The first of the days whose periods share it."""


class ReleasedCollectiveInvoice(AnswerModel):
    """What becomes of a release."""

    released: int
    """How many periods are issued within seconds."""


@router.get("")
async def list_pending_collective_invoices(
    db: Db, caller: Reader, paging: Paging, customer_id: UUID | None = None
) -> Page[PendingCollectiveInvoice]:
    """Collective invoices that wait for their sections, by customer and day."""
    after = paging.after(UUID, date.fromisoformat)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        pending = await handlers.list_pending(
            read, caller.tenant_id, customer_id, after, paging.rows
        )
    return paging.cut(
        pending,
        item=PendingCollectiveInvoice.of,
        position=lambda own: (own[0]["customer_id"], own[0]["collective_start_on"]),
    )


@router.post("/release")
async def release_collective_invoice(
    body: CollectiveInvoiceRelease, db: Db, cause: WriteCause, now: Now
) -> ReleasedCollectiveInvoice:
    """Have a collective invoice issued with what is there, within seconds; what comes later follows
    on an invoice of its own. The same again changes nothing. 404 where nothing waits."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        released = await handlers.release_members(tx, cause, body.customer_id, body.start_on, now)
    return ReleasedCollectiveInvoice(released=released)
