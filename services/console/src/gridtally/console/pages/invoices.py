"""Invoices: the list, one with how it came about, held periods, and credit notes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, From, Visit
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Link,
    PageView,
    Panel,
    Table,
    pager,
)

router = APIRouter()
TABS = (
    ("Invoices", "/invoices"),
    ("Drafts", "/drafts"),
    ("Billing runs", "/billing-runs"),
    ("Held", "/held"),
    ("Credit notes", "/credit-notes"),
)
HELD_ROWS = 200
EXTENTS = {"whole": "the whole invoice", "part": "a part", "rest": "what was left"}
FREES = {
    "agreement_unknown": "make the agreement",
    "tariff_not_in_force": "publish a version that covers the period",
    "prices_missing": "upload the missing prices",
    "previous_period_open": "bill the period before it",
    "meter_unknown": "register the meter",
    "approval_pending": "approve its draft",
    "below_minimum": "wait for the next bill, or release it",
    "collective_pending": "wait for the other sections of its invoice, or release that",
    "draft_rejected": "correct what is wrong, or approve it after all",
    "newer_revision_issued": "wait: its next revision is read again after a restore",
}


def tabs(current: str) -> list[Link]:
    """The lists of the area, of which one is shown."""
    return [Link(label, path, is_current=path == current) for label, path in TABS]


@router.get("/invoices")
async def list_invoices(
    visit: Visit,
    number: str = "",
    state: str = "",
    from_: From = "",
    to: str = "",
    cursor: str = "",
) -> Response:
    """Invoices, newest first, with filters that stand in the address."""
    filters = {"number": number, "state": state, "from_": from_, "to": to}
    found = await visit.get("billing", "/v1/invoices", limit=ROWS, cursor=cursor, **filters)
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    is_filtered = any(filters.values())
    empty = (
        Empty("No invoice matches", "Loosen the filter.", (Link("Clear it", "/invoices"),))
        if is_filtered
        else Empty(
            "No invoice yet",
            "An invoice is issued when a period closes: once its readings are complete, or its "
            "time of grace is over.",
            (Link("What is held back, and why", "/held"),),
        )
    )
    page = pager(
        "/invoices", found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor
    )
    form = Form(
        "/invoices",
        [
            Field("number", "Number", number, "search"),
            Field(
                "state",
                "State",
                state,
                options=(("", "any"), ("issued", "issued"), ("void", "void")),
            ),
            Field("from", "Period from", from_, "date"),
            Field("to", "Period to", to, "date"),
        ],
        "Filter",
        method="get",
        target="invoices",
        clear_href="/invoices" if is_filtered else None,
    )
    table = lists.invoices(found.items, empty, names=names, page=page)
    return visit.page(
        PageView(
            area="invoices",
            title="Invoices",
            subtitle="What was asked for, newest first",
            tabs=tabs("/invoices"),
            blocks=[form, Panel("", [table], failure=found.failure, region="invoices")],
        )
    )


@router.get("/held")
async def list_held(visit: Visit, reason: str = "") -> Response:
    """Closed periods that cannot be billed yet, by reason, and those that nobody wants billed."""
    held = await visit.get("billing", "/v1/held-invoices", limit=HELD_ROWS)
    dismissed = await visit.get("billing", "/v1/held-invoices", limit=HELD_ROWS, state="dismissed")
    chosen = [item for item in held.items if not reason or item["reason"] == reason]
    shown = [item["meter_id"] for item in (*chosen, *dismissed.items)]
    meters = await visit.names("ledger", "/v1/meters", shown)
    reasons = Counter(item["reason"] for item in held.items)
    choices = [
        Link(f"All {len(held.items)}", "/held", is_current=not reason),
        *(
            Link(
                f"{formats.words(code)} {number}", f"/held?reason={code}", is_current=code == reason
            )
            for code, number in reasons.most_common()
        ),
    ]
    panels = [
        Panel(
            "By reason" if reasons else "",
            [_held_table(chosen, meters)],
            failure=held.failure,
            links=choices if reasons else (),
        ),
        Panel(
            "Dismissed",
            [_dismissed_table(dismissed.items, meters)],
            failure=dismissed.failure,
        ),
    ]
    return visit.page(
        PageView(
            "invoices",
            "Held periods",
            panels,
            tabs=tabs("/held"),
            subtitle="Closed, but not billed yet",
        )
    )


def _held_table(items: Sequence[Any], meters: Mapping[str, str]) -> Table:
    rows = [
        (
            Cell(formats.words(item["reason"]), tone="warn"),
            Cell(item["detail"]),
            Cell(formats.period(item["start_on"], item["end_on"])),
            _meter(item["meter_id"], meters),
            Cell(FREES.get(item["reason"], "see the detail")),
            Cell(formats.instant(item["held_at"])),
        )
        for item in items
    ]
    names = ("Reason", "Detail", "Period", "Meter", "What frees it", "Held since")
    empty = Empty(
        "Nothing is held",
        "Every period that has closed is billed. One that cannot be would wait here with its "
        "reason, and be billed by itself once the cause is gone.",
    )
    return Table("Held periods", [Column(name) for name in names], rows, empty)


def _dismissed_table(items: Sequence[Any], meters: Mapping[str, str]) -> Table:
    rows = [
        (
            Cell(formats.words(item["reason"])),
            Cell(item["dismissal"]),
            Cell(formats.period(item["start_on"], item["end_on"])),
            _meter(item["meter_id"], meters),
            Cell(item["dismissed_by"]),
            Cell(formats.instant(item["dismissed_at"])),
        )
        for item in items
    ]
    names = ("Reason", "Why nothing is billed", "Period", "Meter", "By", "Since")
    empty = Empty(
        "Nothing is dismissed",
        "A held period that somebody wants no invoice of would stand here, and a correction that "
        "came too late for its agreement.",
    )
    return Table("Dismissed periods", [Column(name) for name in names], rows, empty)


def _meter(meter_id: str, meters: Mapping[str, str]) -> Cell:
    return Cell(meters.get(meter_id, formats.short(meter_id)), f"/meters/{meter_id}")


@router.get("/credit-notes")
async def list_credit_notes(visit: Visit, cursor: str = "") -> Response:
    """Credit notes: of whole invoices, of parts, and of what parts have left."""
    found = await visit.get("billing", "/v1/credit-notes", limit=ROWS, cursor=cursor)
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    rows = [
        (
            Cell(item["number"], f"/credit-notes/{item['id']}/document"),
            Cell(EXTENTS[item["extent"]], f"/invoices/{item['invoice_id']}"),
            lists.customer(item["customer_id"], names),
            Cell(formats.words(item["reason"])),
            Cell(formats.instant(item["issued_at"])),
            Cell(formats.money(item["total"], item["currency"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Number"),
        Column("Credits"),
        Column("Customer"),
        Column("Reason"),
        Column("Issued"),
        Column("Total", is_number=True),
    ]
    empty = Empty(
        "No credit note",
        "One is made when readings change after their period was billed: it cancels the invoice, "
        "and a new revision takes its place. A part is credited on the invoice's page.",
    )
    page = pager("/credit-notes", found.data["next_cursor"] if found.ok else None, cursor=cursor)
    panel = Panel("", [Table("Credit notes", columns, rows, empty, page)], failure=found.failure)
    return visit.page(
        PageView(
            "invoices",
            "Credit notes",
            [panel],
            tabs=tabs("/credit-notes"),
            subtitle="What was taken back, and why",
        )
    )
