"""Documents as they were made, and what is stored around an invoice for its document to show."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.billing import tables
from gridtally.billing.domain.customers import CustomerBalance
from gridtally.billing.domain.documents import (
    DocumentFormat,
    InvoiceRecord,
    IssuedBefore,
    MeteredPeriod,
    StoredDocument,
    due_after,
)
from gridtally.billing.domain.reference_data import read_version
from gridtally.billing.events.periods import unpack_usage
from gridtally.billing.store.budget_plans import settles_on
from gridtally.billing.store.customers import fetch_customers
from gridtally.billing.store.invoices import fetch_lines, line_of, quality_of
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, insert_rows
from gridtally.documents.facts import (
    EarlierInvoice,
    Replacement,
    ReplacementCause,
    SectionFacts,
    TariffInForce,
)
from gridtally.kernel.periods import Period
from gridtally.rating.quality import quality_of_all
from gridtally.rating.recorded import doubtful_flows, metered
from gridtally.rating.tariff import Part

document = tables.document


async def fetch_content(
    read: ReadConnection, tenant_id: str, document_id: UUID, format_: DocumentFormat
) -> bytes | None:
    """The document of an invoice or credit note as it was made; None where it was not yet."""
    row = await read.one_or_none(
        sa.select(document.c.content).where(
            document.c.tenant_id == tenant_id,
            document.c.id == document_id,
            document.c.format == format_,
        )
    )
    return None if row is None else bytes(row["content"])


async def insert_document(
    tx: WriteConnection, tenant_id: str, made: StoredDocument, customer_id: UUID, now: datetime
) -> None:
    """Store a document for ever, unless another process has stored it already."""
    row = {
        "tenant_id": tenant_id,
        "id": made.id,
        "format": made.format,
        "customer_id": customer_id,
        "sha256": hashlib.sha256(made.content).hexdigest(),
        "content": made.content,
        "created_at": now,
    }
    await insert_rows(tx, document, [row], "ON CONFLICT DO NOTHING")


async def delete_documents_of(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> None:
    """Delete what names a customer who is erased; it is made anew when it is asked for."""
    await tx.execute(
        sa.delete(document).where(
            document.c.tenant_id == tenant_id, document.c.customer_id == customer_id
        )
    )


_INVOICE = """
SELECT i.*, m.name AS meter_name, e.zone, e.expected_intervals, e.parts, e.usage,
       {settles_on} AS settles_on
  FROM invoice i JOIN invoice_evidence e ON (e.tenant_id, e.invoice_id) = (i.tenant_id, i.id)
  LEFT JOIN meter m ON (m.tenant_id, m.id) = (i.tenant_id, i.meter_id)
 WHERE i.tenant_id = $1 AND i.id = $2
""".format(settles_on=settles_on("i"))


async def fetch_record(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> InvoiceRecord | None:
    """The invoice with all that its document shows; None where there is none."""
    rows = await read.raw.fetch(_INVOICE, tenant_id, invoice_id)
    if not rows:
        return await _fetch_collective_record(read, tenant_id, invoice_id)
    (row,) = rows
    customers = await fetch_customers(read, tenant_id, [row["customer_id"]])
    lines = await fetch_lines(read, tenant_id, invoice_id)
    period = Period(row["start_on"], row["end_on"])
    tariffs, parts = await _fetch_tariffs(read, tenant_id, row["parts"])
    series = unpack_usage(row["usage"])
    doubtful = doubtful_flows(series)
    balance = CustomerBalance(row["brought_forward"], row["arrears"])
    return InvoiceRecord(
        id=invoice_id,
        number=row["number"],
        customer=customers[row["customer_id"]],
        meter_id=row["meter_id"],
        meter_name=row["meter_name"],
        period=period,
        zone=row["zone"],
        currency=row["currency"],
        lines=[line_of(line) for line in lines],
        net=row["net"],
        tax=row["tax"],
        total=row["total"],
        issued_at=row["issued_at"],
        balance=balance,
        quality=quality_of(row["quality"]) or quality_of_all(doubtful),
        expected_intervals=row["expected_intervals"],
        tariffs=tariffs,
        metered=MeteredPeriod(
            zone=row["zone"],
            period=period,
            minutes={flow_series.flow: flow_series.minutes for flow_series in series},
            series={flow_series.flow: metered(flow_series) for flow_series in series},
            doubtful=doubtful,
            parts=parts,
        ),
        earlier=await _fetch_earlier(read, tenant_id, row),
        issued_before=await _fetch_issued_before(read, tenant_id, row),
        replaces=await _fetch_replaced(read, tenant_id, row),
        parts=parts,
        settles_on=row["settles_on"],
    )


_COLLECTIVE = """
SELECT i.*, {settles_on} AS settles_on
  FROM invoice i WHERE tenant_id = $1 AND id = $2 AND is_collective
""".format(settles_on=settles_on("i"))
_SECTIONS = """
SELECT i.*, l.line_count, l.change, m.name AS meter_name, e.zone, e.expected_intervals, e.parts
  FROM invoice_section l
  JOIN invoice i ON (i.tenant_id, i.id) = (l.tenant_id, l.section_id)
  JOIN invoice_evidence e ON (e.tenant_id, e.invoice_id) = (l.tenant_id, l.section_id)
  LEFT JOIN meter m ON (m.tenant_id, m.id) = (i.tenant_id, i.meter_id)
 WHERE l.tenant_id = $1 AND l.invoice_id = $2 ORDER BY l.position
"""


async def _fetch_collective_record(
    read: ReadConnection, tenant_id: str, invoice_id: UUID
) -> InvoiceRecord | None:
    """The same of a collective invoice; None where evidence of a section is not stored."""
    row = await read.raw.fetchrow(_COLLECTIVE, tenant_id, invoice_id)
    if row is None:
        return None
    own = await read.raw.fetch(_SECTIONS, tenant_id, invoice_id)
    lines = await fetch_lines(read, tenant_id, invoice_id)
    if not own or sum(section["line_count"] for section in own) != len(lines):
        return None
    customers = await fetch_customers(read, tenant_id, [row["customer_id"]])
    named = [part for section in own for part in section["parts"]]
    tariffs, parts = await _fetch_tariffs(read, tenant_id, named)
    sections = [
        SectionFacts(
            section["meter_name"] or str(section["meter_id"]),
            section["start_on"],
            section["end_on"],
            section["line_count"],
            section["change"] is not None,
        )
        for section in own
    ]
    return InvoiceRecord(
        id=invoice_id,
        number=row["number"],
        customer=customers[row["customer_id"]],
        meter_id=row["meter_id"],
        meter_name=", ".join(dict.fromkeys(section.meter for section in sections)),
        period=Period(row["start_on"], row["end_on"]),
        zone=own[0]["zone"],
        currency=row["currency"],
        lines=[line_of(line) for line in lines],
        net=row["net"],
        tax=row["tax"],
        total=row["total"],
        issued_at=row["issued_at"],
        balance=CustomerBalance(row["brought_forward"], row["arrears"]),
        quality=quality_of(row["quality"]),
        expected_intervals=sum(section["expected_intervals"] for section in own),
        tariffs=tariffs,
        metered=None,
        earlier=None,
        issued_before=await _fetch_issued_before(read, tenant_id, row),
        replaces=await _fetch_replaced_collective(read, tenant_id, row),
        parts=parts,
        sections=sections,
        settles_on=row["settles_on"],
    )


# By the periods that the two have in common: the one before it that had any of them.
_REPLACED_COLLECTIVE = """
SELECT o.number
  FROM invoice own
  JOIN invoice other ON other.tenant_id = own.tenant_id AND other.agreement_id = own.agreement_id
   AND other.start_on = own.start_on
   AND (other.revision, other.restatement) < (own.revision, own.restatement)
  JOIN invoice o ON o.tenant_id = other.tenant_id AND o.id = other.collective_id
 WHERE own.tenant_id = $1 AND own.collective_id = $2
 GROUP BY o.id, o.number, o.issued_at ORDER BY o.issued_at DESC, o.number DESC LIMIT 1
"""


async def _fetch_replaced_collective(
    read: ReadConnection, tenant_id: str, row: Row
) -> Replacement | None:
    """The collective invoice whose place this one took, or None."""
    replaced = await read.raw.fetchrow(_REPLACED_COLLECTIVE, tenant_id, row["id"])
    return None if replaced is None else Replacement(replaced["number"], None)


_VERSIONS = """
SELECT id, name, number, effective_from, document::text AS document
  FROM tariff_version WHERE tenant_id = $1 AND id = ANY($2)
"""


async def _fetch_tariffs(
    read: ReadConnection, tenant_id: str, parts: Sequence[Any]
) -> tuple[list[TariffInForce], list[Part]]:
    """The versions of tariffs by which the parts of a period were billed, as far as they are
    stored."""
    ids = [UUID(part["tariff_version_id"]) for part in parts]
    rows = {row["id"]: row for row in await read.raw.fetch(_VERSIONS, tenant_id, ids)}
    named = [
        TariffInForce(key, rows[key]["name"], rows[key]["number"], rows[key]["effective_from"])
        for key in dict.fromkeys(ids)
        if key in rows
    ]
    known = [
        Part(
            Period(date.fromisoformat(part["start_on"]), date.fromisoformat(part["end_on"])),
            read_version(key, rows[key]["document"]),
        )
        for part, key in zip(parts, ids, strict=True)
        if key in rows
    ]
    return named, known


# The one that a customer could have compared with when this one came: later corrections of the
# period before do not change what was said.
_EARLIER = """
SELECT * FROM invoice
 WHERE tenant_id = $1 AND agreement_id = $2 AND end_on <= $3 AND issued_at <= $4
 ORDER BY start_on DESC, revision DESC, restatement DESC LIMIT 1
"""


async def _fetch_earlier(read: ReadConnection, tenant_id: str, row: Row) -> EarlierInvoice | None:
    rows = await read.raw.fetch(
        _EARLIER, tenant_id, row["agreement_id"], row["start_on"], row["issued_at"]
    )
    if not rows or rows[0]["currency"] != row["currency"]:
        return None
    (earlier,) = rows
    lines = await fetch_lines(read, tenant_id, earlier["id"])
    return EarlierInvoice(
        earlier["number"],
        earlier["start_on"],
        earlier["end_on"],
        [line_of(line) for line in lines],
        earlier["total"],
    )


# Of invoices of one instant nobody knows the order in which they were counted, so that nothing is
# said then.
_ISSUED_BEFORE = """
SELECT number, total, brought_forward, arrears, issued_at, {settles_on} AS settles_on
  FROM invoice i
 WHERE tenant_id = $1 AND customer_id = $2 AND currency = $3 AND issued_at <= $4 AND id <> $5
   AND collective_id IS NULL
 ORDER BY issued_at DESC, number DESC LIMIT 2
""".format(settles_on=settles_on("i"))


async def _fetch_issued_before(
    read: ReadConnection, tenant_id: str, row: Row
) -> IssuedBefore | None:
    rows = await read.raw.fetch(
        _ISSUED_BEFORE,
        tenant_id,
        row["customer_id"],
        row["currency"],
        row["issued_at"],
        row["id"],
    )
    instants = [before["issued_at"] for before in rows]
    if not rows or row["issued_at"] in instants or len(set(instants)) < len(instants):
        return None
    before = rows[0]
    balance = CustomerBalance(before["brought_forward"], before["arrears"])
    due = due_after(before["total"], balance, row["currency"], before["settles_on"])
    return IssuedBefore(before["number"], due)


_REPLACED = """
SELECT number FROM invoice
 WHERE tenant_id = $1 AND agreement_id = $2 AND start_on = $3
   AND (revision, restatement) < ($4, $5)
 ORDER BY revision DESC, restatement DESC LIMIT 1
"""


async def _fetch_replaced(read: ReadConnection, tenant_id: str, row: Row) -> Replacement | None:
    """The invoice whose place this one took, or None."""
    rows = await read.raw.fetch(
        _REPLACED,
        tenant_id,
        row["agreement_id"],
        row["start_on"],
        row["revision"],
        row["restatement"],
    )
    if not rows:
        return None
    return Replacement(rows[0]["number"], "restatement" if row["restatement"] else "revision")


_CREDIT_NOTE = """
SELECT c.*, i.number AS invoice_number,
       (SELECT n.restatement FROM invoice n
         WHERE (n.tenant_id, n.agreement_id, n.start_on) = (i.tenant_id, i.agreement_id, i.start_on)
           AND (n.revision, n.restatement) > (i.revision, i.restatement)
         ORDER BY n.revision, n.restatement LIMIT 1) AS next_restatement
  FROM credit_note c JOIN invoice i ON (i.tenant_id, i.id) = (c.tenant_id, c.invoice_id)
 WHERE c.tenant_id = $1 AND c.id = $2
"""


async def fetch_credit_note(
    read: ReadConnection, tenant_id: str, credit_note_id: UUID
) -> tuple[Row, Replacement] | None:
    """The row of a credit note, and what it is for and why; None where there is none."""
    rows = await read.raw.fetch(_CREDIT_NOTE, tenant_id, credit_note_id)
    if not rows:
        return None
    (row,) = rows
    following = row["next_restatement"]
    cause: ReplacementCause | None = "restatement" if following else "revision"
    if row["extent"] == "part":
        return row, Replacement(row["invoice_number"], None, "part", row["reason"])
    if following is None:
        cause = None
    return row, Replacement(row["invoice_number"], cause, row["extent"])
