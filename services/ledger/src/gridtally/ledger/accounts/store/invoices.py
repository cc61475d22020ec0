"""Invoices and charges as customers are shown them: open items in pages, with their allocations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection
from gridtally.database.pages import page_after
from gridtally.ledger.accounts.domain.open_items import OpenItem, OpenItemState
from gridtally.ledger.accounts.store.open_items import item_of
from gridtally.ledger.accounts.tables import allocation, open_item, transaction


@dataclass(frozen=True, slots=True)
class CustomerOpenItem:
    """An open item with whose it is."""

    customer_id: UUID
    currency: str
    item: OpenItem


async def list_items(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    state: OpenItemState | None,
    overdue_on: date | None,
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[CustomerOpenItem]:
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
        query = query.where(item.total > item.allocated, item.due_on < overdue_on)
    page = page_after(query, (item.issued_at, item.id), after=after, rows_max=rows_max)
    return [_item_of(row) for row in await read.all(page)]


async def fetch_open(
    read: ReadConnection, tenant_id: str, customer_id: UUID, currency: str, rows_max: int
) -> list[OpenItem]:
    """What a customer has open in a currency, the oldest due first."""
    item = open_item.c
    query = (
        sa.select(open_item)
        .where(
            item.tenant_id == tenant_id,
            item.customer_id == customer_id,
            item.currency == currency,
            item.issued_at.is_not(None),
            ~item.voided,
            item.total != item.allocated,
        )
        .order_by(item.due_on, item.issued_at, item.number, item.id)
        .limit(rows_max)
    )
    return [_item_of(row).item for row in await read.all(query)]


def _in_state(state: OpenItemState) -> sa.ColumnElement[bool]:
    """What `OpenItem.state` says, in SQL."""
    item = open_item.c
    match state:
        case "void":
            return item.voided
        case "paid":
            return sa.and_(~item.voided, item.total == item.allocated)
        case "part_paid":
            return sa.and_(~item.voided, item.total != item.allocated, item.allocated != 0)
        case "open":
            return sa.and_(~item.voided, item.total != item.allocated, item.allocated == 0)


async def fetch_item(read: ReadConnection, tenant_id: str, id_: UUID) -> CustomerOpenItem | None:
    """The item of this id; None where there is none, or only its credit note is known."""
    query = sa.select(open_item).where(
        open_item.c.tenant_id == tenant_id,
        open_item.c.id == id_,
        open_item.c.issued_at.is_not(None),
    )
    row = await read.one_or_none(query)
    return _item_of(row) if row else None


def _item_of(row: RowMapping) -> CustomerOpenItem:
    return CustomerOpenItem(row["customer_id"], row["currency"], item_of(row))


@dataclass(frozen=True, slots=True)
class OpenItemAllocation:
    """What a transaction allocated to an item, or took back of what `source_id` had."""

    transaction_id: UUID
    kind: str
    reference: str
    source_id: UUID
    amount: Decimal
    occurred_at: datetime
    recorded_at: datetime


async def list_allocations(
    read: ReadConnection, tenant_id: str, item_id: UUID, allocations_max: int
) -> list[OpenItemAllocation]:
    """The allocations of an item, in the order they were posted."""
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
    return [OpenItemAllocation(**row) for row in await read.all(query)]
