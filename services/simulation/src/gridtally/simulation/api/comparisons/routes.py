"""`/v1/simulation-comparisons`: creating, starting, cancelling and repeating."""

from typing import Annotated, Any, Literal
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
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import new_id
from gridtally.simulation.api.callers import ComparisonId, OtherServices, Reader, WriteCause
from gridtally.simulation.api.comparisons.models import (
    ComparisonTerms,
    NewComparison,
    Repetition,
    SimulationComparison,
)
from gridtally.simulation.api.comparisons.shifts import stored_shift
from gridtally.simulation.api.policies.routes import chosen_policy, used_prices, used_tariff
from gridtally.simulation.domain import runs as domain
from gridtally.simulation.handlers import runs as handlers
from gridtally.simulation.store import runs as store

router = Router(prefix="/v1/simulation-comparisons", tags=["simulation comparisons"])
Sort = Literal["created_at", "-created_at", "name", "-name"]
PATH = "/v1/simulation-comparisons"


async def _sorted_page(
    paging: Paging,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "created_at",
) -> SortedPage:
    return SortedPage(paging, sort)


Sorted = Annotated[SortedPage, Depends(_sorted_page)]


@router.post("", status_code=201, response_model=SimulationComparison)
async def create_simulation_comparison(
    new: NewComparison, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """Create a comparison, which is PENDING until it is started; the same again answers 200."""
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
            SimulationComparison.of(stored),
            {"ETag": f'"{stored.version}"', **headers},
        )


@router.get("")
async def list_simulation_comparisons(
    db: Db,
    caller: Reader,
    page: Sorted,
    status: Annotated[domain.Status | None, Query(description="With this status only")] = None,
    topology_root_node_id: Annotated[UUID | None, Query(description="Of this node only")] = None,
    repeat_of: Annotated[UUID | None, Query(description="Repetitions of this one only")] = None,
) -> Page[SimulationComparison]:
    """Comparisons, oldest first unless another order is asked for."""
    filters = {
        "status": status,
        "topology_root_node_id": topology_root_node_id,
        "repeat_of": repeat_of,
    }
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_runs(
            read, caller.tenant_id, page.position(), filters, comparisons=True
        )
    return page.cut(rows, SimulationComparison.of)


@router.get("/{comparison_id}")
async def get_simulation_comparison(
    comparison_id: ComparisonId, db: Db, caller: Reader, response: Response
) -> SimulationComparison:
    """One comparison, and how far it is."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await handlers.load_comparison(read, caller.tenant_id, comparison_id)
    return answer(response, stored, SimulationComparison.of)


@router.put("/{comparison_id}")
async def replace_simulation_comparison(
    comparison_id: ComparisonId,
    terms: ComparisonTerms,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> SimulationComparison:
    """Put another comparison in its place; only while it is PENDING."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load_comparison(tx, cause.tenant_id, comparison_id, lock=True)
        if_match.check(current.version)
        run = await _run(tx, cause.tenant_id, comparison_id, terms)
        changed = await handlers.change(tx, cause.tenant_id, current, run, now)
    return answer(response, changed, SimulationComparison.of)


@router.delete("/{comparison_id}", status_code=204)
async def delete_simulation_comparison(
    comparison_id: ComparisonId, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a comparison with its results; one that is RUNNING must be cancelled before."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load_comparison(tx, cause.tenant_id, comparison_id, lock=True)
        if_match.check(current.version)
        await handlers.delete(tx, cause.tenant_id, current)


@router.post("/{comparison_id}/start")
async def start_simulation_comparison(
    comparison_id: ComparisonId,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    services: OtherServices,
    response: Response,
) -> SimulationComparison:
    """Start a comparison; its houses and tariffs are those of this moment, and are stored. A second
    start is refused."""
    async with snapshot(db, tenant=cause.tenant_id) as read:
        found = await handlers.load_comparison(read, cause.tenant_id, comparison_id)
    domain.check_pending(found.resource.progress.status, "started")
    tariffs = [
        await used_tariff(services, cause.tenant_id, scenario["policy"])  # type: ignore[arg-type] # JSON
        for scenario in found.resource.run.scenarios or []
    ]
    prices = await used_prices(services, cause.tenant_id, tariffs, found.resource.run.window)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load_comparison(tx, cause.tenant_id, comparison_id, lock=True)
        if_match.check(current.version)
        # What was read of tariffs and prices is of the policies that were there before the lock.
        handlers.check_unchanged(found, current)
        started = await handlers.start(tx, cause, current, tariffs, prices, now)
    return answer(response, started, SimulationComparison.of)


@router.post("/{comparison_id}/cancel")
async def cancel_simulation_comparison(
    comparison_id: ComparisonId,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> SimulationComparison:
    """Cancel a comparison that is PENDING or RUNNING; nothing of its results is left."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load_comparison(tx, cause.tenant_id, comparison_id, lock=True)
        if_match.check(current.version)
        cancelled = await handlers.cancel(tx, cause, current, now)
    return answer(response, cancelled, SimulationComparison.of)


@router.post("/{comparison_id}/repeat", status_code=201, response_model=SimulationComparison)
async def repeat_simulation_comparison(
    comparison_id: ComparisonId,
    db: Db,
    cause: WriteCause,
    now: Now,
    request: Idempotent,
    terms: Repetition | None = None,
) -> Response:
    """Start a comparison over the same houses and tariffs as a COMPLETED one had, whatever has
    become of them. Its results say which houses' readings have changed since."""
    asked = terms or Repetition()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (known := await request.fetch_answer(tx)) is not None:
            return known
        original = await handlers.load_comparison(tx, cause.tenant_id, comparison_id)
        repetition = await handlers.repeat(
            tx, cause, original, asked.name, now, as_then=asked.readings == "as_then"
        )
        headers = location_of(f"{PATH}/{repetition.resource.id}", created=True)
        return await request.store_answer(
            tx,
            201,
            SimulationComparison.of(repetition),
            {"ETag": f'"{repetition.version}"', **headers},
        )


async def _run(
    read: ReadConnection, tenant_id: str, comparison_id: UUID, terms: ComparisonTerms
) -> domain.Run:
    """The comparison that a request describes; NotFound for a policy that is not there."""
    scenarios: list[dict[str, Any]] = []
    for number, scenario in enumerate(terms.scenarios):
        try:
            chosen = await chosen_policy(read, tenant_id, scenario.policy, scenario.policy_id)
        except Rejected as refused:
            raise refused.relocated("", f"/scenarios/{number}") from None
        copied = chosen["policy_id"]
        scenarios.append(
            {
                "label": scenario.label,
                "policy": chosen["policy"],
                "policy_id": None if copied is None else str(copied),
            }
        )
    return domain.Run(
        id=comparison_id,
        name=terms.name,
        billing_cycle_month=terms.billing_cycle_month,
        billing_cycle_year=terms.billing_cycle_year,
        months=terms.months,
        topology_root_node_id=terms.topology_root_node_id,
        source=terms.source,
        policy=scenarios[0]["policy"],
        scenarios=scenarios,
        shift=stored_shift(terms.shift),
        as_known_at=terms.as_known_at,
        profile=terms.profile.to_domain(),
        seed=terms.seed,
        missing=terms.missing,
    )
