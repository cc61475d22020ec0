"""Budget plans, as the ledger published them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from gridtally.billing import tables
from gridtally.billing.domain.reference_data import Key
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows

_KEEP_NEWEST = """
ON CONFLICT (tenant_id, id) DO UPDATE
   SET customer_id = excluded.customer_id, start_on = excluded.start_on, end_on = excluded.end_on,
       settle_on = excluded.settle_on, settled_at = excluded.settled_at, version = excluded.version
 WHERE budget_plan.version < excluded.version
"""

# A merge that is on its way is waited for: else it would see no plan, and the plan no merge.
_SURVIVORS = """
SELECT c.tenant_id, c.id, c.merged_into
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN customer c ON (c.tenant_id, c.id) = (k.tenant_id, k.id)
 ORDER BY c.tenant_id, c.id FOR SHARE OF c
"""


async def upsert_plans(tx: WriteConnection, newest: Mapping[Key, BudgetPlanChanged]) -> None:
    """Store each plan, unless a newer version of it is stored; that of a duplicate, of which the
    ledger said it before the merge, as the survivor's."""
    named = sorted({(tenant_id, event.customer_id) for (tenant_id, _), event in newest.items()})
    known = await tx.raw.fetch(_SURVIVORS, *columns_of(named, 2))
    survivors = {(row["tenant_id"], row["id"]): row["merged_into"] for row in known}
    names = ("currency", "start_on", "end_on", "settle_on", "agreed_at",
             "settled_at", "version")  # fmt: skip
    rows = [
        {name: getattr(event, name) for name in names}
        | {
            "tenant_id": tenant_id,
            "id": id_,
            "customer_id": survivors.get((tenant_id, event.customer_id)) or event.customer_id,
        }
        for (tenant_id, id_), event in sorted(newest.items(), key=lambda pair: pair[0])
    ]
    await insert_rows(tx, tables.budget_plan, rows, _KEEP_NEWEST)


_GIVE = """
UPDATE budget_plan p SET customer_id = c.merged_into
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN customer c ON (c.tenant_id, c.id) = (k.tenant_id, k.id)
 WHERE c.merged_into IS NOT NULL AND (p.tenant_id, p.customer_id) = (c.tenant_id, c.id)
"""


async def give_plans(tx: WriteConnection, customers: Collection[Key]) -> None:
    """Have the plans of those of these customers who were merged be the survivors'."""
    await tx.raw.execute(_GIVE, *columns_of(sorted(customers), 2))


_SETTLES_ON = """
(SELECT p.settle_on FROM budget_plan p
  WHERE p.tenant_id = {invoice}.tenant_id AND p.customer_id = {invoice}.customer_id
    AND p.currency = {invoice}.currency AND {invoice}.total > 0
    AND p.start_on <= {invoice}.start_on AND {invoice}.start_on < p.end_on
    AND p.agreed_at <= {invoice}.issued_at
    AND (p.settled_at IS NULL OR {invoice}.issued_at < p.settled_at) LIMIT 1)
"""


# The ledger's own rule of which invoices wait for a plan's settlement: by the dates of both.
def settles_on(invoice: str) -> str:
    """SQL for the day by which a budget plan settles the invoice of that table or alias; null for
    one that is due by itself."""
    return _SETTLES_ON.format(invoice=invoice)


_IS_LIVE = """
SELECT EXISTS (SELECT FROM budget_plan
                WHERE tenant_id = $1 AND customer_id = $2 AND settled_at IS NULL)
"""


async def has_live_plan(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether a plan of the customer is not settled yet."""
    return bool(await read.raw.fetchval(_IS_LIVE, tenant_id, customer_id))
