"""`sort`: lists in the order that the caller asks for, page by page.

    page = SortedPage(paging, sort)
    rows = await list_tariffs(read, tenant_id, filters, page.position())
    return page.cut(rows, Tariff.of)

A cursor names the order that it belongs to, so that it is refused in another one. The SQL half of
this is `gridtally.database.pages`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from gridtally.database.pages import PagePosition
from gridtally.http.paging import Page, PageRequest
from gridtally.kernel.resources import Stored

T = TypeVar("T")
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class SortedPage:
    """Which page of a list of stored resources, in which order; ids decide among equals.

    `sort` is the name of a column, after a minus where the greatest comes first; a column whose
    name ends in `_at` holds instants, every other one texts.
    """

    paging: PageRequest
    sort: str = "created_at"

    def position(self) -> PagePosition:
        """Where the page begins; Rejected for a cursor of another list or another order."""
        kind = datetime.fromisoformat if self._by_instant else str
        after = self.paging.after(self._same_sort, kind, UUID)
        return PagePosition(
            rows_max=self.paging.rows,
            column=self._column,
            descending=self.sort.startswith("-"),
            after=None if after is None else (after[1], after[2]),
        )

    def cut(self, rows: Sequence[Stored[T]], to_api: Callable[[Stored[T]], Model]) -> Page[Model]:
        """A page of the rows that a query found from `position` on."""
        return self.paging.cut(rows, item=to_api, position=self._position_of)

    @property
    def _column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def _by_instant(self) -> bool:
        return self._column.endswith("_at")

    def _position_of(self, stored: Stored[Any]) -> tuple[object, ...]:
        """Where a resource stands in the list, as its cursor names it."""
        holder = stored if self._by_instant else stored.resource
        return self.sort, getattr(holder, self._column), stored.resource.id

    def _same_sort(self, sort: str) -> str:
        if sort != self.sort:
            raise ValueError("the cursor is of another order")
        return sort
