"""Credit notes and the lines of those that are of a part of an invoice, or its rest: append-only.

An invoice is void from that credit note on that is not of a part.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.credit_notes import ZERO, CreditedPart, CreditNote
from gridtally.billing.domain.reference_data import Key
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, columns_of, from_row, insert_rows
from gridtally.kernel.money import EXACT
from gridtally.rating.engine.lines import Line

credit_note, credit_note_line = tables.credit_note, tables.credit_note_line


async def insert_credit_notes(tx: WriteConnection, notes: Sequence[CreditNote]) -> None:
    """Store credit notes, for ever, with the lines of those that are not of a whole invoice."""
    await insert_rows(tx, credit_note, [as_row(note, credit_note) for note in notes])
    rows = [
        as_row(
            line,
            credit_note_line,
            tenant_id=note.tenant_id,
            credit_note_id=note.id,
            position=position,
            unit=line.item.unit,
            rate=line.item.rate,
        )
        for note in notes
        if note.extent != "whole"
        for position, line in zip(note.positions or (), note.lines, strict=True)
    ]
    await insert_rows(tx, credit_note_line, rows)


# Of these keys, those that one cancels; by the unique index of notes that do.
_CANCELLED = """
SELECT c.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, invoice_id FROM credit_note n
        WHERE n.tenant_id = k.tenant_id AND n.invoice_id = k.invoice_id AND n.extent <> 'part'
        LIMIT 1) AS c
"""


async def fetch_cancelled(read: ReadConnection, invoices: Collection[Key]) -> set[Key]:
    """Those of these invoices, by tenant and id, that a credit note has cancelled."""
    if not invoices:
        return set()
    rows = await read.raw.fetch(_CANCELLED, *columns_of(invoices, 2))
    return {(row["tenant_id"], row["invoice_id"]) for row in rows}


# OFFSET 0: each invoice is looked up by the index of its notes, and each note's lines by their key.
_CREDITED = """
SELECT k.tenant_id, k.invoice_id, l.position, l.amount, l.quantity
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
 CROSS JOIN LATERAL (
       SELECT n.id FROM credit_note n
        WHERE n.tenant_id = k.tenant_id AND n.invoice_id = k.invoice_id AND n.extent = 'part'
       OFFSET 0) AS n
 CROSS JOIN LATERAL (
       SELECT * FROM credit_note_line o
        WHERE o.tenant_id = k.tenant_id AND o.credit_note_id = n.id OFFSET 0) AS l
"""


async def fetch_credited_parts(
    read: ReadConnection, invoices: Collection[Key]
) -> dict[Key, dict[int, CreditedPart]]:
    """What credit notes of parts have credited of these invoices' lines, by position; an invoice
    that has none is left out."""
    if not invoices:
        return {}
    credited: defaultdict[Key, dict[int, CreditedPart]] = defaultdict(dict)
    for row in await read.raw.fetch(_CREDITED, *columns_of(invoices, 2)):
        lines = credited[row["tenant_id"], row["invoice_id"]]
        before = lines.get(row["position"], CreditedPart(ZERO, ZERO))
        lines[row["position"]] = CreditedPart(
            EXACT.add(before.amount, row["amount"]), EXACT.add(before.quantity, row["quantity"])
        )
    return credited


def lines_of(rows: Sequence[Row], invoice_lines: Sequence[Line]) -> dict[int, Line]:
    """The lines of a credit note by their positions, from their rows and the invoice's lines."""
    lines = {}
    for row in rows:
        line = invoice_lines[row["position"] - 1]
        if row["amount"] != line.amount:
            item = replace(line.item, unit=row["unit"], rate=row["rate"], quantity_rounding=None)
            line = from_row(Line, row, item=item, quality=None)
        lines[row["position"]] = line
    return lines


async def fetch_credit_note_lines(
    read: ReadConnection, tenant_id: str, credit_note_id: UUID
) -> Sequence[Row]:
    """The rows of a credit note's lines, in order; none for one of a whole invoice."""
    return await read.all(
        sa.select(credit_note_line)
        .where(
            credit_note_line.c.tenant_id == tenant_id,
            credit_note_line.c.credit_note_id == credit_note_id,
        )
        .order_by(credit_note_line.c.position)
    )


async def fetch_credit_note(
    read: ReadConnection, tenant_id: str, credit_note_id: UUID
) -> RowMapping | None:
    """A credit note, or None."""
    return await read.one_or_none(
        sa.select(credit_note).where(
            credit_note.c.tenant_id == tenant_id, credit_note.c.id == credit_note_id
        )
    )


async def fetch_credit_notes_of(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> Sequence[RowMapping]:
    """The credit notes of an invoice, the oldest first; one that cancels it is the last."""
    return await read.all(
        sa.select(credit_note)
        .where(credit_note.c.tenant_id == tenant_id, credit_note.c.invoice_id == invoice_id)
        .order_by(credit_note.c.extent != "part", credit_note.c.issued_at, credit_note.c.number)
    )


async def list_credit_notes(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, Any],
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Credit notes whose columns equal `filters`, the newest first, those before the instant and
    id `after`."""
    query = sa.select(credit_note).where(
        credit_note.c.tenant_id == tenant_id,
        *(credit_note.c[name] == value for name, value in filters.items()),
    )
    newest_first = (credit_note.c.issued_at, credit_note.c.id)
    return await read.all(
        page_after(query, newest_first, after=after, rows_max=rows_max, descending=True)
    )
