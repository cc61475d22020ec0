"""Customers and agreements."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from billing.domain.agreements import Agreement, Customer
from billing.store.rows import insert_rows
from billing.tables import agreement, credit_note, customer, invoice
from database import ReadConnection, WriteConnection
from kernel.errors import Conflict


async def insert_customers(
    tx: WriteConnection, tenant_id: str, customers: Sequence[Customer], now: datetime
) -> set[UUID]:
    """Add those customers whose ids are free; which ones."""
    rows = await insert_rows(
        tx,
        customer,
        [(tenant_id, one.id, one.name, one.email, one.currency, now) for one in customers],
        "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id",
    )
    return {row["id"] for row in rows}


async def fetch_customers(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Customer]:
    """The customers by their ids, as far as they exist."""
    rows = await read.all(
        sa.select(customer).where(customer.c.tenant_id == tenant_id, customer.c.id.in_(ids))
    )
    return {row["id"]: customer_of(row) for row in rows}


def customer_of(row: Any) -> Customer:
    """A customer from its row."""
    return Customer(row["id"], row["name"], row["email"], row["currency"])


async def insert_agreements(
    tx: WriteConnection, tenant_id: str, agreements: Sequence[Agreement], now: datetime
) -> set[UUID]:
    """Add those agreements whose ids are free; which ones.

    Conflict where a meter has another agreement on some of the days.
    """
    try:
        rows = await insert_rows(
            tx,
            agreement,
            [
                (
                    tenant_id,
                    one.id,
                    one.customer_id,
                    one.meter_id,
                    one.tariff_id,
                    one.start_on,
                    one.end_on,
                    one.closing,
                    one.grace_hours,
                    one.version,
                    now,
                    now,
                )
                for one in agreements
            ],
            "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id",
        )
    except asyncpg.ExclusionViolationError:
        raise _overlap() from None
    return {row["id"] for row in rows}


async def fetch_agreements(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Agreement]:
    """The agreements by their ids, as far as they exist."""
    rows = await read.all(
        sa.select(agreement).where(agreement.c.tenant_id == tenant_id, agreement.c.id.in_(ids))
    )
    return {row["id"]: agreement_of(row) for row in rows}


async def lock_agreement(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID
) -> Agreement | None:
    """The agreement, which nobody else changes or bills until this transaction ends."""
    row = await tx.one_or_none(
        sa.select(agreement)
        .where(agreement.c.tenant_id == tenant_id, agreement.c.id == agreement_id)
        .with_for_update()
    )
    return None if row is None else agreement_of(row)


async def update_agreement(
    tx: WriteConnection, tenant_id: str, changed: Agreement, now: datetime
) -> None:
    """Store a changed agreement; Conflict where another one of its meter is in the way."""
    try:
        await tx.raw.execute(
            "UPDATE agreement SET end_on = $3, closing = $4, grace_hours = $5, version = $6, "
            "updated_at = $7 WHERE tenant_id = $1 AND id = $2",
            tenant_id,
            changed.id,
            changed.end_on,
            changed.closing,
            changed.grace_hours,
            changed.version,
            now,
        )
    except asyncpg.ExclusionViolationError:
        raise _overlap() from None


async def fetch_invoiced_until(
    read: ReadConnection, tenant_id: str, agreement_id: UUID
) -> date | None:
    """The last day's end that a live invoice of the agreement covers."""
    until: date | None = await read.scalar(
        sa.select(sa.func.max(invoice.c.end_on))
        .select_from(
            invoice.outerjoin(
                credit_note,
                (credit_note.c.tenant_id == invoice.c.tenant_id)
                & (credit_note.c.invoice_id == invoice.c.id),
            )
        )
        .where(
            invoice.c.tenant_id == tenant_id,
            invoice.c.agreement_id == agreement_id,
            credit_note.c.id.is_(None),
        )
    )
    return until


def agreement_of(row: Any) -> Agreement:
    """An agreement from its row."""
    return Agreement(
        id=row["id"],
        customer_id=row["customer_id"],
        meter_id=row["meter_id"],
        tariff_id=row["tariff_id"],
        start_on=row["start_on"],
        end_on=row["end_on"],
        closing=row["closing"],
        grace_hours=row["grace_hours"],
        version=row["version"],
    )


def _overlap() -> Conflict:
    return Conflict("agreement_overlap", "the meter has another agreement on some of these days")
