"""After a restore: what was posted for a customer beside documents and payments, as it was said."""

from dataclasses import replace

from gridtally.contracts.accounts import TransactionRecorded
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.payments import limited_to_open_items, post
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.transactions import sum_of, transaction_id
from gridtally.ledger.accounts.handlers.reversals import reverse_transaction
from gridtally.ledger.accounts.store import (
    adopted_payments,
    budget_plans,
    customer_accounts,
    customers,
    open_items,
    transactions,
    unmatched_payments,
)
from gridtally.ledger.accounts.store.adopted_payments import AdoptedPayment

WAITING_CODES = ("credit_exceeded", "customer_unknown", "nothing_to_allocate")
"""What an account refuses for as long as something else that was said is not posted yet."""


async def post_adopted_transaction(
    tx: WriteConnection, adopted: AdoptedPayment, recorded: TransactionRecorded
) -> bool:
    """Post it, if what it rests on is there; whether it is in the books then.

    Rejected where it can never be posted, as an allocation to an item that was cancelled since.
    """
    tenant_id, payment_id = adopted.tenant_id, recorded.payment_id
    named = (tenant_id, recorded.customer_id)
    merged = await customers.lock_customers(tx, [named])
    recorded = recorded.model_copy(update={"customer_id": merged.get(named, named[1])})
    needed = [adopted.transaction_id]
    needed += [recorded.reverses_id] if recorded.reverses_id else []
    needed += [transaction_id(tenant_id, payment_id)] if payment_id else []
    known = await transactions.fetch_digests(tx, [(tenant_id, id_) for id_ in needed])
    if (tenant_id, adopted.transaction_id) in known:
        return True
    if any((tenant_id, id_) not in known for id_ in needed[1:]):
        return False
    if recorded.reverses_id is not None:
        reason = Reason(recorded.memo, recorded.occurred_at, adopted.correlation_id)
        await reverse_transaction(tx, tenant_id, recorded.reverses_id, reason, is_said=True)
        return True
    items = [allocation.invoice_id for allocation in recorded.allocations]
    if not await adopted_payments.have_items(tx, tenant_id, recorded.customer_id, items):
        return False
    try:
        await _insert(tx, adopted, recorded)
    except Rejected as refused:
        if refused.code in WAITING_CODES:
            return False
        raise
    if payment_id is not None:
        resolved = (tenant_id, transaction_id(tenant_id, payment_id), adopted.transaction_id)
        await unmatched_payments.update_resolved(tx, [resolved])
    return True


async def _insert(
    tx: WriteConnection, adopted: AdoptedPayment, recorded: TransactionRecorded
) -> None:
    """Decide it on the account as it is now, with the allocations that were published."""
    named = [
        RequestedAllocation(allocation.invoice_id, allocation.amount)
        for allocation in recorded.allocations
    ]
    assert recorded.kind != "reversal" and recorded.kind != "merge"  # noqa: S101, PT018 - types
    command = Command(
        kind=recorded.kind,
        id=recorded.document_id,
        customer_id=recorded.customer_id,
        currency=recorded.currency,
        amount=recorded.amount,
        reference=recorded.reference,
        memo=recorded.memo,
        occurred_at=recorded.occurred_at,
        correlation_id=adopted.correlation_id,
        allocations=tuple(named),
        source=recorded.source,
        due_on=recorded.due_on,
        plan_id=recorded.plan_id,
    )
    key = (adopted.tenant_id, recorded.customer_id, recorded.currency)
    items = [allocation.item_id for allocation in named]
    account = (await customer_accounts.fetch_customer_accounts(tx, [key], items))[key]
    if command.kind == "deferral":
        command = await _deferral(tx, account, command)
        if not command.amount:
            return
    digest = bytes.fromhex(recorded.digest)
    await transactions.insert_transactions(tx, [replace(post(account, command), digest=digest)])


async def _deferral(tx: WriteConnection, account: CustomerAccount, command: Command) -> Command:
    """A deferral of an invoice of which credit notes may be posted already: what these had given
    back to the plan it never takes, and nothing is left of it where that is all."""
    assert command.amount is not None and command.plan_id is not None  # noqa: S101, PT018 - types
    fitting = limited_to_open_items(account, command)
    taken = sum_of(allocation.amount for allocation in fitting.allocations or ())
    short = EXACT.subtract(command.amount, taken)
    plans = await budget_plans.fetch_plans(tx, account.tenant_id, [command.plan_id])
    if not short or not plans:
        return fitting
    keys = [(account.tenant_id, allocation.item_id) for allocation in command.allocations or ()]
    live = await open_items.fetch_allocations_of_items(tx, keys)
    amounts = {
        own.source_id: own.amount
        for of_item in live.values()
        for own in of_item
        if own.source_kind == "credit_note"
    }
    notes = await transactions.fetch_transactions(tx, account.tenant_id, list(amounts))
    credited = [(notes[id_].occurred_at, amount) for id_, amount in amounts.items()]
    back = plans[0].plan.given_back(short, credited)
    return replace(fitting, amount=EXACT.subtract(command.amount, back))
