"""`/v1/simulation-comparisons/{id}/houses`: every house by every scenario, and files of results."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query, Response

from gridtally.contracts.model import Amount
from gridtally.database import Database, snapshot
from gridtally.database.copy_out import copy_csv
from gridtally.exports.columns import Column, Format
from gridtally.exports.export import Export
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel
from gridtally.kernel.energy import kwh
from gridtally.kernel.errors import Conflict
from gridtally.simulation.api.callers import ComparisonId, Reader
from gridtally.simulation.api.house_bills import finite, same_order
from gridtally.simulation.domain import comparisons as domain
from gridtally.simulation.handlers import runs
from gridtally.simulation.store import comparisons as store

router = Router(prefix="/v1/simulation-comparisons/{comparison_id}", tags=["comparison results"])
Sort = Literal[
    "house_node_id", "-house_node_id", "difference", "-difference", "amount", "-amount",
    "shifted_difference", "-shifted_difference",
    "total_energy_imported_kwh", "-total_energy_imported_kwh", "peak_kw", "-peak_kw",
]  # fmt: skip
HOUSE_COLUMNS = (
    Column("house_node_id", "id"), Column("house_name"), Column("scenario", "whole"),
    Column("total_energy_imported_kwh", "decimal"), Column("total_energy_exported_kwh", "decimal"),
    Column("peak_kw", "decimal"), Column("amount", "decimal"), Column("difference", "decimal"),
    Column("shifted_energy_imported_kwh", "decimal"), Column("shifted_peak_kw", "decimal"),
    Column("shifted_amount", "decimal"), Column("shifted_difference", "decimal"),
    Column("currency"), Column("readings_sha256"),
)  # fmt: skip
REVENUE_COLUMNS = (
    Column("scenario", "whole"), Column("is_shifted", "truth"), Column("month_on", "day"),
    Column("component_id"), Column("kind"), Column("amount", "decimal"),
)  # fmt: skip
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"}
}


class ComparedHouse(AnswerModel):
    """A house by one scenario, over all months."""

    house_node_id: UUID
    """The house."""
    house_name: str
    """What people called it when the comparison was started."""
    scenario: int
    """The scenario's number, from 0: the baseline."""
    total_energy_imported_kwh: Amount
    """What it took from the grid."""
    total_energy_exported_kwh: Amount
    """What it fed in."""
    peak_kw: Amount
    """The highest mean of what it took over an interval."""
    load_factor: Amount | None
    """The mean load as a share of the peak; null where nothing was taken."""
    amount: Amount
    """What it pays; below zero where it is paid."""
    difference: Amount
    """That less what it pays by the baseline; below zero where it gains."""
    shifted_energy_imported_kwh: Amount | None
    """What it takes after use has moved; null where it has not."""
    shifted_peak_kw: Amount | None
    """The highest mean of what it takes then."""
    shifted_amount: Amount | None
    """What it pays then."""
    shifted_difference: Amount | None
    """That less what it pays by the baseline, use as it was measured."""
    currency: str
    """The currency of all amounts; `XXX` for none."""
    readings_sha256: str
    """The digest of its readings: the same for the same readings."""

    @classmethod
    def of(cls, house: domain.ComparedHouse) -> Self:
        """The house as the API shows it."""
        moved_wh, moved_w = house.shifted_imported_wh, house.shifted_peak_w
        return cls(
            house_node_id=house.house_node_id,
            house_name=house.house_name,
            scenario=house.scenario,
            total_energy_imported_kwh=kwh(house.imported_wh),
            total_energy_exported_kwh=kwh(house.exported_wh),
            peak_kw=kwh(house.peak_w),
            load_factor=domain.load_factor(house.imported_wh, house.peak_w, house.hours),
            amount=house.amount,
            difference=house.difference,
            shifted_energy_imported_kwh=None if moved_wh is None else kwh(moved_wh),
            shifted_peak_kw=None if moved_w is None else kwh(moved_w),
            shifted_amount=house.shifted_amount,
            shifted_difference=house.shifted_difference,
            currency=house.currency,
            readings_sha256=house.readings_sha256,
        )


@router.get("/houses")
async def list_compared_houses(
    comparison_id: ComparisonId,
    db: Db,
    caller: Reader,
    paging: Paging,
    scenario: Annotated[
        int, Query(ge=0, lt=domain.SCENARIOS_MAX, description="By this scenario, from 0")
    ] = 1,
    outcome: Annotated[
        store.Outcome | None, Query(description="Houses that pay less, more or the same")
    ] = None,
    house_node_id: Annotated[UUID | None, Query(description="This house only")] = None,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "difference",
) -> Page[ComparedHouse]:
    """The houses by a scenario; none while the comparison is not COMPLETED. In the order of
    `shifted_difference` are those whose use has moved, and `outcome` is theirs after that."""
    by_shifted = "shifted" in sort
    after = paging.after(same_order(sort), _kind(sort), UUID)
    chosen = store.HouseFilter(scenario, outcome, house_node_id, by_shifted=by_shifted)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await runs.load_comparison(read, caller.tenant_id, comparison_id)
        houses: list[domain.ComparedHouse] = []
        if stored.resource.progress.status == "COMPLETED":
            houses = await store.list_houses(
                read,
                caller.tenant_id,
                comparison_id,
                chosen,
                sort=sort,
                after=None if after is None else (after[1], after[2]),
                rows_max=paging.rows,
            )
    return paging.cut(houses, item=ComparedHouse.of, position=lambda house: _position(house, sort))


@router.get("/houses/export", response_class=Response, responses=FILE)
async def export_compared_houses(
    comparison_id: ComparisonId,
    db: Db,
    caller: Reader,
    exports: Exports,
    format_: Annotated[Format, Query(alias="format", description="The kind of file")] = "csv",
) -> Response:
    """Every house by every scenario, as a file."""
    await _check_completed(db, caller.tenant_id, comparison_id)
    query = store.houses_query(caller.tenant_id, comparison_id)
    fill = _filling(db, caller.tenant_id, query)
    return await exports.export(caller.tenant_id, "compared-houses", format_, HOUSE_COLUMNS, fill)


@router.get("/revenue/export", response_class=Response, responses=FILE)
async def export_scenario_revenue(
    comparison_id: ComparisonId,
    db: Db,
    caller: Reader,
    exports: Exports,
    format_: Annotated[Format, Query(alias="format", description="The kind of file")] = "csv",
) -> Response:
    """The revenue of every scenario by month and component, as a file."""
    await _check_completed(db, caller.tenant_id, comparison_id)
    query = store.revenue_query(caller.tenant_id, comparison_id)
    fill = _filling(db, caller.tenant_id, query)
    return await exports.export(caller.tenant_id, "revenue", format_, REVENUE_COLUMNS, fill)


async def _check_completed(db: Database, tenant_id: str, comparison_id: UUID) -> None:
    async with snapshot(db, tenant=tenant_id) as read:
        stored = await runs.load_comparison(read, tenant_id, comparison_id)
    if stored.resource.progress.status != "COMPLETED":
        raise Conflict("comparison_not_completed", "there are results of a COMPLETED one only")


def _filling(db: Database, tenant_id: str, query: Any) -> Any:
    async def fill(export: Export) -> None:
        async with snapshot(db, tenant=tenant_id) as read:
            await copy_csv(read, query, export.take_csv)

    return fill


def _kind(sort: str) -> Any:
    match sort.removeprefix("-"):
        case "house_node_id":
            return UUID
        case "total_energy_imported_kwh" | "peak_kw":
            return int
        case _:
            return finite


def _position(house: domain.ComparedHouse, sort: str) -> tuple[object, ...]:
    """Where a house stands in the list; energy and power by whole Wh and W, as they are stored."""
    match sort.removeprefix("-"):
        case "total_energy_imported_kwh":
            value: Decimal | int | UUID | None = house.imported_wh
        case "peak_kw":
            value = house.peak_w
        case name:
            value = getattr(house, name)
    return sort, value, house.house_node_id
