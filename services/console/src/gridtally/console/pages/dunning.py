"""Dunning notices: who was asked again for what is overdue, the letter, and taking one back."""

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.ledger import view
from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
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
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    pager,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
PATH = "/ledger/dunning"
NOTICES = "/v1/dunning-notices"
REASONS = (
    ("mistake", "it should never have been"),
    ("goodwill", "the fee is let go"),
    ("disputed", "the debt is disputed"),
    ("paid_meanwhile", "it was paid before the notice came"),
)


@router.get(PATH)
async def list_notices(
    visit: Visit, customer_id: str = "", state: str = "", cursor: str = ""
) -> Response:
    """Notices, the newest first."""
    filters = {"customer_id": customer_id, "state": state}
    found = await visit.get(
        "ledger", NOTICES, limit=ROWS, cursor=cursor, sort="-issued_at", **filters
    )
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    rows = [
        (
            Cell(names.get(item["customer_id"], "Customer"), f"{PATH}/{item['id']}"),
            Cell(item["name"], note=f"level {item['level']}"),
            Cell(formats.day(item["on"])),
            Cell(formats.day(item["pay_by"])),
            Cell(formats.money(item["total"], item["currency"])),
            _state(item),
        )
        for item in found.items
    ]
    columns = [
        Column("Customer"),
        Column("Level"),
        Column("Of"),
        Column("Pay by"),
        Column("To pay", is_number=True),
        Column("State"),
    ]
    empty = Empty(
        "No dunning notice",
        "A run asks again for what is overdue, level by level, by the rules of "
        "PUT /v1/dunning-rules: POST /v1/dunning-runs.",
    )
    page = pager(PATH, found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor)
    states = (("", "any"), ("issued", "issued"), ("withdrawn", "withdrawn"))
    form = Form(
        PATH,
        [
            Field("customer_id", "Customer's id", customer_id, "search"),
            Field("state", "State", state, options=states),
        ],
        "Filter",
        method="get",
        target="notices",
        clear_href=PATH if any(filters.values()) else None,
    )
    table = Table("Dunning notices", columns, rows, empty, page)
    panel = Panel("", [table], failure=found.failure, region="notices")
    subtitle = "Who was asked again for what is overdue"
    return visit.page(view(PATH, "Dunning", [form, panel], subtitle))


@router.get(f"{PATH}/{{notice_id}}")
async def show_notice(visit: Visit, notice_id: str) -> Response:
    """A notice: what it asks for, its letter, and a form to withdraw it."""
    return visit.page(await _notice(visit, notice_id, {}, None))


@router.post(f"{PATH}/{{notice_id}}/withdraw")
async def withdraw_notice(visit: Visit, notice_id: str, fields: FormFields) -> Response:
    """Withdraw a notice and its fee; sent twice, it is withdrawn once."""
    answer = await visit.send(
        "ledger",
        "POST",
        f"{NOTICES}/{notice_id}/withdraw",
        body={"reason": fields.get("reason", "")},
        headers={"Idempotency-Key": fields.get("idempotency_key") or str(new_id())},
    )
    if answer.ok:
        return visit.go(f"{PATH}/{notice_id}")
    return visit.page(await _notice(visit, notice_id, fields, answer), 422)


@router.get(f"{PATH}/{{notice_id}}/letter")
async def get_letter(visit: Visit, notice_id: str) -> Response:
    """The letter, as PDF."""
    return await visit.file("ledger", f"{NOTICES}/{notice_id}/document", {"format": "pdf"})


async def _notice(
    visit: SignedIn, notice_id: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    item = await visit.the("ledger", f"{NOTICES}/{notice_id}")
    customer_id, currency = item["customer_id"], item["currency"]
    names = await visit.names("billing", "/v1/customers", [customer_id])
    stats = Stats(
        [
            Stat("To pay", formats.money(item["total"], currency)),
            Stat("Fee", formats.money(item["fee"], currency), note=_fee_note(item)),
            Stat("Pay by", formats.day(item["pay_by"])),
        ]
    )
    facts = Facts(
        [
            ("Customer", Cell(names.get(customer_id, "Customer"), f"/customers/{customer_id}")),
            ("Level", Cell(f"{item['level']}: {item['name']}")),
            ("Issued", Cell(formats.instant(item["issued_at"]))),
            ("Also overdue", Cell(formats.money(item["others"], currency))),
            ("Credit taken off", Cell(formats.money(item["credit"], currency))),
            ("Withdrawn", _withdrawn(item)),
        ]
    )
    blocks: list[Block | Panel] = [stats]
    if refused is not None and refused.failure is not None:
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not withdrawn."))
    blocks.append(Panel("What it asks for", [_asked_for(item)], width=8))
    if item["state"] == "issued":
        blocks.append(Panel("Withdraw", [_withdrawal(notice_id, fields)], width=4))
        blocks.append(Panel("", [facts], width=8))
    else:
        blocks.append(Panel("", [facts], width=4))
    return PageView(
        area="ledger",
        title=f"{item['name']}, {formats.day(item['on'])}",
        badge=_state(item),
        crumbs=(Link("Ledger", "/ledger"), Link("Dunning", PATH)),
        actions=[
            Link("Letter as PDF", f"{PATH}/{notice_id}/letter", is_primary=True, download=True)
        ],
        blocks=blocks,
    )


def _state(item: Json) -> Cell:
    return Cell(item["state"], tone="warn" if item["state"] == "issued" else "plain")


def _fee_note(item: Json) -> str:
    return f"{formats.money(item['fee_open'], item['currency'])} of it open"


def _withdrawn(item: Json) -> Cell:
    if item["withdrawn_at"] is None:
        return Cell(formats.NONE)
    reason = dict(REASONS).get(item["withdraw_reason"], item["withdraw_reason"])
    return Cell(formats.instant(item["withdrawn_at"]), note=reason)


def _asked_for(item: Json) -> Table:
    rows = [
        (
            lists.open_item(invoice, invoice["invoice_id"])
            if invoice["number"]
            else Cell("A fee of before"),
            Cell(str(invoice["level"])),
            Cell(formats.day(invoice["due_on"])),
            Cell(formats.money(invoice["open"], item["currency"])),
        )
        for invoice in item["items"]
    ]
    columns = [
        Column("Invoice"),
        Column("Level", is_number=True),
        Column("Due"),
        Column("Open", is_number=True),
    ]
    return Table("What it asks for", columns, rows, Empty("Nothing", "It asks for its fee alone."))


def _withdrawal(notice_id: str, fields: dict[str, str]) -> Form:
    return Form(
        f"{PATH}/{notice_id}/withdraw",
        [Field("reason", "Why", fields.get("reason", REASONS[0][0]), options=REASONS)],
        "Withdraw, with its fee",
        hidden={"idempotency_key": fields.get("idempotency_key") or str(new_id())},
        is_danger=True,
    )
