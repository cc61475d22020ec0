"""`/v1/customers/{id}/statement`: what a customer owed, what changed it, as JSON, CSV or a page.

Owns how a statement looks; the page prints on A4 and loads nothing. Texts that came from outside
are escaped in the page, and in CSV never begin as a spreadsheet's formula does.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from pydantic import BaseModel

from gridtally.database import ReadConnection, snapshot
from gridtally.exports.csv_safety import text_cell
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.windows import UtcFrom, UtcTo, instant_of
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import in_currency, plain
from gridtally.ledger.accounts.api.models import ByDate, CurrencyCode, InCurrency, Money
from gridtally.ledger.accounts.api.reports import AgeingRow
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.statements import Change, balances_after
from gridtally.ledger.accounts.store import (
    balances,
    invoices,
    payment_plans,
    reports,
    statements,
)
from gridtally.ledger.accounts.store.invoices import CustomerOpenItem
from gridtally.ledger.accounts.store.reports import AgeingQuery
from gridtally.ledger.accounts.store.statements import STATEMENT_ENTRIES_MAX
from gridtally.ledger.callers import CustomerReader

router = Router(prefix="/v1", tags=["accounts"])
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
    "assignment": "Payment",
    "refund": "Refund",
    "write_off": "Write-off",
    "adjustment": "Adjustment",
    "allocation": "Deposit set off",
    "opening_balance": "Opening balance",
    "dunning_fee": "Dunning fee",
    "reversal": "Reversal",
}


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
    caller: CustomerReader,
    now: Now,
    from_at: UtcFrom,
    to_at: UtcTo,
    currency: CurrencyCode,
    by: ByDate = "value",
    form: Annotated[Literal["json", "csv", "html"], Query(alias="format")] = "json",
) -> Statement | Response:
    """What a customer owed on balance and what changed it, from an instant up to, but without,
    another: as JSON, as CSV with one row per change, or as a page to print."""
    from_at, to_at = instant_of(from_at), instant_of(to_at)
    if from_at >= to_at:
        raise Rejected("empty_window", "`from` must lie before `to`")
    async with snapshot(db, tenant=caller.tenant_id) as read:
        opening, changes = await statements.fetch_changes(
            read, caller.tenant_id, customer_id, currency, from_at, to_at, by
        )
        if len(changes) > STATEMENT_ENTRIES_MAX:
            raise Rejected(
                "window_too_wide",
                f"a statement has at most {STATEMENT_ENTRIES_MAX} entries; ask for less time",
            )
        entries = list(map(StatementEntry.of, changes, balances_after(opening, changes)))
        statement = Statement(
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
                return statement
            case "csv":
                name = f"statement-{statement.customer_id}-{statement.currency}.csv"
                return csv_of(statement.entries, statement.currency, name)
            case "html":
                return await _page(read, caller.tenant_id, statement, now)


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


async def _page(
    read: ReadConnection, tenant_id: str, statement: Statement, now: datetime
) -> Response:
    """The statement with what is open now, by invoice and by age, and the plans that are kept."""
    today = now.date()
    query = AgeingQuery(today, customer_id=statement.customer_id, currency=statement.currency)
    ageing = await reports.fetch_ageing(read, tenant_id, query)
    plans = [
        position
        for position in await payment_plans.fetch_live(
            read, tenant_id, customers=[statement.customer_id], currency=statement.currency
        )
        if position.state(today) in ("kept", "late")
    ]
    written = _template().render(
        statement=statement,
        kinds=KINDS,
        balance=await _balance(read, tenant_id, query, statement),
        items=await _open_items(read, tenant_id, statement),
        ageing=AgeingRow.of(ageing[0]) if ageing else None,
        plans=plans,
        planned={item.id for position in plans for item in position.plan.items},
        today=today,
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(written, media_type="text/html; charset=utf-8", headers=headers)


async def _balance(
    read: ReadConnection, tenant_id: str, query: AgeingQuery, statement: Statement
) -> CustomerBalance:
    """What the customer owes today in the statement's currency."""
    of_customer = await balances.fetch_customer_balances(
        read, tenant_id, statement.customer_id, query
    )
    for balance in of_customer:
        if balance.currency == statement.currency:
            return balance
    return CustomerBalance.of(statement.currency, {}, arrears=ZERO, invoiced_total=ZERO)


async def _open_items(
    read: ReadConnection, tenant_id: str, statement: Statement
) -> list[CustomerOpenItem]:
    """What is open today, the oldest due first."""
    filters = {"customer_id": statement.customer_id, "currency": statement.currency}
    items = [
        *await invoices.list_items(read, tenant_id, filters, "open", None, None, OPEN_SHOWN_MAX),
        *await invoices.list_items(
            read, tenant_id, filters, "part_paid", None, None, OPEN_SHOWN_MAX
        ),
    ]
    return sorted(items, key=lambda found: (found.item.due_on, found.item.id))[:OPEN_SHOWN_MAX]


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gridtally.ledger", "accounts/api/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = _grouped
    return environment.get_template("statement.html")


def _grouped(amount: Decimal, currency: str) -> str:
    """1234567.5 EUR as 1,234,567.50, with the decimals of the currency; a true minus."""
    whole, point, fraction = plain(in_currency(abs(amount), currency)).partition(".")
    return f"{'−' if amount < 0 else ''}{int(whole):,}{point}{fraction}"
