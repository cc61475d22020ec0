"""Verdicts: where a rule of the tenant speaks of a channel-day, and when it ceased to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import columns_of, insert_rows
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.tables import verdict as table
from gridtally.metering.validation.judge import Verdict
from gridtally.metering.validation.rules import NOT_SEEN_IN_DAYS

# What happened stays: a later look at the day does not see it.
_CLEAR = """
UPDATE verdict v SET cleared_at = $6
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::smallint[], $5::date[])
       AS k (tenant_id, meter_id, flow, minutes, day)
 CROSS JOIN LATERAL (
       SELECT o.rule FROM verdict o
        WHERE o.tenant_id = k.tenant_id AND o.meter_id = k.meter_id AND o.flow = k.flow
          AND o.minutes = k.minutes AND o.day = k.day AND o.cleared_at IS NULL
          AND o.rule <> ALL ($7::text[])
       OFFSET 0) AS o
 WHERE v.tenant_id = k.tenant_id AND v.meter_id = k.meter_id AND v.flow = k.flow
   AND v.minutes = k.minutes AND v.day = k.day AND v.rule = o.rule
"""
_SPEAK = """
ON CONFLICT (tenant_id, meter_id, flow, minutes, day, rule) DO UPDATE
   SET value = excluded.value, "limit" = excluded."limit", slot = excluded.slot,
       intervals = excluded.intervals, judged_at = excluded.judged_at, cleared_at = NULL
"""


async def replace_verdicts(
    tx: WriteConnection, days: Sequence[DayKey], verdicts: Sequence[Verdict], now: datetime
) -> None:
    """Store the verdicts on these channel-days (whose `day` is an index of `days`); earlier ones on
    them that are not among these are cleared."""
    await tx.raw.execute(_CLEAR, *columns_of(days, 5), now, list(NOT_SEEN_IN_DAYS))
    await upsert_verdicts(tx, days, verdicts, now)


async def upsert_verdicts(
    tx: WriteConnection, days: Sequence[DayKey], verdicts: Sequence[Verdict], now: datetime
) -> None:
    """Store verdicts on channel-days (whose `day` is an index of `days`); others stay."""
    rows = [
        days[verdict.day]._asdict()
        | {
            "rule": verdict.rule,
            "value": verdict.value,
            "limit": verdict.limit,
            "slot": verdict.slot,
            "intervals": verdict.count,
            "judged_at": now,
            "cleared_at": None,
        }
        for verdict in sorted(verdicts, key=lambda verdict: (verdict.day, verdict.rule))
    ]
    await insert_rows(tx, table, rows, _SPEAK)


_CLEAR_RULES = """
UPDATE verdict SET cleared_at = $3
 WHERE tenant_id = $1 AND rule = ANY($2::text[]) AND cleared_at IS NULL
"""


async def clear_rules(
    tx: WriteConnection, tenant_id: str, rules: Sequence[str], now: datetime
) -> None:
    """Clear the tenant's verdicts by rules that it has turned off."""
    await tx.raw.execute(_CLEAR_RULES, tenant_id, rules, now)


async def list_verdicts(
    read: ReadConnection,
    tenant_id: str,
    *,
    meter_id: UUID | None,
    rule: str | None,
    window: tuple[date | None, date | None],
    cleared: bool,
    after: tuple[date, UUID, str, str, int] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Verdicts by day, oldest first; `window` bounds the days; those that were cleared only with
    `cleared`."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id)
    for column, wanted in (("meter_id", meter_id), ("rule", rule)):
        if wanted is not None:
            query = query.where(table.c[column] == wanted)
    start_on, end_on = window
    if start_on is not None:
        query = query.where(table.c.day >= start_on)
    if end_on is not None:
        query = query.where(table.c.day < end_on)
    if not cleared:
        query = query.where(table.c.cleared_at.is_(None))
    position = (table.c.day, table.c.meter_id, table.c.flow, table.c.rule, table.c.minutes)
    return await read.all(page_after(query, position, after=after, rows_max=rows_max))


_OF_METERS = """
SELECT meter_id, flow, minutes, day, rule, value, "limit", slot, intervals FROM verdict
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND day >= $3 AND day < $4
   AND cleared_at IS NULL
 ORDER BY day, flow, rule
"""


async def fetch_verdicts(
    read: ReadConnection, tenant_id: str, meter_ids: Sequence[UUID], window: tuple[date, date]
) -> list[dict[str, Any]]:
    """The verdicts on days of these meters that hold now."""
    rows = await read.raw.fetch(_OF_METERS, tenant_id, meter_ids, *window)
    return [dict(row) for row in rows]
