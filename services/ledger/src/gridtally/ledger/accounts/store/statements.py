"""What changed a customer's balance, for statements.

A customer's accounts count together: what is owed less what is credit, so that spending the credit
on an invoice changes nothing of the balance.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection
from gridtally.ledger.accounts.domain.chart import CUSTOMER_CLASSES
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.statements import Change
from gridtally.ledger.accounts.store.accounts import DateBasis
from gridtally.ledger.accounts.tables import account, posting, transaction

STATEMENT_ENTRIES_MAX = 2_000


def entry_order(basis: DateBasis) -> list[sa.ColumnElement[Any]]:
    """How a statement lists transactions: those of one moment by their reference, which of invoices
    is the number, and never by chance."""
    moment = transaction.c.occurred_at if basis == "value" else transaction.c.recorded_at
    return [moment, transaction.c.recorded_at, transaction.c.reference, transaction.c.id]


async def fetch_changes(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    currency: str,
    from_at: datetime,
    to_at: datetime,
    basis: DateBasis = "value",
) -> tuple[Decimal, list[Change]]:
    """The balance at `from_at`, and what changed it before `to_at`: up to one change more than a
    statement may have.

    What moves money between the customer's own accounts only is left out; documents never are.
    """
    mine = _of_customer(tenant_id, customer_id, currency)
    moment = posting.c.occurred_at if basis == "value" else posting.c.recorded_at
    opening: Decimal = await read.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(posting.c.amount), ZERO)).where(
            mine, moment < from_at
        )
    )
    moved = (
        sa.select(posting.c.transaction_id, sa.func.sum(posting.c.amount).label("amount"))
        .where(mine, moment >= from_at, moment < to_at)
        .group_by(posting.c.transaction_id)
        .subquery()
    )
    query = (
        sa.select(
            transaction.c.id.label("transaction_id"),
            transaction.c.kind,
            transaction.c.reference,
            transaction.c.memo,
            transaction.c.occurred_at,
            transaction.c.recorded_at,
            moved.c.amount,
        )
        .join(moved, transaction.c.id == moved.c.transaction_id)
        .where(
            transaction.c.tenant_id == tenant_id,
            sa.or_(moved.c.amount != 0, transaction.c.kind.in_(["invoice", "credit_note"])),
        )
        .order_by(*entry_order(basis))
        .limit(STATEMENT_ENTRIES_MAX + 1)
    )
    return opening, [Change(**row) for row in await read.all(query)]


def _of_customer(tenant_id: str, customer_id: UUID, currency: str) -> sa.ColumnElement[bool]:
    """Whether a posting is on one of the customer's accounts in a currency."""
    mine = sa.select(account.c.id).where(
        account.c.tenant_id == tenant_id,
        account.c.customer_id == customer_id,
        account.c.currency == currency,
        account.c["class"].in_(CUSTOMER_CLASSES),
    )
    return sa.and_(posting.c.tenant_id == tenant_id, posting.c.account_id.in_(mine))
