"""Posting what somebody asks for: payments and every other command beyond billing's documents.

Commands are decided in their order, on accounts of locked customers that are fetched once, so that
each sees what those before it have posted; then all are inserted together. A single command is a
list of one. Refuses an id that came with other content before; a repetition is answered with what
is there.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Fault, Rejected, Transient
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.commands import Command, CommandKind
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.payments import post, require_payable
from gridtally.ledger.accounts.domain.transactions import (
    Transaction,
    is_repetition,
    transaction_id,
)
from gridtally.ledger.accounts.handlers.credit import applicable, apply_credits, causes_of
from gridtally.ledger.accounts.handlers.merges import given_to_survivor
from gridtally.ledger.accounts.handlers.payments import insert_all, record_payments
from gridtally.ledger.accounts.store import (
    adopted_payments,
    customer_accounts,
    customers,
    transactions,
)
from gridtally.ledger.accounts.store.customer_accounts import AccountKey
from gridtally.ledger.accounts.store.customers import Key
from gridtally.ledger.accounts.store.transactions import PostedTransaction
from gridtally.messaging import enqueue

TURN_COMMANDS = 500
PUBLISHED_HERE: tuple[CommandKind, ...] = (
    "refund",
    "write_off",
    "charge",
    "credit",
    "allocation",
    "deposit",
    "opening_charge",
    "opening_credit",
    "dunning_fee",
    "instalment",
    "budget_charge",
    "budget_credit",
)
"""Payments have an event of their own, and what is done about a payment in suspense is published
with the payment's id."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a command.

    id       of its transaction
    posts    the transaction, where it is to be inserted
    refused  why it posts nothing; where neither is there, the transaction stands in the books
    """

    command: Command
    id: UUID
    posts: Transaction | None = None
    refused: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Commands of one tenant, decided, and the accounts as they will be; the customers are locked
    until the transaction ends."""

    listed: Sequence[Decision]
    accounts: dict[AccountKey, CustomerAccount]

    def refusals(self) -> Iterable[tuple[int, Rejected]]:
        """Those that are refused, each by its index."""
        return (
            (index, decision.refused)
            for index, decision in enumerate(self.listed)
            if decision.refused is not None
        )


async def post_command(tx: WriteConnection, tenant_id: str, command: Command) -> UUID:
    """Carry out a command. Returns the id of its transaction, which may have been there before.

    Rejected where the customer's account does not allow it, or where the command's id was posted
    with other content.
    """
    decisions = await decide_commands(tx, tenant_id, [command])
    for _, refused in decisions.refusals():
        raise refused
    await post_decided(tx, decisions)
    return decisions.listed[0].id


async def post_commands(
    tx: WriteConnection, tenant_id: str, commands: Sequence[Command]
) -> list[PostedTransaction | Rejected]:
    """Carry out commands of different customers, item by item: the transaction of each as it stands
    in the books, posted now or before, or why it was refused.

    What was just posted is not read back: it is answered from what was written.
    """
    decisions = await decide_commands(tx, tenant_id, commands)
    recorded_at = await post_decided(tx, decisions)
    standing = [d.id for d in decisions.listed if d.posts is None and d.refused is None]
    before = await transactions.fetch_transactions(tx, tenant_id, standing) if standing else {}
    outcomes: list[PostedTransaction | Rejected] = []
    for decision in decisions.listed:
        if decision.refused is not None:
            outcomes.append(decision.refused)
        elif decision.posts is not None:
            account = decisions.accounts[
                tenant_id, decision.command.customer_id, decision.command.currency
            ]
            items = {item.id: item for item in account.items.values()}
            at = recorded_at[tenant_id, decision.id]
            outcomes.append(transactions.posted_transaction(decision.posts, at, items))
        else:
            outcomes.append(before[decision.id])
    return outcomes


async def decide_commands(
    tx: WriteConnection, tenant_id: str, commands: Sequence[Command]
) -> Decisions:
    """What becomes of each command, in their order; nothing is posted yet. One that names a
    duplicate is the survivor's.

    Transient where one was posted before a restore, and will be again.
    """
    merged = await customers.lock_customers(
        tx, [(tenant_id, command.customer_id) for command in commands]
    )
    commands = [given_to_survivor(tenant_id, command, merged) for command in commands]
    keys = [(tenant_id, transaction_id(tenant_id, command.id)) for command in commands]
    digests = await transactions.fetch_digests(tx, keys)
    fresh = [
        (tenant_id, command.id)
        for key, command in zip(keys, commands, strict=True)
        if key not in digests
    ]
    if waiting := await adopted_payments.fetch_waiting(tx, fresh):
        ids = ", ".join(sorted(str(id_) for _, id_ in waiting))
        raise Transient(f"posted before a restore, and will be again: {ids}")
    account_keys = [(tenant_id, command.customer_id, command.currency) for command in commands]
    named = [allocation.item_id for command in commands for allocation in command.allocations or ()]
    accounts = await customer_accounts.fetch_customer_accounts(tx, account_keys, named)
    listed: list[Decision] = []
    for key, account_key, command in zip(keys, account_keys, commands, strict=True):
        decision = _decided(accounts[account_key], command, key[1], digests.get(key))
        if decision.posts is not None:
            digests[key] = decision.posts.digest
            accounts[account_key] = accounts[account_key].after(decision.posts)
        listed.append(decision)
        if len(listed) % TURN_COMMANDS == 0:
            await asyncio.sleep(0)  # a list may have ten thousand, and others wait meanwhile
    return Decisions(listed, accounts)


def _decided(
    account: CustomerAccount, command: Command, id_: UUID, digest: bytes | None
) -> Decision:
    """What becomes of a command whose transaction is `id_`; `digest` of what stands under it, or
    None."""
    try:
        if digest is not None:
            _require_repetition(digest, command)
            return Decision(command, id_)
        transaction = post(account, command)
        require_payable(account, transaction)
    except Rejected as refused:
        return Decision(command, id_, refused=refused)
    return Decision(command, id_, posts=transaction)


def _require_repetition(digest: bytes, command: Command) -> None:
    if not is_repetition(digest, command.digest):
        fault = Fault("/id", "must be a fresh one for something else")
        raise Rejected("id_taken", "this id was posted with other content", (fault,))


async def post_decided(tx: WriteConnection, decisions: Decisions) -> dict[Key, datetime]:
    """Insert what decisions post, publish it, and spend the credit that it leaves as the tenant's
    terms say. Returns when each of these transactions was recorded."""
    decided = [
        (decision.command, decision.posts)
        for decision in decisions.listed
        if decision.posts is not None
    ]
    new = [transaction for _, transaction in decided]
    recorded_at = await insert_all(tx, new)
    await record_payments(tx, new)
    await enqueue(
        tx,
        [
            events.transaction_recorded(transaction, command.kind, command.source)
            for command, transaction in decided
            if command.kind in PUBLISHED_HERE
        ],
    )
    by_rule = [transaction for command, transaction in decided if command.leaves_rest_to_rule]
    await apply_credits(tx, applicable(decisions.accounts, causes_of(by_rule)))
    return recorded_at
