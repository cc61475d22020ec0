"""Previews of corrections: stored for ever, so that a correction can name what it was decided by;
and what they are made of."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.billing import tables
from gridtally.billing.domain.changed_documents import DocumentBill, IssuedDocument
from gridtally.billing.domain.collective_invoices import SectionSize
from gridtally.billing.domain.corrections import IssuedInvoice
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import PeriodKey
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.domain.repeated_credits import Billed
from gridtally.billing.store import credit_notes, evidence, given_credits, invoices
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, insert_rows
from gridtally.rating.engine.exact import add_up
from gridtally.rating.state import read_state

INVOICES_MAX = 60
"""Live invoices of an agreement from the first changed day on: five years of months."""


@dataclass(frozen=True, slots=True)
class CorrectedMeter:
    """A meter as far as a correction needs it."""

    id: UUID
    name: str
    meter_type: str
    property_id: UUID | None
    flows: frozenset[str]


_METERS = """
SELECT id, coalesce(name, id::text) AS name, coalesce(meter_type, 'main') AS meter_type,
       property_id, flows
  FROM meter WHERE tenant_id = $1 AND id = ANY($2)
"""


async def fetch_meters(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> dict[UUID, CorrectedMeter]:
    """The meters, as far as they are known."""
    rows = await read.raw.fetch(_METERS, tenant_id, list(ids))
    return {
        row["id"]: CorrectedMeter(
            row["id"],
            row["name"],
            row["meter_type"],
            row["property_id"],
            frozenset(row["flows"]),
        )
        for row in rows
    }


_AGREEMENTS = """
SELECT a.id FROM unnest($2::uuid[], $3::date[], $4::date[]) AS k (meter_id, start_on, end_on)
  JOIN agreement a ON a.tenant_id = $1 AND a.meter_id = k.meter_id
   AND a.start_on < k.end_on
   AND (a.end_on IS NULL OR a.end_on > greatest(k.start_on, a.start_on))
"""


async def fetch_agreement_ids(
    read: ReadConnection, tenant_id: str, days: Mapping[UUID, tuple[date, date]]
) -> set[UUID]:
    """The agreements of each meter that are in force on any day from the first up to the last."""
    starts = [start_on for start_on, _ in days.values()]
    ends = [end_on for _, end_on in days.values()]
    rows = await read.raw.fetch(_AGREEMENTS, tenant_id, list(days), starts, ends)
    return {row["id"] for row in rows}


# The invoice is found by its period, revision and restatement, which are unique.
_PERIODS = """
SELECT k.agreement_id, b.start_on, b.end_on, i.id
  FROM unnest($2::uuid[]) AS k (agreement_id)
 CROSS JOIN LATERAL (
       SELECT * FROM billed_period p
        WHERE p.tenant_id = $1 AND p.agreement_id = k.agreement_id AND p.end_on > $3
        ORDER BY p.start_on LIMIT $4) AS b
  LEFT JOIN LATERAL (
       SELECT * FROM invoice v
        WHERE v.tenant_id = $1 AND v.agreement_id = k.agreement_id AND v.start_on = b.start_on
          AND v.revision = b.invoiced_revision AND v.restatement = b.restatement
        LIMIT 1) AS i ON true
"""


async def fetch_periods(
    read: ReadConnection, tenant_id: str, agreement_ids: Collection[UUID], from_on: date
) -> list[Row]:
    """The closed periods of these agreements that end after a day, each with its live invoice, as
    far as it has one: `INVOICES_MAX` of each."""
    rows = await read.raw.fetch(_PERIODS, tenant_id, list(agreement_ids), from_on, INVOICES_MAX)
    return sorted(rows, key=lambda row: (row["agreement_id"], row["start_on"]))


_STATES = """
SELECT invoice_id, state_before FROM invoice_evidence
 WHERE tenant_id = $1 AND invoice_id = ANY($2)
"""


async def fetch_issued(
    read: ReadConnection, tenant_id: str, rows: Sequence[Row]
) -> dict[UUID, list[IssuedInvoice]]:
    """The invoices of these periods with all that they rest on, in order, by agreement."""
    keys: dict[PeriodKey, UUID] = {
        (tenant_id, row["agreement_id"], row["start_on"]): row["id"]
        for row in rows
        if row["id"] is not None
    }
    closed_periods = await evidence.fetch_closed_periods(read, keys, dict.fromkeys(keys, ""))
    closed = {period.key: period for period in closed_periods}
    states = {
        row["invoice_id"]: read_state(row["state_before"])
        for row in await read.raw.fetch(_STATES, tenant_id, list(keys.values()))
    }
    stored = await invoices.fetch_invoices(read, [(tenant_id, own) for own in keys.values()])
    credited = await credit_notes.fetch_credited_parts(read, list(stored))
    issued: defaultdict[UUID, list[IssuedInvoice]] = defaultdict(list)
    for key, invoice_id in keys.items():
        invoice = stored[tenant_id, invoice_id]
        issued[key[1]].append(
            IssuedInvoice(
                invoice_id,
                invoice.document_id,
                invoice.number,
                invoice.customer_id,
                invoice.currency,
                invoice.lines,
                invoice.total,
                add_up(part.amount for part in credited.get((tenant_id, invoice_id), {}).values()),
                closed[key],
                states[invoice_id],
            )
        )
    return issued


async def insert_preview(
    tx: WriteConnection, tenant_id: str, preview_id: UUID, document: str, now: datetime
) -> None:
    """Store a preview as it was answered, for ever."""
    row = {"tenant_id": tenant_id, "id": preview_id, "document": document, "made_at": now}
    await insert_rows(tx, tables.correction_preview, [row])


_PREVIEW = "SELECT document FROM correction_preview WHERE tenant_id = $1 AND id = $2"


async def fetch_documents(
    read: ReadConnection, tenant_id: str, issued: Collection[IssuedInvoice]
) -> dict[UUID, IssuedDocument]:
    """The invoices that these were sent as, and what of them is given again when corrected."""
    keys = sorted({(tenant_id, own.document_id) for own in issued})
    stored = await invoices.fetch_invoices(read, keys)
    sections = await invoices.fetch_invoices(
        read,
        [(tenant_id, own.section_id) for invoice in stored.values() for own in invoice.sections],
    )
    credited = await credit_notes.fetch_credited_parts(read, keys)
    bills: defaultdict[Key, set[Billed]] = defaultdict(set)
    for own in issued:
        bills[tenant_id, own.document_id].add(own.closed.key[1:])
    collective = {key: own for key, own in bills.items() if stored[key].is_collective}
    on_collective = await given_credits.fetch_given_on_collective(read, collective)
    of_periods = await given_credits.fetch_given_credits(
        read, [(tenant_id, *billed) for key in bills.keys() - collective for billed in bills[key]]
    )
    return {
        key[1]: IssuedDocument(
            invoice.id,
            invoice.number,
            invoice.customer_id,
            invoice.currency,
            invoice.is_collective,
            invoice.total,
            add_up(part.amount for part in credited.get(key, {}).values()),
            on_collective.get(key, ())
            or of_periods.get((tenant_id, invoice.agreement_id, invoice.start_on), ()),
            [_bill(sections[tenant_id, own.section_id]) for own in invoice.sections]
            or [_bill(invoice)],
        )
        for key, invoice in stored.items()
    }


def _bill(invoice: Invoice) -> DocumentBill:
    size = SectionSize(
        invoice.currency,
        invoice.meter_id,
        invoice.start_on,
        invoice.agreement_id,
        len(invoice.lines),
    )
    return DocumentBill(invoice.id, size, invoice.total)


async def fetch_preview(
    read: ReadConnection, tenant_id: str, preview_id: UUID
) -> dict[str, Any] | None:
    """A preview as it was answered."""
    document: dict[str, Any] | None = await read.raw.fetchval(_PREVIEW, tenant_id, preview_id)
    return document


# By the invoices that were previewed, and by the periods of the new ones, on which credits are
# given again; both are few. Of a collective invoice all sections are issued again, and those that
# stay may be on another one then.
_MADE_BY = """
WITH replaced AS (
    SELECT DISTINCT coalesce(p.collective_id, p.id) AS id FROM invoice p
     WHERE p.tenant_id = $1 AND p.id = ANY($3)),
made AS (
    SELECT DISTINCT coalesce(i.collective_id, i.id) AS id
      FROM (SELECT * FROM unnest($4::uuid[], $5::date[]) AS k (agreement_id, start_on)
             UNION
            SELECT s.agreement_id, s.start_on FROM replaced r
              JOIN invoice s ON s.tenant_id = $1 AND s.collective_id = r.id) k
      JOIN invoice i ON i.tenant_id = $1 AND i.agreement_id = k.agreement_id
       AND i.start_on = k.start_on AND i.correlation_id = $2)
SELECT 'credit_note' AS kind, c.id, c.number, c.agreement_id, -c.total AS total, c.currency
  FROM replaced r JOIN credit_note c ON c.tenant_id = $1 AND c.invoice_id = r.id
 WHERE c.correlation_id = $2
UNION
SELECT 'invoice', o.id, o.number, o.agreement_id, o.total, o.currency
  FROM made m JOIN invoice o ON o.tenant_id = $1 AND o.id = m.id
UNION
SELECT 'credit_note', c.id, c.number, c.agreement_id, -c.total, c.currency
  FROM made m JOIN credit_note c ON c.tenant_id = $1 AND c.invoice_id = m.id
   AND c.repeats IS NOT NULL AND c.correlation_id = $2
 ORDER BY number
"""


async def fetch_made_by(
    read: ReadConnection,
    tenant_id: str,
    correlation_id: str,
    invoice_ids: Sequence[UUID],
    periods: Sequence[tuple[UUID, date]],
) -> list[Row]:
    """What was issued in the place of these invoices, and of these periods (agreement and first
    day), on behalf of a correlation id."""
    agreement_ids = [agreement_id for agreement_id, _ in periods]
    starts = [start_on for _, start_on in periods]
    return list(
        await read.raw.fetch(
            _MADE_BY, tenant_id, correlation_id, list(invoice_ids), agreement_ids, starts
        )
    )
