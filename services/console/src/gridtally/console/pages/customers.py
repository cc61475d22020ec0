"""Customers: the list, and one with what it owes, its bills, agreements, account and meters."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.instalments import budget_panels, plan_panels
from gridtally.console.pages.mandates import mandate_panels
from gridtally.console.pages.prepayments import prepayment_panels
from gridtally.console.pages.visit import ROWS, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Event,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    Timeline,
    pager,
)

router = APIRouter()
TABS = (
    ("Summary", ""),
    ("Cost", "/cost"),
    ("Invoices", "/invoices"),
    ("Agreements", "/agreements"),
    ("Account", "/account"),
    ("Meters", "/meters"),
    ("Portal link", "/portal-link"),
    ("Merge", "/merge"),
)
AGREEMENTS_MAX = 100
NO_INVOICES = Empty(
    "No invoice yet",
    "One is issued when a period of an agreement closes: once its readings are complete, or its "
    "time of grace is over.",
)


@router.get("/customers")
async def list_customers(visit: Visit, cursor: str = "") -> Response:
    """Customers by name, with what each owes."""
    found = await visit.get("billing", "/v1/customers", limit=ROWS, cursor=cursor)
    balances = await asyncio.gather(
        *(visit.get("ledger", f"/v1/customers/{item['id']}/balance") for item in found.items)
    )
    rows = [
        (
            Cell(item["name"], f"/customers/{item['id']}", note=item["email"]),
            Cell(item["currency"]),
            Cell(_owed(balance, "balance")),
            Cell(_owed(balance, "arrears")),
            Cell(formats.short(item["id"])),
        )
        for item, balance in zip(found.items, balances, strict=True)
    ]
    columns = [
        Column("Customer"),
        Column("Currency"),
        Column("Balance", is_number=True),
        Column("Overdue", is_number=True),
        Column("Id"),
    ]
    empty = Empty(
        "No customers yet",
        "Whoever is billed is a customer. Make the first with POST /v1/customers of billing, or a "
        "thousand at once with POST /v1/customers/batch.",
        (Link("How to call the APIs", "/developers"),),
    )
    page = pager("/customers", found.data["next_cursor"] if found.ok else None, cursor=cursor)
    table = Table("Customers", columns, rows, empty, page)
    return visit.page(
        PageView(
            area="customers",
            title="Customers",
            subtitle="Who is billed, and what each owes",
            blocks=[Panel("", [table], failure=found.failure)],
        )
    )


@router.get("/customers/{customer_id}")
async def show_customer(visit: Visit, customer_id: str) -> Response:
    """What matters about a customer, and what happened lately."""
    customer = await visit.the("billing", f"/v1/customers/{customer_id}")
    balance, items, invoices, moves, agreements = await asyncio.gather(
        visit.get("ledger", f"/v1/customers/{customer_id}/balance"),
        visit.get("ledger", "/v1/invoices", customer_id=customer_id, limit=ROWS),
        visit.get("billing", "/v1/invoices", customer_id=customer_id, limit=10),
        visit.get("ledger", "/v1/transactions", customer_id=customer_id, limit=20),
        visit.get("billing", "/v1/agreements", customer_id=customer_id, limit=AGREEMENTS_MAX),
    )
    blocks: list[Block | Panel] = [
        Panel("What is owed", [_stats(balance, items)], failure=balance.failure),
        Panel(
            "Latest invoices",
            [lists.invoices(invoices.items, NO_INVOICES)],
            failure=invoices.failure,
            width=8,
            links=(Link("All", f"/customers/{customer_id}/invoices"),),
        ),
        Panel("What happened", [_history(moves, agreements)], failure=moves.failure, width=4),
    ]
    return visit.page(page_of(customer, "", blocks))


def page_of(
    customer: Json, tab: str, blocks: Sequence[Block | Panel], actions: Sequence[Link] = ()
) -> PageView:
    """A tab of a customer; of one who was merged each says so."""
    survivor_id = customer.get("merged_into")
    if survivor_id:
        goes_on = Link("The customer who goes on", f"/customers/{survivor_id}")
        text = "What was issued to it stands here; all else is the other one's."
        blocks = [Notice(text, "warn", "This customer was there twice.", (goes_on,)), *blocks]
    path = f"/customers/{customer['id']}"
    return PageView(
        area="customers",
        title=customer["name"],
        subtitle=f"Billed in {customer['currency']} · {customer['email'] or 'no e-mail'} · "
        f"{customer['id']}",
        crumbs=(Link("Customers", "/customers"),),
        tabs=[Link(label, path + end, is_current=end == tab) for label, end in TABS],
        blocks=blocks,
        actions=actions,
    )


@router.get("/customers/{customer_id}/invoices")
async def list_invoices(visit: Visit, customer_id: str, cursor: str = "") -> Response:
    """Every invoice of a customer."""
    customer, found = await asyncio.gather(
        visit.the("billing", f"/v1/customers/{customer_id}"),
        visit.get("billing", "/v1/invoices", customer_id=customer_id, limit=ROWS, cursor=cursor),
    )
    path = f"/customers/{customer_id}/invoices"
    page = pager(path, found.data["next_cursor"] if found.ok else None, cursor=cursor)
    table = lists.invoices(found.items, NO_INVOICES, page=page)
    return visit.page(page_of(customer, "/invoices", [Panel("", [table], failure=found.failure)]))


@router.get("/customers/{customer_id}/agreements")
async def list_agreements(visit: Visit, customer_id: str) -> Response:
    """Which meters are billed to a customer by which tariffs, and when."""
    customer, found = await asyncio.gather(
        visit.the("billing", f"/v1/customers/{customer_id}"), agreements_of(visit, customer_id)
    )
    tariffs, meters = await asyncio.gather(
        visit.names("tariff", "/v1/tariffs", [item["tariff_id"] for item in found.items]),
        visit.names("ledger", "/v1/meters", [item["meter_id"] for item in found.items]),
    )
    empty = Empty(
        "No agreement",
        "An agreement says which meter is billed by which tariff from which day. Make one with "
        "POST /v1/agreements of billing.",
    )
    table = lists.agreements(found.items, empty, tariffs=tariffs, meters=meters)
    return visit.page(page_of(customer, "/agreements", [Panel("", [table], failure=found.failure)]))


@router.get("/customers/{customer_id}/account")
async def show_account(visit: Visit, customer_id: str) -> Response:
    """What is open, and every movement with the balance after it."""
    customer = await visit.the("billing", f"/v1/customers/{customer_id}")
    (
        (balance, items, ageing, statement),
        (plans, budgets, mandate, prepayment),
    ) = await asyncio.gather(
        asyncio.gather(
            visit.get("ledger", f"/v1/customers/{customer_id}/balance"),
            visit.get("ledger", "/v1/invoices", customer_id=customer_id, limit=200),
            visit.get("ledger", "/v1/ageing", customer_id=customer_id),
            visit.get(
                "ledger",
                f"/v1/customers/{customer_id}/statement",
                from_="2000-01-01T00:00:00Z",
                to=visit.now.isoformat().replace("+00:00", "Z"),
                currency=customer["currency"],
            ),
        ),
        asyncio.gather(
            visit.get("ledger", "/v1/payment-plans", customer_id=customer_id, limit=ROWS),
            visit.get("ledger", "/v1/budget-plans", customer_id=customer_id, limit=ROWS),
            visit.get("ledger", f"/v1/customers/{customer_id}/mandate"),
            visit.get("billing", f"/v1/customers/{customer_id}/prepayment"),
        ),
    )
    nothing = Empty("Nothing is open", "Invoices and charges appear here once they are posted.")
    blocks: list[Block | Panel] = [
        Panel("Balance", [_stats(balance, items)], failure=balance.failure),
        *prepayment_panels(prepayment),
        Panel(
            "Invoices and what is open of them",
            [lists.open_items(items.items, nothing)],
            failure=items.failure,
        ),
        *plan_panels(plans),
        *budget_panels(budgets),
        *mandate_panels(mandate),
        Panel("How late", [ageing_table(ageing)], failure=ageing.failure),
        Panel("Statement", [_statement(statement)], failure=statement.failure),
    ]
    return visit.page(page_of(customer, "/account", blocks))


@router.get("/customers/{customer_id}/meters")
async def list_meters(visit: Visit, customer_id: str) -> Response:
    """The meters that the customer's agreements bill."""
    customer, found = await asyncio.gather(
        visit.the("billing", f"/v1/customers/{customer_id}"), agreements_of(visit, customer_id)
    )
    ids = list(dict.fromkeys(item["meter_id"] for item in found.items))
    answers = await asyncio.gather(
        *(visit.get("ledger", f"/v1/meters/{meter_id}") for meter_id in ids)
    )
    known = [answer.data for answer in answers if answer.ok]
    failure = found.failure or next((a.failure for a in answers if a.failure), None)
    properties = await visit.names(
        "ledger", "/v1/properties", [meter["property_id"] for meter in known]
    )
    empty = Empty("No meters", "A customer's meters are those of its agreements.")
    table = lists.meters(known, empty, properties=properties)
    return visit.page(
        page_of(customer, "/meters", [Panel("", [table], failure=None if known else failure)])
    )


async def agreements_of(visit: SignedIn, customer_id: str) -> Answer:
    """A customer's agreements."""
    return await visit.get(
        "billing", "/v1/agreements", customer_id=customer_id, limit=AGREEMENTS_MAX
    )


def ageing_table(ageing: Answer) -> Table:
    """Open amounts by how late they are, one row a currency."""
    names = {
        "not_due": "Not due",
        "days_0_30": "To 30 days",
        "days_31_60": "31 to 60",
        "days_61_90": "61 to 90",
        "days_over_90": "Over 90",
        "total": "Open",
    }
    rows = [
        (Cell(item["currency"]), *(Cell(formats.money(item[name])) for name in names))
        for item in (ageing.data["currencies"] if ageing.ok else ())
    ]
    columns = [Column("Currency"), *(Column(label, is_number=True) for label in names.values())]
    empty = Empty("Nothing is open", "Open invoices are counted here by their due date.")
    return Table("Open amounts by how late they are", columns, rows, empty)


def _owed(answer: Answer, name: str) -> str:
    if not answer.ok:
        return formats.NONE
    parts = [formats.money(item[name], item["currency"]) for item in answer.data["currencies"]]
    return ", ".join(parts) or formats.NONE


def _stats(balance: Answer, items: Answer) -> Stats | Empty:
    if not balance.ok:
        return Empty("", "")
    stats = []
    for item in balance.data["currencies"]:
        code = item["currency"]
        open_count = sum(
            i["state"] in {"open", "part_paid"} and i["currency"] == code for i in items.items
        )
        is_late = not formats.is_zero(item["arrears"])
        stats += [
            Stat(
                "Balance",
                formats.money(item["balance"]),
                code,
                note=f"{formats.count(open_count, 'open invoice')}" if items.ok else "",
            ),
            Stat(
                "Overdue", formats.money(item["arrears"]), code, tone="bad" if is_late else "plain"
            ),
            Stat("Paid in advance", formats.money(item["prepaid"]), code),
            Stat("Owed for export", formats.money(item["export_payable"]), code),
        ]
    if not stats:
        return Empty("Nothing was posted yet", "The first invoice opens the customer's account.")
    return Stats(stats)


def _history(moves: Answer, agreements: Answer) -> Timeline | Empty:
    events = [
        (
            item["occurred_at"],
            Event(
                formats.instant(item["occurred_at"]),
                f"{formats.words(item['kind'])} {item['reference']}".strip(),
                f"/ledger/transactions/{item['id']}",
                formats.money(item["total"], item["currency"]),
                "good" if item["kind"] == "payment" else "info",
            ),
        )
        for item in moves.items
    ] + [
        (
            f"{item['start_on']}T00:00:00Z",
            Event(
                formats.instant(f"{item['start_on']}T00:00:00+00:00"),
                "agreement begins",
                f"/customers/{item['customer_id']}/agreements",
            ),
        )
        for item in agreements.items
    ]
    if not events:
        return Empty("Nothing happened yet", "Invoices, payments and agreements appear here.")
    return Timeline([event for _, event in sorted(events, key=lambda pair: pair[0], reverse=True)])


def _statement(statement: Answer) -> Table | Empty:
    if not statement.ok:
        return Empty("", "")
    data = statement.data
    rows = [
        (
            Cell(formats.instant(item["recorded_at"])),
            Cell(formats.words(item["kind"]), f"/ledger/transactions/{item['transaction_id']}"),
            Cell(item["reference"] or formats.NONE, note=item["memo"] or None),
            Cell(formats.money(item["amount"])),
            Cell(formats.money(item["balance"], data["currency"])),
        )
        for item in data["entries"]
    ]
    columns = [
        Column("When"),
        Column("What"),
        Column("Reference"),
        Column("Amount", is_number=True),
        Column("Balance after it", is_number=True),
    ]
    empty = Empty("No movement", "Invoices, payments and credits appear here as they are posted.")
    total = (
        Cell("Closing"),
        Cell(""),
        Cell(""),
        Cell(""),
        Cell(formats.money(data["closing"], data["currency"])),
    )
    return Table("Statement", columns, rows, empty, total=total if rows else ())
