"""`/v1/simulation-comparisons/{id}/results`: what each scenario brings, and who gains and loses."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from gridtally.contracts.model import Amount
from gridtally.database import ReadConnection, snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel
from gridtally.kernel.energy import kwh
from gridtally.rating.engine.exact import add_up
from gridtally.rating.engine.lines import Kind
from gridtally.simulation.api.callers import ComparisonId, Reader
from gridtally.simulation.domain.comparisons import BASELINE, Revenue, load_factor
from gridtally.simulation.domain.runs import Status
from gridtally.simulation.handlers import runs
from gridtally.simulation.store import comparisons as store
from gridtally.simulation.store.runs import RunState

router = Router(prefix="/v1/simulation-comparisons/{comparison_id}", tags=["comparison results"])
BINS_MAX = 200
EXTREMES = 5
"""So many of the houses that gain and lose most are named."""
NAMED_MAX = 10
"""So many houses whose readings have changed are named."""
Bins = Annotated[int, Query(ge=1, le=BINS_MAX, description="Parts of the histogram")]


class Affected(AnswerModel):
    """A house and what a scenario changes for it."""

    house_node_id: UUID
    """The house."""
    house_name: str
    """What people called it when the comparison was started."""
    amount: Amount
    """What it pays by the scenario over all months."""
    difference: Amount
    """That less what it pays by the baseline."""


class Group(AnswerModel):
    """Houses, and what they pay more than by the baseline, together."""

    houses: int
    """How many they are."""
    difference: Amount
    """What they pay more; below zero where they pay less."""


class Decile(AnswerModel):
    """A tenth of the houses, in the order of their differences."""

    decile: int
    """Which tenth, from 1: those that gain most."""
    houses: int
    """How many houses it has."""
    least: Amount
    """The least difference among them."""
    greatest: Amount
    """The greatest difference among them."""
    difference: Amount
    """What they pay more together."""


class Bin(AnswerModel):
    """The houses whose difference lies in a part of the histogram."""

    from_difference: Amount
    """Its lower end, which belongs to it."""
    to_difference: Amount
    """Its upper end, which belongs to the next one; that of the last one to itself."""
    houses: int
    """How many houses lie in it."""


class ComponentRevenue(AnswerModel):
    """What a component of the tariff brings."""

    component_id: str
    """The component."""
    kind: Kind
    """What sort of charge its lines are."""
    amount: Amount
    """What it brings; below zero where it credits."""


class MonthRevenue(AnswerModel):
    """What a month brings."""

    month_on: date
    """The first of the month."""
    amount: Amount
    """What all houses pay for it."""


class Outcome(AnswerModel):
    """What a scenario comes to, with use as it was measured or as it has moved."""

    houses: int
    """How many houses there are."""
    total_energy_imported_kwh: Amount
    """What all took from the grid."""
    total_energy_exported_kwh: Amount
    """What all fed in."""
    revenue: Amount
    """What all pay."""
    difference: Amount
    """That less what all pay by the baseline."""
    winners: Group
    """The houses that pay less than by the baseline."""
    losers: Group
    """The houses that pay more."""
    unchanged: int
    """How many houses pay the same."""
    deciles: list[Decile]
    """The tenths of the houses by what they pay more."""
    histogram: list[Bin]
    """How many houses pay how much more, in parts of equal width."""
    most_gaining: list[Affected]
    """The houses that gain most."""
    most_losing: list[Affected]
    """The houses that lose most."""
    by_component: list[ComponentRevenue]
    """The revenue by component."""
    by_month: list[MonthRevenue]
    """The revenue by month."""
    peak_kw: Amount | None
    """The highest mean load of all houses together over an hour (UTC)."""
    peak_at: datetime | None
    """When that hour began, in UTC."""
    load_factor: Amount | None
    """The mean load as a share of the peak; null where nothing was taken."""


class ScenarioResult(Outcome):
    """What a scenario comes to with use as it was measured, and as it has moved."""

    label: str
    """What people call it."""
    shifted: Outcome | None
    """The same after use has moved, still held against the baseline as it was measured; null for
    the baseline and where the comparison has no shift."""


class Repeated(AnswerModel):
    """What has changed since the comparison that this one repeats."""

    repeat_of: UUID
    """The one that is repeated."""
    houses_changed: int
    """How many houses have other readings than then."""
    changed_house_ids: list[UUID]
    """The first of them."""


class ComparisonResults(AnswerModel):
    """What a comparison comes to."""

    status: Status
    """The comparison's status; there are results of a COMPLETED one only."""
    currency: str | None
    """The currency of all amounts; null without results."""
    scenarios: list[ScenarioResult]
    """The scenarios in their order, the baseline first; none without results."""
    readings_sha256: str | None
    """The digest of all readings that were used: the same for the same readings."""
    repeated: Repeated | None
    """What has changed since the comparison that this one repeats; null where it repeats none."""


@router.get("/results")
async def get_comparison_results(
    comparison_id: ComparisonId, db: Db, caller: Reader, bins: Bins = 20
) -> ComparisonResults:
    """What each scenario brings, who gains and who loses, by component and by month."""
    tenant_id = caller.tenant_id
    async with snapshot(db, tenant=tenant_id) as read:
        state = (await runs.load_comparison(read, tenant_id, comparison_id)).resource
        if state.progress.status != "COMPLETED":
            return ComparisonResults(
                status=state.progress.status,
                currency=None,
                scenarios=[],
                readings_sha256=None,
                repeated=None,
            )
        measured = await _outcomes(read, state, bins, by_shifted=False)
        moved = await _outcomes(read, state, bins, by_shifted=True)
        labels = [str(scenario["label"]) for scenario in state.run.scenarios or []]
        return ComparisonResults(
            status=state.progress.status,
            currency=await store.fetch_currency(read, tenant_id, comparison_id),
            scenarios=[
                ScenarioResult(label=labels[number], shifted=moved.get(number), **outcome.__dict__)
                for number, outcome in measured.items()
            ],
            readings_sha256=await store.fetch_readings_digest(read, tenant_id, comparison_id),
            repeated=await _repeated(read, state),
        )


async def _repeated(read: ReadConnection, state: RunState) -> Repeated | None:
    """What has changed; None where nothing is repeated, or where that one was deleted."""
    original_id = state.run.repeat_of
    if original_id is None:
        return None
    if not await store.fetch_currency(read, state.tenant_id, original_id):
        return None
    changed = await store.fetch_changed_houses(read, state.tenant_id, state.id, original_id)
    return Repeated(
        repeat_of=original_id,
        houses_changed=len(changed),
        changed_house_ids=changed[:NAMED_MAX],
    )


async def _outcomes(
    read: ReadConnection, state: RunState, bins: int, *, by_shifted: bool
) -> dict[int, Outcome]:
    """What each scenario comes to, by its number."""
    of_run: tuple[str, UUID] = (state.tenant_id, state.id)
    deciles = await store.fetch_deciles(read, *of_run, by_shifted=by_shifted)
    revenue = await store.fetch_revenue(read, *of_run)
    peaks = await store.fetch_peaks(read, *of_run)
    outcomes: dict[int, Outcome] = {}
    for totals in await store.fetch_totals(read, *of_run, by_shifted=by_shifted):
        number = totals.scenario
        peak = peaks.get(number if by_shifted else BASELINE)
        parts = [
            part for part in revenue if (part.scenario, part.is_shifted) == (number, by_shifted)
        ]
        affected = [
            await _affected(read, of_run, number, sort, by_shifted=by_shifted)
            for sort in ("difference", "-difference")
        ]
        outcomes[number] = Outcome(
            houses=totals.houses,
            total_energy_imported_kwh=kwh(totals.imported_wh),
            total_energy_exported_kwh=kwh(totals.exported_wh),
            revenue=totals.revenue,
            difference=totals.difference,
            winners=Group(houses=totals.winners, difference=totals.winners_difference),
            losers=Group(houses=totals.losers, difference=totals.losers_difference),
            unchanged=totals.houses - totals.winners - totals.losers,
            deciles=[_decile(decile) for decile in deciles if decile.scenario == number],
            histogram=_histogram(
                totals,
                await store.fetch_histogram(read, *of_run, totals, bins, by_shifted=by_shifted),
            ),
            most_gaining=affected[0],
            most_losing=affected[1],
            by_component=_by_component(parts),
            by_month=_by_month(parts),
            peak_kw=None if peak is None else kwh(peak.peak_wh),
            peak_at=None if peak is None else peak.peak_at,
            load_factor=(
                None
                if peak is None
                else load_factor(totals.imported_wh, peak.peak_wh, totals.hours)
            ),
        )
    return outcomes


def _decile(decile: store.Decile) -> Decile:
    return Decile(**{name: getattr(decile, name) for name in Decile.model_fields})


async def _affected(
    read: ReadConnection, of_run: tuple[str, UUID], scenario: int, sort: str, *, by_shifted: bool
) -> list[Affected]:
    """The houses at one end of the differences that are on its side of nothing."""
    outcome: store.Outcome = "loser" if sort.startswith("-") else "winner"
    chosen = store.HouseFilter(scenario=scenario, outcome=outcome, by_shifted=by_shifted)
    name = "shifted_difference" if by_shifted else "difference"
    houses = await store.list_houses(
        read,
        *of_run,
        chosen,
        sort=sort.replace("difference", name),
        after=None,
        rows_max=EXTREMES,
    )
    return [
        Affected(
            house_node_id=house.house_node_id,
            house_name=house.house_name,
            amount=(house.shifted_amount or Decimal(0)) if by_shifted else house.amount,
            difference=getattr(house, name),
        )
        for house in houses
    ]


def _histogram(totals: store.ScenarioTotals, houses: Sequence[int]) -> list[Bin]:
    """The parts with their ends; a single one where all differences are the same."""
    width = (totals.greatest - totals.least) / len(houses)
    ends = [totals.least + width * number for number in range(len(houses))] + [totals.greatest]
    return [
        Bin(from_difference=low, to_difference=high, houses=count)
        for low, high, count in zip(ends, ends[1:], houses, strict=False)
    ]


def _by_component(parts: Sequence[Revenue]) -> list[ComponentRevenue]:
    grouped = _grouped(parts, "component_id", "kind")
    return [
        ComponentRevenue(component_id=component_id, kind=kind, amount=amount)
        for (component_id, kind), amount in grouped.items()
    ]


def _by_month(parts: Sequence[Revenue]) -> list[MonthRevenue]:
    return [
        MonthRevenue(month_on=month_on, amount=amount)
        for (month_on,), amount in _grouped(parts, "month_on").items()
    ]


def _grouped(parts: Sequence[Revenue], *names: str) -> Mapping[tuple[Any, ...], Decimal]:
    """The sums of the parts that have the same values under these names."""
    amounts: dict[tuple[Any, ...], list[Decimal]] = {}
    for part in parts:
        amounts.setdefault(tuple(getattr(part, name) for name in names), []).append(part.amount)
    return {key: add_up(summed) for key, summed in amounts.items()}
