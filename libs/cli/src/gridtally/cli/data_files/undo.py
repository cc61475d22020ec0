"""Taking back what a file has made, where nothing has been made of it since.

What a file names by reference was made by an import, since nothing else has such an id. It is
removed as it was made: what has changed since is refused, and so are a customer with agreements and
an agreement that was billed. An opening balance is reversed.
"""

from collections.abc import Sequence

from gridtally.cli.data_files.kinds import Item, Name
from gridtally.cli.data_files.outcomes import Outcomes, reason_of
from gridtally.client import AsyncClient, NotAllowed, NotFound, NotNow, Problem
from gridtally.client.generated import ledger_models as ledger

FIRST_VERSION = 1
UNDONE = "the import of its file was undone"


class Undoer:
    """Removes what the items of a file have made."""

    def __init__(self, name: Name, client: AsyncClient, outcomes: Outcomes) -> None:
        self._name = name
        self._client = client
        self._outcomes = outcomes

    async def remove(self, part: Sequence[Item]) -> None:
        """Remove one after the other; NotAllowed, and where a service is away."""
        for item in part:
            try:
                await self._remove(item)
            except (NotAllowed, NotNow):
                raise
            except NotFound:
                self._outcomes.add("absent")
            except Problem as problem:
                self._outcomes.refuse(item.row, item.reference, problem.code, reason_of(problem))

    async def _remove(self, item: Item) -> None:
        if isinstance(item.body, ledger.NewReadingOfMeter):
            await self._withdraw(item, item.body)
            return
        if isinstance(item.body, ledger.NewOpeningBalance):
            await self._reverse(item.body)
            return
        match self._name:
            case "customers":
                await self._client.billing.delete_customer(item.id, if_match=FIRST_VERSION)
            case "properties":
                await self._client.ledger.delete_property(item.id, if_match=FIRST_VERSION)
            case "agreements":
                await self._client.billing.delete_agreement(item.id, if_match=FIRST_VERSION)
            case _:
                await self._client.ledger.delete_meter(item.id, if_match=FIRST_VERSION)
        self._outcomes.add("undone")

    async def _reverse(self, body: ledger.NewOpeningBalance) -> None:
        """Reverse what is booked under a reference and stands: at most one, the last of several."""
        listed = self._client.ledger.list_transactions(
            kind="opening_balance", customer_id=body.customer_id, currency=body.currency,
            reference=body.reference,
        )  # fmt: skip
        booked = [transaction async for transaction in listed]
        if not booked:
            self._outcomes.add("absent")
            return
        try:
            reason = ledger.NewReversal(reason=UNDONE)
            await self._client.ledger.post_reversal(booked[-1].id, reason)
        except Problem as problem:
            if problem.code != "already_reversed":
                raise
            self._outcomes.add("absent")
        else:
            self._outcomes.add("undone")

    async def _withdraw(self, item: Item, body: ledger.NewReadingOfMeter) -> None:
        """Withdraw the reading of that moment, if it is as it was entered."""
        readings = self._client.ledger.list_readings_of_meter(
            item.id, flow=body.flow, from_=body.read_at
        )
        async for reading in readings:
            if reading.read_at != body.read_at:
                break
            is_first = (reading.value, reading.version) == (body.value, FIRST_VERSION)
            if is_first and reading.id is not None:
                await self._client.ledger.withdraw_reading(reading.id, if_match=FIRST_VERSION)
                self._outcomes.add("undone")
                return
        self._outcomes.add("absent")
