"""Batches of direct debits as rows, and what the books say of each debit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from gridtally.contracts.direct_debits import DirectDebitBatchChanged, DirectDebitChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, sorted_page
from gridtally.database.rows import columns_of, from_row
from gridtally.ledger.accounts.domain.direct_debits import (
    Batch,
    Collectable,
    Debit,
    DebitPosition,
)
from gridtally.ledger.accounts.domain.payment_files.matches import Match, NamedInvoice
from gridtally.ledger.accounts.store.mandates import USED, mandate_of
from gridtally.ledger.accounts.tables.direct_debits import direct_debit_batch


@dataclass(frozen=True, slots=True)
class BatchPosition:
    """A batch with its version, what its debits come to, and how many of them came in."""

    batch: Batch
    version: int
    count: int
    total: Decimal
    collected: int


@dataclass(frozen=True, slots=True)
class DebitedInvoice:
    """What a debit collects, of an item as it stands now.

    returned_at  when the bank gave it back; None where it has not
    """

    amount: Decimal
    invoice: NamedInvoice
    returned_at: datetime | None

    @property
    def match(self) -> Match:
        """Whose it is, and what it pays."""
        return Match(self.invoice.customer_id, (self.invoice,))


# Of a mandate that is in force on $3: what is open of items that are due, in whole cents. An item
# in a payment plan is paid by its instalments, so it is left out until the plan is cancelled; so is
# what waits for its payments after a restore, what an earlier debit may still bring ($4), and what
# came back, unless that is wanted ($5).
_COLLECTABLE = f"""
SELECT i.id AS item_id, i.number, i.kind, trunc(i.total - i.allocated, 2) AS amount, m.*,
       u.collected_on, u.sent
  FROM mandate m
  JOIN open_item i ON (i.tenant_id, i.customer_id) = (m.tenant_id, m.customer_id)
  {USED}
 WHERE m.tenant_id = $1 AND m.signed_on <= $3::date AND m.revoked_on IS NULL
   AND greatest(m.signed_on, m.last_collected_on, u.collected_on) + interval '36 months' > $3::date
   AND i.currency = 'EUR' AND NOT i.voided AND i.issued_at IS NOT NULL AND i.due_on <= $2
   AND i.total - i.allocated >= 0.01 AND i.total - i.allocated < 1000000000
   AND (m.sequence <> 'one_off' OR greatest(m.last_collected_on, u.collected_on) IS NULL
        AND NOT EXISTS (
            SELECT FROM direct_debit d
              JOIN direct_debit_batch b ON (b.tenant_id, b.id) = (d.tenant_id, d.batch_id)
             WHERE (d.tenant_id, d.customer_id) = (m.tenant_id, m.customer_id)
               AND d.mandate_id = m.mandate_id AND b.cancelled_at IS NULL
               AND b.collection_on >= $4))
   AND NOT EXISTS (SELECT FROM payment_plan p
                    WHERE (p.tenant_id, p.customer_id) = (i.tenant_id, i.customer_id)
                      AND p.cancelled_at IS NULL AND i.id = ANY(p.item_ids))
   AND NOT EXISTS (SELECT FROM adopted_payment a
                    WHERE (a.tenant_id, a.customer_id) = (i.tenant_id, i.customer_id))
   AND NOT EXISTS (
       SELECT FROM direct_debit d
         JOIN direct_debit_batch b ON (b.tenant_id, b.id) = (d.tenant_id, d.batch_id)
         LEFT JOIN transaction t ON (t.tenant_id, t.document_id) = (d.tenant_id, d.id)
         LEFT JOIN transaction r ON (r.tenant_id, r.reverses_id) = (t.tenant_id, t.id)
        WHERE (d.tenant_id, d.item_id) = (i.tenant_id, i.id) AND b.cancelled_at IS NULL
          AND CASE WHEN t.id IS NULL THEN b.collection_on >= $4
                   ELSE r.id IS NOT NULL AND NOT $5 END)
 ORDER BY i.due_on, i.id
 LIMIT $6
"""  # noqa: S608 - our own text


async def list_collectable(
    read: ReadConnection,
    tenant_id: str,
    *,
    due_through: date,
    collection_on: date,
    held_since: date,
    returned_too: bool,
    items_max: int,
) -> list[Collectable]:
    """Open items that are due and may be collected on a day, the oldest due first; debits since
    `held_since` hold theirs."""
    rows = await read.raw.fetch(
        _COLLECTABLE, tenant_id, due_through, collection_on, held_since, returned_too, items_max
    )
    return [from_row(Collectable, row, mandate=mandate_of(row)) for row in rows]


_AWAITED = """
SELECT d.item_id, sum(d.amount) AS amount
  FROM direct_debit d
  JOIN direct_debit_batch b ON (b.tenant_id, b.id) = (d.tenant_id, d.batch_id)
 WHERE d.tenant_id = $1 AND d.customer_id = ANY($2) AND b.cancelled_at IS NULL
   AND b.collection_on >= $3
   AND NOT EXISTS (SELECT FROM transaction t
                    WHERE (t.tenant_id, t.document_id) = (d.tenant_id, d.id))
 GROUP BY d.item_id
"""


async def fetch_awaited(
    read: ReadConnection, tenant_id: str, customer_ids: Collection[UUID], held_since: date
) -> dict[UUID, Decimal]:
    """What debits since `held_since`, of which no bank has said anything, may still bring to each
    item of these customers."""
    rows = await read.raw.fetch(_AWAITED, tenant_id, list(customer_ids), held_since)
    return {row["item_id"]: row["amount"] for row in rows}


_PUT_BATCH = """
INSERT INTO direct_debit_batch AS b
       (tenant_id, id, creditor_id, creditor_name, creditor_iban, creditor_bic, due_through,
        collection_on, created_at, cancelled_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET cancelled_at = excluded.cancelled_at, version = excluded.version
 WHERE b.version < excluded.version
"""


async def put_batch(tx: WriteConnection, tenant_id: str, event: DirectDebitBatchChanged) -> None:
    """Have the batch that was said, unless it is there in this version or a newer one."""
    names = (
        "batch_id", "creditor_id", "creditor_name", "creditor_iban", "creditor_bic", "due_through",
        "collection_on", "created_at", "cancelled_at", "version",
    )  # fmt: skip
    await tx.raw.execute(_PUT_BATCH, tenant_id, *(getattr(event, name) for name in names))


_PUT_DEBITS = """
INSERT INTO direct_debit AS d
       (tenant_id, id, batch_id, item_id, customer_id, number, amount, mandate_id, signed_on,
        sequence, scheme, iban, bic, holder, version)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
                     $7::numeric[], $8::text[], $9::date[], $10::text[], $11::text[], $12::text[],
                     $13::text[], $14::text[], $15::integer[])
ON CONFLICT (tenant_id, id) DO UPDATE
   SET iban = excluded.iban, bic = excluded.bic, holder = excluded.holder,
       version = excluded.version
 WHERE d.version < excluded.version
"""


async def put_debits(tx: WriteConnection, debits: Sequence[tuple[str, DirectDebitChanged]]) -> None:
    """Have the debits that were said, each with its tenant, unless newer ones are there. Each may
    be named once."""
    names = (
        "debit_id", "batch_id", "invoice_id", "customer_id", "number", "amount", "mandate_id",
        "signed_on", "sequence", "scheme", "iban", "bic", "holder", "version",
    )  # fmt: skip
    rows = [(tenant_id, *(getattr(event, name) for name in names)) for tenant_id, event in debits]
    await tx.raw.execute(_PUT_DEBITS, *columns_of(rows, 15))


_POSITIONS = """
SELECT d.*, t.id AS payment_id, r.occurred_at AS returned_at, r.memo, i.kind
  FROM direct_debit d
  LEFT JOIN open_item i ON (i.tenant_id, i.id) = (d.tenant_id, d.item_id)
  LEFT JOIN transaction t ON (t.tenant_id, t.document_id) = (d.tenant_id, d.id)
  LEFT JOIN transaction r ON (r.tenant_id, r.reverses_id) = (t.tenant_id, t.id)
 WHERE d.tenant_id = $1 AND d.batch_id = $2
 ORDER BY d.number, d.id
"""


async def fetch_positions(
    read: ReadConnection, tenant_id: str, batch_id: UUID
) -> list[DebitPosition]:
    """The debits of a batch with what the books say of them, by the numbers of their invoices."""
    rows = await read.raw.fetch(_POSITIONS, tenant_id, batch_id)
    return [from_row(DebitPosition, row, debit=from_row(Debit, row)) for row in rows]


_BATCHES = """
SELECT b.*, s.*
  FROM direct_debit_batch b
 CROSS JOIN LATERAL (
       SELECT count(*) AS count, coalesce(sum(d.amount), 0) AS total, count(t.id) AS collected
         FROM direct_debit d
         LEFT JOIN transaction t ON (t.tenant_id, t.document_id) = (d.tenant_id, d.id)
        WHERE (d.tenant_id, d.batch_id) = (b.tenant_id, b.id)) AS s
 WHERE b.tenant_id = $1 AND b.id = ANY($2::uuid[])
 ORDER BY b.created_at, b.id
"""


async def fetch_batches(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> list[BatchPosition]:
    """Those of these batches that there are, the oldest first."""
    rows = await read.raw.fetch(_BATCHES, tenant_id, list(ids))
    return [from_row(BatchPosition, row, batch=from_row(Batch, row)) for row in rows]


async def list_batches(
    read: ReadConnection, tenant_id: str, position: PagePosition
) -> list[BatchPosition]:
    """A page of batches, by when they were made."""
    batch = direct_debit_batch.c
    query = sa.select(batch.id).where(batch.tenant_id == tenant_id)
    page = sorted_page(query, direct_debit_batch, position)
    batches = await fetch_batches(read, tenant_id, [row["id"] for row in await read.all(page)])
    return batches[::-1] if position.descending else batches


# The key is a number without what separates its parts, as texts of payments are matched by.
_DEBITED = """
SELECT d.id AS debit_id, d.amount, r.occurred_at AS returned_at, i.id, i.customer_id, i.number,
       upper(regexp_replace(i.number, '[^0-9A-Za-z]', '', 'g')) AS key,
       CASE WHEN i.voided OR i.total < i.allocated THEN 0 ELSE i.total - i.allocated END AS open
  FROM direct_debit d
  JOIN open_item i ON (i.tenant_id, i.id) = (d.tenant_id, d.item_id)
  LEFT JOIN transaction t ON (t.tenant_id, t.document_id) = (d.tenant_id, d.id)
  LEFT JOIN transaction r ON (r.tenant_id, r.reverses_id) = (t.tenant_id, t.id)
 WHERE d.tenant_id = $1 AND d.id = ANY($2::uuid[])
"""


async def fetch_debited(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> Mapping[UUID, DebitedInvoice]:
    """What those of these debits collect that there are."""
    rows = await read.raw.fetch(_DEBITED, tenant_id, list(ids))
    return {
        row["debit_id"]: from_row(DebitedInvoice, row, invoice=from_row(NamedInvoice, row))
        for row in rows
    }


_NAMED_STILL = """
SELECT * FROM direct_debit WHERE (tenant_id, customer_id) = ($1, $2) AND iban IS NOT NULL
"""


async def fetch_naming(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> list[tuple[Debit, int]]:
    """A customer's debits that say whose account it was, with their versions."""
    rows = await read.raw.fetch(_NAMED_STILL, tenant_id, customer_id)
    return [(from_row(Debit, row), row["version"]) for row in rows]
