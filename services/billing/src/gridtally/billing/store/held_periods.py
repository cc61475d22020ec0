"""Held periods: closed periods that wait, with the event they came in, for what they lack.

Owns which of them are due: those that something has arrived for since they were held.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from gridtally.billing import tables
from gridtally.billing.domain.periods import ClosedPeriod, HeldPeriod, PeriodKey
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.events.periods import held_period as closed_period_of
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import as_row, columns_of, insert_rows

held_period = tables.held_period
NOT_DISMISSED = {"dismissed_at": None, "dismissed_by": None, "dismissal": None}

# One row per period: a newer revision takes the place of the one that waits. `held_at` stays that
# of the first, so that what has waited longest is tried first.
_REPLACE = """
ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE
   SET end_on = excluded.end_on, revision = excluded.revision, meter_id = excluded.meter_id,
       reason = excluded.reason, detail = excluded.detail, event = excluded.event,
       correlation_id = excluded.correlation_id, due = excluded.due,
       dismissed_at = NULL, dismissed_by = NULL, dismissal = NULL
"""


async def upsert_held(
    tx: WriteConnection, held_periods: Sequence[HeldPeriod], now: datetime, *, due: bool = False
) -> None:
    """Hold periods, in place of what was held of an older revision; `due` to be tried again."""
    rows = [
        as_row(
            held.closed,
            held_period,
            start_on=held.closed.period.start_on,
            end_on=held.closed.period.end_on,
            reason=held.reason,
            detail=held.detail,
            held_at=now,
            due=due,
            **NOT_DISMISSED,
        )
        for held in held_periods
    ]
    await insert_rows(tx, held_period, rows, _REPLACE)


_DELETE = """
DELETE FROM held_period h
 USING unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (h.tenant_id, h.agreement_id, h.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def delete_held(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """These periods are not held any more."""
    await tx.raw.execute(_DELETE, *columns_of(keys, 3))


# Without a lock: agreements are locked first, and only then the rows. Earlier periods first, since
# later ones of the same agreement may wait for them.
_DUE = """
SELECT tenant_id, agreement_id, start_on FROM held_period
 WHERE due AND dismissed_at IS NULL ORDER BY start_on, held_at, agreement_id LIMIT $1
"""


async def fetch_due(tx: WriteConnection, periods_max: int) -> list[PeriodKey]:
    """Held periods that something has arrived for: the earliest first, then the longest held."""
    return [tuple(row) for row in await tx.raw.fetch(_DUE, periods_max)]


# SKIP LOCKED: another process that retries the same periods at the same time has them already.
_LOCK_DUE = """
SELECT h.* FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
  JOIN held_period h USING (tenant_id, agreement_id, start_on)
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE h.due AND h.dismissed_at IS NULL
 ORDER BY h.start_on, h.held_at, h.agreement_id FOR UPDATE OF b, h SKIP LOCKED
"""


async def lock_due(tx: WriteConnection, keys: Collection[PeriodKey]) -> list[ClosedPeriod]:
    """Those of these held periods that are still due and not locked by another, locked."""
    rows = await tx.raw.fetch(_LOCK_DUE, *columns_of(keys, 3))
    return [closed_period_of(row) for row in rows]


_DUE_BY_TARIFF = """
UPDATE held_period h SET due = true
  FROM agreement a, unnest($1::text[], $2::uuid[]) AS k (tenant_id, version_id)
  JOIN tariff_version v ON v.tenant_id = k.tenant_id AND v.id = k.version_id
 WHERE a.tenant_id = v.tenant_id AND a.tariff_id = v.tariff_id
   AND h.tenant_id = a.tenant_id AND h.agreement_id = a.id
"""


async def mark_due_by_tariff(tx: WriteConnection, versions: Sequence[Key]) -> None:
    """Retry what is held of agreements on the tariffs of these versions."""
    await tx.raw.execute(_DUE_BY_TARIFF, *columns_of(versions, 2))


_DUE_BY_METER = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, meter_id)
 WHERE h.tenant_id = k.tenant_id AND h.meter_id = k.meter_id
"""


async def mark_due_by_meter(tx: WriteConnection, meters: Sequence[Key]) -> None:
    """Retry what is held of these meters."""
    await tx.raw.execute(_DUE_BY_METER, *columns_of(meters, 2))


_DUE_BY_AGREEMENT = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, agreement_id)
 WHERE h.tenant_id = k.tenant_id AND h.agreement_id = k.agreement_id
"""


async def mark_due_by_agreement(tx: WriteConnection, agreements: Sequence[Key]) -> None:
    """Retry what is held of these agreements."""
    await tx.raw.execute(_DUE_BY_AGREEMENT, *columns_of(agreements, 2))


# By the window of all days together and not by series: which series a held period needs stands
# only in its tariff, and to retry a few in vain costs little.
_DUE_BY_PRICES = """
UPDATE held_period h SET due = true
  FROM (SELECT tenant_id, min(day) - 1 AS first, max(day) + 1 AS last
          FROM unnest($1::text[], $2::date[]) AS k (tenant_id, day) GROUP BY tenant_id) AS k
 WHERE h.tenant_id = k.tenant_id AND starts_with(h.reason, 'prices_')
   AND h.start_on <= k.last AND h.end_on > k.first
"""


async def mark_due_by_prices(tx: WriteConnection, days: Sequence[tuple[str, date]]) -> None:
    """Retry what is held for its prices (missing, or unfit) around these days of these tenants."""
    await tx.raw.execute(_DUE_BY_PRICES, *columns_of(days, 2))


_DUE_BY_KEY = """
UPDATE held_period h SET due = true
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 WHERE (h.tenant_id, h.agreement_id, h.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def mark_due(tx: WriteConnection, keys: Collection[PeriodKey]) -> None:
    """Retry these periods, where they are held."""
    await tx.raw.execute(_DUE_BY_KEY, *columns_of(keys, 3))


_LOCK = """
SELECT h.*, b.invoiced_revision FROM held_period h
  JOIN billed_period b USING (tenant_id, agreement_id, start_on)
 WHERE h.tenant_id = $1 AND h.agreement_id = $2 AND h.start_on = $3 FOR UPDATE OF b, h
"""


async def lock_held(tx: WriteConnection, key: PeriodKey) -> Any | None:
    """The row of a held period with the `invoiced_revision` of its period, both locked, after its
    agreement; None where it is not held."""
    return await tx.raw.fetchrow(_LOCK, *key)


_DISMISS = """
UPDATE held_period SET dismissed_at = $4, dismissed_by = $5, dismissal = $6, due = false
 WHERE tenant_id = $1 AND agreement_id = $2 AND start_on = $3
"""


async def update_dismissal(
    tx: WriteConnection, key: PeriodKey, dismissal: tuple[datetime, str, str] | None
) -> None:
    """When, by whom and why a held period is dismissed; None for one that is held again."""
    await tx.raw.execute(_DISMISS, *key, *(dismissal or (None, None, None)))


@dataclass(frozen=True, slots=True)
class HeldFilter:
    """None asks for all. `ended_by` a day: only periods without a later one; `held_before` an
    instant: only those that have waited since. `is_dismissed`: these, or those that are not."""

    reason: str | None = None
    customer_id: UUID | None = None
    agreement_id: UUID | None = None
    meter_id: UUID | None = None
    ended_by: date | None = None
    held_before: datetime | None = None
    is_dismissed: bool = False

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What a row of held periods, with its agreement, must be like."""
        held = held_period.c
        named: list[tuple[Callable[[Any], sa.ColumnElement[bool]], Any]] = [
            (held.reason.__eq__, self.reason),
            (tables.agreement.c.customer_id.__eq__, self.customer_id),
            (held.agreement_id.__eq__, self.agreement_id),
            (held.meter_id.__eq__, self.meter_id),
            (held.end_on.__le__, self.ended_by),
            (held.held_at.__le__, self.held_before),
        ]
        dismissed = held.dismissed_at.is_not(None)
        own = dismissed if self.is_dismissed else ~dismissed
        return [own, *(holds(value) for holds, value in named if value is not None)]


async def list_held_periods(
    read: ReadConnection,
    tenant_id: str,
    filters: HeldFilter,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> Sequence[RowMapping]:
    """Held periods with their customers, as far as their agreement is known, by agreement and day,
    those after the agreement and first day `after`."""
    held, agreement = held_period.c, tables.agreement
    columns = [column for column in held if column.name not in ("event", "due")]
    query = (
        sa.select(*columns, agreement.c.customer_id)
        .select_from(
            held_period.outerjoin(
                agreement,
                (agreement.c.tenant_id == held.tenant_id) & (agreement.c.id == held.agreement_id),
            )
        )
        .where(held.tenant_id == tenant_id, *filters.conditions())
    )
    return await read.all(
        page_after(query, (held.agreement_id, held.start_on), after=after, rows_max=rows_max)
    )
