"""Accounts, statements and the checks over all the books.

Balances now come from the accounts' own totals, which move with every posting; balances as of a
moment are sums over the index of postings. `reconcile` shows that the two agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection
from kernel.money import EXACT
from ledger.domain.accounts import Account, receivable
from ledger.tables import account, posting, transaction

STATEMENT_ENTRIES_MAX = 2_000
ZERO = Decimal(0)
_CLASS = sa.case((account.c["class"] == "receivable", "receivable"), else_=account.c.code)
"""Receivables count together, every other account for itself."""
_DEBIT = sa.func.greatest(posting.c.amount, 0)
_CREDIT = sa.func.greatest(-posting.c.amount, 0)


@dataclass(frozen=True, slots=True)
class Balance:
    """An account with what was debited and credited to it."""

    id: UUID
    account: Account
    debits: Decimal
    credits: Decimal

    @property
    def balance(self) -> Decimal:
        """Debits less credits."""
        return EXACT.subtract(self.debits, self.credits)


def _of(row: RowMapping) -> Balance:
    named = Account(row["currency"], row["code"], row["class"], row["customer_id"])
    return Balance(row["id"], named, row["debits"], row["credits"])


async def fetch_balance(
    read: ReadConnection, tenant_id: str, id_: UUID, as_of: datetime | None
) -> Balance | None:
    """An account's balance now, or from what occurred up to and at `as_of`."""
    query = sa.select(account).where(account.c.tenant_id == tenant_id, account.c.id == id_)
    if as_of is not None:
        totals = (
            sa.select(
                sa.func.coalesce(sa.func.sum(_DEBIT), ZERO).label("debits"),
                sa.func.coalesce(sa.func.sum(_CREDIT), ZERO).label("credits"),
            )
            .where(
                posting.c.tenant_id == tenant_id,
                posting.c.account_id == id_,
                posting.c.occurred_at <= as_of,
            )
            .subquery()
        )
        named = [column for column in account.c if column.name not in ("debits", "credits")]
        query = query.with_only_columns(*named, totals.c.debits, totals.c.credits)
        query = query.join(totals, sa.true())
    row = await read.one_or_none(query)
    return _of(row) if row else None


async def list_balances(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: tuple[str, str] | None,
    limit: int,
) -> list[Balance]:
    """A page of accounts whose columns equal `filters`, by currency and code."""
    query = sa.select(account).where(
        account.c.tenant_id == tenant_id,
        *(account.c[name] == value for name, value in filters.items()),
    )
    if after is not None:
        query = query.where(sa.tuple_(account.c.currency, account.c.code) > sa.tuple_(*after))
    query = query.order_by(account.c.currency, account.c.code).limit(limit)
    return [_of(row) for row in await read.all(query)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a customer's statement."""

    transaction_id: UUID
    kind: str
    reference: str
    occurred_at: datetime
    amount: Decimal


async def fetch_statement(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    currency: str,
    from_at: datetime,
    to_at: datetime,
) -> tuple[Decimal, list[Entry]]:
    """What a customer owed at `from_at`, and up to one entry more than a statement may have."""
    account_id = receivable(currency, customer_id).id(tenant_id)
    mine = sa.and_(posting.c.tenant_id == tenant_id, posting.c.account_id == account_id)
    opening: Decimal = await read.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(posting.c.amount), ZERO)).where(
            mine, posting.c.occurred_at < from_at
        )
    )
    query = (
        sa.select(
            transaction.c.id.label("transaction_id"),
            transaction.c.kind,
            transaction.c.reference,
            posting.c.occurred_at,
            posting.c.amount,
        )
        .join(
            transaction,
            (transaction.c.tenant_id == posting.c.tenant_id)
            & (transaction.c.id == posting.c.transaction_id),
        )
        .where(mine, posting.c.occurred_at >= from_at, posting.c.occurred_at < to_at)
        .order_by(posting.c.occurred_at, transaction.c.recorded_at, transaction.c.id)
        .limit(STATEMENT_ENTRIES_MAX + 1)
    )
    return opening, [Entry(**row) for row in await read.all(query)]


@dataclass(frozen=True, slots=True)
class Total:
    """What the accounts of one name, in one currency, were debited and credited."""

    currency: str
    name: str
    debits: Decimal
    credits: Decimal

    @property
    def balance(self) -> Decimal:
        """Debits less credits."""
        return EXACT.subtract(self.debits, self.credits)


async def fetch_trial_balance(
    read: ReadConnection, tenant_id: str, as_of: datetime | None
) -> list[Total]:
    """The totals of every account, receivables together, now or from what occurred by `as_of`."""
    debit: sa.ColumnElement[Decimal] = account.c.debits
    credit: sa.ColumnElement[Decimal] = account.c.credits
    query = sa.select(account.c.currency, _CLASS.label("name"))
    if as_of is not None:
        debit, credit = _DEBIT, _CREDIT
        query = query.join(posting, _of_account()).where(posting.c.occurred_at <= as_of)
    query = (
        query.add_columns(sa.func.sum(debit).label("debits"), sa.func.sum(credit).label("credits"))
        .where(account.c.tenant_id == tenant_id)
        .group_by(account.c.currency, sa.text("name"))
        .order_by(account.c.currency, sa.text("name"))
    )
    return [Total(**row) for row in await read.all(query)]


def _of_account() -> sa.ColumnElement[bool]:
    return (posting.c.tenant_id == account.c.tenant_id) & (posting.c.account_id == account.c.id)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The books of one currency, counted in every way that must agree."""

    currency: str
    invoices: int
    invoices_total: Decimal
    credit_notes: int
    credit_notes_total: Decimal
    receivable: Decimal
    postings_sum: Decimal
    account_difference_max: Decimal

    @property
    def difference_max(self) -> Decimal:
        """The widest gap; anything but zero is a breach."""
        booked = self.invoices_total - self.credit_notes_total
        return max(
            abs(self.receivable - booked), abs(self.postings_sum), self.account_difference_max
        )


# One pass over both tables: a join of accounts with their postings, planned while the tables were
# still small, took a minute for ten thousand accounts.
_RECONCILE = """
WITH documents AS (
    SELECT currency,
           count(*) FILTER (WHERE kind = 'invoice') AS invoices,
           coalesce(sum(total) FILTER (WHERE kind = 'invoice'), 0) AS invoices_total,
           count(*) FILTER (WHERE kind = 'credit_note') AS credit_notes,
           coalesce(sum(total) FILTER (WHERE kind = 'credit_note'), 0) AS credit_notes_total
      FROM transaction WHERE tenant_id = :tenant GROUP BY currency
), sums AS (
    SELECT max(currency) AS currency, max(class) AS class, sum(held) AS held, sum(posted) AS posted
      FROM (SELECT id, currency, class, debits - credits AS held, 0 AS posted
              FROM account WHERE tenant_id = :tenant
            UNION ALL
            SELECT account_id, NULL, NULL, 0, amount FROM posting WHERE tenant_id = :tenant) AS each
     GROUP BY id
), books AS (
    SELECT currency, coalesce(sum(posted) FILTER (WHERE class = 'receivable'), 0) AS receivable,
           sum(posted) AS postings_sum, max(abs(held - posted)) AS account_difference_max
      FROM sums GROUP BY currency
)
SELECT * FROM documents JOIN books USING (currency) ORDER BY currency
"""


async def reconcile(read: ReadConnection, tenant_id: str) -> list[Reconciliation]:
    """Documents, postings and accounts of each currency, summed anew."""
    rows = await read.all(sa.text(_RECONCILE), {"tenant": tenant_id})
    return [Reconciliation(**row) for row in rows]
