"""Members of collective invoices that wait for one another, and how customers are invoiced."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from gridtally.billing import tables
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.collective_members import (
    BELOW_MINIMUM,
    WAITING,
    CollectiveKey,
    CollectiveTerms,
    Member,
)
from gridtally.billing.domain.periods import ClosedPeriod, PeriodKey
from gridtally.billing.domain.reference_data import Key
from gridtally.billing.events.periods import held_period as closed_period_of
from gridtally.billing.store.agreements import agreement_of
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, from_row, insert_rows
from gridtally.kernel.billing_calendars import BillingCalendar

collective_member = tables.collective_member
_CALENDAR: TypeAdapter[BillingCalendar | None] = TypeAdapter(BillingCalendar | None)

_TERMS = """
SELECT c.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 CROSS JOIN LATERAL (
       SELECT tenant_id, id, invoicing, collective_grace_hours, billing_calendar,
              minimum_amount, minimum_periods_max
         FROM customer o WHERE o.tenant_id = k.tenant_id AND o.id = k.id LIMIT 1) AS c
"""


async def fetch_terms(
    read: ReadConnection, customers: Collection[Key]
) -> dict[Key, CollectiveTerms]:
    """How these customers are invoiced."""
    rows = await read.raw.fetch(_TERMS, *columns_of(customers, 2)) if customers else []
    return {
        (row["tenant_id"], row["id"]): CollectiveTerms(
            row["invoicing"],
            row["collective_grace_hours"],
            _CALENDAR.validate_python(row["billing_calendar"]),
            row["minimum_amount"],
            row["minimum_periods_max"],
        )
        for row in rows
    }


# `waits_since`, the grace time and a release stay those of the first time: a period that is billed
# once more while it waits, waits no longer for that.
_HOLD = """
ON CONFLICT (tenant_id, agreement_id, start_on) DO UPDATE
   SET customer_id = excluded.customer_id, end_on = excluded.end_on,
       collective_start_on = excluded.collective_start_on,
       collective_end_on = excluded.collective_end_on, due_at = excluded.due_at
"""


async def upsert_members(tx: WriteConnection, members: Sequence[Member]) -> None:
    """These periods wait for the others of their invoices; their agreements are locked."""
    rows = [as_row(member, collective_member) for member in sorted(members, key=_key_of)]
    await insert_rows(tx, collective_member, rows, _HOLD)


def _key_of(member: Member) -> PeriodKey:
    return member.key


# Without a lock: agreements are locked first, and what is due is looked at once more then.
_DUE = """
SELECT DISTINCT tenant_id, customer_id, collective_start_on FROM (
       SELECT tenant_id, customer_id, collective_start_on FROM collective_member
        WHERE due_at <= $1 ORDER BY due_at LIMIT $2) AS m
 ORDER BY tenant_id, customer_id, collective_start_on
"""


async def fetch_due(tx: WriteConnection, now: datetime, members_max: int) -> list[CollectiveKey]:
    """The collective invoices of which a member is due, of so many members."""
    return [tuple(row) for row in await tx.raw.fetch(_DUE, now, members_max)]


# OFFSET 0: each customer is looked up by the index of its agreements.
_AGREEMENTS_OF = """
SELECT a.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 CROSS JOIN LATERAL (
       SELECT * FROM agreement o
        WHERE o.tenant_id = k.tenant_id AND o.customer_id = k.customer_id OFFSET 0) AS a
"""


async def fetch_agreements_of(
    read: ReadConnection, customers: Collection[Key]
) -> dict[Key, list[Agreement]]:
    """All agreements of these customers; none of one without."""
    agreements: dict[Key, list[Agreement]] = {key: [] for key in customers}
    for row in await read.raw.fetch(_AGREEMENTS_OF, *columns_of(customers, 2)):
        agreements[row["tenant_id"], row["customer_id"]].append(agreement_of(row))
    return agreements


# What is below the minimum goes on the next invoice of its customer.
_CARRIED = """
SELECT DISTINCT m.tenant_id, m.customer_id, m.collective_start_on
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
 CROSS JOIN LATERAL (
       SELECT * FROM collective_member o
        WHERE o.tenant_id = k.tenant_id AND o.customer_id = k.customer_id OFFSET 0) AS m
  JOIN held_period h ON (h.tenant_id, h.agreement_id, h.start_on)
                      = (m.tenant_id, m.agreement_id, m.start_on)
 WHERE h.reason = $3
"""


async def fetch_carried(read: ReadConnection, customers: Collection[Key]) -> set[CollectiveKey]:
    """The collective invoices of these customers that wait for the next, below the minimum."""
    rows = await read.raw.fetch(_CARRIED, *columns_of(customers, 2), BELOW_MINIMUM)
    return {(row["tenant_id"], row["customer_id"], row["collective_start_on"]) for row in rows}


# A member whose period is held for something else by now, or not at all, waits no more. The locks
# are for whoever marks held periods as due; everybody else has the agreements first.
_MEMBERS = """
SELECT m.*, h.event, h.correlation_id, h.held_at
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, customer_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM collective_member o
        WHERE (o.tenant_id, o.customer_id, o.collective_start_on)
            = (k.tenant_id, k.customer_id, k.start_on) OFFSET 0) AS m
  JOIN held_period h ON (h.tenant_id, h.agreement_id, h.start_on)
                      = (m.tenant_id, m.agreement_id, m.start_on)
 WHERE h.reason = ANY($4) AND h.dismissed_at IS NULL
 ORDER BY m.tenant_id, m.agreement_id, m.start_on FOR UPDATE OF h
"""


async def lock_members(
    tx: WriteConnection, keys: Collection[CollectiveKey]
) -> list[tuple[Member, ClosedPeriod]]:
    """All members of these invoices with their periods; their agreements are locked."""
    rows = await tx.raw.fetch(_MEMBERS, *columns_of(keys, 3), list(WAITING))
    return [(from_row(Member, row), closed_period_of(row)) for row in rows]


# What is still waiting, as `lock_members` has it, is looked at again at its time; the rest is gone.
_DELETE_STALE = """
DELETE FROM collective_member m
 USING unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, customer_id, start_on)
 WHERE (m.tenant_id, m.customer_id, m.collective_start_on)
     = (k.tenant_id, k.customer_id, k.start_on)
   AND NOT EXISTS (SELECT FROM held_period h
                    WHERE (h.tenant_id, h.agreement_id, h.start_on)
                        = (m.tenant_id, m.agreement_id, m.start_on) AND h.reason = ANY($4))
"""


async def delete_stale(tx: WriteConnection, keys: Collection[CollectiveKey]) -> None:
    """Forget the members of these invoices that are issued by now, or held for something else."""
    await tx.raw.execute(_DELETE_STALE, *columns_of(keys, 3), list(WAITING))


_LOOK_AGAIN = """
UPDATE collective_member m SET due_at = k.due_at
  FROM unnest($1::text[], $2::uuid[], $3::date[], $4::timestamptz[])
       AS k (tenant_id, agreement_id, start_on, due_at)
 WHERE (m.tenant_id, m.agreement_id, m.start_on) = (k.tenant_id, k.agreement_id, k.start_on)
"""


async def update_due(tx: WriteConnection, due_at: Mapping[PeriodKey, datetime]) -> None:
    """When these members are looked at again."""
    rows = [(*key, instant) for key, instant in sorted(due_at.items())]
    await tx.raw.execute(_LOOK_AGAIN, *columns_of(rows, 4))


# Periods of which an invoice is live, of agreements that are locked.
_INVOICED = """
SELECT b.tenant_id, b.agreement_id, b.start_on
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM billed_period p
        WHERE (p.tenant_id, p.agreement_id, p.start_on)
            = (k.tenant_id, k.agreement_id, k.start_on)
          AND p.invoiced_revision IS NOT NULL LIMIT 1) AS b
"""


async def fetch_invoiced(read: ReadConnection, keys: Collection[PeriodKey]) -> set[PeriodKey]:
    """Those of these periods that have an invoice."""
    rows = await read.raw.fetch(_INVOICED, *columns_of(keys, 3)) if keys else []
    return {(row["tenant_id"], row["agreement_id"], row["start_on"]) for row in rows}


_RELEASE = """
UPDATE collective_member m
   SET released_by = coalesce(m.released_by, $4), released_at = coalesce(m.released_at, $5),
       due_at = m.waits_since
 WHERE m.tenant_id = $1 AND m.customer_id = $2 AND m.collective_start_on = $3
   AND EXISTS (SELECT FROM held_period h
                WHERE (h.tenant_id, h.agreement_id, h.start_on)
                    = (m.tenant_id, m.agreement_id, m.start_on) AND h.reason = ANY($6))
RETURNING m.agreement_id
"""


async def update_released(
    tx: WriteConnection, key: CollectiveKey, released_by: str, now: datetime
) -> int:
    """Issue an invoice with the members that wait now; how many wait."""
    return len(await tx.raw.fetch(_RELEASE, *key, released_by, now, list(WAITING)))


# Of what waits: a group for each customer and first day, found by the index of both.
_PENDING = """
SELECT m.customer_id, m.collective_start_on, max(m.collective_end_on) AS collective_end_on,
       min(m.waits_since) AS waits_since, min(m.grace_ends_at) AS grace_ends_at,
       bool_or(h.reason = 'below_minimum') AS is_below_minimum,
       max(m.released_at) AS released_at, max(m.released_by) AS released_by,
       jsonb_agg(jsonb_build_object('agreement_id', m.agreement_id, 'start_on', m.start_on,
                                    'end_on', m.end_on)
                 ORDER BY m.agreement_id, m.start_on) AS present
  FROM collective_member m
  JOIN held_period h ON (h.tenant_id, h.agreement_id, h.start_on)
                      = (m.tenant_id, m.agreement_id, m.start_on)
 WHERE m.tenant_id = $1 AND h.reason = ANY($2) AND ($3::uuid IS NULL OR m.customer_id = $3)
   AND ($4::uuid IS NULL OR (m.customer_id, m.collective_start_on) > ($4, $5::date))
 GROUP BY m.customer_id, m.collective_start_on
 ORDER BY m.customer_id, m.collective_start_on LIMIT $6
"""


async def list_pending(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID | None,
    after: tuple[Any, ...] | None,
    rows_max: int,
) -> list[asyncpg.Record]:
    """Collective invoices that wait, by customer and first day, those after these."""
    last_customer, last_day = (None, None) if after is None else after
    return list(
        await read.raw.fetch(
            _PENDING, tenant_id, list(WAITING), customer_id, last_customer, last_day, rows_max
        )
    )


_REASONS = """
SELECT h.tenant_id, h.agreement_id, h.start_on, h.reason
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, agreement_id, start_on)
 CROSS JOIN LATERAL (
       SELECT * FROM held_period o
        WHERE (o.tenant_id, o.agreement_id, o.start_on)
            = (k.tenant_id, k.agreement_id, k.start_on) LIMIT 1) AS h
"""


async def fetch_reasons(read: ReadConnection, keys: Collection[PeriodKey]) -> dict[PeriodKey, str]:
    """Why those of these periods are held that are."""
    rows = await read.raw.fetch(_REASONS, *columns_of(keys, 3)) if keys else []
    return {(row["tenant_id"], row["agreement_id"], row["start_on"]): row["reason"] for row in rows}
