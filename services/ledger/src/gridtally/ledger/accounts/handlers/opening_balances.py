"""Booking opening balances: all of a list or none, each once."""

from collections.abc import Sequence
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.opening_balances import OpeningBalance
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.commands import decide_commands, post_decided
from gridtally.ledger.accounts.store import customers, transactions
from gridtally.ledger.refused_items import at_item


# Inserted together: so the rows of accounts are locked in their order, whatever currencies the list
# has.
async def post_opening_balances(
    tx: WriteConnection, cause: Cause, balances: Sequence[OpeningBalance]
) -> list[tuple[UUID, bool]]:
    """Book opening balances, all or none; the transaction of each, and whether it is new, in the
    order requested.

    One that stands under its reference is answered as it is. Conflict where it stands with other
    content, Rejected where nobody would owe or own it; both name the item.
    """
    tenant_id = cause.tenant_id
    await customers.lock_customers(tx, [(tenant_id, own.customer_id) for own in balances])
    ids = await _ids(tx, tenant_id, balances)
    commands = [
        own.command(id_, cause.correlation_id) for own, id_ in zip(balances, ids, strict=True)
    ]
    decisions = await decide_commands(tx, tenant_id, commands)
    for index, refused in decisions.refusals():
        raise _refusal(commands[index], refused, index)
    await post_decided(tx, decisions)
    return [(decision.id, decision.posts is not None) for decision in decisions.listed]


async def _ids(
    tx: WriteConnection, tenant_id: str, balances: Sequence[OpeningBalance]
) -> list[UUID]:
    """What each is booked under: the first id whose transaction was not reversed. Each round of the
    loop passes over one more reversal that is in the books, so it ends."""
    times = [0] * len(balances)
    while True:
        ids = [own.id(tenant_id, count) for own, count in zip(balances, times, strict=True)]
        posted = [transaction_id(tenant_id, id_) for id_ in ids]
        reversed_ = await transactions.fetch_reversed(tx, tenant_id, posted)
        if not reversed_:
            return ids
        times = [count + (id_ in reversed_) for count, id_ in zip(times, posted, strict=True)]


def _refusal(command: Command, refused: Rejected, index: int) -> Conflict | Rejected:
    """Why an item is not booked, by its place in the list."""
    if refused.code != "id_taken":
        return at_item(refused, index)
    fault = Fault(f"/items/{index}", "must be as it was booked, or have another reference")
    detail = f"{command.reference} is booked with other content; reverse that first"
    return Conflict("opening_balance_exists", detail, (fault,))
