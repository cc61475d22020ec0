"""Comparisons of policies and tariffs: revenue, who gains and who loses, and by how much."""

import asyncio
from decimal import Decimal
from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.simulations import (
    AREA,
    COMPARISONS,
    HERE,
    REFRESH_S,
    month,
    problem,
    progress,
)
from gridtally.console.pages.visit import Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import charts, formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Empty,
    Link,
    Notice,
    PageView,
    Panel,
    Table,
)
from gridtally.kernel.money import shown_currency

router = APIRouter()
NO_RESULTS = Empty("No results yet", "They are there, all at once, when it is complete.")


@router.get("/simulations/comparisons/{comparison_id}")
async def show_comparison(visit: Visit, comparison_id: str) -> Response:
    """A comparison: each scenario beside the others, winners and losers, components and months."""
    path = f"{COMPARISONS}/{comparison_id}"
    comparison, results = await asyncio.gather(
        visit.the("simulation", path), visit.get("simulation", f"{path}/results", bins=16)
    )
    here = f"/simulations/comparisons/{comparison_id}"
    is_complete = comparison["status"] == "COMPLETED"
    files = (
        Link("Houses (CSV)", f"{here}/houses.csv", download=True),
        Link("Houses (Parquet)", f"{here}/houses.parquet", download=True),
        Link("Revenue (CSV)", f"{here}/revenue.csv", download=True),
    )
    blocks: list[Block | Panel] = [
        *problem(comparison),
        Panel("", [progress(comparison)]),
        *_repeated(results),
        Panel("Scenarios", [_scenarios(results)], failure=results.failure),
    ]
    if results.ok:
        for scenario in results.data["scenarios"][1:]:
            blocks += _scenario(scenario, shown_currency(results.data["currency"]))
    return visit.page(
        PageView(
            area=AREA,
            title=comparison["name"],
            subtitle=f"{formats.count(comparison['months'], 'month')} from {month(comparison)} · "
            f"{comparison['source']} readings",
            crumbs=(HERE,),
            actions=files if is_complete else (),
            refresh_s=REFRESH_S if comparison["status"] == "RUNNING" else 0,
            blocks=blocks,
        )
    )


@router.get("/simulations/comparisons/{comparison_id}/{table}.{format_}")
async def get_comparison_file(
    visit: Visit,
    comparison_id: str,
    table: Literal["houses", "revenue"],
    format_: Literal["csv", "parquet", "xlsx"],
) -> Response:
    """Its houses, or its revenue, as a file."""
    path = f"{COMPARISONS}/{comparison_id}/{table}/export"
    return await visit.file("simulation", path, {"format": format_})


def _repeated(results: Answer) -> list[Block | Panel]:
    repeated = results.data["repeated"] if results.ok else None
    if repeated is None:
        return []
    changed = repeated["houses_changed"]
    text = (
        f"The readings of {formats.count(changed, 'house')} have changed since."
        if changed
        else "No reading has changed since."
    )
    link = Link("The first one", f"/simulations/comparisons/{repeated['repeat_of']}")
    return [Notice(text, tone="warn" if changed else "good", title="A repetition.", links=(link,))]


def _scenarios(results: Answer) -> Table:
    currency = shown_currency(results.data["currency"]) if results.ok else ""
    rows = []
    for scenario in results.data["scenarios"] if results.ok else ():
        moved = scenario["shifted"]
        rows.append(
            (
                Cell(scenario["label"]),
                Cell(formats.money(scenario["revenue"])),
                Cell(formats.money(scenario["difference"])),
                Cell(formats.number(scenario["winners"]["houses"])),
                Cell(formats.number(scenario["losers"]["houses"])),
                Cell(formats.number(scenario["peak_kw"]), note=_load_factor(scenario)),
                Cell(formats.money(moved["revenue"] if moved else None)),
                Cell(formats.money(moved["difference"] if moved else None)),
            )
        )
    columns = [
        Column("Scenario"),
        Column("Revenue", is_number=True, unit=currency),
        Column("Difference", is_number=True, unit=currency),
        Column("Winners", is_number=True),
        Column("Losers", is_number=True),
        Column("Peak", is_number=True, unit="kW"),
        Column("Revenue, use moved", is_number=True, unit=currency),
        Column("Difference, use moved", is_number=True, unit=currency),
    ]
    return Table("Scenarios", columns, rows, NO_RESULTS)


def _load_factor(scenario: Json) -> str | None:
    factor = scenario["load_factor"]
    return None if factor is None else f"load factor {formats.number(factor)}"


def _scenario(scenario: Json, currency: str) -> list[Block | Panel]:
    label = scenario["label"]
    winners, losers = scenario["winners"], scenario["losers"]
    text = (
        f"Pay less: {formats.count(winners['houses'], 'house')}, together "
        f"{formats.money(winners['difference'], currency)}. "
        f"Pay more: {formats.count(losers['houses'], 'house')}, together "
        f"{formats.money(losers['difference'], currency)}. "
        f"Pay the same: {formats.count(scenario['unchanged'], 'house')}."
    )
    return [
        Panel(f"{label}: winners and losers", [_histogram(scenario)], text=text),
        Panel("Gain most", [_affected("Houses that gain most", scenario["most_gaining"], currency)],
              width=6),
        Panel("Lose most", [_affected("Houses that lose most", scenario["most_losing"], currency)],
              width=6),
        Panel("Tenths of the houses", [_deciles(scenario, currency)], width=6),
        Panel("Revenue by component", [_components(scenario, currency)], width=6),
        Panel("Revenue by month", [_months(scenario, currency)]),
    ]  # fmt: skip


def _histogram(scenario: Json) -> Drawing:
    """How many houses pay how much more; those that pay less in another colour."""
    bars = []
    for part in scenario["histogram"]:
        low, high = Decimal(part["from_difference"]), Decimal(part["to_difference"])
        name = "pay less" if high <= 0 else ("pay more" if low >= 0 else "about the same")
        houses = formats.count(part["houses"], "house")
        title = f"{formats.cents(low).striptags()} to {formats.cents(high).striptags()}"
        bars.append(
            charts.Bar(title.partition(" ")[0], [(name, Decimal(part["houses"]), houses)], title)
        )
    series = ["pay less", "about the same", "pay more"]
    label = f"Houses by what they pay more by {scenario['label']}"
    legend = [(shade, name) for name, shade in charts.shades(series).items()]
    return Drawing(charts.bars(bars, series, label, unit="houses"), legend)


def _affected(caption: str, houses: list[Json], currency: str) -> Table:
    rows = [
        (
            Cell(house["house_name"], f"/properties/{house['house_node_id']}"),
            Cell(formats.money(house["amount"])),
            Cell(formats.money(house["difference"])),
        )
        for house in houses
    ]
    columns = [
        Column("House"),
        Column("Pays", is_number=True, unit=currency),
        Column("Difference", is_number=True, unit=currency),
    ]
    return Table(caption, columns, rows, Empty("None", "No house is on this side."))


def _deciles(scenario: Json, currency: str) -> Table:
    rows = [
        (
            Cell(str(tenth["decile"])),
            Cell(formats.number(tenth["houses"])),
            Cell(formats.money(tenth["least"])),
            Cell(formats.money(tenth["greatest"])),
            Cell(formats.money(tenth["difference"])),
        )
        for tenth in scenario["deciles"]
    ]
    columns = [
        Column("Tenth"),
        Column("Houses", is_number=True),
        Column("From", is_number=True, unit=currency),
        Column("To", is_number=True, unit=currency),
        Column("Together", is_number=True, unit=currency),
    ]
    return Table("Tenths of the houses by their difference", columns, rows, NO_RESULTS)


def _components(scenario: Json, currency: str) -> Table:
    rows = [
        (
            Cell(part["component_id"]),
            Cell(formats.words(part["kind"])),
            Cell(formats.money(part["amount"])),
        )
        for part in scenario["by_component"]
    ]
    columns = [Column("Component"), Column("Kind"), Column("Brings", is_number=True, unit=currency)]
    total = [Cell("Total"), Cell(""), Cell(formats.money(scenario["revenue"]))]
    return Table("Revenue by component", columns, rows, NO_RESULTS, total=total)


def _months(scenario: Json, currency: str) -> Table:
    rows = [
        (Cell(formats.day(part["month_on"])), Cell(formats.money(part["amount"])))
        for part in scenario["by_month"]
    ]
    columns = [Column("Month from"), Column("Brings", is_number=True, unit=currency)]
    total = [Cell("Total"), Cell(formats.money(scenario["revenue"]))]
    return Table("Revenue by month", columns, rows, NO_RESULTS, total=total)
