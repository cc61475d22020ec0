"""Lists of things in the order that the caller asks for, page by page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast
from uuid import UUID

from fastapi import Depends, Query

from serving.paging import Page, PageRequest, Paging
from tariff.api.forms import instant_in
from tariff.domain.stored import Stored
from tariff.store.rows import OrderedBy, Place

T = TypeVar("T")
Item = TypeVar("Item")
TEXT_CHARS_MAX = 100
Sort = Literal["created_at", "-created_at", "code", "-code", "name", "-name"]
SearchText = Annotated[
    str | None,
    Query(min_length=1, max_length=TEXT_CHARS_MAX, description="Found in the code or name"),
]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page of a list, in which order; ids decide among equals."""

    paging: PageRequest
    sort: Sort

    @property
    def place(self) -> Place:
        """Where the page begins; Rejected for a cursor of another list or order."""
        after = self.paging.after(self._same_sort, self._value, UUID)
        return Place(
            limit=self.paging.rows,
            by=self._by,
            descending=self.sort.startswith("-"),
            after=None if after is None else (after[1], after[2]),
        )

    def cut(self, rows: Sequence[Stored[T]], item: Callable[[Stored[T]], Item]) -> Page[Item]:
        """A page of the rows that were found from `place` on."""
        return self.paging.cut(rows, item=item, position=self._position)

    @property
    def _by(self) -> OrderedBy:
        return cast("OrderedBy", self.sort.removeprefix("-"))

    def _position(self, one: Stored[Any]) -> tuple[object, ...]:
        if self._by == "created_at":
            return self.sort, one.created_at, one.thing.id
        # as JSON, since names may hold what no cursor may
        return self.sort, json.dumps(getattr(one.thing, self._by)), one.thing.id

    def _same_sort(self, text: str) -> str:
        if text != self.sort:
            raise ValueError("the cursor is of another order")
        return text

    def _value(self, text: str) -> Any:
        if self._by == "created_at":
            return instant_in(text)
        value = json.loads(text)
        if not isinstance(value, str):
            raise TypeError("codes and names are texts")
        return value


def _listing(
    paging: Paging,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "created_at",
) -> Listing:
    return Listing(paging, sort)


Ordered = Annotated[Listing, Depends(_listing)]
"""The dependency of a handler that answers pages of named things."""
