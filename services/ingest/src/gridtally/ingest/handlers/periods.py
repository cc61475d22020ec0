"""Planning and closing billing periods: a batch of them, or one that somebody wants closed now."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.ingest.domain.periods import (
    Close,
    ClosedPeriod,
    Estimate,
    OpenPeriod,
    PeriodKey,
    Presence,
    close_period,
    decide,
    in_batches,
    is_new_revision,
    plan_agreement,
    planning_horizon,
)
from gridtally.ingest.events.messages import period_closed
from gridtally.ingest.handlers.derived_meters import refresh_sums
from gridtally.ingest.store import agreements, derived_meters, estimates, periods
from gridtally.ingest.store.archive.archive import Archive, MeterDays
from gridtally.kernel.errors import Conflict, NotFound, Rejected
from gridtally.messaging import enqueue

CLOSE_PERIODS_MAX = 300
CLOSE_DAYS_MAX = 10_000
"""Whose series are in memory together: some 300 months, or 27 years."""
PLAN_AGREEMENTS_MAX = 1_000
RECALL_AGAIN = timedelta(minutes=10)
"""When a period is looked at again whose archived days cannot be read."""


async def plan_periods(tx: WriteConnection, archive: Archive, now: datetime) -> int:
    """Plan the periods of agreements that are new, changed or running out of planned ones.

    The days of a period that is open are in the database, so that archived ones are recalled here;
    an agreement whose days cannot be waits. Returns how many agreements.
    """
    horizon_on = planning_horizon(now)
    unplanned = await agreements.lock_unplanned(tx, horizon_on, PLAN_AGREEMENTS_MAX)
    if unplanned:
        known = await periods.fetch_known_periods(tx, [agreement.key for agreement in unplanned])
        plans = {
            agreement.key: plan_agreement(agreement, horizon_on, known.get(agreement.key, ()))
            for agreement in unplanned
        }
        ready = await archive.recall_each(
            tx,
            {
                key: [
                    MeterDays(own.tenant_id, own.meter_id, own.start_on, own.end_on) for own in plan
                ]
                for key, plan in plans.items()
            },
            now,
        )
        unplanned = [agreement for agreement in unplanned if agreement.key in ready]
        planned = [period for agreement in unplanned for period in plans[agreement.key]]
        await periods.insert_periods(tx, planned)
        meter_keys = sorted({(period.tenant_id, period.meter_id) for period in planned})
        await refresh_sums(tx, meter_keys, now)
        await agreements.mark_planned(tx, unplanned, horizon_on)
    return len(unplanned)


async def close_due_periods(
    tx: WriteConnection, archive: Archive, now: datetime, revision_delay: timedelta
) -> int:
    """Check one batch of the periods that are due, and close those that can be; how many checked.

    Each is decided by itself: one that waits holds up no other.
    """
    keys = await periods.claim_due_periods(tx, now, CLOSE_PERIODS_MAX)
    if keys:
        locked = await periods.lock_periods(tx, keys)
        ready = await archive.recall_each(
            tx, {period.key: [_days_of(period)] for period in locked}, now
        )
        check_at: list[tuple[PeriodKey, datetime | None]] = [
            (period.key, now + RECALL_AGAIN) for period in locked if period.key not in ready
        ]
        due = [period for period in locked if period.key in ready]
        check_at += await _close_or_wait(tx, due, now, revision_delay) if due else []
        unknown = set(keys) - {period.key for period in locked}  # no agreement or meter is known
        await periods.update_check_times(tx, check_at + [(key, None) for key in sorted(unknown)])
    return len(keys)


def _days_of(period: OpenPeriod) -> MeterDays:
    own = period.period
    return MeterDays(period.tenant_id, period.meter.meter_id, own.start_on, own.end_on)


async def _close_or_wait(
    tx: WriteConnection, locked: Sequence[OpenPeriod], now: datetime, revision_delay: timedelta
) -> list[tuple[PeriodKey, datetime | None]]:
    """Close those that can be; when to check the others again."""
    closing: list[tuple[OpenPeriod, Close, Presence]] = []
    estimating: list[PeriodKey] = []
    check_at: list[tuple[PeriodKey, datetime | None]] = []
    for period, presence in zip(locked, await periods.fetch_presence(tx, locked), strict=True):
        decision = decide(period, presence, revision_delay=revision_delay, now=now)
        if isinstance(decision, Close):
            closing.append((period, decision, presence))
        elif isinstance(decision, Estimate):
            estimating.append(period.key)
            check_at.append((period.key, None))
        else:
            check_at.append((period.key, decision.until))
    if estimating:
        await estimates.mark_to_be_estimated(tx, estimating)
    unchanged = await _close(tx, closing, now)
    return check_at + [(same.period.key, same.close.again_at) for same in unchanged]


async def _close(
    tx: WriteConnection, closing: Sequence[tuple[OpenPeriod, Close, Presence]], now: datetime
) -> list[ClosedPeriod]:
    """Close periods and publish that; returns those that would be no new revision, unchanged."""
    batches = in_batches(closing, CLOSE_DAYS_MAX, days=lambda item: item[0].period.days)
    return [closed for batch in batches for closed in await _close_batch(tx, batch, now)]


async def _close_batch(
    tx: WriteConnection, closing: Sequence[tuple[OpenPeriod, Close, Presence]], now: datetime
) -> list[ClosedPeriod]:
    """The same of periods whose series are in memory together."""
    series = await periods.fetch_series(tx, [period for period, _, _ in closing])
    summed = await derived_meters.fetch_part_totals(tx, [period for period, _, _ in closing])
    candidates = [
        close_period(period, close, flows, presence.correlation_id, summed.get(index, ()))
        for index, ((period, close, presence), flows) in enumerate(
            zip(closing, series, strict=True)
        )
    ]
    closed = [candidate for candidate in candidates if is_new_revision(candidate)]
    if closed:
        await periods.update_closed(tx, closed, now)
        await enqueue(tx, [period_closed(period, now) for period in closed])
    return [candidate for candidate in candidates if not is_new_revision(candidate)]


async def force_close(
    tx: WriteConnection,
    archive: Archive,
    tenant_id: str,
    agreement_id: UUID,
    start_on: date,
    now: datetime,
) -> None:
    """Close one ended period with what is there.

    NotFound for an unknown period (or one whose meter is unknown), Conflict when it is closed and
    has lost nothing since, Rejected when it has not ended.
    """
    locked = await periods.lock_periods(tx, [(tenant_id, agreement_id, start_on)])
    if not locked:
        raise NotFound("period_unknown", "this agreement has no such period")
    period = locked[0]
    await archive.recall(tx, [_days_of(period)], now)
    [presence] = await periods.fetch_presence(tx, [period])
    if period.closed_by is not None and not period.has_lost_values(presence.intervals):
        raise Conflict("period_closed", f"the period is closed, in revision {period.revision}")
    if now < period.end_at:
        raise Rejected("period_not_ended", f"the period ends at {period.end_at.isoformat()}")
    await _close(tx, [(period, Close("forced"), presence)], now)
