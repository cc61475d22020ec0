"""Alerts: what is wrong with meters now, by kinds that the tenant has turned on."""

from decimal import Decimal

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from gridtally.console.pages.operations import view
from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Cell,
    Column,
    Empty,
    Facts,
    Field,
    Form,
    Link,
    Notice,
    Pager,
    PageView,
    Panel,
    Table,
    pager,
)

router = APIRouter()
ALERTS = "/v1/alerts"
KINDS = {
    "missing_readings": "A channel has had no actual reading for so long: look at the gateway.",
    "dead_meter": "No channel of the meter has a reading: look at the meter and its gateway.",
    "stuck_meter": "Hour after hour has no energy, or the same energy: the meter may have stopped.",
    "unusual_use": "So many times more or less than in the same hours of earlier weeks.",
    "back_feed": "Energy goes out of a meter that has no channel for generation.",
    "clock_drift": "A week fits much better when it is shifted by an hour: look at the clock.",
    "conservation": "The parts of a derived meter have more than what they are parts of.",
    "tamper": "The meter noted that it was tampered with in the last seven days: go and look.",
}
"""What each kind says, and where to look."""


@router.get("/operations/alerts")
async def list_alerts(
    visit: Visit, state: str = "open", kind: str = "", cursor: str = ""
) -> Response:
    """Alerts, open or cleared."""
    filters = {"state": state, "kind": kind}
    found = await visit.get("ingest", ALERTS, limit=ROWS, cursor=cursor, **filters)
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
            Cell(formats.words(item["kind"]), f"/operations/alerts/{item['id']}"),
            _meter(item),
            _flow(item),
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
        "turned on by the alert rules, and cleared by itself when that has ended.",
        [Link("Alert rules", "/operations/alert-rules")],
    )
    return Table("Alerts", columns, rows, empty, page)


@router.get("/operations/alerts/{alert_id}")
async def show_alert(visit: Visit, alert_id: str) -> Response:
    """An alert, and a form to say that somebody has seen it."""
    return visit.page(await _alert_page(visit, alert_id, {}, None))


@router.post("/operations/alerts/{alert_id}/acknowledge")
async def acknowledge_alert(visit: Visit, alert_id: str, fields: FormFields) -> Response:
    """Acknowledge it with a note; it stays open until it ends."""
    note = fields.get("note", "")
    path = f"{ALERTS}/{alert_id}/acknowledge"
    answer = await visit.send("ingest", "POST", path, body={"note": note})
    if answer.ok:
        return visit.go(f"/operations/alerts/{alert_id}")
    return visit.page(await _alert_page(visit, alert_id, fields, answer), 422)


async def _alert_page(
    visit: SignedIn, alert_id: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    item = await visit.the("ingest", f"{ALERTS}/{alert_id}")
    facts = Facts(
        [
            ("State", _state(item)),
            ("Meter", _meter(item)),
            ("Flow", _flow(item)),
            ("Since", Cell(formats.instant(item["since_at"]))),
            ("Measured", Cell(_measured(item["value"], item["unit"]))),
            ("Worst", Cell(_measured(item["worst_value"], item["unit"]))),
            ("Limit", Cell(_measured(item["limit"], item["unit"]))),
            ("Raised", Cell(formats.instant(item["raised_at"]))),
            ("Last found", Cell(formats.instant(item["seen_at"]))),
            ("Acknowledged", _seen(item)),
            ("By the key", Cell(item["acknowledged_by"] or formats.NONE)),
        ]
    )
    said = [] if refused is None or refused.failure is None else [
        Notice(refused.failure.detail, tone="bad", title="Not acknowledged.")
    ]  # fmt: skip
    panels = [Panel("", [facts], width=8, text=KINDS[item["kind"]])]
    if item["acknowledged_at"] is None:
        note = Field("note", "Note", fields.get("note", ""), is_required=True)
        form = Form(f"/operations/alerts/{alert_id}/acknowledge", [note], "Acknowledge")
        text = "Says that somebody has seen it."
        if item["cleared_at"] is None:
            text += " It stays open until it ends."
        panels.append(Panel("Acknowledge", [form], width=4, text=text))
    return PageView(
        "operations",
        f"Alert: {formats.words(item['kind'])}",
        [*said, *panels],
        crumbs=(Link("Alerts", "/operations/alerts"),),
        subtitle=item["meter_name"] or item["meter_id"],
    )


def _meter(item: Json) -> Cell:
    name = item["meter_name"] or formats.short(item["meter_id"])
    return Cell(name, f"/meters/{item['meter_id']}")


def _flow(item: Json) -> Cell:
    return Cell(lists.FLOWS[item["flow"]] if item["flow"] else "all")


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
