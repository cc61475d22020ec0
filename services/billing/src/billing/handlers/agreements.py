"""Customers and agreements are made and changed; each change of an agreement is announced."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from billing import wire
from billing.domain.agreements import Agreement, Customer
from billing.store import agreements as store
from database import WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Rejected
from messaging import enqueue

T = TypeVar("T", Agreement, Customer)


async def register_customers(
    tx: WriteConnection, tenant_id: str, customers: Sequence[Customer], now: datetime
) -> bool:
    """Add customers, all or none; whether any of them is new.

    One that exists already just as it is changes nothing; Conflict where it is another.
    """
    added = await store.insert_customers(tx, tenant_id, customers, now)
    stored = await store.fetch_customers(tx, tenant_id, [one.id for one in customers])
    _refuse_others("customer", customers, stored)
    return bool(added)


async def register_agreements(
    tx: WriteConnection,
    tenant_id: str,
    agreements: Sequence[Agreement],
    *,
    correlation_id: str,
    now: datetime,
) -> bool:
    """Add agreements, all or none, and announce them; whether any of them is new.

    One that exists already just as it is changes nothing. Conflict where it is another, or a
    meter has another agreement on some of the days; Rejected where a customer does not exist.
    """
    known = await store.fetch_customers(tx, tenant_id, [one.customer_id for one in agreements])
    if faults := tuple(
        Fault(f"/{place}/customer_id", f"there is no customer {one.customer_id}")
        for place, one in enumerate(agreements)
        if one.customer_id not in known
    ):
        raise Rejected("customer_missing", "an agreement needs its customer first", faults)
    added = await store.insert_agreements(tx, tenant_id, agreements, now)
    stored = await store.fetch_agreements(tx, tenant_id, [one.id for one in agreements])
    _refuse_others("agreement", agreements, stored)
    await enqueue(
        tx,
        [
            wire.agreement_changed(
                stored[one], tenant_id=tenant_id, correlation_id=correlation_id, now=now
            )
            for one in sorted(added)
        ],
    )
    return bool(added)


def _refuse_others(what: str, asked: Sequence[T], stored: Mapping[UUID, T]) -> None:
    """Conflict where what is stored under an id is not what was asked for."""
    for place, one in enumerate(asked):
        if stored[one.id] != one:
            raise Conflict(
                f"{what}_exists",
                f"{what} {one.id} exists with other particulars",
                (Fault(f"/{place}/id", "is taken"),),
            )


async def change_agreement(
    tx: WriteConnection,
    tenant_id: str,
    agreement: Agreement,
    changes: Mapping[str, Any],
    *,
    correlation_id: str,
    now: datetime,
) -> Agreement:
    """The agreement, whose row is locked, with `changes` (end_on, closing, grace_hours).

    Conflict where an invoice covers days after the new end.
    """
    try:
        wanted = replace(agreement, **changes)
        if wanted == agreement:
            return agreement
        changed = replace(wanted, version=agreement.version + 1)
    except ValueError as wrong:
        raise Rejected("invalid_agreement", str(wrong)) from None
    until = await store.fetch_invoiced_until(tx, tenant_id, agreement.id)
    if until is not None and changed.end_on is not None and changed.end_on < until:
        raise Conflict("already_invoiced", f"invoices cover its days up to {until}")
    await store.update_agreement(tx, tenant_id, changed, now)
    event = wire.agreement_changed(
        changed, tenant_id=tenant_id, correlation_id=correlation_id, now=now
    )
    await enqueue(tx, [event])
    return changed


async def lock_agreement(tx: WriteConnection, tenant_id: str, agreement_id: UUID) -> Agreement:
    """The agreement, to be changed; NotFound where there is none."""
    agreement = await store.lock_agreement(tx, tenant_id, agreement_id)
    if agreement is None:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    return agreement
