"""A customer's own data as files: costs, statement, bills; and what is stored about him."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridtally.console.pages.portal import spans
from gridtally.console.pages.portal.account import rfc3339
from gridtally.console.pages.portal.visit import Customer
from gridtally.console.upstream import Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Facts,
    PageView,
    Panel,
    Table,
    address,
)
from gridtally.console.views.formats import NONE
from gridtally.console.views.words import PortalWording

router = APIRouter()
PATH = "/portal/data"
FILE_FORMATS = {"csv", "xlsx"}
STATEMENT_FORMATS = {"csv", "pdf"}
GROUPS = {"day", "device"}


@router.get(PATH)
async def show_data(visit: Customer) -> Response:
    """What can be downloaded, and the customer's record."""
    customer = await visit.customer()
    words, say = visit.words, visit.words.say
    years = [visit.now.year - number for number in range(spans.YEARS)]
    rows = [
        (
            Cell(str(year)),
            _file("costs", year, f"CSV {year}"),
            _file("costs", year, f"CSV {year}", by="device"),
            _file("statement", year, f"CSV {year}"),
            _file("statement", year, f"PDF {year}", format="pdf"),
            _file("bills", year, f"ZIP {year}"),
        )
        for year in years
    ]
    columns = [
        Column(say("Year")),
        Column(say("Usage by day")),
        Column(say("Usage by meter")),
        Column(say("Statement")),
        Column(say("Statement as PDF")),
        Column(say("Bills as PDF")),
    ]
    table = Table(say("Downloads"), columns, rows, Empty("", ""))
    text = say("The files are yours: open them in a spreadsheet, or keep them.")
    blocks: list[Block | Panel] = [
        Panel(say("Downloads"), [table], text=text),
        Panel(
            say("What is stored about you"),
            [_record(words, customer)],
            text=say("Is something wrong? Please tell your supplier."),
        ),
    ]
    return await visit.show(PageView("data", say("My data"), blocks))


@router.get(PATH + "/costs")
async def get_costs(
    visit: Customer,
    year: int = 0,
    by: str = "day",
    file_format: Annotated[str, Query(alias="format")] = "csv",
) -> Response:
    """Usage and cost of a year, by day or by meter."""
    span = spans.chosen("month", str(year), visit.now.date())
    kind = file_format if file_format in FILE_FORMATS else "csv"
    group = by if by in GROUPS else "day"
    path = f"/v1/fleet/customers/{visit.customer_id}/cost/export"
    return await visit.file("billing", path, {**span.window(), "by": group, "format": kind})


@router.get(PATH + "/statement")
async def get_statement(
    visit: Customer, year: int = 0, file_format: Annotated[str, Query(alias="format")] = "csv"
) -> Response:
    """The statement of a year: a table, or a document in the language of the customer's record."""
    customer = await visit.customer()
    span = spans.chosen("month", str(year), visit.now.date())
    window = span.window()
    if span.is_unfinished:
        window["to"] = rfc3339(visit.now)
    kind = file_format if file_format in STATEMENT_FORMATS else "csv"
    return await visit.file(
        "ledger",
        f"{visit.customer_path}/statement",
        {**window, "currency": customer["currency"], "format": kind},
    )


@router.get(PATH + "/bills")
async def get_bills(visit: Customer, year: int = 0) -> Response:
    """The bills of a year, as PDF in one archive."""
    span = spans.chosen("month", str(year), visit.now.date())
    bounds = {"from_": span.first.isoformat(), "to": span.whole_end.isoformat()}
    return await visit.file(
        "billing",
        "/v1/invoice-documents",
        {"customer_id": visit.customer_id, "format": "pdf", **bounds},
    )


def _file(name: str, year: int, label: str, **query: str) -> Cell:
    return Cell(label, address(f"{PATH}/{name}", year=str(year), **query))


def _record(words: PortalWording, customer: Json) -> Facts:
    say = words.say
    facts = [
        (say("Name"), customer["name"]),
        (say("Customer number"), customer["number"]),
        (say("E-mail"), customer["email"]),
        (say("Telephone"), customer["phone_number"]),
        (say("Billing address"), _address(words, customer["billing_address"])),
        (say("Supply address"), _address(words, customer["supply_address"])),
        (say("Currency"), customer["currency"]),
        (say("Customer since"), words.day(date.fromisoformat(customer["created_at"][:10]))),
    ]
    return Facts([(term, Cell(value or NONE)) for term, value in facts])


def _address(words: PortalWording, stored: Json | None) -> str:
    if stored is None:
        return ""
    town = f"{stored['postal_code'] or ''} {stored['city']}".strip()
    parts = [stored["street"], stored["addition"], town, stored["region"]]
    return ", ".join([part for part in parts if part] + [words.country(stored["country"])])
