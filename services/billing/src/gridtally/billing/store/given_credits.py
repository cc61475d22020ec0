"""Credits by hand that are to be given again when what they were given on is corrected."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import PeriodKey
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.domain.repeated_credits import Billed, GivenCredit
from gridtally.billing.store.invoices import fetch_invoices
from gridtally.database import ReadConnection
from gridtally.database.rows import Row, columns_of

# Of each period the notes that were given first, on whichever of its invoices, the oldest first.
# OFFSET 0: invoices are looked up by their period, notes by their invoice, lines by their note.
_GIVEN = """
SELECT k.tenant_id, k.agreement_id, k.start_on, n.id, n.invoice_id, n.reason, n.credited_by,
       n.total, l.positions, l.amounts
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT id FROM invoice i
        WHERE i.tenant_id = k.tenant_id AND i.agreement_id = k.agreement_id
          AND i.start_on = k.start_on OFFSET 0) AS i
 CROSS JOIN LATERAL (
       SELECT * FROM credit_note n
        WHERE n.tenant_id = k.tenant_id AND n.invoice_id = i.id AND n.extent = 'part'
          AND n.repeat_on_correction AND n.repeats IS NULL OFFSET 0) AS n
 CROSS JOIN LATERAL (
       SELECT array_agg(o.position ORDER BY o.position) AS positions,
              array_agg(o.amount ORDER BY o.position) AS amounts
         FROM credit_note_line o
        WHERE o.tenant_id = k.tenant_id AND o.credit_note_id = n.id) AS l
 ORDER BY n.issued_at, n.number
"""


async def fetch_given_credits(
    read: ReadConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, list[GivenCredit]]:
    """What was credited by hand on the invoices of these periods and is to be repeated."""
    rows = await read.raw.fetch(_GIVEN, *columns_of(keys, 3)) if keys else []
    given: defaultdict[PeriodKey, list[GivenCredit]] = defaultdict(list)
    for row, credit in zip(rows, await _given(read, rows), strict=True):
        given[row["tenant_id"], row["agreement_id"], row["start_on"]].append(credit)
    return given


# A collective invoice has no period by which those before it are found, but its sections have. Not
# what lives on another invoice by now, of several into which one was divided.
_GIVEN_ON_COLLECTIVE = """
SELECT d.tenant_id, d.replaced_id, n.id, n.invoice_id, n.reason, n.credited_by, n.total,
       l.positions, l.amounts
  FROM (SELECT DISTINCT k.tenant_id, k.replaced_id, i.collective_id
          FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::date[])
               AS k (tenant_id, replaced_id, agreement_id, start_on)
         CROSS JOIN LATERAL (
               SELECT collective_id FROM invoice i
                WHERE i.tenant_id = k.tenant_id AND i.agreement_id = k.agreement_id
                  AND i.start_on = k.start_on AND i.collective_id IS NOT NULL OFFSET 0) AS i) AS d
 CROSS JOIN LATERAL (
       SELECT * FROM credit_note n
        WHERE n.tenant_id = d.tenant_id AND n.invoice_id = d.collective_id AND n.extent = 'part'
          AND n.repeat_on_correction AND n.repeats IS NULL OFFSET 0) AS n
 CROSS JOIN LATERAL (
       SELECT array_agg(o.position ORDER BY o.position) AS positions,
              array_agg(o.amount ORDER BY o.position) AS amounts
         FROM credit_note_line o
        WHERE o.tenant_id = d.tenant_id AND o.credit_note_id = n.id) AS l
 WHERE NOT EXISTS (
       SELECT FROM (SELECT n.invoice_id UNION ALL
                    SELECT r.invoice_id FROM credit_note r
                     WHERE r.tenant_id = d.tenant_id AND r.repeats = n.id) AS o
        WHERE o.invoice_id <> d.replaced_id
          AND NOT EXISTS (SELECT FROM credit_note c
                           WHERE c.tenant_id = d.tenant_id AND c.invoice_id = o.invoice_id
                             AND c.extent <> 'part'))
 ORDER BY n.issued_at, n.number
"""


async def fetch_given_on_collective(
    read: ReadConnection, sections: Mapping[Key, Collection[Billed]]
) -> dict[Key, list[GivenCredit]]:
    """The same of collective invoices, by the key of each, whose sections are of these bills."""
    keys = [(*key, *billed) for key, bills in sections.items() for billed in bills]
    rows = await read.raw.fetch(_GIVEN_ON_COLLECTIVE, *columns_of(keys, 4)) if keys else []
    given: defaultdict[Key, list[GivenCredit]] = defaultdict(list)
    for row, credit in zip(rows, await _given(read, rows), strict=True):
        given[row["tenant_id"], row["replaced_id"]].append(credit)
    return given


async def _given(read: ReadConnection, rows: Sequence[Row]) -> list[GivenCredit]:
    """The credits of these rows."""
    keys = {(row["tenant_id"], row["invoice_id"]) for row in rows}
    stored = await fetch_invoices(read, sorted(keys))
    section_keys = {
        (key[0], section.section_id) for key, own in stored.items() for section in own.sections
    }
    bills = await fetch_invoices(read, sorted(section_keys))
    given = []
    for row in rows:
        invoice = stored[row["tenant_id"], row["invoice_id"]]
        lines = _billed_lines(invoice, bills)
        charges = [
            (lines[position - 1], item, amount)
            for position, amount in zip(row["positions"], row["amounts"], strict=True)
            if (item := invoice.lines[position - 1].item).kind != "tax"
        ]
        given.append(
            GivenCredit(row["id"], row["reason"], row["credited_by"], row["total"], charges)
        )
    return given


def _billed_lines(invoice: Invoice, sections: Mapping[Key, Invoice]) -> list[Billed]:
    """The bill that each line of an invoice is of."""
    if not invoice.sections:
        return [(invoice.agreement_id, invoice.start_on)] * len(invoice.lines)
    bills: list[Billed] = []
    for section in invoice.sections:
        own = sections[invoice.tenant_id, section.section_id]
        bills += [(own.agreement_id, own.start_on)] * section.line_count
    return bills
