"""Billing runs: drafts of a time seen together, what stands out among them, and both decisions."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.invoices import tabs
from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Facts,
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

router = APIRouter()
PATH = "/billing-runs"
RUNS = "/v1/billing-runs"
REFRESH_S = 2
FINDINGS: dict[str, tuple[str, Tone]] = {
    "bill_shock": ("bill shock", "bad"),
    "no_use": ("no use", "warn"),
    "estimated": ("estimated", "warn"),
    "held": ("held", "bad"),
}
"""What billing calls them, what people do, and how urgent they look."""


@router.get(PATH)
async def list_runs(visit: Visit, cursor: str = "") -> Response:
    """Runs, the newest first, and a form to make one."""
    return visit.page(await _list_page(visit, cursor, {}, None))


@router.post(PATH)
async def create_run(visit: Visit, fields: FormFields) -> Response:
    """Make a run, which issues nothing; sent twice, it is made once."""
    named = {name: fields[name] for name in ("id", "name", "start_on") if fields.get(name)}
    last = fields.get("last_on", "")
    body: Json = named | {"end_on": _day_after(last)}
    if percent := fields.get("shock_percent"):
        body["shock_percent"] = int(percent) if percent.isdecimal() else percent
    answer = await visit.send("billing", "POST", RUNS, body=body)
    if answer.ok:
        return visit.go(f"{PATH}/{answer.data['id']}")
    return visit.page(await _list_page(visit, "", fields, answer), 422)


def _day_after(text: str) -> str:
    """People name the last day, billing the one after it; what is no day, billing refuses."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


async def _list_page(
    visit: SignedIn, cursor: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    found = await visit.get("billing", RUNS, limit=ROWS, cursor=cursor)
    rows = [
        (
            Cell(item["name"], f"{PATH}/{item['id']}"),
            Cell(formats.period(item["start_on"], item["end_on"])),
            lists.state(item["state"]),
            Cell(_customers(item)),
            Cell(formats.instant(item["created_at"])),
            Cell(item["created_by"]),
        )
        for item in found.items
    ]
    columns = [
        Column(label) for label in ("Run", "Periods within", "State", "Customers", "Made", "By key")
    ]
    empty = Empty(
        "No run yet",
        "A run shows what waits for approval beside the bills before, and what stands out. It "
        "needs invoices that are approved (`PUT /v1/invoicing-terms`).",
    )
    page = pager(PATH, found.data["next_cursor"] if found.ok else None, cursor=cursor)
    table = Table("Billing runs", columns, rows, empty, page)
    return PageView(
        "invoices",
        "Billing runs",
        [
            *_refusal(refused, "Not made."),
            Panel("", [table], failure=found.failure, width=8),
            Panel(
                "New run",
                [_new_form(fields, refused)],
                width=4,
                text="A dry run: nothing is issued before somebody approves it.",
            ),
        ],
        tabs=tabs(PATH),
        subtitle="Bills of a time, looked at and approved together",
    )


def _customers(run: Json) -> str:
    named = len(run["customer_ids"])
    return formats.count(named, "customer") if named else "all customers"


def _refusal(answer: Answer | None, title: str) -> list[Block]:
    if answer is None or answer.failure is None:
        return []
    return [Notice(answer.failure.detail, tone="bad", title=title)]


def _new_form(fields: dict[str, str], refused: Answer | None) -> Form:
    wrong = refused.failure.by_field if refused is not None and refused.failure else {}
    days = (("start_on", "First day", "start_on"), ("last_on", "Last day", "end_on"))
    return Form(
        PATH,
        [
            Field(
                "name", "Name", fields.get("name", ""), error=wrong.get("name", ""),
                is_required=True,
            ),
            *(
                Field(
                    name, label, fields.get(name, ""), "date", error=wrong.get(sent, ""),
                    is_required=True,
                )
                for name, label, sent in days
            ),
            Field(
                "shock_percent", "Bill shock beyond, in percent", fields.get("shock_percent", "50"),
                hint="Of the cost per day of the meter's bill before",
                error=wrong.get("shock_percent", ""),
            ),
        ],
        "Make the run",
        hidden={"id": fields.get("id") or str(new_id())},
    )  # fmt: skip


@router.get(f"{PATH}/{{run_id}}")
async def show_run(visit: Visit, run_id: str, kind: str = "", cursor: str = "") -> Response:
    """A run: what its bills come to, what stands out, how far it is, and both decisions."""
    return visit.page(await _run_page(visit, run_id, kind, cursor, None))


@router.post(f"{PATH}/{{run_id}}/{{decision}}")
async def decide_run(visit: Visit, run_id: str, decision: str, fields: FormFields) -> Response:
    """Approve the bills as they were shown, or cancel the run."""
    is_approval = decision == "approve"
    answer = await visit.send(
        "billing",
        "POST",
        f"{RUNS}/{run_id}/{'approve' if is_approval else 'cancel'}",
        body={"digest": fields.get("digest", "")} if is_approval else None,
    )
    if answer.ok:
        return visit.go(f"{PATH}/{run_id}")
    return visit.page(await _run_page(visit, run_id, "", "", answer), 422)


async def _run_page(
    visit: SignedIn, run_id: str, kind: str, cursor: str, refused: Answer | None
) -> PageView:
    path = f"{RUNS}/{run_id}"
    run, findings = await asyncio.gather(
        visit.the("billing", path),
        visit.get("billing", f"{path}/findings", kind=kind, limit=ROWS, cursor=cursor),
    )
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in findings.items]
    )
    page = pager(
        f"{PATH}/{run_id}",
        findings.data["next_cursor"] if findings.ok else None,
        kind=kind,
        cursor=cursor,
    )
    found = Table("What stands out", COLUMNS, _found(findings.items, names), NOTHING_FOUND, page)
    return PageView(
        area="invoices",
        title=run["name"],
        badge=lists.state(run["state"]),
        subtitle=f"{formats.period(run['start_on'], run['end_on'])} · {_customers(run)}",
        crumbs=(Link("Billing runs", PATH),),
        refresh_s=REFRESH_S if run["state"] == "approved" else 0,
        blocks=[
            *_refusal(refused, "Not decided."),
            *(_totals(run, own) for own in run["totals"]),
            Panel(
                "What stands out",
                [_filter(run_id, kind), found],
                failure=findings.failure,
                width=8,
                region="findings",
            ),
            Panel("Decide", [_facts(run), *_decisions(run)], width=4),
        ],
    )


def _totals(run: Json, own: Json) -> Stats:
    """What waits in one currency, beside the bills before."""
    change = _change(Decimal(own["compared_total"]), Decimal(own["last_total"]))
    path = f"{PATH}/{run['id']}?kind="
    return Stats(
        [
            Stat("Bills that wait", formats.number(own["bills"])),
            Stat(
                "Total",
                formats.money(own["total"], own["currency"]),
                note=f"of it tax {formats.money(own['tax'])}",
            ),
            Stat(
                "Against the bills before",
                change,
                note=f"{formats.count(own['compared_bills'], 'bill')} that have one, "
                f"{formats.money(own['last_total'], own['currency'])} then",
            ),
            *(
                Stat(
                    label,
                    formats.number(own[count]),
                    tone="warn" if own[count] else "plain",
                    href=f"{path}{code}" if own[count] else None,
                )
                for label, count, code in (
                    ("Bill shocks", "bill_shocks", "bill_shock"),
                    ("Without use", "without_use", "no_use"),
                    ("Estimated", "estimated", "estimated"),
                )
            ),
        ]
    )


def _change(now: Decimal, before: Decimal) -> str:
    """By how many percent a total has changed, with its sign."""
    if not before:
        return formats.NONE
    return f"{(now - before) / abs(before) * 100:+.1f} %"


COLUMNS = [
    Column("Period"),
    Column("Customer"),
    Column("What"),
    Column("Meter"),
    Column("Bill before", is_number=True),
    Column("Total", is_number=True),
]
NOTHING_FOUND = Empty(
    "Nothing stands out",
    "No bill differs much from the one before, all have energy, and every value is actual.",
)


def _found(items: list[Json], names: dict[str, str]) -> list[list[Cell]]:
    rows = []
    for item in items:
        kinds = [FINDINGS[kind] for kind in item["kinds"]]
        tone: Tone = "bad" if any(tone == "bad" for _, tone in kinds) else "warn"
        draft = f"/drafts/{item['draft_id']}" if item["draft_id"] else None
        reason = formats.words(item["reason"]) if item["reason"] else None
        rows.append(
            [
                Cell(formats.period(item["start_on"], item["end_on"]), draft),
                lists.customer(item["customer_id"], names),
                Cell(", ".join(label for label, _ in kinds), tone=tone, note=reason),
                Cell(formats.short(item["meter_id"]), f"/meters/{item['meter_id']}"),
                Cell(formats.money(item["last_total"])),
                Cell(formats.money(item["total"], item["currency"] or "")),
            ]
        )
    return rows


def _filter(run_id: str, kind: str) -> Form:
    options = [("", "Everything"), *((code, label) for code, (label, _) in FINDINGS.items())]
    return Form(
        f"{PATH}/{run_id}",
        [Field("kind", "What", kind, options=options)],
        "Filter",
        method="get",
        target="findings",
        clear_href=f"{PATH}/{run_id}" if kind else None,
    )


def _facts(run: Json) -> Facts:
    progress = run["progress"]
    facts = [
        ("Wait", Cell(formats.number(progress["pending"]))),
        ("Approved, being issued", Cell(formats.number(progress["approved"]))),
        ("Issued", Cell(formats.number(progress["issued"]))),
        ("Held", Cell(formats.number(progress["held"]), "/held" if progress["held"] else None)),
        ("Made by key", Cell(run["created_by"], note=formats.instant(run["created_at"]))),
    ]
    if run["decided_by"]:
        decided = Cell(run["decided_by"], note=formats.instant(run["decided_at"]))
        facts.append(("Decided by key", decided))
    return Facts(facts)


def _decisions(run: Json) -> list[Form]:
    if run["state"] != "proposed":
        return []
    path, waiting = f"{PATH}/{run['id']}", run["progress"]["pending"]
    approve = Form(
        f"{path}/approve",
        [],
        f"Issue {formats.count(waiting, 'bill')}",
        hidden={"digest": run["digest"]},
    )
    cancel = Form(f"{path}/cancel", [], "Cancel the run", is_danger=True)
    return [approve, cancel] if waiting else [cancel]
