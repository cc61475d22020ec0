"""A dry run: what a file would make, without making it.

Says what the rows themselves and what is there show. Bounds and rules are the services' to check,
when something is made.
"""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from gridtally.cli.data_files.kinds import Item, Name
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import Kind as Named
from gridtally.client import AsyncClient, NotFound

REMEMBERED_MAX = 100_000
"""Ids of which is known whether they are there, and references of the last rows."""
PATHS: dict[Named, tuple[str, str]] = {
    "customer": ("billing", "/v1/customers"),
    "property": ("ledger", "/v1/properties"),
    "meter": ("ledger", "/v1/meters"),
    "agreement": ("billing", "/v1/agreements"),
}
MADE: dict[Name, Named] = {
    "customers": "customer",
    "properties": "property",
    "meters": "meter",
    "agreements": "agreement",
}


class Checker:
    """Looks up what the items of a file make and need."""

    def __init__(self, name: Name, client: AsyncClient, outcomes: Outcomes) -> None:
        self._made = MADE.get(name)
        self._client = client
        self._outcomes = outcomes
        self._known: OrderedDict[tuple[Named, UUID], bool] = OrderedDict()
        self._in_file: OrderedDict[UUID, None] = OrderedDict()

    async def check(self, part: Sequence[Item]) -> None:
        """Count what would be new, and refuse what needs something that is not there. A property of
        the same file counts as there for those below it."""
        for item in part:
            if self._made is not None and not self._is_first(item.id):
                self._outcomes.refuse(
                    item.row, item.reference, "duplicate_id", "the reference is there twice"
                )
                continue
            missing = [
                f"there is no {kind} {text!r}"
                for kind, id_, text in item.needs
                if id_ not in self._in_file and not await self._is_there(kind, id_)
            ]
            if missing:
                self._outcomes.refuse(
                    item.row, item.reference, "reference_unknown", "; ".join(missing)
                )
            elif self._made and await self._is_there(self._made, item.id):
                self._outcomes.add("present")
            else:
                self._outcomes.add("new")

    def _is_first(self, id_: UUID) -> bool:
        """Whether none of the last rows has the same reference."""
        if id_ in self._in_file:
            return False
        self._in_file[id_] = None
        if len(self._in_file) > REMEMBERED_MAX:
            self._in_file.popitem(last=False)
        return True

    async def _is_there(self, kind: Named, id_: UUID) -> bool:
        if (kind, id_) not in self._known:
            service, path = PATHS[kind]
            try:
                await self._client.untyped(service).call("GET", f"{path}/{id_}")
                is_there = True
            except NotFound:
                is_there = False
            self._known[kind, id_] = is_there
            if len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        return self._known[kind, id_]
