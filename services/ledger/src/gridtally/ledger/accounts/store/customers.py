"""Customers' rows: the lock that every change of a customer's account takes, and its version.

Whoever changes a customer's account locks the customer's row first, in the order of tenants and
ids; then come the rows of transactions, accounts, their parts and open items, each in the order of
tenants and ids. So writers may wait for one another, but never in a circle.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of
from gridtally.kernel.errors import Transient

Key = tuple[str, UUID]
"""A tenant and one of its customers, transactions or open items."""


# The lock is an upsert: it makes the row of a customer that is new, and counts the change that
# made somebody lock it, so that a loop finds whose balance is to be published. All rows come in one
# statement, sorted: the order of locks is what keeps two batches from a deadlock.
# Who was merged into another comes back with the lock: nearly always nobody, and no query more.
_LOCK = """
WITH locked AS (
    INSERT INTO customer AS c (tenant_id, id, version)
    SELECT *, 1 FROM unnest($1::text[], $2::uuid[])
    ON CONFLICT (tenant_id, id) DO UPDATE SET version = c.version + 1
    RETURNING tenant_id, id, merged_into)
SELECT tenant_id, id, merged_into FROM locked WHERE merged_into IS NOT NULL
"""


async def lock_customers(tx: WriteConnection, keys: Collection[Key]) -> dict[Key, UUID]:
    """Lock these customers until the transaction ends, and have their balances published. Returns
    into whom those of them were merged that were, who are locked too.

    Transient where one of these is being merged itself just now.
    """
    wanted = set(keys)
    merged = await _lock(tx, wanted)
    survivors = {(tenant_id, into_id) for (tenant_id, _), into_id in merged.items()} - wanted
    if survivors and await _lock(tx, survivors):
        raise Transient("a customer is being merged")
    return merged


async def _lock(tx: WriteConnection, keys: Collection[Key]) -> dict[Key, UUID]:
    rows = await tx.raw.fetch(_LOCK, *columns_of(sorted(keys), 2))
    return {(row["tenant_id"], row["id"]): row["merged_into"] for row in rows}


# The same lock without a change. A row that it makes has nothing to be published.
_LOCK_UNCHANGED = """
INSERT INTO customer AS c (tenant_id, id, version)
SELECT *, 0 FROM unnest($1::text[], $2::uuid[])
ON CONFLICT (tenant_id, id) DO UPDATE SET version = c.version
"""


async def lock_unchanged(tx: WriteConnection, keys: Collection[Key]) -> None:
    """Lock these customers until the transaction ends; their balances stay as they are."""
    await tx.raw.execute(_LOCK_UNCHANGED, *columns_of(sorted(set(keys)), 2))


# SKIP LOCKED: a customer whose account is being changed is left for the next poll, which publishes
# the change with it.
_CLAIM_CHANGED = """
SELECT tenant_id, id, version FROM customer WHERE published_version < version
 ORDER BY tenant_id, id LIMIT $1 FOR UPDATE SKIP LOCKED
"""


async def claim_changed(tx: WriteConnection, customers_max: int) -> dict[Key, int]:
    """Customers whose balances are to be published, locked, with their versions."""
    rows = await tx.raw.fetch(_CLAIM_CHANGED, customers_max)
    return {(row["tenant_id"], row["id"]): row["version"] for row in rows}


_UPDATE_PUBLISHED = """
UPDATE customer c SET published_version = c.version
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id)
"""


async def update_published(tx: WriteConnection, keys: Sequence[Key]) -> None:
    """Record that the newest versions of these customers, who are locked, are in the outbox."""
    await tx.raw.execute(_UPDATE_PUBLISHED, *columns_of(keys, 2))


# The first moment stays. A loop erases what is left of the customer.
_INSERT_ERASED = """
INSERT INTO erased_customer (tenant_id, customer_id, erased_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""


async def insert_erased(
    tx: WriteConnection, tenant_id: str, customer_id: UUID, erased_at: datetime
) -> None:
    """Record that this customer was erased."""
    await tx.raw.execute(_INSERT_ERASED, tenant_id, customer_id, erased_at)


_IS_KNOWN = "SELECT EXISTS (SELECT FROM known_customer WHERE (tenant_id, id) = ($1, $2))"


async def is_known(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether there is such a customer, who pays in whatever currency."""
    return bool(await read.raw.fetchval(_IS_KNOWN, tenant_id, customer_id))


# A customer who is known already costs a look-up.
_INSERT_KNOWN = """
INSERT INTO known_customer (tenant_id, id, currency)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT DO NOTHING RETURNING tenant_id, id, currency
"""


async def insert_known(
    tx: WriteConnection, keys: Collection[tuple[str, UUID, str]]
) -> list[tuple[str, UUID, str]]:
    """Record that these customers pay in these currencies; those of whom that is new."""
    rows = await tx.raw.fetch(_INSERT_KNOWN, *columns_of(sorted(set(keys)), 3))
    return [(row["tenant_id"], row["id"], row["currency"]) for row in rows]
