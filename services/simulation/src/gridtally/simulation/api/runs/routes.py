"""`/v1/simulation-runs`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from gridtally.database import ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, RequiredMatch
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import answer, location_of
from gridtally.http.sorting import SortedPage
from gridtally.kernel.ids import new_id
from gridtally.simulation.api.callers import OtherServices, Reader, RunId, WriteCause
from gridtally.simulation.api.policies.routes import chosen_policy, used_prices, used_tariff
from gridtally.simulation.api.runs.models import (
    Month,
    NewRun,
    RunChange,
    RunCopy,
    RunTerms,
    SimulationRun,
    Year,
)
from gridtally.simulation.domain import runs as domain
from gridtally.simulation.domain.houses import Source
from gridtally.simulation.handlers import runs as handlers
from gridtally.simulation.store import runs as store

router = Router(prefix="/v1/simulation-runs", tags=["simulation runs"])
Sort = Literal["created_at", "-created_at", "name", "-name"]
PATH = "/v1/simulation-runs"


async def _sorted_page(
    paging: Paging,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "created_at",
) -> SortedPage:
    return SortedPage(paging, sort)


Sorted = Annotated[SortedPage, Depends(_sorted_page)]


@router.post("", status_code=201, response_model=SimulationRun)
async def create_simulation_run(
    new: NewRun, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Create a run, which is PENDING until it is started; the same again answers 200."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (known := await request.fetch_answer(tx)) is not None:
            return known
        run = await _run(tx, cause.tenant_id, new.id or new_id(), new)
        existed = await store.fetch_run(tx, cause.tenant_id, run.id) is not None
        stored = await handlers.create(tx, cause.tenant_id, run, now)
        headers = location_of(f"{PATH}/{run.id}", created=not existed)
        return await request.store_answer(
            tx,
            200 if existed else 201,
            SimulationRun.of(stored),
            {"ETag": f'"{stored.version}"', **headers},
        )


@router.get("")
async def list_simulation_runs(
    db: Db,
    caller: Reader,
    page: Sorted,
    status: Annotated[domain.Status | None, Query(description="With this status only")] = None,
    source: Annotated[Source | None, Query(description="Of this source only")] = None,
    topology_root_node_id: Annotated[UUID | None, Query(description="Of this node only")] = None,
    billing_cycle_year: Annotated[Year | None, Query(description="Of this year only")] = None,
    billing_cycle_month: Annotated[Month | None, Query(description="Of this month only")] = None,
) -> Page[SimulationRun]:
    """Runs, oldest first unless another order is asked for."""
    filters = {
        "status": status,
        "source": source,
        "topology_root_node_id": topology_root_node_id,
        "billing_cycle_year": billing_cycle_year,
        "billing_cycle_month": billing_cycle_month,
    }
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_runs(read, caller.tenant_id, page.position(), filters)
    return page.cut(rows, SimulationRun.of)


@router.get("/{run_id}")
async def get_simulation_run(
    run_id: RunId, db: Db, caller: Reader, response: Response
) -> SimulationRun:
    """One run, and how far it is."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await handlers.load(read, caller.tenant_id, run_id)
    return answer(response, stored, SimulationRun.of)


@router.put("/{run_id}")
async def replace_simulation_run(
    run_id: RunId,
    terms: RunTerms,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> SimulationRun:
    """Put another run in its place; only while it is PENDING."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock(tx, cause.tenant_id, run_id)
        if_match.check(current.version)
        run = await _run(tx, cause.tenant_id, run_id, terms)
        changed = await handlers.change(tx, cause.tenant_id, current, run, now)
    return answer(response, changed, SimulationRun.of)


@router.patch("/{run_id}")
async def change_simulation_run(
    run_id: RunId,
    change: RunChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> SimulationRun:
    """Change what is named; only while it is PENDING."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock(tx, cause.tenant_id, run_id)
        if_match.check(current.version)
        changes = change.changes()
        if change.profile is not None:
            changes["profile"] = change.profile.to_domain()
        if change.policy is not None or change.policy_id is not None:
            changes |= await chosen_policy(tx, cause.tenant_id, change.policy, change.policy_id)
        run = handlers.changed_run(current.resource.run, changes)
        changed = await handlers.change(tx, cause.tenant_id, current, run, now)
    return answer(response, changed, SimulationRun.of)


@router.delete("/{run_id}", status_code=204)
async def delete_simulation_run(
    run_id: RunId, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a run with its house bills; one that is RUNNING must be cancelled before."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock(tx, cause.tenant_id, run_id)
        if_match.check(current.version)
        await handlers.delete(tx, cause.tenant_id, current)


@router.post("/{run_id}/start")
async def start_simulation_run(
    run_id: RunId,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    services: OtherServices,
    response: Response,
) -> SimulationRun:
    """Start a run; its houses and tariff are those of this moment. A second start is refused."""
    async with snapshot(db, tenant=cause.tenant_id) as read:
        found = await handlers.load(read, cause.tenant_id, run_id)
    domain.check_pending(found.resource.progress.status, "started")
    tariff = await used_tariff(services, cause.tenant_id, found.resource.run.policy)
    prices = await used_prices(services, cause.tenant_id, [tariff], found.resource.run.window)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock(tx, cause.tenant_id, run_id)
        if_match.check(current.version)
        # What was read of tariff and prices is of the policy that was there before the lock.
        handlers.check_unchanged(found, current)
        started = await handlers.start(tx, cause, current, [tariff], prices, now)
    return answer(response, started, SimulationRun.of)


@router.post("/{run_id}/cancel")
async def cancel_simulation_run(
    run_id: RunId, db: Db, cause: WriteCause, now: Now, if_match: OptionalMatch, response: Response
) -> SimulationRun:
    """Cancel a run that is PENDING or RUNNING; none of its bills is left."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.lock(tx, cause.tenant_id, run_id)
        if_match.check(current.version)
        cancelled = await handlers.cancel(tx, cause, current, now)
    return answer(response, cancelled, SimulationRun.of)


@router.post("/{run_id}/copy", status_code=201, response_model=SimulationRun)
async def copy_simulation_run(
    run_id: RunId,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
    terms: RunCopy | None = None,
) -> Response:
    """Create a PENDING run that says the same as this one, whatever has become of it."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (known := await request.fetch_answer(tx)) is not None:
            return known
        of = await handlers.load(tx, cause.tenant_id, run_id)
        name = terms.name if terms is not None else None
        copied = await handlers.copy(tx, cause.tenant_id, of, name, now)
        headers = location_of(f"{PATH}/{copied.resource.id}", created=True)
        return await request.store_answer(
            tx, 201, SimulationRun.of(copied), {"ETag": f'"{copied.version}"', **headers}
        )


async def _run(read: ReadConnection, tenant_id: str, run_id: RunId, terms: RunTerms) -> domain.Run:
    """The run that a request describes; NotFound for a policy that is not there."""
    return domain.Run(
        id=run_id,
        name=terms.name,
        billing_cycle_month=terms.billing_cycle_month,
        billing_cycle_year=terms.billing_cycle_year,
        topology_root_node_id=terms.topology_root_node_id,
        source=terms.source,
        profile=terms.profile.to_domain(),
        seed=terms.seed,
        missing=terms.missing,
        **await chosen_policy(read, tenant_id, terms.policy, terms.policy_id),
    )
