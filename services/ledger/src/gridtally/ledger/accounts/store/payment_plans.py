"""Payment plans as rows, and what their items have come to.

What is open of an item, and what it was reduced by, is added up from its allocations, now or as of
a moment: plans have few items. Whoever writes has locked the customer.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, columns_of, from_row
from gridtally.ledger.accounts.domain.payment_plans import (
    REDUCING_KINDS,
    CancelReason,
    Instalment,
    ItemPosition,
    PaymentPlan,
    PlannedItem,
    PlanPosition,
)
from gridtally.ledger.accounts.store.accounts import DateBasis
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.tables import payment_plan

# A plan that is not there, or one that was published in an older version, before a restore.
_PUT = """
INSERT INTO payment_plan AS p
       (tenant_id, id, customer_id, currency, item_ids, item_amounts, item_reductions, due_days,
        due_amounts, grace_days, agreed_at, cancelled_at, cancel_reason, version, look_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET cancelled_at = excluded.cancelled_at, cancel_reason = excluded.cancel_reason,
       version = excluded.version
 WHERE p.version < excluded.version
"""


async def put_plan(
    tx: WriteConnection, tenant_id: str, plan: PaymentPlan, version: int, look_on: date | None
) -> None:
    """Store a plan, unless it is there in this version or a higher one."""
    await tx.raw.execute(
        _PUT,
        tenant_id,
        plan.id,
        plan.customer_id,
        plan.currency,
        [item.id for item in plan.items],
        [item.agreed for item in plan.items],
        [item.reduced for item in plan.items],
        [instalment.due_on for instalment in plan.instalments],
        [instalment.amount for instalment in plan.instalments],
        plan.grace_days,
        plan.agreed_at,
        plan.cancelled_at,
        plan.cancel_reason,
        version,
        look_on,
    )


_CANCEL = """
UPDATE payment_plan SET cancelled_at = $3, cancel_reason = $4, version = version + 1
 WHERE (tenant_id, id) = ($1, $2) RETURNING version
"""


async def cancel_plan(
    tx: WriteConnection, tenant_id: str, id_: UUID, at: datetime, reason: CancelReason
) -> int:
    """Record that a plan no longer counts; its new version."""
    version: int = await tx.raw.fetchval(_CANCEL, tenant_id, id_, at, reason)
    return version


# What the items of each plan have come to, up to and at $1 where it is not null. $2 are the kinds
# of what reduces an item without paying it; an allocation that was taken back counts by its source.
_POSITIONS = """
SELECT p.*, i.ids, i.days, i.open, i.reduced
  FROM (SELECT * FROM payment_plan WHERE {which}) AS p
 CROSS JOIN LATERAL (
       SELECT array_agg(o.id) AS ids, array_agg(o.due_on) AS days,
              array_agg(o.total - s.allocated) AS open, array_agg(s.reduced) AS reduced
         FROM open_item o
         JOIN transaction d ON d.tenant_id = o.tenant_id AND d.document_id = o.id
        CROSS JOIN LATERAL (
              SELECT coalesce(sum(a.amount), 0) AS allocated,
                     coalesce(sum(a.amount) FILTER (WHERE t.kind = ANY($2::text[])), 0) AS reduced
                FROM allocation a
                JOIN transaction t ON t.tenant_id = a.tenant_id AND t.id = a.source_id
               WHERE a.tenant_id = o.tenant_id AND a.item_id = o.id
                 AND ($1::timestamptz IS NULL OR a.{moment} <= $1)) AS s
        WHERE o.tenant_id = p.tenant_id AND o.id = ANY(p.item_ids) AND o.issued_at IS NOT NULL
          AND ($1::timestamptz IS NULL OR d.{moment} <= $1)) AS i
 ORDER BY p.tenant_id, p.agreed_at, p.id
"""
_LIVE = """
(($1::timestamptz IS NULL AND cancelled_at IS NULL)
  OR (agreed_at <= $1 AND (cancelled_at IS NULL OR cancelled_at > $1)))
"""
# Plans that are fulfilled become ever more, and nothing follows from them now.
_OF_TENANT = f"""{_LIVE} AND tenant_id = $3
   AND ($1 IS NOT NULL OR EXISTS (
        SELECT FROM open_item o WHERE o.tenant_id = payment_plan.tenant_id
           AND o.id = ANY(payment_plan.item_ids) AND o.total <> o.allocated))
   AND ($4::uuid[] IS NULL OR customer_id = ANY($4::uuid[]))
   AND ($5::text IS NULL OR currency = $5)"""
_OF_CUSTOMERS = """cancelled_at IS NULL AND
   (tenant_id, customer_id) IN (SELECT * FROM unnest($3::text[], $4::uuid[]))"""
_BY_ID = "tenant_id = $3 AND id = ANY($4::uuid[])"


async def fetch_live(
    read: ReadConnection,
    tenant_id: str,
    *,
    customers: Collection[UUID] | None = None,
    currency: str | None = None,
    as_of: datetime | None = None,
    basis: DateBasis = "value",
) -> list[PlanPosition]:
    """The plans of a tenant, or of some customers, that were not cancelled, at a moment; or now, if
    anything of their items is open."""
    ids = None if customers is None else list(customers)
    rows = await _fetch(read, _OF_TENANT, as_of, basis, tenant_id, ids, currency)
    return [_position(row, cancelled_at=None, cancel_reason=None) for row in rows]


async def fetch_live_of(
    read: ReadConnection, customers: Collection[Key]
) -> dict[Key, list[PlanPosition]]:
    """The same of customers of any tenants, now."""
    found: defaultdict[Key, list[PlanPosition]] = defaultdict(list)
    for row in await _fetch(read, _OF_CUSTOMERS, None, "value", *columns_of(customers, 2)):
        found[row["tenant_id"], row["customer_id"]].append(_position(row))
    return found


async def fetch_plans(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> list[PlanPosition]:
    """Those of these plans that there are, the oldest first."""
    rows = await _fetch(read, _BY_ID, None, "value", tenant_id, list(ids))
    return [_position(row) for row in rows]


async def _fetch(
    read: ReadConnection,
    which: str,
    as_of: datetime | None,
    basis: DateBasis,
    *parameters: object,
) -> Sequence[Row]:
    moment = "occurred_at" if basis == "value" else "recorded_at"
    query = _POSITIONS.format(which=which, moment=moment)
    rows: Sequence[Row] = await read.raw.fetch(query, as_of, list(REDUCING_KINDS), *parameters)
    return rows


def _position(row: Row, **fields: Any) -> PlanPosition:
    known = zip(*(row[name] or () for name in ("ids", "days", "open", "reduced")), strict=True)
    items = {id_: ItemPosition(*state) for id_, *state in known}
    return PlanPosition(_plan(row, **fields), items)


def _plan(row: Row, **fields: Any) -> PaymentPlan:
    items = zip(row["item_ids"], row["item_amounts"], row["item_reductions"], strict=True)
    instalments = tuple(map(Instalment, row["due_days"], row["due_amounts"]))
    planned = tuple(PlannedItem(*item) for item in items)
    return from_row(PaymentPlan, row, items=planned, instalments=instalments, **fields)


async def list_plans(
    read: ReadConnection,
    tenant_id: str,
    filters: dict[str, object],
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[PlanPosition]:
    """A page of plans whose columns equal `filters`, the oldest first."""
    plan = payment_plan.c
    query = sa.select(plan.id).where(
        plan.tenant_id == tenant_id, *(plan[name] == value for name, value in filters.items())
    )
    page = page_after(query, (plan.agreed_at, plan.id), after=after, rows_max=rows_max)
    return await fetch_plans(read, tenant_id, [row["id"] for row in await read.all(page)])


@dataclass(frozen=True, slots=True)
class PlanToLookAt:
    """A plan of which more may be late than when somebody last looked."""

    tenant_id: str
    plan: PaymentPlan


_TO_LOOK_AT = """
SELECT * FROM payment_plan WHERE cancelled_at IS NULL AND look_on <= $1 ORDER BY look_on LIMIT $2
"""


async def fetch_to_look_at(read: ReadConnection, today: date, plans_max: int) -> list[PlanToLookAt]:
    """Plans of all tenants with such a day that has come, the longest ago first."""
    rows = await read.raw.fetch(_TO_LOOK_AT, today, plans_max)
    return [PlanToLookAt(row["tenant_id"], _plan(row)) for row in rows]


_UPDATE_LOOK_ON = """
UPDATE payment_plan p SET look_on = k.look_on
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, id, look_on)
 WHERE (p.tenant_id, p.id) = (k.tenant_id, k.id)
"""


async def update_look_on(
    tx: WriteConnection, looked_at: Sequence[tuple[str, UUID, date | None]]
) -> None:
    """Record when these plans are to be looked at next; their customers must be locked."""
    await tx.raw.execute(_UPDATE_LOOK_ON, *columns_of(looked_at, 3))
