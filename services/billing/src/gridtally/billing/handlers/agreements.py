"""Agreements are made and changed; each version of an agreement is published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.events.agreements import agreement_changed
from gridtally.billing.store import agreements as store
from gridtally.billing.store.customers import fetch_customers
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.resources import Cause
from gridtally.messaging import enqueue


async def register_agreements(
    tx: WriteConnection, cause: Cause, agreements: Sequence[Agreement], now: datetime
) -> bool:
    """Add agreements, all or none, publish them, and return whether any of them is new.

    One that exists already just as it is changes nothing. Conflict where it is another, or a
    meter has another agreement on some of the days; Rejected where a customer does not exist.
    """
    await _require_customers(tx, cause.tenant_id, agreements)
    added = await store.insert_agreements(tx, cause.tenant_id, agreements, now)
    ids = [agreement.id for agreement in agreements]
    stored = await store.fetch_agreements(tx, cause.tenant_id, ids)
    for index, agreement in enumerate(agreements):
        if stored[agreement.id] != agreement:
            raise Conflict(
                "agreement_exists",
                f"agreement {agreement.id} exists with other particulars",
                (Fault(f"/{index}/id", "is taken"),),
            )
    await _publish(tx, cause, [stored[agreement_id] for agreement_id in sorted(added)], now)
    return bool(added)


async def _require_customers(
    tx: WriteConnection, tenant_id: str, agreements: Sequence[Agreement]
) -> None:
    known = await fetch_customers(
        tx, tenant_id, [agreement.customer_id for agreement in agreements]
    )
    faults = tuple(
        Fault(f"/{index}/customer_id", f"there is no customer {agreement.customer_id}")
        for index, agreement in enumerate(agreements)
        if agreement.customer_id not in known
    )
    if faults:
        raise Rejected("customer_missing", "an agreement needs its customer first", faults)


async def change_agreement(
    tx: WriteConnection,
    cause: Cause,
    agreement: Agreement,
    changes: Mapping[str, Any],
    now: datetime,
) -> Agreement:
    """The agreement, whose row is locked, with `changes` (end_on, closing, grace_hours).

    Conflict where an invoice covers days after the new end.
    """
    try:
        requested = replace(agreement, **changes)
        if requested == agreement:
            return agreement
        changed = replace(requested, version=agreement.version + 1)
    except ValueError as wrong:
        raise Rejected("invalid_agreement", str(wrong)) from None
    until = await store.fetch_invoiced_until(tx, cause.tenant_id, agreement.id)
    if until is not None and changed.end_on is not None and changed.end_on < until:
        raise Conflict("already_invoiced", f"invoices cover its days up to {until}")
    await store.update_agreement(tx, cause.tenant_id, changed, now)
    await _publish(tx, cause, [changed], now)
    return changed


async def _publish(
    tx: WriteConnection, cause: Cause, agreements: Sequence[Agreement], now: datetime
) -> None:
    await enqueue(tx, [agreement_changed(agreement, cause, now) for agreement in agreements])


async def lock_agreement(tx: WriteConnection, tenant_id: str, agreement_id: UUID) -> Agreement:
    """The agreement, to be changed; NotFound where there is none."""
    agreement = await store.lock_agreement(tx, tenant_id, agreement_id)
    if agreement is None:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    return agreement
