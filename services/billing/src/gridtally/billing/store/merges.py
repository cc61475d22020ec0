"""Merges of customers, which are never changed; and what of a duplicate goes over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.merges import CustomerMerge
from gridtally.billing.store.agreements import agreement_of
from gridtally.billing.store.json_columns import JsonColumns, as_texts, from_json
from gridtally.billing.tables import agreement, customer, customer_merge
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, from_row, insert_rows

IN_JSON: JsonColumns = {"agreement_ids": TypeAdapter(tuple[UUID, ...])}


async def insert_merge(tx: WriteConnection, merge: CustomerMerge) -> None:
    """Note a merge, for ever."""
    await insert_rows(
        tx, customer_merge, [as_row(merge, customer_merge) | as_texts(merge, IN_JSON)]
    )


async def fetch_merge(read: ReadConnection, tenant_id: str, id_: UUID) -> CustomerMerge | None:
    """The merge of this id; None where there is none, as after a restore."""
    query = sa.select(customer_merge).where(
        customer_merge.c.tenant_id == tenant_id, customer_merge.c.id == id_
    )
    row = await read.one_or_none(query)
    return None if row is None else _merge_of(row)


async def list_merges(
    read: ReadConnection, tenant_id: str, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[CustomerMerge]:
    """Merges, the newest first, those before the instant and id `after`."""
    query = sa.select(customer_merge).where(customer_merge.c.tenant_id == tenant_id)
    order = (customer_merge.c.merged_at, customer_merge.c.id)
    page = page_after(query, order, after=after, rows_max=rows_max, descending=True)
    return [_merge_of(row) for row in await read.all(page)]


def _merge_of(row: Row) -> CustomerMerge:
    return from_row(CustomerMerge, row, **from_json(row, IN_JSON))


async def lock_agreements_of(
    tx: WriteConnection, tenant_id: str, customer_id: UUID
) -> list[Agreement]:
    """All agreements of a customer, in the order of their ids, which nobody else changes or bills
    until this transaction ends."""
    rows = await tx.all(
        sa.select(agreement)
        .where(agreement.c.tenant_id == tenant_id, agreement.c.customer_id == customer_id)
        .order_by(agreement.c.id)
        .with_for_update()
    )
    return [agreement_of(row) for row in rows]


async def fetch_duplicates(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> Sequence[UUID]:
    """Who was merged into a customer, in the order of their ids."""
    query = sa.select(customer.c.id).where(
        customer.c.tenant_id == tenant_id, customer.c.merged_into == customer_id
    )
    return [row["id"] for row in await read.all(query.order_by(customer.c.id))]


# Its sections are found by their customer and days: those of two customers would make two invoices.
_HAS_COLLECTIVE = """
SELECT EXISTS (SELECT FROM collective_member WHERE tenant_id = $1 AND customer_id = $2)
    OR EXISTS (SELECT FROM invoice i
                WHERE i.tenant_id = $1 AND i.customer_id = $2 AND i.is_collective
                  AND NOT EXISTS (SELECT FROM credit_note c
                                   WHERE c.tenant_id = i.tenant_id AND c.invoice_id = i.id
                                     AND c.extent <> 'part'))
"""


async def has_collective(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether a customer has a live collective invoice, or bills that wait for one."""
    return bool(await read.raw.fetchval(_HAS_COLLECTIVE, tenant_id, customer_id))


_MOVE_PLANS = "UPDATE budget_plan SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2"


async def update_plans(tx: WriteConnection, merge: CustomerMerge) -> None:
    """Have the budget plans that the ledger has published of the duplicate be the survivor's."""
    ids = merge.duplicate_id, merge.survivor_id
    await tx.raw.execute(_MOVE_PLANS, merge.tenant_id, *ids)


# Whose a draft is follows from its agreement when it is issued; the column is what lists go by.
_MOVE_DRAFTS = "UPDATE invoice_draft SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2"


async def update_drafts(tx: WriteConnection, merge: CustomerMerge) -> None:
    """Have the drafts of the duplicate's agreements be listed as the survivor's."""
    ids = merge.duplicate_id, merge.survivor_id
    await tx.raw.execute(_MOVE_DRAFTS, merge.tenant_id, *ids)
