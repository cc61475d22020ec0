"""Customer accounts, read: the prepaid credit and open items that a posting is decided from."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.database.rows import columns_of
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.store.open_items import item_of

AccountKey = tuple[str, UUID, str]
"""A tenant, one of its customers, and a currency."""

# What is open is found by the partial index over that, and not among all that was ever paid. $4 are
# items that commands name: they are fetched although nothing may be open of them, so that the
# refusal can state what is wrong. OFFSET keeps them look-ups by key, of the tenants $5.
_FETCH_ITEMS = """
SELECT i.* FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, customer_id, currency)
  JOIN open_item i USING (tenant_id, customer_id, currency)
 WHERE i.issued_at IS NOT NULL AND i.total <> i.allocated
UNION ALL
SELECT i.* FROM unnest($4::uuid[]) AS n (id) CROSS JOIN LATERAL (
       SELECT * FROM open_item o
        WHERE o.tenant_id = ANY($5::text[]) AND o.id = n.id OFFSET 0) AS i
 WHERE i.issued_at IS NOT NULL AND i.total = i.allocated
   AND (i.tenant_id, i.customer_id, i.currency) IN (
       SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]))
"""
# A customer's account is one row, so its credit needs no sum over parts. LIMIT keeps it a look-up
# by key: a plan for batches would read the whole table for every single payment later.
_FETCH_PREPAID = """
SELECT k.tenant_id, k.customer_id, k.currency, coalesce(a.credits - a.debits, 0) AS prepaid,
       coalesce((SELECT d.credits - d.debits FROM account d
                  WHERE d.tenant_id = k.tenant_id AND d.id = k.deposit_id), 0) AS deposit,
       EXISTS (SELECT FROM known_customer c
                WHERE (c.tenant_id, c.id, c.currency) = (k.tenant_id, k.customer_id, k.currency))
       AS is_known
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[])
       AS k (tenant_id, customer_id, currency, account_id, deposit_id)
  LEFT JOIN LATERAL (
       SELECT debits, credits FROM account
        WHERE tenant_id = k.tenant_id AND id = k.account_id LIMIT 1) AS a ON true
"""


async def fetch_customer_accounts(
    read: ReadConnection, wanted: Sequence[AccountKey], named: Sequence[UUID] = ()
) -> dict[AccountKey, CustomerAccount]:
    """Each customer's credit, deposit and open items in a currency, and those of `named` that are
    its own.

    To decide anything from them the customers must be locked.
    """
    keys = sorted(set(wanted))
    columns = columns_of(keys, 3)
    items: defaultdict[AccountKey, dict[UUID, OpenItem]] = defaultdict(dict)
    tenants = sorted({tenant_id for tenant_id, _, _ in keys})
    for row in await read.raw.fetch(_FETCH_ITEMS, *columns, list(named), tenants):
        items[row["tenant_id"], row["customer_id"], row["currency"]][row["id"]] = item_of(row)
    ids = [
        [account(currency, customer_id).id(tenant_id) for tenant_id, customer_id, currency in keys]
        for account in (chart.prepaid, chart.deposit)
    ]
    accounts = {}
    for row in await read.raw.fetch(_FETCH_PREPAID, *columns, *ids):
        key = row["tenant_id"], row["customer_id"], row["currency"]
        accounts[key] = CustomerAccount(
            *key, row["prepaid"], items[key], row["is_known"], row["deposit"]
        )
    return accounts
