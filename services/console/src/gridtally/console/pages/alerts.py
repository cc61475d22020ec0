"""Alerts: what is wrong with meters now, by kinds that the tenant has turned on."""

from decimal import Decimal

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from gridtally.console.pages.operations import view
from gridtally.console.pages.visit import ROWS, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Pager,
    Panel,
    Table,
    pager,
)

router = APIRouter()
KINDS = (
    "missing_readings",
    "dead_meter",
    "stuck_meter",
    "unusual_use",
    "back_feed",
    "clock_drift",
    "conservation",
)


@router.get("/operations/alerts")
async def list_alerts(
    visit: Visit, state: str = "open", kind: str = "", cursor: str = ""
) -> Response:
    """Alerts, open or cleared."""
    filters = {"state": state, "kind": kind}
    found = await visit.get("ingest", "/v1/alerts", limit=ROWS, cursor=cursor, **filters)
    page = pager(
        "/operations/alerts", found.data["next_cursor"] if found.ok else None, **filters,
        cursor=cursor,
    )  # fmt: skip
    form = Form(
        "/operations/alerts",
        [
            Field(
                "state",
                "State",
                state,
                options=(("open", "open"), ("cleared", "cleared"), ("all", "any")),
            ),
            Field(
                "kind",
                "Kind",
                kind,
                options=(("", "any"), *((code, formats.words(code)) for code in KINDS)),
            ),
        ],
        "Filter",
        method="get",
        target="alerts",
        clear_href="/operations/alerts" if kind or state != "open" else None,
    )
    panel = Panel("", [_table(found, page)], failure=found.failure, region="alerts")
    return visit.page(
        view("/operations/alerts", "Alerts", [form, panel], "What is wrong with meters now")
    )


def _table(found: Answer, page: Pager | None) -> Table:
    rows = [
        (
            Cell(formats.words(item["kind"]), tone="plain" if item["cleared_at"] else "warn"),
            Cell(
                item["meter_name"] or formats.short(item["meter_id"]),
                f"/meters/{item['meter_id']}",
            ),
            Cell(lists.FLOWS[item["flow"]] if item["flow"] else "all"),
            Cell(formats.instant(item["since_at"])),
            Cell(_measured(item["value"], item["unit"])),
            Cell(_measured(item["worst_value"], item["unit"])),
            Cell(_measured(item["limit"], item["unit"])),
            _seen(item),
            _state(item),
        )
        for item in found.items
    ]
    columns = [
        Column("Alert"),
        Column("Meter"),
        Column("Flow"),
        Column("Since"),
        Column("Measured", is_number=True),
        Column("Worst", is_number=True),
        Column("Limit", is_number=True),
        Column("Acknowledged"),
        Column("State"),
    ]
    empty = Empty(
        "No such alert",
        "An alert is raised once when a meter is silent, stuck or otherwise odd, by kinds that are "
        "turned on with PUT /v1/alert-rules, and cleared by itself when that has ended.",
    )
    return Table("Alerts", columns, rows, empty, page)


def _measured(value: str, unit: str) -> Markup:
    amount = Decimal(value)
    is_whole = amount == amount.to_integral_value()
    shown = formats.energy(amount) if is_whole else formats.cents(value)
    return Markup("{} {}").format(shown, unit)


def _seen(item: Json) -> Cell:
    if item["acknowledged_at"] is None:
        return Cell(formats.NONE)
    return Cell(formats.instant(item["acknowledged_at"]), note=item["note"])


def _state(item: Json) -> Cell:
    if item["cleared_at"] is None:
        return Cell("open", tone="warn")
    return Cell(
        formats.words(item["reason"]), tone="good", note=formats.instant(item["cleared_at"])
    )
