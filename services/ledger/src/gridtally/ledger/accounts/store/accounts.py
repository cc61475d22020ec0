"""Accounts as rows: what is posted moves their balances, and those are read, now or as of a moment.

A balance now is a stored total that moves with every posting: of a customer's account in its one
row, of all others in parts besides (docs/adr/0009). A balance as of a moment is a sum over the
index of postings, by the date of value or of booking.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.chart import Account, AccountClass
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.transactions import BALANCE_MAX, INVOICED_KINDS, Transaction
from gridtally.ledger.accounts.tables import account, account_part, posting

PARTS = 64
"""Of the balance of each account that is no customer's: about as many as write at once."""
TenantAccount = tuple[str, Account]
"""A tenant and one of its accounts."""
DateBasis = Literal["value", "booked"]
"""Whether a posting counts from when it occurred, or from when it was booked."""
DEBIT = sa.func.greatest(posting.c.amount, 0)
CREDIT = sa.func.greatest(-posting.c.amount, 0)


@dataclass(frozen=True, slots=True)
class _Moves:
    """What is debited and credited to some accounts, in the order of tenants and ids, which is the
    order of locks; and what invoices and credit notes debit less what they credit, of that."""

    accounts: Sequence[tuple[TenantAccount, UUID]]
    debits: Mapping[TenantAccount, Decimal]
    credits: Mapping[TenantAccount, Decimal]
    invoiced: Mapping[TenantAccount, Decimal]

    def columns(self, *, of_customers: bool) -> tuple[list[Any], ...]:
        """One array per column, of customers' accounts or of all others: tenant, id, currency,
        code, class, customer, debits, credits; and invoiced, of customers' accounts."""
        chosen = [
            (key, id_)
            for key, id_ in self.accounts
            if (key[1].customer_id is not None) == of_customers
        ]
        columns = (
            [tenant_id for (tenant_id, _), _ in chosen],
            [id_ for _, id_ in chosen],
            [moved.currency for (_, moved), _ in chosen],
            [moved.code for (_, moved), _ in chosen],
            [moved.account_class for (_, moved), _ in chosen],
            [moved.customer_id for (_, moved), _ in chosen],
            [self.debits[key] for key, _ in chosen],
            [self.credits[key] for key, _ in chosen],
        )
        return (*columns, [self.invoiced[key] for key, _ in chosen]) if of_customers else columns


# One round trip opens accounts that are new and moves all balances. $1 to $9 are customers'
# accounts, whose rows their customers' locks guard already. $10 to $17 are the accounts on which
# all customers' postings meet: were their balance one row, every writer would hold it until its
# commit and all others would wait. So each connection adds to the part that its process id names,
# and the balance is the sum of the row and its parts (docs/adr/0009). The rows that come back are
# the customers' accounts that now hold more than an account may.
_MOVE_BALANCES = """
WITH moved AS (
    INSERT INTO account (tenant_id, id, currency, code, class, customer_id, debits, credits,
                         invoiced)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[],
                         $7::numeric[], $8::numeric[], $9::numeric[])
    ON CONFLICT (tenant_id, id) DO UPDATE
       SET debits = account.debits + excluded.debits, credits = account.credits + excluded.credits,
           invoiced = account.invoiced + excluded.invoiced
    RETURNING currency, code, debits - credits AS balance),
opened AS (
    INSERT INTO account (tenant_id, id, currency, code, class, customer_id, debits, credits)
    SELECT *, 0, 0 FROM unnest($10::text[], $11::uuid[], $12::text[], $13::text[], $14::text[],
                               $15::uuid[])
    ON CONFLICT DO NOTHING),
shared AS (
    INSERT INTO account_part AS p (tenant_id, account_id, part, debits, credits)
    SELECT tenant_id, id, pg_backend_pid() % $18::integer, debits, credits
      FROM unnest($10::text[], $11::uuid[], $16::numeric[], $17::numeric[])
           AS n (tenant_id, id, debits, credits)
    ON CONFLICT (tenant_id, account_id, part) DO UPDATE
       SET debits = p.debits + excluded.debits, credits = p.credits + excluded.credits)
SELECT currency, code FROM moved WHERE abs(balance) >= $19 ORDER BY code, currency
"""


async def move_balances(
    tx: WriteConnection, transactions: Iterable[Transaction]
) -> dict[TenantAccount, UUID]:
    """Add what is posted to the balances, opening accounts that are new; the ids of all of them.

    The customers must be locked. Rejected where the account of one would hold `BALANCE_MAX`.
    """
    debits: dict[TenantAccount, Decimal] = defaultdict(Decimal)
    credits_: dict[TenantAccount, Decimal] = defaultdict(Decimal)
    invoiced: dict[TenantAccount, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for transaction in transactions:
            for line in transaction.postings:
                side = debits if line.amount > 0 else credits_
                side[transaction.tenant_id, line.account] += abs(line.amount)
                if line.account.customer_id and transaction.kind in INVOICED_KINDS:
                    invoiced[transaction.tenant_id, line.account] += line.amount
    ids = {(tenant_id, moved): moved.id(tenant_id) for tenant_id, moved in debits.keys() | credits_}
    ordered = sorted(ids.items(), key=lambda entry: (entry[0][0], entry[1]))
    moves = _Moves(ordered, debits, credits_, invoiced)
    too_large = await tx.raw.fetch(
        _MOVE_BALANCES,
        *moves.columns(of_customers=True),
        *moves.columns(of_customers=False),
        PARTS,
        BALANCE_MAX,
    )
    if too_large:
        first = too_large[0]
        what = f"{first['code']} would hold {BALANCE_MAX:f} {first['currency']} or more"
        raise Rejected("balance_too_large", what)
    return ids


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account with what was debited and credited to it."""

    id: UUID
    account: Account
    debits: Decimal
    credits: Decimal

    @property
    def balance(self) -> Decimal:
        """Debits less credits."""
        return EXACT.subtract(self.debits, self.credits)


_NAMES = [column for column in account.c if column.name not in ("debits", "credits", "invoiced")]
"""The columns of an account besides its own totals."""


def counts_at(as_of: datetime, basis: DateBasis) -> sa.ColumnElement[bool]:
    """Whether a posting counts at a moment: at it and before."""
    return (posting.c.occurred_at if basis == "value" else posting.c.recorded_at) <= as_of


def of_account() -> sa.ColumnElement[bool]:
    """Whether a posting is on an account, to join the two."""
    return (posting.c.tenant_id == account.c.tenant_id) & (posting.c.account_id == account.c.id)


def sums_of_parts(tenant_id: str) -> sa.Subquery:
    """What stands on the parts of each account that has some."""
    part = account_part.c
    sums = (sa.func.sum(column).label(column.name) for column in (part.debits, part.credits))
    return (
        sa.select(part.account_id, *sums)
        .where(part.tenant_id == tenant_id)
        .group_by(part.account_id)
        .subquery()
    )


def with_parts(own: sa.Column[Decimal], parts: sa.Subquery) -> sa.ColumnElement[Decimal]:
    """The account's own total and what stands on its parts."""
    return own + sa.func.coalesce(parts.c[own.name], ZERO)


async def fetch_balance(
    read: ReadConnection,
    tenant_id: str,
    id_: UUID,
    as_of: datetime | None,
    basis: DateBasis = "value",
) -> AccountBalance | None:
    """An account's balance now, or from what occurred or was booked up to and at `as_of`."""
    if as_of is None:
        query = _balances_now(tenant_id)
    else:
        totals = (
            sa.select(
                sa.func.coalesce(sa.func.sum(DEBIT), ZERO).label("debits"),
                sa.func.coalesce(sa.func.sum(CREDIT), ZERO).label("credits"),
            )
            .where(
                posting.c.tenant_id == tenant_id,
                posting.c.account_id == id_,
                counts_at(as_of, basis),
            )
            .subquery()
        )
        query = sa.select(*_NAMES, totals.c.debits, totals.c.credits).join(totals, sa.true())
    query = query.where(account.c.tenant_id == tenant_id, account.c.id == id_)
    row = await read.one_or_none(query)
    return _balance_of(row) if row else None


async def list_balances(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: tuple[str, str] | None,
    rows_max: int,
) -> list[AccountBalance]:
    """A page of accounts whose columns equal `filters`, by currency and code."""
    query = _balances_now(tenant_id).where(
        account.c.tenant_id == tenant_id,
        *(account.c[name] == value for name, value in filters.items()),
    )
    order = (account.c.currency, account.c.code)
    rows = await read.all(page_after(query, order, after=after, rows_max=rows_max))
    return [_balance_of(row) for row in rows]


def _balances_now(tenant_id: str) -> sa.Select[Any]:
    parts = sums_of_parts(tenant_id)
    totals = (
        with_parts(column, parts).label(column.name)
        for column in (account.c.debits, account.c.credits)
    )
    return sa.select(*_NAMES, *totals).outerjoin(parts, parts.c.account_id == account.c.id)


def account_of(row: Mapping[str, Any] | RowMapping) -> Account:
    """The account that a row names by currency, code, class and customer."""
    return Account(row["currency"], row["code"], AccountClass(row["class"]), row["customer_id"])


def _balance_of(row: RowMapping) -> AccountBalance:
    return AccountBalance(row["id"], account_of(row), row["debits"], row["credits"])
