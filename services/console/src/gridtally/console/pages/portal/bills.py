"""A customer's bills: the list, and one with its lines, why it differs, and its corrections."""

import asyncio
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridtally.console.pages.portal.differences import bill_before, causes, why
from gridtally.console.pages.portal.lines import component_names, lines_table
from gridtally.console.pages.portal.visit import Customer, PortalVisit
from gridtally.console.pages.visit import ROWS
from gridtally.console.upstream import Answer, Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Facts,
    Link,
    Notice,
    Pager,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    address,
)
from gridtally.console.views.words import PortalWording

router = APIRouter()
PATH = "/portal/bills"
BOOKED_MAX = 200
DOCUMENTS = {"pdf", "html"}


@router.get(PATH)
async def list_bills(visit: Customer, cursor: str = "", replaced: str = "") -> Response:
    """Every bill, newest first, with what is paid of it."""
    found, booked, notes = await asyncio.gather(
        visit.get(
            "billing",
            "/v1/invoices",
            customer_id=visit.customer_id,
            state="" if replaced else "issued",
            limit=ROWS,
            cursor=cursor,
        ),
        booked_bills(visit),
        visit.get("billing", "/v1/credit-notes", customer_id=visit.customer_id, limit=ROWS),
    )
    say = visit.words.say
    choice = (
        Link(say("Without replaced bills"), PATH)
        if replaced
        else Link(say("With replaced bills"), address(PATH, replaced="yes"))
    )
    next_cursor = found.data["next_cursor"] if found.ok else None
    pager = _pager(visit.words, next_cursor, cursor, replaced)
    table = bills_table(visit, found, booked, pager)
    blocks: list[Block | Panel] = [visit.panel("", [table], found.failure)]
    if notes.items:
        blocks.append(visit.panel(say("Credits"), [_credits(visit, notes.items)]))
    return await visit.show(PageView("bills", say("Bills"), blocks, actions=[choice]))


@router.get(PATH + "/{invoice_id}")
async def show_bill(visit: Customer, invoice_id: str) -> Response:
    """A bill: what is to be paid, why it differs, its lines."""
    bill: Json = await visit.the("billing", f"/v1/invoices/{invoice_id}")
    booked, before, corrected, names = await asyncio.gather(
        visit.get("ledger", f"/v1/invoices/{invoice_id}"),
        bill_before(visit, bill),
        _revision_before(visit, bill),
        component_names(visit),
    )
    words, say = visit.words, visit.words.say
    period = words.period(date.fromisoformat(bill["start_on"]), date.fromisoformat(bill["end_on"]))
    blocks: list[Block | Panel] = [
        *_replaced(words, bill),
        _amounts(visit, bill, booked),
        *_by_plan(words, bill, booked),
        *why(words, bill, before),
        *_correction(words, bill, corrected),
        visit.panel(say("How it adds up"), [lines_table(words, bill, names)]),
        *_partial_credits(visit, bill),
        visit.panel(say("About this bill"), [_facts(words, bill)]),
    ]
    document = f"{PATH}/{invoice_id}/document"
    view = PageView(
        area="bills",
        title=say("Bill for {period}", period=period),
        badge=state_of(visit, bill, booked.data if booked.ok else None),
        crumbs=(Link(say("Bills"), PATH),),
        blocks=blocks,
        actions=[
            Link(say("Bill as PDF"), document, is_primary=True, download=True),
            Link(say("Bill as web page"), address(document, format="html"), download=True),
        ],
    )
    return await visit.show(view)


@router.get(PATH + "/{invoice_id}/document")
async def get_document(
    visit: Customer, invoice_id: str, file_format: Annotated[str, Query(alias="format")] = "pdf"
) -> Response:
    """The bill as one keeps it."""
    path = f"/v1/invoices/{invoice_id}"
    await visit.the("billing", path)
    kind = file_format if file_format in DOCUMENTS else "pdf"
    return await visit.file("billing", f"{path}/document", {"format": kind})


@router.get("/portal/credits/{credit_note_id}/document")
async def get_credit(visit: Customer, credit_note_id: str) -> Response:
    """A credit note as PDF."""
    path = f"/v1/credit-notes/{credit_note_id}"
    await visit.the("billing", path)
    return await visit.file("billing", f"{path}/document", {"format": "pdf"})


async def booked_bills(visit: PortalVisit) -> Answer:
    """What is paid and due of the newest bills, as the ledger has it."""
    return await visit.get(
        "ledger", "/v1/invoices", customer_id=visit.customer_id, limit=BOOKED_MAX
    )


def bills_table(
    visit: PortalVisit, found: Answer, booked: Answer, pager: Pager | None = None
) -> Table:
    """Bills with their state and their PDF."""
    words, say = visit.words, visit.words.say
    by_id: Mapping[str, Json] = {item["id"]: item for item in booked.items}
    rows = []
    for item in found.items:
        start_on, end_on = (date.fromisoformat(item[name]) for name in ("start_on", "end_on"))
        path = f"{PATH}/{item['id']}"
        rows.append(
            (
                Cell(words.period(start_on, end_on), path, note=item["number"]),
                state_of(visit, item, by_id.get(item["id"])),
                Cell(words.money(Decimal(item["total"]), item["currency"])),
                Cell(say("PDF"), f"{path}/document"),
            )
        )
    columns = [
        Column(say("Period")),
        Column(say("State")),
        Column(say("Amount"), is_number=True),
        Column(say("Download")),
    ]
    empty = Empty(
        say("No bill yet"),
        say("Your first bill comes here when its period is over and its readings are complete."),
        [Link(say("What this period costs so far"), "/portal")],
    )
    return Table(say("Bills"), columns, rows, empty, pager)


def state_of(visit: PortalVisit, bill: Json, booked: Json | None) -> Cell:
    """What became of a bill, as a badge; nothing where the ledger does not tell."""
    say = visit.words.say
    if bill["state"] == "void":
        return Cell(say("replaced"), tone="plain")
    if booked is None:
        return Cell("")
    if booked["state"] == "paid":
        is_deferred = bill["settles_on"] is not None or _deferred(booked) > 0
        return Cell(say("in your monthly amounts") if is_deferred else say("paid"), tone="good")
    due_on = date.fromisoformat(booked["due_on"])
    if due_on < visit.now.date():
        return Cell(say("overdue"), tone="bad")
    return Cell(say("due {day}", day=visit.words.day(due_on)), tone="info")


def _deferred(booked: Json) -> Decimal:
    """What a budget plan has taken upon itself of a bill: nobody has paid that, nor is asked to by
    this bill. A list does not tell, and it is none there; there billing does (`settles_on`)."""
    allocations = booked.get("allocations", ())
    deferrals = {own["transaction_id"] for own in allocations if own["kind"] == "deferral"}
    amounts = (Decimal(own["amount"]) for own in allocations if own["source_id"] in deferrals)
    return sum(amounts, Decimal(0))


def _by_plan(words: PortalWording, bill: Json, booked: Answer) -> list[Block]:
    """Why nothing is to be paid of a bill that nobody has paid."""
    if bill["state"] == "void" or not booked.ok or _deferred(booked.data) <= 0:
        return []
    text = words.say(
        "This bill is set against your monthly amounts. You pay those, and nothing for this bill "
        "by itself."
    )
    return [Notice(text)]


def _pager(words: PortalWording, next_cursor: str | None, cursor: str, shown: str) -> Pager | None:
    if next_cursor is None and not cursor:
        return None
    return Pager(
        address(PATH, replaced=shown, cursor=next_cursor) if next_cursor else None,
        address(PATH, replaced=shown) if cursor else None,
        words.say("Older bills"),
        words.say("Newest bills"),
    )


def _credits(visit: PortalVisit, items: list[Json]) -> Table:
    words, say = visit.words, visit.words.say
    rows = [
        (
            Cell(item["number"], f"/portal/credits/{item['id']}/document"),
            Cell(words.day(date.fromisoformat(item["issued_at"][:10]))),
            Cell(say("Bill"), f"{PATH}/{item['invoice_id']}"),
            Cell(words.money(Decimal(item["total"]), item["currency"])),
        )
        for item in items
    ]
    columns = [
        Column(say("Credit note")),
        Column(say("Day")),
        Column(say("For")),
        Column(say("Amount"), is_number=True),
    ]
    return Table(say("Credits"), columns, rows, Empty("", ""))


def _partial_credits(visit: PortalVisit, bill: Json) -> list[Panel]:
    items = bill["partial_credit_notes"]
    return [visit.panel(visit.words.say("Credits"), [_credits(visit, items)])] if items else []


def _replaced(words: PortalWording, bill: Json) -> list[Block]:
    if bill["state"] != "void":
        return []
    live = [item for item in bill["revisions"] if item["state"] == "issued"]
    links = [
        Link(words.say("Go to {number}", number=item["number"]), f"{PATH}/{item['invoice_id']}")
        for item in live[:1]
    ]
    text = words.say("It was cancelled, because readings changed after it was sent.")
    return [Notice(text, "warn", words.say("This bill is no longer valid."), links)]


def _amounts(visit: PortalVisit, bill: Json, booked: Answer) -> Stats:
    words, say, currency = visit.words, visit.words.say, bill["currency"]
    net, tax = (words.money(Decimal(bill[name]), currency) for name in ("net", "tax"))
    note = say("{net} and {tax} tax", net=net, tax=tax)
    stats = [Stat(say("This bill"), words.money(Decimal(bill["total"]), currency), note=note)]
    if booked.ok and bill["state"] != "void":
        item = booked.data
        is_open = item["state"] != "paid"
        due = say("due {day}", day=words.day(date.fromisoformat(item["due_on"])))
        stats += [
            Stat(
                say("To pay"),
                words.money(Decimal(item["open"]), currency),
                note=due if is_open else state_of(visit, bill, item).text,
                tone="plain" if is_open else "good",
            ),
            Stat(say("Paid"), words.money(Decimal(item["allocated"]) - _deferred(item), currency)),
        ]
    return Stats(stats)


async def _revision_before(visit: PortalVisit, bill: Json) -> Json | None:
    """The bill whose place this one took, with its lines."""

    def rank(item: Json) -> tuple[int, int]:
        return int(item["revision"]), int(item["restatement"])

    earlier = [item for item in bill["revisions"] if rank(item) < rank(bill)]
    if not earlier:
        return None
    answer = await visit.get("billing", f"/v1/invoices/{max(earlier, key=rank)['invoice_id']}")
    return answer.data if answer.ok else None


def _correction(words: PortalWording, bill: Json, corrected: Json | None) -> list[Panel]:
    if corrected is None:
        return []
    say = words.say
    title = say("What was corrected")
    table = causes(words, title, (corrected, say("As it was")), (bill, say("As it is now")))
    text = say(
        "Bill {number} was cancelled and replaced by this one, because readings were corrected.",
        number=corrected["number"],
    )
    links = [Link(say("The bill as it was"), f"{PATH}/{corrected['id']}")]
    return [Panel(title, [table], text=text, links=links)]


def _facts(words: PortalWording, bill: Json) -> Facts:
    say, currency = words.say, bill["currency"]
    first, end = (date.fromisoformat(bill[name]) for name in ("start_on", "end_on"))
    facts = [
        (say("Number"), Cell(bill["number"])),
        (say("Days"), Cell(words.days(first, end))),
        (say("Sent on"), Cell(words.day(date.fromisoformat(bill["issued_at"][:10])))),
    ]
    forward = Decimal(bill["brought_forward"])
    if forward:
        facts += [
            (say("Balance before it"), Cell(words.money(forward, currency))),
            (say("Balance with it"), Cell(words.money(Decimal(bill["amount_due"]), currency))),
        ]
    return Facts(facts)
