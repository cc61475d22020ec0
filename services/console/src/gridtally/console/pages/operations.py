"""Operations: quarantine with replay, unknown meters, register exceptions, periods, checks."""

from collections import Counter

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Link,
    Notice,
    Pager,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    pager,
)

router = APIRouter()
SAMPLE = 200
TABS = (
    ("Quarantine", "/operations"),
    ("Alerts", "/operations/alerts"),
    ("Alert rules", "/operations/alert-rules"),
    ("Unknown meters", "/operations/pending"),
    ("Register exceptions", "/operations/registers"),
    ("Periods", "/operations/periods"),
    ("Reconciliation", "/operations/reconciliation"),
)


def view(tab: str, title: str, blocks: list[Block | Panel], subtitle: str) -> PageView:
    tabs = [Link(label, path, is_current=path == tab) for label, path in TABS]
    return PageView("operations", title, blocks, tabs=tabs, subtitle=subtitle)


@router.get("/operations")
async def list_quarantine(
    visit: Visit, meter_id: str = "", replayed: str = "false", cursor: str = ""
) -> Response:
    """Refused readings, with their reasons."""
    return visit.page(await _quarantine(visit, meter_id, replayed, cursor, None))


@router.post("/operations/quarantine/{quarantine_id}/replay")
async def replay_block(visit: Visit, quarantine_id: str, fields: FormFields) -> Response:
    """Offer a block again, now that its cause may be repaired."""
    del fields
    answer = await visit.send("ingest", "POST", f"/v1/quarantine/{quarantine_id}/replay")
    if answer.ok:
        return visit.go("/operations")
    return visit.page(await _quarantine(visit, "", "false", "", answer), 422)


async def _quarantine(
    visit: SignedIn, meter_id: str, replayed: str, cursor: str, refused: Answer | None
) -> PageView:
    filters = {"meter_id": meter_id, "replayed": replayed}
    found = await visit.get("ingest", "/v1/quarantine", limit=ROWS, cursor=cursor, **filters)
    meters = await visit.names(
        "ledger", "/v1/meters", [item["reading"]["meter_id"] for item in found.items]
    )
    reasons = Counter(item["reason"] for item in found.items)
    stats = Stats(
        [
            Stat(formats.words(reason).capitalize(), formats.number(number))
            for reason, number in reasons.most_common(6)
        ]
    )
    page = pager(
        "/operations", found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor
    )
    form = Form(
        "/operations",
        [
            Field("meter_id", "Meter's id", meter_id, "search"),
            Field(
                "replayed",
                "Replayed",
                replayed,
                options=(("false", "not yet"), ("true", "already")),
            ),
        ],
        "Filter",
        method="get",
        target="quarantine",
        clear_href="/operations" if meter_id or replayed != "false" else None,
    )
    blocks: list[Block | Panel] = []
    if refused is not None and refused.failure is not None:
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not replayed."))
    parts: list[Block] = [stats] if reasons else []
    parts.append(_blocks_table(found, meters, page))
    blocks += [form, Panel("", parts, failure=found.failure, region="quarantine")]
    return view("/operations", "Quarantine", blocks, "Refused readings, kept with their reasons")


def _blocks_table(found: Answer, meters: dict[str, str], page: Pager | None) -> Table:
    rows = [
        (
            Cell(formats.words(item["reason"]), tone="warn", note=item["detail"]),
            Cell(
                meters.get(item["reading"]["meter_id"], formats.short(item["reading"]["meter_id"])),
                f"/meters/{item['reading']['meter_id']}",
            ),
            Cell(lists.FLOWS[item["reading"]["flow"]]),
            Cell(formats.instant(item["reading"]["start_at"])),
            Cell(formats.number(len(item["reading"]["values"]))),
            Cell(formats.instant(item["recorded_at"])),
            Cell("replayed", tone="good")
            if item["replayed_at"]
            else Cell("Replay", f"/operations/quarantine/{item['id']}"),
        )
        for item in found.items
    ]
    columns = [
        Column("Reason"),
        Column("Meter"),
        Column("Flow"),
        Column("Starts"),
        Column("Values", is_number=True),
        Column("Refused"),
        Column(""),
    ]
    empty = Empty(
        "Nothing is in quarantine",
        "A block of readings that cannot be true, such as more energy than the meter can measure, "
        "is kept here with its reason until the cause is repaired and it is replayed.",
    )
    return Table("Quarantine", columns, rows, empty, page)


@router.get("/operations/quarantine/{quarantine_id}")
async def ask_replay(visit: Visit, quarantine_id: str) -> Response:
    """Ask before a block is offered again."""
    form = Form(f"/operations/quarantine/{quarantine_id}/replay", [], "Replay this block")
    text = (
        "The block is checked anew. If what made it impossible is repaired, it is stored and "
        "billed; if not, it stays here. Replaying twice changes nothing."
    )
    panel = Panel("Replay a block", [form], text=text)
    view = PageView(
        "operations",
        "Replay a block",
        [panel],
        crumbs=(Link("Quarantine", "/operations"),),
        subtitle=quarantine_id,
    )
    return visit.page(view)


@router.get("/operations/pending")
async def list_pending(visit: Visit) -> Response:
    """Meters that send readings and are not registered."""
    found = await visit.get("ingest", "/v1/pending-blocks", limit=SAMPLE)
    rows = [
        (
            Cell(item["meter_id"]),
            Cell(formats.number(item["blocks"])),
            Cell(formats.instant(item["oldest_at"])),
        )
        for item in found.items
    ]
    columns = [Column("Meter"), Column("Blocks", is_number=True), Column("Oldest")]
    empty = Empty(
        "No unknown meter sends readings",
        "Readings of a meter that is not registered wait, and are stored by themselves as soon as "
        "it is.",
    )
    panel = Panel("", [Table("Unknown meters", columns, rows, empty)], failure=found.failure)
    return visit.page(
        view("/operations/pending", "Unknown meters", [panel], "Their readings wait for them")
    )


@router.get("/operations/registers")
async def list_exceptions(visit: Visit, cursor: str = "") -> Response:
    """Times between two register readings that make no energy."""
    found = await visit.get("ingest", "/v1/register-exceptions", limit=ROWS, cursor=cursor)
    meters = await visit.names("ledger", "/v1/meters", [item["meter_id"] for item in found.items])
    rows = [
        (
            Cell(formats.words(item["reason"]), tone="warn"),
            Cell(
                meters.get(item["meter_id"], formats.short(item["meter_id"])),
                f"/meters/{item['meter_id']}",
            ),
            Cell(lists.FLOWS[item["flow"]]),
            Cell(formats.instant(item["start_at"])),
            Cell(formats.instant(item["end_at"])),
            Cell(formats.number(item["start_value"])),
            Cell(formats.number(item["end_value"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Reason"),
        Column("Meter"),
        Column("Flow"),
        Column("From"),
        Column("To"),
        Column("First", is_number=True, unit="kWh"),
        Column("Second", is_number=True, unit="kWh"),
    ]
    empty = Empty(
        "No register exceptions",
        "Where a register falls by too little for a rollover, one of its two readings is wrong. "
        "Such times would be listed here, and correcting a reading removes them.",
    )
    page = pager(
        "/operations/registers", found.data["next_cursor"] if found.ok else None, cursor=cursor
    )
    panel = Panel(
        "", [Table("Register exceptions", columns, rows, empty, page)], failure=found.failure
    )
    return visit.page(
        view(
            "/operations/registers",
            "Register exceptions",
            [panel],
            "Readings that contradict each other",
        )
    )


@router.get("/operations/periods")
async def list_periods(visit: Visit, state: str = "open", cursor: str = "") -> Response:
    """Billing periods, open or closed."""
    found = await visit.get("ingest", "/v1/periods", limit=ROWS, cursor=cursor, state=state)
    meters = await visit.names("ledger", "/v1/meters", [item["meter_id"] for item in found.items])
    page = pager(
        "/operations/periods",
        found.data["next_cursor"] if found.ok else None,
        state=state,
        cursor=cursor,
    )
    form = Form(
        "/operations/periods",
        [
            Field(
                "state",
                "State",
                state,
                options=(("open", "open"), ("closed", "closed"), ("", "any")),
            )
        ],
        "Filter",
        method="get",
        target="periods",
    )
    panel = Panel("", [_periods(found, meters, page)], failure=found.failure, region="periods")
    return visit.page(
        view(
            "/operations/periods",
            "Periods",
            [form, panel],
            "What is being collected, and what is done",
        )
    )


def _periods(found: Answer, meters: dict[str, str], page: Pager | None) -> Table:
    rows = [
        (
            Cell(formats.period(item["start_on"], item["end_on"])),
            Cell(
                meters.get(item["meter_id"], formats.short(item["meter_id"])),
                f"/meters/{item['meter_id']}",
            ),
            lists.state(item["state"]),
            Cell(formats.words(item["closed_by"] or "") or formats.NONE),
            Cell(formats.number(item["revision"])),
            Cell(f"{formats.number(item['present'])} of {formats.number(item['expected'])}"),
            Cell(formats.instant(item["closed_at"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Period"),
        Column("Meter"),
        Column("State"),
        Column("Closed by"),
        Column("Revision", is_number=True),
        Column("Intervals", is_number=True),
        Column("Closed"),
    ]
    empty = Empty(
        "No such period",
        "Each agreement has periods by its billing calendar: months, where it names none. One "
        "closes once its readings are complete, or its time of grace is over.",
    )
    return Table("Periods", columns, rows, empty, page)
