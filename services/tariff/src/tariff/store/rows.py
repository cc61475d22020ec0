"""What the queries of the catalogue have in common: stamps and pages."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from tariff.domain.stored import Stored

T = TypeVar("T")
After = tuple[datetime, UUID]
"""The place in a list, ordered by age and id, after which a page begins."""


def stored(thing: T, row: RowMapping) -> Stored[T]:
    """The thing with its row's stamps."""
    return Stored(thing, row["revision"], row["created_at"], row["updated_at"])


def one_of(table: sa.Table, tenant_id: str, id_: UUID, *, lock: bool = False) -> sa.Select[Any]:
    """The row of that id; with `lock`, held until the transaction ends."""
    query = sa.select(table).where(table.c.tenant_id == tenant_id, table.c.id == id_)
    return query.with_for_update(key_share=True) if lock else query


def page_of(
    table: sa.Table, tenant_id: str, filters: dict[str, Any], after: After | None, limit: int
) -> sa.Select[Any]:
    """The tenant's rows whose columns equal `filters`, `limit` of them after a place, by age."""
    query = sa.select(table).where(
        table.c.tenant_id == tenant_id, *(table.c[name] == value for name, value in filters.items())
    )
    if after is not None:
        query = query.where(sa.tuple_(table.c.created_at, table.c.id) > sa.tuple_(*after))
    return query.order_by(table.c.created_at, table.c.id).limit(limit)


def next_revision(table: sa.Table) -> dict[str, Any]:
    """The stamps of a changed row."""
    return {"revision": table.c.revision + 1, "updated_at": sa.func.now()}
