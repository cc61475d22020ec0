"""Billed and held periods: who bills which revision, and what waits for which fact."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from billing.domain.facts import Key
from billing.domain.periods import ClosedPeriod, Held, PeriodKey
from billing.store.rows import insert_rows
from billing.tables import billed_period, held_period
from database import WriteConnection

_LOCK_DUE = """
SELECT h.* FROM held_period h JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE h.due ORDER BY h.held_at, h.agreement_id LIMIT $1 FOR UPDATE OF b SKIP LOCKED
"""
_INVOICED_REVISIONS = """
SELECT b.tenant_id, b.agreement_id, b.start_on, b.invoiced_revision
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE b.invoiced_revision IS NOT NULL
"""
_INVOICED = """
UPDATE billed_period b SET invoiced_revision = b.revision
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
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


async def lock_newer(tx: WriteConnection, periods: Sequence[ClosedPeriod]) -> list[ClosedPeriod]:
    """Lock each period's row and move it to the revision that came.

    What came before, or is older than what came, is left out; the order is kept.
    """
    ordered = sorted(periods, key=lambda closed: closed.key)
    newer = await insert_rows(
        tx,
        billed_period,
        [(*closed.key, closed.revision, None, closed.energy_wh) for closed in ordered],
        "ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE "
        "SET revision = excluded.revision, energy_wh = excluded.energy_wh "
        "WHERE billed_period.revision < excluded.revision "
        "RETURNING tenant_id, agreement_id, start_on",
    )
    claimed = {tuple(row) for row in newer}
    return [closed for closed in periods if closed.key in claimed]


async def lock_due(tx: WriteConnection, periods_max: int) -> list[asyncpg.Record]:
    """Held periods that a fact has arrived for, the longest held first, locked."""
    return await tx.raw.fetch(_LOCK_DUE, periods_max)


async def fetch_invoiced_revisions(
    tx: WriteConnection, keys: Collection[PeriodKey]
) -> dict[PeriodKey, int]:
    """The revision of the live invoice of each period that has one."""
    rows = await tx.raw.fetch(_INVOICED_REVISIONS, *_columns(keys))
    return {
        (row["tenant_id"], row["agreement_id"], row["start_on"]): row["invoiced_revision"]
        for row in rows
    }


async def update_invoiced(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """The newest revision of these periods has its invoice; none of them is held any more."""
    await tx.raw.execute(_INVOICED, *_columns(keys))
    await tx.raw.execute(_DELETE_HELD, *_columns(keys))


async def upsert_held(tx: WriteConnection, held: Sequence[Held], now: datetime) -> None:
    """Hold periods, in place of what was held of an older revision."""
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
                False,
            )
            for one in held
        ],
        "ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE "
        "SET end_on = excluded.end_on, revision = excluded.revision, "
        "meter_id = excluded.meter_id, reason = excluded.reason, detail = excluded.detail, "
        "event = excluded.event, correlation_id = excluded.correlation_id, due = false",
    )


async def mark_due_by_tariff(tx: WriteConnection, versions: Sequence[Key]) -> None:
    """Look again at what is held of agreements on the tariffs of these versions."""
    await tx.raw.execute(_DUE_BY_TARIFF, *_pairs(versions))


async def mark_due_by_meter(tx: WriteConnection, meters: Sequence[Key]) -> None:
    """Look again at what is held of these meters."""
    await tx.raw.execute(_DUE_BY_METER, *_pairs(meters))


async def mark_due_by_agreement(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Look again at what is held of these agreements."""
    await tx.raw.execute(_DUE_BY_AGREEMENT, *_pairs(agreements))


def _pairs(keys: Sequence[Key]) -> tuple[list[str], list[UUID]]:
    return [tenant_id for tenant_id, _ in keys], [one for _, one in keys]


def _columns(keys: Collection[PeriodKey]) -> list[list[object]]:
    return [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
