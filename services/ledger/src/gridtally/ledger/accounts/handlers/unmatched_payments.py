"""Matching payments with customers: by hand, or once the customer whom they name is known."""

from collections.abc import Callable, Collection
from dataclasses import replace
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.domain.unmatched_payments import (
    UnmatchedPayment,
    automatic_assignment,
)
from gridtally.ledger.accounts.handlers.commands import post_command
from gridtally.ledger.accounts.store import customers, transactions
from gridtally.ledger.accounts.store import unmatched_payments as store
from gridtally.ledger.accounts.store.customer_accounts import AccountKey
from gridtally.messaging import enqueue


async def resolve_payment(
    tx: WriteConnection,
    tenant_id: str,
    payment_id: UUID,
    resolve: Callable[[UnmatchedPayment], Command],
) -> UUID:
    """Give a payment that stands in suspense to a customer, or pay it back, as the command says
    that `resolve` makes of it. Returns the id of the transaction.

    NotFound where no payment stood in suspense under this id; Conflict where it was resolved by
    another command; Rejected where the command is refused.
    """
    payment = await _existing(tx, tenant_id, payment_id)
    command = resolve(payment)
    keys = {(tenant_id, payment.customer_id), (tenant_id, command.customer_id)}
    await customers.lock_customers(tx, keys)
    payment = await _existing(tx, tenant_id, payment_id)
    id_ = transaction_id(tenant_id, command.id)
    if payment.resolved_by is not None and payment.resolved_by != id_:
        raise Conflict("payment_resolved", "this payment was assigned or paid back")
    if payment.resolved_by is None and await transactions.fetch_digests(tx, [(tenant_id, id_)]):
        fault = Fault("/id", "must be a fresh one, since what it named was reversed")
        raise Rejected("id_taken", "this id was posted before", (fault,))
    await post_command(tx, tenant_id, command)
    if payment.resolved_by is None:
        await _resolved(tx, payment, id_)
        if (posted := await transactions.fetch_original(tx, tenant_id, id_)) is not None:
            recorded = events.transaction_recorded(
                posted, command.kind, payment_id=payment.document_id
            )
            await enqueue(tx, [recorded])
    return id_


async def match_payments(tx: WriteConnection, known: Collection[AccountKey]) -> None:
    """Give payments that stand in suspense to the customers whom they name, who are known now and
    whose locks are held."""
    if not known:
        return
    for payment in await store.fetch_unmatched_of(tx, known):  # few: it is an exception
        id_ = await post_command(tx, payment.tenant_id, automatic_assignment(payment))
        await _resolved(tx, payment, id_)


async def _resolved(tx: WriteConnection, payment: UnmatchedPayment, id_: UUID) -> None:
    """Record what a payment is resolved by, and publish it where that is a customer's account."""
    await store.update_resolved(tx, [(payment.tenant_id, payment.id, id_)])
    resolution = await transactions.fetch_original(tx, payment.tenant_id, id_)
    if resolution is not None and resolution.kind == "assignment":
        named = replace(resolution, document_id=payment.document_id)
        await enqueue(tx, [events.payment_recorded(named)])


async def _existing(tx: WriteConnection, tenant_id: str, payment_id: UUID) -> UnmatchedPayment:
    payment = await store.fetch_unmatched(tx, tenant_id, payment_id)
    if payment is None:
        raise NotFound("payment_unknown", "no payment that was unmatched has this id")
    return payment
