"""`/v1/customers/{id}/statement`: what a customer owed, what changed it, as JSON, CSV or a page.

Owns how a statement looks; the page prints on A4 and loads nothing. Texts that came from outside
are escaped in the page, and in CSV never begin as a spreadsheet's formula does.
"""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from database import ReadConnection, snapshot
from kernel.errors import Rejected
from kernel.money import EXACT
from ledger.api.models import Reader
from ledger.api.money import (
    Ages,
    ByDate,
    CurrencyCode,
    Moment,
    Statement,
    StatementEntry,
    plain,
)
from ledger.store import statements
from ledger.store.statements import STATEMENT_ENTRIES_MAX, Aged, CustomerItem, Standing
from serving.cells import text_cell
from serving.context import Db

router = APIRouter(prefix="/v1", tags=["accounts"])
OPEN_SHOWN_MAX = 100
"""The page lists so many open invoices, the oldest; the rest is in their sum."""
CSV_COLUMNS = (
    "occurred_at", "recorded_at", "kind", "reference", "memo", "transaction_id", "amount",
    "balance", "currency",
)  # fmt: skip
KINDS = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "payment": "Payment",
    "refund": "Refund",
    "write_off": "Write-off",
    "adjustment": "Adjustment",
    "reversal": "Reversal",
}


@router.get(
    "/customers/{customer_id}/statement",
    response_model=Statement,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            }
        }
    },
)
async def get_statement(
    customer_id: UUID,
    db: Db,
    caller: Reader,
    from_at: Annotated[Moment, Query(alias="from")],
    to_at: Annotated[Moment, Query(alias="to")],
    currency: CurrencyCode,
    by: ByDate = "value",
    form: Annotated[Literal["json", "csv", "html"], Query(alias="format")] = "json",
) -> Statement | Response:
    """What a customer owed on balance and what changed it, from an instant up to, but without,
    another: as JSON, as CSV with one row per change, or as a page to print."""
    if from_at >= to_at:
        raise Rejected("empty_window", "`from` must lie before `to`")
    async with snapshot(db, tenant=caller.tenant_id) as read:
        opening, found = await statements.fetch_statement(
            read, caller.tenant_id, customer_id, currency, from_at, to_at, by
        )
        if len(found) > STATEMENT_ENTRIES_MAX:
            raise Rejected(
                "window_too_wide",
                f"a statement has at most {STATEMENT_ENTRIES_MAX} entries; ask for less time",
            )
        entries = _entries(opening, found)
        told = Statement(
            customer_id=customer_id,
            currency=currency,
            from_at=from_at,
            to_at=to_at,
            opening=opening,
            entries=entries,
            closing=entries[-1].balance if entries else opening,
        )
        match form:
            case "json":
                return told
            case "csv":
                return _csv(told)
            case "html":
                return await _page(read, caller.tenant_id, told)


def _entries(opening: Decimal, found: list[statements.Entry]) -> list[StatementEntry]:
    balance = opening
    entries = []
    for one in found:
        balance = EXACT.add(balance, one.amount)
        entries.append(
            StatementEntry(
                transaction_id=one.transaction_id,
                kind=one.kind,
                reference=one.reference,
                memo=one.memo,
                occurred_at=one.occurred_at,
                recorded_at=one.recorded_at,
                amount=one.amount,
                balance=balance,
            )
        )
    return entries


def _csv(told: Statement) -> Response:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(CSV_COLUMNS)
    for one in told.entries:
        texts = [text_cell(text) for text in (one.kind, one.reference, one.memo)]
        rows.writerow(
            [
                one.occurred_at.isoformat(), one.recorded_at.isoformat(), *texts,
                one.transaction_id, plain(one.amount), plain(one.balance), told.currency,
            ]
        )  # fmt: skip
    name = f"statement-{told.customer_id}-{told.currency}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _page(read: ReadConnection, tenant_id: str, told: Statement) -> Response:
    """The statement with what is open now, by invoice and by age."""
    today = datetime.now(UTC).date()
    filters = {"customer_id": told.customer_id, "currency": told.currency}
    asked = Aged(today, customer_id=told.customer_id, currency=told.currency)
    [standing] = [
        one
        for one in await statements.fetch_standing(read, tenant_id, told.customer_id, asked)
        if one.currency == told.currency
    ] or [Standing(told.currency, *[Decimal(0)] * 4)]
    waiting = [
        *await statements.list_items(read, tenant_id, filters, "open", None, None, OPEN_SHOWN_MAX),
        *await statements.list_items(
            read, tenant_id, filters, "part_paid", None, None, OPEN_SHOWN_MAX
        ),
    ]
    ages = await statements.fetch_ages(read, tenant_id, asked)
    written = _template().render(
        told=told,
        kinds=KINDS,
        standing=standing,
        items=sorted(waiting, key=_due)[:OPEN_SHOWN_MAX],
        ages=Ages.model_validate(ages[0], from_attributes=True) if ages else None,
        today=today,
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(written, media_type="text/html; charset=utf-8", headers=headers)


def _due(one: CustomerItem) -> tuple[object, ...]:
    return one.item.due_on, one.item.id


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ledger", "api/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = _grouped
    return environment.get_template("statement.html")


def _grouped(amount: Decimal) -> str:
    """1234567.5 as 1,234,567.50, with as many decimals as it needs; a true minus."""
    whole, _, fraction = plain(abs(amount)).partition(".")
    return f"{'−' if amount < 0 else ''}{int(whole):,}.{fraction}"
