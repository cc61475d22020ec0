"""Calculated bills; append-only."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.calculated_bills import CalculatedBill
from gridtally.billing.domain.tariffs import InForce
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, from_row, insert_rows
from gridtally.kernel.periods import Period

calculated_bill, tariff_version = tables.calculated_bill, tables.tariff_version


@dataclass(frozen=True, slots=True)
class StoredCalculation:
    """A calculation, when it was made, and what its tariff is called."""

    bill: CalculatedBill
    calculated_at: datetime
    tariff_code: str | None
    tariff_name: str | None


async def insert_calculated_bill(
    tx: WriteConnection, tenant_id: str, bill: CalculatedBill, now: datetime
) -> bool:
    """Store a calculation, for ever; whether it is new."""
    row = as_row(
        bill,
        calculated_bill,
        tenant_id=tenant_id,
        lines=json.dumps(list(bill.lines)),
        calculated_at=now,
    )
    return bool(
        await insert_rows(tx, calculated_bill, [row], "ON CONFLICT DO NOTHING RETURNING id")
    )


async def fetch_newest(
    read: ReadConnection, tenant_id: str, customer_id: UUID, period: Period, version_id: UUID
) -> tuple[CalculatedBill, datetime] | None:
    """The newest calculation of these days by that version, and when it was made."""
    row = await read.one_or_none(
        sa.select(calculated_bill)
        .where(
            calculated_bill.c.tenant_id == tenant_id,
            calculated_bill.c.customer_id == customer_id,
            calculated_bill.c.start_on == period.start_on,
            calculated_bill.c.end_on == period.end_on,
            calculated_bill.c.tariff_version_id == version_id,
        )
        .order_by(calculated_bill.c.calculated_at.desc(), calculated_bill.c.id)
        .limit(1)
    )
    return None if row is None else (from_row(CalculatedBill, row), row["calculated_at"])


async def fetch_calculated_at(read: ReadConnection, tenant_id: str, id_: UUID) -> datetime:
    """When a calculation, which exists, was made."""
    at: datetime = await read.scalar(
        sa.select(calculated_bill.c.calculated_at).where(
            calculated_bill.c.tenant_id == tenant_id, calculated_bill.c.id == id_
        )
    )
    return at


async def count_customers_calculations(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> int:
    """How many calculations a customer has made by itself."""
    count: int = await read.scalar(
        sa.select(sa.func.count()).where(
            calculated_bill.c.tenant_id == tenant_id,
            calculated_bill.c.customer_id == customer_id,
            calculated_bill.c.by_customer,
        )
    )
    return count


# The index of a customer's calculations finds them, and they are sorted here: there are few.
_WITH_NAMES = sa.select(
    calculated_bill,
    tariff_version.c.code.label("tariff_code"),
    tariff_version.c.name.label("tariff_name"),
).outerjoin(
    tariff_version,
    sa.and_(
        tariff_version.c.tenant_id == calculated_bill.c.tenant_id,
        tariff_version.c.id == calculated_bill.c.tariff_version_id,
    ),
)


async def list_calculated_bills(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    after: tuple[object, ...] | None,
    rows_max: int,
) -> Sequence[StoredCalculation]:
    """A customer's calculations, the newest first, those before the instant and id `after`."""
    query = _WITH_NAMES.where(
        calculated_bill.c.tenant_id == tenant_id, calculated_bill.c.customer_id == customer_id
    )
    order = (calculated_bill.c.calculated_at, calculated_bill.c.id)
    rows = await read.all(page_after(query, order, after=after, rows_max=rows_max, descending=True))
    return [_stored(row) for row in rows]


async def fetch_calculated_bill(
    read: ReadConnection, tenant_id: str, customer_id: UUID, id_: UUID
) -> StoredCalculation | None:
    """One of a customer's calculations."""
    row = await read.one_or_none(
        _WITH_NAMES.where(
            calculated_bill.c.tenant_id == tenant_id,
            calculated_bill.c.customer_id == customer_id,
            calculated_bill.c.id == id_,
        )
    )
    return None if row is None else _stored(row)


def _stored(row: RowMapping) -> StoredCalculation:
    return StoredCalculation(
        from_row(CalculatedBill, row), row["calculated_at"], row["tariff_code"], row["tariff_name"]
    )


_VERSION = """
SELECT id AS version_id, number, effective_from, effective_to, document::text AS document
  FROM tariff_version WHERE tenant_id = $1 AND id = $2 AND status = 'published'
"""


async def fetch_version(
    read: ReadConnection, tenant_id: str, version_id: UUID
) -> tuple[InForce, str] | None:
    """A published version, and its document."""
    row = await read.raw.fetchrow(_VERSION, tenant_id, version_id)
    return None if row is None else (from_row(InForce, row), row["document"])


_CONNECTED_KW = "SELECT id, connected_kw FROM meter WHERE tenant_id = $1 AND id = ANY($2)"


async def fetch_connected_kw(
    read: ReadConnection, tenant_id: str, meter_ids: Collection[UUID]
) -> dict[UUID, Decimal | None]:
    """The connected load of meters, as far as they are known."""
    rows = await read.raw.fetch(_CONNECTED_KW, tenant_id, list(meter_ids))
    return {row["id"]: row["connected_kw"] for row in rows}
