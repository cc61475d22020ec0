"""The double of the accounts' stores behaves as the stores do: the same steps on both."""

from functools import partial
from types import SimpleNamespace

import pytest

from doubles.ledger import credit_scenarios, scenarios, unmatched_scenarios
from doubles.ledger.scenarios import TENANT, outcome
from doubles.ledger.store import AccountsInMemory, key_of
from gridtally.contracts.accounts import PaymentRecorded
from gridtally.database import snapshot, transaction
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.store import (
    credit,
    customer_accounts,
    open_items,
    terms,
    transactions,
    unmatched_payments,
)
from integration.ledger.accounts import reconciled, reported

SCENARIOS = scenarios.SCENARIOS | credit_scenarios.SCENARIOS | unmatched_scenarios.SCENARIOS

REAL = SimpleNamespace(
    **vars(transactions)
    | vars(open_items)
    | vars(customer_accounts)
    | vars(terms)
    | vars(credit)
    | vars(unmatched_payments)
)


async def resolution(store, read, key):
    """What a payment is resolved by, if it stood in suspense."""
    payment = await store.fetch_unmatched(read, *key)
    return payment and (payment.customer_id, payment.amount, payment.resolved_by)


async def answers(store, read, stored):
    """All that handlers can ask of a store about these transactions and their customers."""
    keys = sorted(map(key_of, stored))
    accounts = sorted({(new.tenant_id, new.customer_id, new.currency) for new in stored})
    items = sorted({(new.tenant_id, new.opens.id) for new in stored if new.opens})
    return {
        "digests": await store.fetch_digests(read, keys),
        "originals": [await store.fetch_original(read, *key) for key in keys],
        "reversed": [await store.is_reversed(read, *key) for key in keys],
        "allocated by": [await store.fetch_allocations_by(read, *key) for key in keys],
        "allocated to": dict(await store.fetch_allocations_of_items(read, items)),
        "items": await store.fetch_items(read, items),
        "unmatched": {key: await resolution(store, read, key) for key in keys},
        "credited": await store.fetch_credited(read, accounts),
        "moved": [await store.fetch_last_moved(read, key) for key in accounts],
        "spent": [
            await store.fetch_spent(read, key, [key[1]], order)
            for key in accounts
            for order in ("newest_first", "oldest_first")
        ],
        "what is open": await store.fetch_customer_accounts(read, accounts),
        "named": await store.fetch_customer_accounts(read, accounts, [id_ for _, id_ in items]),
    }


@pytest.mark.parametrize("make", SCENARIOS.values(), ids=SCENARIOS)
async def test_the_double_and_the_database_agree(ledger, acme, make):
    double, scenario = AccountsInMemory(), make()
    for number, step in enumerate(scenario.steps):
        ended = await outcome(partial(transaction, ledger, tenant=TENANT), step)
        with pytest.MonkeyPatch.context() as patched:
            double.stand_in(patched)
            assert await outcome(double.transaction, step) == ended, number
        stored = double.transactions
        async with double.transaction(), snapshot(ledger, tenant=TENANT) as read:
            customers = [(transaction.tenant_id, transaction.customer_id) for transaction in stored]
            double.let_read(customers)
            in_memory = await answers(double, None, stored)
            assert await answers(REAL, read, stored) == in_memory, number
            assert await read.raw.fetchval("SELECT count(*) FROM transaction") == len(stored)
            assert await read.raw.fetchval("SELECT count(*) FROM invoice_note") == len(double.notes)
    published = [
        PaymentRecorded.model_validate_json(message.value)
        for message in double.outbox
        if message.topic == PaymentRecorded.TOPIC
    ]
    assert await reported(ledger, PaymentRecorded) == published
    await reconciled(acme)


async def test_the_terms_of_a_tenant_are_as_the_double_has_them(ledger, acme):
    double = AccountsInMemory()
    double.terms = {TENANT: Terms(payment_days=30)}
    answer = await acme.put("/v1/payment-terms", json={"payment_days": 30})
    assert answer.status_code == 200
    async with snapshot(ledger, tenant=TENANT) as read:
        known = await REAL.fetch_terms(read, [TENANT, "other"])
    assert await double.fetch_terms(None, [TENANT, "other"]) == known
