"""Reversing what was posted by a command or a payment from outside: at most once each."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.credit import take_back_credit
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.merges import as_survivors
from gridtally.ledger.accounts.domain.reversals import (
    Reason,
    credit_short,
    deallocate,
    reversal_id,
    reverse,
)
from gridtally.ledger.accounts.domain.transactions import Transaction, TransactionKind
from gridtally.ledger.accounts.domain.unmatched_payments import UnmatchedPayment
from gridtally.ledger.accounts.handlers import payees
from gridtally.ledger.accounts.handlers.credit import apply_credits, causes_of
from gridtally.ledger.accounts.handlers.payments import insert_all
from gridtally.ledger.accounts.store import (
    credit,
    customer_accounts,
    customers,
    merges,
    open_items,
    terms,
    transactions,
    unmatched_payments,
)
from gridtally.messaging import enqueue

CHARGED_KINDS: tuple[TransactionKind, ...] = ("adjustment", "opening_balance", "dunning_fee")
"""What opens an item that its reversal cancels."""


async def reverse_transaction(
    tx: WriteConnection,
    tenant_id: str,
    original_id: UUID,
    reason: Reason,
    *,
    is_said: bool = False,
) -> UUID:
    """Reverse a transaction. Returns the id of the reversal; where that `is_said`, it is not
    published again.

    NotFound where there is no such transaction; Conflict where it was reversed, or cannot be.
    A charge that was paid is deallocated first, so that its money is not lost with it. Credit that
    was spent is taken back first from where it has gone, by the order of the tenant's terms.
    """
    original = await transactions.fetch_original(tx, tenant_id, original_id)
    if original is None:
        raise NotFound("transaction_unknown", "no transaction has this id")
    if original.customer_id is None:
        return await payees.reverse(tx, original, reason)
    owner = (tenant_id, original.owner_id)
    merged = await customers.lock_customers(tx, [owner])
    if owner in merged:
        original = as_survivors(original, merged[owner])
    unmatched = await unmatched_payments.fetch_unmatched(tx, tenant_id, original_id)
    if unmatched is not None and unmatched.resolved_by is not None:
        await _take_from_customer(tx, unmatched, reason, is_said=is_said)
    if await transactions.is_reversed(tx, tenant_id, original_id):
        raise Conflict("already_reversed", "this transaction has been reversed")
    key = (tenant_id, original.owner_id, original.currency)
    account = (await customer_accounts.fetch_customer_accounts(tx, [key]))[key]
    new = []
    if deallocation := await _deallocation(tx, account, original, reason):
        account = account.after(deallocation)
        new.append(deallocation)
    live = await open_items.fetch_allocations_by(tx, tenant_id, original_id)
    if shortage := credit_short(account, original, live):
        taken_back = await _taken_back(tx, account, original, shortage, reason)
        account = account.after(taken_back)
        new.append(taken_back)
    reversal = reverse(account, original, live, reason)
    await insert_all(tx, [*new, reversal])
    if unmatched is not None:
        await unmatched_payments.update_resolved(tx, [(tenant_id, original_id, reversal.id)])
    await unmatched_payments.update_reopened(tx, tenant_id, original_id)
    if not is_said:
        is_payment = original.kind == "payment"
        reversed_ = events.payment_reversed(original, reversal, live) if is_payment else None
        await enqueue(tx, [reversed_ or events.transaction_reversed(reversal)])
    if original.kind != "allocation":  # what a person undoes is not done again at once
        await apply_credits(tx, causes_of([reversal]))
    return reversal.id


async def _take_from_customer(
    tx: WriteConnection, payment: UnmatchedPayment, reason: Reason, *, is_said: bool
) -> None:
    """Reverse the assignment of a payment that is being reversed; Conflict where it was paid back,
    or reversed before."""
    resolved_by = payment.resolved_by or payment.id
    resolution = await transactions.fetch_original(tx, payment.tenant_id, resolved_by)
    if resolution is not None and resolution.kind == "refund":
        raise Conflict("payment_resolved", "the payment was paid back; reverse that first")
    if resolution is not None and resolution.kind == "assignment":
        await reverse_transaction(tx, payment.tenant_id, resolution.id, reason, is_said=is_said)


async def _taken_back(
    tx: WriteConnection,
    account: CustomerAccount,
    original: Transaction,
    shortage: Decimal,
    reason: Reason,
) -> Transaction:
    """What brings back credit that was spent, dated when all of it had been, or later."""
    key = (account.tenant_id, account.customer_id, account.currency)
    known = await terms.fetch_terms(tx, [account.tenant_id])
    owners = [account.customer_id, *await merges.fetch_duplicates(tx, *key[:2])]
    order = known[account.tenant_id].credit_deallocation
    spent = await credit.fetch_spent(tx, key, owners, order)
    moved_at = await credit.fetch_last_moved(tx, key) or original.occurred_at
    occurred_at = max(reason.occurred_at, original.occurred_at, moved_at)
    return take_back_credit(
        account, original, shortage, spent, replace(reason, occurred_at=occurred_at)
    )


async def _deallocation(
    tx: WriteConnection, account: CustomerAccount, original: Transaction, reason: Reason
) -> Transaction | None:
    """What takes back the payments of the charge that is being reversed, if it is one."""
    if original.opens is None or original.kind not in CHARGED_KINDS:
        return None
    key = (original.tenant_id, original.opens.id)
    live = (await open_items.fetch_allocations_of_items(tx, [key])).get(key, [])
    return deallocate(account, original.opens, live, reversal_id(original.id), reason)
