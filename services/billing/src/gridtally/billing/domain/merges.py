"""Merges: two customers turned out to be one person or business, and one of them goes on.

Owns when that is refused, and what is noted of it. The duplicate keeps its name and number, under
which all stands that was issued to it; it is changed, billed and given agreements no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Customer
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.resources import Cause, Stored

INTO = "/into"


@dataclass(frozen=True, slots=True)
class CustomerMerge:
    """That a customer was merged into another one, by which API key, when and why;
    `agreement_ids` went over with it."""

    tenant_id: str
    id: UUID
    duplicate_id: UUID
    survivor_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    correlation_id: str
    agreement_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge with both customers as they are after it, and the agreements that went over."""

    merge: CustomerMerge
    duplicate: Stored[Customer]
    survivor: Stored[Customer]
    agreements: Sequence[Agreement]
    is_new: bool


def merge_of(
    cause: Cause,
    duplicate_id: UUID,
    survivor_id: UUID,
    reason: str,
    agreements: Sequence[Agreement],
    now: datetime,
) -> CustomerMerge:
    """What is noted of a merge. A customer is merged once, so its id follows from the customer."""
    return CustomerMerge(
        tenant_id=cause.tenant_id,
        id=derive_id("customer_merge", cause.tenant_id, duplicate_id),
        duplicate_id=duplicate_id,
        survivor_id=survivor_id,
        reason=reason,
        merged_by=cause.key_id,
        merged_at=now,
        correlation_id=cause.correlation_id,
        agreement_ids=tuple(agreement.id for agreement in agreements),
    )


def require_unmerged(customer: Customer, path: str = "") -> None:
    """Conflict where a customer was merged, naming the one who goes on; `path` points at where the
    request names it."""
    if customer.merged_into is None:
        return
    detail = f"customer {customer.id} was merged into {customer.merged_into}"
    faults = (Fault(path, f"must be customer {customer.merged_into}"),) if path else ()
    raise Conflict("customer_merged", f"{detail}: name that one", faults)


def require_mergeable(duplicate: Customer, survivor: Customer) -> None:
    """Rejected or Conflict where the two cannot become one."""
    if duplicate.id == survivor.id:
        fault = Fault(INTO, "must be another customer")
        raise Rejected("merged_into_itself", "a customer is merged into another one", (fault,))
    require_unmerged(duplicate)
    require_unmerged(survivor, INTO)
    for customer in (duplicate, survivor):
        if customer.erased_at is not None:
            raise Conflict("customer_erased", f"customer {customer.id} was erased")
    if duplicate.currency != survivor.currency:
        fault = Fault(INTO, f"must be a customer who pays in {duplicate.currency}")
        raise Conflict("currencies_differ", "the customers pay in different currencies", (fault,))


def moved_agreement(agreement: Agreement, survivor_id: UUID) -> Agreement:
    """The next version of an agreement, which is the survivor's."""
    return replace(agreement, customer_id=survivor_id, version=agreement.version + 1)
