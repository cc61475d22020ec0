"""`/v1/customers/{id}/statement`: what a customer owed, what changed it, for programs and people.

Owns what programs read of a statement. Texts that came from outside never begin in CSV as a
spreadsheet's formula does.
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel

from gridtally.database import snapshot
from gridtally.exports.csv_safety import text_cell
from gridtally.http.context import Db, Now
from gridtally.http.document_answers import HTML, PDF, document_response
from gridtally.http.json_bodies import Router
from gridtally.http.windows import UtcFrom, UtcTo, instant_of
from gridtally.kernel.money import plain
from gridtally.ledger.accounts.api.models import ByDate, CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.domain import statements
from gridtally.ledger.accounts.domain.statements import Change
from gridtally.ledger.accounts.handlers.statements import (
    StatementQuery,
    draw_statement,
    fetch_statement,
)
from gridtally.ledger.callers import CustomerReader

router = Router(prefix="/v1", tags=["accounts"])
CSV_COLUMNS = (
    "occurred_at", "recorded_at", "kind", "reference", "memo", "transaction_id", "amount",
    "balance", "currency",
)  # fmt: skip


class StatementEntry(BaseModel):
    """What a transaction changed of what is owed on balance, and what was owed after it."""

    transaction_id: UUID
    kind: str
    reference: str
    memo: str
    occurred_at: datetime
    recorded_at: datetime
    amount: Money
    balance: Money

    @classmethod
    def of(cls, change: Change, balance: Decimal) -> Self:
        """The entry as the API shows it."""
        return cls(
            transaction_id=change.transaction_id,
            kind=change.kind,
            reference=change.reference,
            memo=change.memo,
            occurred_at=change.occurred_at,
            recorded_at=change.recorded_at,
            amount=change.amount,
            balance=balance,
        )


class Statement(InCurrency):
    """What a customer owed on balance at `from_at`, every change before `to_at`, and what was owed
    then. Above zero the customer owes; below, the customer has credit. Money that only moves from
    the customer's credit to an invoice changes nothing on balance and is not listed."""

    customer_id: UUID
    from_at: datetime
    to_at: datetime
    opening: Money
    entries: list[StatementEntry]
    closing: Money

    @classmethod
    def of(cls, statement: statements.Statement) -> Self:
        """The statement as the API shows it."""
        entries = list(map(StatementEntry.of, statement.changes, statement.balances))
        return cls(
            customer_id=statement.customer_id,
            currency=statement.currency,
            from_at=statement.from_at,
            to_at=statement.to_at,
            opening=statement.opening,
            entries=entries,
            closing=entries[-1].balance if entries else statement.opening,
        )


_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get("/customers/{customer_id}/statement", response_model=Statement, responses=_SHOWN)
async def get_statement(
    customer_id: UUID,
    db: Db,
    caller: CustomerReader,
    now: Now,
    from_at: UtcFrom,
    to_at: UtcTo,
    currency: CurrencyCode,
    by: ByDate = "value",
    form: Annotated[Literal["json", "csv", "html", "pdf"], Query(alias="format")] = "json",
) -> Statement | Response:
    """What a customer owed on balance and what changed it, from an instant up to, but without,
    another: as JSON, as CSV with one row per change, or as a document in the customer's language
    (a page, or PDF/A-3) with what is open today, under the letterhead in force."""
    query = StatementQuery(customer_id, currency, instant_of(from_at), instant_of(to_at), by)
    if form == "html" or form == "pdf":
        document = await draw_statement(db, caller.tenant_id, query, form, now)
        media_type = HTML if form == "html" else PDF
        return document_response(document, media_type, _filename(query, form))
    async with snapshot(db, tenant=caller.tenant_id) as read:
        statement = Statement.of(await fetch_statement(read, caller.tenant_id, query))
    if form == "csv":
        return csv_of(statement.entries, currency, _filename(query, form))
    return statement


def _filename(query: StatementQuery, suffix: str) -> str:
    days = f"{query.from_at.astimezone(UTC):%Y-%m-%d}-{query.to_at.astimezone(UTC):%Y-%m-%d}"
    return f"statement-{query.customer_id}-{query.currency}-{days}.{suffix}"


def csv_of(entries: Sequence[StatementEntry], currency: str, name: str) -> Response:
    """A file of one row per change, under a header."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(CSV_COLUMNS)
    for entry in entries:
        texts = [text_cell(text) for text in (entry.kind, entry.reference, entry.memo)]
        rows.writerow(
            [
                entry.occurred_at.isoformat(), entry.recorded_at.isoformat(), *texts,
                entry.transaction_id, plain(entry.amount), plain(entry.balance), currency,
            ]
        )  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
