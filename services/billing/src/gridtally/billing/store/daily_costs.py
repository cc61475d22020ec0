"""Usage and cost per meter and local day."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.daily_costs import DailyCost, DailyUsage, FlowUsage
from gridtally.billing.domain.reference_data import DayKey
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows

daily_cost, daily_usage = tables.daily_cost, tables.daily_usage
ENERGY = np.dtype("<i4")
"""How `daily_usage.energy` is stored."""

# Events may come late or twice: a row only ever moves to a higher version, and only the days whose
# rows moved are priced. Rows go in the order of their keys, so that two batches cannot wait for
# each other.
_KEEP_NEWEST = """
ON CONFLICT (tenant_id, meter_id, day, flow) DO UPDATE
   SET zone = excluded.zone, minutes = excluded.minutes, version = excluded.version,
       energy = excluded.energy, correlation_id = excluded.correlation_id
 WHERE daily_usage.version < excluded.version
RETURNING tenant_id, meter_id, day
"""


async def upsert_usage(tx: WriteConnection, flows: Sequence[FlowUsage]) -> set[DayKey]:
    """Store the usage of each channel-day, which is in `flows` once, where it is newer than what
    is stored; the days on which something changed."""
    ordered = sorted(flows, key=lambda usage: usage.key)
    rows = [as_row(usage, daily_usage) for usage in ordered]
    return {_key(row) for row in await insert_rows(tx, daily_usage, rows, _KEEP_NEWEST)}


_USAGE = """
SELECT u.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, meter_id, day)
  JOIN daily_usage u USING (tenant_id, meter_id, day)
 ORDER BY u.tenant_id, u.meter_id, u.day
"""


async def fetch_usage(tx: WriteConnection, keys: Collection[DayKey]) -> list[DailyUsage]:
    """All flows that are known of these days."""
    flows_of: dict[DayKey, list[asyncpg.Record]] = {}
    for row in await tx.raw.fetch(_USAGE, *columns_of(keys, 3)):
        flows_of.setdefault(_key(row), []).append(row)
    return [_usage_of(key, flows) for key, flows in flows_of.items()]


def _usage_of(key: DayKey, flows: Sequence[asyncpg.Record]) -> DailyUsage:
    newest = max(flows, key=lambda row: row["version"])
    return DailyUsage(
        *key,
        zone=newest["zone"],
        minutes={row["flow"]: row["minutes"] for row in flows},
        version=sum(row["version"] for row in flows),
        series={row["flow"]: np.frombuffer(row["energy"], ENERGY) for row in flows},
        correlation_id=newest["correlation_id"],
    )


# Two transactions may price a day at once, one of them having seen older usage: the newer stays.
# The same usage replaces itself, since the tariff or a price may be what has changed.
_UNLESS_OLDER = """
ON CONFLICT (tenant_id, meter_id, day) DO UPDATE
   SET agreement_id = excluded.agreement_id, tariff_version_id = excluded.tariff_version_id,
       usage_version = excluded.usage_version, import_wh = excluded.import_wh,
       export_wh = excluded.export_wh, currency = excluded.currency, net = excluded.net,
       tax = excluded.tax, gross = excluded.gross
 WHERE daily_cost.usage_version <= excluded.usage_version
"""


async def upsert_costs(tx: WriteConnection, costs: Sequence[DailyCost]) -> None:
    """Store the cost of each day by its newest usage."""
    ordered = sorted(costs, key=lambda cost: cost.key)
    await insert_rows(tx, daily_cost, [as_row(cost, daily_cost) for cost in ordered], _UNLESS_OLDER)


_DELETE_COSTS = """
DELETE FROM daily_cost c
 USING unnest($1::text[], $2::uuid[], $3::date[], $4::int[])
       AS k (tenant_id, meter_id, day, version)
 WHERE (c.tenant_id, c.meter_id, c.day) = (k.tenant_id, k.meter_id, k.day)
   AND c.usage_version <= k.version
"""


async def delete_costs(tx: WriteConnection, unpriced: Sequence[DailyUsage]) -> None:
    """Delete the costs of days that no agreement or tariff applies to any more.

    A cost by newer usage, which another transaction has priced meanwhile, stays.
    """
    if unpriced:
        keys = [(*usage.key, usage.version) for usage in unpriced]
        await tx.raw.execute(_DELETE_COSTS, *columns_of(keys, 4))


async def fetch_daily_costs(
    read: ReadConnection, tenant_id: str, meter_id: UUID, start_on: date, end_on: date
) -> Sequence[RowMapping]:
    """The costs of a meter's local days from start to end."""
    return await read.all(
        sa.select(daily_cost)
        .where(
            daily_cost.c.tenant_id == tenant_id,
            daily_cost.c.meter_id == meter_id,
            daily_cost.c.day >= start_on,
            daily_cost.c.day < end_on,
        )
        .order_by(daily_cost.c.day)
    )


def _key(row: asyncpg.Record) -> DayKey:
    return row["tenant_id"], row["meter_id"], row["day"]
