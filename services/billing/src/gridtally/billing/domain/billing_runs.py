"""Billing runs: drafts of a time, or of some customers, looked at and approved together.

A run is of a tenant that approves its invoices. Making it is a dry run: nothing is approved. Who
approves it names by a digest what they have seen, so that nothing else is issued by it.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Cause

RunState = Literal["proposed", "approved", "issued", "cancelled"]
"""Nobody has decided; its drafts are being approved; all of them are; nothing comes of it."""
FindingKind = Literal["bill_shock", "no_use", "estimated", "held"]
CUSTOMERS_MAX = 1_000
"""Customers that one run names."""
SHOCK_PERCENT_DEFAULT = 50
SHOCK_PERCENT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class BillingRun:
    """A run over the drafts whose periods lie within `start_on` to `end_on`, of all customers or,
    where `customer_ids` has any, of these.

    A bill stands out whose cost per day differs from that of the meter's bill before by more than
    `shock_percent`. `created_by` and `decided_by` are API keys; `version` counts its changes.
    """

    tenant_id: str
    id: UUID
    name: str
    start_on: date
    end_on: date
    customer_ids: tuple[UUID, ...]
    shock_percent: int
    created_by: str
    created_at: datetime
    version: int = 1
    state: RunState = "proposed"
    decided_by: str | None = None
    decided_at: datetime | None = None
    correlation_id: str | None = None

    def __post_init__(self) -> None:
        Period(self.start_on, self.end_on)
        if len(set(self.customer_ids)) < len(self.customer_ids):
            raise ValueError("a run names each customer once")

    def is_same(self, other: "BillingRun") -> bool:
        """Whether another one asks for the same, whatever became of either."""
        return self.asked == other.asked

    @property
    def asked(self) -> tuple[object, ...]:
        """What it was made of."""
        customers = sorted(self.customer_ids)
        return self.name, self.start_on, self.end_on, customers, self.shock_percent

    def approved(
        self, cause: Cause, now: datetime, seen: str, digest: str, *, by_another: bool
    ) -> "BillingRun":
        """The run whose drafts are to be issued; itself where that was decided before.

        Conflict where it was cancelled, where its drafts are not those that were seen, or where the
        key that made it must not approve it.
        """
        if self.state in ("approved", "issued"):
            return self
        if self.state == "cancelled":
            raise Conflict("billing_run_cancelled", "the run was cancelled")
        if by_another and cause.key_id == self.created_by:
            raise Conflict(
                "same_person", "a run is approved by another key than that which made it"
            )
        if seen != digest:
            raise Conflict(
                "billing_run_changed", "its drafts are others by now: look at the run again"
            )
        return self._decided("approved", cause, now)

    def cancelled(self, cause: Cause, now: datetime) -> "BillingRun":
        """The run of which nothing comes; its drafts stay. Conflict once it was approved."""
        if self.state == "cancelled":
            return self
        if self.state != "proposed":
            raise Conflict("billing_run_approved", "the run was approved, and its bills are issued")
        return self._decided("cancelled", cause, now)

    def _decided(self, state: RunState, cause: Cause, now: datetime) -> "BillingRun":
        return replace(
            self,
            state=state,
            version=self.version + 1,
            decided_by=cause.key_id,
            decided_at=now,
            correlation_id=cause.correlation_id,
        )


def checked_run(**fields: object) -> BillingRun:
    """A new run; Rejected where it has no days, or names a customer twice."""
    try:
        return BillingRun(**fields)  # type: ignore[arg-type]  # the body has checked the types
    except ValueError as wrong:
        fault = Fault("/end_on", "must lie after start_on")
        raise Rejected("invalid_billing_run", str(wrong), (fault,)) from None
