"""The rules that tenants have for alerts, one row each."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import insert_rows
from gridtally.ingest.domain.alert_rules import AlertRules, AlertSetting
from gridtally.ingest.store.meters import count_change
from gridtally.ingest.tables import alert_rules as table

_FETCH = "SELECT tenant_id, version, settings FROM alert_rules WHERE tenant_id = ANY($1::text[])"


async def fetch_rules(read: ReadConnection, tenant_ids: Collection[str]) -> dict[str, AlertRules]:
    """Those of tenants; none, in version 0, of one that has said nothing."""
    rules = dict.fromkeys(tenant_ids, AlertRules())
    for row in await read.raw.fetch(_FETCH, list(tenant_ids)):
        rules[row["tenant_id"]] = read_settings(row["settings"], row["version"])
    return rules


async def lock_rules(tx: WriteConnection, tenant_id: str) -> AlertRules:
    """A tenant's rules, so that nobody else changes them until the transaction ends; every process
    sees that its copies are old."""
    await count_change(tx)
    return (await fetch_rules(tx, [tenant_id]))[tenant_id]


_FETCH_TENANTS = "SELECT tenant_id FROM alert_rules WHERE is_on"


async def fetch_tenants(read: ReadConnection) -> frozenset[str]:
    """The tenants with a kind of alerts on."""
    return frozenset(row["tenant_id"] for row in await read.raw.fetch(_FETCH_TENANTS))


_REPLACE = """
ON CONFLICT (tenant_id) DO UPDATE
   SET version = excluded.version, settings = excluded.settings, is_on = excluded.is_on,
       updated_at = excluded.updated_at
"""


async def upsert_rules(
    tx: WriteConnection, tenant_id: str, rules: AlertRules, now: datetime
) -> None:
    """Replace a tenant's rules."""
    settings = [
        asdict(setting) | {"limit": None if setting.limit is None else str(setting.limit)}
        for setting in rules.settings
    ]
    row = {
        "tenant_id": tenant_id,
        "version": rules.version,
        "settings": orjson.dumps(settings).decode(),
        "is_on": not rules.is_off,
        "updated_at": now,
    }
    await insert_rows(tx, table, [row], _REPLACE)


def read_settings(settings: Iterable[Mapping[str, Any]], version: int = 0) -> AlertRules:
    """Rules as they are stored."""
    return AlertRules(tuple(map(_setting, settings)), version)


def _setting(stored: Mapping[str, Any]) -> AlertSetting:
    limit = stored["limit"]
    return AlertSetting(**{**stored, "limit": None if limit is None else Decimal(limit)})
