"""Merging a customer who is there twice: a form, what it would do, and doing it."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.customers import page_of
from gridtally.console.pages.visit import FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats
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
    Panel,
    Table,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
TEXT = (
    "For a customer who is there twice. Agreements, and what is open or held, are the other one's "
    "from then on; what was issued stays under this name. It cannot be undone."
)


@router.get("/customers/{customer_id}/merge")
async def show_merge(visit: Visit, customer_id: str) -> Response:
    """A form that asks into whom a customer is merged, and why."""
    return await _page(visit, customer_id, {}, [])


@router.post("/customers/{customer_id}/merge")
async def merge_customer(visit: Visit, customer_id: str, fields: FormFields) -> Response:
    """First what it would do; once that is confirmed, do it and go on to the one who stays."""
    into = await _id_of(visit, fields.get("into", ""))
    body = {"into": into, "reason": fields.get("reason", "")}
    path = f"/v1/customers/{customer_id}/merge"
    if fields.get("is_confirmed") != "yes":
        preview = await visit.send("billing", "POST", f"{path}/preview", body=body)
        if preview.failure is not None:
            return await _page(visit, customer_id, fields, [_refused(preview)], status=422)
        blocks = _previewed(customer_id, fields | {"into": into}, preview.data)
        return await _page(visit, customer_id, fields, blocks)
    keyed = {"Idempotency-Key": fields.get("idempotency_key") or str(new_id())}
    done = await visit.send("billing", "POST", path, body=body, headers=keyed)
    if done.failure is not None:
        return await _page(visit, customer_id, fields, [_refused(done)], status=422)
    return visit.go(f"/customers/{done.data['survivor_id']}")


async def _id_of(visit: SignedIn, named: str) -> str:
    """The id of the customer whom somebody named by number; what is no number stays as it is."""
    found = await visit.get("billing", "/v1/customers", number=named, limit=1) if named else None
    return str(found.items[0]["id"]) if found is not None and found.items else named


async def _page(
    visit: SignedIn, customer_id: str, fields: dict[str, str], blocks: list[Any], status: int = 200
) -> Response:
    customer = await visit.the("billing", f"/v1/customers/{customer_id}")
    form = Form(
        f"/customers/{customer_id}/merge",
        [
            Field(
                "into",
                "Is really",
                fields.get("into", ""),
                hint="The number or id of the customer who goes on",
                is_required=True,
            ),
            Field(
                "reason",
                "Reason",
                fields.get("reason", ""),
                hint="For the trail; without the person's name",
                is_required=True,
            ),
        ],
        "Show what that does",
    )
    asked = [] if customer.get("merged_into") else [Panel("Merge", [form], text=TEXT)]
    return visit.page(page_of(customer, "/merge", [*blocks, *asked]), status)


def _refused(answer: Answer) -> Notice:
    failure = answer.failure
    parts = [failure.detail, *(error.detail for error in failure.errors)] if failure else []
    return Notice("; ".join(parts), tone="bad", title="Not merged.")


def _previewed(customer_id: str, fields: dict[str, str], preview: Json) -> list[Block | Panel]:
    """What a merge would do, and a button that has it done."""
    survivor = preview["survivor"]
    owed = [
        (
            "Owed by this customer" if item["customer_id"] == customer_id else "Owed by the other",
            Cell(formats.money(item["balance"], item["currency"])),
        )
        for item in preview["balances"]
    ]
    rows = [
        (
            Cell(formats.short(item["id"])),
            Cell(formats.short(item["meter_id"])),
            Cell(formats.day(item["start_on"])),
            Cell(formats.day(item["end_on"]) if item["end_on"] else formats.NONE),
        )
        for item in preview["agreements"]
    ]
    columns = [Column("Agreement"), Column("Meter"), Column("From"), Column("To")]
    empty = Empty("No agreement", "What is open or held goes over alone.")
    hidden = {
        "into": fields["into"],
        "reason": fields.get("reason", ""),
        "is_confirmed": "yes",
        "idempotency_key": str(new_id()),
    }
    into = Link(survivor["name"], f"/customers/{survivor['id']}")
    number = survivor["number"] or survivor["id"]
    path = f"/customers/{customer_id}/merge"
    return [
        Panel(
            "What that does",
            [
                Notice(f"All of it will be {survivor['name']}'s, {number}.", links=(into,)),
                *([Facts(owed)] if owed else ()),
                Table("Agreements that go over", columns, rows, empty),
                Form(path, [], "Merge", hidden=hidden, is_danger=True),
            ],
        )
    ]
