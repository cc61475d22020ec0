"""Payees: who is owed what of what invoices ask for, and a form to record what was paid to them."""

from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.ledger import view
from gridtally.console.pages.visit import ROWS, FormFields, From, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    pager,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
PATH = "/ledger/payees"
UNNAMED = "Taxes that name nobody"
EMPTY = Empty(
    "Nobody is owed anything yet",
    "What lines of invoices name a payee for, and taxes, are owed from the day of the invoice.",
)


@router.get(PATH)
async def list_payees(
    visit: Visit, from_: From = "", to: str = "", payee: str = "", cursor: str = ""
) -> Response:
    """Every payee: what a period made of what they are owed."""
    filters = {"from": from_, "to": to, "payee": payee}
    asked = {"from": _midnight(from_), "to": _midnight(to), "payee": payee}
    found = await visit.get("ledger", "/v1/payees", limit=ROWS, cursor=cursor, **asked)
    rows = [
        (
            Cell(item["payee"] or UNNAMED, f"{PATH}/{item['id']}"),
            Cell(formats.money(item["opening"])),
            Cell(formats.money(item["owed"])),
            Cell(formats.money(item["settled"])),
            Cell(formats.money(item["balance"], item["currency"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Payee"),
        *(Column(label, is_number=True) for label in ("Before", "Invoiced", "Paid", "Still owed")),
    ]
    page = pager(PATH, found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor)
    form = Form(
        PATH,
        [
            Field("from", "From (UTC)", from_, "date"),
            Field("to", "To, not included", to, "date"),
            Field("payee", "Payee", payee, "search"),
        ],
        "Filter",
        method="get",
        target="payees",
        clear_href=PATH if any(filters.values()) else None,
    )
    table = Table("What payees are owed", columns, rows, EMPTY, page)
    panel = Panel("", [table], failure=found.failure, region="payees")
    subtitle = "Grid and market operators, authorities: what was invoiced for them"
    return visit.page(view(PATH, "Payees", [form, panel], subtitle))


def _midnight(day: str) -> str:
    """A day of the form, as the instant at which it begins."""
    return f"{day}T00:00:00Z" if day else ""


@router.get(f"{PATH}/{{payee_id}}")
async def show_payee(visit: Visit, payee_id: str) -> Response:
    """One payee: what made up what they are owed, and a form to record what was paid."""
    return visit.page(await _payee(visit, payee_id, {}, None))


@router.post(f"{PATH}/{{payee_id}}/settlements")
async def settle_payee(visit: Visit, payee_id: str, fields: FormFields) -> Response:
    """Record what was paid to a payee; sent twice, it is recorded once."""
    body = {name: fields[name] for name in ("amount", "reference", "memo") if fields.get(name)}
    answer = await visit.send(
        "ledger",
        "POST",
        f"/v1/payees/{payee_id}/settlements",
        body=body,
        headers={"Idempotency-Key": fields.get("idempotency_key", str(new_id()))},
    )
    if answer.ok:
        return visit.go(f"{PATH}/{payee_id}")
    return visit.page(await _payee(visit, payee_id, fields, answer), 422)


async def _payee(
    visit: SignedIn, payee_id: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    found = await visit.the("ledger", f"/v1/payees/{payee_id}/statement")
    currency = found["currency"]
    stats = Stats(
        [
            Stat("Invoiced", formats.money(found["owed"], currency)),
            Stat("Paid", formats.money(found["settled"], currency)),
            Stat("Still owed", formats.money(found["balance"], currency)),
        ]
    )
    blocks: list[Block | Panel] = [stats, Panel("What made it", [_entries(found)], width=8)]
    if Decimal(found["balance"]) > 0:
        blocks.append(Panel("Record what was paid", _form(found, fields, refused), width=4))
    return PageView(
        area="ledger",
        title=found["payee"] or UNNAMED,
        subtitle=f"Account {found['account_code']}, {currency}",
        crumbs=(Link("Ledger", "/ledger"), Link("Payees", PATH)),
        blocks=blocks,
    )


def _entries(found: Json) -> Table:
    rows = [
        (
            Cell(formats.instant(item["occurred_at"])),
            Cell(
                f"{formats.words(item['kind'])} {item['reference']}".strip(),
                f"/ledger/transactions/{item['transaction_id']}",
                note=item["memo"] or None,
            ),
            Cell(formats.money(item["amount"])),
            Cell(formats.money(item["balance"])),
        )
        for item in found["entries"]
    ]
    columns = [
        Column("Of"),
        Column("Transaction"),
        Column("Change", is_number=True),
        Column("Owed then", is_number=True),
    ]
    return Table("Invoices, credit notes and settlements", columns, rows, EMPTY)


def _form(found: Json, fields: dict[str, str], refused: Answer | None) -> list[Block]:
    blocks: list[Block] = []
    wrong: dict[str, str] = {}
    if refused is not None and refused.failure is not None:
        wrong = refused.failure.by_field
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not recorded."))
    hint = f"At most {formats.money(found['balance'], found['currency'])}"
    labels = (("amount", "Amount", hint), ("reference", "Reference", ""), ("memo", "Note", ""))
    form = Form(
        f"{PATH}/{found['id']}/settlements",
        [
            Field(
                name,
                label,
                fields.get(name, ""),
                hint=said,
                error=wrong.get(name, ""),
                is_required=name == "amount",
            )
            for name, label, said in labels
        ],
        "Record settlement",
        hidden={"idempotency_key": fields.get("idempotency_key") or str(new_id())},
    )
    return [*blocks, form]
