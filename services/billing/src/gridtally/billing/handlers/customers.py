"""Customers are made, changed, deleted and erased; each version of a customer is published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.merges import require_unmerged
from gridtally.billing.events.customers import customer_changed, customer_ended
from gridtally.billing.handlers import prepayments
from gridtally.billing.store import customers as store
from gridtally.billing.store import merges
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue

CUSTOMERS_MAX = 1_000
"""Published in one transaction."""


async def register_customers(
    tx: WriteConnection, tenant_id: str, customers: Sequence[Customer], now: datetime
) -> bool:
    """Add customers, all or none, and return whether any of them is new.

    One that exists already just as it is, merged since or not, changes nothing; Conflict where it
    is another, or where another one has its number.
    """
    added = await store.insert_customers(tx, tenant_id, customers, now)
    known = await store.fetch_customers(tx, tenant_id, [customer.id for customer in customers])
    for index, customer in enumerate(customers):
        if replace(known[customer.id], merged_into=None) != customer:
            raise Conflict(
                "customer_exists",
                f"customer {customer.id} exists with other particulars",
                (Fault(f"/{index}/id", "is taken"),),
            )
    return bool(added)


async def lock_customer(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> Stored[Customer]:
    """The customer, to be changed; NotFound where there is none."""
    known = await store.fetch_customer(tx, tenant_id, customer_id, lock=True)
    if known is None:
        raise unknown_customer(customer_id)
    return known


def unknown_customer(customer_id: UUID) -> NotFound:
    """There is no such customer."""
    return NotFound("customer_unknown", f"there is no customer {customer_id}")


async def change_customer(
    tx: WriteConnection,
    tenant_id: str,
    current: Stored[Customer],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[Customer]:
    """Change a locked customer; return it as it is then.

    Conflict where it was merged or erased, where its number is taken, or where its currency is to
    change though something was issued in it.
    """
    customer = current.resource
    require_unmerged(customer)
    if customer.erased_at is not None:
        raise Conflict("customer_erased", f"customer {customer.id} was erased")
    try:
        wanted = replace(customer, **changes)
    except ValueError as wrong:
        raise Rejected("invalid_customer", str(wrong)) from None
    if wanted == customer:
        return current
    is_issued = await store.has_invoices(tx, tenant_id, customer.id)
    if wanted.currency != customer.currency and is_issued:
        fault = Fault("/currency", f"invoices are in {customer.currency}")
        raise Conflict("currency_in_use", "the customer has invoices in its currency", (fault,))
    return await store.update_customer(tx, tenant_id, wanted, now)


async def delete_customer(
    tx: WriteConnection, cause: Cause, customer_id: UUID, now: datetime
) -> None:
    """Delete a locked customer for whom nothing was ever agreed; Conflict for another, and for one
    who was merged or into whom another one was."""
    known = await store.fetch_customers(tx, cause.tenant_id, [customer_id])
    require_unmerged(known[customer_id])
    if await merges.fetch_duplicates(tx, cause.tenant_id, customer_id):
        raise Conflict("in_use", "another customer was merged into this one; it can be erased")
    await store.delete_customer(tx, cause.tenant_id, customer_id)
    await prepayments.end_of_deleted(tx, cause, customer_id, now)
    ended = customer_ended(cause.tenant_id, customer_id, cause.correlation_id, now)
    await enqueue(tx, [ended])


async def publish_customers(tx: WriteConnection, now: datetime) -> int:
    """Put customer.changed into the outbox for up to `CUSTOMERS_MAX` customers whose newest version
    was not published yet. Returns how many that were."""
    unpublished = await store.claim_unpublished(tx, CUSTOMERS_MAX)
    if unpublished:
        await enqueue(tx, [customer_changed(*customer, now) for customer in unpublished])
        keys = [(tenant_id, known.resource.id) for tenant_id, known in unpublished]
        await store.update_published(tx, keys)
    return len(unpublished)
