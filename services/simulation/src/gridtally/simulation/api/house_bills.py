"""`/v1/simulation-runs/{id}/house-bills`: what each house would pay, and all together."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Response

from gridtally.contracts.model import Amount, Document
from gridtally.database import snapshot
from gridtally.database.copy_out import copy_csv
from gridtally.exports.columns import Column
from gridtally.exports.export import Export
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel
from gridtally.kernel.energy import kwh
from gridtally.kernel.errors import NotFound
from gridtally.simulation.api.callers import HouseId, Reader, RunId
from gridtally.simulation.domain import house_bills as domain
from gridtally.simulation.domain.runs import Status
from gridtally.simulation.handlers import runs
from gridtally.simulation.store import house_bills as store

router = Router(prefix="/v1/simulation-runs/{run_id}", tags=["house bills"])
Sort = Literal[
    "house_node_id", "-house_node_id", "house_name", "-house_name",
    "calculated_bill_amount", "-calculated_bill_amount",
    "total_energy_imported_kwh", "-total_energy_imported_kwh",
    "total_energy_exported_kwh", "-total_energy_exported_kwh",
    "net_energy_balance_kwh", "-net_energy_balance_kwh",
]  # fmt: skip
COLUMNS = (
    Column("house_node_id", "id"),
    Column("house_name"),
    Column("total_energy_imported_kwh", "decimal"),
    Column("total_energy_exported_kwh", "decimal"),
    Column("net_energy_balance_kwh", "decimal"),
    *(Column(name, "decimal") for name in store.SUMS),
    Column("calculated_bill_amount", "decimal"),
    Column("currency"),
)


class HouseBill(AnswerModel):
    """What a house would pay for the month."""

    house_node_id: UUID
    """The house."""
    house_name: str
    """What people called it when the run was started."""
    total_energy_imported_kwh: Amount
    """What it took from the grid."""
    total_energy_exported_kwh: Amount
    """What it fed in."""
    net_energy_balance_kwh: Amount
    """Taken less fed in; below zero where it fed in more."""
    calculated_bill_amount: Amount
    """What it would pay; below zero where it would be paid."""
    currency: str
    """The currency of all amounts; `XXX` for none."""
    bill_details: Document
    """Every line with quantity, rate and amount before and after rounding; totals by kind; the
    charges, credit and tax by name; of a time-of-use policy each period's energy and amounts."""

    @classmethod
    def of(cls, bill: domain.HouseBill) -> Self:
        """The bill as the API shows it."""
        return cls(**{name: getattr(bill, name) for name in cls.model_fields})


class BillTotals(AnswerModel):
    """What the bills that were asked for come to together."""

    status: Status
    """The run's status; there are bills of a COMPLETED one only."""
    houses: int
    """How many bills there are."""
    total_energy_imported_kwh: Amount
    """What all took."""
    total_energy_exported_kwh: Amount
    """What all fed in."""
    net_energy_balance_kwh: Amount
    """Taken less fed in."""
    total_amount: Amount
    """What all would pay."""
    least_amount: Amount | None
    """The lowest bill; null where there is none."""
    greatest_amount: Amount | None
    """The highest bill; null where there is none."""
    currency: str | None
    """The currency of all amounts; null where there is no bill."""


async def _filter(
    house_node_id: Annotated[UUID | None, Query(description="Of this house only")] = None,
    amount_from: Annotated[Amount | None, Query(description="Bills of this or more")] = None,
    amount_to: Annotated[Amount | None, Query(description="Bills of this or less")] = None,
    net_exporters: Annotated[
        bool | None, Query(description="Houses that fed in more than they took, or the others")
    ] = None,
) -> store.BillFilter:
    return store.BillFilter(house_node_id, amount_from, amount_to, net_exporters)


Chosen = Annotated[store.BillFilter, Depends(_filter)]


@router.get("/house-bills")
async def list_house_bills(
    run_id: RunId,
    db: Db,
    caller: Reader,
    paging: Paging,
    chosen: Chosen,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "house_node_id",
) -> Page[HouseBill]:
    """The bills of a run's houses; none while it is not COMPLETED."""
    after = paging.after(same_order(sort), _kind(sort), UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await runs.load(read, caller.tenant_id, run_id)
        bills = await store.list_bills(
            read,
            caller.tenant_id,
            run_id,
            chosen,
            sort=sort,
            after=None if after is None else (after[1], after[2]),
            rows_max=paging.rows,
        )
    return paging.cut(bills, item=HouseBill.of, position=lambda bill: _position(bill, sort))


@router.get("/house-bills/{house_node_id}")
async def get_house_bill(
    run_id: RunId, house_node_id: HouseId, db: Db, caller: Reader
) -> HouseBill:
    """The bill of one house."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await runs.load(read, caller.tenant_id, run_id)
        bill = await store.fetch_bill(read, caller.tenant_id, run_id, house_node_id)
    if bill is None:
        raise NotFound("house_unknown", "the run has no bill of this house")
    return HouseBill.of(bill)


@router.get("/totals")
async def get_house_bill_totals(
    run_id: RunId, db: Db, caller: Reader, chosen: Chosen
) -> BillTotals:
    """What the bills come to together, and the extremes among them."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        run = await runs.load(read, caller.tenant_id, run_id)
        totals = await store.fetch_totals(read, caller.tenant_id, run_id, chosen)
    return BillTotals(
        status=run.resource.progress.status,
        houses=totals.houses,
        total_energy_imported_kwh=kwh(totals.imported_wh),
        total_energy_exported_kwh=kwh(totals.exported_wh),
        net_energy_balance_kwh=kwh(totals.imported_wh - totals.exported_wh),
        total_amount=totals.total_amount,
        least_amount=totals.least_amount,
        greatest_amount=totals.greatest_amount,
        currency=totals.currency,
    )


@router.get("/house-bills.csv", response_class=Response)
async def export_house_bills(
    run_id: RunId, db: Db, caller: Reader, exports: Exports, chosen: Chosen
) -> Response:
    """The bills as a CSV file, in the order of the houses' ids."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        await runs.load(read, caller.tenant_id, run_id)
    query = store.csv_query(caller.tenant_id, run_id, chosen)

    async def fill(export: Export) -> None:
        async with snapshot(db, tenant=caller.tenant_id) as read:
            await copy_csv(read, query, export.take_csv)

    return await exports.export(caller.tenant_id, "house-bills", "csv", COLUMNS, fill)


def same_order(sort: str) -> Callable[[str], str]:
    """What reads a cursor's order: a ValueError where it is another."""

    def same(of_cursor: str) -> str:
        if of_cursor != sort:
            raise ValueError("the cursor is of another order")
        return of_cursor

    return same


def _kind(sort: str) -> Callable[[str], Any]:
    match sort.removeprefix("-"):
        case "house_node_id":
            return UUID
        case "house_name":
            return str
        case "calculated_bill_amount":
            return finite
        case _:
            return int


def finite(text: str) -> Decimal:
    """An amount in a cursor; a ValueError for what is none."""
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError("an amount is finite")
    return number


def _position(bill: domain.HouseBill, sort: str) -> tuple[object, ...]:
    """Where a bill stands in the list; energy by whole Wh, as it is stored."""
    match sort.removeprefix("-"):
        case "total_energy_imported_kwh":
            value: object = bill.imported_wh
        case "total_energy_exported_kwh":
            value = bill.exported_wh
        case "net_energy_balance_kwh":
            value = bill.imported_wh - bill.exported_wh
        case name:
            value = getattr(bill, name)
    return sort, value, bill.house_node_id
