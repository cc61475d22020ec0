"""Invoices and their lines: append-only. An invoice is void where a credit note, not only
of a part, has its id; a section of a collective invoice where that is."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.invoices import Invoice, InvoiceState, Section
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.store.budget_plans import settles_on
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, columns_of, from_row, insert_rows
from gridtally.kernel.money import plain
from gridtally.kernel.periods import Period
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.json_form import as_json
from gridtally.rating.quantity_steps import QuantityRounding

invoice, invoice_line, credit_note = tables.invoice, tables.invoice_line, tables.credit_note


async def insert_invoices(tx: WriteConnection, invoices: Sequence[Invoice]) -> None:
    """Store invoices, for ever; their lines are stored by `insert_lines`."""
    rows = [as_row(issued, invoice, quality=quality_json(issued.quality)) for issued in invoices]
    await insert_rows(tx, invoice, rows)


async def insert_lines(tx: WriteConnection, lines: Mapping[Key, Sequence[Line]]) -> None:
    """Store the lines of invoices, by tenant and invoice, for ever."""
    rows = [
        _line_row(line, tenant_id=tenant_id, invoice_id=invoice_id, position=position)
        for (tenant_id, invoice_id), invoice_lines in lines.items()
        for position, line in enumerate(invoice_lines, start=1)
    ]
    await insert_rows(tx, invoice_line, rows)


def _line_row(line: Line, **keys: Any) -> dict[str, Any]:
    days = line.item.part
    item_columns = as_row(
        line.item,
        invoice_line,
        start_on=days.start_on,
        end_on=days.end_on,
        quantity_rounding=_rounding_json(line.item.quantity_rounding),
    )
    quality = quality_json(line.quality)
    return as_row(line, invoice_line, **item_columns, quality=quality, **keys)


def line_of(row: Row) -> Line:
    """A line from its row."""
    item = from_row(
        Item,
        row,
        part=Period(row["start_on"], row["end_on"]),
        quantity_rounding=_rounding_of(row["quantity_rounding"]),
    )
    return from_row(Line, row, item=item, quality=quality_of(row["quality"]))


def _rounding_json(rounding: QuantityRounding | None) -> str | None:
    return None if rounding is None else json.dumps(as_json(rounding))


def _rounding_of(fields: Mapping[str, Any] | None) -> QuantityRounding | None:
    if fields is None:
        return None
    return QuantityRounding(**dict(fields) | {"step_kwh": Decimal(fields["step_kwh"])})


def quality_json(quality: DataQuality | None) -> str | None:
    """A quality as its column has it, without what is nothing."""
    return None if quality is None else _quality_json(quality)


@lru_cache(maxsize=1024)
def _quality_json(quality: DataQuality) -> str:
    fields = {name: value for name, value in asdict(quality).items() if value}
    return json.dumps(fields, default=plain)


def quality_of(fields: Mapping[str, Any] | None) -> DataQuality | None:
    """The quality that a column has."""
    if fields is None:
        return None
    known: dict[str, Any] = {
        name: Decimal(value) if name.endswith("_kwh") else value for name, value in fields.items()
    }
    return DataQuality(**known)


# Keys go in as two arrays and one plan serves any number of them.
_INVOICES = """
SELECT i.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN invoice i USING (tenant_id, id)
"""
_LINES = """
SELECT l.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
  JOIN invoice_line l USING (tenant_id, invoice_id)
 ORDER BY l.tenant_id, l.invoice_id, l.position
"""


async def fetch_invoices(read: ReadConnection, keys: Sequence[Key]) -> dict[Key, Invoice]:
    """The invoices of these tenants and ids, with their lines and sections."""
    if not keys:
        return {}
    columns = columns_of(keys, 2)
    rows = await read.raw.fetch(_INVOICES, *columns)
    collective = [(row["tenant_id"], row["id"]) for row in rows if row["is_collective"]]
    sections = await fetch_sections(read, collective)
    lines: defaultdict[Key, list[Line]] = defaultdict(list)
    for row in await read.raw.fetch(_LINES, *columns):
        lines[row["tenant_id"], row["invoice_id"]].append(line_of(row))
    return {
        (row["tenant_id"], row["id"]): from_row(
            Invoice,
            row,
            lines=lines[row["tenant_id"], row["id"]],
            quality=quality_of(row["quality"]),
            sections=sections.get((row["tenant_id"], row["id"]), ()),
        )
        for row in rows
    }


_SECTIONS = """
SELECT s.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
 CROSS JOIN LATERAL (
       SELECT * FROM invoice_section o
        WHERE o.tenant_id = k.tenant_id AND o.invoice_id = k.invoice_id OFFSET 0) AS s
 ORDER BY s.tenant_id, s.invoice_id, s.position
"""


async def fetch_sections(
    read: ReadConnection, collective: Sequence[Key]
) -> dict[Key, list[Section]]:
    """The sections of these collective invoices, in their order."""
    rows = await read.raw.fetch(_SECTIONS, *columns_of(collective, 2)) if collective else []
    sections: defaultdict[Key, list[Section]] = defaultdict(list)
    for row in rows:
        sections[row["tenant_id"], row["invoice_id"]].append(from_row(Section, row))
    return sections


# By the unique index of an agreement's invoices.
_LIVE_AFTER = """
SELECT i.id FROM invoice i
 WHERE i.tenant_id = $1 AND i.agreement_id = $2 AND i.end_on > $3
   AND NOT EXISTS (SELECT FROM credit_note c
                    WHERE c.tenant_id = i.tenant_id AND c.extent <> 'part'
                      AND c.invoice_id = coalesce(i.collective_id, i.id))
 ORDER BY i.start_on LIMIT $4
"""


async def fetch_live_after(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, end_on: date, invoices_max: int
) -> list[Key]:
    """The live invoices of an agreement, or sections of collective ones, that bill days from a day
    on, the earliest first."""
    rows = await read.raw.fetch(_LIVE_AFTER, tenant_id, agreement_id, end_on, invoices_max)
    return [(tenant_id, row["id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """None asks for all; periods lie within `start_on` to `end_on`. A collective invoice is one of
    the agreements and meters of its sections."""

    customer_id: UUID | None = None
    agreement_id: UUID | None = None
    meter_id: UUID | None = None
    start_on: date | None = None
    end_on: date | None = None
    state: InvoiceState | None = None
    number: str | None = None


_STATE = sa.case((credit_note.c.id.is_(None), "issued"), else_="void").label("state")
_SETTLES_ON = sa.literal_column(settles_on("invoice"), sa.Date).label("settles_on")
_WITH_STATE = sa.select(invoice, _STATE, _SETTLES_ON).select_from(
    invoice.outerjoin(
        credit_note,
        (credit_note.c.tenant_id == invoice.c.tenant_id)
        & (credit_note.c.invoice_id == sa.func.coalesce(invoice.c.collective_id, invoice.c.id))
        & (credit_note.c.extent != "part"),
    )
)


async def list_invoices(
    read: ReadConnection,
    tenant_id: str,
    filters: InvoiceFilter,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Invoices with their `state`, the newest first, those before the instant and id `after`."""
    conditions = [
        column == value
        for column, value in (
            (invoice.c.customer_id, filters.customer_id),
            (invoice.c.number, filters.number),
            (_STATE.element, filters.state),
        )
        if value is not None
    ]
    for column, value in (("agreement_id", filters.agreement_id), ("meter_id", filters.meter_id)):
        if value is not None:
            conditions.append(_has(tenant_id, column, value))
    if filters.start_on is not None:
        conditions.append(invoice.c.start_on >= filters.start_on)
    if filters.end_on is not None:
        conditions.append(invoice.c.end_on <= filters.end_on)
    query = _WITH_STATE.where(
        invoice.c.tenant_id == tenant_id, invoice.c.collective_id.is_(None), *conditions
    )
    newest_first = (invoice.c.issued_at, invoice.c.id)
    return await read.all(
        page_after(query, newest_first, after=after, rows_max=rows_max, descending=True)
    )


def _has(tenant_id: str, column: str, value: UUID) -> sa.ColumnElement[bool]:
    """Whether an invoice, or one of its sections, has this value: found by the value's index."""
    own = invoice.alias("own")
    return invoice.c.id.in_(
        sa.select(sa.func.coalesce(own.c.collective_id, own.c.id)).where(
            own.c.tenant_id == tenant_id, own.c[column] == value
        )
    )


async def fetch_invoice(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> RowMapping | None:
    """An invoice with its `state`, or None."""
    return await read.one_or_none(
        _WITH_STATE.where(invoice.c.tenant_id == tenant_id, invoice.c.id == invoice_id)
    )


async def fetch_revisions_of_period(
    read: ReadConnection, tenant_id: str, agreement_id: UUID, start_on: date
) -> Sequence[RowMapping]:
    """All invoices, or sections, that a period has had, with their `state`, in their order."""
    return await read.all(
        _WITH_STATE.where(
            invoice.c.tenant_id == tenant_id,
            invoice.c.agreement_id == agreement_id,
            invoice.c.start_on == start_on,
        ).order_by(invoice.c.revision, invoice.c.restatement)
    )


async def fetch_revisions(read: ReadConnection, tenant_id: str, row: Row) -> Sequence[RowMapping]:
    """All invoices that the period of an invoice has had, with their `state`, in their order; of a
    collective one, all that had the period of one of its sections."""
    if not row["is_collective"]:
        return await fetch_revisions_of_period(
            read, tenant_id, row["agreement_id"], row["start_on"]
        )
    own, other = invoice.alias("own"), invoice.alias("other")
    ids = (
        sa.select(other.c.collective_id)
        .select_from(
            own.join(
                other,
                (other.c.tenant_id == own.c.tenant_id)
                & (other.c.agreement_id == own.c.agreement_id)
                & (other.c.start_on == own.c.start_on),
            )
        )
        .where(own.c.tenant_id == tenant_id, own.c.collective_id == row["id"])
    )
    return await read.all(
        _WITH_STATE.where(invoice.c.tenant_id == tenant_id, invoice.c.id.in_(ids)).order_by(
            invoice.c.issued_at, invoice.c.number
        )
    )


_SECTION_ROWS = """
SELECT s.section_id, s.line_count, s.change, i.agreement_id, i.meter_id, i.start_on, i.end_on,
       i.revision, i.restatement, i.net, i.tax, i.total, i.quality, i.proof_root, i.approved_by,
       i.approved_at
  FROM invoice_section s
  JOIN invoice i ON i.tenant_id = s.tenant_id AND i.id = s.section_id
 WHERE s.tenant_id = $1 AND s.invoice_id = $2 ORDER BY s.position
"""


async def list_sections(read: ReadConnection, tenant_id: str, row: Row) -> Sequence[Row]:
    """The sections of a collective invoice, as its event has them; none of another one."""
    if not row["is_collective"]:
        return []
    return list(await read.raw.fetch(_SECTION_ROWS, tenant_id, row["id"]))


async def fetch_lines(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> Sequence[RowMapping]:
    """The lines of an invoice, in their order."""
    return await read.all(
        sa.select(invoice_line)
        .where(invoice_line.c.tenant_id == tenant_id, invoice_line.c.invoice_id == invoice_id)
        .order_by(invoice_line.c.position)
    )
