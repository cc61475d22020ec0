"""Sections of collective invoices: append-only, with the evidence of those that stay."""

from collections.abc import Collection, Sequence

from gridtally.billing import tables
from gridtally.billing.domain.collective_members import CollectiveKey
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.reference_data import Key
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows

invoice_section = tables.invoice_section


async def insert_sections(tx: WriteConnection, invoices: Sequence[Invoice]) -> None:
    """Store the sections of collective invoices, for ever."""
    rows = [
        as_row(
            section, invoice_section, tenant_id=own.tenant_id, invoice_id=own.id, position=number
        )
        for own in invoices
        for number, section in enumerate(own.sections, start=1)
    ]
    await insert_rows(tx, invoice_section, rows)


_REVISIONS = """
SELECT k.tenant_id, k.customer_id, k.start_on, coalesce(max(i.revision), 0) AS revision
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, customer_id, start_on)
  LEFT JOIN LATERAL (
       SELECT o.revision FROM invoice o
        WHERE (o.tenant_id, o.agreement_id, o.start_on)
            = (k.tenant_id, k.customer_id, k.start_on) OFFSET 0) AS i ON true
 GROUP BY k.tenant_id, k.customer_id, k.start_on
"""


async def fetch_revisions_so_far(
    read: ReadConnection, keys: Collection[CollectiveKey]
) -> dict[CollectiveKey, int]:
    """How many collective invoices from a first day on a customer has had, by tenant, customer and
    first day; all agreements of the customers are locked."""
    rows = await read.raw.fetch(_REVISIONS, *columns_of(keys, 3))
    return {
        (row["tenant_id"], row["customer_id"], row["start_on"]): row["revision"] for row in rows
    }


_WITH_EVIDENCE = """
SELECT e.tenant_id, e.invoice_id FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, invoice_id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, invoice_id FROM invoice_evidence o
        WHERE o.tenant_id = k.tenant_id AND o.invoice_id = k.invoice_id LIMIT 1) AS e
"""


async def fetch_with_evidence(read: ReadConnection, sections: Collection[Key]) -> set[Key]:
    """Those of these sections of which there is evidence: not of what was adopted after a restore,
    until its period comes again."""
    rows = await read.raw.fetch(_WITH_EVIDENCE, *columns_of(sections, 2)) if sections else []
    return {(row["tenant_id"], row["invoice_id"]) for row in rows}


# The evidence of a section that stays is that of the one before it, and so is its state.
_COPY_EVIDENCE = """
INSERT INTO invoice_evidence
       (tenant_id, invoice_id, zone, connected_kw, closed_by, expected_intervals,
        present_intervals, digest, usage, state_before, state_after, parts, prices)
SELECT e.tenant_id, k.new_id, e.zone, e.connected_kw, e.closed_by, e.expected_intervals,
       e.present_intervals, e.digest, e.usage, e.state_before, e.state_after, e.parts, e.prices
  FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS k (tenant_id, old_id, new_id)
 CROSS JOIN LATERAL (
       SELECT * FROM invoice_evidence o
        WHERE o.tenant_id = k.tenant_id AND o.invoice_id = k.old_id LIMIT 1) AS e
"""
_RESTATED = """
UPDATE billed_period b SET restatement = k.restatement
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::int[], $5::int[])
       AS k (tenant_id, agreement_id, start_on, revision, restatement)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
   AND b.invoiced_revision = k.revision
"""


async def carry_over(tx: WriteConnection, staying: Sequence[tuple[Invoice, Invoice]]) -> None:
    """Sections that stay have the evidence of the ones before them (each first of the two), and are
    live in their place."""
    copies = [(old.tenant_id, old.id, new.id) for old, new in staying]
    await tx.raw.execute(_COPY_EVIDENCE, *columns_of(copies, 3))
    rows = [
        (new.tenant_id, new.agreement_id, new.start_on, new.revision, new.restatement)
        for _, new in staying
    ]
    await tx.raw.execute(_RESTATED, *columns_of(rows, 5))
