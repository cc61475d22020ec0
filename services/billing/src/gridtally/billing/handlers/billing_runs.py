"""Billing runs: proposed, approved by whoever may, and then issued, a bounded number at a time.

A run that is approved has its drafts approved by a loop, a transaction for each thousand, in the
name of who approved the run; they are issued as any other approved draft. So a process may end at
any moment, and the loop goes on with what is left. The approval marks its drafts with the run and
looks whether these are what was seen. So a draft that is made or changed after it, or just then by
another transaction, is not issued by it: it has no mark.
"""

from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.billing_runs import BillingRun
from gridtally.billing.handlers.drafts import approve_drafts
from gridtally.billing.store import agreements
from gridtally.billing.store import billing_runs as store
from gridtally.billing.store.drafts import DraftFilter, fetch_approving, fetch_runs_approver
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound
from gridtally.kernel.resources import Cause


async def propose_run(tx: WriteConnection, run: BillingRun) -> tuple[BillingRun, bool]:
    """Store a run, and return it and whether it is new; the same again is the one that exists.

    Conflict for the id of another run, or where the tenant approves no invoices: then they are
    issued as readings complete.
    """
    if not await fetch_approving(tx, [run.tenant_id]):
        raise Conflict(
            "approval_not_required",
            "invoices are issued as readings complete; runs need the invoicing terms "
            "to say that approval is required",
        )
    if await store.insert_run(tx, run):
        return run, True
    known = await lock_run(tx, run.tenant_id, run.id)
    if not known.is_same(run):
        raise Conflict(
            "billing_run_exists", f"run {run.id} is another", (Fault("/id", "is taken"),)
        )
    return known, False


async def lock_run(tx: WriteConnection, tenant_id: str, run_id: UUID) -> BillingRun:
    """The run, to be decided of; NotFound where there is none."""
    run = await store.fetch_run(tx, tenant_id, run_id, lock=True)
    if run is None:
        raise unknown_run(run_id)
    return run


def unknown_run(run_id: UUID) -> NotFound:
    """There is no such run."""
    return NotFound("billing_run_unknown", f"there is no billing run {run_id}")


async def approve_run(
    tx: WriteConnection, cause: Cause, run: BillingRun, seen: str, now: datetime
) -> BillingRun:
    """Have the drafts of a run that is locked issued, which are those of the digest `seen`."""
    digest = await _mark_drafts(tx, run) if run.state == "proposed" else seen
    approver = await fetch_runs_approver(tx, run.tenant_id)
    approved = run.approved(cause, now, seen, digest, by_another=approver == "another_person")
    if approved is not run:
        await store.update_run(tx, approved)
    return approved


async def _mark_drafts(tx: WriteConnection, run: BillingRun) -> str:
    """Mark what waits with the run; the digest of what is marked. Whoever is making one of these
    drafts anew is waited for: agreements are locked as by those who bill."""
    waiting = await store.fetch_agreements(tx, run)
    await agreements.lock_agreements(tx, {(run.tenant_id, id_) for id_ in waiting})
    return await store.mark_drafts(tx, run, waiting)


async def cancel_run(
    tx: WriteConnection, cause: Cause, run: BillingRun, now: datetime
) -> BillingRun:
    """Let nothing come of a run that is locked."""
    cancelled = run.cancelled(cause, now)
    if cancelled is not run:
        await store.update_run(tx, cancelled)
    return cancelled


async def approve_due_runs(tx: WriteConnection, _now: datetime) -> int:
    """Approve up to a thousand drafts of one run that was approved; how many. The run is issued
    once none is left."""
    run = await store.claim_approved_run(tx)
    if run is None or run.decided_by is None or run.decided_at is None:
        return 0
    cause = Cause(run.tenant_id, run.decided_by, run.correlation_id or "")
    approved, is_more = await approve_drafts(tx, cause, drafts_of(run), run.decided_at)
    if not is_more:
        await store.mark_issued(tx, run)
    return approved + 1


def drafts_of(run: BillingRun) -> DraftFilter:
    """The drafts that an approved run was approved with, as far as nobody has decided them."""
    return DraftFilter(state="pending", run_id=run.id)
