"""Who was merged into whom, and what of a duplicate's rows is the survivor's since.

Whoever writes has locked both customers. Transactions, postings and allocations stay as they are;
open items and agreements about paying them go over to the survivor.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.ledger.accounts.domain.merges import Merge
from gridtally.ledger.accounts.domain.transactions import Posting
from gridtally.ledger.accounts.store.accounts import account_of
from gridtally.ledger.accounts.store.customers import Key

_SURVIVOR = "SELECT merged_into FROM customer WHERE tenant_id = $1 AND id = $2"


async def fetch_survivor(read: ReadConnection, tenant_id: str, customer_id: UUID) -> UUID | None:
    """Into whom a customer was merged; None where into nobody."""
    survivor: UUID | None = await read.raw.fetchval(_SURVIVOR, tenant_id, customer_id)
    return survivor


_DUPLICATES = "SELECT id FROM customer WHERE tenant_id = $1 AND merged_into = $2 ORDER BY id"


async def fetch_duplicates(read: ReadConnection, tenant_id: str, customer_id: UUID) -> list[UUID]:
    """Who was merged into a customer."""
    rows = await read.raw.fetch(_DUPLICATES, tenant_id, customer_id)
    return [row["id"] for row in rows]


# Who was merged into the duplicate before is the survivor's now: so one look finds the survivor.
_SET = """
UPDATE customer SET merged_into = $3 WHERE tenant_id = $1 AND (id = $2 OR merged_into = $2)
"""


async def update_survivor(tx: WriteConnection, merge: Merge) -> None:
    """Record that the duplicate is the survivor, as are those who were merged into it before."""
    await tx.raw.execute(_SET, merge.tenant_id, merge.duplicate_id, merge.survivor_id)


# For whom an item was opened stays: the chain has sealed it.
_MOVE_ITEMS = """
UPDATE open_item SET customer_id = $3, opened_for = coalesce(opened_for, customer_id)
 WHERE tenant_id = $1 AND customer_id = $2
"""
# What was agreed about paying items goes with them. What names items by a customer finds them so.
_MOVE_OTHERS = (
    "UPDATE payment_plan SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
    "UPDATE budget_plan SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
    "UPDATE dunning_notice SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
    "UPDATE direct_debit SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
    "UPDATE adopted_payment SET customer_id = $3 WHERE tenant_id = $1 AND customer_id = $2",
)


async def update_items(tx: WriteConnection, merge: Merge) -> None:
    """Have all items of the duplicate be the survivor's, paid ones too."""
    await tx.raw.execute(_MOVE_ITEMS, merge.tenant_id, merge.duplicate_id, merge.survivor_id)


async def update_agreed(tx: WriteConnection, merge: Merge) -> None:
    """Have what was agreed about paying the duplicate's items be agreed with the survivor."""
    for statement in _MOVE_OTHERS:
        await tx.raw.execute(statement, merge.tenant_id, merge.duplicate_id, merge.survivor_id)


# A customer's accounts are few, and each balance is one row; the latest date on one is the end of
# an index.
_BALANCES = """
SELECT a.*, a.debits - a.credits AS balance, p.occurred_at
  FROM account a
 CROSS JOIN LATERAL (
       SELECT max(occurred_at) AS occurred_at FROM posting
        WHERE tenant_id = a.tenant_id AND account_id = a.id) AS p
 WHERE a.tenant_id = $1 AND a.customer_id = $2 AND a.debits <> a.credits
 ORDER BY a.currency, a.code
"""


async def fetch_balances(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> tuple[Sequence[Posting], datetime | None]:
    """What stands on a customer's accounts, debits less credits, and the latest date of value on
    them; None where nothing does."""
    rows = await read.raw.fetch(_BALANCES, tenant_id, customer_id)
    balances = [Posting(account_of(row), row["balance"]) for row in rows]
    return balances, max((row["occurred_at"] for row in rows), default=None)


_VERSION = "SELECT version FROM customer WHERE tenant_id = $1 AND id = $2"


async def fetch_version(read: ReadConnection, key: Key) -> int:
    """How often the accounts of a customer, who is locked, were changed."""
    version: int = await read.raw.fetchval(_VERSION, *key)
    return version


_NUMBER = "SELECT number FROM addressee WHERE tenant_id = $1 AND customer_id = $2"


async def fetch_number(read: ReadConnection, key: Key) -> str:
    """What people call a customer: its number, or its id where no name of it was published."""
    number: str | None = await read.raw.fetchval(_NUMBER, *key)
    return number or str(key[1])
