"""Payees as rows: their accounts, what they were owed and paid in a period, and by what.

What a payee is owed comes from invoices and credit notes, what was paid from settlements and their
reversals: the kinds of the transactions tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.chart import PAYEE_CLASSES, Account, payable
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.statements import Change
from gridtally.ledger.accounts.domain.transactions import INVOICED_KINDS
from gridtally.ledger.accounts.store.accounts import (
    DateBasis,
    account_of,
    fetch_balance,
)
from gridtally.ledger.accounts.store.statements import STATEMENT_ENTRIES_MAX, entry_order
from gridtally.ledger.accounts.tables import account, posting, transaction

_PAYEES = account.c["class"].in_(PAYEE_CLASSES)


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant up to, but without, another; from the beginning or until now where None."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    basis: DateBasis = "value"


@dataclass(frozen=True, slots=True)
class PayeeTotals:
    """What a payee is owed at the begin of a window, and what that changed within.

    opening  what was owed before
    owed     what invoices less credit notes made of it
    settled  what was paid, less what was reversed of that
    """

    id: UUID
    account: Account
    opening: Decimal
    owed: Decimal
    settled: Decimal

    @property
    def balance(self) -> Decimal:
        """What is owed at the end; below zero what was paid in advance, or is to come back."""
        return EXACT.subtract(EXACT.add(self.opening, self.owed), self.settled)


def _sum_where(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[Decimal]:
    return sa.func.coalesce(sa.func.sum(posting.c.amount).filter(*conditions), ZERO)


async def list_payees(
    read: ReadConnection,
    tenant_id: str,
    window: Window,
    filters: Sequence[sa.ColumnElement[bool]],
    after: tuple[str, str] | None,
    rows_max: int,
) -> list[PayeeTotals]:
    """A page of payees by currency and code, with what each was owed and paid in the window.

    The page is cut before postings are added up: it costs what its own payees have.
    """
    query = sa.select(account).where(account.c.tenant_id == tenant_id, _PAYEES, *filters)
    order = (account.c.currency, account.c.code)
    rows = await read.all(page_after(query, order, after=after, rows_max=rows_max))
    sums = await _fetch_sums(read, tenant_id, window, [row["id"] for row in rows])
    nothing = dict.fromkeys(("opening", "owed", "settled"), ZERO)
    return [PayeeTotals(row["id"], account_of(row), **sums.get(row["id"], nothing)) for row in rows]


def named(payee: str | None, currency: str | None) -> list[sa.ColumnElement[bool]]:
    """Filters for payees of a name, or who are owed in a currency."""
    filters = []
    if payee is not None:
        filters.append(account.c.code == payable("", payee).code)
    if currency is not None:
        filters.append(account.c.currency == currency)
    return filters


async def _fetch_sums(
    read: ReadConnection, tenant_id: str, window: Window, ids: Sequence[UUID]
) -> dict[UUID, dict[str, Decimal]]:
    """The amounts of these payees' accounts in a window, above zero for what is owed."""
    moment = posting.c.occurred_at if window.basis == "value" else posting.c.recorded_at
    before = sa.false() if window.from_at is None else moment < window.from_at
    within = sa.not_(before)
    is_invoiced = transaction.c.kind.in_(INVOICED_KINDS)
    query = (
        sa.select(
            posting.c.account_id,
            (-_sum_where(before)).label("opening"),
            (-_sum_where(within, is_invoiced)).label("owed"),
            _sum_where(within, sa.not_(is_invoiced)).label("settled"),
        )
        .join(
            transaction,
            (transaction.c.tenant_id == posting.c.tenant_id)
            & (transaction.c.id == posting.c.transaction_id),
        )
        .where(
            posting.c.tenant_id == tenant_id,
            posting.c.account_id.in_(ids),
            *([moment < window.to_at] if window.to_at is not None else []),
        )
        .group_by(posting.c.account_id)
    )
    rows = await read.all(query)
    return {row["account_id"]: {k: v for k, v in row.items() if k != "account_id"} for row in rows}


async def fetch_totals(
    read: ReadConnection, tenant_id: str, id_: UUID, window: Window
) -> PayeeTotals | None:
    """The same of one payee; None where no payee has this id."""
    payees = await list_payees(read, tenant_id, window, [account.c.id == id_], None, 1)
    return payees[0] if payees else None


async def fetch_payee(read: ReadConnection, tenant_id: str, id_: UUID) -> Account | None:
    """The account of a payee; None where no payee has this id."""
    row = await read.one_or_none(_payee(tenant_id, id_))
    return account_of(row) if row else None


async def lock_payee(tx: WriteConnection, tenant_id: str, id_: UUID) -> Account | None:
    """The same, locked until the transaction ends: so settlements of a payee are decided one after
    the other. It keeps nobody from posting documents, which only refer to the row."""
    row = await tx.one_or_none(_payee(tenant_id, id_).with_for_update(key_share=True))
    return account_of(row) if row else None


def _payee(tenant_id: str, id_: UUID) -> sa.Select[Any]:
    return sa.select(account).where(account.c.tenant_id == tenant_id, account.c.id == id_, _PAYEES)


async def fetch_owed(read: ReadConnection, tenant_id: str, id_: UUID) -> Decimal:
    """What a payee is owed now."""
    balance = await fetch_balance(read, tenant_id, id_, None)
    return ZERO if balance is None else EXACT.minus(balance.balance)


async def fetch_changes(
    read: ReadConnection, tenant_id: str, id_: UUID, window: Window
) -> list[Change]:
    """What changed what a payee is owed in a window: up to one change more than a statement may
    have. Each is an invoice or credit note, with what its lines name the payee for, or a
    settlement or its reversal."""
    moment = posting.c.occurred_at if window.basis == "value" else posting.c.recorded_at
    query = (
        sa.select(
            transaction.c.id.label("transaction_id"),
            transaction.c.kind,
            transaction.c.reference,
            transaction.c.memo,
            transaction.c.occurred_at,
            transaction.c.recorded_at,
            (-posting.c.amount).label("amount"),
        )
        .join(
            transaction,
            (transaction.c.tenant_id == posting.c.tenant_id)
            & (transaction.c.id == posting.c.transaction_id),
        )
        .where(
            posting.c.tenant_id == tenant_id,
            posting.c.account_id == id_,
            posting.c.amount != 0,
            *([moment >= window.from_at] if window.from_at is not None else []),
            *([moment < window.to_at] if window.to_at is not None else []),
        )
        .order_by(*entry_order(window.basis))
        .limit(STATEMENT_ENTRIES_MAX + 1)
    )
    return [Change(**row) for row in await read.all(query)]


# OFFSET 0: each invoice is looked up by its document, and its postings by their transaction.
_BOOKED_BY_KIND = """
SELECT k.tenant_id, k.id
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 CROSS JOIN LATERAL (
       SELECT t.id FROM transaction t
        WHERE t.tenant_id = k.tenant_id AND t.document_id = k.id OFFSET 0) AS t
 WHERE NOT EXISTS (
       SELECT FROM posting p JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.account_id
        WHERE p.tenant_id = k.tenant_id AND p.transaction_id = t.id AND a.class = 'payable'
       OFFSET 0)
"""


async def fetch_booked_by_kind(
    read: ReadConnection, invoices: Sequence[tuple[str, UUID]]
) -> set[tuple[str, UUID]]:
    """Those of these invoices, by tenant and id, that were posted before payees had accounts."""
    if not invoices:
        return set()
    columns = [tenant_id for tenant_id, _ in invoices], [id_ for _, id_ in invoices]
    rows = await read.raw.fetch(_BOOKED_BY_KIND, *columns)
    return {(row["tenant_id"], row["id"]) for row in rows}
