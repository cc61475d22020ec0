"""Budget plans as rows, and what has come of them in the books.

Whoever writes has locked the customer.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, columns_of, from_row
from gridtally.ledger.accounts.domain.budget_plans import BudgetPlan, BudgetPosition
from gridtally.ledger.accounts.domain.open_items import ZERO
from gridtally.ledger.accounts.domain.payment_plans import Instalment
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.store.open_items import fetch_items
from gridtally.ledger.accounts.tables.budget_plans import budget_plan

# A plan that is not there, or one that is there in an older version.
_PUT = """
INSERT INTO budget_plan AS p
       (tenant_id, id, customer_id, currency, start_on, end_on, due_days, due_amounts, settle_on,
        agreed_at, settled_at, settled, version, look_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET end_on = excluded.end_on, due_days = excluded.due_days, due_amounts = excluded.due_amounts,
       settle_on = excluded.settle_on, settled_at = excluded.settled_at,
       settled = excluded.settled, version = excluded.version, look_on = excluded.look_on
 WHERE p.version < excluded.version
"""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A budget plan of a tenant, and the version in which it is stored."""

    tenant_id: str
    plan: BudgetPlan
    version: int

    @property
    def customer(self) -> Key:
        """Who pays it."""
        return self.tenant_id, self.plan.customer_id


async def put_plan(tx: WriteConnection, stored: StoredPlan, look_on: date | None) -> None:
    """Store a plan, unless it is there in this version or a higher one."""
    plan = stored.plan
    await tx.raw.execute(
        _PUT,
        stored.tenant_id,
        plan.id,
        plan.customer_id,
        plan.currency,
        plan.start_on,
        plan.end_on,
        [own.due_on for own in plan.instalments],
        [own.amount for own in plan.instalments],
        plan.settle_on,
        plan.agreed_at,
        plan.settled_at,
        plan.settled,
        stored.version,
        look_on,
    )


_BY_ID = """
SELECT * FROM budget_plan WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY agreed_at, id
"""


async def fetch_plans(
    read: ReadConnection, tenant_id: str, ids: Collection[UUID]
) -> list[StoredPlan]:
    """Those of these plans that there are, the oldest first."""
    return [_stored(row) for row in await read.raw.fetch(_BY_ID, tenant_id, list(ids))]


# Few customers have any: one look at an index for each.
_OF_CUSTOMERS = """
SELECT p.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
  JOIN budget_plan p USING (tenant_id, customer_id) ORDER BY p.agreed_at, p.id
"""


async def fetch_plans_of(
    read: ReadConnection, customers: Collection[Key]
) -> dict[Key, list[StoredPlan]]:
    """The plans of these customers, the oldest first."""
    plans: defaultdict[Key, list[StoredPlan]] = defaultdict(list)
    for row in await read.raw.fetch(_OF_CUSTOMERS, *columns_of(sorted(set(customers)), 2)):
        stored = _stored(row)
        plans[stored.customer].append(stored)
    return plans


# A customer's account is one row, as it is of its plans.
_BALANCES = """
SELECT tenant_id, id, debits - credits AS balance FROM account
  JOIN unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) USING (tenant_id, id)
"""


async def fetch_positions(
    read: ReadConnection, stored: Sequence[StoredPlan]
) -> list[BudgetPosition]:
    """What has come of each plan, in their order."""
    items = await fetch_items(
        read,
        [
            (own.tenant_id, own.plan.item_id(part))
            for own in stored
            for part in own.plan.instalments
        ],
    )
    accounts = [(own.tenant_id, own.plan.account.id(own.tenant_id)) for own in stored]
    rows = await read.raw.fetch(_BALANCES, *columns_of(accounts, 2))
    balances: dict[Key, Decimal] = {(row["tenant_id"], row["id"]): row["balance"] for row in rows}
    return [
        BudgetPosition(
            own.plan,
            {
                id_: items[own.tenant_id, id_]
                for id_ in map(own.plan.item_id, own.plan.instalments)
                if (own.tenant_id, id_) in items
            },
            balances.get(account, ZERO),
        )
        for own, account in zip(stored, accounts, strict=True)
    ]


async def list_plans(
    read: ReadConnection,
    tenant_id: str,
    filters: dict[str, object],
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[BudgetPosition]:
    """A page of plans whose columns equal `filters`, the oldest first."""
    plan = budget_plan.c
    query = sa.select(plan.id).where(
        plan.tenant_id == tenant_id, *(plan[name] == value for name, value in filters.items())
    )
    page = page_after(query, (plan.agreed_at, plan.id), after=after, rows_max=rows_max)
    ids = [row["id"] for row in await read.all(page)]
    return await fetch_positions(read, await fetch_plans(read, tenant_id, ids))


# While something that was posted before a restore waits, nobody knows what was asked for; and who
# is not known again yet cannot be asked for anything.
_TO_LOOK_AT = """
SELECT p.* FROM budget_plan p WHERE p.look_on <= $1
   AND NOT EXISTS (SELECT FROM adopted_payment a
                    WHERE a.tenant_id = p.tenant_id AND a.customer_id = p.customer_id OFFSET 0)
   AND EXISTS (SELECT FROM known_customer c
                WHERE (c.tenant_id, c.id, c.currency) = (p.tenant_id, p.customer_id, p.currency))
 ORDER BY p.look_on, p.tenant_id, p.id LIMIT $2
"""


async def fetch_to_look_at(read: ReadConnection, today: date, plans_max: int) -> list[StoredPlan]:
    """Plans of all tenants with such a day that has come, the longest ago first."""
    return [_stored(row) for row in await read.raw.fetch(_TO_LOOK_AT, today, plans_max)]


_UPDATE_LOOK_ON = """
UPDATE budget_plan p SET look_on = k.look_on
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, id, look_on)
 WHERE (p.tenant_id, p.id) = (k.tenant_id, k.id)
"""


async def update_look_on(
    tx: WriteConnection, looked_at: Sequence[tuple[str, UUID, date | None]]
) -> None:
    """Record when these plans are to be looked at next; their customers must be locked."""
    await tx.raw.execute(_UPDATE_LOOK_ON, *columns_of(looked_at, 3))


# A later day stays: so long what was settled is held, or was refused.
_LOOK_AGAIN = """
UPDATE budget_plan p SET look_on = greatest(p.look_on, k.look_on)
  FROM unnest($1::text[], $2::uuid[], $3::date[]) AS k (tenant_id, id, look_on)
 WHERE (p.tenant_id, p.id) = (k.tenant_id, k.id)
"""


async def look_again(tx: WriteConnection, settled: Sequence[tuple[str, UUID, date]]) -> None:
    """Have these plans, whose customers are locked, be looked at on such a day, unless a later one
    stands."""
    await tx.raw.execute(_LOOK_AGAIN, *columns_of(settled, 3))


_HOLD_SETTLED = """
UPDATE budget_plan SET look_on = (now() AT TIME ZONE 'UTC')::date + $3::int
 WHERE tenant_id = $1 AND id = $2 AND version = $4 AND settled_at IS NOT NULL
"""


async def hold_settled(tx: WriteConnection, stored: StoredPlan, days: int) -> None:
    """Have a plan that is adopted, if it was settled, be looked at so many days from now."""
    await tx.raw.execute(_HOLD_SETTLED, stored.tenant_id, stored.plan.id, days, stored.version)


# What credit notes have taken of an invoice is no payment; an invoice that was cancelled is void.
_INVOICED = """
SELECT count(*) AS invoices, min(i.issued_at) AS first_at,
       coalesce(sum(i.total - coalesce((
           SELECT sum(a.amount) FROM allocation a
             JOIN transaction t ON t.tenant_id = a.tenant_id AND t.id = a.source_id
            WHERE a.tenant_id = i.tenant_id AND a.item_id = i.id AND t.kind = 'credit_note'), 0)),
           0) AS total
  FROM open_item i
 WHERE i.tenant_id = $1 AND i.customer_id = $2 AND i.currency = $3 AND i.kind = 'invoice'
   AND NOT i.voided AND i.issued_at >= $4 AND i.issued_at < $5
"""


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What a customer's invoices of a time came to, less what was credited of them."""

    invoices: int
    first_at: datetime | None
    total: Decimal


async def fetch_invoiced(
    read: ReadConnection,
    tenant_id: str,
    customer_id: UUID,
    currency: str,
    from_at: datetime,
    to_at: datetime,
) -> Invoiced:
    """The invoices of a customer in a currency that were issued in a time and stand."""
    [row] = await read.raw.fetch(_INVOICED, tenant_id, customer_id, currency, from_at, to_at)
    return from_row(Invoiced, row)


def _stored(row: Row) -> StoredPlan:
    instalments = tuple(map(Instalment, row["due_days"], row["due_amounts"]))
    plan = from_row(BudgetPlan, row, instalments=instalments)
    return StoredPlan(row["tenant_id"], plan, row["version"])
