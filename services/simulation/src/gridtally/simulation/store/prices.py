"""The prices of a run as rows, a day of a series each."""

import json
from collections import defaultdict
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, from_row, insert_rows
from gridtally.kernel.money import plain
from gridtally.rating.price_days import PriceDay
from gridtally.simulation.domain.prices import PriceDays
from gridtally.simulation.tables import run_price_day as table


async def insert_prices(tx: WriteConnection, tenant_id: str, run_id: UUID, days: PriceDays) -> None:
    """Store the prices that a run bills by."""
    rows = [
        as_row(
            own,
            table,
            tenant_id=tenant_id,
            run_id=run_id,
            code=code,
            prices=json.dumps([None if price is None else plain(price) for price in own.prices]),
        )
        for code, of_series in days.items()
        for own in of_series
    ]
    await insert_rows(tx, table, rows)


_COPY = """
INSERT INTO run_price_day (tenant_id, run_id, code, day, zone, minutes, currency, version, prices)
SELECT tenant_id, $3, code, day, zone, minutes, currency, version, prices
  FROM run_price_day WHERE tenant_id = $1 AND run_id = $2
"""


async def copy_prices(tx: WriteConnection, tenant_id: str, of_run_id: UUID, run_id: UUID) -> None:
    """Store the prices of another run as those of this one, as they were then."""
    await tx.raw.execute(_COPY, tenant_id, of_run_id, run_id)


async def fetch_prices(
    read: ReadConnection, tenant_id: str, run_id: UUID
) -> dict[str, list[PriceDay]]:
    """The days of each series that a run bills by, in order; none where its tariffs name none."""
    query = (
        sa.select(table)
        .where(table.c.tenant_id == tenant_id, table.c.run_id == run_id)
        .order_by(table.c.code, table.c.day)
    )
    days: defaultdict[str, list[PriceDay]] = defaultdict(list)
    for row in await read.all(query):
        prices = tuple(None if price is None else Decimal(price) for price in row["prices"])
        days[row["code"]].append(from_row(PriceDay, row, prices=prices))
    return dict(days)


async def delete_prices(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Delete the prices of a run."""
    await tx.execute(
        sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.run_id == run_id)
    )
