"""Chunks of houses: their readings are read or generated, rated, and staged.

A chunk is one message and one transaction. Where a worker dies in the middle nothing of it is
stored and another one gets the message; a message that comes again finds its chunk done.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from gridtally.contracts.simulation import SimulationChunkRequested
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Poison, Rejected
from gridtally.kernel.periods import Period
from gridtally.messaging import ReceivedMessage
from gridtally.rating.prices import Prices
from gridtally.rating.usage import Flow, Series, Usage
from gridtally.simulation.domain.comparisons import ChunkComparison, ComparedChunk, months_of
from gridtally.simulation.domain.house_bills import HouseBill, MeterSeries, rate_houses, usage_of
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.prices import series_by_code
from gridtally.simulation.domain.runs import Run
from gridtally.simulation.handlers import runs
from gridtally.simulation.profiles.local_clock import MINUTES
from gridtally.simulation.store import comparisons, house_bills, profiles
from gridtally.simulation.store import runs as store
from gridtally.simulation.store.prices import fetch_prices
from gridtally.simulation.store.runs import RunState
from gridtally.simulation.store.scenarios import shift_of, used_tariffs
from gridtally.simulation.store.services import Services

Readings = Mapping[UUID, Sequence[MeterSeries]]
Beat = Callable[[], None]
"""Called for each month that is compared and each piece of readings that arrives: many months, or
readings as they were known, may take longer than the watchdog waits."""


async def rate_chunks(
    tx: WriteConnection,
    messages: Sequence[ReceivedMessage[SimulationChunkRequested]],
    services: Services,
    now: datetime,
    beat: Beat,
) -> None:
    """Rate each chunk whose run is at work; a run that cannot be rated fails, with the reason."""
    for message in messages:
        event = message.event
        if event is None:
            raise Poison("a chunk cannot be deleted by a tombstone")
        await _rate_chunk(tx, message.envelope.tenant_id, event, services, now, beat)


async def _rate_chunk(
    tx: WriteConnection,
    tenant_id: str,
    chunk: SimulationChunkRequested,
    services: Services,
    now: datetime,
    beat: Beat,
) -> None:
    stored = await store.fetch_run(tx, tenant_id, chunk.run_id)
    if stored is None or stored.resource.progress.status != "RUNNING":
        return
    if await store.is_chunk_done(tx, tenant_id, chunk.run_id, chunk.number):
        return
    houses = await store.fetch_houses(tx, tenant_id, chunk.run_id, chunk.first_house, chunk.houses)
    try:
        prices = series_by_code(await fetch_prices(tx, tenant_id, chunk.run_id))
        results = await _results(tenant_id, stored.resource, houses, prices, services, beat)
    except Rejected as failure:
        await runs.fail(tx, tenant_id, chunk.run_id, failure, now)
        return
    if not await store.share_run(tx, tenant_id, chunk.run_id):
        return
    if not await store.mark_chunk_done(tx, tenant_id, chunk.run_id, chunk.number, len(houses), now):
        return
    if isinstance(results, ComparedChunk):
        await comparisons.stage_chunk(tx, tenant_id, chunk.run_id, chunk.number, results)
    else:
        await house_bills.stage_bills(tx, tenant_id, chunk.run_id, results)


async def _results(
    tenant_id: str,
    state: RunState,
    houses: Sequence[House],
    prices: Prices,
    services: Services,
    beat: Beat,
) -> list[HouseBill] | ComparedChunk:
    """What a run makes of some of its houses; rated in threads, a month after another."""
    run = state.run
    if not run.is_comparison:
        readings = await _readings(tenant_id, run, houses, run.month, services, beat)
        return await asyncio.to_thread(partial(_bills, state, houses, readings, prices))
    comparison = ChunkComparison(
        used_tariffs(state.progress.tariffs or []),
        houses,
        run.month,
        run.months,
        missing=run.missing,
        shift=shift_of(run.shift),
        prices=prices,
    )
    for month in months_of(run.month, run.months):
        readings = await _readings(tenant_id, run, houses, month, services, beat)
        await asyncio.to_thread(partial(_compare, comparison, run, month, houses, readings))
        beat()
    return await asyncio.to_thread(comparison.result)


async def _readings(
    tenant_id: str,
    run: Run,
    houses: Sequence[House],
    month: Period,
    services: Services,
    beat: Beat,
) -> Readings:
    """The month's stored readings of the houses; none where they are generated."""
    if run.source == "generated":
        return {}
    meter_ids = [meter_id for house in houses for meter_id in house.meter_ids]
    return await services.fetch_series(
        tenant_id, meter_ids, month, beat, as_known_at=run.as_known_at
    )


def _compare(
    comparison: ChunkComparison,
    run: Run,
    month: Period,
    houses: Sequence[House],
    readings: Readings,
) -> None:
    comparison.add_month([_usage(run, month, house, readings) for house in houses])


def _bills(
    state: RunState, houses: Sequence[House], readings: Readings, prices: Prices
) -> list[HouseBill]:
    """The bills of a chunk; for a thread, since numbers are crunched for a second."""
    run, document = state.run, state.progress.tariff_document
    if document is None:
        raise ValueError("a run at work has its tariff")
    periods = run.policy.get("tou_periods")
    labels = [period["label"] for period in periods] if isinstance(periods, list) else []
    usages = [_usage(run, run.month, house, readings) for house in houses]
    return rate_houses(document, houses, usages, missing=run.missing, labels=labels, prices=prices)


def _usage(run: Run, month: Period, house: House, readings: Readings) -> Usage:
    if run.source == "generated":
        profile = profiles.month_profile(house, month, seed=run.seed)
        imported = profile.imported
        series: dict[Flow, Series] = {"import": imported, "export": imported - profile.net}
        return Usage(house.zone, month, MINUTES, series, house.connected_kw)
    return usage_of(house, month, [readings.get(id_, ()) for id_ in house.meter_ids])
