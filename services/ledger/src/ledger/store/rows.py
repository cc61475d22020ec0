"""What the queries of the registry have in common: stamps, lists of ids, pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from ledger.domain.registry import Flow, Register
from ledger.domain.stored import Stored

T = TypeVar("T")
After = tuple[datetime, UUID]
"""The place in a list, ordered by age and id, after which a page begins."""


@dataclass(frozen=True, slots=True)
class Order:
    """A list's order: by a column, then by id, from the place `after`."""

    column: str = "created_at"
    descending: bool = False
    after: tuple[object, UUID] | None = None


@lru_cache(maxsize=4096)
def _register(flow: Flow, digits: int, decimals: int, multiplier: Decimal) -> Register:
    return Register(flow, digits, decimals, multiplier)


Row = RowMapping | Mapping[str, Any]
"""A row, by SQLAlchemy or by asyncpg itself."""


def register_of(row: Row) -> Register:
    """The register of a row that holds one."""
    return _register(row["flow"], row["digits"], row["decimals"], row["multiplier"])


def stored(thing: T, row: RowMapping) -> Stored[T]:
    """The thing with its row's stamps."""
    return Stored(thing, row["version"], row["created_at"], row["updated_at"])


def among(column: sa.Column[Any], ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    """Whether a column is one of `ids`: one parameter, however many there are."""
    return column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid)))


def page(query: sa.Select[Any], table: sa.Table, order: Order, limit: int) -> sa.Select[Any]:
    """The `limit` rows that come after the order's place."""
    place = [table.c[order.column], table.c.id]
    if order.after is not None:
        here, there = sa.tuple_(*place), sa.tuple_(*order.after)
        query = query.where(here < there if order.descending else here > there)
    return query.order_by(*(each.desc() if order.descending else each for each in place)).limit(
        limit
    )
