"""Rebillings: append-only."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import RowMapping

from gridtally.billing.domain.rebillings import Rebilling
from gridtally.billing.store.json_columns import JsonColumns, as_texts, from_json
from gridtally.billing.tables import credit_note, invoice, rebilling
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import among, as_row, from_row, insert_rows

IN_JSON: JsonColumns = {
    "invoice_ids": TypeAdapter(tuple[UUID, ...]),
    "withdrawn": TypeAdapter(tuple[date, ...]),
}


async def insert_rebilling(tx: WriteConnection, new: Rebilling) -> None:
    """Store a rebilling, for ever."""
    await insert_rows(tx, rebilling, [as_row(new, rebilling) | as_texts(new, IN_JSON)])


async def fetch_rebilling(
    read: ReadConnection, tenant_id: str, rebilling_id: UUID
) -> Rebilling | None:
    """A rebilling, or None."""
    row = await read.one_or_none(
        sa.select(rebilling).where(
            rebilling.c.tenant_id == tenant_id, rebilling.c.id == rebilling_id
        )
    )
    return None if row is None else _rebilling_of(row)


async def list_rebillings(
    read: ReadConnection,
    tenant_id: str,
    agreement_id: UUID | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[Rebilling]:
    """Rebillings, of one agreement where it is named, the newest first, those before the instant
    and id `after`."""
    query = sa.select(rebilling).where(rebilling.c.tenant_id == tenant_id)
    if agreement_id is not None:
        query = query.where(rebilling.c.agreement_id == agreement_id)
    newest_first = (rebilling.c.rebilled_at, rebilling.c.id)
    page = page_after(query, newest_first, after=after, rows_max=rows_max, descending=True)
    return [_rebilling_of(row) for row in await read.all(page)]


def _rebilling_of(row: RowMapping) -> Rebilling:
    return from_row(Rebilling, row, **from_json(row, IN_JSON))


async def fetch_notes_of(
    read: ReadConnection, tenant_id: str, invoice_ids: Sequence[UUID]
) -> Sequence[RowMapping]:
    """The credit notes that cancelled these invoices, with `invoice_number` and the period, in the
    order of their periods."""
    return await read.all(
        sa.select(
            credit_note,
            invoice.c.number.label("invoice_number"),
            invoice.c.start_on,
            invoice.c.end_on,
        )
        .select_from(
            credit_note.join(
                invoice,
                (invoice.c.tenant_id == credit_note.c.tenant_id)
                & (invoice.c.id == credit_note.c.invoice_id),
            )
        )
        .where(
            credit_note.c.tenant_id == tenant_id,
            among(credit_note.c.invoice_id, invoice_ids),
            credit_note.c.extent != "part",
        )
        .order_by(invoice.c.start_on, invoice.c.id)
    )
