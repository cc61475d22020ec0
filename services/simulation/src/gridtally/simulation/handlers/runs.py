"""Runs: creating, changing, starting and ending them, each in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue
from gridtally.simulation.domain import runs as domain
from gridtally.simulation.domain.chunks import CHUNK_HOUSES, chunks_of
from gridtally.simulation.domain.comparisons import (
    UsedTariff,
    check_tariffs,
    chunk_houses,
    first_hour_at,
)
from gridtally.simulation.domain.houses import houses_of
from gridtally.simulation.domain.prices import PriceDays, check_known, used_series
from gridtally.simulation.domain.runs import Run
from gridtally.simulation.events import chunk_requested, simulation_completed
from gridtally.simulation.store import comparisons, house_bills, reference_data
from gridtally.simulation.store import runs as store
from gridtally.simulation.store.prices import copy_prices, delete_prices, insert_prices
from gridtally.simulation.store.runs import RunState
from gridtally.simulation.store.scenarios import shift_of, tariffs_json, used_tariffs


async def load(
    read: ReadConnection, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> Stored[RunState]:
    """The run of that id, locked where asked for; NotFound where there is none."""
    stored = await store.fetch_run(read, tenant_id, run_id, lock=lock)
    if stored is None or stored.resource.run.is_comparison:
        raise NotFound("run_unknown", "no simulation run has this id")
    return stored


async def load_comparison(
    read: ReadConnection, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> Stored[RunState]:
    """The comparison of that id, locked where asked for; NotFound where there is none."""
    stored = await store.fetch_run(read, tenant_id, run_id, lock=lock)
    if stored is None or not stored.resource.run.is_comparison:
        raise NotFound("comparison_unknown", "no comparison has this id")
    return stored


async def lock(tx: WriteConnection, tenant_id: str, run_id: UUID) -> Stored[RunState]:
    """As `load`, locked until the transaction ends."""
    return await load(tx, tenant_id, run_id, lock=True)


async def _lock_any(tx: WriteConnection, tenant_id: str, run_id: UUID) -> Stored[RunState]:
    """A run or comparison that is known to be there, locked until the transaction ends."""
    stored = await store.fetch_run(tx, tenant_id, run_id, lock=True)
    if stored is None:
        raise NotFound("run_unknown", "no simulation run has this id")
    return stored


async def create(tx: WriteConnection, tenant_id: str, new: Run, now: datetime) -> Stored[RunState]:
    """A pending run; the same again is what is there. Conflict for the id of another."""
    created = await store.insert_run(tx, tenant_id, new, now)
    if created is not None:
        return created
    known = await _lock_any(tx, tenant_id, new.id)
    if known.resource.run != new:
        raise Conflict("run_exists", f"another run has the id {new.id}")
    return known


async def change(
    tx: WriteConnection, tenant_id: str, current: Stored[RunState], changed: Run, now: datetime
) -> Stored[RunState]:
    """Change a locked run; Conflict unless it is pending."""
    domain.check_pending(current.resource.progress.status, "changed")
    if changed == current.resource.run:
        return current
    return await store.update_run(tx, tenant_id, changed, now)


def changed_run(run: Run, changes: Mapping[str, Any]) -> Run:
    """The run with other values of some fields."""
    return replace(run, **changes)


def check_unchanged(seen: Stored[RunState], current: Stored[RunState]) -> None:
    """Conflict where the run was changed, or started, since it was seen."""
    domain.check_pending(current.resource.progress.status, "started")
    if seen.version != current.version:
        raise Conflict("run_not_pending", "the run was changed meanwhile; read it again")


async def copy(
    tx: WriteConnection, tenant_id: str, of: Stored[RunState], name: str | None, now: datetime
) -> Stored[RunState]:
    """A pending run that says the same, under an id of its own."""
    run = of.resource.run
    return await create(tx, tenant_id, replace(run, id=new_id(), name=name or run.name), now)


async def start(
    tx: WriteConnection,
    cause: Cause,
    current: Stored[RunState],
    tariffs: Sequence[UsedTariff],
    prices: PriceDays,
    now: datetime,
) -> Stored[RunState]:
    """Start a locked run: its houses and its tariffs, one for each scenario of a comparison, with
    the prices that they bill by, are stored as they are now, and its chunks are requested. Conflict
    for a second start; Rejected where there is nothing to simulate."""
    domain.check_pending(current.resource.progress.status, "started")
    run = current.resource.run
    properties, profiles = await reference_data.fetch_tree(
        tx, cause.tenant_id, run.topology_root_node_id
    )
    if not properties:
        fault = Fault("/topology_root_node_id", "must be a property of the registry")
        raise Rejected("unknown_node", "there is no property with this id", (fault,))
    houses = houses_of(properties, run.source, run.profile, profiles)
    zones = sorted({house.zone for house in houses})
    check_tariffs(tariffs, zones, shift_of(run.shift))  # here, while somebody waits
    check_known(prices)
    await store.insert_houses(tx, cause.tenant_id, run.id, houses)
    await insert_prices(tx, cause.tenant_id, run.id, prices)
    return await _begin(tx, cause, run, len(houses), tariffs, used_series(prices), now)


async def repeat(
    tx: WriteConnection,
    cause: Cause,
    original: Stored[RunState],
    name: str | None,
    now: datetime,
    *,
    as_then: bool,
) -> Stored[RunState]:
    """A comparison at work over the houses and tariffs of another, as these were then; over the
    readings that are there now, or `as_then` those that had been received when the other was
    started. Conflict unless that one is COMPLETED."""
    progress = original.resource.progress
    if progress.status != "COMPLETED":
        raise Conflict("comparison_not_completed", "only a COMPLETED comparison can be repeated")
    run = original.resource.run
    then = run.as_known_at or progress.started_at
    repetition = replace(
        run,
        id=new_id(),
        name=name or run.name,
        repeat_of=run.id,
        as_known_at=then if as_then else None,
    )
    await create(tx, cause.tenant_id, repetition, now)
    await store.copy_houses(tx, cause.tenant_id, run.id, repetition.id)
    await copy_prices(tx, cause.tenant_id, run.id, repetition.id)
    tariffs = used_tariffs(progress.tariffs or [])
    prices = progress.prices or []
    return await _begin(tx, cause, repetition, progress.houses, tariffs, prices, now)


async def _begin(
    tx: WriteConnection,
    cause: Cause,
    run: Run,
    houses: int,
    tariffs: Sequence[UsedTariff],
    prices: Sequence[Mapping[str, object]],
    now: datetime,
) -> Stored[RunState]:
    """Set a pending run, whose houses are stored, to work."""
    chunks = list(chunks_of(run.id, houses, _houses_of_chunk(run, len(tariffs))))
    started = await store.update_progress(
        tx,
        cause.tenant_id,
        run.id,
        {
            "status": "RUNNING",
            "started_at": now,
            "progressed_at": now,
            "houses": houses,
            "chunks": len(chunks),
            "tariff_document": dict(tariffs[0].document),
            "tariffs": tariffs_json(tariffs) if run.is_comparison else None,
            "prices": [*prices],
            "correlation_id": cause.correlation_id,
        },
        now,
    )
    await enqueue(tx, [chunk_requested(run.id, chunk, cause, now) for chunk in chunks])
    return started


def _houses_of_chunk(run: Run, scenarios: int) -> int:
    if not run.is_comparison:
        return CHUNK_HOUSES
    return chunk_houses(
        run.months,
        scenarios,
        is_shifted=run.shift is not None,
        is_as_known=run.as_known_at is not None,
        houses_max=CHUNK_HOUSES,
    )


async def cancel(
    tx: WriteConnection, cause: Cause, current: Stored[RunState], now: datetime
) -> Stored[RunState]:
    """End a locked run without any bill; Conflict where it is over."""
    domain.check_cancellable(current.resource.progress.status)
    return await _end(tx, current.resource, {"status": "CANCELLED"}, cause.correlation_id, now)


async def fail(
    tx: WriteConnection, tenant_id: str, run_id: UUID, failure: Rejected, now: datetime
) -> None:
    """End a run for the reason, if it is at work; nothing of it is left but that."""
    current = await _lock_any(tx, tenant_id, run_id)
    if current.resource.progress.status == "RUNNING":
        ended = {
            "status": "FAILED",
            "error_code": failure.code,
            "error_detail": failure.detail,
        }
        await _end(tx, current.resource, ended, current.resource.correlation_id, now)


async def delete(tx: WriteConnection, tenant_id: str, current: Stored[RunState]) -> None:
    """Delete a locked run with all that it made; Conflict while it is at work."""
    domain.check_deletable(current.resource.progress.status)
    await house_bills.delete_bills(tx, tenant_id, current.resource.id)
    await comparisons.delete_results(tx, tenant_id, current.resource.id)
    await store.delete_chunks(tx, tenant_id, current.resource.id)
    await delete_prices(tx, tenant_id, current.resource.id)
    await store.delete_run(tx, tenant_id, current.resource.id)


async def end_due_runs(tx: WriteConnection, now: datetime, stalled_after: timedelta) -> int:
    """End one run whose chunks are all done, or one that stalled; how many that were.

    Its bills, or what a comparison came to, become visible and its status changes in this one
    transaction.
    """
    due = await store.lock_due_run(tx, now - stalled_after)
    if due is None:
        return 0
    if not due.is_done:
        stalled = Rejected("run_stalled", f"nothing was done for {stalled_after}; are workers up?")
        await fail(tx, due.tenant_id, due.id, stalled, now)
        return 1
    current = await _lock_any(tx, due.tenant_id, due.id)
    run = current.resource.run
    if run.is_comparison:
        await comparisons.sum_up(tx, due.tenant_id, due.id, first_hour_at(run.month))
    else:
        await house_bills.show_bills(tx, due.tenant_id, due.id)
    await _end(tx, current.resource, {"status": "COMPLETED"}, current.resource.correlation_id, now)
    return 1


async def _end(
    tx: WriteConnection,
    state: RunState,
    columns: Mapping[str, Any],
    correlation_id: str,
    now: datetime,
) -> Stored[RunState]:
    """Give a locked run its last status and tell of it."""
    tenant_id, run_id = state.tenant_id, state.id
    await house_bills.delete_staged(tx, tenant_id, run_id)
    await store.delete_chunks(tx, tenant_id, run_id)
    if state.run.is_comparison and columns["status"] != "COMPLETED":
        await comparisons.delete_results(tx, tenant_id, run_id)
    ended = await store.update_progress(
        tx, tenant_id, run_id, {**columns, "ended_at": now, "progressed_at": now}, now
    )
    totals = await house_bills.fetch_totals(tx, tenant_id, run_id, house_bills.BillFilter())
    event = simulation_completed(
        tenant_id,
        ended.resource.run,
        ended.resource.progress,
        correlation_id,
        now,
        currency=totals.currency,
        total_amount=totals.total_amount if totals.houses else None,
    )
    await enqueue(tx, [event])
    return ended
