"""Agreements are made, changed and deleted; each version of an agreement is published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement, CalendarChange
from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.merges import require_unmerged
from gridtally.billing.events.agreements import agreement_changed, agreement_ended
from gridtally.billing.store import agreements as store
from gridtally.billing.store import due_days, reference_data
from gridtally.billing.store.customers import lock_customers_shared
from gridtally.billing.store.previews import UTC_ZONE, fetch_zone
from gridtally.billing.store.read_cycles import lock_read_dates
from gridtally.database import WriteConnection
from gridtally.kernel.billing_calendars import CALENDAR_MONTHS, BillingCalendar
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.periods import local_date
from gridtally.kernel.resources import Cause
from gridtally.messaging import enqueue

CYCLE_PATH = "/billing_calendar/read_cycle"
NO_CALENDARS: Mapping[UUID, BillingCalendar | None] = {}
"""Of agreements that have theirs already."""


async def register_agreements(
    tx: WriteConnection,
    cause: Cause,
    agreements: Sequence[Agreement],
    now: datetime,
    *,
    calendars: Mapping[UUID, BillingCalendar | None] = NO_CALENDARS,
) -> tuple[list[Agreement], bool]:
    """Add agreements, all or none, publish them, and return them and whether any of them is new.

    They have the billing `calendars` of their ids; of None, their customer's, as it is now. One
    that exists already just as it is changes nothing. Conflict where it is another, or a meter has
    another agreement on some of the days; Rejected where a customer or read cycle does not exist.
    A new one that could never be billed is refused as by `_require_billable`.
    """
    customers = await _require_customers(tx, cause.tenant_id, agreements)
    new = await _with_calendars(tx, cause.tenant_id, agreements, customers, calendars)
    added = await store.insert_agreements(tx, cause.tenant_id, new, now)
    ids = [agreement.id for agreement in agreements]
    stored = await store.fetch_agreements(tx, cause.tenant_id, ids)
    for index, agreement in enumerate(new):
        known, same = stored[agreement.id], agreement
        cycle = agreement.billing_calendar.read_cycle
        is_customers = agreement.id in calendars and calendars[agreement.id] is None
        # The customer's calendar may be another one since, and the cycle have further dates.
        if is_customers or (cycle is not None and cycle == known.billing_calendar.read_cycle):
            same = replace(agreement, billing_calendar=known.billing_calendar)
        if known != same:
            raise Conflict(
                "agreement_exists",
                f"agreement {agreement.id} exists with other particulars",
                (Fault(f"/{index}/id", "is taken"),),
            )
    await _require_billable(tx, cause.tenant_id, agreements, added, customers)
    await _publish(tx, cause, [stored[agreement_id] for agreement_id in sorted(added)], now)
    return [stored[agreement_id] for agreement_id in ids], bool(added)


async def _with_calendars(
    tx: WriteConnection,
    tenant_id: str,
    agreements: Sequence[Agreement],
    customers: Mapping[UUID, Customer],
    calendars: Mapping[UUID, BillingCalendar | None],
) -> list[Agreement]:
    """The agreements with the calendars that they name, or their customers'."""
    wanted = [
        agreement.billing_calendar
        if agreement.id not in calendars
        else calendars[agreement.id]
        or customers[agreement.customer_id].billing_calendar
        or CALENDAR_MONTHS
        for agreement in agreements
    ]
    paths = [f"/{index}{CYCLE_PATH}" for index in range(len(wanted))]
    dated = await _with_dates(tx, tenant_id, wanted, paths)
    return [
        replace(agreement, billing_calendar=calendar)
        for agreement, calendar in zip(agreements, dated, strict=True)
    ]


async def _with_dates(
    tx: WriteConnection,
    tenant_id: str,
    calendars: Sequence[BillingCalendar],
    paths: Sequence[str],
) -> list[BillingCalendar]:
    """The calendars with the dates of their read cycles, which stay so until the transaction ends.

    Rejected, with faults at these paths, where there is no such cycle.
    """
    names = {calendar.read_cycle for calendar in calendars if calendar.read_cycle is not None}
    dates = await lock_read_dates(tx, tenant_id, names) if names else {}
    faults = tuple(
        Fault(path, f"there is no read cycle {calendar.read_cycle}")
        for calendar, path in zip(calendars, paths, strict=True)
        if calendar.read_cycle is not None and calendar.read_cycle not in dates
    )
    if faults:
        raise Rejected("read_cycle_unknown", "a calendar needs its read cycle first", faults)
    return [
        calendar
        if calendar.read_cycle is None
        else replace(calendar, read_dates=dates[calendar.read_cycle])
        for calendar in calendars
    ]


async def _require_customers(
    tx: WriteConnection, tenant_id: str, agreements: Sequence[Agreement]
) -> dict[UUID, Customer]:
    known = await lock_customers_shared(
        tx, tenant_id, [agreement.customer_id for agreement in agreements]
    )
    faults = tuple(
        Fault(f"/{index}/customer_id", f"there is no customer {agreement.customer_id}")
        for index, agreement in enumerate(agreements)
        if agreement.customer_id not in known
    )
    if faults:
        raise Rejected("customer_missing", "an agreement needs its customer first", faults)
    return known


async def _require_billable(
    tx: WriteConnection,
    tenant_id: str,
    agreements: Sequence[Agreement],
    added: Collection[UUID],
    customers: Mapping[UUID, Customer],
) -> None:
    """Conflict where an agreement of `added` is for a customer who was merged or erased; Rejected
    where its tariff is known, and of another currency than its customer, which no version of it
    changes."""
    new = [(at, agreement) for at, agreement in enumerate(agreements) if agreement.id in added]
    for at, agreement in new:
        require_unmerged(customers[agreement.customer_id], f"/{at}/customer_id")
    erased = tuple(
        Fault(f"/{at}/customer_id", f"customer {agreement.customer_id} was erased")
        for at, agreement in new
        if customers[agreement.customer_id].erased_at is not None
    )
    if erased:
        raise Conflict("customer_erased", "nothing is agreed for a customer who was erased", erased)
    tariffs = {agreement.tariff_id for _, agreement in new}
    currencies = await reference_data.fetch_currencies(tx, tenant_id, tariffs)
    differing = tuple(
        Fault(
            f"/{at}/tariff_id",
            f"must be a tariff in {customers[agreement.customer_id].currency}, in which the "
            f"customer pays, not in {', '.join(sorted(priced_in))}",
        )
        for at, agreement in new
        if (priced_in := currencies.get(agreement.tariff_id))
        and customers[agreement.customer_id].currency not in priced_in
    )
    if differing:
        raise Rejected(
            "currency_differs", "the tariff is in another currency than its customer", differing
        )


async def change_agreement(
    tx: WriteConnection,
    cause: Cause,
    agreement: Agreement,
    changes: Mapping[str, Any],
    now: datetime,
    calendar: CalendarChange | None = None,
) -> Agreement:
    """The agreement, whose row is locked, with `changes` (end_on, closing, grace_hours) and, from
    its day on, another billing calendar.

    Conflict where an invoice covers days after the new end, or a closed period days after the
    change of its calendar.
    """
    try:
        requested = replace(agreement, **changes)
        if calendar is not None:
            requested = await _with_calendar(tx, cause.tenant_id, requested, calendar, now)
        if requested == agreement:
            return agreement
        if requested.is_cancelled:
            raise ValueError("an agreement must begin (start_on) before it ends (end_on)")
        changed = replace(requested, version=agreement.version + 1)
    except ValueError as wrong:
        raise Rejected("invalid_agreement", str(wrong)) from None
    until = await store.fetch_invoiced_until(tx, cause.tenant_id, agreement.id)
    if until is not None and changed.end_on is not None and changed.end_on < until:
        raise Conflict("already_invoiced", f"invoices cover its days up to {until}")
    await update_agreement(tx, cause, changed, now)
    return changed


async def update_agreement(
    tx: WriteConnection, cause: Cause, changed: Agreement, now: datetime
) -> None:
    """Store the next version of an agreement that is locked, and publish it."""
    await store.update_agreement(tx, cause.tenant_id, changed, now)
    await _publish(tx, cause, [changed], now)


async def _with_calendar(
    tx: WriteConnection,
    tenant_id: str,
    agreement: Agreement,
    change: CalendarChange,
    now: datetime,
) -> Agreement:
    """The agreement with another calendar from the day of the change on, or from today on."""
    (calendar,) = await _with_dates(tx, tenant_id, [change.calendar], [CYCLE_PATH])
    from_on = change.from_on
    if from_on is None:
        if calendar == agreement.billing_calendar:
            return agreement
        zone = await fetch_zone(tx, tenant_id, agreement.meter_id) or UTC_ZONE
        from_on = local_date(zone, now)
    changed = agreement.with_calendar(calendar, from_on)
    until = await store.fetch_closed_until(tx, tenant_id, agreement.id)
    if changed != agreement and until is not None and from_on < until:
        raise Conflict("period_closed", f"its periods are closed up to {until}")
    return changed


async def _publish(
    tx: WriteConnection, cause: Cause, agreements: Sequence[Agreement], now: datetime
) -> None:
    await enqueue(tx, [agreement_changed(agreement, cause, now) for agreement in agreements])


async def delete_agreement(
    tx: WriteConnection, cause: Cause, agreement: Agreement, now: datetime
) -> None:
    """Delete an agreement that is locked with reference data, and what came of it: its periods,
    held ones and drafts too, are none any more, and its days have no cost.

    Conflict where an invoice was ever issued by it, credited or not.
    """
    tenant_id = cause.tenant_id
    if await store.has_invoices(tx, tenant_id, agreement.id):
        raise Conflict(
            "agreement_billed",
            "invoices were issued by this agreement: cancel it, and bill its days by another one, "
            f"by POST /v1/agreements/{agreement.id}/rebilling",
        )
    key = (tenant_id, agreement.id)
    await due_days.mark_days_of_agreements(tx, [key])
    await store.delete_agreements(tx, [key])
    await enqueue(tx, [agreement_ended(agreement, cause, now)])


async def lock_with_reference_data(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID
) -> Agreement:
    """The agreement, locked as those who bill do: reference data first. NotFound without it."""
    await reference_data.lock_reference_data_shared(tx)
    return await lock_agreement(tx, tenant_id, agreement_id)


async def lock_agreement(tx: WriteConnection, tenant_id: str, agreement_id: UUID) -> Agreement:
    """The agreement, to be changed; NotFound where there is none."""
    agreement = await store.lock_agreement(tx, tenant_id, agreement_id)
    if agreement is None:
        raise NotFound("agreement_unknown", f"there is no agreement {agreement_id}")
    return agreement
