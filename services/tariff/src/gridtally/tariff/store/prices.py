"""Days of price series as rows: one row per version of a day, with an array of prices.

Days are only ever added to. As known at an instant, a day is its newest version recorded by then.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.periods import Period
from gridtally.tariff.domain.price_uploads import ChangedDay
from gridtally.tariff.domain.prices import PriceDay


def _day_of(row: asyncpg.Record) -> PriceDay:
    return PriceDay(
        row["day"], row["version"], tuple(row["prices"]), row["recorded_at"], row["recorded_by"]
    )


# Whether a series may be deleted; the primary key begins with tenant and series.
_HAS_PRICES = "SELECT EXISTS (SELECT FROM price_day WHERE tenant_id = $1 AND series_id = $2)"


async def has_prices(read: ReadConnection, tenant_id: str, series_id: UUID) -> bool:
    """Whether a series has any price."""
    return bool(await read.raw.fetchval(_HAS_PRICES, tenant_id, series_id))


# Of each day in the list, the row with the highest version.
_NEWEST = """
SELECT DISTINCT ON (day) day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day = ANY($3::date[])
 ORDER BY day, version DESC
"""


async def fetch_newest(
    read: ReadConnection, tenant_id: str, series_id: UUID, days: Collection[date]
) -> dict[date, PriceDay]:
    """The newest version of each of these days that has one."""
    rows = await read.raw.fetch(_NEWEST, tenant_id, series_id, list(days))
    return {row["day"]: _day_of(row) for row in rows}


# Of each day of a period, the row with the highest version among those recorded by an instant.
_DAYS = """
SELECT DISTINCT ON (day) day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day >= $3 AND day < $4
   AND ($5::timestamptz IS NULL OR recorded_at <= $5)
 ORDER BY day, version DESC LIMIT $6
"""


async def list_days(
    read: ReadConnection,
    tenant_id: str,
    series_id: UUID,
    period: Period,
    as_of: datetime | None,
    rows_max: int,
) -> list[PriceDay]:
    """The days of a period that have prices, in order, as known at an instant or now."""
    rows = await read.raw.fetch(
        _DAYS, tenant_id, series_id, period.start_on, period.end_on, as_of, rows_max
    )
    return [_day_of(row) for row in rows]


# Everything that was ever recorded for one day, page by page.
_VERSIONS = """
SELECT day, version, prices, recorded_at, recorded_by FROM price_day
 WHERE tenant_id = $1 AND series_id = $2 AND day = $3 AND version > $4
 ORDER BY version LIMIT $5
"""


async def list_versions(
    read: ReadConnection, tenant_id: str, series_id: UUID, day: date, after: int, rows_max: int
) -> list[PriceDay]:
    """A page of the versions of one day, the oldest first."""
    rows = await read.raw.fetch(_VERSIONS, tenant_id, series_id, day, after, rows_max)
    return [_day_of(row) for row in rows]


# A year of days is copied in binary form; row-level security does not let COPY write into the table
# itself, so it goes through a temporary one.
_STAGED = ("day", "version", "prices")
_INSERT_STAGED = """
INSERT INTO price_day (tenant_id, series_id, day, version, prices, recorded_at, recorded_by)
SELECT $1, $2, day, version, prices, $3, $4 FROM price_day_staged
"""


async def insert_days(
    tx: WriteConnection,
    tenant_id: str,
    series_id: UUID,
    days: Sequence[ChangedDay],
    recorded_at: datetime,
    key_id: str,
) -> None:
    """Add versions of days to a locked series, on behalf of an API key."""
    if not days:
        return
    await tx.stage("price_day_staged", "day date, version integer, prices bigint[]")
    await tx.copy_records(
        "price_day_staged", _STAGED, [(day.day, day.version, day.prices) for day in days]
    )
    await tx.raw.execute(_INSERT_STAGED, tenant_id, series_id, recorded_at, key_id)
