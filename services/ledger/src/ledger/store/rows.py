"""What the queries of the registry have in common: stamps, lists of ids, pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from ledger.domain.stored import Stored

T = TypeVar("T")
After = tuple[datetime, UUID]
"""The place in a list, ordered by age and id, after which a page begins."""


def stored(thing: T, row: RowMapping) -> Stored[T]:
    """The thing with its row's stamps."""
    return Stored(thing, row["version"], row["created_at"], row["updated_at"])


def among(column: sa.Column[Any], ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    """Whether a column is one of `ids`: one parameter, however many there are."""
    return column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid)))


def page(query: sa.Select[Any], table: sa.Table, after: After | None, limit: int) -> sa.Select[Any]:
    """The `limit` rows that come after that place, oldest first."""
    if after is not None:
        query = query.where(sa.tuple_(table.c.created_at, table.c.id) > sa.tuple_(*after))
    return query.order_by(table.c.created_at, table.c.id).limit(limit)
