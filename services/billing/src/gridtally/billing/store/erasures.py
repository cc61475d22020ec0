"""Erasures as rows, which are never changed; and earlier versions of a customer in the outbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.billing import tables
from gridtally.billing.domain.erasures import Erasure
from gridtally.contracts.commerce import CustomerChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, from_row

erasure = tables.erasure


async def insert_erasure(tx: WriteConnection, tenant_id: str, done: Erasure) -> None:
    """Note an erasure."""
    await tx.execute(sa.insert(erasure).values(as_row(done, erasure, tenant_id=tenant_id)))


async def list_erasures(
    read: ReadConnection, tenant_id: str, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[Erasure]:
    """Erasures, the newest first, those after the instant and customer `after`."""
    query = sa.select(erasure).where(erasure.c.tenant_id == tenant_id)
    order = (erasure.c.erased_at, erasure.c.customer_id)
    page = page_after(query, order, after=after, rows_max=rows_max, descending=True)
    rows: Any = await read.all(page)
    return [from_row(Erasure, row) for row in rows]


# Earlier versions that wait for the relay: the erased one follows them at once, and counts.
_DELETE_UNSENT = "DELETE FROM outbox WHERE topic = $1 AND key = $2"


async def delete_unsent(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> None:
    """Remove earlier versions of a customer from the outbox."""
    await tx.raw.execute(_DELETE_UNSENT, CustomerChanged.TOPIC, f"{tenant_id}:{customer_id}")
