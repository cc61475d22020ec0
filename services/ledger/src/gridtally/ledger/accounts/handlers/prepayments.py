"""Knowing who is on prepayment, which billing says: a budget plan does not go with it, and what
such a customer has paid in advance pays its invoices, whatever the terms of payment are."""

from collections.abc import Sequence

from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Conflict
from gridtally.ledger.accounts.store.credit import mark_customers_due
from gridtally.ledger.accounts.store.customers import Key, lock_unchanged
from gridtally.ledger.accounts.store.prepayments import fetch_prepaid, upsert_prepaid
from gridtally.messaging import ReceivedMessage, newest_events


async def apply_prepayments(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[PrepaymentChanged]]
) -> None:
    """Store who is on prepayment by now. Who was not before has its credit pay what is open, in
    the loop."""
    newest = newest_events(messages, lambda event: event.version)
    before = await fetch_prepaid(tx, newest)
    await upsert_prepaid(tx, newest)
    begun = sorted(await fetch_prepaid(tx, newest) - before)
    if begun:
        await lock_unchanged(tx, begun)
        await mark_customers_due(tx, begun)


async def require_postpaid(tx: WriteConnection, customer: Key) -> None:
    """Conflict where the customer is on prepayment."""
    if await fetch_prepaid(tx, [customer]):
        raise Conflict(
            "customer_prepaid",
            "the customer is on prepayment; end that in billing before a budget plan begins",
        )
