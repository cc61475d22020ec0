"""Held periods that nobody wants billed are dismissed, with a reason, and taken back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.billing.domain.periods import PeriodKey
from gridtally.billing.store import agreements, drafts, held_periods, periods
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.kernel.resources import Cause


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
