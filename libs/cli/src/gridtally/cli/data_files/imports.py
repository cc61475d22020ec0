"""Making what the rows of a file ask for.

Everything has an id that follows from its reference, so a file that comes again changes nothing,
whatever became of the run before. What is refused is refused by its row: the others are made.
"""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from gridtally.cli.data_files.kinds import Item, Name
from gridtally.cli.data_files.outcomes import Outcomes, reason_of
from gridtally.client import AsyncClient, NotAllowed, NotNow, Problem
from gridtally.client.generated import billing_models as billing
from gridtally.client.generated import ledger_models as ledger

BATCH_ROWS = 500
READINGS_MAX = 1_000
"""In one request; the ledger takes no more."""
BATCHES: dict[Name, tuple[str, str, type[BaseModel]]] = {
    "customers": ("billing", "/v1/customers/batch", billing.NewCustomers),
    "properties": ("ledger", "/v1/properties/batch", ledger.NewProperties),
    "meters": ("ledger", "/v1/meters/batch", ledger.NewMeters),
    "agreements": ("billing", "/v1/agreements/batch", billing.NewAgreements),
    "opening-balances": ("ledger", "/v1/opening-balances/batch", ledger.NewOpeningBalances),
}
"""What is made together, all or none: the service, the path and the body."""
IN_ORDER: frozenset[Name] = frozenset({"properties"})
"""A property may lie below one of a row before it."""


def parts_of(name: Name, items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    """What is sent together."""
    length = READINGS_MAX if name == "readings" else BATCH_ROWS
    return (items[start : start + length] for start in range(0, len(items), length))


class Importer:
    """Sends parts of a file of one kind."""

    def __init__(self, name: Name, client: AsyncClient, outcomes: Outcomes) -> None:
        self._name = name
        self._client = client
        self._outcomes = outcomes

    async def send(self, part: Sequence[Item]) -> None:
        """Make what a part asks for; NotAllowed, and where a service is away."""
        if self._name == "readings":
            await self._send_readings(part)
        else:
            await self._send_batch(part)

    # All of a batch or none is made. Where the refusal says which items it is about, they are left
    # out of the next attempt; where it does not, the batch is halved, down to single rows.
    async def _send_batch(self, items: Sequence[Item]) -> None:
        service, path, model = BATCHES[self._name]
        left = [list(items)]
        while left:
            batch = left.pop()
            body = model.model_validate({"items": [item.body for item in batch]})
            try:
                _, is_new = await self._client.untyped(service).create(path, body)
            except (NotAllowed, NotNow):
                raise
            except Problem as problem:
                named = {0} if len(batch) == 1 else _indexes(problem, len(batch))
                for index in named:
                    self._refuse(batch[index], problem, index)
                rest = [item for index, item in enumerate(batch) if index not in named]
                middle = len(rest) if named else len(rest) // 2
                left += [half for half in (rest[middle:], rest[:middle]) if half]
            else:
                self._outcomes.add("new" if is_new else "present", len(batch))

    async def _send_readings(self, items: Sequence[Item]) -> None:
        body = {"items": [item.body for item in items], "mode": "item_by_item"}
        try:
            results, _ = await self._client.untyped("ledger").create(
                "/v1/readings/batch", ledger.NewReadings.model_validate(body)
            )
        except (NotAllowed, NotNow):
            raise
        except Problem as problem:
            for index, item in enumerate(items):
                self._refuse(item, problem, index)
            return
        for item, result in zip(items, results["items"], strict=True):
            if result["status"] == "refused":
                code, detail = str(result["code"]), str(result["detail"])
                self._outcomes.refuse(item.row, item.reference, code, detail)
            else:
                self._outcomes.add("new" if result["status"] == "accepted" else "present")

    def _refuse(self, item: Item, problem: Problem, index: int | None = None) -> None:
        """By what the problem says of the item, else by all that it says."""
        own = [
            str(error.detail)
            for error in problem.errors
            if index is not None and _index(error.pointer) == index
        ]
        reason = "; ".join([problem.detail, *own]) if own else reason_of(problem)
        self._outcomes.refuse(item.row, item.reference, problem.code, reason)


def _indexes(problem: Problem, count: int) -> set[int]:
    """The items of a batch that a refusal names."""
    named = (_index(error.pointer) for error in problem.errors)
    return {index for index in named if index is not None and index < count}


def _index(pointer: str | None) -> int | None:
    parts = (pointer or "").removeprefix("#").split("/")
    if len(parts) > 2 and parts[1] == "items" and parts[2].isdigit():
        return int(parts[2])
    return None
