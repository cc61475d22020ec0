"""Each tenant's rules of dunning, as the event has them, in JSON; and customers who get no notices.

A customer whose stop was ended keeps a row without a reason, which no older version replaces.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.dunning import (
    CurrencyAmount,
    DunningLevel,
    DunningRulesChanged,
    DunningStopChanged,
)
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, from_row
from gridtally.ledger.accounts.domain import dunning
from gridtally.ledger.accounts.domain.dunning import DunningRules, DunningStop

_FETCH = "SELECT levels, minimums, runs_daily FROM dunning_rules WHERE tenant_id = $1"


async def fetch_rules(read: ReadConnection, tenant_id: str) -> DunningRules:
    """The tenant's rules; without any level until it sets some."""
    row = await read.raw.fetchrow(_FETCH, tenant_id)
    if row is None:
        return DunningRules()
    return rules_of(row["levels"], row["minimums"], runs_daily=row["runs_daily"])


def rules_of(
    levels: Sequence[object], minimums: Sequence[object], *, runs_daily: bool
) -> DunningRules:
    """Rules, as the domain knows them."""
    parsed = [DunningLevel.model_validate(own) for own in levels]
    return DunningRules(
        tuple(
            dunning.DunningLevel(
                own.name,
                own.after_days,
                own.days_to_pay,
                {fee.currency: fee.amount for fee in own.fees},
            )
            for own in parsed
        ),
        {least.currency: least.amount for least in map(CurrencyAmount.model_validate, minimums)},
        runs_daily,
    )


def published_rules(rules: DunningRules) -> dict[str, object]:
    """Rules, as the event has them."""
    return {
        "levels": [asdict(level) | {"fees": _amounts(level.fees)} for level in rules.levels],
        "minimums": _amounts(rules.minimums),
        "runs_daily": rules.runs_daily,
    }


def _amounts(by_currency: Any) -> list[dict[str, Any]]:
    return [
        {"currency": currency, "amount": amount} for currency, amount in sorted(by_currency.items())
    ]


# Each change counts the version up.
_UPSERT = """
INSERT INTO dunning_rules AS r (tenant_id, levels, minimums, runs_daily) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE
   SET levels = excluded.levels, minimums = excluded.minimums, runs_daily = excluded.runs_daily,
       version = r.version + 1, updated_at = now()
RETURNING version, updated_at
"""


async def upsert_rules(
    tx: WriteConnection, tenant_id: str, rules: DunningRules
) -> tuple[int, datetime]:
    """Have these rules from now on. Returns their version, and since when it is."""
    event = DunningRulesChanged.model_validate(published_rules(rules) | {"version": 0})
    [row] = await tx.raw.fetch(_UPSERT, tenant_id, *_columns(event))
    return row["version"], row["updated_at"]


_ADOPT = """
INSERT INTO dunning_rules AS r (tenant_id, levels, minimums, runs_daily, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id) DO UPDATE
   SET levels = excluded.levels, minimums = excluded.minimums, runs_daily = excluded.runs_daily,
       version = excluded.version, updated_at = excluded.updated_at
 WHERE r.version < excluded.version
"""


async def adopt_rules(
    tx: WriteConnection, tenant_id: str, event: DunningRulesChanged, at: datetime
) -> None:
    """Have the rules that were published before a restore, unless newer ones are there."""
    await tx.raw.execute(_ADOPT, tenant_id, *_columns(event), event.version, at)


def _columns(event: DunningRulesChanged) -> tuple[str, str, bool]:
    written = event.model_dump(mode="json")
    return json.dumps(written["levels"]), json.dumps(written["minimums"]), event.runs_daily


# Not beside a run that goes on, nor for a day that somebody has had looked at.
_FETCH_DUE = """
SELECT r.tenant_id FROM dunning_rules r
 WHERE r.runs_daily AND r.levels <> '[]'
   AND NOT EXISTS (SELECT FROM dunning_run d
                    WHERE d.tenant_id = r.tenant_id
                      AND (d.finished_at IS NULL OR d.dunned_on >= $1))
 ORDER BY r.tenant_id
"""


async def fetch_daily_due(read: ReadConnection, on: date) -> list[str]:
    """The tenants whose run of a day is to begin by itself."""
    return [row["tenant_id"] for row in await read.raw.fetch(_FETCH_DUE, on)]


_FETCH_STOP = """
SELECT customer_id, reason, until FROM dunning_stop
 WHERE (tenant_id, customer_id) = ($1, $2) AND reason IS NOT NULL
"""


async def fetch_stop(read: ReadConnection, tenant_id: str, customer_id: UUID) -> DunningStop | None:
    """The customer's stop, also one whose day has passed; None where there is none."""
    row: Row | None = await read.raw.fetchrow(_FETCH_STOP, tenant_id, customer_id)
    return None if row is None else from_row(DunningStop, row)


_FETCH_STOPPED = """
SELECT customer_id FROM dunning_stop
 WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND reason IS NOT NULL
   AND (until IS NULL OR until >= $3)
"""


async def fetch_stopped(
    read: ReadConnection, tenant_id: str, customers: Collection[UUID], on: date
) -> set[UUID]:
    """Those of these customers who get no notices on a day."""
    rows = await read.raw.fetch(_FETCH_STOPPED, tenant_id, list(customers), on)
    return {row["customer_id"] for row in rows}


_UPSERT_STOP = """
INSERT INTO dunning_stop AS s (tenant_id, customer_id, reason, until) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET reason = excluded.reason, until = excluded.until, version = s.version + 1
RETURNING version
"""


async def upsert_stop(tx: WriteConnection, tenant_id: str, stop: DunningStop) -> int:
    """Have this stop from now on. Returns its version."""
    version: int = await tx.raw.fetchval(
        _UPSERT_STOP, tenant_id, stop.customer_id, stop.reason, stop.until
    )
    return version


_END_STOP = """
UPDATE dunning_stop SET reason = NULL, until = NULL, version = version + 1
 WHERE (tenant_id, customer_id) = ($1, $2) AND reason IS NOT NULL RETURNING version
"""


async def end_stop(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> int | None:
    """Have the customer dunned again. Returns the new version; None where there was no stop."""
    version: int | None = await tx.raw.fetchval(_END_STOP, tenant_id, customer_id)
    return version


_ADOPT_STOP = """
INSERT INTO dunning_stop AS s (tenant_id, customer_id, reason, until, version)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET reason = excluded.reason, until = excluded.until, version = excluded.version
 WHERE s.version < excluded.version
"""


async def adopt_stop(tx: WriteConnection, tenant_id: str, event: DunningStopChanged) -> None:
    """Have a stop, or its end, as it was published, unless a newer version is there."""
    await tx.raw.execute(
        _ADOPT_STOP, tenant_id, event.customer_id, event.reason, event.until, event.version
    )
