"""The rules that tenants have for their readings, one row each."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.validation_rules import RuleSet, RuleSetting
from gridtally.ingest.store.alert_rules import read_settings
from gridtally.ingest.store.meters import count_change
from gridtally.ingest.tables import validation_rules as table

_FETCH_ALL = """
SELECT tenant_id, v.version, v.settings, a.settings AS of_alerts
  FROM validation_rules v FULL JOIN alert_rules a USING (tenant_id)
"""


async def fetch_rule_sets(read: ReadConnection) -> dict[str, RuleSet]:
    """Those of all tenants that the transaction sees and that have a rule on."""
    rule_sets = {row["tenant_id"]: _rule_set(row) for row in await read.raw.fetch(_FETCH_ALL)}
    return {tenant_id: rules for tenant_id, rules in rule_sets.items() if not rules.is_off}


_FETCH = """
SELECT v.version, v.settings, a.settings AS of_alerts
  FROM (SELECT $1::text AS tenant_id) AS k
  LEFT JOIN validation_rules v USING (tenant_id) LEFT JOIN alert_rules a USING (tenant_id)
"""


async def fetch_rules(read: ReadConnection, tenant_id: str) -> RuleSet:
    """A tenant's rules; version 0 and none where it has said nothing."""
    return _rule_set(await read.raw.fetchrow(_FETCH, tenant_id))


async def lock_rules(tx: WriteConnection, tenant_id: str) -> RuleSet:
    """The same, so that nobody else changes them until the transaction ends."""
    await count_change(tx)
    return await fetch_rules(tx, tenant_id)


_REPLACE = """
ON CONFLICT (tenant_id) DO UPDATE
   SET version = excluded.version, settings = excluded.settings, updated_at = excluded.updated_at
"""


async def upsert_rules(tx: WriteConnection, tenant_id: str, rules: RuleSet, now: datetime) -> None:
    """Replace a tenant's rules; every process sees that its copies are old."""
    settings = orjson.dumps([asdict(setting) for setting in rules.settings]).decode()
    row = {
        "tenant_id": tenant_id,
        "version": rules.version,
        "settings": settings,
        "updated_at": now,
    }
    await insert_rows(tx, table, [row], _REPLACE)


def _rule_set(row: Any) -> RuleSet:
    settings = tuple(RuleSetting(**setting) for setting in row["settings"] or ())
    of_alerts = read_settings(row["of_alerts"] or ()).rule_settings()
    return RuleSet(settings, row["version"] or 0, of_alerts)
