"""Customers' credit, read: who has some, what it was spent on, and whose is to be applied."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, from_row
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import AccountClass
from gridtally.ledger.accounts.domain.credit import SPENT_MAX, SpentCredit
from gridtally.ledger.accounts.domain.terms import DeallocationRule
from gridtally.ledger.accounts.store.customer_accounts import AccountKey
from gridtally.ledger.accounts.store.customers import Key

CREDIT_CLASSES = (AccountClass.PREPAID, AccountClass.EXPORT_PAYABLE)
"""The accounts of a customer that credit stands on."""

# Two look-ups by primary key for each customer; of the few that are in credit, the latest date on
# that account from the end of an index. Most customers of a batch of invoices have none, and cost
# nothing else.
_FETCH_CREDITED = """
SELECT k.tenant_id, k.customer_id, k.currency, max(p.occurred_at) AS credited_at
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[])
       AS k (tenant_id, customer_id, currency, account_id)
 CROSS JOIN LATERAL (
       SELECT FROM account
        WHERE tenant_id = k.tenant_id AND id = k.account_id AND credits > debits LIMIT 1) AS a
 CROSS JOIN LATERAL (
       SELECT max(occurred_at) AS occurred_at FROM posting
        WHERE tenant_id = k.tenant_id AND account_id = k.account_id) AS p
 GROUP BY k.tenant_id, k.customer_id, k.currency
"""


async def fetch_credited(
    read: ReadConnection, keys: Collection[AccountKey]
) -> dict[AccountKey, datetime]:
    """Those of these customers who have credit, with the latest date of value on it."""
    accounts = [
        (*key, chart.customer_account(key[2], account_class, key[1]).id(key[0]))
        for key in keys
        for account_class in CREDIT_CLASSES
    ]
    rows = await read.raw.fetch(_FETCH_CREDITED, *columns_of(accounts, 4))
    return {
        (row["tenant_id"], row["customer_id"], row["currency"]): row["credited_at"] for row in rows
    }


# What transactions that took from the prepaid account still allocate. They are found by their
# postings there: one that spends what exported energy has earned has none. $3 asks for the
# newest first.
_FETCH_SPENT = """
SELECT s.item_id, s.source_id, s.amount
  FROM (SELECT a.item_id, a.source_id, sum(a.amount) AS amount,
               max(t.recorded_at) AS recorded_at
          FROM posting p
          JOIN transaction t ON t.tenant_id = p.tenant_id AND t.id = p.transaction_id
          JOIN allocation a ON a.tenant_id = p.tenant_id AND a.source_id = p.transaction_id
         WHERE p.tenant_id = $1 AND p.account_id = ANY($2::uuid[]) AND p.amount > 0
           AND t.kind = 'allocation'
         GROUP BY a.item_id, a.source_id HAVING sum(a.amount) > 0) AS s
  JOIN open_item i ON i.tenant_id = $1 AND i.id = s.item_id
 ORDER BY CASE WHEN $3 THEN extract(epoch FROM s.recorded_at) END DESC,
          CASE WHEN $3 THEN i.due_on END DESC, CASE WHEN $3 THEN s.source_id END DESC,
          s.recorded_at, i.due_on, s.source_id, s.item_id
 LIMIT $4
"""


async def fetch_spent(
    read: ReadConnection, key: AccountKey, owners: Sequence[UUID], order: DeallocationRule
) -> list[SpentCredit]:
    """What a customer's prepaid credit pays now, in the order in which it is taken back. `owners`
    are the customer, and whoever was merged into it after spending credit of theirs."""
    tenant_id, _, currency = key
    accounts = [chart.prepaid(currency, owner_id).id(tenant_id) for owner_id in owners]
    newest_first = order == "newest_first"
    rows = await read.raw.fetch(_FETCH_SPENT, tenant_id, accounts, newest_first, SPENT_MAX)
    return [from_row(SpentCredit, row) for row in rows]


# The latest date on the prepaid account, whatever stands on it now.
_FETCH_LAST = """
SELECT max(occurred_at) FROM posting WHERE tenant_id = $1 AND account_id = $2
"""


async def fetch_last_moved(read: ReadConnection, key: AccountKey) -> datetime | None:
    """The latest date of value on a customer's prepaid account; None where there is none."""
    tenant_id, customer_id, currency = key
    account_id = chart.prepaid(currency, customer_id).id(tenant_id)
    moved_at: datetime | None = await read.raw.fetchval(_FETCH_LAST, tenant_id, account_id)
    return moved_at


# Customers who have credit, of a tenant whose rule has changed.
_MARK_DUE = """
UPDATE customer c SET credit_due = true
  FROM account a
 WHERE c.tenant_id = $1 AND a.tenant_id = c.tenant_id AND a.customer_id = c.id
   AND a.class = ANY($2::text[]) AND a.credits > a.debits AND NOT c.credit_due
"""


async def mark_credit_due(tx: WriteConnection, tenant_id: str) -> None:
    """Have the credit of all of a tenant's customers applied by the loop."""
    await tx.raw.execute(_MARK_DUE, tenant_id, list(CREDIT_CLASSES))


# The same of some customers.
_MARK_CUSTOMERS_DUE = """
UPDATE customer c SET credit_due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id) AND NOT c.credit_due
"""


async def mark_customers_due(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Have the credit of these customers, who are locked, applied by the loop."""
    await tx.raw.execute(_MARK_CUSTOMERS_DUE, *columns_of(keys, 2))


# SKIP LOCKED: a customer whose account is being changed is left for the next poll. After a restore,
# what had been said of the customer comes first.
_CLAIM_DUE = """
SELECT tenant_id, id, version FROM customer c WHERE credit_due
   AND NOT EXISTS (SELECT FROM adopted_payment a
                    WHERE (a.tenant_id, a.customer_id) = (c.tenant_id, c.id))
 ORDER BY tenant_id, id LIMIT $1 FOR UPDATE SKIP LOCKED
"""


async def claim_credit_due(tx: WriteConnection, customers_max: int) -> dict[Key, int]:
    """Customers whose credit is to be applied, locked, with their versions."""
    rows = await tx.raw.fetch(_CLAIM_DUE, customers_max)
    return {(row["tenant_id"], row["id"]): row["version"] for row in rows}


# In which currencies, and that it is done.
_FINISH_DUE = """
UPDATE customer c SET credit_due = false
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id)
"""
_FETCH_CURRENCIES = """
SELECT DISTINCT a.tenant_id, a.customer_id, a.currency
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
  JOIN account a ON a.tenant_id = k.tenant_id AND a.customer_id = k.id
 ORDER BY 1, 2, 3
"""


async def finish_credit_due(tx: WriteConnection, keys: Sequence[Key]) -> list[AccountKey]:
    """Record that the credit of these customers, who are locked, is being applied; the currencies
    in which they have accounts."""
    columns = columns_of(keys, 2)
    await tx.raw.execute(_FINISH_DUE, *columns)
    rows = await tx.raw.fetch(_FETCH_CURRENCIES, *columns)
    return [(row["tenant_id"], row["customer_id"], row["currency"]) for row in rows]
