"""Billed and held periods: who bills which revision, and what waits for which fact."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime

import asyncpg

from billing.domain.facts import Key
from billing.domain.periods import (
    Billed,
    ClosedPeriod,
    Held,
    Invoiced,
    PeriodKey,
    Predecessor,
)
from billing.store.rows import columns_of, insert_rows
from billing.tables import billed_period, held_period
from database import WriteConnection
from rating.state import read_state, state_document

_DUE = """
SELECT tenant_id, agreement_id, start_on FROM held_period
 WHERE due ORDER BY start_on, held_at, agreement_id LIMIT $1
"""
_LOCK_DUE = """
SELECT h.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
  JOIN held_period h USING (tenant_id, agreement_id, start_on)
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE h.due ORDER BY h.start_on, h.held_at, h.agreement_id FOR UPDATE OF b, h SKIP LOCKED
"""
_BEFORE = """
SELECT k.tenant_id, k.agreement_id, k.start_on, b.end_on, b.state,
       b.invoiced_revision IS NOT DISTINCT FROM b.revision AS settled
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM billed_period p
        WHERE p.tenant_id = k.tenant_id AND p.agreement_id = k.agreement_id
          AND p.start_on < k.start_on
        ORDER BY p.start_on DESC LIMIT 1) AS b
"""
_INVOICED_REVISIONS = """
SELECT b.tenant_id, b.agreement_id, b.start_on, b.invoiced_revision, b.restatement
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE b.invoiced_revision IS NOT NULL
"""
_INVOICED = """
UPDATE billed_period b
   SET invoiced_revision = b.revision, restatement = k.restatement, state = k.state
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::int[], $5::jsonb[])
       AS k (tenant_id, agreement_id, start_on, restatement, state)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""
_STATES = """
UPDATE billed_period b SET state = k.state
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::jsonb[])
       AS k (tenant_id, agreement_id, start_on, state)
 WHERE (b.tenant_id, b.agreement_id, b.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""
_DELETE_HELD = """
DELETE FROM held_period h
 USING unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (h.tenant_id, h.agreement_id, h.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""
_DUE_BY_TARIFF = """
UPDATE held_period h SET due = true
  FROM agreement a, unnest($1::text[], $2::uuid[]) AS k (tenant_id, version_id)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id AND v.id = k.version_id
 WHERE a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id
   AND h.tenant_id = a.tenant_id AND h.agreement_id = a.id
"""
_DUE_BY_METER = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
 WHERE h.tenant_id = k.tenant_id AND h.meter_id = k.meter_id
"""
_DUE_BY_AGREEMENT = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, agreement_id)
 WHERE h.tenant_id = k.tenant_id AND h.agreement_id = k.agreement_id
"""
_DUE_BY_PRICES = """
UPDATE held_period h SET due = true
  FROM (SELECT tenant_id, min(day) - 1 AS first, max(day) + 1 AS last
          FROM unnest($1::text[], $2::date[]) AS k (tenant_id, day) GROUP BY tenant_id) AS k
 WHERE h.tenant_id = k.tenant_id AND starts_with(h.reason, 'prices_')
   AND h.start_on <= k.last AND h.end_on > k.first
"""
_DUE_AFTER = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (h.tenant_id, h.agreement_id, h.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def lock_newer(tx: WriteConnection, periods: Sequence[ClosedPeriod]) -> list[ClosedPeriod]:
    """Lock each period's row and move it to the revision that came.

    What came before, or is older than what came, is left out; the order is kept.
    """
    ordered = sorted(periods, key=lambda closed: closed.key)
    newer = await insert_rows(
        tx,
        billed_period,
        [
            (*closed.key, closed.period.end_on, closed.revision, None, 0, "{}", closed.energy_wh)
            for closed in ordered
        ],
        "ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE "
        "SET end_on = excluded.end_on, revision = excluded.revision, "
        "energy_wh = excluded.energy_wh "
        "WHERE billed_period.revision < excluded.revision "
        "RETURNING tenant_id, agreement_id, start_on",
    )
    claimed = {tuple(row) for row in newer}
    return [closed for closed in periods if closed.key in claimed]


async def fetch_due(tx: WriteConnection, periods_max: int) -> list[PeriodKey]:
    """Held periods that a fact has arrived for: the earliest first, then the longest held."""
    return [tuple(row) for row in await tx.raw.fetch(_DUE, periods_max)]


async def lock_due(tx: WriteConnection, keys: Collection[PeriodKey]) -> list[asyncpg.Record]:
    """Those of these held periods that are still due and not locked by another, locked."""
    return await tx.raw.fetch(_LOCK_DUE, *columns_of(keys, 3))


async def fetch_predecessors(
    tx: WriteConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, Predecessor]:
    """The last period before each of these, where its agreement has one."""
    rows = await tx.raw.fetch(_BEFORE, *columns_of(keys, 3)) if keys else []
    return {
        (row["tenant_id"], row["agreement_id"], row["start_on"]): Predecessor(
            row["end_on"], row["settled"], read_state(row["state"])
        )
        for row in rows
    }


async def fetch_invoiced(
    tx: WriteConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, Invoiced]:
    """The live invoice of each period that has one."""
    rows = await tx.raw.fetch(_INVOICED_REVISIONS, *columns_of(keys, 3)) if keys else []
    return {
        (row["tenant_id"], row["agreement_id"], row["start_on"]): Invoiced(
            row["invoiced_revision"], row["restatement"]
        )
        for row in rows
    }


async def update_invoiced(tx: WriteConnection, billed: Sequence[Billed]) -> None:
    """The newest revision of these periods has its invoice."""
    keys = [one.closed.key for one in billed]
    await tx.raw.execute(
        _INVOICED,
        *columns_of(keys, 3),
        [one.restatement for one in billed],
        [json.dumps(state_document(one.state_after)) for one in billed],
    )


async def update_states(tx: WriteConnection, billed: Sequence[Billed]) -> None:
    """What these periods hand on has changed, and nothing else."""
    keys = [one.closed.key for one in billed]
    states = [json.dumps(state_document(one.state_after)) for one in billed]
    await tx.raw.execute(_STATES, *columns_of(keys, 3), states)


async def release(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """These periods are not held any more."""
    await tx.raw.execute(_DELETE_HELD, *columns_of(keys, 3))


async def mark_due(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """Look again at these periods, where they are held."""
    await tx.raw.execute(_DUE_AFTER, *columns_of(keys, 3))


async def upsert_held(
    tx: WriteConnection, held: Sequence[Held], now: datetime, *, due: bool = False
) -> None:
    """Hold periods, in place of what was held of an older revision; `due` to be tried again."""
    await insert_rows(
        tx,
        held_period,
        [
            (
                *one.closed.key,
                one.closed.period.end_on,
                one.closed.revision,
                one.closed.meter_id,
                one.reason,
                one.detail,
                one.closed.event,
                one.closed.correlation_id,
                now,
                due,
            )
            for one in held
        ],
        "ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE "
        "SET end_on = excluded.end_on, revision = excluded.revision, "
        "meter_id = excluded.meter_id, reason = excluded.reason, detail = excluded.detail, "
        "event = excluded.event, correlation_id = excluded.correlation_id, due = excluded.due",
    )


async def mark_due_by_tariff(tx: WriteConnection, versions: Sequence[Key]) -> None:
    """Look again at what is held of agreements on the tariffs of these versions."""
    await tx.raw.execute(_DUE_BY_TARIFF, *columns_of(versions, 2))


async def mark_due_by_meter(tx: WriteConnection, meters: Sequence[Key]) -> None:
    """Look again at what is held of these meters."""
    await tx.raw.execute(_DUE_BY_METER, *columns_of(meters, 2))


async def mark_due_by_agreement(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Look again at what is held of these agreements."""
    await tx.raw.execute(_DUE_BY_AGREEMENT, *columns_of(agreements, 2))


async def mark_due_by_prices(tx: WriteConnection, days: Sequence[tuple[str, date]]) -> None:
    """Look again at what is held for its prices (missing, or unfit) around these days."""
    await tx.raw.execute(_DUE_BY_PRICES, *columns_of(days, 2))
