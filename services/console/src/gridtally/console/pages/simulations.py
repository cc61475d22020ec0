"""Simulations: runs and comparisons, a run with its house bills, and a house bill in all parts."""

import asyncio
import json

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, FormFields, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Empty,
    Field,
    Form,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    Tone,
    pager,
)
from gridtally.kernel.ids import new_id
from gridtally.kernel.money import shown_currency

router = APIRouter()
AREA = "simulations"
RUNS, COMPARISONS = "/v1/simulation-runs", "/v1/simulation-comparisons"
COMPARE = "/simulations/compare"
HERE = Link("Simulations", "/simulations")
REFRESH_S = 2
STATUSES: dict[str, Tone] = {
    "PENDING": "plain", "RUNNING": "info", "COMPLETED": "good", "FAILED": "bad",
    "CANCELLED": "warn",
}  # fmt: skip
POLICIES = {
    "SIMPLE_NET": "simple net metering",
    "GROSS_METERING": "gross metering",
    "TOU_RATE": "time of use",
    "TARIFF": "a tariff",
}
NO_BILLS = Empty("No bills yet", "They are there, all at once, when the run is complete.")


def status(item: Json) -> Cell:
    """What has become of a run or a comparison, as a badge."""
    return Cell(item["status"].lower(), tone=STATUSES[item["status"]])


def month(item: Json) -> str:
    """The billing month, or the first of several."""
    return formats.period(
        f"{item['billing_cycle_year']}-{item['billing_cycle_month']:02}-01",
        f"{item['billing_cycle_year'] + item['billing_cycle_month'] // 12}-"
        f"{item['billing_cycle_month'] % 12 + 1:02}-01",
    )


def progress(item: Json) -> Stats:
    """Status and houses done, with when it ended and started; they move while it is at work."""
    done, houses = item["progress"]["houses_done"], item["progress"]["houses"]
    ended = formats.instant(item["ended_at"])
    started = formats.instant(item["started_at"])
    return Stats(
        [
            Stat("Status", item["status"].lower(), note=ended, tone=STATUSES[item["status"]]),
            Stat("Houses done", formats.share(done, houses), note=started),
        ]
    )


def problem(item: Json) -> list[Block | Panel]:
    """Why it failed, where it did."""
    error = item["error"]
    if error is None:
        return []
    return [Notice(error["detail"], tone="bad", title="It failed, and left nothing.")]


@router.get("/simulations")
async def list_simulations(visit: Visit, cursor: str = "") -> Response:
    """Runs and comparisons, the newest first."""
    runs, comparisons = await asyncio.gather(
        visit.get("simulation", RUNS, limit=ROWS, cursor=cursor, sort="-created_at"),
        visit.get("simulation", COMPARISONS, limit=ROWS, sort="-created_at"),
    )
    rows = [
        (
            Cell(item["name"], f"/simulations/runs/{item['id']}"),
            Cell(month(item)),
            Cell(POLICIES[item["policy"]["type"]]),
            Cell(item["source"]),
            status(item),
            Cell(formats.number(item["progress"]["houses"])),
        )
        for item in runs.items
    ]
    columns = [
        Column("Run"),
        Column("Month"),
        Column("Policy"),
        Column("Readings"),
        Column("Status"),
        Column("Houses", is_number=True),
    ]
    new = (Link("New run", "/simulations/new"),)
    empty = Empty("No runs yet", "A run says what houses would pay in a month by a policy.", new)
    page = pager("/simulations", runs.data["next_cursor"] if runs.ok else None, cursor=cursor)
    is_at_work = any(item["status"] == "RUNNING" for item in (*runs.items, *comparisons.items))
    return visit.page(
        PageView(
            area=AREA,
            title="Simulations",
            subtitle="What houses would pay under another policy or tariff",
            actions=(
                Link("New run", "/simulations/new", is_primary=True),
                Link("New comparison", COMPARE),
            ),
            refresh_s=REFRESH_S if is_at_work else 0,
            blocks=[
                Panel("Runs", [Table("Runs", columns, rows, empty, page)], failure=runs.failure),
                Panel("Comparisons", [_comparisons(comparisons)], failure=comparisons.failure),
            ],
        )
    )


def _comparisons(comparisons: Answer) -> Table:
    rows = [
        (
            Cell(item["name"], f"/simulations/comparisons/{item['id']}"),
            Cell(month(item)),
            Cell(formats.count(item["months"], "month")),
            Cell(", ".join(scenario["label"] for scenario in item["scenarios"])),
            status(item),
            Cell(formats.number(item["progress"]["houses"])),
        )
        for item in comparisons.items
    ]
    columns = [
        Column("Comparison"),
        Column("From"),
        Column("Of"),
        Column("Scenarios"),
        Column("Status"),
        Column("Houses", is_number=True),
    ]
    empty = Empty(
        "No comparisons yet",
        "A comparison says who would gain and who would lose by another policy or tariff.",
        (Link("New comparison", COMPARE),),
    )
    return Table("Comparisons", columns, rows, empty)


@router.get("/simulations/runs/{run_id}")
async def show_run(visit: Visit, run_id: str, cursor: str = "") -> Response:
    """A run: how far it is, what all houses pay, and each of them."""
    run = await visit.the("simulation", f"{RUNS}/{run_id}")
    path = f"{RUNS}/{run_id}"
    totals, bills = await asyncio.gather(
        visit.get("simulation", f"{path}/totals"),
        visit.get(
            "simulation", f"{path}/house-bills", limit=ROWS, cursor=cursor,
            sort="-calculated_bill_amount",
        ),
    )  # fmt: skip
    here = f"/simulations/runs/{run_id}"
    is_complete = run["status"] == "COMPLETED"
    files = [Link("CSV", f"{here}/house-bills.csv", download=True)] if is_complete else []
    if run["source"] == "generated" and run["progress"]["houses"]:
        files.append(Link("Profiles (ZIP)", f"{here}/profiles.zip", download=True))
    document = run["tariff_document"]
    blocks: list[Block | Panel] = [
        *problem(run),
        Panel("", [progress(run)]),
        *(
            [Panel("All together", [_totals(totals)], failure=totals.failure)]
            if is_complete
            else []
        ),
        Panel("House bills", [_bills(bills, here, cursor)], failure=bills.failure),
        Panel("What can be done", _forms(run, here), width=6),
        Panel(
            "Policy",
            [
                Code(json.dumps(run["policy"], indent=2, default=str), "The policy"),
                *(
                    [Code(json.dumps(document, indent=2, default=str), "The tariff it stands for")]
                    if document
                    else []
                ),
            ],
            width=6,
        ),
    ]
    return visit.page(
        PageView(
            area=AREA,
            title=run["name"],
            subtitle=f"{month(run)} · {POLICIES[run['policy']['type']]} · {run['source']} readings",
            crumbs=(HERE,),
            actions=files,
            refresh_s=REFRESH_S if run["status"] == "RUNNING" else 0,
            blocks=blocks,
        )
    )


def _totals(totals: Answer) -> Stats:
    data = totals.data or {}
    currency = data.get("currency") or ""
    money = {
        "All pay": "total_amount",
        "Lowest bill": "least_amount",
        "Highest bill": "greatest_amount",
    }
    energy = {"Imported": "total_energy_imported_kwh", "Exported": "total_energy_exported_kwh"}
    return Stats(
        [
            *(
                Stat(label, formats.money(data.get(name), currency))
                for label, name in money.items()
            ),
            *(
                Stat(label, formats.energy(data.get(name)), unit="kWh")
                for label, name in energy.items()
            ),
        ]
    )


def _bills(bills: Answer, here: str, cursor: str) -> Table:
    rows = [
        (
            Cell(bill["house_name"], f"{here}/houses/{bill['house_node_id']}"),
            Cell(formats.energy(bill["total_energy_imported_kwh"])),
            Cell(formats.energy(bill["total_energy_exported_kwh"])),
            Cell(formats.energy(bill["net_energy_balance_kwh"])),
            Cell(formats.money(bill["calculated_bill_amount"], bill["currency"])),
        )
        for bill in bills.items
    ]
    columns = [
        Column("House"),
        Column("Imported", is_number=True, unit="kWh"),
        Column("Exported", is_number=True, unit="kWh"),
        Column("Net", is_number=True, unit="kWh"),
        Column("Would pay", is_number=True),
    ]
    page = pager(here, bills.data["next_cursor"] if bills.ok else None, cursor=cursor)
    return Table("House bills", columns, rows, NO_BILLS, page)


def _forms(run: Json, here: str) -> list[Block]:
    forms: list[Block] = []
    if run["status"] == "PENDING":
        forms.append(Form(f"{here}/start", [], "Start"))
    if run["status"] in ("PENDING", "RUNNING"):
        forms.append(Form(f"{here}/cancel", [], "Cancel", is_danger=True))
    name = Field("name", "Name of the copy", run["name"])
    key = {"idempotency_key": str(new_id())}
    forms.append(Form(f"{here}/copy", [name], "Copy as a new run", hidden=key))
    return forms


@router.post("/simulations/runs/{run_id}/{action}")
async def do_with_run(visit: Visit, run_id: str, action: str, fields: FormFields) -> Response:
    """Start, cancel or copy a run; what the service refuses is said on the run's page."""
    here = f"/simulations/runs/{run_id}"
    if action not in ("start", "cancel", "copy"):
        return visit.go(here)
    is_copy = action == "copy"
    answer = await visit.send(
        "simulation",
        "POST",
        f"{RUNS}/{run_id}/{action}",
        body={"name": fields.get("name") or None} if is_copy else None,
        headers={"Idempotency-Key": fields.get("idempotency_key", "")} if is_copy else {},
    )
    if answer.failure is not None:
        notice = Notice(answer.failure.detail, tone="bad", title="Not done.", links=(
            Link("Back to the run", here),))  # fmt: skip
        return visit.page(PageView(AREA, "Run", [notice], crumbs=(HERE,)), 422)
    return visit.go(f"/simulations/runs/{answer.data['id']}")


@router.get("/simulations/runs/{run_id}/house-bills.csv")
async def get_house_bills(visit: Visit, run_id: str) -> Response:
    """The house bills as a file."""
    return await visit.file("simulation", f"{RUNS}/{run_id}/house-bills.csv", {})


@router.get("/simulations/runs/{run_id}/profiles.zip")
async def get_profiles(visit: Visit, run_id: str) -> Response:
    """A CSV for each house, in one archive."""
    return await visit.file("simulation", f"{RUNS}/{run_id}/profiles.zip", {})


@router.get("/simulations/runs/{run_id}/houses/{house_node_id}/profile.csv")
async def get_profile(visit: Visit, run_id: str, house_node_id: str) -> Response:
    """A house's load, solar, net, import and export."""
    path = f"{RUNS}/{run_id}/houses/{house_node_id}/profile.csv"
    return await visit.file("simulation", path, {})


@router.get("/simulations/runs/{run_id}/houses/{house_node_id}")
async def show_house_bill(visit: Visit, run_id: str, house_node_id: str) -> Response:
    """A house bill with every component of the calculation."""
    run, bill = await asyncio.gather(
        visit.the("simulation", f"{RUNS}/{run_id}"),
        visit.the("simulation", f"{RUNS}/{run_id}/house-bills/{house_node_id}"),
    )
    here = f"/simulations/runs/{run_id}"
    details, currency = bill["bill_details"], shown_currency(bill["currency"])
    energy = ("imported", "exported")
    figures = [
        Stat("Would pay", formats.money(bill["calculated_bill_amount"], currency)),
        *(
            Stat(name.capitalize(), formats.energy(bill[f"total_energy_{name}_kwh"]), unit="kWh")
            for name in energy
        ),
        Stat("Net", formats.energy(bill["net_energy_balance_kwh"]), unit="kWh"),
    ]
    profile = f"{here}/houses/{house_node_id}/profile.csv"
    files = [Link("Profile (CSV)", profile, download=True)] if run["source"] == "generated" else []
    return visit.page(
        PageView(
            area=AREA,
            title=bill["house_name"],
            subtitle=f"{run['name']} · {month(run)}",
            crumbs=(HERE, Link(run["name"], here)),
            actions=files,
            blocks=[
                Panel("", [Stats(figures)]),
                Panel("Every part of it", [_lines(details, currency)]),
                *_periods(details, currency),
            ],
        )
    )


def _lines(details: Json, currency: str) -> Table:
    rows = [
        (
            Cell(line["component_id"], note=line["band"]),
            Cell(formats.words(line["kind"])),
            Cell(formats.number(line["quantity"]), note=line["unit"]),
            Cell(formats.number(line["rate"])),
            Cell(formats.cents(line["amount_exact"])),
            Cell(formats.money(line["amount"])),
        )
        for line in details["lines"]
    ]
    columns = [
        Column("Component"),
        Column("Kind"),
        Column("Quantity", is_number=True),
        Column("Rate", is_number=True, unit=currency),
        Column("Exact", is_number=True, unit=currency),
        Column("Amount", is_number=True, unit=currency),
    ]
    blank = [Cell("") for _ in columns[:-2]]
    total = [Cell("Total"), *blank, Cell(formats.money(details["total"]))]
    return Table("Lines", columns, rows, Empty("No lines", "Nothing was charged."), total=total)


def _periods(details: Json, currency: str) -> list[Block | Panel]:
    """By period of the day, where the policy has any."""
    rows = [
        (
            Cell(period["label"]),
            Cell(formats.energy(period["imported_kwh"])),
            Cell(formats.money(period["import_charge"])),
            Cell(formats.energy(period["exported_kwh"])),
            Cell(formats.money(period["export_credit"])),
        )
        for period in details.get("tou_periods", ())
    ]
    columns = [
        Column("Period"),
        Column("Imported", is_number=True, unit="kWh"),
        Column("Charge", is_number=True, unit=currency),
        Column("Exported", is_number=True, unit="kWh"),
        Column("Credit", is_number=True, unit=currency),
    ]
    table = Table("Periods of the day", columns, rows, Empty("", ""))
    return [Panel("By period of the day", [table])] if rows else []
