"""Merging a customer into another one who is the same person or business.

One transaction gives the agreements to the survivor and closes the duplicate. What was issued stays
as it was issued. Whoever follows `customer.changed` does the rest: the ledger moves what stands on
the duplicate's accounts (docs/adr/0023). A preview does all of that too, and takes it back.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.customers import BalanceKey, Customer, CustomerBalance
from gridtally.billing.domain.merges import (
    INTO,
    Merged,
    merge_of,
    moved_agreement,
    require_mergeable,
)
from gridtally.billing.handlers.agreements import update_agreement
from gridtally.billing.handlers.customers import unknown_customer
from gridtally.billing.store import (
    balances,
    budget_plans,
    customers,
    prepayments,
    reference_data,
)
from gridtally.billing.store import merges as store
from gridtally.database import Database, WriteConnection, transaction
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Cause, Stored


@dataclass(frozen=True, slots=True)
class MergeOrder:
    """That a customer is to be merged into another, and why."""

    duplicate_id: UUID
    survivor_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do, and what the ledger has said last of both customers' balances."""

    merged: Merged
    balances: Mapping[BalanceKey, CustomerBalance]


async def merge_customer(
    tx: WriteConnection, cause: Cause, order: MergeOrder, now: datetime
) -> Merged:
    """Merge a customer into another one; the second time changes nothing.

    NotFound without the customer, Rejected without the other; Conflict where one of them was merged
    or erased, where they pay in different currencies or ways, or where the customer has collective
    invoices.
    """
    tenant_id = cause.tenant_id
    await reference_data.lock_reference_data_shared(tx)
    await store.lock_agreements_of(tx, tenant_id, order.duplicate_id)  # before customers, as all do
    duplicate, survivor = await _lock_both(tx, tenant_id, order)
    if duplicate.resource.merged_into == survivor.resource.id:
        return await _known(tx, cause, duplicate, survivor, order.reason, now)
    require_mergeable(duplicate.resource, survivor.resource)
    await _require_one_way_to_pay(tx, tenant_id, order)
    if await store.has_collective(tx, tenant_id, order.duplicate_id):
        raise Conflict(
            "collective_invoices",
            "the customer has collective invoices, whose corrections go to it; merge the other way",
        )
    agreements = [
        moved_agreement(agreement, order.survivor_id)
        for agreement in await store.lock_agreements_of(tx, tenant_id, order.duplicate_id)
    ]
    for agreement in agreements:
        await update_agreement(tx, cause, agreement, now)
    earlier = await store.fetch_duplicates(tx, tenant_id, order.duplicate_id)
    closed = [order.duplicate_id, *earlier]
    for customer_id in closed:
        known = await customers.fetch_customer(tx, tenant_id, customer_id, lock=True)
        if known is not None:
            merged = replace(known.resource, merged_into=order.survivor_id)
            stored = await customers.update_customer(tx, tenant_id, merged, now)
            duplicate = stored if customer_id == order.duplicate_id else duplicate
    merge = merge_of(cause, order.duplicate_id, order.survivor_id, order.reason, agreements, now)
    await store.update_drafts(tx, merge)
    await store.update_plans(tx, merge)
    await prepayments.mark_customers(tx, [(tenant_id, order.survivor_id)], now)
    await store.insert_merge(tx, merge)
    return Merged(merge, duplicate, survivor, agreements, is_new=True)


async def _require_one_way_to_pay(tx: WriteConnection, tenant_id: str, order: MergeOrder) -> None:
    """Conflict where the customer is on prepayment, or pays by a budget plan and the other one is
    on prepayment: nobody pays in two ways."""
    keys = [(tenant_id, customer_id) for customer_id in (order.duplicate_id, order.survivor_id)]
    known = await prepayments.fetch_prepayments(tx, keys)
    duplicate, survivor = (key in known and known[key].is_active for key in keys)
    if duplicate:
        detail = "the customer is on prepayment; end that before it is merged"
        raise Conflict("prepayment_running", detail)
    if survivor and await budget_plans.has_live_plan(tx, *keys[0]):
        detail = "the customer pays by a budget plan, the other one in advance; end and settle it"
        raise Conflict("budget_plan_running", detail)


async def _known(
    tx: WriteConnection,
    cause: Cause,
    duplicate: Stored[Customer],
    survivor: Stored[Customer],
    reason: str,
    now: datetime,
) -> Merged:
    """The merge as it was noted; after a restore, which brings back no notes, one of now."""
    made = merge_of(cause, duplicate.resource.id, survivor.resource.id, reason, (), now)
    merge = await store.fetch_merge(tx, cause.tenant_id, made.id)
    if merge is None:
        await store.insert_merge(tx, made)
    return Merged(merge or made, duplicate, survivor, (), is_new=False)


async def _lock_both(
    tx: WriteConnection, tenant_id: str, order: MergeOrder
) -> tuple[Stored[Customer], Stored[Customer]]:
    """Both customers, locked in the order of their ids: so of two merges at once in opposite
    directions the second finds what the first has done."""
    known = {
        customer_id: await customers.fetch_customer(tx, tenant_id, customer_id, lock=True)
        for customer_id in sorted({order.duplicate_id, order.survivor_id})
    }
    duplicate, survivor = known[order.duplicate_id], known[order.survivor_id]
    if duplicate is None:
        raise unknown_customer(order.duplicate_id)
    if survivor is None:
        fault = Fault(INTO, f"there is no customer {order.survivor_id}")
        raise Rejected("customer_missing", "a merge needs the customer who goes on", (fault,))
    return duplicate, survivor


class _TakenBackError(Exception):
    """Ends a transaction of which nothing is to stay."""


async def preview_merge(
    db: Database, cause: Cause, order: MergeOrder, now: datetime
) -> MergePreview:
    """Merge in a transaction of its own that is taken back; refused as `merge_customer` is."""
    previews: list[MergePreview] = []
    with suppress(_TakenBackError):
        async with transaction(db, tenant=cause.tenant_id) as tx:
            merged = await merge_customer(tx, cause, order, now)
            keys = [(cause.tenant_id, id_) for id_ in (order.duplicate_id, order.survivor_id)]
            previews.append(MergePreview(merged, await balances.fetch_balances(tx, keys)))
            raise _TakenBackError
    (preview,) = previews
    return preview
