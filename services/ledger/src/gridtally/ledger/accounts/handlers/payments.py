"""Posting payments that have arrived: none is refused, whatever it names.

What an item has not open becomes credit, and what nobody is known for stands in suspense.
`commands` posts what somebody asks for, and refuses what does not fit.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gridtally.contracts.accounts import PaymentReceived
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Poison, Rejected, Transient
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.payments import limited_to_open_items, post, require_payable
from gridtally.ledger.accounts.domain.transactions import (
    Transaction,
    is_repetition,
    transaction_id,
)
from gridtally.ledger.accounts.domain.unmatched_payments import is_unmatched
from gridtally.ledger.accounts.handlers.credit import applicable, apply_credits, causes_of
from gridtally.ledger.accounts.handlers.merges import given_to_survivor
from gridtally.ledger.accounts.store import (
    adopted_payments,
    customer_accounts,
    customers,
    transactions,
    unmatched_payments,
)
from gridtally.ledger.accounts.store.customers import Key
from gridtally.messaging import ReceivedMessage, enqueue


async def post_payments(
    tx: WriteConnection, batch: Sequence[ReceivedMessage[PaymentReceived]]
) -> None:
    """Post payments from outside, whatever they name; Poison where one contradicts another.

    The batch is decided in its order on accounts that are fetched once: each payment sees what the
    ones before it have allocated, and one that came before or twice is compared and passed over.
    """
    commands = [
        (message.envelope.tenant_id, events.payment(events.present(message), message.envelope))
        for message in batch
    ]
    await post_received(tx, commands)


async def post_received(tx: WriteConnection, commands: Sequence[tuple[str, Command]]) -> None:
    """Post payments of money that has arrived, each with its tenant; the same as `post_payments`,
    whoever says that it has."""
    waiting = await adopted_payments.fetch_waiting(
        tx, [(tenant_id, command.id) for tenant_id, command in commands]
    )
    commands = [  # those are posted as they were before a restore
        (tenant_id, command)
        for tenant_id, command in commands
        if (tenant_id, command.id) not in waiting
    ]
    merged = await customers.lock_customers(
        tx, [(tenant_id, command.customer_id) for tenant_id, command in commands]
    )
    commands = [
        (tenant_id, given_to_survivor(tenant_id, command, merged))
        for tenant_id, command in commands
    ]
    keys = [(tenant_id, transaction_id(tenant_id, command.id)) for tenant_id, command in commands]
    digests = await transactions.fetch_digests(tx, keys)
    named = [
        allocation.item_id for _, command in commands for allocation in command.allocations or ()
    ]
    account_keys = [
        (tenant_id, command.customer_id, command.currency) for tenant_id, command in commands
    ]
    accounts = await customer_accounts.fetch_customer_accounts(tx, account_keys, named)
    payments, by_rule = [], []
    for key, account_key, (_, command) in zip(keys, account_keys, commands, strict=True):
        account = accounts[account_key]
        payment = _payment(account, command)
        if key not in digests:
            _require_payable(account, payment)
            accounts[account_key] = account.after(payment)
            payments.append(payment)
            if command.leaves_rest_to_rule:
                by_rule.append(payment)
        if not is_repetition(digests.setdefault(key, payment.digest), payment.digest):
            raise Poison(f"payment {command.id} was posted with other content before")
    await insert_all(tx, payments)
    await record_payments(tx, payments)
    await apply_credits(tx, applicable(accounts, causes_of(by_rule)))


def _payment(account: CustomerAccount, command: Command) -> Transaction:
    """The transaction of money that has arrived; its digest is of what came, not of what fits."""
    try:
        payment = post(account, limited_to_open_items(account, command))
        return replace(payment, digest=command.digest)
    except ValueError as failure:
        raise Poison(str(failure)) from failure


def _require_payable(account: CustomerAccount, payment: Transaction) -> None:
    try:
        require_payable(account, payment)
    except Rejected as refused:
        raise Poison(f"payment {payment.document_id}: {refused.faults[0].detail}") from refused


async def insert_all(tx: WriteConnection, new: Sequence[Transaction]) -> dict[Key, datetime]:
    """Insert transactions that were not there while the customers' locks were held, and when each
    was recorded; Transient where one is there now: another customer, whom nobody locked, has the
    same id."""
    inserted = await transactions.insert_transactions(tx, new)
    if len(inserted) != len(new):
        raise Transient("the same id is being posted for another customer")
    return inserted


async def record_payments(tx: WriteConnection, new: Sequence[Transaction]) -> None:
    """Put payment.recorded into the outbox for those of the transactions that are payments, and
    record those for nobody who is known as unmatched."""
    await unmatched_payments.insert_unmatched(tx, [*filter(is_unmatched, new)])
    await enqueue(
        tx,
        [
            events.payment_recorded(transaction)
            for transaction in new
            if transaction.kind == "payment"
        ],
    )
