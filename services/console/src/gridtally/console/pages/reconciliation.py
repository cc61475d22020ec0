"""Reconciliation: sums made in independent ways, which must agree."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.operations import view
from gridtally.console.pages.visit import Visit
from gridtally.console.upstream import Answer
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Panel,
    Table,
)

router = APIRouter()


@router.get("/operations/reconciliation")
async def show_reconciliation(visit: Visit) -> Response:
    """Sums made in independent ways, which must agree."""
    intake, billing, books = await asyncio.gather(
        *(visit.get(service, "/v1/reconciliation") for service in ("ingest", "billing", "ledger"))
    )
    blocks: list[Block | Panel] = [
        Panel("Readings: counted and found", [_counts(intake)], failure=intake.failure, width=6),
        Panel("Energy: stored and closed", [_energy(intake)], failure=intake.failure, width=6),
        Panel("Numbers of documents", [_series(billing)], failure=billing.failure, width=6),
        Panel("Ledger against invoices", [_books(books)], failure=books.failure, width=6),
    ]
    return visit.page(
        view(
            "/operations/reconciliation",
            "Reconciliation",
            blocks,
            "Sums made in independent ways, which must agree",
        )
    )


def _counts(intake: Answer) -> Table:
    data = intake.data if intake.ok else {"counted": {}, "found": {}}
    rows = [
        (
            Cell(formats.words(name)),
            Cell(formats.number(counted)),
            Cell(formats.number(data["found"][name])),
            Cell("agrees", tone="good")
            if counted == data["found"][name]
            else Cell("differs", tone="bad"),
        )
        for name, counted in data["counted"].items()
    ]
    columns = [
        Column("Outcome"),
        Column("Counted", is_number=True),
        Column("Found", is_number=True),
        Column(""),
    ]
    return Table("Readings", columns, rows, Empty("Nothing came yet", ""))


def _energy(intake: Answer) -> Table:
    rows = [
        (
            Cell(lists.FLOWS[item["flow"]]),
            Cell(formats.energy(formats.kwh_of(item["stored_wh"]))),
            Cell(formats.energy(formats.kwh_of(item["closed_wh"]))),
            Cell(formats.energy(formats.kwh_of(item["open_wh"]))),
        )
        for item in (intake.data["energy"] if intake.ok else ())
    ]
    columns = [
        Column("Flow"),
        Column("Stored", is_number=True, unit="kWh"),
        Column("In closed periods", is_number=True, unit="kWh"),
        Column("Open", is_number=True, unit="kWh"),
    ]
    return Table("Energy", columns, rows, Empty("No energy yet", ""))


def _series(billing: Answer) -> Table:
    rows = [
        (
            Cell(item["series"]),
            Cell(formats.number(item["issued"])),
            Cell(formats.number(item["documents"])),
            Cell("no gap", tone="good")
            if item["issued"] == item["documents"] == item["in_order"]
            else Cell("a gap", tone="bad"),
        )
        for item in (billing.data["series"] if billing.ok else ())
    ]
    columns = [
        Column("Series"),
        Column("Issued", is_number=True),
        Column("Documents", is_number=True),
        Column(""),
    ]
    return Table("Numbers", columns, rows, Empty("No documents yet", ""))


def _books(books: Answer) -> Table:
    rows = [
        (
            Cell(item["currency"]),
            Cell(formats.money(item["invoices_total"])),
            Cell(formats.money(item["opened"])),
            Cell(formats.money(item["difference_max"])),
        )
        for item in (books.data["currencies"] if books.ok else ())
    ]
    columns = [
        Column("Currency"),
        Column("Invoices", is_number=True),
        Column("Posted", is_number=True),
        Column("Greatest difference", is_number=True),
    ]
    return Table("Ledger", columns, rows, Empty("Nothing is posted yet", ""))
