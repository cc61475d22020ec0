"""Dunning runs and notices as rows, and whom a run is to look at.

Whoever writes a notice has locked its customer. A run's row is locked before customers, and by
nobody who has locked one.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import PagePosition, page_after, sorted_page
from gridtally.database.rows import Row, from_row
from gridtally.kernel.errors import NotFound
from gridtally.ledger.accounts.domain.dunning import (
    DunnedItem,
    DunningHistory,
    DunningNotice,
    DunningRun,
    LastNotice,
)
from gridtally.ledger.accounts.domain.open_items import OpenItemKind
from gridtally.ledger.accounts.store.customer_accounts import AccountKey
from gridtally.ledger.accounts.tables.dunning import dunning_notice, dunning_run

# One at once; a run that is there under its id is that run.
_INSERT_RUN = """
INSERT INTO dunning_run (tenant_id, id, dunned_on, started_at, finished_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id
"""


async def insert_run(tx: WriteConnection, tenant_id: str, run: DunningRun) -> bool:
    """Store a run; whether it is new, and no other one goes on."""
    values = run.id, run.dunned_on, run.started_at, run.finished_at
    return await tx.raw.fetchval(_INSERT_RUN, tenant_id, *values) is not None


# What a run has issued is all that is known of it after a restore.
_ADOPT_RUN = """
INSERT INTO dunning_run AS r (tenant_id, id, dunned_on, started_at, finished_at)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET started_at = least(r.started_at, excluded.started_at),
       finished_at = greatest(r.finished_at, excluded.finished_at)
"""


async def adopt_run(tx: WriteConnection, tenant_id: str, notice: DunningNotice) -> None:
    """Have the run of a notice that was published; it ends with what it had said."""
    values = notice.run_id, notice.dunned_on, notice.issued_at
    await tx.raw.execute(_ADOPT_RUN, tenant_id, *values)


@dataclass(frozen=True, slots=True)
class GoingRun:
    """A run that goes on, whose it is, and the last customer whom it has looked at."""

    tenant_id: str
    run: DunningRun
    after: UUID | None


_CLAIM = """
SELECT * FROM dunning_run WHERE finished_at IS NULL ORDER BY started_at LIMIT 1
   FOR UPDATE SKIP LOCKED
"""


async def claim_run(tx: WriteConnection) -> GoingRun | None:
    """A run of any tenant that goes on, locked."""
    row = await tx.raw.fetchrow(_CLAIM)
    if row is None:
        return None
    return GoingRun(row["tenant_id"], from_row(DunningRun, row), row["after_customer"])


_MOVE_RUN = """
UPDATE dunning_run SET after_customer = $3, finished_at = $4 WHERE (tenant_id, id) = ($1, $2)
"""


async def move_run(
    tx: WriteConnection, going: GoingRun, after: UUID | None, finished_at: datetime | None
) -> None:
    """Record how far a run has come; it is done where it has `finished_at`."""
    await tx.raw.execute(_MOVE_RUN, going.tenant_id, going.run.id, after, finished_at)


@dataclass(frozen=True, slots=True)
class RunTotal:
    """What a run has issued in a currency and was not withdrawn since."""

    run_id: UUID
    currency: str
    notices: int
    fees: Decimal


_TOTALS = """
SELECT run_id, currency, count(*) AS notices, sum(fee) AS fees FROM dunning_notice
 WHERE tenant_id = $1 AND run_id = ANY($2::uuid[]) AND withdrawn_at IS NULL
 GROUP BY run_id, currency ORDER BY run_id, currency
"""


async def fetch_totals(
    read: ReadConnection, tenant_id: str, runs: Collection[UUID]
) -> dict[UUID, list[RunTotal]]:
    """What each of these runs has issued, by currency."""
    totals = defaultdict[UUID, list[RunTotal]](list)
    for row in await read.raw.fetch(_TOTALS, tenant_id, list(runs)):
        totals[row["run_id"]].append(from_row(RunTotal, row))
    return totals


async def list_runs(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, object],
    after: tuple[datetime, UUID] | None,
    rows_max: int,
) -> list[DunningRun]:
    """A page of runs whose columns equal `filters`, the newest first."""
    run = dunning_run.c
    query = sa.select(dunning_run).where(
        run.tenant_id == tenant_id, *(run[name] == value for name, value in filters.items())
    )
    page = page_after(
        query, (run.started_at, run.id), after=after, rows_max=rows_max, descending=True
    )
    return [from_row(DunningRun, row) for row in await read.all(page)]


# In the order of the partial index over what is open. While something that was said of a customer
# before a restore waits to be posted again, nobody knows what the customer owes.
_TO_LOOK_AT = """
SELECT DISTINCT customer_id FROM open_item o
 WHERE tenant_id = $1 AND total <> allocated AND total > allocated AND due_on < $2
   AND ($3::uuid IS NULL OR customer_id > $3)
   AND NOT EXISTS (SELECT FROM adopted_payment a
                    WHERE (a.tenant_id, a.customer_id) = (o.tenant_id, o.customer_id))
 ORDER BY customer_id LIMIT $4
"""


async def fetch_to_look_at(
    read: ReadConnection, tenant_id: str, on: date, after: UUID | None, customers_max: int
) -> list[UUID]:
    """The next customers of whom something was due before a day and is open."""
    rows = await read.raw.fetch(_TO_LOOK_AT, tenant_id, on, after, customers_max)
    return [row["customer_id"] for row in rows]


_ACCOUNTS = """
SELECT DISTINCT customer_id, currency FROM open_item
 WHERE tenant_id = $1 AND customer_id = ANY($2::uuid[]) AND total <> allocated AND due_on < $3
 ORDER BY customer_id, currency
"""


async def fetch_accounts(
    read: ReadConnection, tenant_id: str, customers: Collection[UUID], on: date
) -> list[AccountKey]:
    """In which currencies that is."""
    rows = await read.raw.fetch(_ACCOUNTS, tenant_id, list(customers), on)
    return [(tenant_id, row["customer_id"], row["currency"]) for row in rows]


_HISTORY = """
SELECT n.customer_id, n.id, n.fee > 0 AS has_fee, n.withdrawn_at IS NULL AS counts, n.pay_by,
       i.item_id, i.level
  FROM dunning_notice n
 CROSS JOIN LATERAL unnest(n.item_ids, n.item_levels) AS i (item_id, level)
 WHERE n.tenant_id = $1 AND n.customer_id = ANY($2::uuid[])
"""


async def fetch_histories(
    read: ReadConnection, tenant_id: str, customers: Collection[UUID]
) -> dict[UUID, DunningHistory]:
    """What notices these customers had."""
    last = defaultdict[UUID, dict[UUID, LastNotice]](dict)
    fees = defaultdict[UUID, set[UUID]](set)
    for row in await read.raw.fetch(_HISTORY, tenant_id, list(customers)):
        if row["has_fee"]:
            fees[row["customer_id"]].add(row["id"])
        known = last[row["customer_id"]].get(row["item_id"])
        if row["counts"] and (known is None or known.level < row["level"]):
            last[row["customer_id"]][row["item_id"]] = LastNotice(row["level"], row["pay_by"])
    return {
        customer_id: DunningHistory(last[customer_id], frozenset(fees[customer_id]))
        for customer_id in customers
    }


# A notice that is not there, or one that was published in an older version, before a restore.
_PUT = """
INSERT INTO dunning_notice AS n
       (tenant_id, id, run_id, customer_id, currency, dunned_on, level, name, item_ids, item_levels,
        item_due_days, item_amounts, others, credit, fee, pay_by, issued_at, withdrawn_at,
        withdraw_reason, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (tenant_id, id) DO UPDATE
   SET withdrawn_at = excluded.withdrawn_at, withdraw_reason = excluded.withdraw_reason,
       version = excluded.version
 WHERE n.version < excluded.version
"""


async def put_notices(
    tx: WriteConnection, tenant_id: str, notices: Sequence[tuple[DunningNotice, int]]
) -> None:
    """Store notices, each in a version, unless it is there in this version or a higher one."""
    rows = [
        (
            tenant_id, own.id, own.run_id, own.customer_id, own.currency, own.dunned_on, own.level,
            own.name, [item.id for item in own.items], [item.level for item in own.items],
            [item.due_on for item in own.items], [item.open for item in own.items], own.others,
            own.credit, own.fee, own.pay_by, own.issued_at, own.withdrawn_at, own.withdraw_reason,
            version,
        )
        for own, version in notices
    ]  # fmt: skip
    await tx.raw.executemany(_PUT, rows)


_WITHDRAW = """
UPDATE dunning_notice SET withdrawn_at = $3, withdraw_reason = $4, version = version + 1
 WHERE (tenant_id, id) = ($1, $2) RETURNING version
"""


async def withdraw_notice(tx: WriteConnection, tenant_id: str, withdrawn: DunningNotice) -> int:
    """Record that a notice no longer counts; its new version."""
    values = withdrawn.id, withdrawn.withdrawn_at, withdrawn.withdraw_reason
    version: int = await tx.raw.fetchval(_WITHDRAW, tenant_id, *values)
    return version


# An item that rose to a higher level since.
_FOLLOWED = """
SELECT EXISTS (
    SELECT FROM dunning_notice n
     CROSS JOIN LATERAL unnest(n.item_ids, n.item_levels) AS i (id, level)
      JOIN unnest($3::uuid[], $4::smallint[]) AS k (id, level) ON k.id = i.id AND i.level > k.level
     WHERE n.tenant_id = $1 AND n.customer_id = $2 AND n.withdrawn_at IS NULL)
"""


async def is_followed(read: ReadConnection, tenant_id: str, notice: DunningNotice) -> bool:
    """Whether a later notice that counts has raised one of a notice's items further."""
    levels = [item.id for item in notice.items], [item.level for item in notice.items]
    return bool(await read.raw.fetchval(_FOLLOWED, tenant_id, notice.customer_id, *levels))


@dataclass(frozen=True, slots=True)
class NamedItem:
    """What people call an open item, and what it is."""

    number: str
    kind: OpenItemKind


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A notice, its items by id, as far as they are known, and what is open of its fee now."""

    notice: DunningNotice
    named: Mapping[UUID, NamedItem]
    fee_open: Decimal


_ITEMS = """
SELECT id, number, kind, total - allocated AS open FROM open_item
 WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""


async def fetch_notice(read: ReadConnection, tenant_id: str, id_: UUID) -> ShownNotice:
    """The notice of this id; NotFound where there is none."""
    query = sa.select(dunning_notice).where(
        dunning_notice.c.tenant_id == tenant_id, dunning_notice.c.id == id_
    )
    shown = await _shown(read, tenant_id, await read.all(query))
    if not shown:
        raise NotFound("dunning_notice_unknown", "no dunning notice has this id")
    return shown[0]


async def list_notices(
    read: ReadConnection,
    tenant_id: str,
    filters: Mapping[str, object],
    position: PagePosition,
    *,
    is_withdrawn: bool | None,
) -> list[ShownNotice]:
    """A page of notices whose columns equal `filters`, by when they were issued."""
    notice = dunning_notice.c
    query = sa.select(dunning_notice).where(
        notice.tenant_id == tenant_id, *(notice[name] == value for name, value in filters.items())
    )
    if is_withdrawn is not None:
        given = notice.withdrawn_at.is_not(None)
        query = query.where(given if is_withdrawn else ~given)
    page = sorted_page(query, dunning_notice, position)
    return await _shown(read, tenant_id, await read.all(page))


async def _shown(read: ReadConnection, tenant_id: str, rows: Sequence[Row]) -> list[ShownNotice]:
    notices = [_notice(row) for row in rows]
    ids = {own.id for own in notices} | {item.id for own in notices for item in own.items}
    items = {row["id"]: row for row in await read.raw.fetch(_ITEMS, tenant_id, list(ids))}
    named = {id_: from_row(NamedItem, row) for id_, row in items.items()}
    return [
        ShownNotice(own, named, items[own.id]["open"] if own.id in items else Decimal(0))
        for own in notices
    ]


def _notice(row: Row, **fields: Any) -> DunningNotice:
    columns = (row[f"item_{name}"] for name in ("ids", "levels", "due_days", "amounts"))
    items = tuple(DunnedItem(*item) for item in zip(*columns, strict=True))
    return from_row(DunningNotice, row, items=items, **fields)
