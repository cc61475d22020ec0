"""Payments: what came in, what found nobody, and a form to record one."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.ledger import view
from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Notice,
    PageView,
    Panel,
    Table,
    pager,
)
from gridtally.kernel.ids import new_id

router = APIRouter()


@router.get("/ledger/payments")
async def list_payments(visit: Visit, cursor: str = "") -> Response:
    """Payments, those that found nobody, and a form to record one."""
    return visit.page(await _payments(visit, cursor, {}, None))


@router.post("/ledger/payments")
async def record_payment(visit: Visit, fields: FormFields) -> Response:
    """Record money that has come in; sent twice, it is recorded once."""
    needed = ("customer_id", "currency", "amount")
    body = {name: fields[name] for name in (*needed, "reference", "method") if fields.get(name)}
    answer = await visit.send(
        "ledger",
        "POST",
        "/v1/payments",
        body=body,
        headers={"Idempotency-Key": fields.get("idempotency_key", str(new_id()))},
    )
    if answer.ok:
        return visit.go(f"/ledger/transactions/{answer.data['id']}")
    return visit.page(await _payments(visit, "", fields, answer), 422)


async def _payments(
    visit: SignedIn, cursor: str, fields: dict[str, str], refused: Answer | None
) -> PageView:
    found, unmatched = await asyncio.gather(
        visit.get("ledger", "/v1/transactions", kind="payment", limit=ROWS, cursor=cursor),
        visit.get("ledger", "/v1/unmatched-payments", limit=ROWS),
    )
    names = await visit.names(
        "billing", "/v1/customers", [item["customer_id"] for item in found.items]
    )
    empty = Empty(
        "No payment yet",
        "Payments come from your bank's import as `payment.received`, or are recorded here.",
    )
    page = pager("/ledger/payments", found.data["next_cursor"] if found.ok else None, cursor=cursor)
    wrong: dict[str, str] = {}
    blocks: list[Block | Panel] = []
    if refused is not None and refused.failure is not None:
        wrong = refused.failure.by_field
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not recorded."))
    labels = {
        "customer_id": "Customer's id",
        "currency": "Currency",
        "amount": "Amount",
        "reference": "Reference",
        "method": "How it came",
    }
    required = {"customer_id", "currency", "amount"}
    form = Form(
        "/ledger/payments",
        [
            Field(
                name,
                label,
                fields.get(name, ""),
                error=wrong.get(name, ""),
                is_required=name in required,
            )
            for name, label in labels.items()
        ],
        "Record payment",
        hidden={"idempotency_key": fields.get("idempotency_key") or str(new_id())},
    )
    blocks += [
        Panel(
            "Payments",
            [lists.transactions(found.items, empty, names=names, page=page)],
            failure=found.failure,
            width=8,
        ),
        Panel("Record a payment", [form], width=4),
        Panel("Unmatched", [_unmatched(unmatched)], failure=unmatched.failure),
    ]
    return view("/ledger/payments", "Payments", blocks)


def _unmatched(unmatched: Answer) -> Table:
    rows = [
        (
            Cell(item["reference"] or formats.NONE),
            Cell(formats.instant(item["received_at"])),
            Cell(item["method"] or formats.NONE),
            Cell(formats.money(item["amount"], item["currency"])),
        )
        for item in unmatched.items
    ]
    columns = [
        Column("Reference"),
        Column("Received"),
        Column("How"),
        Column("Amount", is_number=True),
    ]
    empty = Empty(
        "Every payment has found its customer",
        "Money for a customer or a currency that nobody has waits here to be assigned.",
    )
    return Table("Unmatched payments", columns, rows, empty)
