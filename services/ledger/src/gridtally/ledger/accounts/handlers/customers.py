"""Knowing billing's customers, so that money for nobody is noticed, and how to address them."""

from collections.abc import Mapping, Sequence

from gridtally.contracts.commerce import CustomerChanged
from gridtally.database import WriteConnection
from gridtally.http.idempotency import erase_answers
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.events import addressee
from gridtally.ledger.accounts.handlers.direct_debits import erase_debits
from gridtally.ledger.accounts.handlers.merges import merge_customer
from gridtally.ledger.accounts.handlers.unmatched_payments import match_payments
from gridtally.ledger.accounts.store import addressees, customers, terms
from gridtally.messaging import ReceivedMessage, newest_states
from gridtally.messaging.letter_store import erase_letters


async def apply_customers(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[CustomerChanged]]
) -> None:
    """Record that these customers exist, and give them the payments that have waited for them.

    The locks come first: a payment that is being posted for one of them meanwhile either sees the
    customer, or is seen here. A tombstone takes the name and the mandate, the account stays. Of a
    customer who was erased, answers and dead letters that may name them are erased here too; a
    loop erases what they said in the books.
    """
    published = [
        (message.envelope.tenant_id, message.event)
        for message in messages
        if message.event is not None
    ]
    causes = {
        message.envelope.tenant_id: Cause(
            message.envelope.tenant_id, message.topic, message.envelope.correlation_id
        )
        for message in messages
    }
    newest: dict[customers.Key, CustomerChanged] = {}
    for tenant_id, event in sorted(published, key=lambda known: known[1].version):
        newest[tenant_id, event.customer_id] = event
    for (tenant_id, customer_id), event in newest.items():
        if event.erased_at is not None:
            await erase_answers(tx, tenant_id, customer_id)
            await erase_letters(tx, tenant_id, customer_id, event.erased_at)
            await customers.insert_erased(tx, tenant_id, customer_id, event.erased_at)
    keys = {(tenant_id, event.customer_id, event.currency) for tenant_id, event in published}
    ended = [key for key, event in newest_states(messages).items() if event is None]
    merged = {key: event.merged_into for key, event in newest.items() if event.merged_into}
    survivors = {(tenant_id, into_id) for (tenant_id, _), into_id in merged.items()}
    keys |= {(key[0], into_id, newest[key].currency) for key, into_id in merged.items()}
    await customers.lock_unchanged(tx, newest.keys() | set(ended) | survivors)
    for (tenant_id, customer_id), event in newest.items():
        if event.erased_at is not None:
            await erase_debits(tx, causes[tenant_id], customer_id, event.erased_at)
    for tenant_id, customer_id in ended:
        at = max(own.envelope.occurred_at for own in messages)
        await erase_debits(tx, causes[tenant_id], customer_id, at)
    await terms.upsert_payment_days(
        tx, {key: (event.payment_days, event.version) for key, event in newest.items()}
    )
    await _keep_addressees(tx, newest, ended)
    await match_payments(tx, await customers.insert_known(tx, keys))
    merged_at = {message.envelope.tenant_id: message.envelope.occurred_at for message in messages}
    for key, into_id in sorted(merged.items()):
        await merge_customer(tx, key, into_id, merged_at[key[0]], causes[key[0]].correlation_id)


async def _keep_addressees(
    tx: WriteConnection,
    newest: Mapping[customers.Key, CustomerChanged],
    ended: Sequence[customers.Key],
) -> None:
    """Keep how to address these customers; who was deleted is forgotten."""
    named = {
        key: (buyer, event.version)
        for key, event in newest.items()
        if (buyer := addressee(event)) is not None
    }
    await addressees.upsert_addressees(tx, named)
    await addressees.delete_addressees(tx, ended)
