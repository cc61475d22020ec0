"""Drafts of invoices: those that wait for approval, one with its lines, and both decisions."""

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.invoice_details import lines_table
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
    Table,
    pager,
)

router = APIRouter()
DRAFTS = "/v1/invoice-drafts"


@router.get("/drafts")
async def list_drafts(visit: Visit, cursor: str = "") -> Response:
    """Drafts that wait for approval, and a form to approve many."""
    return visit.page(await _page(visit, cursor, {}, None))


@router.post("/drafts")
async def approve_drafts(visit: Visit, fields: FormFields) -> Response:
    """Approve all pending drafts that fit."""
    named = {name: fields[name] for name in ("from", "to", "total_max") if fields.get(name)}
    answer = await visit.send("billing", "POST", f"{DRAFTS}/approve", body=named)
    return visit.page(await _page(visit, "", fields, answer), 200 if answer.ok else 422)


async def _page(
    visit: SignedIn, cursor: str, fields: dict[str, str], answer: Answer | None
) -> PageView:
    found = await visit.get("billing", DRAFTS, limit=ROWS, cursor=cursor)
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    rows = [
        (
            Cell(formats.period(item["start_on"], item["end_on"]), f"/drafts/{item['id']}"),
            lists.customer(item["customer_id"], names),
            lists.state(item["state"]),
            Cell(str(item["revision"])),
            Cell(item["reason"] or formats.NONE),
            Cell(formats.instant(item["drafted_at"])),
            Cell(formats.money(item["total"], item["currency"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Period"),
        Column("Customer"),
        Column("State"),
        Column("Revision"),
        Column("Reason"),
        Column("Drafted"),
        Column("Total", is_number=True),
    ]
    empty = Empty(
        "No draft waits",
        "Where a tenant approves its invoices (`PUT /v1/invoicing-terms`), each is a draft first: "
        "without a number, and neither published nor booked.",
    )
    page = pager("/drafts", found.data["next_cursor"] if found.ok else None, cursor=cursor)
    form = Form(
        "/drafts",
        [
            Field("from", "Periods from", fields.get("from", ""), "date"),
            Field("to", "Periods to", fields.get("to", ""), "date"),
            Field("total_max", "Up to a total of", fields.get("total_max", "")),
        ],
        "Approve all that fit",
        is_danger=True,
    )
    table = Table("Drafts", columns, rows, empty, page)
    return PageView(
        "invoices",
        "Drafts",
        [
            *_said(answer),
            Panel("", [table], failure=found.failure, width=8),
            Panel("Approve many", [form], width=4),
        ],
        tabs=tabs("/drafts"),
        subtitle="To be approved before they are issued",
    )


def _said(answer: Answer | None) -> list[Block]:
    if answer is None:
        return []
    if answer.failure is not None:
        return [Notice(answer.failure.detail, tone="bad", title="Not approved.")]
    more = "" if answer.data["is_all"] else " There are more: approve again."
    text = f"They are issued within a second.{more}"
    return [Notice(text, tone="good", title=f"{answer.data['approved']} approved.")]


@router.get("/drafts/{draft_id}")
async def show_draft(visit: Visit, draft_id: str) -> Response:
    """A draft with its lines, to be approved or rejected."""
    return visit.page(await _draft_page(visit, draft_id, {}, None))


@router.post("/drafts/{draft_id}/{decision}")
async def decide_draft(visit: Visit, draft_id: str, decision: str, fields: FormFields) -> Response:
    """Approve or reject the draft as it was shown."""
    is_approval = decision == "approve"
    answer = await visit.send(
        "billing",
        "POST",
        f"{DRAFTS}/{draft_id}/{'approve' if is_approval else 'reject'}",
        body=None if is_approval else {"reason": fields.get("reason", "")},
        headers={"If-Match": f'"{fields.get("version", "")}"'},
    )
    if answer.ok:
        return visit.go("/drafts")
    return visit.page(await _draft_page(visit, draft_id, fields, answer), 422)


async def _draft_page(
    visit: SignedIn, draft_id: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    draft = await visit.the("billing", f"{DRAFTS}/{draft_id}")
    customer = await visit.get("billing", f"/v1/customers/{draft['customer_id']}")
    name = customer.data["name"] if customer.ok else "Customer"
    blocks: list[Block | Panel] = []
    if refused is not None and refused.failure is not None:
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not decided."))
    return PageView(
        area="invoices",
        title=f"Draft of {formats.period(draft['start_on'], draft['end_on'])}",
        badge=lists.state(draft["state"]),
        subtitle=f"{name} · revision {draft['revision']}",
        crumbs=(Link("Drafts", "/drafts"), Link(name, f"/customers/{draft['customer_id']}")),
        blocks=[
            *blocks,
            Panel("Lines", [lines_table(draft)], width=8),
            Panel("Decide", [_facts(draft), *_forms(draft, fields)], width=4),
        ],
    )


def _facts(draft: Json) -> Facts:
    facts = [("Drafted", Cell(formats.instant(draft["drafted_at"])))]
    if draft["replaces_id"]:
        facts.append(("Replaces", Cell("a live invoice", f"/invoices/{draft['replaces_id']}")))
    if draft["decided_by"]:
        facts.append(("Decided by", Cell(draft["decided_by"])))
    if draft["reason"]:
        facts.append(("Reason", Cell(draft["reason"])))
    return Facts(facts)


def _forms(draft: Json, fields: dict[str, str]) -> list[Form]:
    if draft["state"] == "approved":
        return []
    version = {"version": str(draft["version"])}
    path = f"/drafts/{draft['id']}"
    reason = Field("reason", "Reason", fields.get("reason", ""), is_required=True)
    return [
        Form(f"{path}/approve", [], "Approve", hidden=version),
        Form(f"{path}/reject", [reason], "Reject", hidden=version, is_danger=True),
    ]
