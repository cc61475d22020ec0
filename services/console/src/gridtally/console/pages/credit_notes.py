"""Credit notes of an invoice: those that there are, and a form to credit a part."""

from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Notice,
    Panel,
    Table,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
ALL = ""
"""The choice of no line: an amount of the whole invoice."""
REPEATED = (("true", "credit the new invoice too"), ("false", "credit this invoice only"))


@router.get("/credit-notes/{credit_note_id}/document")
async def get_document(visit: Visit, credit_note_id: str) -> Response:
    """The credit note as people keep it."""
    path = f"/v1/credit-notes/{credit_note_id}/document"
    return await visit.file("billing", path, {"format": "pdf"})


def asked(fields: dict[str, str]) -> Json:
    """What the form asks for: an amount of the invoice, or of one of its lines."""
    amount = fields.get("amount", "").strip()
    said = {
        "reason": fields.get("reason", ""),
        "repeat_on_correction": fields.get("repeat_on_correction") != "false",
    }
    if fields.get("position", ALL) == ALL:
        return said | {"amount": amount or None}
    line = {"position": fields["position"]} | ({"amount": amount} if amount else {})
    return said | {"lines": [line]}


def panels(invoice: Json, fields: dict[str, str], refused: Answer | None) -> list[Panel]:
    """What was credited of an invoice, and a form to credit more while anything is left."""
    notes = [*invoice["partial_credit_notes"]]
    if invoice["credit_note"] is not None:
        notes.append(invoice["credit_note"])
    rows = [
        (
            Cell(note["number"], f"/credit-notes/{note['id']}/document"),
            Cell(formats.words(note["extent"])),
            Cell(note["reason"]),
            Cell(note["credited_by"] or formats.NONE),
            Cell(formats.instant(note["issued_at"])),
            Cell(formats.money(note["total"], note["currency"])),
        )
        for note in notes
    ]
    columns = [
        Column("Number"),
        Column("Of the invoice"),
        Column("Reason"),
        Column("By"),
        Column("Issued"),
        Column("Total", is_number=True),
    ]
    empty = Empty("Nothing is credited", "A credit note takes an invoice back, or a part of it.")
    listed = Panel("Credit notes", [Table("Credit notes", columns, rows, empty)], width=8)
    if invoice["state"] == "void" or Decimal(invoice["left"]) <= 0:
        return [Panel("Credit notes", listed.blocks)] if notes else []
    return [listed, Panel("Credit a part", _form(invoice, fields, refused), width=4)]


def _form(invoice: Json, fields: dict[str, str], refused: Answer | None) -> list[Block]:
    blocks: list[Block] = []
    if refused is not None and refused.failure is not None:
        said = [error.detail for error in refused.failure.errors]
        text = "; ".join([refused.failure.detail, *said])
        blocks.append(Notice(text, tone="bad", title="Not credited."))
    lines = [
        (str(position), f"{position} · {line['component_id']} {formats.money(line['amount'])}")
        for position, line in enumerate(invoice["lines"], start=1)
        if line["kind"] != "tax"
    ]
    left = formats.money(invoice["left"], invoice["currency"])
    hidden = {"idempotency_key": fields.get("idempotency_key") or str(new_id())}
    return [
        *blocks,
        Form(
            f"/invoices/{invoice['id']}/credit-notes",
            [
                Field(
                    "position",
                    "Of",
                    fields.get("position", ALL),
                    options=((ALL, f"all that is left: {left}"), *lines),
                ),
                Field(
                    "amount",
                    "Amount",
                    fields.get("amount", ""),
                    hint="With taxes; of one line without, and empty for all that is left of it",
                ),
                Field("reason", "Reason", fields.get("reason", ""), is_required=True),
                Field(
                    "repeat_on_correction",
                    "When the invoice is corrected",
                    fields.get("repeat_on_correction", "true"),
                    options=REPEATED,
                ),
            ],
            "Credit",
            hidden=hidden,
            is_danger=True,
        ),
    ]
