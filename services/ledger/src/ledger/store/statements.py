"""What customers are shown: statements, balances as of a moment, open items, and their age.

A customer's accounts count together: what is owed less what is credit, so that spending the credit
on an invoice changes nothing that was owed on balance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection
from kernel.money import EXACT
from ledger.domain.accounts import CUSTOMERS
from ledger.domain.transactions import ZERO, Item, ItemState
from ledger.store.accounts import By, until
from ledger.store.items import item_of
from ledger.store.rows import After
from ledger.tables import account, allocation, open_item, posting, transaction

STATEMENT_ENTRIES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a customer's statement: what a transaction changed of what is owed on balance."""

    transaction_id: UUID
    kind: str
    reference: str
    memo: str
    occurred_at: datetime
    recorded_at: datetime
    amount: Decimal


def _of_customer(tenant_id: str, customer_id: UUID, currency: str) -> sa.ColumnElement[bool]:
    """A posting on one of the customer's accounts in a currency."""
    mine = sa.select(account.c.id).where(
        account.c.tenant_id == tenant_id,
        account.c.customer_id == customer_id,
        account.c.currency == currency,
    )
    return sa.and_(posting.c.tenant_id == tenant_id, posting.c.account_id.in_(mine))


async def fetch_statement(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    currency: str,
    from_at: datetime,
    to_at: datetime,
    by: By = "value",
) -> tuple[Decimal, list[Entry]]:
    """What a customer owed at `from_at`, and up to one entry more than a statement may have.

    What moves money between the customer's own accounts only is left out.
    """
    mine = _of_customer(tenant_id, customer_id, currency)
    moment = posting.c.occurred_at if by == "value" else posting.c.recorded_at
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
    shown = (transaction.c.occurred_at if by == "value" else transaction.c.recorded_at).label("at")
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
        .order_by(shown, transaction.c.recorded_at, transaction.c.id)
        .limit(STATEMENT_ENTRIES_MAX + 1)
    )
    return opening, [Entry(**row) for row in await read.all(query)]


@dataclass(frozen=True, slots=True)
class CustomerItem:
    """An item with whose it is."""

    customer_id: UUID
    currency: str
    item: Item


@dataclass(frozen=True, slots=True)
class Aged:
    """Whose open items are asked for, and when: now, or as of a moment; aged on the day `on`."""

    on: date
    as_of: datetime | None = None
    by: By = "value"
    customer_id: UUID | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer owes in one currency at a moment; each amount above zero as its name says."""

    currency: str
    receivable: Decimal
    prepaid: Decimal
    export_payable: Decimal
    arrears: Decimal

    @property
    def balance(self) -> Decimal:
        """What is owed, all in all."""
        return EXACT.subtract(self.receivable, EXACT.add(self.prepaid, self.export_payable))


async def fetch_standing(
    read: ReadConnection, tenant_id: str, customer_id: UUID, asked: Aged
) -> list[Standing]:
    """Every currency's standing, now or as of a moment; arrears were due before the day asked."""
    sign = sa.case((account.c["class"] == "receivable", 1), else_=-1)
    if asked.as_of is None:
        held = account.c.debits - account.c.credits
        query = sa.select(account.c.currency).where(account.c.tenant_id == tenant_id)
    else:
        held = posting.c.amount
        query = (
            sa.select(account.c.currency)
            .join(
                posting,
                (posting.c.tenant_id == account.c.tenant_id)
                & (posting.c.account_id == account.c.id),
            )
            .where(account.c.tenant_id == tenant_id, until(asked.as_of, asked.by))
        )
    query = (
        query.add_columns(
            *(
                sa.func.coalesce(
                    sa.func.sum(sign * held).filter(account.c["class"] == each), ZERO
                ).label(each)
                for each in CUSTOMERS
            )
        )
        .where(account.c.customer_id == customer_id)
        .group_by(account.c.currency)
        .order_by(account.c.currency)
    )
    aged = await fetch_ages(read, tenant_id, replace(asked, customer_id=customer_id))
    arrears = {one.currency: one.overdue for one in aged}
    return [
        Standing(**row, arrears=arrears.get(row["currency"], ZERO)) for row in await read.all(query)
    ]


@dataclass(frozen=True, slots=True)
class Ages:
    """Open items above zero by days since they were due; `not_due` are due after the day.

    `overdue` were due before it. `customer_id` is None where all customers count together.
    """

    currency: str
    customer_id: UUID | None
    not_due: Decimal
    days_0_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    days_over_90: Decimal
    total: Decimal
    overdue: Decimal


# Now, from what items hold; as of a moment, from what had been allocated by then. Allocations are
# looked up item by item, customer by customer: one customer, or a page of them, costs no more than
# its own (measured with a million allocations: 2 ms instead of 1.8 s for one customer).
_OPEN_NOW = """
SELECT customer_id, currency, due_on, total - settled AS open FROM open_item
 WHERE tenant_id = :tenant AND total <> settled AND issued_at IS NOT NULL
"""
_OPEN_THEN = """
SELECT i.customer_id, i.currency, i.due_on, i.total - s.settled AS open
  FROM open_item i
  JOIN transaction t ON t.tenant_id = i.tenant_id AND t.document_id = i.id
 CROSS JOIN LATERAL (SELECT coalesce(sum(a.amount), 0) AS settled FROM allocation a
                      WHERE a.tenant_id = i.tenant_id AND a.item_id = i.id
                        AND a.{moment} <= :as_of) AS s
 WHERE i.tenant_id = :tenant AND t.{moment} <= :as_of AND i.issued_at IS NOT NULL
"""
# No day is taken from another: the driver has the first and last of all days as infinity.
_AGES = """
SELECT currency, {customer} AS customer_id,
       coalesce(sum(open) FILTER (WHERE due_on > day), 0) AS not_due,
       coalesce(sum(open) FILTER (WHERE due_on BETWEEN day - 30 AND day), 0) AS days_0_30,
       coalesce(sum(open) FILTER (WHERE due_on BETWEEN day - 60 AND day - 31), 0) AS days_31_60,
       coalesce(sum(open) FILTER (WHERE due_on BETWEEN day - 90 AND day - 61), 0) AS days_61_90,
       coalesce(sum(open) FILTER (WHERE due_on < day - 90), 0) AS days_over_90,
       sum(open) AS total, coalesce(sum(open) FILTER (WHERE due_on < day), 0) AS overdue
  FROM (SELECT *, CAST(:on AS date) AS day FROM ({open}) AS o WHERE open > 0
           AND (CAST(:customer AS uuid) IS NULL OR customer_id = :customer)
           AND (CAST(:currency AS text) IS NULL OR currency = :currency)
           AND (CAST(:after AS uuid) IS NULL OR customer_id > :after)) AS aged
 GROUP BY 2, 1 ORDER BY 2, 1 LIMIT :most
"""


async def fetch_ages(read: ReadConnection, tenant_id: str, asked: Aged) -> list[Ages]:
    """One row for each currency."""
    return await _ages(read, tenant_id, asked, "CAST(NULL AS uuid)", None, None)


async def list_ages(
    read: ReadConnection, tenant_id: str, asked: Aged, after: UUID | None, limit: int
) -> list[Ages]:
    """A page of customers in one currency, by their ids."""
    return await _ages(read, tenant_id, asked, "customer_id", after, limit)


async def _ages(
    read: ReadConnection,
    tenant_id: str,
    asked: Aged,
    customer: str,
    after: UUID | None,
    limit: int | None,
) -> list[Ages]:
    moment = "occurred_at" if asked.by == "value" else "recorded_at"
    then = _OPEN_NOW if asked.as_of is None else _OPEN_THEN.format(moment=moment)
    query = sa.text(_AGES.format(customer=customer, open=then))
    parameters = {
        "tenant": tenant_id, "on": asked.on, "customer": asked.customer_id,
        "currency": asked.currency, "after": after, "most": limit,
    }  # fmt: skip
    if asked.as_of is not None:
        parameters["as_of"] = asked.as_of
    return [Ages(**row) for row in await read.all(query, parameters)]


async def list_items(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    state: ItemState | None,
    overdue_on: date | None,
    after: After | None,
    limit: int,
) -> list[CustomerItem]:
    """A page of items whose columns equal `filters`, the oldest first.

    `overdue_on` leaves only those with something to be paid that was due before that day.
    """
    item = open_item.c
    query = sa.select(open_item).where(
        item.tenant_id == tenant_id,
        item.issued_at.is_not(None),
        *(item[name] == value for name, value in filters.items()),
    )
    if state is not None:
        query = query.where(_in_state(state))
    if overdue_on is not None:
        query = query.where(item.total > item.settled, item.due_on < overdue_on)
    if after is not None:
        query = query.where(sa.tuple_(item.issued_at, item.id) > sa.tuple_(*after))
    query = query.order_by(item.issued_at, item.id).limit(limit)
    return [_customer_item(row) for row in await read.all(query)]


async def fetch_item(read: ReadConnection, tenant_id: str, id_: UUID) -> CustomerItem | None:
    """One item."""
    query = sa.select(open_item).where(
        open_item.c.tenant_id == tenant_id,
        open_item.c.id == id_,
        open_item.c.issued_at.is_not(None),
    )
    row = await read.one_or_none(query)
    return _customer_item(row) if row else None


@dataclass(frozen=True, slots=True)
class ItemAllocation:
    """What settled an item, or took that back."""

    transaction_id: UUID
    kind: str
    reference: str
    source_id: UUID
    amount: Decimal
    occurred_at: datetime
    recorded_at: datetime


async def list_allocations(
    read: ReadConnection, tenant_id: str, item_id: UUID, allocations_max: int
) -> list[ItemAllocation]:
    """The allocations of an item, in the order they were booked."""
    query = (
        sa.select(
            allocation.c.transaction_id,
            transaction.c.kind,
            transaction.c.reference,
            allocation.c.source_id,
            allocation.c.amount,
            allocation.c.occurred_at,
            allocation.c.recorded_at,
        )
        .join(
            transaction,
            (transaction.c.tenant_id == allocation.c.tenant_id)
            & (transaction.c.id == allocation.c.transaction_id),
        )
        .where(allocation.c.tenant_id == tenant_id, allocation.c.item_id == item_id)
        .order_by(allocation.c.recorded_at, allocation.c.transaction_id, allocation.c.line)
        .limit(allocations_max)
    )
    return [ItemAllocation(**row) for row in await read.all(query)]


def _in_state(state: ItemState) -> sa.ColumnElement[bool]:
    item = open_item.c
    match state:
        case "void":
            return item.voided
        case "paid":
            return sa.and_(~item.voided, item.total == item.settled)
        case "part_paid":
            return sa.and_(~item.voided, item.total != item.settled, item.settled != 0)
        case "open":
            return sa.and_(~item.voided, item.total != item.settled, item.settled == 0)


def _customer_item(row: RowMapping) -> CustomerItem:
    return CustomerItem(row["customer_id"], row["currency"], item_of(row))
