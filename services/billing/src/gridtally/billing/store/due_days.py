"""Due days: which days are to be priced again, because what their cost rests on has changed.

In two steps, so that the transaction that brings a change stays short: it marks the agreements
concerned, one row each; a loop spreads these over their days, some agreements at a time.
"""

from collections.abc import Sequence
from datetime import date

from gridtally.billing.domain.reference_data import DayKey, Key
from gridtally.database import WriteConnection
from gridtally.database.rows import columns_of

# Agreements that are due already keep one row, with the days of both causes and all between them.
_MARK = """
INSERT INTO due_agreement (tenant_id, agreement_id, first_on, last_on)
SELECT a.tenant_id, a.id, min({first}), max({last})
  FROM {causes}
 GROUP BY a.tenant_id, a.id ORDER BY a.tenant_id, a.id
ON CONFLICT (tenant_id, agreement_id) DO UPDATE
   SET first_on = least(due_agreement.first_on, excluded.first_on),
       last_on = greatest(due_agreement.last_on, excluded.last_on)
"""
_AND_LATER = "'infinity'::date"

# From the first day of the version or the agreement, whichever is later. Without an end: a version
# that was withdrawn is over on days that nobody has asked for yet.
_MARK_BY_TARIFF = _MARK.format(
    first="greatest(v.effective_from, a.start_on)",
    last=_AND_LATER,
    causes="""unnest($1::text[], $2::uuid[]) AS k (tenant_id, version_id)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id AND v.id = k.version_id
  JOIN agreement a ON a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id""",
)


async def mark_due_by_tariff(tx: WriteConnection, versions: Sequence[Key]) -> None:
    """Price again the days on which these versions may be in force, or were."""
    await tx.raw.execute(_MARK_BY_TARIFF, *columns_of(versions, 2))


# Days after its end too: they have a cost from before it was ended, which is to be deleted.
_MARK_BY_AGREEMENT = _MARK.format(
    first="a.start_on",
    last=_AND_LATER,
    causes="""unnest($1::text[], $2::uuid[]) AS k (tenant_id, agreement_id)
  JOIN agreement a ON a.tenant_id = k.tenant_id AND a.id = k.agreement_id""",
)


async def mark_due_by_agreement(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Price again the days of these agreements, and those after their end."""
    await tx.raw.execute(_MARK_BY_AGREEMENT, *columns_of(agreements, 2))


# Without an end, as above. Straight to the days: an agreement that is deleted cannot be spread.
_MARK_DAYS = """
INSERT INTO due_day (tenant_id, meter_id, day)
SELECT DISTINCT u.tenant_id, u.meter_id, u.day
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, agreement_id)
  JOIN agreement a ON a.tenant_id = k.tenant_id AND a.id = k.agreement_id
  JOIN daily_usage u ON u.tenant_id = a.tenant_id AND u.meter_id = a.meter_id
   AND u.day >= a.start_on
ON CONFLICT DO NOTHING
"""


async def mark_days_of_agreements(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Price again the days of these agreements, which are about to be deleted."""
    await tx.raw.execute(_MARK_DAYS, *columns_of(agreements, 2))


# A day more at each end, since the market's days may begin at other instants than the meter's.
_MARK_BY_PRICES = _MARK.format(
    first="k.day - 1",
    last="k.day + 1",
    causes="""unnest($1::text[], $2::text[], $3::date[]) AS k (tenant_id, code, day)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id
   AND jsonb_path_exists(v.document, '$.components[*] ? (@.series == $code)',
                         jsonb_build_object('code', k.code))
  JOIN agreement a ON a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id""",
)


async def mark_due_by_prices(tx: WriteConnection, changed: Sequence[tuple[str, str, date]]) -> None:
    """Price again the days on which these prices may apply: tenant, code of the series, day."""
    await tx.raw.execute(_MARK_BY_PRICES, *columns_of(changed, 3))


# Takes and marks in one statement: an agreement is due until its days are. SKIP LOCKED lets
# several processes spread different agreements.
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
    JOIN daily_usage u ON u.tenant_id = a.tenant_id AND u.meter_id = a.meter_id
     AND u.day BETWEEN t.first_on AND t.last_on
  ON CONFLICT DO NOTHING)
SELECT count(*) FROM taken
"""


async def spread_due(tx: WriteConnection, agreements_max: int) -> int:
    """Mark the days of some of the agreements that are due, and return how many agreements."""
    spread: int = await tx.raw.fetchval(_SPREAD, agreements_max)
    return spread


# In the order of the primary key: another order would sort all that is due for every batch.
_TAKE_DUE = """
DELETE FROM due_day WHERE (tenant_id, meter_id, day) IN (
  SELECT tenant_id, meter_id, day FROM due_day
   ORDER BY tenant_id, meter_id, day LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING tenant_id, meter_id, day
"""


async def take_due(tx: WriteConnection, days_max: int) -> list[DayKey]:
    """Some of the days to be priced again; they are due no longer."""
    rows = await tx.raw.fetch(_TAKE_DUE, days_max)
    return [(row["tenant_id"], row["meter_id"], row["day"]) for row in rows]
