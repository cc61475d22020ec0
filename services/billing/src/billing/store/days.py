"""Usage and cost per meter and local day."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import asyncpg
import numpy as np

from billing.domain.days import CostDay, DayKey, DayUsage, FlowKey, FlowUsage
from billing.domain.facts import Key
from billing.store.rows import columns_of, insert_rows
from billing.tables import cost_day, day_usage
from database import WriteConnection

ENERGY = np.dtype("<i4")
"""How `day_usage.energy` is stored."""

_DAYS = """
SELECT u.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, meter_id, day)
  JOIN day_usage u USING (tenant_id, meter_id, day)
 ORDER BY u.tenant_id, u.meter_id, u.day
"""
_DELETE_COSTS = """
DELETE FROM cost_day c
 USING unnest($1::text[], $2::uuid[], $3::date[], $4::int[])
       AS k (tenant_id, meter_id, day, version)
 WHERE (c.tenant_id, c.meter_id, c.day) = (k.tenant_id, k.meter_id, k.day)
   AND c.usage_version <= k.version
"""
_TAKE_DUE = """
DELETE FROM due_day WHERE (tenant_id, meter_id, day) IN (
  SELECT tenant_id, meter_id, day FROM due_day
   ORDER BY tenant_id, meter_id, day LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING tenant_id, meter_id, day
"""
_AND_LATER = "'infinity'::date"
_MARK = """
INSERT INTO due_agreement (tenant_id, agreement_id, first_on, last_on)
SELECT a.tenant_id, a.id, min({first}), max({last})
  FROM {facts}
 GROUP BY a.tenant_id, a.id ORDER BY a.tenant_id, a.id
ON CONFLICT (tenant_id, agreement_id) DO UPDATE
   SET first_on = least(due_agreement.first_on, excluded.first_on),
       last_on = greatest(due_agreement.last_on, excluded.last_on)
"""
_DUE_BY_TARIFF = _MARK.format(
    first="greatest(v.effective_from, a.start_on)",
    last=_AND_LATER,
    facts="""unnest($1::text[], $2::uuid[]) AS k (tenant_id, version_id)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id AND v.id = k.version_id
  JOIN agreement a ON a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id""",
)
_DUE_BY_AGREEMENT = _MARK.format(
    first="a.start_on",
    last=_AND_LATER,
    facts="""unnest($1::text[], $2::uuid[]) AS k (tenant_id, agreement_id)
  JOIN agreement a ON a.tenant_id = k.tenant_id AND a.id = k.agreement_id""",
)
_DUE_BY_PRICES = _MARK.format(
    first="k.day - 1",
    last="k.day + 1",
    facts="""unnest($1::text[], $2::text[], $3::date[]) AS k (tenant_id, code, day)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id
   AND jsonb_path_exists(v.document, '$.components[*] ? (@.series == $code)',
                         jsonb_build_object('code', k.code))
  JOIN agreement a ON a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id""",
)
_SPREAD = """
WITH taken AS (
  DELETE FROM due_agreement WHERE (tenant_id, agreement_id) IN (
    SELECT tenant_id, agreement_id FROM due_agreement
     ORDER BY tenant_id, agreement_id LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING *),
marked AS (
  INSERT INTO due_day (tenant_id, meter_id, day)
  SELECT DISTINCT u.tenant_id, u.meter_id, u.day
    FROM taken t
    JOIN agreement a ON a.tenant_id = t.tenant_id AND a.id = t.agreement_id
    JOIN day_usage u ON u.tenant_id = a.tenant_id AND u.meter_id = a.meter_id
     AND u.day BETWEEN t.first_on AND t.last_on
  ON CONFLICT DO NOTHING)
SELECT count(*) FROM taken
"""


async def upsert_usage(tx: WriteConnection, flows: Mapping[FlowKey, FlowUsage]) -> set[DayKey]:
    """Keep the newest usage of each channel-day; the days on which something changed."""
    changed = await insert_rows(
        tx,
        day_usage,
        [(*key, *flows[key]) for key in sorted(flows)],
        "ON CONFLICT (tenant_id, meter_id, day, flow) DO UPDATE "
        "SET zone = excluded.zone, minutes = excluded.minutes, version = excluded.version, "
        "energy = excluded.energy, correlation_id = excluded.correlation_id "
        "WHERE day_usage.version < excluded.version RETURNING tenant_id, meter_id, day",
    )
    return {_key(row) for row in changed}


async def fetch_usage(tx: WriteConnection, keys: Collection[DayKey]) -> list[DayUsage]:
    """All that is known of these days."""
    days: dict[DayKey, list[asyncpg.Record]] = {}
    for row in await tx.raw.fetch(_DAYS, *columns_of(keys, 3)):
        days.setdefault(_key(row), []).append(row)
    return [_usage_of(key, flows) for key, flows in days.items()]


def _usage_of(key: DayKey, flows: Sequence[asyncpg.Record]) -> DayUsage:
    newest = max(flows, key=lambda row: row["version"])
    return DayUsage(
        *key,
        zone=newest["zone"],
        minutes={row["flow"]: row["minutes"] for row in flows},
        version=sum(row["version"] for row in flows),
        series={row["flow"]: np.frombuffer(row["energy"], ENERGY) for row in flows},
        correlation_id=newest["correlation_id"],
    )


async def upsert_costs(tx: WriteConnection, costs: Sequence[CostDay]) -> None:
    """Keep the cost of each day by its newest usage."""
    await insert_rows(
        tx,
        cost_day,
        [
            (
                *cost.usage.key,
                cost.agreement_id,
                cost.tariff_version_id,
                cost.usage.version,
                cost.import_wh,
                cost.export_wh,
                cost.currency,
                cost.net,
                cost.tax,
                cost.gross,
            )
            for cost in sorted(costs, key=lambda cost: cost.usage.key)
        ],
        "ON CONFLICT (tenant_id, meter_id, day) DO UPDATE "
        "SET agreement_id = excluded.agreement_id, "
        "tariff_version_id = excluded.tariff_version_id, "
        "usage_version = excluded.usage_version, import_wh = excluded.import_wh, "
        "export_wh = excluded.export_wh, currency = excluded.currency, net = excluded.net, "
        "tax = excluded.tax, gross = excluded.gross "
        "WHERE cost_day.usage_version <= excluded.usage_version",
    )


async def delete_costs(tx: WriteConnection, unpriced: Sequence[DayUsage]) -> None:
    """Forget costs of days that no agreement or tariff applies to any more.

    A cost by newer usage, which another transaction has priced meanwhile, stays.
    """
    if unpriced:
        keys = [(*usage.key, usage.version) for usage in unpriced]
        await tx.raw.execute(_DELETE_COSTS, *columns_of(keys, 4))


async def spread_due(tx: WriteConnection, agreements_max: int) -> int:
    """Mark the days of some of the agreements that are due; how many agreements."""
    spread: int = await tx.raw.fetchval(_SPREAD, agreements_max)
    return spread


async def take_due(tx: WriteConnection, days_max: int) -> list[DayKey]:
    """Some of the days to be priced again; they are due no longer.

    In the order of the primary key: another order would sort all that is due for every batch.
    """
    return [_key(row) for row in await tx.raw.fetch(_TAKE_DUE, days_max)]


async def mark_due_by_tariff(tx: WriteConnection, versions: Sequence[Key]) -> None:
    """Price again the days on which these versions may be in force, or were."""
    await tx.raw.execute(_DUE_BY_TARIFF, *columns_of(versions, 2))


async def mark_due_by_agreement(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Price again the days of these agreements, and those after their end."""
    await tx.raw.execute(_DUE_BY_AGREEMENT, *columns_of(agreements, 2))


async def mark_due_by_prices(tx: WriteConnection, changed: Sequence[tuple[str, str, date]]) -> None:
    """Price again the days on which these prices may apply: tenant, code of the series, day."""
    await tx.raw.execute(_DUE_BY_PRICES, *columns_of(changed, 3))


def _key(row: asyncpg.Record) -> DayKey:
    return row["tenant_id"], row["meter_id"], row["day"]
