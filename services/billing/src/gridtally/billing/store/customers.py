"""Customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from gridtally.billing import tables
from gridtally.billing.domain.customers import Address, Contact, Customer, TaxExemption
from gridtally.billing.store.json_columns import JsonColumns, as_json, as_texts, from_json
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.constraints import rejecting
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, among, as_row, columns_of, from_row, insert_rows, stored
from gridtally.kernel.billing_calendars import BillingCalendar
from gridtally.kernel.errors import Conflict, Fault
from gridtally.kernel.resources import Stored

customer = tables.customer

_ADDRESS: TypeAdapter[Address | None] = TypeAdapter(Address | None)
_CONTACTS: TypeAdapter[tuple[Contact, ...]] = TypeAdapter(tuple[Contact, ...])
_EXEMPTIONS: TypeAdapter[tuple[TaxExemption, ...]] = TypeAdapter(tuple[TaxExemption, ...])
_CALENDAR: TypeAdapter[BillingCalendar | None] = TypeAdapter(BillingCalendar | None)
_IN_JSON: JsonColumns = {
    "billing_address": _ADDRESS,
    "supply_address": _ADDRESS,
    "contacts": _CONTACTS,
    "tax_exemptions": _EXEMPTIONS,
    "billing_calendar": _CALENDAR,
}
SEARCHED = ("name", "number", "email", "phone_number")
"""The columns in which a list is searched for a text."""
REFUSALS = {
    "customer_number": Conflict(
        "customer_number_taken",
        "another customer has this number",
        (Fault("/number", "is taken"),),
    ),
    "agreement_tenant_id_customer_id_fkey": Conflict(
        "in_use", "agreements name this customer; it can be erased, but not deleted"
    ),
}


@dataclass(frozen=True, slots=True)
class CustomerFilters:
    """Which customers a list shows; None for all. `text` is a part of name, number, e-mail address,
    telephone number or an address, in small or capital letters."""

    text: str | None = None
    number: str | None = None
    email: str | None = None
    merged_into: UUID | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on the table."""
        equal = {"number": self.number, "email": self.email, "merged_into": self.merged_into}
        named = [customer.c[name] == value for name, value in equal.items() if value is not None]
        if self.text is not None:
            texts: list[sa.ColumnElement[Any]] = [customer.c[name] for name in SEARCHED]
            texts += [
                sa.cast(customer.c[name], sa.Text) for name in ("billing_address", "supply_address")
            ]
            named.append(sa.or_(*(part.icontains(self.text, autoescape=True) for part in texts)))
        return named


def _row_of(new: Customer, **columns: Any) -> dict[str, Any]:
    return as_row(new, customer, **columns) | as_json(new, _IN_JSON)


def insertable_row(new: Customer, **columns: Any) -> dict[str, Any]:
    """The row of a customer, as many are inserted at once."""
    return as_row(new, customer, **columns) | as_texts(new, _IN_JSON)


async def insert_customers(
    tx: WriteConnection, tenant_id: str, customers: Sequence[Customer], now: datetime
) -> set[UUID]:
    """Add those customers whose ids are free, and return these ids.

    Conflict where another customer has one of their numbers.
    """
    rows = [
        insertable_row(new, tenant_id=tenant_id, created_at=now, updated_at=now)
        for new in customers
    ]
    with rejecting(REFUSALS):
        added = await insert_rows(
            tx, customer, rows, "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id"
        )
    return {row["id"] for row in added}


async def update_customer(
    tx: WriteConnection, tenant_id: str, changed: Customer, now: datetime
) -> Stored[Customer]:
    """Store what a customer is now as its next version, to be published.

    Conflict where another one has the number.
    """
    row = _row_of(changed, updated_at=now)
    with rejecting(REFUSALS):
        (updated,) = await tx.all(
            sa.update(customer)
            .where(customer.c.tenant_id == tenant_id, customer.c.id == row.pop("id"))
            .values(**row, version=customer.c.version + 1, published=False)
            .returning(customer)
        )
    return _stored(updated)


async def delete_customer(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> None:
    """Remove a customer; Conflict where an agreement names it."""
    with rejecting(REFUSALS):
        await tx.execute(
            sa.delete(customer).where(
                customer.c.tenant_id == tenant_id, customer.c.id == customer_id
            )
        )


async def fetch_customers(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Customer]:
    """The customers by their ids, as far as they exist."""
    known = await fetch_stored(read, tenant_id, ids)
    return {customer_id: row.resource for customer_id, row in known.items()}


async def lock_customers_shared(
    tx: WriteConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Customer]:
    """The same; nobody changes or merges them until this transaction ends."""
    query = sa.select(customer).where(customer.c.tenant_id == tenant_id, among(customer.c.id, ids))
    rows = await tx.all(query.order_by(customer.c.id).with_for_update(read=True))
    return {row["id"]: _customer_of(row) for row in rows}


async def fetch_stored(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Stored[Customer]]:
    """The same with their versions."""
    rows = await read.all(
        sa.select(customer).where(customer.c.tenant_id == tenant_id, among(customer.c.id, ids))
    )
    return {row["id"]: _stored(row) for row in rows}


async def fetch_customer(
    read: ReadConnection, tenant_id: str, customer_id: UUID, *, lock: bool = False
) -> Stored[Customer] | None:
    """A customer with its version; with `lock`, locked until the transaction ends."""
    query = sa.select(customer).where(
        customer.c.tenant_id == tenant_id, customer.c.id == customer_id
    )
    row = await read.one_or_none(query.with_for_update(key_share=True) if lock else query)
    return None if row is None else _stored(row)


async def lock_name(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> str | None:
    """The customer's name, which stays so until the transaction ends."""
    query = sa.select(customer.c.name).where(
        customer.c.tenant_id == tenant_id, customer.c.id == customer_id
    )
    row = await tx.one_or_none(query.with_for_update(read=True))
    return None if row is None else str(row["name"])


async def list_customers(
    read: ReadConnection,
    tenant_id: str,
    filters: CustomerFilters,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[Stored[Customer]]:
    """Customers by name, those after the name and id `after`."""
    query = sa.select(customer).where(customer.c.tenant_id == tenant_id, *filters.conditions())
    page = page_after(query, (customer.c.name, customer.c.id), after=after, rows_max=rows_max)
    return [_stored(row) for row in await read.all(page)]


_HAS_INVOICES = """
SELECT EXISTS (SELECT FROM issued_total WHERE tenant_id = $1 AND customer_id = $2)
"""


async def has_invoices(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether anything was ever issued to a customer."""
    return bool(await read.raw.fetchval(_HAS_INVOICES, tenant_id, customer_id))


def _customer_of(row: Row) -> Customer:
    return from_row(Customer, row, **from_json(row, _IN_JSON))


def _stored(row: Row) -> Stored[Customer]:
    return stored(_customer_of(row), row)


async def claim_unpublished(
    tx: WriteConnection, customers_max: int
) -> list[tuple[str, Stored[Customer]]]:
    """Customers of all tenants whose newest version was not published yet, locked, with their
    tenants.

    Not FOR UPDATE, which would hold up agreements that refer to a customer. SKIP LOCKED: another
    process that publishes is left alone.
    """
    rows = await tx.all(
        sa.select(customer)
        .where(customer.c.published.is_(False))
        .order_by(customer.c.tenant_id, customer.c.id)
        .limit(customers_max)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [(row["tenant_id"], _stored(row)) for row in rows]


_UPDATE_PUBLISHED = """
UPDATE customer c SET published = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id)
"""


async def update_published(tx: WriteConnection, keys: Sequence[tuple[str, UUID]]) -> None:
    """Record that these customers, who are locked, are in the outbox."""
    await tx.raw.execute(_UPDATE_PUBLISHED, *columns_of(keys, 2))
