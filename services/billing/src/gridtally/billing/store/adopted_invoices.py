"""Adopted invoices that wait for their periods."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from gridtally.billing import tables
from gridtally.billing.domain.adoption import Adopted, AdoptedInvoice
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.domain.periods import BilledPeriod, PeriodKey
from gridtally.database import WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows


async def insert_adopted(tx: WriteConnection, invoices: Sequence[Invoice]) -> None:
    """These invoices wait for their periods."""
    rows = [as_row(invoice, tables.adopted_invoice, invoice_id=invoice.id) for invoice in invoices]
    await insert_rows(tx, tables.adopted_invoice, rows, "ON CONFLICT DO NOTHING")


# Nearly always the table is empty: one look at its index for the whole batch.
_FETCH = """
SELECT a.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM adopted_invoice i
        WHERE i.tenant_id = k.tenant_id AND i.agreement_id = k.agreement_id
          AND i.start_on = k.start_on
       OFFSET 0) AS a
 ORDER BY a.revision, a.restatement
"""


async def fetch_adopted(tx: WriteConnection, keys: Collection[PeriodKey]) -> Adopted:
    """The adopted invoices of these periods, as far as they have any."""
    adopted: defaultdict[PeriodKey, list[AdoptedInvoice]] = defaultdict(list)
    for row in await tx.raw.fetch(_FETCH, *columns_of(keys, 3)):
        adopted[row["tenant_id"], row["agreement_id"], row["start_on"]].append(
            AdoptedInvoice(row["revision"], row["restatement"], row["invoice_id"])
        )
    return adopted


# Those that are taken, and those whose place they take.
_DELETE = """
DELETE FROM adopted_invoice a
 USING unnest($1::text[], $2::uuid[], $3::date[], $4::int[], $5::int[])
       AS k (tenant_id, agreement_id, start_on, revision, restatement)
 WHERE (a.tenant_id, a.agreement_id, a.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
   AND (a.revision, a.restatement) <= (k.revision, k.restatement)
"""


async def delete_adopted(tx: WriteConnection, billed_periods: Sequence[BilledPeriod]) -> None:
    """The invoices of these periods wait no more, later ones than the periods' own excepted."""
    await tx.raw.execute(
        _DELETE,
        *columns_of([billed.key for billed in billed_periods], 3),
        [billed.closed.revision for billed in billed_periods],
        [billed.restatement for billed in billed_periods],
    )
