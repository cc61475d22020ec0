"""The search box: what a number, a name or an id may stand for, asked of every service at once."""

import asyncio
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import SignedIn, Visit
from gridtally.console.upstream import Answer
from gridtally.console.views import formats
from gridtally.console.views.blocks import Cell, Column, Empty, PageView, Panel, Table

router = APIRouter()
SHOWN = 10
CUSTOMER_PAGES_MAX = 4
BY_ID = (
    ("Customer", "billing", "/v1/customers/{}", "/customers/{}", "name"),
    ("Invoice", "billing", "/v1/invoices/{}", "/invoices/{}", "number"),
    ("Meter", "ledger", "/v1/meters/{}", "/meters/{}", "name"),
    ("Property", "ledger", "/v1/properties/{}", "/properties/{}", "name"),
    ("Tariff", "tariff", "/v1/tariffs/{}", "/tariffs/{}", "name"),
    ("Transaction", "ledger", "/v1/transactions/{}", "/ledger/transactions/{}", "reference"),
)


@router.get("/search")
async def search(visit: Visit, q: str = "") -> Response:
    """Everything that the text may mean."""
    text = q.strip()
    answers = await _found(visit, text) if text else []
    rows = [row for _, matches in answers for row in matches]
    away = [answer.failure for answer, _ in answers if answer.failure and not answer.failure.status]
    columns = [Column("What"), Column("Name"), Column("Id")]
    empty = (
        Empty("Nothing found", "Try a number such as INV-2026-000027, a name, or a whole id.")
        if text
        else Empty("Type what you look for", "An invoice's number, a name, a reference, or any id.")
    )
    services = list(dict.fromkeys(failure.service for failure in away))
    subtitle = f"{formats.count(len(rows), 'result')} for “{text}”" if text else ""
    if services:
        subtitle += f"; {', '.join(services)} did not answer"
    panel = Panel("", [Table("Results", columns, rows, empty)])
    return visit.page(PageView("", "Search", [panel], subtitle=subtitle))


Row = tuple[Cell, Cell, Cell]


async def _found(visit: SignedIn, text: str) -> list[tuple[Answer, list[Row]]]:
    try:
        return await _by_id(visit, str(UUID(text)))
    except ValueError:
        return await _by_text(visit, text)


async def _by_id(visit: SignedIn, text: str) -> list[tuple[Answer, list[Row]]]:
    answers = await asyncio.gather(
        *(visit.get(service, path.format(text)) for _, service, path, _, _ in BY_ID),
        visit.get("ledger", "/v1/transactions", correlation_id=text, limit=SHOWN),
    )
    found: list[tuple[Answer, list[Row]]] = []
    for (what, _, _, href, name), answer in zip(BY_ID, answers[:-1], strict=True):
        rows = (
            [(Cell(what), Cell(answer.data[name] or what, href.format(text)), Cell(text))]
            if answer.ok
            else []
        )
        found.append((answer, rows))
    return [*found, (answers[-1], _transactions(answers[-1]))]


async def _by_text(visit: SignedIn, text: str) -> list[tuple[Answer, list[Row]]]:
    invoices, properties, meters, tariffs, moves, customers = await asyncio.gather(
        visit.get("billing", "/v1/invoices", number=text, limit=SHOWN),
        visit.get("ledger", "/v1/properties", name=text, limit=SHOWN),
        visit.get("ledger", "/v1/meters", name=text, limit=SHOWN),
        visit.get("tariff", "/v1/tariffs", text=text, limit=SHOWN),
        visit.get("ledger", "/v1/transactions", reference=text, limit=SHOWN),
        visit.everything("billing", "/v1/customers", CUSTOMER_PAGES_MAX, limit=500),
    )
    named = [item for item in customers.items if text.casefold() in item["name"].casefold()]
    groups = [
        ("Invoice", invoices, invoices.items, "/invoices/{}", "number"),
        ("Customer", customers, named[:SHOWN], "/customers/{}", "name"),
        ("Property", properties, properties.items, "/properties/{}", "name"),
        ("Meter", meters, meters.items, "/meters/{}", "name"),
        ("Tariff", tariffs, tariffs.items, "/tariffs/{}", "name"),
    ]
    found = [
        (
            answer,
            [
                (Cell(what), Cell(item[name], href.format(item["id"])), Cell(item["id"]))
                for item in items
            ],
        )
        for what, answer, items, href, name in groups
    ]
    return [*found, (moves, _transactions(moves))]


def _transactions(answer: Answer) -> list[Row]:
    return [
        (
            Cell(formats.words(item["kind"])),
            Cell(item["reference"] or "transaction", f"/ledger/transactions/{item['id']}"),
            Cell(item["id"]),
        )
        for item in answer.items
    ]
