"""Statements, and the documents that are drawn of them when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.database import Database, ReadConnection, snapshot
from gridtally.documents.facts import Buyer, Seller
from gridtally.documents.html import render_html
from gridtally.documents.pdf import render_pdf
from gridtally.documents.renderer import in_renderer
from gridtally.documents.statement_facts import AgeFacts, StatementFacts
from gridtally.documents.statements import compose_statement
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.payment_plans import PlanPosition
from gridtally.ledger.accounts.domain.statements import AccountToday, Statement, statement_facts
from gridtally.ledger.accounts.store import balances, invoices, payment_plans, reports
from gridtally.ledger.accounts.store.accounts import DateBasis
from gridtally.ledger.accounts.store.addressees import fetch_addressees
from gridtally.ledger.accounts.store.reports import AgeingQuery
from gridtally.ledger.accounts.store.sellers import fetch_seller_at
from gridtally.ledger.accounts.store.statements import STATEMENT_ENTRIES_MAX, fetch_changes

StatementDocument = Literal["html", "pdf"]
OPEN_SHOWN_MAX = 100
"""A document lists so many open invoices, the oldest; the rest is in their sum."""


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """Whose statement is asked for, from an instant up to, but without, another."""

    customer_id: UUID
    currency: str
    from_at: datetime
    to_at: datetime
    basis: DateBasis


async def fetch_statement(read: ReadConnection, tenant_id: str, query: StatementQuery) -> Statement:
    """The statement; Rejected where it has no time, or too much changed in it."""
    if query.from_at >= query.to_at:
        raise Rejected("empty_window", "`from` must lie before `to`")
    window = query.from_at, query.to_at
    opening, changes = await fetch_changes(
        read, tenant_id, query.customer_id, query.currency, *window, query.basis
    )
    if len(changes) > STATEMENT_ENTRIES_MAX:
        raise Rejected(
            "window_too_wide",
            f"a statement has at most {STATEMENT_ENTRIES_MAX} entries; ask for less time",
        )
    is_booked = query.basis == "booked"
    return Statement(query.customer_id, query.currency, *window, is_booked, opening, changes)


async def draw_statement(
    db: Database, tenant_id: str, query: StatementQuery, format_: StatementDocument, now: datetime
) -> bytes:
    """The statement as a page or a PDF, in the customer's language, with what is open today.

    NotFound where nobody is known by that id, Rejected without a seller. It is drawn beside the
    event loop, and by no connection.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        buyer = await _buyer(read, tenant_id, query.customer_id)
        seller = await _seller(read, tenant_id, now)
        statement = await fetch_statement(read, tenant_id, query)
        account = await _account(read, tenant_id, query, now.date())
    return await in_renderer(_drawing(statement_facts(statement, account, seller, buyer), format_))


async def _buyer(read: ReadConnection, tenant_id: str, customer_id: UUID) -> Buyer:
    addressees = await fetch_addressees(read, tenant_id, [customer_id])
    if customer_id not in addressees:
        raise NotFound("customer_unknown", f"no customer is known by name as {customer_id}")
    return addressees[customer_id]


async def _seller(read: ReadConnection, tenant_id: str, at: datetime) -> Seller:
    seller = await fetch_seller_at(read, tenant_id, at)
    if seller is None:
        raise Rejected("seller_missing", "a document names its seller: PUT /v1/seller first")
    return seller


async def _account(
    read: ReadConnection, tenant_id: str, query: StatementQuery, today: date
) -> AccountToday:
    """What is open today, by invoice and by age, and the plans that are kept or late."""
    ageing = AgeingQuery(today, customer_id=query.customer_id, currency=query.currency)
    plans = await payment_plans.fetch_live(
        read, tenant_id, customers=[query.customer_id], currency=query.currency
    )
    return AccountToday(
        today,
        await _balance(read, tenant_id, query, ageing),
        await invoices.fetch_open(
            read, tenant_id, query.customer_id, query.currency, OPEN_SHOWN_MAX
        ),
        [position for position in plans if _is_shown(position, today)],
        await _ages(read, tenant_id, ageing),
    )


def _is_shown(position: PlanPosition, today: date) -> bool:
    return position.state(today) in ("kept", "late")


async def _balance(
    read: ReadConnection, tenant_id: str, query: StatementQuery, ageing: AgeingQuery
) -> CustomerBalance:
    """What the customer owes today in the statement's currency."""
    of_customer = await balances.fetch_customer_balances(read, tenant_id, query.customer_id, ageing)
    for balance in of_customer:
        if balance.currency == query.currency:
            return balance
    return CustomerBalance.of(query.currency, {}, arrears=ZERO, invoiced_total=ZERO)


async def _ages(read: ReadConnection, tenant_id: str, query: AgeingQuery) -> AgeFacts | None:
    for row in await reports.fetch_ageing(read, tenant_id, query):
        return AgeFacts(
            not_due=row.not_due,
            days_0_30=row.days_0_30,
            days_31_60=row.days_31_60,
            days_61_90=row.days_61_90,
            days_over_90=row.days_over_90,
            total=row.total,
        )
    return None


def _drawing(facts: StatementFacts, format_: StatementDocument) -> Callable[[], bytes]:
    match format_:
        case "html":
            return lambda: render_html(compose_statement(facts))
        case "pdf":
            return lambda: render_pdf(compose_statement(facts))
