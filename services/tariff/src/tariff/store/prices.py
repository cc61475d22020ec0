"""Days of price series as rows: one row per version of a day, with an array of prices.

Days are only ever added to. As known at an instant, a day is its newest version recorded by then.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from database import ReadConnection, WriteConnection
from kernel.periods import Period
from tariff.domain.catalogue import in_use
from tariff.domain.prices import Changed, PriceDay
from tariff.store import catalogue
from tariff.store.catalogue import PRICE_SERIES

_NOW = "SELECT clock_timestamp()"
_DAYS = """
SELECT DISTINCT ON (day) day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day >= $3 AND day < $4
   AND ($5::timestamptz IS NULL OR recorded_at <= $5)
 ORDER BY day, version DESC LIMIT $6
"""
_KNOWN = """
SELECT DISTINCT ON (day) day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day = ANY($3::date[])
 ORDER BY day, version DESC
"""
_VERSIONS = """
SELECT day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day = $3 AND version > $4
 ORDER BY version LIMIT $5
"""
_HAS_PRICES = "SELECT EXISTS (SELECT FROM price_day WHERE tenant_id = $1 AND series_id = $2)"
_STAGED = ("day", "version", "prices")
_MERGE = """
INSERT INTO price_day (tenant_id, series_id, day, version, prices, recorded_at, recorded_by)
SELECT $1, $2, day, version, prices, $3, $4 FROM price_day_staged
"""


def _day_of(row: asyncpg.Record) -> PriceDay:
    return PriceDay(
        row["day"], row["version"], tuple(row["prices"]), row["recorded_at"], row["recorded_by"]
    )


async def delete_series(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a series that is held; Conflict where it has prices."""
    if await tx.raw.fetchval(_HAS_PRICES, tenant_id, id_):
        raise in_use("price series", "prices")
    await catalogue.delete(tx, tenant_id, PRICE_SERIES, id_)


async def fetch_known(
    read: ReadConnection, tenant_id: str, series_id: UUID, days: Collection[date]
) -> dict[date, PriceDay]:
    """The newest version of each of these days that has one."""
    rows = await read.raw.fetch(_KNOWN, tenant_id, series_id, list(days))
    return {row["day"]: _day_of(row) for row in rows}


async def fetch_days(
    read: ReadConnection,
    tenant_id: str,
    series_id: UUID,
    period: Period,
    as_of: datetime | None,
    limit: int,
) -> list[PriceDay]:
    """The days of a period that have prices, in order, as known at an instant or now."""
    rows = await read.raw.fetch(
        _DAYS, tenant_id, series_id, period.start_on, period.end_on, as_of, limit
    )
    return [_day_of(row) for row in rows]


async def fetch_versions(
    read: ReadConnection, tenant_id: str, series_id: UUID, day: date, after: int, limit: int
) -> list[PriceDay]:
    """A page of the versions of one day, the oldest first."""
    rows = await read.raw.fetch(_VERSIONS, tenant_id, series_id, day, after, limit)
    return [_day_of(row) for row in rows]


async def insert_days(
    tx: WriteConnection, tenant_id: str, series_id: UUID, days: Sequence[Changed], key_id: str
) -> datetime:
    """Add versions of days to a series that is held; when they were recorded.

    Not the time at which the transaction began: one that waited for the series would be recorded
    before what it waited for.
    """
    recorded_at: datetime = await tx.raw.fetchval(_NOW)
    if days:
        await tx.stage("price_day_staged", "day date, version integer, prices bigint[]")
        await tx.copy_records(
            "price_day_staged", _STAGED, [(one.day, one.version, one.prices) for one in days]
        )
        await tx.raw.execute(_MERGE, tenant_id, series_id, recorded_at, key_id)
    return recorded_at
