"""Closing billing periods: a batch of them, or one that somebody wants closed now."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from database import ALL_TENANTS, Database, WriteConnection, transaction
from ingest.domain.periods import Close, OpenPeriod, decide
from ingest.store import periods as store
from ingest.store.periods import Presence
from ingest.wire import ClosedPeriod, period_closed
from kernel.errors import Conflict, NotFound, Rejected
from kernel.ids import derive_id
from messaging import enqueue

CLOSE_PERIODS_MAX = 300
PLAN_AGREEMENTS_MAX = 1_000


async def plan_periods(database: Database, now: datetime) -> int:
    """Plan the periods of agreements that are new, changed or running out of planned ones."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        return await store.plan(tx, now, PLAN_AGREEMENTS_MAX)


async def close_due_periods(database: Database, now: datetime, revision_delay: timedelta) -> int:
    """Look at one batch of the periods that may close, and close those that do; how many looked
    at. Each decides for itself: one that waits holds up no other."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        keys = await store.claim_due(tx, now, CLOSE_PERIODS_MAX)
        if keys:
            periods = await store.lock_periods(tx, keys)
            await _look_at(tx, periods, now, revision_delay)
            lost = set(keys) - {store.key_of(it) for it in periods}
            await store.update_waiting(tx, [(key, None) for key in sorted(lost)])
    return len(keys)


async def _look_at(
    tx: WriteConnection, periods: Sequence[OpenPeriod], now: datetime, revision_delay: timedelta
) -> None:
    if not periods:
        return
    closing: list[tuple[OpenPeriod, Close, Presence]] = []
    waiting: list[tuple[store.PeriodKey, datetime | None]] = []
    for it, there in zip(periods, await store.fetch_presence(tx, periods), strict=True):
        decision = decide(
            it,
            present=there.intervals,
            changed_at=there.changed_at,
            revision_delay=revision_delay,
            now=now,
        )
        if isinstance(decision, Close):
            closing.append((it, decision, there))
        else:
            waiting.append((store.key_of(it), decision.until))
    await store.update_waiting(tx, [*waiting, *await _close(tx, closing, now)])


async def _close(
    tx: WriteConnection, closing: Sequence[tuple[OpenPeriod, Close, Presence]], now: datetime
) -> list[tuple[store.PeriodKey, datetime | None]]:
    """Close them with their events; the keys of those whose series is what it was, and when to
    look at them again."""
    if not closing:
        return []
    series = await store.fetch_series(tx, [it for it, _, _ in closing])
    candidates = [
        ClosedPeriod.of_series(it, close, flows, there.correlation_id or _own_correlation(it))
        for (it, close, there), flows in zip(closing, series, strict=True)
    ]
    closed = [it for it in candidates if it.says_more]
    if closed:
        await store.update_closed(tx, closed, now)
        await enqueue(tx, [period_closed(it, now) for it in closed])
    return [(store.key_of(it.of), it.close.again_at) for it in candidates if not it.says_more]


def _own_correlation(it: OpenPeriod) -> str:
    """Of a period that closes without any reading: nothing else caused it."""
    return str(derive_id("period", it.tenant_id, it.agreement_id, it.period.start_on))


async def force_close(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID, start_on: date, now: datetime
) -> None:
    """Close one ended period with what is there.

    NotFound for an unknown period (or one whose meter is unknown), Conflict when it is closed and
    has lost nothing since, Rejected when it has not ended.
    """
    found = await store.lock_periods(tx, [(tenant_id, agreement_id, start_on)])
    if not found:
        raise NotFound("period_unknown", "this agreement has no such period")
    it = found[0]
    [there] = await store.fetch_presence(tx, [it])
    if it.revision and not it.has_lost_values(there.intervals):
        raise Conflict("period_closed", f"the period is closed, in revision {it.revision}")
    if now < it.end_at:
        raise Rejected("period_running", f"the period ends at {it.end_at.isoformat()}")
    await _close(tx, [(it, Close("forced"), there)], now)
