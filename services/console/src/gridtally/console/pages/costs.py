"""The Cost tab: what all meters of a customer used in some days, and what that costs so far."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridtally.console.pages.customers import page_of
from gridtally.console.pages.previews import next_invoices
from gridtally.console.pages.visit import From, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import charts, formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Empty,
    Field,
    Form,
    Link,
    Notice,
    Panel,
    Stat,
    Stats,
    Table,
    address,
)

router = APIRouter()
DAYS_MAX = 366
FORMATS = (("CSV", "csv"), ("Parquet", "parquet"), ("Excel", "xlsx"))
REASONS = {
    "no_region": "its site is in no region, and no agreement names a tariff",
    "none_in_force": "no version of its tariffs is in force then",
}
FIXED = "Monthly fixed charges are not included: what stands here is energy, and its tax."


@dataclass(frozen=True, slots=True)
class Days:
    """Whole UTC days, from `first` up to, but without, `end`."""

    first: date
    end: date

    @property
    def count(self) -> int:
        """How many."""
        return (self.end - self.first).days

    @property
    def before(self) -> "Days":
        """As many days, just before these."""
        return Days(self.first - (self.end - self.first), self.first)

    def window(self) -> dict[str, str]:
        """As the API takes it."""
        return {"from_": f"{self.first}T00:00:00Z", "to": f"{self.end}T00:00:00Z"}


def quick_ranges(today: date) -> list[tuple[str, Days]]:
    """The ranges that one click chooses; the second is shown at first."""
    tomorrow = today + timedelta(days=1)
    return [
        ("Today", Days(today, tomorrow)),
        ("Last 7 days", Days(tomorrow - timedelta(days=7), tomorrow)),
        ("Last 30 days", Days(tomorrow - timedelta(days=30), tomorrow)),
        ("This month", Days(today.replace(day=1), tomorrow)),
    ]


def chosen_days(from_: str, to: str, today: date) -> tuple[Days, str]:
    """The days from a first to a last, both included, and what is wrong with them, if anything.

    Without dates, or with wrong ones, they are the last seven.
    """
    usual = quick_ranges(today)[1][1]
    if not from_ and not to:
        return usual, ""
    try:
        days = Days(date.fromisoformat(from_), date.fromisoformat(to) + timedelta(days=1))
    except (ValueError, OverflowError):
        return usual, "Give both days, as year-month-day."
    if days.count < 1:
        return usual, "The last day lies before the first."
    if days.count > DAYS_MAX:
        return usual, f"At most {DAYS_MAX} days at once; these are {formats.number(days.count)}."
    return days, ""


@router.get("/customers/{customer_id}/cost")
async def show_cost(
    visit: Visit, customer_id: str, from_: From = "", to: str = "", show: str = "money"
) -> Response:
    """What the customer's meters used and what it costs, by day and by device."""
    today = visit.now.date()
    days, fault = chosen_days(from_, to, today)
    path = f"/v1/fleet/customers/{customer_id}/cost"
    customer, cost, before, coming = await asyncio.gather(
        visit.the("billing", f"/v1/customers/{customer_id}"),
        visit.get("billing", path, **days.window()),
        visit.get("billing", path, **days.before.window()),
        next_invoices(visit, customer_id),
    )
    blocks: list[Block | Panel] = [_range(customer_id, days, today, show, fault, (from_, to))]
    if cost.failure is not None:
        blocks.append(Panel("Cost", failure=cost.failure))
    elif not cost.data["buckets"]:
        blocks.append(Panel("", [await _nothing(visit, customer_id, days)]))
    else:
        blocks += _cards(cost.data, before)
        if cost.data["buckets_without_tariff"]:
            hours = await visit.get("billing", f"{path}/hours-without-tariff", **days.window())
            blocks.append(_unpriced(cost.data, hours))
        blocks.append(Notice(FIXED, links=_invoices(customer_id)))
        blocks += _details(customer_id, cost.data, days, show)
    if cost.ok and not cost.data["buckets"]:
        blocks.append(Notice(FIXED))
    blocks.append(coming)
    return visit.page(page_of(customer, "/cost", blocks), 422 if fault else 200)


@router.get("/customers/{customer_id}/cost/export")
async def export_cost(
    visit: Visit,
    customer_id: str,
    from_: From,
    to: str,
    by: str = "device",
    file_format: Annotated[str, Query(alias="format")] = "csv",
) -> Response:
    """The same as a file."""
    days, _ = chosen_days(from_, to, visit.now.date())
    return await visit.file(
        "billing",
        f"/v1/fleet/customers/{customer_id}/cost/export",
        {**days.window(), "by": by, "format": file_format},
    )


def _address(customer_id: str, days: Days, show: str) -> str:
    last = days.end - timedelta(days=1)
    chosen = show if show != "money" else None
    path = f"/customers/{customer_id}/cost"
    return address(path, from_=days.first.isoformat(), to=last.isoformat(), show=chosen)


def _range(
    customer_id: str, days: Days, today: date, show: str, fault: str, entered: tuple[str, str]
) -> Panel:
    links = [
        Link(label, _address(customer_id, quick, show), is_current=quick == days and not fault)
        for label, quick in quick_ranges(today)
    ]
    first, last = days.first.isoformat(), (days.end - timedelta(days=1)).isoformat()
    if fault:
        first, last = entered
    form = Form(
        f"/customers/{customer_id}/cost",
        [
            Field("from", "From", first, "date", error=fault),
            Field("to", "To, included", last, "date"),
            Field("show", "Show", show, options=(("money", "money"), ("kwh", "kWh"))),
        ],
        "Show",
        method="get",
    )
    return Panel("Days in UTC", [form], links=links)


async def _nothing(visit: SignedIn, customer_id: str, days: Days) -> Empty:
    """Nothing was used: the last month that was billed may be what one looks for."""
    found = await visit.get("billing", "/v1/invoices", customer_id=customer_id, limit=1)
    links = []
    for invoice in found.items:
        first, end = (date.fromisoformat(invoice[name]) for name in ("start_on", "end_on"))
        label = f"Show {formats.period(invoice['start_on'], invoice['end_on'])}, billed last"
        links.append(Link(label, _address(customer_id, Days(first, end), "money")))
    span = formats.period(days.first.isoformat(), days.end.isoformat())
    text = "Cost appears here with the first reading of a meter, long before the invoice."
    return Empty(f"No readings: {span}", text, links)


def _cards(cost: Json, before: Answer) -> list[Block]:
    names = (
        ("Total energy", "total_kwh", "kWh"),
        ("Base cost", "total_base_cost", None),
        ("VAT", "total_vat_amount", None),
        ("Total cost", "total_cost", None),
    )
    cards: list[Block] = []
    for total in cost["totals"]:
        earlier = {
            item["currency"]: item for item in (before.data["totals"] if before.ok else ())
        }.get(total["currency"])
        cards.append(
            Stats(
                [
                    Stat(
                        label,
                        formats.energy(total[name]) if unit else formats.cents(total[name]),
                        unit or total["currency"],
                        note=_change(total[name], earlier and earlier[name]),
                    )
                    for label, name, unit in names
                ]
            )
        )
    return cards


def _change(now: str, before: str | None) -> str:
    if before is None or formats.is_zero(before):
        return "nothing in the days before"
    change = (Decimal(now) - Decimal(before)) * 100 / Decimal(before)
    sign = "+" if change > 0 else ""
    return f"{sign}{formats.number(change.quantize(Decimal(1)))} % on the days before"


def _unpriced(cost: Json, hours: Answer) -> Panel:
    number = cost["buckets_without_tariff"]
    text = (
        f"{formats.count(number, 'hour')} of {formats.number(cost['buckets'])} have no tariff: "
        "their energy is counted above, and costs nothing."
    )
    rows = [
        (
            Cell(item["device_name"], f"/meters/{item['device_id']}"),
            Cell(formats.instant(item["from"])),
            Cell(formats.instant(item["to"])),
            Cell(formats.number(item["buckets"])),
            Cell(formats.energy(item["kwh"])),
            Cell(REASONS.get(item["reason"]) or str(item["detail"])),
        )
        for item in hours.items
    ]
    columns = [
        Column("Device"),
        Column("From"),
        Column("To"),
        Column("Hours", is_number=True),
        Column("Energy", is_number=True, unit="kWh"),
        Column("Why"),
    ]
    table = Table("Hours without a tariff", columns, rows, Empty("No hours", ""))
    blocks: list[Block] = [Notice(text, tone="warn")]
    if hours.ok:
        blocks.append(table)
    return Panel("Hours without a tariff", blocks)


def _invoices(customer_id: str) -> Sequence[Link]:
    return (Link("What bills add", f"/customers/{customer_id}/invoices"),)


def _details(customer_id: str, cost: Json, days: Days, show: str) -> list[Block | Panel]:
    def files(by: str) -> list[Link]:
        path = f"/customers/{customer_id}/cost/export"
        last = (days.end - timedelta(days=1)).isoformat()
        first = days.first.isoformat()
        return [
            Link(name, address(path, from_=first, to=last, by=by, format=kind), download=True)
            for name, kind in FORMATS
        ]

    return [
        Panel("Day by day", [_chart(cost, days, show)]),
        Panel("Per day", [_per_day(cost)], width=6, links=files("day")),
        Panel("Per device", [_per_device(cost)], width=6, links=files("device")),
    ]


def _chart(cost: Json, days: Days, show: str) -> Drawing:
    """Bars of all days in the customer's currency, those without use too."""
    by_day = {item["date"]: item for item in cost["daily"] if item["currency"] == cost["currency"]}
    is_energy = show == "kwh"
    parts = (
        (("energy", "kwh"),) if is_energy else (("base cost", "base_cost"), ("VAT", "vat_amount"))
    )
    series = [name for name, _ in parts]
    bars = []
    for number in range(days.count):
        day = days.first + timedelta(days=number)
        item = by_day.get(day.isoformat())
        bars.append(
            charts.Bar(
                f"{day.day} {day:%b}",
                [
                    (name, Decimal(item[key]), formats.energy(item[key]))
                    for name, key in parts
                    if item is not None
                ],
            )
        )
    unit = "kWh" if is_energy else cost["currency"]
    drawn = charts.bars(bars, series, f"Each day in {unit}", unit=unit)
    return Drawing(drawn, [(shade, name) for name, shade in charts.shades(series).items()])


def _per_day(cost: Json) -> Table:
    rows = [
        (
            Cell(formats.day(item["date"])),
            Cell(formats.energy(item["kwh"])),
            Cell(formats.cents(item["base_cost"])),
            Cell(formats.cents(item["vat_amount"])),
            Cell(formats.cents(item["total_cost"], item["currency"])),
        )
        for item in reversed(cost["daily"])
    ]
    columns = [
        Column("Day"),
        Column("Energy", is_number=True, unit="kWh"),
        Column("Base cost", is_number=True),
        Column("VAT", is_number=True),
        Column("Total", is_number=True),
    ]
    return Table("Cost per day", columns, rows, Empty("No days", ""), total=_sum(cost, 0))


def _per_device(cost: Json) -> Table:
    rows = [
        (
            Cell(
                item["device_name"] or formats.short(item["device_id"]),
                f"/meters/{item['device_id']}",
                note=f"{formats.count(item['buckets_without_tariff'], 'hour')} without a tariff"
                if item["buckets_without_tariff"]
                else None,
            ),
            Cell(item["municipality_name"] or formats.NONE),
            Cell(formats.energy(item["kwh"])),
            Cell(formats.cents(item["base_cost"])),
            Cell(formats.cents(item["vat_amount"])),
            Cell(formats.cents(item["total_cost"], item["currency"])),
        )
        for item in cost["per_device"]
    ]
    columns = [
        Column("Device"),
        Column("Municipality"),
        Column("Energy", is_number=True, unit="kWh"),
        Column("Base cost", is_number=True),
        Column("VAT", is_number=True),
        Column("Total", is_number=True),
    ]
    return Table("Cost per device", columns, rows, Empty("No devices", ""), total=_sum(cost, 1))


def _sum(cost: Json, blanks: int) -> Sequence[Cell]:
    """The last row, where all is in one currency."""
    if len(cost["totals"]) > 1:
        return ()
    return (
        Cell("Total"),
        *(Cell("") for _ in range(blanks)),
        Cell(formats.energy(cost["total_kwh"])),
        Cell(formats.cents(cost["total_base_cost"])),
        Cell(formats.cents(cost["total_vat_amount"])),
        Cell(formats.cents(cost["total_cost"], cost["currency"])),
    )
