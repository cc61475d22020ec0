"""One invoice: what is asked for, how it adds up, what it rests on, and what became of it."""

import asyncio
import json
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridtally.console.pages.credit_notes import asked, panels
from gridtally.console.pages.visit import FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import charts, formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Drawing,
    Empty,
    Event,
    Facts,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    Timeline,
)
from gridtally.kernel.ids import new_id

router = APIRouter()


@router.get("/invoices/{invoice_id}")
async def show_invoice(visit: Visit, invoice_id: str) -> Response:
    """An invoice: what is asked for, how it adds up, what it rests on, what became of it."""
    return visit.page(await _page(visit, invoice_id, {}, None))


@router.post("/invoices/{invoice_id}/credit-notes")
async def credit_invoice(visit: Visit, invoice_id: str, fields: FormFields) -> Response:
    """Credit a part of the invoice; sent twice, it is credited once."""
    answer = await visit.send(
        "billing",
        "POST",
        f"/v1/invoices/{invoice_id}/credit-notes",
        body=asked(fields),
        headers={"Idempotency-Key": fields.get("idempotency_key", str(new_id()))},
    )
    if answer.ok:
        return visit.go(f"/invoices/{invoice_id}")
    return visit.page(await _page(visit, invoice_id, fields, answer), 422)


async def _page(
    visit: SignedIn, invoice_id: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    invoice = await visit.the("billing", f"/v1/invoices/{invoice_id}")
    customer, booked, moves, siblings, check = await asyncio.gather(
        visit.get("billing", f"/v1/customers/{invoice['customer_id']}"),
        visit.get("ledger", f"/v1/invoices/{invoice_id}"),
        visit.get("ledger", "/v1/transactions", document_id=invoice_id, limit=20),
        visit.get(
            "billing",
            "/v1/invoices",
            agreement_id=invoice["agreement_id"],
            from_=invoice["start_on"],
            to=invoice["end_on"],
            limit=20,
        ),
        visit.get("billing", f"/v1/invoices/{invoice_id}/recalculation"),
    )
    sections = invoice["sections"]
    own_meters = [section["meter_id"] for section in sections] or [invoice["meter_id"]]
    meters = await visit.names("ledger", "/v1/meters", own_meters)
    blocks: list[Block | Panel] = [
        *_successor(invoice, siblings),
        _amounts(invoice, booked),
        Panel("How it adds up", [_adding_up(invoice)], width=8),
        Panel("Facts", [_facts(invoice, customer, meters)], width=4),
        *([Panel("Sections", [_sections(invoice, meters)])] if sections else ()),
        Panel("Lines", [lines_table(invoice)], text="Each line is quantity × rate, rounded once."),
        Panel("Recalculated now", [_recalculated(check)], failure=check.failure, width=6),
        Panel("What became of it", [_history(invoice, booked, moves, siblings)], width=6),
        *panels(invoice, fields, refused),
        Panel("What it rests on", [_evidence(invoice)], folded=True),
    ]
    return PageView(
        area="invoices",
        title=invoice["number"],
        badge=lists.state(invoice["state"]),
        subtitle=f"{customer.data['name'] if customer.ok else 'Customer'} · "
        f"{formats.period(invoice['start_on'], invoice['end_on'])} · revision "
        f"{invoice['revision']}",
        crumbs=(
            Link("Invoices", "/invoices"),
            Link(
                customer.data["name"] if customer.ok else "Customer",
                f"/customers/{invoice['customer_id']}",
            ),
        ),
        blocks=blocks,
        actions=_documents(invoice_id),
    )


@router.get("/invoices/{invoice_id}/document")
async def get_document(
    visit: Visit, invoice_id: str, file_format: Annotated[str, Query(alias="format")] = "pdf"
) -> Response:
    """The invoice as people, or their programs, keep it."""
    path = f"/v1/invoices/{invoice_id}/document"
    return await visit.file("billing", path, {"format": file_format})


@router.get("/invoices/{invoice_id}/proof")
async def get_proof(visit: Visit, invoice_id: str) -> Response:
    """All that the invoice was computed from, for `gridtally verify invoice`."""
    return await visit.file("billing", f"/v1/invoices/{invoice_id}/proof", {})


def _documents(invoice_id: str) -> list[Link]:
    path = f"/invoices/{invoice_id}/document"
    kinds = (("PDF", "pdf"), ("Page", "html"), ("E-invoice (UBL)", "ubl"))
    documents = [Link(name, f"{path}?format={kind}", download=True) for name, kind in kinds]
    return [*documents, Link("Proof", f"/invoices/{invoice_id}/proof", download=True)]


def _successor(invoice: Json, siblings: Answer) -> list[Block | Panel]:
    if invoice["state"] != "void":
        return []
    live = [item for item in siblings.items if item["state"] == "issued"]
    links = [Link(f"Go to {item['number']}", f"/invoices/{item['id']}") for item in live[:1]]
    text = "Its readings changed after it was issued, so that a credit note cancelled it."
    return [Notice(text, tone="warn", title="This invoice is void.", links=links)]


def _amounts(invoice: Json, booked: Answer) -> Stats:
    currency = invoice["currency"]
    stats = [
        Stat(
            "Total",
            formats.money(invoice["total"]),
            currency,
            note=f"net {formats.money(invoice['net'])}, tax {formats.money(invoice['tax'])}",
        ),
        Stat(
            "Amount due",
            formats.money(invoice["amount_due"]),
            currency,
            note=f"brought forward {formats.money(invoice['brought_forward'])}",
        ),
    ]
    if booked.ok:
        item = booked.data
        stats += [
            Stat(
                "Paid",
                formats.money(item["allocated"]),
                currency,
                tone="good" if item["state"] == "paid" else "plain",
            ),
            Stat(
                "Open",
                formats.money(item["open"]),
                currency,
                note=f"due {formats.day(item['due_on'])}",
            ),
        ]
    return Stats(stats)


def _line_name(line: Json) -> str:
    return f"{line['component_id']} · {line['band']}" if line["band"] else str(line["component_id"])


def _adding_up(invoice: Json) -> Drawing:
    sums: dict[str, Decimal] = {}
    for line in invoice["lines"]:
        name = _line_name(line)
        sums[name] = sums.get(name, Decimal(0)) + Decimal(line["amount"])
    steps = [
        charts.Step(name, value, formats.money(value)) for name, value in sums.items() if value
    ]
    total = Decimal(invoice["total"])
    shown = formats.money(total, invoice["currency"])
    steps.append(charts.Step("total", total, shown, is_total=True))
    return Drawing(
        charts.waterfall(steps, f"From line to line to the total of {shown}", width=charts.HALF)
    )


def _facts(invoice: Json, customer: Answer, meters: dict[str, str]) -> Facts:
    return Facts(
        [
            (
                "Customer",
                Cell(
                    customer.data["name"] if customer.ok else "unknown",
                    f"/customers/{invoice['customer_id']}",
                ),
            ),
            ("Meter", _meter(invoice, meters)),
            ("Period", Cell(formats.period(invoice["start_on"], invoice["end_on"]))),
            *_evidence_facts(invoice["evidence"]),
            ("Issued", Cell(formats.instant(invoice["issued_at"]))),
            *_approval(invoice),
        ]
    )


def _meter(owner: Json, meters: dict[str, str]) -> Cell:
    """The meter of an invoice or section; of a collective one how many it has."""
    if owner.get("sections"):
        return Cell(f"{len({section['meter_id'] for section in owner['sections']})} meters")
    name = meters.get(owner["meter_id"], formats.short(owner["meter_id"]))
    return Cell(name, f"/meters/{owner['meter_id']}")


def _sections(invoice: Json, meters: dict[str, str]) -> Table:
    """The sections of a collective invoice; each leads to its own lines and evidence."""
    rows = [
        (
            Cell(str(number), f"/invoices/{section['section_id']}"),
            _meter(section, meters),
            Cell(formats.period(section["start_on"], section["end_on"])),
            Cell(formats.words(section["change"]) if section["change"] else ""),
            Cell(formats.money(section["net"])),
            Cell(formats.money(section["tax"])),
            Cell(formats.money(section["total"])),
        )
        for number, section in enumerate(invoice["sections"], start=1)
    ]
    columns = [
        Column("Section"),
        Column("Meter"),
        Column("Period"),
        Column("Changed"),
        Column("Net", is_number=True, unit=invoice["currency"]),
        Column("Tax", is_number=True, unit=invoice["currency"]),
        Column("Total", is_number=True, unit=invoice["currency"]),
    ]
    return Table("Sections", columns, rows, Empty("No section", ""))


def _approval(invoice: Json) -> list[tuple[str, Cell]]:
    if not invoice.get("approved_by"):
        return []
    text = f"{formats.instant(invoice['approved_at'])} by {invoice['approved_by']}"
    return [("Approved", Cell(text))]


def _evidence_facts(evidence: Json | None) -> list[tuple[str, Cell]]:
    """What the invoice rests on; nothing while a restored billing reads that again."""
    if evidence is None:
        return []
    present, expected = evidence["present_intervals"], evidence["expected_intervals"]
    return [
        ("Closed by", Cell(formats.words(evidence["closed_by"]))),
        ("Intervals", Cell(formats.share(present, expected))),
        ("Rests on", lists.quality(evidence["quality"]["worst"])),
        ("Time zone", Cell(evidence["zone"])),
    ]


def lines_table(invoice: Json) -> Table:
    """The lines of an invoice or of a draft, and their total."""
    rows = [
        (
            Cell(_line_name(line), note=_line_note(line, invoice)),
            Cell(formats.words(line["kind"])),
            Cell(formats.energy(line["quantity"])),
            Cell(line["unit"]),
            Cell(formats.number(line["rate"])),
            Cell(formats.number(line["amount_exact"])),
            Cell(formats.money(line["amount"])),
        )
        for line in invoice["lines"]
    ]
    columns = [
        Column("Component"),
        Column("Kind"),
        Column("Quantity", is_number=True),
        Column("Unit"),
        Column("Rate", is_number=True, unit=invoice["currency"]),
        Column("Exact", is_number=True),
        Column("Amount", is_number=True, unit=invoice["currency"]),
    ]
    blank = Cell("")
    total = (
        Cell("Total"),
        blank,
        blank,
        blank,
        blank,
        blank,
        Cell(formats.money(invoice["total"])),
    )
    return Table("Lines", columns, rows, Empty("No lines", ""), total=total)


def _line_note(line: Json, invoice: Json) -> str | None:
    notes = []
    if (line["start_on"], line["end_on"]) != (invoice["start_on"], invoice["end_on"]):
        notes.append(formats.period(line["start_on"], line["end_on"]))
    if line["flow"] not in (None, "import"):
        notes.append(line["flow"])
    if line["payee"]:
        notes.append(f"for {line['payee']}")
    return ", ".join(notes) or None


def _recalculated(check: Answer) -> Notice:
    if not check.ok:
        return Notice("")
    agrees = check.data["agrees"]
    text = (
        f"The bill made again from its evidence comes to {formats.money(check.data['total'])}: "
        + ("the same to the last digit." if agrees else "not what was issued.")
    )
    return Notice(text, tone="good" if agrees else "bad")


def _history(invoice: Json, booked: Answer, moves: Answer, siblings: Answer) -> Timeline:
    events: list[tuple[str, Event]] = [
        (invoice["issued_at"], Event(formats.instant(invoice["issued_at"]), "issued", tone="info"))
    ]
    for item in siblings.items:
        if item["id"] != invoice["id"]:
            title = f"revision {item['revision']}: {item['number']}"
            event = Event(
                formats.instant(item["issued_at"]),
                title,
                f"/invoices/{item['id']}",
                formats.money(item["total"], item["currency"]),
            )
            events.append((item["issued_at"], event))
    for item in moves.items:
        href = f"/ledger/transactions/{item['id']}"
        event = Event(
            formats.instant(item["recorded_at"]), f"posted as {formats.words(item['kind'])}", href
        )
        events.append((item["recorded_at"], event))
    for item in booked.data["allocations"] if booked.ok else ():
        href = f"/ledger/transactions/{item['transaction_id']}"
        text = formats.money(item["amount"], invoice["currency"])
        event = Event(
            formats.instant(item["recorded_at"]), formats.words(item["kind"]), href, text, "good"
        )
        events.append((item["recorded_at"], event))
    return Timeline([event for _, event in sorted(events, key=lambda pair: pair[0])])


def _evidence(invoice: Json) -> Code:
    return Code(_pretty(invoice["evidence"]), "The evidence as it is stored")


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)
