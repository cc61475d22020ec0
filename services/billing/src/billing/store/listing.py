"""What the API reads: pages of rows of one tenant, and what belongs to one invoice.

Every statement names the tenant itself, so that indexes serve it; row-level security is the net.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from billing.domain.invoices import State
from billing.tables import (
    agreement,
    cost_day,
    credit_note,
    customer,
    held_period,
    invoice,
    invoice_evidence,
    invoice_line,
)
from database import ReadConnection

Rows = Sequence[RowMapping]
Position = tuple[Any, ...] | None
"""Where the page before ended."""

_CREDITED = invoice.outerjoin(
    credit_note,
    (credit_note.c.tenant_id == invoice.c.tenant_id) & (credit_note.c.invoice_id == invoice.c.id),
)
_STATE = sa.case((credit_note.c.id.is_(None), "issued"), else_="void").label("state")
_INVOICES = sa.select(invoice, _STATE).select_from(_CREDITED)


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """None asks for all; periods lie within `start_on` to `end_on`."""

    customer_id: UUID | None = None
    agreement_id: UUID | None = None
    meter_id: UUID | None = None
    start_on: date | None = None
    end_on: date | None = None
    state: State | None = None
    number: str | None = None


async def list_invoices(
    read: ReadConnection, tenant_id: str, wanted: InvoiceFilter, after: Position, rows_max: int
) -> Rows:
    """Invoices, the newest first."""
    conditions = [
        column == value
        for column, value in (
            (invoice.c.customer_id, wanted.customer_id),
            (invoice.c.agreement_id, wanted.agreement_id),
            (invoice.c.meter_id, wanted.meter_id),
            (invoice.c.number, wanted.number),
            (_STATE.element, wanted.state),
        )
        if value is not None
    ]
    if wanted.start_on is not None:
        conditions.append(invoice.c.start_on >= wanted.start_on)
    if wanted.end_on is not None:
        conditions.append(invoice.c.end_on <= wanted.end_on)
    statement = _INVOICES.where(invoice.c.tenant_id == tenant_id, *conditions)
    position = sa.tuple_(invoice.c.issued_at, invoice.c.id)
    if after is not None:
        statement = statement.where(position < after)
    return await read.all(
        statement.order_by(invoice.c.issued_at.desc(), invoice.c.id.desc()).limit(rows_max)
    )


async def fetch_invoice(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> RowMapping | None:
    """An invoice, or None."""
    return await read.one_or_none(
        _INVOICES.where(invoice.c.tenant_id == tenant_id, invoice.c.id == invoice_id)
    )


async def fetch_revisions(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> Rows:
    """All invoices that a period has had, in their order."""
    return await read.all(
        _INVOICES.where(
            invoice.c.tenant_id == tenant_id,
            invoice.c.agreement_id == agreement_id,
            invoice.c.start_on == start_on,
        ).order_by(invoice.c.revision, invoice.c.restatement)
    )


async def fetch_lines(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> Rows:
    """The lines of an invoice, in their order."""
    return await read.all(
        sa.select(invoice_line)
        .where(invoice_line.c.tenant_id == tenant_id, invoice_line.c.invoice_id == invoice_id)
        .order_by(invoice_line.c.position)
    )


async def fetch_evidence(read: ReadConnection, tenant_id: str, invoice_id: UUID) -> RowMapping:
    """What an invoice, which exists, was computed from."""
    (row,) = await read.all(
        sa.select(invoice_evidence).where(
            invoice_evidence.c.tenant_id == tenant_id, invoice_evidence.c.invoice_id == invoice_id
        )
    )
    return row


async def fetch_credit_note_of(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> RowMapping | None:
    """The credit note of an invoice, or None."""
    return await read.one_or_none(
        sa.select(credit_note).where(
            credit_note.c.tenant_id == tenant_id, credit_note.c.invoice_id == invoice_id
        )
    )


async def list_credit_notes(
    read: ReadConnection, tenant_id: str, after: Position, rows_max: int
) -> Rows:
    """Credit notes, the newest first."""
    statement = sa.select(credit_note).where(credit_note.c.tenant_id == tenant_id)
    if after is not None:
        position = sa.tuple_(credit_note.c.issued_at, credit_note.c.id)
        statement = statement.where(position < after)
    return await read.all(
        statement.order_by(credit_note.c.issued_at.desc(), credit_note.c.id.desc()).limit(rows_max)
    )


async def list_held(read: ReadConnection, tenant_id: str, after: Position, rows_max: int) -> Rows:
    """Held periods by agreement and day."""
    held = held_period.c
    shown = [column for column in held if column.name not in ("event", "due")]
    statement = sa.select(*shown).where(held.tenant_id == tenant_id)
    if after is not None:
        statement = statement.where(sa.tuple_(held.agreement_id, held.start_on) > after)
    return await read.all(statement.order_by(held.agreement_id, held.start_on).limit(rows_max))


async def list_customers(
    read: ReadConnection, tenant_id: str, after: Position, rows_max: int
) -> Rows:
    """Customers by name."""
    statement = sa.select(customer).where(customer.c.tenant_id == tenant_id)
    if after is not None:
        statement = statement.where(sa.tuple_(customer.c.name, customer.c.id) > after)
    return await read.all(statement.order_by(customer.c.name, customer.c.id).limit(rows_max))


async def fetch_customer(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> RowMapping | None:
    """A customer, or None."""
    return await read.one_or_none(
        sa.select(customer).where(customer.c.tenant_id == tenant_id, customer.c.id == customer_id)
    )


async def list_agreements(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID | None,
    meter_id: UUID | None,
    after: Position,
    rows_max: int,
) -> Rows:
    """Agreements by their id."""
    statement = sa.select(agreement).where(agreement.c.tenant_id == tenant_id)
    if customer_id is not None:
        statement = statement.where(agreement.c.customer_id == customer_id)
    if meter_id is not None:
        statement = statement.where(agreement.c.meter_id == meter_id)
    if after is not None:
        statement = statement.where(agreement.c.id > after[0])
    return await read.all(statement.order_by(agreement.c.id).limit(rows_max))


async def fetch_agreement(
    read: ReadConnection, tenant_id: str, agreement_id: UUID
) -> RowMapping | None:
    """An agreement, or None."""
    return await read.one_or_none(
        sa.select(agreement).where(
            agreement.c.tenant_id == tenant_id, agreement.c.id == agreement_id
        )
    )


async def fetch_costs(
    read: ReadConnection, tenant_id: str, meter_id: UUID, start_on: date, end_on: date
) -> Rows:
    """The costs of a meter's local days from start to end."""
    return await read.all(
        sa.select(cost_day)
        .where(
            cost_day.c.tenant_id == tenant_id,
            cost_day.c.meter_id == meter_id,
            cost_day.c.day >= start_on,
            cost_day.c.day < end_on,
        )
        .order_by(cost_day.c.day)
    )
