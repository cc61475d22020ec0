"""Held periods that nobody wants billed are dismissed, with a reason, and taken back; corrections
that come too late for their agreement are dismissed by themselves."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.agreements import corrected_until_on
from gridtally.billing.domain.periods import ClosedPeriod, HeldPeriod, PeriodKey
from gridtally.billing.store import adopted_invoices, agreements, drafts, held_periods, periods
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.periods import local_date
from gridtally.kernel.resources import Cause

CORRECTION_TOO_LATE = "correction_too_late"
BY_AGREEMENT = "agreement"
"""Who has dismissed it, where others have the id of a key."""


# Locks as those who bill do: the agreement, then the period's row and the held one.
async def _lock(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> tuple[PeriodKey, Any]:
    """The key of a held period and its row; NotFound where nothing is held."""
    key = tenant_id, agreement_id, start_on
    await agreements.lock_agreements(tx, {key[:2]})
    row = await held_periods.lock_held(tx, key)
    if row is None:
        raise NotFound("held_period_unknown", "no period of this agreement is held from that day")
    return key, row


async def dismiss_period(
    tx: WriteConnection,
    cause: Cause,
    agreement_id: UUID,
    start_on: date,
    reason: str,
    now: datetime,
) -> None:
    """Bill nothing of a held period, until its readings change or somebody takes that back.

    A live invoice of an older revision stays. What follows is billed as if the period were not
    there, and carries on from the one before it. NotFound where nothing is held; Conflict where
    that is dismissed already.
    """
    key, row = await _lock(tx, cause.tenant_id, agreement_id, start_on)
    if row["dismissed_at"] is not None:
        raise Conflict("period_dismissed", "the period is dismissed already")
    before = (await periods.fetch_predecessors(tx, [key])).get(key)
    carried = before.state if before is not None and before.end_on == start_on else {}
    await drafts.delete_drafts(tx, [key])
    await held_periods.update_dismissal(tx, key, (now, cause.key_id, reason))
    await periods.update_dismissed(tx, key, carried)
    await held_periods.mark_due(tx, [(cause.tenant_id, agreement_id, row["end_on"])])


async def recall_period(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> None:
    """Have a dismissed period billed after all. NotFound where nothing is held; Conflict where it
    is not dismissed."""
    key, row = await _lock(tx, tenant_id, agreement_id, start_on)
    if row["dismissed_at"] is None:
        raise Conflict("period_not_dismissed", "the period is not dismissed")
    await periods.update_undismissed(tx, key)
    await held_periods.update_dismissal(tx, key, None)
    await held_periods.mark_due(tx, [key])


# Asked once, when a revision arrives: what is recalled is billed, however old it is by then. What
# was issued before a restore was within the limit, or was recalled.
async def dismiss_late_corrections(
    tx: WriteConnection, locked: Sequence[ClosedPeriod], now: datetime
) -> list[ClosedPeriod]:
    """Dismiss those of these newest revisions, whose rows are locked, that correct an invoice after
    the months in which their agreement takes that; the others."""
    newer = [closed for closed in locked if closed.revision > 1]
    if not newer:
        return list(locked)
    months = await agreements.fetch_back_billing_months(tx, {closed.key[:2] for closed in newer})
    limited = [closed for closed in newer if closed.key[:2] in months]
    if not limited:
        return list(locked)
    live = await periods.fetch_live_invoices(tx, [closed.key for closed in limited])
    adopted = await adopted_invoices.fetch_adopted(tx, list(live))
    late = []
    for closed in limited:
        until_on = corrected_until_on(closed.period, months[closed.key[:2]])
        was_issued = any(known.revision >= closed.revision for known in adopted.get(closed.key, ()))
        if closed.key in live and not was_issued and local_date(closed.zone, now) > until_on:
            detail = f"it changes what was invoiced, which the agreement takes until {until_on}"
            late.append(HeldPeriod(closed, CORRECTION_TOO_LATE, detail))
    await held_periods.upsert_held(tx, late, now)
    keys = [held.closed.key for held in late]
    await drafts.delete_drafts(tx, keys)
    for held in late:
        await held_periods.update_dismissal(tx, held.closed.key, (now, BY_AGREEMENT, held.detail))
        await periods.update_dismissed(tx, held.closed.key, {})
    ended = [(*held.closed.key[:2], held.closed.period.end_on) for held in late]
    await held_periods.mark_due(tx, ended)
    return [closed for closed in locked if closed.key not in keys]
