"""`/v1/fleet`: what the use of all of a customer's meters costs."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gridtally.billing.api.callers import CustomerReader
from gridtally.billing.domain.fleet_costs.costs import Cost, FleetCost
from gridtally.billing.domain.fleet_costs.costs import DeviceCost as DomainDevice
from gridtally.billing.domain.fleet_costs.price_grids import Window
from gridtally.billing.handlers import fleet_costs as handlers
from gridtally.contracts.model import Amount
from gridtally.exports.columns import Column, Format, Row
from gridtally.exports.export import Export
from gridtally.http.context import Db, Exports
from gridtally.http.json_bodies import Router
from gridtally.http.problems import HttpRefusal
from gridtally.http.windows import UtcFrom, UtcTo, instant_of
from gridtally.kernel.money import in_currency

router = Router(prefix="/v1/fleet/customers/{customer_id}", tags=["fleet costs"])
WINDOW_MAX = timedelta(days=366)
EARLIEST_AT, LATEST_AT = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
WH_PER_KWH_DECIMALS = 3
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"}
}


class Described(BaseModel):
    """An answer whose fields are described by the text below each of them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FleetTotal(Described):
    """What the fleet used and what that costs, in one currency."""

    currency: str
    """The currency of the amounts."""
    total_kwh: Amount
    """The energy that is priced in this currency; in the customer's own, also what has no price."""
    total_base_cost: Amount
    """Before tax."""
    total_vat_amount: Amount
    """The tax, bucket by bucket."""
    total_cost: Amount
    """With tax."""


class FleetDay(Described):
    """What the fleet used on a UTC day, and what that costs in one currency."""

    date: date
    """The date in UTC."""
    currency: str
    """The currency of the amounts."""
    kwh: Amount
    """The energy that is priced in this currency; in the customer's own, also what has no price."""
    base_cost: Amount
    """Before tax."""
    vat_amount: Amount
    """The tax."""
    total_cost: Amount
    """With tax."""


class FleetDevice(Described):
    """What a meter of the fleet used, and what that costs in one currency."""

    device_id: UUID
    """The meter."""
    device_name: str
    """What people call it."""
    municipality_name: str | None
    """The nearest municipality that it lies in; null where none is known."""
    currency: str
    """The currency of the amounts."""
    kwh: Amount
    """The energy that is priced in this currency; in the customer's own, also what has no price."""
    base_cost: Amount
    """Before tax."""
    vat_amount: Amount
    """The tax."""
    total_cost: Amount
    """With tax."""
    buckets: int
    """The device's hours in which any import was recorded."""
    buckets_without_tariff: int
    """Those of them that have no price."""


class SumNotCounted(Described):
    """Days of a derived meter whose energy is in no total.

    It has no agreement, some of what it adds counts elsewhere already, and it subtracts something:
    nobody can say what is left. An agreement of its own, or a definition without what counts
    elsewhere, counts it.
    """

    device_id: UUID
    """The derived meter."""
    device_name: str
    """What people call it."""
    from_on: date
    """The first local day."""
    to_on: date
    """The local day after the last."""
    counted_parts: list[UUID]
    """The meters that it adds and that count elsewhere."""


class FleetCostAnswer(Described):
    """What a customer's fleet costs from `from` up to, but without, `to`.

    Amounts are exact, not rounded, so that a window costs what its parts do; one without a finite
    decimal is shown to 20 decimals, once it is added up. They are strings. The totals, and the
    first row of a day or device, are in `currency`, the customer's own; where a tariff is in
    another one, `totals` has a row for it, and so have its days and devices.
    """

    customer_id: UUID
    """The customer."""
    from_at: datetime = Field(serialization_alias="from")
    """The first instant, in UTC."""
    to_at: datetime = Field(serialization_alias="to")
    """The instant after the last, in UTC."""
    currency: str
    """The customer's currency, which the totals are in."""
    total_kwh: Amount
    """All imported energy but what is priced in another currency; also what has no price."""
    total_base_cost: Amount
    """Before tax."""
    total_vat_amount: Amount
    """The tax, bucket by bucket: one that changes in the window is right on both sides."""
    total_cost: Amount
    """With tax."""
    totals: list[FleetTotal]
    """The totals by currency, the customer's own first."""
    buckets: int
    """Hours of devices in which any import was recorded."""
    buckets_without_tariff: int
    """Those of them that have no price: their energy is counted and costs nothing."""
    daily: list[FleetDay]
    """The UTC days on which anything was used, in order."""
    per_device: list[FleetDevice]
    """Every device that counts on a day of the window, by its name, also one that used nothing."""
    not_counted: list[SumNotCounted]
    """Derived meters that are in none of this, though their energy may be nowhere else."""
    fixed_monthly_charges_included: Literal[False] = False
    """Standing charges (fixed, per kW, minimum bills) are never in it."""


class HoursWithoutTariff(Described):
    """Consecutive hours of a device that have no price, and why."""

    device_id: UUID
    """The meter."""
    device_name: str
    """What people call it."""
    from_at: datetime = Field(serialization_alias="from")
    """When the first of the hours begins, in UTC."""
    to_at: datetime = Field(serialization_alias="to")
    """When the last of the hours ends, in UTC."""
    buckets: int
    """In how many of them any import was recorded."""
    kwh: Amount
    """The energy of these hours."""
    reason: str
    """Why, for programs: `no_region` (the site is in none, and no agreement names a tariff),
    `none_in_force` (no version of the agreement's or region's tariffs is), or why rating refuses
    the version that is (`prices_missing`, `edge_inside_interval`, …)."""
    detail: str
    """Why, for people."""


class HoursWithoutTariffAnswer(Described):
    """The hours of a fleet that have no price, by device and time."""

    items: list[HoursWithoutTariff]
    """All of them."""


@router.get("/cost")
async def get_fleet_cost(
    customer_id: UUID, db: Db, caller: CustomerReader, from_at: UtcFrom, to_at: UtcTo
) -> FleetCostAnswer:
    """What the use of all of a customer's meters costs, hour by hour, without standing charges.

    The devices are the meters at the customer's sites (`customer_id` of a property) and those with
    an agreement of the customer. Nothing counts twice: parts of a site whose whole is measured do
    not, nor what a derived meter adds that is billed; one without an agreement counts with what it
    adds that neither counts nor is anybody's (`not_counted` where that cannot be told). An hour
    costs what the tariff version says that is in force on its local date: that of the meter's
    agreement, else of the nearest region with a tariff in force. Hours under another customer's
    agreement are that customer's. 400 unless `to` lies after `from`, at most 366 days.
    """
    cost = await handlers.cost_of_fleet(db, caller.tenant_id, customer_id, _window(from_at, to_at))
    totals = [FleetTotal(**_total(currency, total)) for currency, total in cost.totals.items()]
    return FleetCostAnswer(
        **totals[0].model_dump(),
        customer_id=customer_id,
        from_at=cost.window.from_at,
        to_at=cost.window.to_at,
        totals=totals,
        buckets=sum(device.buckets for device in cost.devices),
        buckets_without_tariff=sum(device.buckets_without_tariff for device in cost.devices),
        daily=_days(cost),
        per_device=_devices(cost),
        not_counted=[
            SumNotCounted(
                device_id=left_out.meter.id,
                device_name=left_out.meter.name,
                from_on=left_out.days.start_on,
                to_on=left_out.days.end_on,
                counted_parts=sorted(left_out.parts),
            )
            for left_out in cost.not_counted
        ],
    )


@router.get("/cost/hours-without-tariff")
async def list_hours_without_tariff(
    customer_id: UUID, db: Db, caller: CustomerReader, from_at: UtcFrom, to_at: UtcTo
) -> HoursWithoutTariffAnswer:
    """Which hours of a fleet have no price, and why; consecutive ones with one reason are one."""
    cost = await handlers.cost_of_fleet(db, caller.tenant_id, customer_id, _window(from_at, to_at))
    return HoursWithoutTariffAnswer(
        items=[
            HoursWithoutTariff(
                device_id=hours.meter.id,
                device_name=hours.meter.name,
                from_at=hours.from_at,
                to_at=hours.to_at,
                buckets=hours.buckets,
                kwh=_kwh(hours.wh),
                reason=hours.why.reason,
                detail=hours.why.detail,
            )
            for hours in cost.unpriced
        ]
    )


DAY_COLUMNS = (
    Column("date", "day"), Column("currency"), Column("kwh", "decimal"),
    Column("base_cost", "decimal"), Column("vat_amount", "decimal"),
    Column("total_cost", "decimal"),
)  # fmt: skip
DEVICE_COLUMNS = (
    Column("device_id", "id"), Column("device_name"), Column("municipality_name"),
    Column("currency"), Column("kwh", "decimal"), Column("base_cost", "decimal"),
    Column("vat_amount", "decimal"), Column("total_cost", "decimal"), Column("buckets", "whole"),
    Column("buckets_without_tariff", "whole"),
)  # fmt: skip


@router.get("/cost/export", response_class=StreamingResponse, responses=FILE)
async def export_fleet_cost(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    exports: Exports,
    from_at: UtcFrom,
    to_at: UtcTo,
    format_: Annotated[Format, Query(alias="format", description="The kind of file")] = "csv",
    by: Literal["day", "device"] = "device",
) -> StreamingResponse:
    """What a fleet costs by device, or by UTC day, as a file."""
    cost = await handlers.cost_of_fleet(db, caller.tenant_id, customer_id, _window(from_at, to_at))
    columns = DEVICE_COLUMNS if by == "device" else DAY_COLUMNS
    rows: Sequence[FleetDay | FleetDevice] = _devices(cost) if by == "device" else _days(cost)

    async def fill(file: Export) -> None:
        await file.take_rows([_row(columns, row) for row in rows])

    return await exports.export(caller.tenant_id, f"fleet-cost-by-{by}", format_, columns, fill)


def _row(columns: Sequence[Column], row: FleetDay | FleetDevice) -> Row:
    return tuple(getattr(row, column.name) for column in columns)


def _window(from_at: datetime | date, to_at: datetime | date) -> Window:
    """The window; HttpRefusal 400 where it cannot be answered."""
    from_at, to_at = instant_of(from_at), instant_of(to_at)
    if not EARLIEST_AT <= from_at < to_at <= LATEST_AT or to_at - from_at > WINDOW_MAX:
        detail = f"`to` must lie after `from`, at most {WINDOW_MAX.days} days, both from 2000 on"
        raise HttpRefusal(400, "invalid_window", detail)
    return Window(from_at, to_at)


def _kwh(wh: int) -> Decimal:
    return Decimal(wh).scaleb(-WH_PER_KWH_DECIMALS)


def _total(currency: str, cost: Cost) -> dict[str, Any]:
    return {"currency": currency, "total_kwh": _kwh(cost.wh)} | {
        f"total_{name}" if name != "total_cost" else name: amount
        for name, amount in _amounts(currency, cost).items()
    }


def _amounts(currency: str, cost: Cost) -> dict[str, Decimal]:
    return {
        "base_cost": in_currency(cost.net, currency),
        "vat_amount": in_currency(cost.tax, currency),
        "total_cost": in_currency(cost.total, currency),
    }


def _days(cost: FleetCost) -> list[FleetDay]:
    return [
        FleetDay(date=day, currency=currency, kwh=_kwh(of.wh), **_amounts(currency, of))
        for (day, currency), of in cost.daily.items()
    ]


def _devices(cost: FleetCost) -> list[FleetDevice]:
    """A row for each device and currency; what has no price is in that of the customer's own."""
    return [
        FleetDevice(
            device_id=device.meter.id,
            device_name=device.meter.name,
            municipality_name=device.municipality_name,
            currency=currency,
            kwh=_kwh(of.wh + (device.unpriced_wh if currency == cost.currency else 0)),
            buckets=device.buckets,
            buckets_without_tariff=device.buckets_without_tariff,
            **_amounts(currency, of),
        )
        for device in cost.devices
        for currency, of in _by_currency(cost.currency, device)
    ]


def _by_currency(currency: str, device: DomainDevice) -> list[tuple[str, Cost]]:
    """The device's costs, the customer's own currency first where it has any, or has no other."""
    own = device.by_currency.get(currency)
    others = [(code, cost) for code, cost in device.by_currency.items() if code != currency]
    if own is None and (device.unpriced_wh or not others):
        own = Cost()
    return others if own is None else [(currency, own), *others]
