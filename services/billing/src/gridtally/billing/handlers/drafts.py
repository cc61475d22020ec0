"""Drafts: which bills wait for approval, and what was decided of them.

Approving issues nothing by itself: the held period is due then, and billed again by the loop, which
issues it if it still comes to the lines that were approved. So a process may end at any moment.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from gridtally.billing.domain.drafts import Draft, RunsApprover, draft_of, held_draft
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import BilledPeriod, PeriodKey
from gridtally.billing.events.json_form import canonically_encoded
from gridtally.billing.store import agreements, drafts, held_periods, invoices, reference_data
from gridtally.billing.store.drafts import DraftFilter
from gridtally.database import WriteConnection
from gridtally.database.rows import from_row
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.resources import Cause
from gridtally.rating.line_documents import line_document

APPROVALS_MAX = 1_000
"""Drafts that one request approves; their agreements are locked until it ends."""


async def hold_drafts(
    tx: WriteConnection,
    billed_periods: Sequence[BilledPeriod],
    replaced: Mapping[PeriodKey, Invoice],
    now: datetime,
) -> tuple[set[PeriodKey], dict[PeriodKey, Draft]]:
    """Hold those of these bills that their tenants have not approved, each as a draft.

    Returns the periods that are held, and the approved drafts of others.
    """
    tenants = {billed.closed.tenant_id for billed in billed_periods}
    approving = await drafts.fetch_approving(tx, tenants) if tenants else set()
    chosen = [billed for billed in billed_periods if billed.closed.tenant_id in approving]
    before = await drafts.fetch_drafts(tx, [billed.key for billed in chosen])
    approved: dict[PeriodKey, Draft] = {}
    held, stored = [], dict[str, list[Draft]]()
    for billed in chosen:
        lines = canonically_encoded([line_document(line) for line in billed.bill.lines])
        live = replaced.get(billed.key)
        draft = draft_of(
            billed,
            sha256(lines).hexdigest(),
            before.get(billed.key),
            None if live is None else live.id,
            now,
        )
        if draft.state == "approved":
            approved[billed.key] = draft
            continue
        held.append(held_draft(billed, draft))
        if draft is not before.get(billed.key):
            stored.setdefault(lines.decode(), []).append(draft)
    await held_periods.upsert_held(tx, held, now)
    await drafts.upsert_drafts(tx, stored)
    return {period.closed.key for period in held}, approved


async def lock_draft(tx: WriteConnection, tenant_id: str, draft_id: UUID) -> Draft:
    """The draft, whose agreement is locked as by those who bill.

    NotFound where there is no such draft (any more), Conflict where it is issued already.
    """
    row = await drafts.fetch_draft(tx, tenant_id, draft_id)
    if row is not None:
        await agreements.lock_agreements(tx, {(tenant_id, row["agreement_id"])})
        row = await drafts.fetch_draft(tx, tenant_id, draft_id)
    if row is not None:
        return from_row(Draft, row)
    issued = await invoices.fetch_invoice(tx, tenant_id, draft_id)
    if issued is not None:
        raise Conflict("draft_issued", f"the draft was issued as {issued['number']}")
    raise NotFound("draft_unknown", f"there is no draft {draft_id}, or another took its place")


async def approve_drafts(
    tx: WriteConnection, cause: Cause, filters: DraftFilter, now: datetime
) -> tuple[int, bool]:
    """Approve those that nobody has decided, of those that fit; how many, and whether there are
    more than `APPROVALS_MAX`, for another request."""
    tenant_id = cause.tenant_id
    rows = await drafts.list_drafts(tx, tenant_id, filters, None, APPROVALS_MAX)
    known = {from_row(Draft, row).key: row["version"] for row in rows}
    await agreements.lock_agreements(tx, {key[:2] for key in known})
    locked = await drafts.fetch_drafts(tx, list(known))
    unchanged = [d for d in locked.values() if d.version == known[d.key] and d.state == "pending"]
    await decide(tx, [draft.approved(cause, now) for draft in unchanged])
    return len(unchanged), len(rows) == APPROVALS_MAX


async def change_approval(
    tx: WriteConnection, tenant_id: str, approver: RunsApprover | None, *, is_required: bool
) -> RunsApprover:
    """Whether a tenant approves its invoices from now on; where it does not, what is drafted is
    issued. Who approves its runs, as before where that is None; returned."""
    await reference_data.lock_reference_data_exclusive(tx)
    approver = approver or await drafts.fetch_runs_approver(tx, tenant_id)
    await drafts.upsert_approval(tx, tenant_id, approver, is_required=is_required)
    if not is_required:
        await drafts.mark_drafts_due(tx, tenant_id)
    return approver


async def decide(tx: WriteConnection, decided: Sequence[Draft]) -> None:
    """Store what was decided of drafts that are locked, and have their periods billed once more."""
    await held_periods.mark_due(tx, [draft.key for draft in decided])
    await drafts.update_decisions(tx, decided)
