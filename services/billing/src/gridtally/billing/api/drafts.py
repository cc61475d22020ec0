"""Drafts of invoices over HTTP: which wait for approval, approving and rejecting them; and whether
a tenant wants that."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.domain import drafts as domain
from gridtally.billing.handlers import drafts as handlers
from gridtally.billing.store import drafts as store
from gridtally.contracts.invoice_lines import InvoiceLine
from gridtally.contracts.model import Amount, Currency, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.errors import NotFound

router = Router(prefix="/v1", tags=["drafts"])


class InvoiceDraft(AnswerModel):
    """A bill that waits for approval: it has no number, and is not published or booked."""

    id: UUID
    """The draft, and the invoice that it becomes."""
    agreement_id: UUID
    """The agreement that is billed."""
    customer_id: UUID
    """Who is to pay."""
    meter_id: UUID
    """Whose energy is billed."""
    start_on: date
    """The first local day of its period."""
    end_on: date
    """The local day after the last."""
    revision: int
    """The number of the closed period's revision that is billed."""
    restatement: int
    """How often the same revision was issued before, because an earlier period was corrected."""
    currency: str
    """The currency of its amounts."""
    net: Amount
    """The sum of its lines but taxes."""
    tax: Amount
    """The taxes."""
    total: Amount
    """Net and tax."""
    replaces_id: UUID | None
    """The live invoice that is credited when it is issued; null where the period has none."""
    state: domain.DraftState
    """`pending`; `approved`, and issued within a second; `rejected`."""
    decided_by: str | None
    """The API key that approved or rejected it."""
    decided_at: datetime | None
    """When, UTC."""
    reason: str | None
    """Why it was rejected."""
    drafted_at: datetime
    """When it was made, UTC."""
    correlation_id: str
    """The id that follows it through all services."""
    version: int
    """Its ETag: it counts what has become of the draft of its period."""

    @classmethod
    def of(cls, draft: Any) -> Self:
        """The draft of a row, or of the domain."""
        return cls.model_validate(draft, from_attributes=True)


class InvoiceDraftDetail(InvoiceDraft):
    """A draft with its lines."""

    lines: list[InvoiceLine]
    """The charges and credits, as they will be on the invoice."""


class DraftRejection(Body):
    """Why a draft is not to be issued."""

    reason: Text
    """What is wrong with it."""


class DraftApprovals(Body):
    """Which drafts are approved, of those that nobody has decided; what is left out asks for all.

    At most a thousand at once.
    """

    customer_id: UUID | None = None
    """Those of this customer."""
    agreement_id: UUID | None = None
    """Those of this agreement."""
    from_: Annotated[date | None, Field(alias="from")] = None
    """Those of periods that begin on this local day or later."""
    to: date | None = None
    """Those of periods that end before this local day, or with it as the day after the last."""
    total_max: Amount | None = None
    """Those of at most this total."""
    currency: Currency | None = None
    """Those in this currency."""


class ApprovedDrafts(AnswerModel):
    """What became of drafts that were approved together."""

    approved: int
    """How many were approved."""
    is_all: bool
    """Whether that was all; else the same request approves the next thousand."""


class InvoicingTerms(AnswerModel):
    """How a tenant issues invoices."""

    approval: Literal["none", "required"]
    """Whether each is a draft until somebody approves it."""
    runs_approved_by: domain.RunsApprover
    """Whether a billing run may be approved by the key that made it, or only by another one."""


class NewInvoicingTerms(Body):
    """How a tenant issues invoices from now on."""

    approval: Literal["none", "required"]
    """Whether each is a draft until somebody approves it; `none` issues those that wait."""
    runs_approved_by: domain.RunsApprover | None = None
    """Whether a billing run may be approved by the key that made it, or only by another one; as it
    is where it is left out."""


@router.get("/invoicing-terms")
async def get_invoicing_terms(db: Db, caller: Reader) -> InvoicingTerms:
    """Whether the tenant approves its invoices before they are issued."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        approving = await store.fetch_approving(read, [caller.tenant_id])
        approver = await store.fetch_runs_approver(read, caller.tenant_id)
    return InvoicingTerms(approval="required" if approving else "none", runs_approved_by=approver)


@router.put("/invoicing-terms")
async def put_invoicing_terms(body: NewInvoicingTerms, db: Db, cause: WriteCause) -> InvoicingTerms:
    """Have invoices approved from now on, or not any more: then what waits is issued within
    seconds."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        is_required = body.approval == "required"
        approver = await handlers.change_approval(
            tx, cause.tenant_id, body.runs_approved_by, is_required=is_required
        )
    return InvoicingTerms(approval=body.approval, runs_approved_by=approver)


@router.get("/invoice-drafts")
async def list_invoice_drafts(
    db: Db,
    caller: Reader,
    paging: Paging,
    customer_id: UUID | None = None,
    agreement_id: UUID | None = None,
    start_on: Annotated[date | None, Query(alias="from")] = None,
    end_on: Annotated[date | None, Query(alias="to")] = None,
    state: Annotated[
        domain.DraftState | None, Query(description="Those of which so much is decided")
    ] = None,
) -> Page[InvoiceDraft]:
    """Drafts, those of the earliest periods first; `from` and `to` bound their periods."""
    filters = store.DraftFilter(customer_id, agreement_id, start_on, end_on, state=state)
    after = paging.after(date.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_drafts(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=InvoiceDraft.of, position=lambda row: (row["start_on"], row["id"]))


@router.post("/invoice-drafts/approve")
async def approve_invoice_drafts(
    body: DraftApprovals, db: Db, cause: WriteCause, now: Now
) -> ApprovedDrafts:
    """Approve many drafts; those that were changed or decided meanwhile are left out."""
    filters = store.DraftFilter(
        body.customer_id,
        body.agreement_id,
        body.from_,
        body.to,
        body.total_max,
        body.currency,
        "pending",
    )
    async with transaction(db, tenant=cause.tenant_id) as tx:
        approved, is_more = await handlers.approve_drafts(tx, cause, filters, now)
    return ApprovedDrafts(approved=approved, is_all=not is_more)


@router.get("/invoice-drafts/{draft_id}")
async def get_invoice_draft(
    draft_id: UUID, db: Db, caller: Reader, response: Response
) -> InvoiceDraftDetail:
    """A draft with its lines."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        row = await store.fetch_draft(read, caller.tenant_id, draft_id)
    if row is None:
        raise NotFound("draft_unknown", f"there is no draft {draft_id}, or another took its place")
    tag(response, row["version"])
    lines = [InvoiceLine.model_validate(line) for line in row["lines"]]
    return InvoiceDraftDetail(**InvoiceDraft.of(row).model_dump(), lines=lines)


@router.post("/invoice-drafts/{draft_id}/approve")
async def approve_invoice_draft(
    draft_id: UUID,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> InvoiceDraft:
    """Approve a draft: it is issued within a second, if it still comes to the same lines. The same
    again changes nothing; 409 once it is issued."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        draft = await handlers.lock_draft(tx, cause.tenant_id, draft_id)
        if draft.state != "approved":
            if_match.check(draft.version)
        draft = draft.approved(cause, now)
        await handlers.decide(tx, [draft])
    tag(response, draft.version)
    return InvoiceDraft.of(draft)


@router.post("/invoice-drafts/{draft_id}/reject")
async def reject_invoice_draft(
    draft_id: UUID,
    body: DraftRejection,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> InvoiceDraft:
    """Reject a draft: its period is held until a correction changes its bill, which is a new draft,
    or until it is approved after all. 409 once it was approved."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        draft = await handlers.lock_draft(tx, cause.tenant_id, draft_id)
        if_match.check(draft.version)
        draft = draft.rejected(cause, now, body.reason)
        await handlers.decide(tx, [draft])
    tag(response, draft.version)
    return InvoiceDraft.of(draft)
