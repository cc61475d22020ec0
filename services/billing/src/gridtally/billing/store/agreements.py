"""Agreements."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter

from gridtally.billing import tables
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.store.json_columns import JsonColumns, as_json, as_texts, from_json
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.constraints import rejecting
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, among, as_row, columns_of, from_row, insert_rows
from gridtally.kernel.billing_calendars import BillingCalendar, EarlierCalendar
from gridtally.kernel.errors import Conflict

agreement = tables.agreement
IN_JSON: JsonColumns = {
    "billing_calendar": TypeAdapter(BillingCalendar),
    "earlier_calendars": TypeAdapter(tuple[EarlierCalendar, ...]),
}
OVERLAP = {
    "agreement_overlap": Conflict(
        "agreement_overlap", "the meter has another agreement on some of these days"
    )
}


async def insert_agreements(
    tx: WriteConnection, tenant_id: str, agreements: Sequence[Agreement], now: datetime
) -> set[UUID]:
    """Add those agreements whose ids are free, and return these ids.

    Conflict where a meter has another agreement on some of the days.
    """
    rows = [
        as_row(new, agreement, tenant_id=tenant_id, created_at=now, updated_at=now)
        | as_texts(new, IN_JSON)
        for new in agreements
    ]
    with rejecting(OVERLAP):
        added = await insert_rows(
            tx, agreement, rows, "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id"
        )
    return {row["id"] for row in added}


async def update_agreement(
    tx: WriteConnection, tenant_id: str, changed: Agreement, now: datetime
) -> None:
    """Store a changed agreement; Conflict where another one of its meter is in the way."""
    row = as_row(changed, agreement, updated_at=now) | as_json(changed, IN_JSON)
    with rejecting(OVERLAP):
        await tx.execute(
            sa.update(agreement)
            .where(agreement.c.tenant_id == tenant_id, agreement.c.id == row.pop("id"))
            .values(row)
        )


# What came of an agreement of which nothing was ever issued, the rows that rest on others first.
_OF_AGREEMENTS = """
DELETE FROM {table} t USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE t.tenant_id = k.tenant_id AND t.{column} = k.id
"""
_DELETED = (
    ("collective_member", "agreement_id"),
    ("invoice_draft", "agreement_id"),
    ("held_period", "agreement_id"),
    ("billed_period", "agreement_id"),
    ("due_agreement", "agreement_id"),
    ("agreement", "id"),
)


async def delete_agreements(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Remove agreements that never had an invoice, with their periods, held ones and drafts."""
    for table, column in _DELETED:
        statement = _OF_AGREEMENTS.format(table=table, column=column)
        await tx.raw.execute(statement, *columns_of(list(keys), 2))


# The first lock on the way to a period: whoever bills or changes an agreement takes it before the
# rows of its periods, in the order of ids, so that two batches cannot wait for each other.
# NO KEY UPDATE lets foreign keys and readers pass.
_LOCK_AGREEMENTS = """
SELECT 1 FROM agreement a JOIN unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 USING (tenant_id, id) ORDER BY tenant_id, id FOR NO KEY UPDATE OF a
"""


async def lock_agreements(tx: WriteConnection, agreements: Collection[Key]) -> None:
    """Nobody else bills or changes these agreements until this transaction ends."""
    await tx.raw.execute(_LOCK_AGREEMENTS, *columns_of(agreements, 2))


async def lock_agreement(
    tx: WriteConnection, tenant_id: str, agreement_id: UUID
) -> Agreement | None:
    """The agreement, which nobody else changes or bills until this transaction ends."""
    row = await tx.one_or_none(
        sa.select(agreement)
        .where(agreement.c.tenant_id == tenant_id, agreement.c.id == agreement_id)
        .with_for_update()
    )
    return None if row is None else agreement_of(row)


_HAS_AFTER = """
SELECT EXISTS (SELECT FROM agreement WHERE tenant_id = $1 AND customer_id = $2
                AND (end_on IS NULL OR end_on > $3))
"""


async def has_agreement_after(
    read: ReadConnection, tenant_id: str, customer_id: UUID, day: date
) -> bool:
    """Whether a customer has an agreement that has no end, or one after a day."""
    return bool(await read.raw.fetchval(_HAS_AFTER, tenant_id, customer_id, day))


async def fetch_agreements(
    read: ReadConnection, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, Agreement]:
    """The agreements by their ids, as far as they exist."""
    rows = await read.all(
        sa.select(agreement).where(agreement.c.tenant_id == tenant_id, among(agreement.c.id, ids))
    )
    return {row["id"]: agreement_of(row) for row in rows}


async def list_agreements(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID | None,
    meter_id: UUID | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[Agreement]:
    """Agreements by their id, of one customer or meter where named, those after the id `after`."""
    query = sa.select(agreement).where(agreement.c.tenant_id == tenant_id)
    if customer_id is not None:
        query = query.where(agreement.c.customer_id == customer_id)
    if meter_id is not None:
        query = query.where(agreement.c.meter_id == meter_id)
    page = page_after(query, (agreement.c.id,), after=after, rows_max=rows_max)
    return [agreement_of(row) for row in await read.all(page)]


_BACK_BILLING = """
SELECT a.tenant_id, a.id, a.back_billing_months
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) JOIN agreement a USING (tenant_id, id)
 WHERE a.back_billing_months IS NOT NULL
"""


async def fetch_back_billing_months(read: ReadConnection, keys: Collection[Key]) -> dict[Key, int]:
    """For how many months those of these agreements are corrected that say so."""
    rows = await read.raw.fetch(_BACK_BILLING, *columns_of(list(keys), 2))
    return {(row["tenant_id"], row["id"]): row["back_billing_months"] for row in rows}


async def fetch_invoiced_until(
    read: ReadConnection, tenant_id: str, agreement_id: UUID
) -> date | None:
    """The last day's end that a live invoice of the agreement covers."""
    invoice, credit_note = tables.invoice, tables.credit_note
    until: date | None = await read.scalar(
        sa.select(sa.func.max(invoice.c.end_on))
        .select_from(
            invoice.outerjoin(
                credit_note,
                (credit_note.c.tenant_id == invoice.c.tenant_id)
                & (
                    credit_note.c.invoice_id
                    == sa.func.coalesce(invoice.c.collective_id, invoice.c.id)
                )
                & (credit_note.c.extent != "part"),
            )
        )
        .where(
            invoice.c.tenant_id == tenant_id,
            invoice.c.agreement_id == agreement_id,
            credit_note.c.id.is_(None),
        )
    )
    return until


_HAS_INVOICES = """
SELECT EXISTS (SELECT FROM invoice WHERE tenant_id = $1 AND agreement_id = $2)
"""


async def has_invoices(read: ReadConnection, tenant_id: str, agreement_id: UUID) -> bool:
    """Whether an invoice was ever issued by the agreement."""
    return bool(await read.raw.fetchval(_HAS_INVOICES, tenant_id, agreement_id))


_CLOSED_UNTIL = """
SELECT max(end_on) FROM billed_period WHERE tenant_id = $1 AND agreement_id = $2
"""


async def fetch_closed_until(
    read: ReadConnection, tenant_id: str, agreement_id: UUID
) -> date | None:
    """The last day's end that a closed period of the agreement covers, invoiced or held."""
    until_on: date | None = await read.raw.fetchval(_CLOSED_UNTIL, tenant_id, agreement_id)
    return until_on


def agreement_of(row: Row) -> Agreement:
    """An agreement from its row."""
    return from_row(Agreement, row, **from_json(row, IN_JSON))
