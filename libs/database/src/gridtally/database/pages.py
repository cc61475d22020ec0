"""Pages in SQL: the rows that come after a position, in the order of some columns.

A position is the values of the last row seen, not an offset: rows that come or go meanwhile shift
nothing, and an index on the columns finds the page at once. The HTTP half of this, cursors, is
`gridtally.http.paging` and `gridtally.http.sorting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class PagePosition:
    """Which page of a list: its order, after which row it begins, and at most how many rows.

    `column` names a column of the table, written in the code; ids decide among equal values.
    """

    rows_max: int
    column: str = "created_at"
    descending: bool = False
    after: tuple[object, UUID] | None = None


def sorted_page(query: sa.Select[Any], table: sa.Table, position: PagePosition) -> sa.Select[Any]:
    """The rows of `query`, which selects from `table`, that are on the page at `position`."""
    return page_after(
        query,
        (table.c[position.column], table.c.id),
        after=position.after,
        rows_max=position.rows_max,
        descending=position.descending,
    )


def page_after(
    query: sa.Select[Any],
    columns: Sequence[sa.ColumnElement[Any]],
    *,
    after: Sequence[object] | None,
    rows_max: int,
    descending: bool = False,
) -> sa.Select[Any]:
    """At most `rows_max` rows of `query` in the order of `columns`, which name a row together;
    those that come after the row with the values `after`, or the first ones."""
    if after is not None:
        row, last_seen = sa.tuple_(*columns), sa.tuple_(*after)
        query = query.where(row < last_seen if descending else row > last_seen)
    ordered = [column.desc() for column in columns] if descending else columns
    return query.order_by(*ordered).limit(rows_max)
