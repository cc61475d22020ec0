"""Adopted payments that wait for what they pay, and versions of balances that were published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridtally.contracts.accounts import PaymentRecorded, TransactionRecorded
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import as_row, columns_of, insert_rows
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.tables import adopted_payment


@dataclass(frozen=True, slots=True)
class AdoptedPayment:
    """A payment, another transaction, or a reversal as it was published; `event` is its JSON, and
    `payment_id` what it was asked for under."""

    tenant_id: str
    transaction_id: UUID
    payment_id: UUID
    customer_id: UUID
    event: bytes
    correlation_id: str
    occurred_at: datetime
    topic: str

    @property
    def recorded(self) -> PaymentRecorded | TransactionRecorded:
        """What was published."""
        of_topic = {kind.TOPIC: kind for kind in (PaymentRecorded, TransactionRecorded)}
        return of_topic[self.topic].model_validate_json(self.event)


# One whose transaction is in the books was posted before the copy.
_WITHOUT_POSTED = """
DELETE FROM adopted_payment a
 USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (a.tenant_id, a.transaction_id) = (k.tenant_id, k.id)
   AND EXISTS (SELECT FROM transaction t WHERE (t.tenant_id, t.id) = (k.tenant_id, k.id))
"""


async def insert_adopted(tx: WriteConnection, payments: Sequence[AdoptedPayment]) -> None:
    """These wait to be posted, unless they are posted or wait already."""
    rows = [as_row(payment, adopted_payment) for payment in payments]
    await insert_rows(tx, adopted_payment, rows, "ON CONFLICT DO NOTHING")
    keys = [(payment.tenant_id, payment.transaction_id) for payment in payments]
    await tx.raw.execute(_WITHOUT_POSTED, *columns_of(keys, 2))


# In the order of their dates of value, so that the later ones find what the earlier ones have paid;
# what was looked at in vain comes after what was not, so that nothing is held up by it.
_CLAIM = """
SELECT tenant_id, transaction_id, payment_id, customer_id, event, correlation_id, occurred_at, topic
  FROM adopted_payment ORDER BY tries, occurred_at, transaction_id LIMIT $1
   FOR UPDATE SKIP LOCKED
"""


async def claim_adopted(tx: WriteConnection, payments_max: int) -> list[AdoptedPayment]:
    """Adopted payments of all tenants, locked."""
    rows = await tx.raw.fetch(_CLAIM, payments_max)
    return [AdoptedPayment(**row) for row in rows]


_COUNT_TRIES = """
UPDATE adopted_payment a SET tries = tries + 1
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (a.tenant_id, a.transaction_id) = (k.tenant_id, k.id)
"""


async def count_tries(tx: WriteConnection, waiting: Sequence[AdoptedPayment]) -> None:
    """These were looked at and wait on."""
    keys = [(payment.tenant_id, payment.transaction_id) for payment in waiting]
    await tx.raw.execute(_COUNT_TRIES, *columns_of(keys, 2))


# One look at an index of a table that is nearly always empty.
_DEFER_CREDIT = """
UPDATE customer c SET credit_due = true
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE (c.tenant_id, c.id) = (k.tenant_id, k.id)
   AND EXISTS (SELECT FROM adopted_payment a
                WHERE a.tenant_id = k.tenant_id AND a.customer_id = k.id OFFSET 0)
RETURNING c.tenant_id, c.id
"""


async def defer_credit(tx: WriteConnection, keys: Collection[Key]) -> set[Key]:
    """Those of these customers, who are locked, of whom something adopted waits: their credit is
    spent by the rule once it does not any more."""
    rows = await tx.raw.fetch(_DEFER_CREDIT, *columns_of(sorted(keys), 2))
    return {(row["tenant_id"], row["id"]) for row in rows}


_DELETE = "DELETE FROM adopted_payment WHERE tenant_id = $1 AND transaction_id = $2"


async def delete_adopted(tx: WriteConnection, payment: AdoptedPayment) -> None:
    """It waits no more."""
    await tx.raw.execute(_DELETE, payment.tenant_id, payment.transaction_id)


# Nearly always the table is empty: one look at its index for each.
_WAITING = """
SELECT k.tenant_id, k.id FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
 WHERE EXISTS (SELECT FROM adopted_payment a
                WHERE a.tenant_id = k.tenant_id AND a.payment_id = k.id OFFSET 0)
"""


async def fetch_waiting(read: ReadConnection, payments: Collection[Key]) -> set[Key]:
    """Those of these payments, by tenant and id, that are adopted and wait."""
    rows = await read.raw.fetch(_WAITING, *columns_of(list(payments), 2)) if payments else []
    return {(row["tenant_id"], row["id"]) for row in rows}


# What was said of a survivor may rest on a duplicate's items, which a merge is yet to move.
_HAVE_ITEMS = """
SELECT count(*) FROM open_item
 WHERE tenant_id = $1 AND customer_id = $2 AND id = ANY($3::uuid[]) AND issued_at IS NOT NULL
"""


async def have_items(
    read: ReadConnection, tenant_id: str, customer_id: UUID, ids: Collection[UUID]
) -> bool:
    """Whether all these items are posted, and are this customer's."""
    wanted = set(ids)
    count = await read.raw.fetchval(_HAVE_ITEMS, tenant_id, customer_id, list(wanted))
    return bool(count == len(wanted))


_KNOWN = """
SELECT EXISTS (SELECT FROM known_customer WHERE tenant_id = $1 AND id = $2 AND currency = $3)
"""


async def is_known_customer(
    read: ReadConnection, tenant_id: str, customer_id: UUID, currency: str
) -> bool:
    """Whether there is such a customer who pays in the currency."""
    return bool(await read.raw.fetchval(_KNOWN, tenant_id, customer_id, currency))


# A balance that is published later than these has a higher version than what was heard.
_RAISE = """
INSERT INTO customer AS c (tenant_id, id, version, published_version)
SELECT *, version FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS k (tenant_id, id, version)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET version = greatest(c.version, excluded.version)
             + CASE WHEN c.published_version < c.version THEN 1 ELSE 0 END,
       published_version = greatest(c.published_version, excluded.published_version)
"""


async def raise_versions(tx: WriteConnection, versions: Mapping[Key, int]) -> None:
    """The versions of these customers' balances go on after those that were published."""
    keys = sorted(versions)
    await tx.raw.execute(_RAISE, *columns_of(keys, 2), [versions[key] for key in keys])
