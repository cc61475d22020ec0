"""Applying customers' credit to what is open, in the transaction that has made either."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from gridtally.database import WriteConnection
from gridtally.kernel.ids import derive_id
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.credit import (
    CreditCause,
    apply_credit,
    is_applicable,
    source_of,
)
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.store import (
    adopted_payments,
    credit,
    customer_accounts,
    customers,
    prepayments,
    terms,
    transactions,
)
from gridtally.ledger.accounts.store.customer_accounts import AccountKey
from gridtally.messaging import enqueue

DUE_CUSTOMERS_MAX = 250
"""Whose credit is applied in one transaction of the loop."""


def causes_of(posted: Sequence[Transaction]) -> dict[AccountKey, CreditCause]:
    """These transactions as causes, by customer and currency; the last of several."""
    return {
        (transaction.tenant_id, transaction.owner_id, transaction.currency): CreditCause.of(
            transaction
        )
        for transaction in posted
    }


def applicable(
    accounts: Mapping[AccountKey, CustomerAccount], causes: Mapping[AccountKey, CreditCause]
) -> dict[AccountKey, CreditCause]:
    """The causes of those accounts, as they are now, in which credit can pay something."""
    return {key: cause for key, cause in causes.items() if is_applicable(accounts[key])}


# Three statements for a batch of any size, two of them only where somebody has credit. After a
# restore, a customer's credit is spent as it was said first, and only then by the rule.
async def apply_credits(tx: WriteConnection, causes: Mapping[AccountKey, CreditCause]) -> None:
    """Spend the credit of these customers, who are locked, where their tenants' terms say so, or
    where it was paid in advance for just that."""
    if not causes:
        return
    known = await terms.fetch_terms(tx, sorted({tenant_id for tenant_id, _, _ in causes}))
    by_hand = {key[:2] for key in causes if known[key[0]].credit_allocation != "oldest_first"}
    by_hand -= await prepayments.fetch_prepaid(tx, by_hand)
    keys = [key for key in causes if key[:2] not in by_hand]
    credited = await credit.fetch_credited(tx, keys)
    if not credited:
        return
    waiting = await adopted_payments.defer_credit(tx, {key[:2] for key in credited})
    credited = {key: at for key, at in credited.items() if key[:2] not in waiting}
    accounts = await customer_accounts.fetch_customer_accounts(tx, list(credited))
    applied = [
        transaction
        for key, credited_at in credited.items()
        for transaction in apply_credit(accounts[key], causes[key], credited_at)
    ]
    inserted = await transactions.insert_transactions(tx, applied)
    await enqueue(
        tx,
        [
            events.transaction_recorded(transaction, "allocation", source_of(transaction))
            for transaction in applied
            if (transaction.tenant_id, transaction.id) in inserted
        ],
    )


async def apply_due_credits(tx: WriteConnection, now: datetime) -> int:
    """Apply the credit of customers for whom that is due, because their tenant's terms have changed
    or the ledger did not do so before. Returns how many customers that were."""
    due = await credit.claim_credit_due(tx, DUE_CUSTOMERS_MAX)
    if not due:
        return 0
    await customers.lock_customers(tx, list(due))
    causes = {}
    for key in await credit.finish_credit_due(tx, list(due)):
        tenant_id, customer_id, _ = key
        id_ = derive_id("credit_due", tenant_id, customer_id, due[tenant_id, customer_id])
        causes[key] = CreditCause(id_, "", now, str(id_))
    await apply_credits(tx, causes)
    return len(due)
