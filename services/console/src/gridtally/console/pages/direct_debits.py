"""Direct debits: batches for the bank, and what came in or back of each debit."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.ledger import view
from gridtally.console.pages.visit import ROWS, Visit
from gridtally.console.upstream import Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Cell,
    Column,
    Empty,
    Link,
    Pager,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    Tone,
    pager,
)

router = APIRouter()
PATH = "/ledger/direct-debits"
BATCHES = "/v1/direct-debits"
TONES: dict[str, Tone] = {
    "open": "info",
    "collected": "good",
    "returned": "bad",
    "cancelled": "plain",
}


@router.get(PATH)
async def list_batches(visit: Visit, cursor: str = "") -> Response:
    """Batches, the newest first."""
    found = await visit.get("ledger", BATCHES, limit=ROWS, cursor=cursor, sort="-created_at")
    rows = [
        (
            Cell(formats.day(item["collection_on"]), f"{PATH}/{item['id']}"),
            Cell(formats.day(item["due_through"])),
            Cell(str(item["count"])),
            Cell(str(item["collected"])),
            Cell(formats.money(item["total"], item["currency"])),
            _state(item),
        )
        for item in found.items
    ]
    columns = [
        Column("Collected on"),
        Column("Due through"),
        Column("Debits", is_number=True),
        Column("Came in", is_number=True),
        Column("Total", is_number=True),
        Column("State"),
    ]
    empty = Empty(
        "No direct debit yet",
        "A batch collects what is due of customers with a mandate, as a file for the bank: "
        "POST /v1/direct-debits. Mandates stand on a customer's tab Account.",
    )
    page = pager(PATH, found.data["next_cursor"] if found.ok else None, cursor=cursor)
    table = Table("Batches of direct debits", columns, rows, empty, page)
    panel = Panel("", [table], failure=found.failure)
    subtitle = "What the bank collects of customers with a mandate"
    return visit.page(view(PATH, "Direct debits", [panel], subtitle))


@router.get(f"{PATH}/{{batch_id}}")
async def show_batch(visit: Visit, batch_id: str, cursor: str = "") -> Response:
    """A batch: its file, and what became of each debit, so many on a page; the ledger answers with
    all of them, in an order that stays."""
    found = await visit.the("ledger", f"{BATCHES}/{batch_id}")
    first = _first(cursor, len(found["debits"]))
    shown = found["debits"][first : first + ROWS]
    names = await visit.names("billing", "/v1/customers", [item["customer_id"] for item in shown])
    after = first + ROWS
    rest = str(after) if after < len(found["debits"]) else None
    page_links = pager(f"{PATH}/{batch_id}", rest, cursor=first or None)
    returned = sum(item["state"] == "returned" for item in found["debits"])
    stats = Stats(
        [
            Stat("Total", formats.money(found["total"], found["currency"])),
            Stat("Debits", str(found["count"])),
            Stat("Came in", str(found["collected"]), note="those that went back too"),
            Stat("Went back", str(returned), tone="bad" if returned else "plain"),
        ]
    )
    actions = []
    if found["state"] == "open":
        file = f"{PATH}/{batch_id}/file"
        actions.append(Link("File for the bank", file, is_primary=True, download=True))
    page = PageView(
        area="ledger",
        title=f"Direct debits of {formats.day(found['collection_on'])}",
        badge=_state(found),
        crumbs=(Link("Ledger", "/ledger"), Link("Direct debits", PATH)),
        actions=actions,
        blocks=[stats, Panel("Debits", [_debits(found, shown, names, page_links)])],
    )
    return visit.page(page)


@router.get(f"{PATH}/{{batch_id}}/file")
async def get_file(visit: Visit, batch_id: str) -> Response:
    """The file for the bank, pain.008."""
    return await visit.file("ledger", f"{BATCHES}/{batch_id}/file", {})


def _state(item: Json) -> Cell:
    return Cell(item["state"], tone=TONES[item["state"]])


def _first(cursor: str, count: int) -> int:
    """Which debit a page begins with; the first one for what is no such number."""
    first = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 6 else 0
    return first if first < count else 0


def _debits(
    found: Json, shown: Sequence[Json], names: dict[str, str], page_links: Pager | None
) -> Table:
    rows = [
        (
            lists.open_item(item, item["invoice_id"]),
            Cell(names.get(item["customer_id"], "Customer"), f"/customers/{item['customer_id']}"),
            Cell(item["mandate_id"], note=formats.words(item["sequence"])),
            Cell(item["masked_iban"] or formats.NONE),
            Cell(formats.money(item["amount"], found["currency"])),
            Cell(item["state"], tone=TONES[item["state"]], note=item["return_reason"]),
        )
        for item in shown
    ]
    columns = [
        Column("Invoice"),
        Column("Customer"),
        Column("Mandate"),
        Column("Account"),
        Column("Amount", is_number=True),
        Column("State"),
    ]
    return Table("Debits", columns, rows, Empty("No debit", "The batch is empty."), page_links)
