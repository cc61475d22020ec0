"""After a restore: payments and all else that had been published is posted as it was said.

Invoices and credit notes come again from billing's topics; payments, refunds and the like that came
over HTTP do not. So whatever was published waits, in `adopted_payment`, until the invoices that it
paid are posted, and then pays just these. Nothing is published once more. While something of a
customer waits, the rule for credit waits too.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from gridtally.contracts.accounts import AccountChanged, PaymentRecorded, TransactionRecorded
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Rejected
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.payments import limited_to_open_items, post
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.transactions import Transaction, transaction_id
from gridtally.ledger.accounts.domain.unmatched_payments import is_unmatched
from gridtally.ledger.accounts.handlers.credit import apply_credits, causes_of
from gridtally.ledger.accounts.handlers.reversals import reverse_transaction
from gridtally.ledger.accounts.handlers.transactions import post_adopted_transaction
from gridtally.ledger.accounts.store import (
    adopted_payments,
    customer_accounts,
    customers,
    transactions,
    unmatched_payments,
)
from gridtally.ledger.accounts.store.adopted_payments import AdoptedPayment
from gridtally.messaging import ReceivedMessage, newest_events

PAYMENTS_MAX = 250
"""Looked at in one transaction."""

log = structlog.get_logger(__name__)


async def adopt_balances(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[AccountChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """Balances are computed again; their versions go on after those that were published."""
    newest = newest_events(messages, lambda event: event.version)
    await adopted_payments.raise_versions(tx, {key: event.version for key, event in newest.items()})
    return []


async def adopt_payments(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PaymentRecorded]]
) -> Sequence[ReceivedMessage[Any]]:
    """Payments, and reversals of payments, wait for what they pay. One that stood in suspense is
    given to its customer again by the rule, or by what was published of that by hand."""
    await adopted_payments.insert_adopted(
        tx,
        [
            _adopted(message, message.event, message.event.payment_id)
            for message in messages
            if message.event is not None
            and not _is_assignment(message.envelope.tenant_id, message.event)
        ],
    )
    return []


def _is_assignment(tenant_id: str, recorded: PaymentRecorded) -> bool:
    posted = transaction_id(tenant_id, recorded.payment_id)
    return recorded.status == "recorded" and recorded.transaction_id != posted


async def adopt_transactions(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[TransactionRecorded]]
) -> Sequence[ReceivedMessage[Any]]:
    """Refunds, charges and the like, and their reversals, wait for what they rest on. What a merge
    moved does not come back: it follows once more from what stands on the duplicate's accounts."""
    await adopted_payments.insert_adopted(
        tx,
        [
            _adopted(message, message.event, message.event.document_id)
            for message in messages
            if message.event is not None and message.event.kind != "merge"
        ],
    )
    return []


def _adopted(
    message: ReceivedMessage[Any], event: PaymentRecorded | TransactionRecorded, asked_under: UUID
) -> AdoptedPayment:
    return AdoptedPayment(
        message.envelope.tenant_id,
        event.transaction_id,
        asked_under,
        event.customer_id,
        message.value or b"",
        message.envelope.correlation_id,
        message.envelope.occurred_at,
        event.TOPIC,
    )


async def post_adopted_payments(tx: WriteConnection, _now: datetime) -> int:
    """Post what was adopted and finds all that it rests on; how much that was."""
    posted, waiting = 0, []
    for adopted in await adopted_payments.claim_adopted(tx, PAYMENTS_MAX):
        try:
            match adopted.recorded:
                case PaymentRecorded() as payment:
                    is_done = await _post(tx, adopted, payment)
                case TransactionRecorded() as recorded:
                    is_done = await post_adopted_transaction(tx, adopted, recorded)
        except (Rejected, ValueError) as refused:
            log.error(  # noqa: TRY400 - the reason says it all
                "adopted payment refused",
                tenant_id=adopted.tenant_id,
                transaction_id=str(adopted.transaction_id),
                reason=str(refused),
            )
            is_done = True
        if is_done:
            await adopted_payments.delete_adopted(tx, adopted)
            posted += 1
        else:
            waiting.append(adopted)
    await adopted_payments.count_tries(tx, waiting)
    return posted


async def _post(tx: WriteConnection, adopted: AdoptedPayment, recorded: PaymentRecorded) -> bool:
    """Post it, if what it needs is there; whether it is in the books then."""
    tenant_id, payment = adopted.tenant_id, transaction_id(adopted.tenant_id, recorded.payment_id)
    named = (tenant_id, recorded.customer_id)
    merged = await customers.lock_customers(tx, [named])
    recorded = recorded.model_copy(update={"customer_id": merged.get(named, named[1])})
    keys = [(tenant_id, adopted.transaction_id), (tenant_id, payment)]
    known = await transactions.fetch_digests(tx, keys)
    if (tenant_id, adopted.transaction_id) in known:
        return True
    if recorded.status == "reversed":
        if (tenant_id, payment) not in known:
            return False
        reason = Reason(recorded.reason or "", adopted.occurred_at, adopted.correlation_id)
        await reverse_transaction(tx, tenant_id, payment, reason, is_said=True)
        return True
    if _is_assignment(tenant_id, recorded):  # from a copy of before they were passed over
        return True
    if not await _has_all(tx, tenant_id, recorded):
        return False
    await _pay(tx, adopted, recorded)
    return True


async def _has_all(tx: WriteConnection, tenant_id: str, recorded: PaymentRecorded) -> bool:
    """Whether the items that it paid are posted and its customer's, and who has credit by it is
    known."""
    items = [allocation.invoice_id for allocation in recorded.allocations]
    if not items and not recorded.prepaid:
        return True
    return await adopted_payments.have_items(
        tx, tenant_id, recorded.customer_id, items
    ) and await adopted_payments.is_known_customer(
        tx, tenant_id, recorded.customer_id, recorded.currency
    )


async def _pay(tx: WriteConnection, adopted: AdoptedPayment, recorded: PaymentRecorded) -> None:
    command = Command(
        kind="payment",
        id=recorded.payment_id,
        customer_id=recorded.customer_id,
        currency=recorded.currency,
        amount=recorded.amount,
        reference=recorded.reference,
        memo=recorded.method,
        occurred_at=recorded.received_at,
        correlation_id=adopted.correlation_id,
        allocations=tuple(
            RequestedAllocation(allocation.invoice_id, allocation.amount)
            for allocation in recorded.allocations
        ),
    )
    digest = bytes.fromhex(recorded.digest) if recorded.digest else _digest_of(command)
    key = (adopted.tenant_id, recorded.customer_id, recorded.currency)
    named = [allocation.invoice_id for allocation in recorded.allocations]
    account = (await customer_accounts.fetch_customer_accounts(tx, [key], named))[key]
    payment = replace(post(account, limited_to_open_items(account, command)), digest=digest)
    await _insert(tx, payment)
    if recorded.prepaid:
        await apply_credits(tx, causes_of([payment]))


def _digest_of(command: Command) -> bytes:
    """Of a payment from before digests were published: most named no invoices."""
    return replace(command, allocations=None).digest


async def _insert(tx: WriteConnection, payment: Transaction) -> None:
    await transactions.insert_transactions(tx, [payment])
    await unmatched_payments.insert_unmatched(tx, [*filter(is_unmatched, [payment])])
