"""Accounts, their balances, and the trial balance.

Balances now come from the accounts' own totals, which move with every posting: of a customer's
account its row, of all others their parts besides. Balances as of a moment are sums over the index
of postings, by the date of value or of booking.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection
from kernel.money import EXACT
from ledger.domain.accounts import CUSTOMERS, Account
from ledger.domain.transactions import ZERO
from ledger.tables import account, account_part, posting

By = Literal["value", "booked"]
"""As of when something occurred, or as of when it was booked."""
_CLASS = sa.case((account.c["class"].in_(CUSTOMERS), account.c["class"]), else_=account.c.code)
"""The accounts of all customers count together by class, every other account for itself."""
_NAMED = [column for column in account.c if column.name not in ("debits", "credits")]
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


def until(as_of: datetime, by: By) -> sa.ColumnElement[bool]:
    """Whether a posting counts at a moment: at it and before."""
    return (posting.c.occurred_at if by == "value" else posting.c.recorded_at) <= as_of


async def fetch_balance(
    read: ReadConnection,
    tenant_id: str,
    id_: UUID,
    as_of: datetime | None,
    by: By = "value",
) -> Balance | None:
    """An account's balance now, or from what occurred or was booked up to and at `as_of`."""
    if as_of is None:
        query = _balances_now(tenant_id)
    else:
        totals = (
            sa.select(
                sa.func.coalesce(sa.func.sum(_DEBIT), ZERO).label("debits"),
                sa.func.coalesce(sa.func.sum(_CREDIT), ZERO).label("credits"),
            )
            .where(
                posting.c.tenant_id == tenant_id,
                posting.c.account_id == id_,
                until(as_of, by),
            )
            .subquery()
        )
        query = sa.select(*_NAMED, totals.c.debits, totals.c.credits).join(totals, sa.true())
    query = query.where(account.c.tenant_id == tenant_id, account.c.id == id_)
    row = await read.one_or_none(query)
    return _of(row) if row else None


def _parts(tenant_id: str) -> sa.Subquery:
    """What stands on the parts of each account that has some."""
    part = account_part.c
    sums = (sa.func.sum(each).label(each.name) for each in (part.debits, part.credits))
    return (
        sa.select(part.account_id, *sums)
        .where(part.tenant_id == tenant_id)
        .group_by(part.account_id)
        .subquery()
    )


def _held(own: sa.Column[Decimal], parts: sa.Subquery) -> sa.ColumnElement[Decimal]:
    return own + sa.func.coalesce(parts.c[own.name], ZERO)


def _balances_now(tenant_id: str) -> sa.Select[Any]:
    parts = _parts(tenant_id)
    held = (_held(each, parts).label(each.name) for each in (account.c.debits, account.c.credits))
    return sa.select(*_NAMED, *held).outerjoin(parts, parts.c.account_id == account.c.id)


async def list_balances(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: tuple[str, str] | None,
    limit: int,
) -> list[Balance]:
    """A page of accounts whose columns equal `filters`, by currency and code."""
    query = _balances_now(tenant_id).where(
        account.c.tenant_id == tenant_id,
        *(account.c[name] == value for name, value in filters.items()),
    )
    if after is not None:
        query = query.where(sa.tuple_(account.c.currency, account.c.code) > sa.tuple_(*after))
    query = query.order_by(account.c.currency, account.c.code).limit(limit)
    return [_of(row) for row in await read.all(query)]


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
    read: ReadConnection, tenant_id: str, as_of: datetime | None, by: By = "value"
) -> list[Total]:
    """The totals of every account, those of customers together, now or as of a moment."""
    query = sa.select(account.c.currency, _CLASS.label("name"))
    if as_of is None:
        parts = _parts(tenant_id)
        debit, credit = _held(account.c.debits, parts), _held(account.c.credits, parts)
        query = query.outerjoin(parts, parts.c.account_id == account.c.id)
    else:
        debit, credit = _DEBIT, _CREDIT
        query = query.join(posting, _of_account()).where(until(as_of, by))
    query = (
        query.add_columns(sa.func.sum(debit).label("debits"), sa.func.sum(credit).label("credits"))
        .where(account.c.tenant_id == tenant_id)
        .group_by(account.c.currency, sa.text("name"))
        .order_by(account.c.currency, sa.text("name"))
    )
    return [Total(**row) for row in await read.all(query)]


def _of_account() -> sa.ColumnElement[bool]:
    return (posting.c.tenant_id == account.c.tenant_id) & (posting.c.account_id == account.c.id)
