"""Copies of what customers owe, as last announced by the ledger."""

from collections.abc import Collection, Mapping
from uuid import UUID

from billing.domain.facts import Key
from billing.domain.invoices import Account
from billing.store.rows import columns_of, insert_rows
from billing.tables import customer_account
from contracts.accounts import AccountChanged
from database import ReadConnection, WriteConnection

AccountKey = tuple[str, UUID, str]
"""Tenant, customer and currency."""
_FETCH = """
SELECT a.* FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, customer_id)
  JOIN customer_account a USING (tenant_id, customer_id)
"""


async def upsert_accounts(tx: WriteConnection, changed: Mapping[Key, AccountChanged]) -> None:
    """Keep the newest word on each customer's account."""
    await insert_rows(
        tx,
        customer_account,
        [
            (tenant_id, customer_id, one.currency, one.balance, one.arrears, event.version)
            for (tenant_id, customer_id), event in sorted(changed.items())
            for one in event.accounts
        ],
        "ON CONFLICT (tenant_id, customer_id, currency) DO UPDATE "
        "SET balance = excluded.balance, arrears = excluded.arrears, version = excluded.version "
        "WHERE customer_account.version < excluded.version",
    )


async def fetch_accounts(
    read: ReadConnection, customers: Collection[Key]
) -> dict[AccountKey, Account]:
    """What is known of these customers' accounts."""
    return {
        (row["tenant_id"], row["customer_id"], row["currency"]): Account(
            row["balance"], row["arrears"]
        )
        for row in await read.raw.fetch(_FETCH, *columns_of(customers, 2))
    }
