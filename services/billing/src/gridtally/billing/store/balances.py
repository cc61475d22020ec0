"""Balances: what customers owe, as last published by the ledger, and what was issued to them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from gridtally.billing import tables
from gridtally.billing.domain.customers import ZERO, BalanceKey, CustomerBalance, Issue
from gridtally.billing.domain.reference_data import Key
from gridtally.contracts.accounts import AccountChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, from_row, insert_rows
from gridtally.kernel.money import EXACT

# Events may come late or twice: a row only ever moves to a higher version.
_KEEP_NEWEST = """
ON CONFLICT (tenant_id, customer_id, currency) DO UPDATE
   SET balance = excluded.balance, arrears = excluded.arrears,
       invoiced_total = excluded.invoiced_total, version = excluded.version
 WHERE customer_balance.version < excluded.version
"""


async def upsert_balances(tx: WriteConnection, changed: Mapping[Key, AccountChanged]) -> None:
    """Store the newest balances of each customer."""
    rows = [
        {
            "tenant_id": tenant_id,
            "customer_id": customer_id,
            "currency": balance.currency,
            "balance": balance.balance,
            "arrears": balance.arrears,
            "invoiced_total": balance.invoiced_total,
            "version": event.version,
        }
        for (tenant_id, customer_id), event in sorted(changed.items())
        for balance in event.balances
    ]
    await insert_rows(tx, tables.customer_balance, rows, _KEEP_NEWEST)


# All currencies of each customer: a bill's currency is known only once it is rated.
_FETCH = """
SELECT b.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
  JOIN customer_balance b USING (tenant_id, customer_id)
"""


async def fetch_balances(
    read: ReadConnection, customers: Collection[Key]
) -> dict[BalanceKey, CustomerBalance]:
    """What is known of these customers' balances."""
    rows = await read.raw.fetch(_FETCH, *columns_of(customers, 2))
    return {
        (row["tenant_id"], row["customer_id"], row["currency"]): from_row(CustomerBalance, row)
        for row in rows
    }


# By the index of a customer's invoices by time: those of one day are few.
_ARREARS_SHOWN = """
SELECT k.tenant_id, k.customer_id, k.currency
  FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, customer_id, currency)
 CROSS JOIN LATERAL (
       SELECT 1 FROM invoice i
        WHERE i.tenant_id = k.tenant_id AND i.customer_id = k.customer_id AND i.issued_at >= $4
          AND i.currency = k.currency AND i.arrears > 0
          AND NOT EXISTS (SELECT FROM credit_note c
                           WHERE c.tenant_id = i.tenant_id AND c.invoice_id = i.id
                             AND c.extent <> 'part')
        LIMIT 1) AS s
"""


async def fetch_arrears_shown(
    read: ReadConnection, keys: Collection[BalanceKey], since: datetime
) -> set[BalanceKey]:
    """Those customers and currencies of which a live invoice issued since then names arrears."""
    if not keys:
        return set()
    rows = await read.raw.fetch(_ARREARS_SHOWN, *columns_of(keys, 3), since)
    return {(row["tenant_id"], row["customer_id"], row["currency"]) for row in rows}


# The sum moves with the documents that it is of, in their transaction; whoever issues for a tenant
# holds that tenant's numbers, so two never wait for each other's rows here in a circle.
_ADD = """
ON CONFLICT (tenant_id, customer_id, currency) DO UPDATE
   SET total = issued_total.total + excluded.total
RETURNING tenant_id, customer_id, currency, total
"""


async def add_issued(tx: WriteConnection, issues: Sequence[Issue]) -> dict[BalanceKey, Decimal]:
    """Add these invoices, and what they cancel, to the sums of what each customer was issued;
    what the sums were before, by customer and currency. The tenants' numbers must be taken."""
    changes: defaultdict[BalanceKey, Decimal] = defaultdict(lambda: ZERO)
    for issue in issues:
        changes[issue.key] = EXACT.add(changes[issue.key], issue.change)
    rows = [
        {"tenant_id": tenant_id, "customer_id": customer_id, "currency": currency, "total": change}
        for (tenant_id, customer_id, currency), change in sorted(changes.items())
    ]
    added = await insert_rows(tx, tables.issued_total, rows, _ADD)
    after = {(row["tenant_id"], row["customer_id"], row["currency"]): row["total"] for row in added}
    return {key: EXACT.subtract(after[key], change) for key, change in changes.items()}
