"""Credit notes: append-only; the invoice of each is void from then on."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.invoices import CreditNote
from gridtally.billing.domain.reference_data import Key
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, insert_rows

credit_note = tables.credit_note


async def insert_credit_notes(tx: WriteConnection, notes: Sequence[CreditNote]) -> None:
    """Store credit notes, for ever."""
    await insert_rows(tx, credit_note, [as_row(note, credit_note) for note in notes])


# Of these keys, those that have one; by the unique constraint's index.
_CREDITED = """
SELECT c.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, invoice_id FROM credit_note n
        WHERE n.tenant_id = k.tenant_id AND n.invoice_id = k.invoice_id LIMIT 1) AS c
"""


async def fetch_credited(read: ReadConnection, invoices: Collection[Key]) -> set[Key]:
    """Those of these invoices, by tenant and id, that have their credit note."""
    if not invoices:
        return set()
    rows = await read.raw.fetch(_CREDITED, *columns_of(invoices, 2))
    return {(row["tenant_id"], row["invoice_id"]) for row in rows}


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
