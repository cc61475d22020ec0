"""Billed periods wait, held, for the others of their collective invoice; a person may end that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.collective_members import held_member, member_of, missing_periods
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import BilledPeriod, PeriodKey
from gridtally.billing.store import agreements, collective_members, held_periods
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import NotFound
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Cause


async def hold_members(
    tx: WriteConnection,
    billed_periods: Sequence[BilledPeriod],
    replaced: Mapping[PeriodKey, Invoice],
    now: datetime,
) -> set[PeriodKey]:
    """Hold those of these bills that are sections of collective invoices; the periods held.

    A correction is of the kind that its period's live invoice is, whatever the customer wants by
    now.
    """
    customers = {
        (billed.closed.tenant_id, billed.billable.agreement.customer_id)
        for billed in billed_periods
    }
    terms = await collective_members.fetch_terms(tx, customers)
    members = []
    for billed in billed_periods:
        own = terms[billed.closed.tenant_id, billed.billable.agreement.customer_id]
        live = replaced.get(billed.key)
        is_member = (
            own.invoicing == "collective" if live is None else live.collective_id is not None
        )
        if is_member:
            members.append((billed, member_of(billed, own, now)))
    await held_periods.upsert_held(tx, [held_member(billed) for billed, _ in members], now)
    await collective_members.upsert_members(tx, [member for _, member in members])
    return {billed.key for billed, _ in members}


async def release_members(
    tx: WriteConnection, cause: Cause, customer_id: UUID, start_on: date, now: datetime
) -> int:
    """Have the collective invoice of a customer and the days from `start_on` issued with what is
    there: within seconds, by the loop. How many periods that are; NotFound where none waits."""
    key = (cause.tenant_id, customer_id, start_on)
    customer = (cause.tenant_id, customer_id)
    known = await collective_members.fetch_agreements_of(tx, [customer])
    await agreements.lock_agreements(
        tx, {(cause.tenant_id, agreement.id) for agreement in known[customer]}
    )
    released = await collective_members.update_released(tx, key, cause.key_id, now)
    if not released:
        raise NotFound(
            "collective_unknown", f"nothing waits for a collective invoice from {start_on}"
        )
    return released


@dataclass(frozen=True, slots=True)
class MissingPeriod:
    """A period that a collective invoice waits for: `reason` is why it is held, or `not_closed`."""

    agreement_id: UUID
    start_on: date
    end_on: date
    reason: str


async def list_pending(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[tuple[Any, list[MissingPeriod]]]:
    """Collective invoices that wait, each with the periods that it waits for."""
    rows = await collective_members.list_pending(read, tenant_id, customer_id, after, rows_max)
    customers = {(tenant_id, row["customer_id"]) for row in rows}
    known = await collective_members.fetch_agreements_of(read, customers)
    missing = []
    for row in rows:
        present = {
            (UUID(own["agreement_id"]), date.fromisoformat(own["start_on"]))
            for own in row["present"]
        }
        days = Period(row["collective_start_on"], row["collective_end_on"])
        missing.append(missing_periods(known[tenant_id, row["customer_id"]], days, present))
    keys = {(tenant_id, own, period.start_on) for lacking in missing for own, period in lacking}
    invoiced = await collective_members.fetch_invoiced(read, keys)
    reasons = await collective_members.fetch_reasons(read, keys)
    return [
        (
            row,
            [
                MissingPeriod(
                    own,
                    period.start_on,
                    period.end_on,
                    reasons.get((tenant_id, own, period.start_on), "not_closed"),
                )
                for own, period in lacking
                if (tenant_id, own, period.start_on) not in invoiced
            ],
        )
        for row, lacking in zip(rows, missing, strict=True)
    ]
