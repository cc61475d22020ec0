"""`sort`: the orders in which the lists of the registry can be had, and their cursors.

A cursor names the order that it belongs to, so that it is refused in another one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.api.models import instant
from ledger.domain.stored import Stored
from ledger.store.rows import Order
from serving.paging import PageRequest


@dataclass(frozen=True, slots=True)
class Sorting:
    """A list's order by its name: a column, after a minus where the greatest comes first."""

    name: str

    @property
    def column(self) -> str:
        """What the list is ordered by."""
        return self.name.removeprefix("-")

    def order(self, paging: PageRequest) -> Order:
        """The order with the place at which the page begins; Rejected for another's cursor."""
        kind = instant if self.column.endswith("_at") else _text
        found = paging.after(self._same, kind, UUID)
        after = (found[1], found[2]) if found is not None else None
        return Order(self.column, self.name.startswith("-"), after)

    def position(self) -> Callable[[Stored[Any]], tuple[object, ...]]:
        """Where a thing stands in the list."""

        def place(one: Stored[Any]) -> tuple[object, ...]:
            at = getattr(one if self.column.endswith("_at") else one.thing, self.column)
            return self.name, at.encode().hex() if isinstance(at, str) else at, one.thing.id

        return place

    def _same(self, name: str) -> str:
        if name != self.name:
            raise ValueError("a cursor of another order")
        return name


def _text(coded: str) -> str:
    """Any text, also one that no cursor could carry as it is."""
    return bytes.fromhex(coded).decode()
