"""Billing runs over HTTP: what waits, what stands out, approving it all, and how far it is."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.domain import billing_runs as domain
from gridtally.billing.handlers import billing_runs as handlers
from gridtally.billing.store import billing_runs as store
from gridtally.contracts.model import Amount, Text
from gridtally.database import ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import etag
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body, location_of
from gridtally.kernel.ids import new_id

router = Router(prefix="/v1/billing-runs", tags=["billing runs"])


class NewBillingRun(Body):
    """A run to be made; the same `id` again answers what exists."""

    id: UUID = Field(default_factory=new_id)
    name: Text
    """What people call it."""
    start_on: date
    """Bills of periods that begin on this local day or later."""
    end_on: date
    """Bills of periods that end on this local day, as the day after the last, or earlier."""
    customer_ids: Annotated[tuple[UUID, ...], Field(max_length=domain.CUSTOMERS_MAX)] = ()
    """Those of these customers; of all where it is empty."""
    shock_percent: Annotated[int, Field(ge=0, le=domain.SHOCK_PERCENT_MAX)] = (
        domain.SHOCK_PERCENT_DEFAULT
    )
    """A bill stands out whose cost per day differs by more than this from the meter's last one, in
    percent of that."""


class RunApproval(Body):
    """That the bills that were seen are to be issued."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """The run's `digest` as it was seen."""


class RunTotals(AnswerModel):
    """What the bills that wait come to in one currency."""

    currency: str
    """The currency of the amounts."""
    bills: int
    """How many wait."""
    net: Amount
    """The sum of their lines but taxes."""
    tax: Amount
    """Their taxes."""
    total: Amount
    """Net and tax."""
    compared_bills: int
    """How many of them have a bill before, of the same customer and meter."""
    compared_total: Amount
    """What these come to."""
    last_total: Amount
    """What their bills before came to."""
    bill_shocks: int
    """How many differ from their bill before by more than the run's limit."""
    without_use: int
    """How many bill no energy."""
    estimated: int
    """How many rest on values that are estimated, substituted or missing."""


class RunProgress(AnswerModel):
    """How far a run has come."""

    pending: int
    """Bills that wait and that nobody has decided."""
    approved: int
    """Bills that were approved with the run, and are issued within a second."""
    issued: int
    """Bills that were issued because the run was approved."""
    held: int
    """Periods of the same days and customers that are held for something else."""


class BillingRun(AnswerModel):
    """A run over the drafts of a time, as they are now."""

    id: UUID
    name: str
    """What people call it."""
    start_on: date
    """The first local day of the periods that it takes."""
    end_on: date
    """The local day after the last."""
    customer_ids: tuple[UUID, ...]
    """Whose bills it takes; of all customers where it is empty."""
    shock_percent: int
    """By how many percent of the bill before a cost per day must differ to stand out."""
    state: domain.RunState
    """`proposed`; `approved`, its bills are being issued; `issued`, all are; `cancelled`."""
    created_by: str
    """The API key that made it."""
    created_at: datetime
    """When, UTC."""
    decided_by: str | None
    """The API key that approved or cancelled it; null for none."""
    decided_at: datetime | None
    """When, UTC."""
    version: int
    """Its ETag."""


class BillingRunReport(BillingRun):
    """A run with what its bills come to."""

    digest: str
    """What the bills that wait are now: an approval names it."""
    totals: list[RunTotals]
    """What waits, by currency."""
    progress: RunProgress
    """How far it has come."""

    @classmethod
    async def of(cls, read: ReadConnection, run: domain.BillingRun) -> Self:
        """The run as the API shows it, of what there is now."""
        totals = await store.fetch_totals(read, run)
        progress = await store.fetch_progress(read, run)
        shown = BillingRun.model_validate(run, from_attributes=True)
        return cls(
            **shown.model_dump(),
            digest=await store.fetch_digest(read, run),
            totals=[RunTotals.model_validate(own, from_attributes=True) for own in totals],
            progress=RunProgress.model_validate(progress, from_attributes=True),
        )


class RunFinding(AnswerModel):
    """Something about a bill that a person should look at."""

    kinds: list[domain.FindingKind]
    """What stands out: the cost per day, that no energy is billed, that values are not actual, or
    that the period is held."""
    agreement_id: UUID
    customer_id: UUID
    meter_id: UUID
    start_on: date
    """The first local day of its period."""
    end_on: date
    """The local day after the last."""
    draft_id: UUID | None
    """The draft; null of a held period."""
    currency: str | None
    """The currency of the amounts; null of a held period."""
    total: Amount | None
    """What the bill comes to; null of a held period."""
    last_total: Amount | None
    """What the bill before came to, of the same customer and meter; null where there is none."""
    reason: str | None
    """Why the period is held; null of a draft."""


@router.post("", status_code=201, response_model=BillingRunReport)
async def create_billing_run(
    new: NewBillingRun, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Make a run: a dry run, that issues nothing.

    409 `approval_not_required` where the tenant's invoices are issued as readings complete.
    """
    run = domain.checked_run(
        **dict(new), tenant_id=cause.tenant_id, created_by=cause.key_id, created_at=now
    )
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        run, is_new = await handlers.propose_run(tx, run)
        body = await BillingRunReport.of(tx, run)
        headers = {"ETag": etag(run.version)}
        headers |= location_of(f"/v1/billing-runs/{run.id}", created=is_new)
        return await request.store_answer(tx, 201 if is_new else 200, body, headers)


@router.get("")
async def list_billing_runs(
    db: Db, caller: Reader, paging: Paging, state: domain.RunState | None = None
) -> Page[BillingRun]:
    """Runs, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        runs = await store.list_runs(read, caller.tenant_id, state, after, paging.rows)
    return paging.cut(
        runs,
        item=lambda run: BillingRun.model_validate(run, from_attributes=True),
        position=lambda run: (run.created_at, run.id),
    )


@router.get("/{run_id}")
async def get_billing_run(
    run_id: UUID, db: Db, caller: Reader, response: Response
) -> BillingRunReport:
    """A run, what its bills come to now, and how far it has come."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        run = await store.fetch_run(read, caller.tenant_id, run_id)
        if run is None:
            raise handlers.unknown_run(run_id)
        response.headers["ETag"] = etag(run.version)
        return await BillingRunReport.of(read, run)


@router.get("/{run_id}/findings")
async def list_run_findings(
    run_id: UUID,
    db: Db,
    caller: Reader,
    paging: Paging,
    kind: Annotated[
        domain.FindingKind | None, Query(description="Those of this kind alone")
    ] = None,
) -> Page[RunFinding]:
    """What stands out among the bills of a run, the earliest periods first."""
    after = paging.after(date.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        run = await store.fetch_run(read, caller.tenant_id, run_id)
        if run is None:
            raise handlers.unknown_run(run_id)
        rows = await store.list_findings(read, run, kind, after, paging.rows)
    return paging.cut(
        rows,
        item=lambda row: RunFinding.model_validate(dict(row)),
        position=lambda row: (row["start_on"], row["agreement_id"]),
    )


@router.post("/{run_id}/approve")
async def approve_billing_run(
    run_id: UUID, body: RunApproval, db: Db, cause: WriteCause, now: Now
) -> BillingRunReport:
    """Have all its bills issued, which goes on by itself; the same again changes nothing.

    409 `billing_run_changed` where its drafts are not those of the digest, `same_person` where the
    tenant wants another key to approve it than that which made it.
    """
    async with transaction(db, tenant=cause.tenant_id) as tx:
        run = await handlers.lock_run(tx, cause.tenant_id, run_id)
        run = await handlers.approve_run(tx, cause, run, body.digest, now)
        return await BillingRunReport.of(tx, run)


@router.post("/{run_id}/cancel")
async def cancel_billing_run(run_id: UUID, db: Db, cause: WriteCause, now: Now) -> BillingRunReport:
    """Let nothing come of it; its drafts stay as they are. 409 once it was approved."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        run = await handlers.lock_run(tx, cause.tenant_id, run_id)
        run = await handlers.cancel_run(tx, cause, run, now)
        return await BillingRunReport.of(tx, run)
