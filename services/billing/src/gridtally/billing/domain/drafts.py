"""Drafts: bills of a tenant that approves its invoices before they are issued.

A draft has no number, is not published and not booked; its period is held until somebody approves
it. An approval is of the lines that were shown: a bill that comes to others is a new draft.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.billing.domain.periods import BilledPeriod, HeldPeriod, PeriodKey
from gridtally.kernel.errors import Conflict
from gridtally.kernel.money import in_currency, plain
from gridtally.kernel.resources import Cause

DraftState = Literal["pending", "approved", "rejected"]
"""Nobody has decided; to be issued within a second; held until its bill changes or it is approved
after all."""

RunsApprover = Literal["anyone", "another_person"]
"""Who approves a billing run: whoever may write, or only another key than that which made it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A bill that waits for approval; `id` is that of the invoice that it becomes.

    `digest` is SHA-256 of its lines, in hexadecimal. `version` counts what has become of the draft
    of its period; `replaces_id` is the live invoice whose place it takes. `decided_by` is an API
    key, `reason` why it was rejected. `run_id` is the run that was approved with it; a draft
    that takes its place is of none.
    """

    tenant_id: str
    id: UUID
    agreement_id: UUID
    customer_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    revision: int
    restatement: int
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    digest: str
    replaces_id: UUID | None
    drafted_at: datetime
    correlation_id: str
    version: int
    state: DraftState = "pending"
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    run_id: UUID | None = None

    @property
    def key(self) -> PeriodKey:
        """The period that it bills."""
        return self.tenant_id, self.agreement_id, self.start_on

    def approved(self, cause: Cause, now: datetime) -> "Draft":
        """The draft as it is to be issued; itself where that was decided before."""
        if self.state == "approved":
            return self
        return self._decided("approved", cause, now, None)

    def rejected(self, cause: Cause, now: datetime, reason: str) -> "Draft":
        """The draft as it is not to be issued; Conflict once it was approved."""
        if self.state == "approved":
            raise Conflict("draft_approved", "the draft was approved, and is issued just now")
        return self._decided("rejected", cause, now, reason)

    def _decided(
        self, state: DraftState, cause: Cause, now: datetime, reason: str | None
    ) -> "Draft":
        return replace(
            self,
            version=self.version + 1,
            state=state,
            decided_by=cause.key_id,
            decided_at=now,
            reason=reason,
        )


def draft_of(
    billed: BilledPeriod,
    digest: str,
    before: Draft | None,
    replaces_id: UUID | None,
    now: datetime,
) -> Draft:
    """The draft of a bill; the one from `before` where that has the same lines."""
    if before is not None and (before.id, before.digest) == (billed.invoice_id, digest):
        return before
    closed, bill = billed.closed, billed.bill
    return Draft(
        tenant_id=closed.tenant_id,
        id=billed.invoice_id,
        agreement_id=closed.agreement_id,
        customer_id=billed.billable.agreement.customer_id,
        meter_id=closed.meter_id,
        start_on=closed.period.start_on,
        end_on=closed.period.end_on,
        revision=closed.revision,
        restatement=billed.restatement,
        currency=bill.currency,
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        digest=digest,
        replaces_id=replaces_id,
        drafted_at=now,
        correlation_id=closed.correlation_id,
        version=1 if before is None else before.version + 1,
    )


def held_draft(billed: BilledPeriod, draft: Draft) -> HeldPeriod:
    """The period, held until its draft is approved."""
    if draft.state == "rejected":
        return HeldPeriod(
            billed.closed, "draft_rejected", f"rejected by {draft.decided_by}: {draft.reason}"
        )
    total = f"{plain(in_currency(draft.total, draft.currency))} {draft.currency}"
    return HeldPeriod(billed.closed, "approval_pending", f"a draft of {total} is to be approved")
