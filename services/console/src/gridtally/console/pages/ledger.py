"""The ledger: trial balance, accounts, ageing, transactions, payments, the chain."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.customers import ageing_table
from gridtally.console.pages.visit import ROWS, Visit
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
    Pager,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    pager,
)

router = APIRouter()
TABS = (
    ("Trial balance", "/ledger"),
    ("Accounts", "/ledger/accounts"),
    ("Ageing", "/ledger/ageing"),
    ("Transactions", "/ledger/transactions"),
    ("Payments", "/ledger/payments"),
    ("Payees", "/ledger/payees"),
    ("Dunning", "/ledger/dunning"),
    ("Direct debits", "/ledger/direct-debits"),
)
CLASSES = (
    "receivable",
    "prepaid",
    "export_payable",
    "deposit",
    "budget",
    "payable",
    "revenue",
    "tax",
    "cash",
    "rounding",
    "write_off",
    "suspense",
    "opening_balance",
)
KINDS = (
    "invoice",
    "credit_note",
    "payment",
    "refund",
    "settlement",
    "deposit",
    "opening_balance",
    "dunning_fee",
    "instalment",
    "deferral",
    "budget_settlement",
    "write_off",
    "adjustment",
    "allocation",
    "release",
    "reversal",
    "assignment",
    "merge",
)


def view(tab: str, title: str, blocks: list[Block | Panel], subtitle: str = "") -> PageView:
    tabs = [Link(label, path, is_current=path == tab) for label, path in TABS]
    return PageView("ledger", title, blocks, tabs=tabs, subtitle=subtitle)


@router.get("/ledger")
async def show_trial_balance(visit: Visit) -> Response:
    """Every class of account, and that debits are credits."""
    balances, books, chain = await asyncio.gather(
        visit.get("ledger", "/v1/trial-balance"),
        visit.get("ledger", "/v1/reconciliation"),
        visit.get("ledger", "/v1/ledger/status"),
    )
    blocks: list[Block | Panel] = [
        Panel(f"Trial balance, {item['currency']}", [_balanced(item), _rows(item)])
        for item in (balances.data["currencies"] if balances.ok else ())
    ]
    if not blocks:
        empty = Empty("The books are empty", "The first invoice makes the first posting.")
        blocks.append(Panel("Trial balance", [empty], failure=balances.failure))
    blocks.append(Panel("Reconciliation", [_reconciliation(books)], failure=books.failure, width=6))
    blocks.append(Panel("Chain of entries", [_chain(chain)], failure=chain.failure, width=6))
    return visit.page(view("/ledger", "Ledger", blocks, "Double entry, sealed in a chain"))


@router.get("/ledger/accounts")
async def list_accounts(
    visit: Visit, currency: str = "", account_class: str = "", cursor: str = ""
) -> Response:
    """Accounts with their balances."""
    filters = {"currency": currency, "account_class": account_class}
    found = await visit.get("ledger", "/v1/accounts", limit=ROWS, cursor=cursor, **filters)
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    rows = [
        (
            Cell(
                formats.words(item["account_class"]),
                note=item["code"] if not item["customer_id"] else None,
            ),
            lists.customer(item["customer_id"], names),
            Cell(formats.money(item["debits"])),
            Cell(formats.money(item["credits"])),
            Cell(formats.money(item["balance"], item["currency"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Account"),
        Column("Customer"),
        Column("Debits", is_number=True),
        Column("Credits", is_number=True),
        Column("Balance", is_number=True),
    ]
    empty = Empty("No account", "Accounts are opened by the first posting on them.")
    page = pager(
        "/ledger/accounts",
        found.data["next_cursor"] if found.ok else None,
        **filters,
        cursor=cursor,
    )
    classes = (("", "any"), *((code, formats.words(code)) for code in CLASSES))
    form = Form(
        "/ledger/accounts",
        [
            Field("account_class", "Class", account_class, options=classes),
            Field("currency", "Currency", currency),
        ],
        "Filter",
        method="get",
        target="accounts",
        clear_href="/ledger/accounts" if any(filters.values()) else None,
    )
    table = Table("Accounts", columns, rows, empty, page)
    panel = Panel("", [table], failure=found.failure, region="accounts")
    return visit.page(view("/ledger/accounts", "Accounts", [form, panel]))


@router.get("/ledger/ageing")
async def show_ageing(visit: Visit, currency: str = "", cursor: str = "") -> Response:
    """Who owes how much for how long."""
    ageing = await visit.get("ledger", "/v1/ageing")
    currencies = [item["currency"] for item in (ageing.data["currencies"] if ageing.ok else ())]
    chosen = currency or (currencies[0] if currencies else "")
    blocks: list[Block | Panel] = [
        Panel("All customers", [ageing_table(ageing)], failure=ageing.failure)
    ]
    if chosen:
        found = await visit.get(
            "ledger", "/v1/ageing/customers", currency=chosen, limit=ROWS, cursor=cursor
        )
        links = [
            Link(code, f"/ledger/ageing?currency={code}", is_current=code == chosen)
            for code in currencies
        ]
        names = await visit.names(
            "billing", "/v1/customers", [item["customer_id"] for item in found.items]
        )
        page = pager(
            "/ledger/ageing",
            found.data["next_cursor"] if found.ok else None,
            currency=chosen,
            cursor=cursor,
        )
        blocks.append(
            Panel("By customer", [_late(found, names, page)], failure=found.failure, links=links)
        )
    return visit.page(
        view("/ledger/ageing", "Ageing", blocks, "Open amounts by days since they were due")
    )


@router.get("/ledger/transactions")
async def list_transactions(
    visit: Visit, kind: str = "", reference: str = "", correlation_id: str = "", cursor: str = ""
) -> Response:
    """Transactions, newest first."""
    filters = {"kind": kind, "reference": reference, "correlation_id": correlation_id}
    found = await visit.get("ledger", "/v1/transactions", limit=ROWS, cursor=cursor, **filters)
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    empty = Empty("No transaction", "Invoices, payments and corrections are posted as they happen.")
    page = pager(
        "/ledger/transactions",
        found.data["next_cursor"] if found.ok else None,
        **filters,
        cursor=cursor,
    )
    kinds = (("", "any"), *((code, formats.words(code)) for code in KINDS))
    form = Form(
        "/ledger/transactions",
        [
            Field("kind", "Kind", kind, options=kinds),
            Field("reference", "Reference", reference, "search"),
            Field("correlation_id", "Correlation id", correlation_id, "search"),
        ],
        "Filter",
        method="get",
        target="transactions",
        clear_href="/ledger/transactions" if any(filters.values()) else None,
    )
    table = lists.transactions(found.items, empty, names=names, page=page)
    panel = Panel("", [table], failure=found.failure, region="transactions")
    return visit.page(view("/ledger/transactions", "Transactions", [form, panel]))


@router.get("/ledger/transactions/{transaction_id}")
async def show_transaction(visit: Visit, transaction_id: str) -> Response:
    """A transaction: its postings, what it paid, and its seal."""
    found, seal = await asyncio.gather(
        visit.the("ledger", f"/v1/transactions/{transaction_id}"),
        visit.get("ledger", f"/v1/ledger/seals/{transaction_id}"),
    )
    names = await visit.names("billing", "/v1/customers", [found["customer_id"]])
    blocks: list[Block | Panel] = [
        Panel("Postings", [_postings(found)], width=8),
        Panel("Facts", [_facts(found, names, seal)], width=4),
        Panel("What it pays", [_allocations(found)], width=8),
    ]
    return visit.page(
        PageView(
            area="ledger",
            title=f"{formats.words(found['kind']).capitalize()} {found['reference']}".strip(),
            subtitle=transaction_id,
            crumbs=(Link("Ledger", "/ledger"), Link("Transactions", "/ledger/transactions")),
            blocks=blocks,
        )
    )


def _postings(found: Json) -> Table:
    currency = found["currency"]
    postings = [
        (Cell(item["account_code"]), Cell(formats.money(item["amount"], currency)))
        for item in found["postings"]
    ]
    columns = [Column("Account"), Column("Amount", is_number=True)]
    total = (
        Cell("Sum"),
        Cell(
            formats.money(
                sum(map(formats.decimal, (i["amount"] for i in found["postings"]))), currency
            )
        ),
    )
    return Table("Postings", columns, postings, Empty("", ""), total=total)


def _allocations(found: Json) -> Table:
    currency = found["currency"]
    allocations = [
        (
            lists.open_item(item, item["invoice_id"]),
            Cell(formats.money(item["amount"], currency)),
        )
        for item in found["allocations"]
    ]
    columns = [Column("Invoice"), Column("Amount", is_number=True)]
    nothing = Empty("Nothing was paid with it", "Payments and credits name what they pay.")
    return Table("Allocations", columns, allocations, nothing)


def _facts(found: Json, names: dict[str, str], seal: Answer) -> Facts:
    facts = [
        ("Kind", Cell(formats.words(found["kind"]))),
        ("Customer", lists.customer(found["customer_id"], names)),
        ("Reference", Cell(found["reference"] or formats.NONE)),
        ("Note", Cell(found["memo"] or formats.NONE)),
        ("Of", Cell(formats.instant(found["occurred_at"]))),
        ("Recorded", Cell(formats.instant(found["recorded_at"]))),
        (
            "Reverses",
            Cell("another", f"/ledger/transactions/{found['reverses_id']}")
            if found["reverses_id"]
            else Cell(formats.NONE),
        ),
        (
            "Correlation id",
            Cell(
                found["correlation_id"],
                f"/ledger/transactions?correlation_id={found['correlation_id']}",
            ),
        ),
        (
            "Sealed as entry",
            Cell(formats.number(seal.data["seq"]) if seal.ok and "seq" in seal.data else "not yet"),
        ),
    ]
    return Facts(facts)


def _balanced(item: Json) -> Notice:
    is_zero = formats.is_zero(item["difference"])
    text = (
        f"Debits {formats.money(item['debits'])}, credits {formats.money(item['credits'])}, "
        f"difference {formats.money(item['difference'])}."
    )
    return Notice(text, tone="good" if is_zero else "bad")


def _rows(item: Json) -> Table:
    rows = [
        (
            Cell(formats.words(row["account"])),
            Cell(formats.money(row["debits"])),
            Cell(formats.money(row["credits"])),
            Cell(formats.money(row["balance"])),
        )
        for row in item["rows"]
    ]
    columns = [
        Column("Account"),
        Column("Debits", is_number=True),
        Column("Credits", is_number=True),
        Column("Balance", is_number=True),
    ]
    total = (
        Cell("Sum"),
        Cell(formats.money(item["debits"])),
        Cell(formats.money(item["credits"])),
        Cell(formats.money(item["difference"])),
    )
    return Table(f"Trial balance, {item['currency']}", columns, rows, Empty("", ""), total=total)


def _late(found: Answer, names: dict[str, str], page: Pager | None) -> Table:
    keys = ("not_due", "days_0_30", "days_31_60", "days_61_90", "days_over_90", "total")
    rows = [
        (
            lists.customer(item["customer_id"], names),
            *(Cell(formats.money(item[key])) for key in keys),
        )
        for item in found.items
    ]
    labels = ("Not due", "To 30 days", "31 to 60", "61 to 90", "Over 90", "Open")
    columns = [Column("Customer"), *(Column(label, is_number=True) for label in labels)]
    empty = Empty("Nobody owes anything", "Open invoices are counted here by their due date.")
    return Table("Open amounts by customer", columns, rows, empty, page)


def _reconciliation(books: Answer) -> Table:
    rows = [
        (
            Cell(item["currency"]),
            Cell(formats.money(item["receivable"])),
            Cell(formats.money(item["unmatched"])),
            Cell(formats.money(item["difference_max"])),
        )
        for item in (books.data["currencies"] if books.ok else ())
    ]
    columns = [
        Column("Currency"),
        Column("Receivable", is_number=True),
        Column("Unmatched", is_number=True),
        Column("Greatest difference", is_number=True),
    ]
    return Table("Reconciliation", columns, rows, Empty("Nothing to compare yet", ""))


def _chain(chain: Answer) -> Stats:
    data = chain.data if chain.ok else {}
    return Stats(
        [
            Stat("Entries sealed", formats.number(data.get("sealed"))),
            Stat("Waiting", formats.number(data.get("unsealed"))),
            Stat(
                "Chain",
                "whole" if data.get("whole") else "broken",
                tone="good" if data.get("whole") else "bad",
            ),
        ]
    )
