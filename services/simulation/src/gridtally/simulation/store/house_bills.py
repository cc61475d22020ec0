"""House bills: staged while a run is at work, and all of them at once when it is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, from_row, insert_rows
from gridtally.simulation.domain.house_bills import HouseBill
from gridtally.simulation.tables import house_bill, staged_house_bill

SORT_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "house_node_id": house_bill.c.house_node_id,
    "house_name": house_bill.c.house_name,
    "calculated_bill_amount": house_bill.c.calculated_bill_amount,
    "total_energy_imported_kwh": house_bill.c.imported_wh,
    "total_energy_exported_kwh": house_bill.c.exported_wh,
    "net_energy_balance_kwh": house_bill.c.imported_wh - house_bill.c.exported_wh,
}
"""What house bills are sorted by."""


@dataclass(frozen=True, slots=True)
class BillFilter:
    """Which house bills; None where it does not matter. Amounts are inclusive."""

    house_node_id: UUID | None = None
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    net_exporters: bool | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """What the bills must all meet."""
        amount = house_bill.c.calculated_bill_amount
        exports = house_bill.c.exported_wh > house_bill.c.imported_wh
        clauses: list[sa.ColumnElement[bool]] = []
        if self.house_node_id is not None:
            clauses.append(house_bill.c.house_node_id == self.house_node_id)
        if self.amount_from is not None:
            clauses.append(amount >= self.amount_from)
        if self.amount_to is not None:
            clauses.append(amount <= self.amount_to)
        if self.net_exporters is not None:
            clauses.append(exports if self.net_exporters else ~exports)
        return clauses


@dataclass(frozen=True, slots=True)
class BillTotals:
    """What the bills of a run come to together, and the extremes among them."""

    houses: int
    imported_wh: int
    exported_wh: int
    total_amount: Decimal
    least_amount: Decimal | None
    greatest_amount: Decimal | None
    currency: str | None


async def stage_bills(
    tx: WriteConnection, tenant_id: str, run_id: UUID, bills: Sequence[HouseBill]
) -> None:
    """Stage the bills of a chunk."""
    rows = [
        as_row(
            bill,
            staged_house_bill,
            tenant_id=tenant_id,
            run_id=run_id,
            bill_details=orjson.dumps(bill.bill_details).decode(),
        )
        for bill in bills
    ]
    await insert_rows(tx, staged_house_bill, rows)


_PUBLISH = """
INSERT INTO house_bill SELECT * FROM staged_house_bill WHERE tenant_id = $1 AND run_id = $2
"""


async def show_bills(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Move the staged bills of a run to where they are seen."""
    await tx.raw.execute(_PUBLISH, tenant_id, run_id)
    await delete_staged(tx, tenant_id, run_id)


async def delete_staged(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Delete what was staged of a run that is over."""
    await tx.execute(
        sa.delete(staged_house_bill).where(
            staged_house_bill.c.tenant_id == tenant_id, staged_house_bill.c.run_id == run_id
        )
    )


async def delete_bills(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Delete all bills of a run."""
    await delete_staged(tx, tenant_id, run_id)
    await tx.execute(
        sa.delete(house_bill).where(
            house_bill.c.tenant_id == tenant_id, house_bill.c.run_id == run_id
        )
    )


def _of_run(tenant_id: str, run_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [house_bill.c.tenant_id == tenant_id, house_bill.c.run_id == run_id]


async def list_bills(
    read: ReadConnection,
    tenant_id: str,
    run_id: UUID,
    chosen: BillFilter,
    *,
    sort: str,
    after: tuple[object, UUID] | None,
    rows_max: int,
) -> list[HouseBill]:
    """A page of a run's bills, in the order of `sort`, a key of `SORT_COLUMNS`, after a minus where
    the greatest comes first; ids decide among equals."""
    column = SORT_COLUMNS[sort.removeprefix("-")]
    query = sa.select(house_bill).where(*_of_run(tenant_id, run_id), *chosen.clauses())
    page = page_after(
        query,
        (column, house_bill.c.house_node_id),
        after=after,
        rows_max=rows_max,
        descending=sort.startswith("-"),
    )
    return [_bill(row) for row in await read.all(page)]


async def fetch_bill(
    read: ReadConnection, tenant_id: str, run_id: UUID, house_id: UUID
) -> HouseBill | None:
    """The bill of one house."""
    query = sa.select(house_bill).where(
        *_of_run(tenant_id, run_id), house_bill.c.house_node_id == house_id
    )
    row = await read.one_or_none(query)
    return _bill(row) if row else None


def _bill(row: Row) -> HouseBill:
    return from_row(HouseBill, row, house_node_id=UUID(str(row["house_node_id"])))


async def fetch_totals(
    read: ReadConnection, tenant_id: str, run_id: UUID, chosen: BillFilter
) -> BillTotals:
    """What the bills come to together."""
    amount = house_bill.c.calculated_bill_amount
    query = sa.select(
        sa.func.count().label("houses"),
        sa.cast(sa.func.coalesce(sa.func.sum(house_bill.c.imported_wh), 0), sa.BigInteger).label(
            "imported_wh"
        ),
        sa.cast(sa.func.coalesce(sa.func.sum(house_bill.c.exported_wh), 0), sa.BigInteger).label(
            "exported_wh"
        ),
        sa.func.coalesce(sa.func.sum(amount), 0).label("total_amount"),
        sa.func.min(amount).label("least_amount"),
        sa.func.max(amount).label("greatest_amount"),
        sa.func.max(house_bill.c.currency).label("currency"),
    ).where(*_of_run(tenant_id, run_id), *chosen.clauses())
    [row] = await read.all(query)
    return from_row(BillTotals, row)


def csv_query(tenant_id: str, run_id: UUID, chosen: BillFilter) -> sa.Select[Any]:
    """The columns of a run's bills as a file has them, in the order of the houses' ids."""

    def kwh(wh: sa.ColumnElement[int]) -> sa.ColumnElement[Decimal]:
        return sa.cast(sa.cast(wh, sa.Numeric) / 1000, sa.Numeric(20, 3))

    details = house_bill.c.bill_details
    return (
        sa.select(
            house_bill.c.house_node_id,
            house_bill.c.house_name,
            kwh(house_bill.c.imported_wh),
            kwh(house_bill.c.exported_wh),
            kwh(house_bill.c.imported_wh - house_bill.c.exported_wh),
            *(details[name].astext for name in SUMS),
            house_bill.c.calculated_bill_amount,
            house_bill.c.currency,
        )
        .where(*_of_run(tenant_id, run_id), *chosen.clauses())
        .order_by(house_bill.c.house_node_id)
    )


SUMS = ("energy_charge", "fixed_charge", "fac_charge", "surplus_credit", "tax", "arrears")
"""The sums of `bill_details` that a file shows as columns."""
