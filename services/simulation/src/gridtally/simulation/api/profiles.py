"""What was generated for the houses of a run, as files: a CSV of each, and a ZIP of all."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from fastapi import Response

from gridtally.database import Database, snapshot
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.simulation.api.callers import HouseId, Reader, RunId
from gridtally.simulation.domain.runs import Run
from gridtally.simulation.handlers import runs
from gridtally.simulation.store import profiles
from gridtally.simulation.store import runs as store
from gridtally.simulation.store.runs import RunState

router = Router(prefix="/v1/simulation-runs/{run_id}", tags=["profiles"])
BATCH_HOUSES = 100
CSV = "text/csv; charset=utf-8; header=present"


@router.get("/houses/{house_node_id}/profile.csv", response_class=Response)
async def get_house_profile_file(
    run_id: RunId, house_node_id: HouseId, db: Db, caller: Reader
) -> Response:
    """A house's whole year in quarters of an hour: time, load, solar, net, import and export, in
    kWh; of the year of the run's billing month."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        state = (await runs.load(read, caller.tenant_id, run_id)).resource
        _check_generated(state)
        house = await store.fetch_house(read, caller.tenant_id, run_id, house_node_id)
    if house is None:
        raise NotFound("house_unknown", "the run has no such house")
    run = state.run
    made = partial(profiles.year_csv, house, run.billing_cycle_year, seed=run.seed)
    attached = f'attachment; filename="profile-{house_node_id}.csv"'
    return Response(
        (await asyncio.to_thread(made)).encode(),
        media_type=CSV,
        headers={"Content-Disposition": attached},
    )


@router.get("/profiles.zip", response_class=Response)
async def export_profiles(run_id: RunId, db: Db, caller: Reader, exports: Exports) -> Response:
    """The profiles of all houses, `<house>/profile.csv` each, sent while they are made."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        state = (await runs.load(read, caller.tenant_id, run_id)).resource
    _check_generated(state)
    chunks = _zip(db, caller.tenant_id, state.run, state.progress.houses)
    return await exports.stream(
        caller.tenant_id, chunks, "application/zip", filename="profiles.zip"
    )


def _check_generated(state: RunState) -> None:
    if state.run.source != "generated":
        raise Conflict("not_generated", "profiles are of runs with generated readings")
    if not state.progress.houses:
        raise Conflict("run_not_started", "the houses of a run are known once it is started")


async def _zip(db: Database, tenant_id: str, run: Run, houses: int) -> AsyncGenerator[bytes, None]:
    archive = profiles.ProfilesZip()
    for first in range(0, houses, BATCH_HOUSES):
        async with snapshot(db, tenant=tenant_id) as read:
            batch = await store.fetch_houses(read, tenant_id, run.id, first, BATCH_HOUSES)
        for house in batch:
            made = partial(archive.add, house, run.billing_cycle_year, seed=run.seed)
            yield await asyncio.to_thread(made)
    yield archive.end()
