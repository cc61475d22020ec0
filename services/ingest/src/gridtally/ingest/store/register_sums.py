"""Registers whose sums of intervals are to be looked at.

`register_check` has no unique key: whoever changes a reading or an interval adds a mark without
waiting for anybody, and a claim takes all marks of a register at once.
"""

from collections.abc import Sequence
from datetime import date, datetime

from gridtally.database import WriteConnection
from gridtally.database.rows import columns_of
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.readings import DayKey
from gridtally.ingest.domain.register_sums import CheckedRegister
from gridtally.ingest.domain.registers import RegisterKey
from gridtally.ingest.domain.usage import ChangedDay

# Only of tenants that have said something of the rule: for all others nothing is looked at.
_MARK = """
INSERT INTO register_check (tenant_id, meter_id, flow, from_at, to_at)
SELECT k.tenant_id, k.meter_id, k.flow, k.from_at, k.to_at
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
       AS k (tenant_id, meter_id, flow, from_at, to_at)
  JOIN validation_rules v ON v.tenant_id = k.tenant_id
 WHERE v.settings @> '[{"rule": "register_sum"}]'
   AND EXISTS (SELECT FROM register_channel c
                WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow)
"""


async def mark_registers(
    tx: WriteConnection, windows: Sequence[tuple[RegisterKey, datetime, datetime]]
) -> None:
    """Have registers looked at, each between two moments."""
    rows = [(*key, *moments) for key, *moments in windows]
    await tx.raw.execute(_MARK, *columns_of(rows, 5))


async def mark_days(
    tx: WriteConnection,
    days: Sequence[ChangedDay | PublishedDay],
    bounds: Sequence[tuple[datetime, datetime]],
) -> None:
    """Have the registers looked at whose channels' days, between these bounds, have changed."""
    await mark_registers(
        tx,
        [
            ((day.tenant_id, day.meter_id, day.flow), *moments)
            for day, moments in zip(days, bounds, strict=True)
        ],
    )


# One process looks at a time: two would clear what the other has just said.
_LOCK = "SELECT pg_try_advisory_xact_lock(7104421)"
_CLAIM = """
WITH due AS (
    SELECT DISTINCT tenant_id, meter_id, flow
      FROM (SELECT tenant_id, meter_id, flow FROM register_check ORDER BY id LIMIT $1) AS c),
claimed AS (
    DELETE FROM register_check c USING due k
     WHERE c.tenant_id = k.tenant_id AND c.meter_id = k.meter_id AND c.flow = k.flow
    RETURNING c.*)
SELECT tenant_id, meter_id, flow, min(from_at) AS from_at, max(to_at) AS to_at
  FROM claimed GROUP BY tenant_id, meter_id, flow ORDER BY tenant_id, meter_id, flow
"""


async def claim_registers(tx: WriteConnection, marks_max: int) -> list[CheckedRegister]:
    """Take registers off the queue; none while another process looks at some."""
    if not await tx.raw.fetchval(_LOCK):
        return []
    return [
        CheckedRegister((row["tenant_id"], row["meter_id"], row["flow"]), *row[3:])
        for row in await tx.raw.fetch(_CLAIM, marks_max)
    ]


_CLEAR = """
UPDATE verdict SET cleared_at = $7
 WHERE tenant_id = $1 AND meter_id = $2 AND flow = $3 AND minutes = $4 AND day >= $5 AND day < $6
   AND rule = 'register_sum' AND cleared_at IS NULL AND NOT (day = ANY ($8::date[]))
"""


async def clear_between(
    tx: WriteConnection,
    first: DayKey,
    end_on: date,
    still: Sequence[date],
    now: datetime,
) -> None:
    """Clear what the rule says of a channel's days from `first` until `end_on`, but for those of
    which it says so `still`."""
    await tx.raw.execute(_CLEAR, *first, end_on, now, still)
