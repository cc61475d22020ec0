"""Booking opening balances: all of a list or none, each once."""

from collections.abc import Sequence
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, Rejected, Transient
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.opening_balances import OpeningBalance
from gridtally.ledger.accounts.domain.payments import post, require_payable
from gridtally.ledger.accounts.domain.transactions import (
    Transaction,
    is_repetition,
    transaction_id,
)
from gridtally.ledger.accounts.handlers.credit import applicable, apply_credits, causes_of
from gridtally.ledger.accounts.handlers.payments import insert_all
from gridtally.ledger.accounts.store import (
    adopted_payments,
    customer_accounts,
    customers,
    transactions,
)
from gridtally.messaging import enqueue


# Decided in the order of the list on accounts that are fetched once, and inserted together: so the
# rows of accounts are locked in their order, whatever currencies the list has.
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
    if await adopted_payments.fetch_waiting(tx, [(tenant_id, id_) for id_ in ids]):
        raise Transient("opening balances were booked before a restore, and will be again")
    commands = [
        own.command(id_, cause.correlation_id) for own, id_ in zip(balances, ids, strict=True)
    ]
    keys = [(tenant_id, transaction_id(tenant_id, id_)) for id_ in ids]
    digests = await transactions.fetch_digests(tx, keys)
    account_keys = [(tenant_id, own.customer_id, own.currency) for own in balances]
    accounts = await customer_accounts.fetch_customer_accounts(tx, account_keys)
    new: dict[UUID, Transaction] = {}
    answers = []
    for index, (key, account_key, command) in enumerate(
        zip(keys, account_keys, commands, strict=True)
    ):
        is_new = key not in digests
        if is_new:
            opening = _opening(accounts[account_key], command, index)
            accounts[account_key] = accounts[account_key].after(opening)
            digests[key], new[opening.id] = opening.digest, opening
        elif not is_repetition(digests[key], command.digest):
            fault = Fault(f"/items/{index}", "must be as it was booked, or have another reference")
            detail = f"{command.reference} is booked with other content; reverse that first"
            raise Conflict("opening_balance_exists", detail, (fault,))
        answers.append((key[1], is_new))
    await insert_all(tx, [*new.values()])
    await enqueue(
        tx,
        [
            events.transaction_recorded(new[id_], command.kind)
            for (id_, is_new), command in zip(answers, commands, strict=True)
            if is_new
        ],
    )
    await apply_credits(tx, applicable(accounts, causes_of([*new.values()])))
    return answers


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


def _opening(account: CustomerAccount, command: Command, index: int) -> Transaction:
    """The transaction of an item; Rejected, by its place, where the account does not allow it."""
    try:
        opening = post(account, command)
        require_payable(account, opening)
    except Rejected as refused:
        raise at_item(refused, index) from None
    return opening


def at_item(refused: Rejected, index: int) -> Rejected:
    """A refusal of one item, as one of the list that it is in."""
    faults = tuple(Fault(f"/items/{index}{own.path}", own.detail) for own in refused.faults)
    return Rejected(
        refused.code, refused.detail, faults or (Fault(f"/items/{index}", refused.detail),)
    )
