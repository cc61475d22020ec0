"""Credit notes: append-only; the invoice of each is void from then on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.invoices import CreditNote
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, insert_rows

credit_note = tables.credit_note


async def insert_credit_notes(tx: WriteConnection, notes: Sequence[CreditNote]) -> None:
    """Store credit notes, for ever."""
    await insert_rows(tx, credit_note, [as_row(note, credit_note) for note in notes])


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
    read: ReadConnection, tenant_id: str, after: tuple[Any, ...] | None, rows_max: int
) -> Sequence[RowMapping]:
    """Credit notes, the newest first, those before the instant and id `after`."""
    query = sa.select(credit_note).where(credit_note.c.tenant_id == tenant_id)
    newest_first = (credit_note.c.issued_at, credit_note.c.id)
    return await read.all(
        page_after(query, newest_first, after=after, rows_max=rows_max, descending=True)
    )
