"""Open items and allocations as rows: what is to be paid, and what has settled it.

An item's row holds the sum of its allocations, which moves with the transaction that makes them;
open amounts as of a moment are sums over the allocations, which are never changed.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from kernel.money import EXACT
from ledger.domain import accounts
from ledger.domain.reversing import Settlement
from ledger.domain.settling import Books
from ledger.domain.transactions import ZERO, Item, Transaction

Account = tuple[str, UUID, str]
"""A tenant's customer in a currency."""

_OPEN = """
INSERT INTO open_item (tenant_id, id, customer_id, currency, kind, number, total, settled, voided,
                       issued_at, due_on)
SELECT tenant_id, id, customer_id, currency, kind, number, total, 0, false, issued_at, due_on
  FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
              $7::numeric[], $8::timestamptz[], $9::date[])
       AS n (tenant_id, id, customer_id, currency, kind, number, total, issued_at, due_on)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET number = excluded.number, total = excluded.total, issued_at = excluded.issued_at,
       due_on = excluded.due_on
"""
# An item that is not there yet is an invoice whose credit note came first.
_SETTLE = """
INSERT INTO open_item AS i (tenant_id, id, customer_id, currency, kind, number, total, settled,
                            voided)
SELECT tenant_id, id, customer_id, currency, 'invoice', '', 0, settled, voided
  FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::numeric[], $6::boolean[])
       AS n (tenant_id, id, customer_id, currency, settled, voided)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET settled = i.settled + excluded.settled, voided = i.voided OR excluded.voided
"""
_ALLOCATE = """
INSERT INTO allocation (tenant_id, transaction_id, line, item_id, source_id, customer_id, currency,
                        amount, occurred_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[],
                     $7::text[], $8::numeric[], $9::timestamptz[])
"""
_ITEM = "id, kind, number, total, issued_at, due_on, settled, voided"
_BOOKS_ITEMS = f"""
SELECT k.tenant_id, k.customer_id, k.currency, {_ITEM}
  FROM unnest($1::text[], $2::uuid[], $3::text[]) AS k (tenant_id, customer_id, currency)
  JOIN open_item i USING (tenant_id, customer_id, currency)
 WHERE i.issued_at IS NOT NULL AND (i.total <> i.settled OR i.id = ANY($4::uuid[]))
"""  # noqa: S608 - constants
_BOOKS_CREDIT = """
SELECT k.tenant_id, k.customer_id, k.currency, a.credits - a.debits AS prepaid
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[])
       AS k (tenant_id, customer_id, currency, account_id)
  JOIN account a ON a.tenant_id = k.tenant_id AND a.id = k.account_id
"""
_ITEMS = f"""
SELECT k.tenant_id, {_ITEM}
  FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) JOIN open_item i USING (tenant_id, id)
 WHERE i.issued_at IS NOT NULL
"""  # noqa: S608 - constants
_SETTLEMENTS = """
SELECT s.tenant_id, s.item_id, s.source_id, t.kind AS source_kind, s.amount
  FROM (SELECT a.tenant_id, a.item_id, a.source_id, sum(a.amount) AS amount
          FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, id)
          JOIN allocation a ON a.tenant_id = k.tenant_id AND a.{column} = k.id
         GROUP BY a.tenant_id, a.item_id, a.source_id HAVING sum(a.amount) <> 0) AS s
  JOIN transaction t ON t.tenant_id = s.tenant_id AND t.id = s.source_id
 ORDER BY s.tenant_id, s.item_id, s.source_id
"""


async def insert_items_and_allocations(
    tx: WriteConnection, transactions: Sequence[Transaction]
) -> None:
    """What these transactions, of customers that are locked, open and settle."""
    await _open(tx, transactions)
    await _settle(tx, transactions)
    lines = [
        (one, line, each)
        for one in transactions
        for line, each in enumerate(one.allocations, start=1)
    ]
    if lines:
        await tx.raw.execute(
            _ALLOCATE,
            [one.tenant_id for one, _, _ in lines],
            [one.id for one, _, _ in lines],
            [line for _, line, _ in lines],
            [each.item_id for _, _, each in lines],
            [each.source_id for _, _, each in lines],
            [one.customer_id for one, _, _ in lines],
            [one.currency for one, _, _ in lines],
            [each.amount for _, _, each in lines],
            [one.occurred_at for one, _, _ in lines],
        )


async def _open(tx: WriteConnection, transactions: Sequence[Transaction]) -> None:
    opened = sorted(
        ((one, one.opens) for one in transactions if one.opens),
        key=lambda each: (each[0].tenant_id, each[1].id),
    )
    if opened:
        await tx.raw.execute(
            _OPEN,
            [one.tenant_id for one, _ in opened],
            [item.id for _, item in opened],
            [one.customer_id for one, _ in opened],
            [one.currency for one, _ in opened],
            [item.kind for _, item in opened],
            [item.number for _, item in opened],
            [item.total for _, item in opened],
            [item.issued_at for _, item in opened],
            [item.due_on for _, item in opened],
        )


async def _settle(tx: WriteConnection, transactions: Sequence[Transaction]) -> None:
    moved: defaultdict[tuple[str, UUID], Decimal] = defaultdict(Decimal)
    about: dict[tuple[str, UUID], Transaction] = {}
    voided = {(one.tenant_id, one.voids) for one in transactions if one.voids}
    for one in transactions:
        keys = [(one.tenant_id, each.item_id) for each in one.allocations]
        for key, each in zip(keys, one.allocations, strict=True):
            moved[key] = EXACT.add(moved[key], each.amount)
        about |= dict.fromkeys(keys, one)
        if one.voids:
            about[one.tenant_id, one.voids] = one
    keys = sorted(about)
    if keys:
        await tx.raw.execute(
            _SETTLE,
            [tenant_id for tenant_id, _ in keys],
            [id_ for _, id_ in keys],
            [about[key].customer_id for key in keys],
            [about[key].currency for key in keys],
            [moved[key] for key in keys],
            [key in voided for key in keys],
        )


async def fetch_books(
    read: ReadConnection, wanted: Sequence[Account], named: Sequence[UUID] = ()
) -> dict[Account, Books]:
    """Each customer's credit and open items in a currency, and those of `named` that are its own.

    To decide anything from them their customers must be locked.
    """
    keys = sorted(set(wanted))
    columns = [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
    items: defaultdict[Account, dict[UUID, Item]] = defaultdict(dict)
    for row in await read.raw.fetch(_BOOKS_ITEMS, *columns, list(named)):
        items[row["tenant_id"], row["customer_id"], row["currency"]][row["id"]] = item_of(row)
    ids = [accounts.prepaid(currency, customer).id(tenant) for tenant, customer, currency in keys]
    rows = await read.raw.fetch(_BOOKS_CREDIT, *columns, ids)
    credit = {(row["tenant_id"], row["customer_id"], row["currency"]): row for row in rows}
    return {
        key: Books(*key, credit[key]["prepaid"] if key in credit else ZERO, items[key])
        for key in keys
    }


def item_of(row: RowMapping | asyncpg.Record) -> Item:
    """An item as it stands."""
    return Item(
        row["id"], row["kind"], row["number"], row["total"], row["issued_at"], row["due_on"],
        row["settled"], row["voided"],
    )  # fmt: skip


async def fetch_items(
    read: ReadConnection, keys: Sequence[tuple[str, UUID]]
) -> dict[tuple[str, UUID], Item]:
    """These items, those of them that exist."""
    rows = await read.raw.fetch(_ITEMS, [key[0] for key in keys], [key[1] for key in keys])
    return {(row["tenant_id"], row["id"]): item_of(row) for row in rows}


async def fetch_settlements_of_items(
    read: ReadConnection, keys: Sequence[tuple[str, UUID]]
) -> dict[tuple[str, UUID], list[Settlement]]:
    """What settles these items now, by item."""
    return await _settlements(read, _SETTLEMENTS.format(column="item_id"), keys)


async def fetch_settlements_by(
    read: ReadConnection, tenant_id: str, source_id: UUID
) -> list[Settlement]:
    """What one transaction settles still."""
    found = await _settlements(
        read, _SETTLEMENTS.format(column="source_id"), [(tenant_id, source_id)]
    )
    return [one for settlements in found.values() for one in settlements]


async def _settlements(
    read: ReadConnection, query: str, keys: Sequence[tuple[str, UUID]]
) -> dict[tuple[str, UUID], list[Settlement]]:
    once = list(dict.fromkeys(keys))  # a key that came twice would count its amounts twice
    found: defaultdict[tuple[str, UUID], list[Settlement]] = defaultdict(list)
    for row in await read.raw.fetch(query, [key[0] for key in once], [key[1] for key in once]):
        found[row["tenant_id"], row["item_id"]].append(
            Settlement(row["item_id"], row["source_id"], row["source_kind"], row["amount"])
        )
    return found
