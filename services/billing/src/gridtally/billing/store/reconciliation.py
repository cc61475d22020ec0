"""Sums over all that was issued, by which billing checks itself."""

from collections.abc import Sequence
from typing import Any

from gridtally.database import ReadConnection

# Invoices beside their credit notes and the sums of their lines, which are stored apart.
_TOTALS = """
SELECT currency, count(*) AS invoices, sum(total) AS invoiced,
       sum(notes)::bigint AS credit_notes, sum(credited) AS credited,
       coalesce(sum(total - credited) FILTER (WHERE cancels = 0), 0) AS live_total,
       count(*) FILTER (WHERE cancels = 0) AS live, sum(lines) AS lines_total,
       count(*) FILTER (WHERE credited > greatest(total, 0) AND cancels = 0) AS overcredited,
       (SELECT coalesce(sum(t.total), 0) FROM issued_total t
         WHERE t.tenant_id = $1 AND t.currency = documents.currency) AS issued_total
  FROM (SELECT i.currency, i.total, c.notes, c.cancels, c.credited,
               (SELECT sum(l.amount) FROM invoice_line l
                 WHERE l.tenant_id = i.tenant_id AND l.invoice_id = i.id) AS lines
          FROM invoice i CROSS JOIN LATERAL (
               SELECT count(*) AS notes, count(*) FILTER (WHERE n.extent <> 'part') AS cancels,
                      coalesce(sum(n.total), 0) AS credited
                 FROM credit_note n
                WHERE n.tenant_id = i.tenant_id AND n.invoice_id = i.id) AS c
         WHERE i.tenant_id = $1 AND i.collective_id IS NULL) AS documents
 GROUP BY currency ORDER BY currency
"""


async def fetch_totals(read: ReadConnection, tenant_id: str) -> Sequence[Any]:
    """Counts and sums of invoices, lines and credit notes per currency."""
    return await read.raw.fetch(_TOTALS, tenant_id)


# A number is its series and a serial: taken apart, the documents of a series are counted against
# the counter that gave the serials.
_SERIES = """
SELECT n.series, n.issued, count(d.number) AS documents,
       count(DISTINCT d.number) FILTER (WHERE d.serial BETWEEN 1 AND n.issued) AS in_order
  FROM number_series n
  LEFT JOIN (SELECT number, regexp_replace(number, '-[0-9]+$', '') AS series,
                    substring(number FROM '[0-9]+$')::bigint AS serial
               FROM (SELECT number FROM invoice WHERE tenant_id = $1 AND collective_id IS NULL
                     UNION ALL SELECT number FROM credit_note WHERE tenant_id = $1) AS numbers
            ) AS d USING (series)
 WHERE n.tenant_id = $1 GROUP BY n.series, n.issued ORDER BY n.series
"""


async def fetch_series(read: ReadConnection, tenant_id: str) -> Sequence[Any]:
    """How many numbers of each series were issued, and how many documents have one of them."""
    return await read.raw.fetch(_SERIES, tenant_id)


# `behind`: the newest revision has no invoice, so a held period must stand for it,
# unless nothing is billed of it. What was withdrawn is no period any more.
_PERIODS = """
SELECT count(*) FILTER (WHERE unbilled IS DISTINCT FROM 'withdrawn') AS periods,
       (SELECT count(*) FROM invoice i
         WHERE i.tenant_id = $1 AND NOT i.is_collective
           AND NOT EXISTS (SELECT FROM credit_note n
                            WHERE n.tenant_id = i.tenant_id AND n.extent <> 'part'
                              AND n.invoice_id = coalesce(i.collective_id, i.id))) AS live,
       (SELECT count(*) FROM invoice c CROSS JOIN LATERAL (
               SELECT coalesce(sum(s.total), 0) AS total, count(*) AS sections FROM invoice s
                WHERE s.tenant_id = c.tenant_id AND s.collective_id = c.id) AS own
         WHERE c.tenant_id = $1 AND c.is_collective
           AND (c.total <> own.total
                OR own.sections <> (SELECT count(*) FROM invoice_section l
                                     WHERE l.tenant_id = c.tenant_id
                                       AND l.invoice_id = c.id))) AS unlike_sections,
       count(*) FILTER (WHERE invoiced_revision IS NOT NULL) AS invoiced,
       count(*) FILTER (WHERE invoiced_revision IS DISTINCT FROM revision
                          AND unbilled IS NULL) AS behind,
       (SELECT count(*) FROM held_period
         WHERE tenant_id = $1 AND dismissed_at IS NULL) AS held,
       coalesce(sum(energy_wh) FILTER (WHERE unbilled IS DISTINCT FROM 'withdrawn'), 0)::bigint
           AS energy_wh
  FROM billed_period WHERE tenant_id = $1
"""


async def fetch_periods(read: ReadConnection, tenant_id: str) -> Any:
    """How many periods came, have a live invoice or section, are invoiced, are behind their newest
    revision, and are held; the energy of all of them; and how many collective invoices are not the
    sum of their sections."""
    return await read.raw.fetchrow(_PERIODS, tenant_id)


# Of invoices that stand, the lines less what credit notes of parts have credited of them, which lie
# under the positions of the lines. Where nobody is named, only taxes are for somebody else.
_PAYEES = """
SELECT i.currency, l.payee, sum(l.amount - coalesce(part.credited, 0)) AS owed
  FROM invoice i
  JOIN invoice_line l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
  LEFT JOIN (SELECT n.invoice_id, c.position, sum(c.amount) AS credited
               FROM credit_note n
               JOIN credit_note_line c ON c.tenant_id = n.tenant_id AND c.credit_note_id = n.id
              WHERE n.tenant_id = $1 AND n.extent = 'part'
              GROUP BY n.invoice_id, c.position) AS part
    ON part.invoice_id = i.id AND part.position = l.position
 WHERE i.tenant_id = $1 AND i.collective_id IS NULL AND (l.payee IS NOT NULL OR l.kind = 'tax')
   AND NOT EXISTS (SELECT FROM credit_note n
                    WHERE n.tenant_id = $1 AND n.invoice_id = i.id AND n.extent <> 'part')
 GROUP BY i.currency, l.payee ORDER BY i.currency, l.payee NULLS LAST
"""


async def fetch_payees(read: ReadConnection, tenant_id: str) -> Sequence[Any]:
    """What lines of invoices that stand name each payee for, in each currency; None stands for the
    tax authority, of taxes that name nobody."""
    return await read.raw.fetch(_PAYEES, tenant_id)
