"""What the next invoices of a customer will probably be, agreement by agreement."""

import asyncio
from collections.abc import Sequence

from gridtally.console.pages.customers import agreements_of
from gridtally.console.pages.visit import SignedIn
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import Block, Cell, Column, Empty, Notice, Panel, Table

AGREEMENTS_MAX = 12
"""Agreements whose next invoice is previewed: each is a bill that is made for the page."""
PREVIEW = "A preview, and no invoice: it has no number, is not owed, and changes with each reading."
NOTHING = Empty(
    "No invoice is coming", "None of the customer's agreements is in force with readings of late."
)
QUIET = {"agreement_ended", "agreement_not_begun", "no_usage_yet"}
"""Why an agreement has no next invoice that anybody would look for."""


async def next_invoices(visit: SignedIn, customer_id: str) -> Panel:
    """The open period of each agreement: so far, what is expected of it, and between what."""
    found = await agreements_of(visit, customer_id)
    if found.failure is not None:
        return Panel("Next invoices", failure=found.failure)
    today = visit.now.date().isoformat()
    current = [item for item in found.items if not item["end_on"] or item["end_on"] >= today]
    shown = current[:AGREEMENTS_MAX]
    previews, meters = await asyncio.gather(
        asyncio.gather(
            *(visit.get("billing", f"/v1/agreements/{item['id']}/preview") for item in shown)
        ),
        visit.names("ledger", "/v1/meters", [item["meter_id"] for item in shown]),
    )
    blocks: list[Block] = [Notice(PREVIEW)]
    if len(current) > len(shown):
        more = formats.count(len(current) - len(shown), "agreement")
        blocks.append(Notice(f"{more} more are not previewed here."))
    blocks.append(_table(shown, previews, meters))
    return Panel("Next invoices", blocks)


def _table(agreements: Sequence[Json], previews: Sequence[Answer], meters: dict[str, str]) -> Table:
    rows = []
    for agreement, preview in zip(agreements, previews, strict=True):
        if preview.failure is not None and preview.failure.code in QUIET:
            continue
        meter_id = agreement["meter_id"]
        name = meters.get(meter_id, formats.short(meter_id))
        rows.append((Cell(name, f"/meters/{meter_id}"), *_cells(preview)))
    columns = [
        Column("Meter"),
        Column("Period"),
        Column("Readings until"),
        Column("So far", is_number=True),
        Column("Expected", is_number=True),
        Column("Between", is_number=True),
    ]
    return Table("Next invoices", columns, rows, NOTHING)


def _cells(preview: Answer) -> tuple[Cell, ...]:
    if preview.failure is not None:
        none = [Cell(formats.NONE) for _ in range(3)]
        return Cell(formats.NONE, note=preview.failure.detail), Cell(formats.NONE), *none
    data = preview.data
    forecast, currency = data["forecast"], data["currency"]
    low, high = (formats.money(forecast["spread"][name]) for name in ("low", "high"))
    until = formats.instant(data["used_until"]) if data["used_until"] else formats.NONE
    return (
        Cell(formats.period(data["start_on"], data["end_on"])),
        Cell(until),
        Cell(formats.money(data["so_far"]["total"], currency)),
        Cell(formats.money(forecast["total"], currency)),
        Cell(f"{low} – {high}"),
    )
