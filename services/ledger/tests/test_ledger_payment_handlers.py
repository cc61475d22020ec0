"""The handlers of payments, reversals and documents, branch by branch, on stores in memory."""

import inspect
import json
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.ledger import credit_scenarios, scenarios, unmatched_scenarios
from doubles.ledger.scenarios import TENANT, Scenario, Step, outcome
from doubles.ledger.store import AccountsInMemory
from gridtally.contracts.accounts import PaymentRecorded, TransactionRecorded
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.payments import post
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers import commands
from gridtally.ledger.accounts.store import (
    addressees,
    adopted_payments,
    budget_plans,
    credit,
    customer_accounts,
    customers,
    merges,
    open_items,
    prepayments,
    terms,
    transactions,
    unmatched_payments,
    void_notes,
)
from gridtally.messaging import outbox
from integration.ledger.accounts import payment

SCENARIOS = scenarios.SCENARIOS | credit_scenarios.SCENARIOS | unmatched_scenarios.SCENARIOS


@pytest.fixture
def accounts(monkeypatch):
    double = AccountsInMemory()
    double.stand_in(monkeypatch)
    return double


VERBS = (
    "lock_", "fetch_", "insert_", "is_", "enqueue", "upsert_", "mark_", "claim_", "finish_",
    "update_", "delete_",
)  # fmt: skip
STORES = (
    credit, customers, customer_accounts, open_items, terms, transactions, void_notes,
    unmatched_payments, outbox, adopted_payments, addressees, budget_plans, merges,
    prepayments,
)  # fmt: skip


def test_the_double_takes_the_arguments_of_the_stores():
    real = {name: kind for module in STORES for name, kind in vars(module).items()}
    names = [name for name in vars(AccountsInMemory) if name.startswith(VERBS)]
    assert len(names) == 34
    for name in names:
        _, *mine = inspect.signature(getattr(AccountsInMemory, name)).parameters
        assert [argument.removeprefix("_") for argument in mine] == [
            *inspect.signature(real[name]).parameters
        ], name


async def run(accounts, scenario):
    """Every step ends as it says, and one that fails changes nothing."""
    for number, step in enumerate(scenario.steps):
        before = list(accounts.transactions), list(accounts.outbox)
        ended = await outcome(accounts.transaction, step)
        assert (ended is None) == (step.fails is None), (number, ended)
        if step.fails:
            assert step.fails in ended, number
            assert (accounts.transactions, accounts.outbox) == before, number


@pytest.mark.parametrize("make", SCENARIOS.values(), ids=SCENARIOS)
async def test_steps_end_as_their_scenario_says(accounts, make):
    await run(accounts, make())
    for transaction in accounts.transactions:
        assert sum(line.amount for line in transaction.postings) == 0


def balances(accounts, scenario):
    """What stands on the receivable and the prepaid account of a scenario's customer."""
    named = chart.receivable("EUR", scenario.customer), chart.prepaid("EUR", scenario.customer)
    return tuple(accounts.posted(TENANT, account) for account in named)


def published(accounts):
    """The payments that were published."""
    return [
        json.loads(message.value)
        for message in accounts.outbox
        if message.topic == PaymentRecorded.TOPIC
    ]


@pytest.mark.parametrize(
    ("name", "owed", "credit"),
    [
        ("oldest_first", 0, "15.5"),
        ("named_by_the_api", 90, 0),
        ("the_same_command_again", 90, 0),
        ("credit_spent", 18, 18),
        ("from_outside", 0, 41),
        ("two_customers_in_a_batch", 6, 0),
        ("cancelled_when_paid", 0, 0),
        ("cancelled_before_issued", 0, 0),
        ("a_charge_reversed", 0, 0),
        ("exported_energy", 22, 0),
        ("exported_energy_by_rule", 2, 0),
        ("credit_pays_the_next_invoice", 0, "216.8"),
        ("corrected_when_paid", 0, "0.2"),
        ("corrected_before_it_is_cancelled", 0, "0.2"),
        ("corrected_when_part_paid", "49.8", 0),
        ("bounced_after_spending", 25, 0),
        ("bounced_in_part", 8, 0),
        ("bounced_in_part_the_oldest_first", 8, 0),
        ("bounced_when_corrected", "148.6", 0),
        ("a_credit_withdrawn", 10, 0),
        ("a_charge_paid_by_credit", 0, "0.5"),
        ("what_is_named_stays", 6, 4),
        ("a_rule_that_changes", 0, 2),
        ("paid_before_the_customer_is_known", 0, 10),
        ("paid_before_the_first_invoice", 5, 0),
        ("paid_for_nobody", 0, 10),
        ("bounced_when_assigned", 40, 0),
        ("bounced_when_unmatched", 0, 0),
        ("paid_back", 0, 40),
        ("paid_in_another_currency", 0, 0),
        ("asked_of_nobody", 0, 0),
    ],
)
async def test_what_is_owed_and_credited_in_the_end(accounts, name, owed, credit):
    scenario = SCENARIOS[name]()
    await run(accounts, scenario)
    assert balances(accounts, scenario) == (Decimal(owed), -Decimal(credit))


@pytest.mark.parametrize("name", unmatched_scenarios.SCENARIOS)
async def test_what_is_unmatched_stands_in_suspense(accounts, name):
    """In every currency: what is listed, and nothing else."""
    await run(accounts, SCENARIOS[name]())
    for currency in ("EUR", "JPY"):
        listed = [
            stored.total
            for stored in accounts.transactions
            if stored.currency == currency and accounts.listed(stored)
        ]
        assert accounts.posted(TENANT, chart.suspense(currency)) == -sum(listed, Decimal(0))


async def test_a_repeated_command_is_answered_with_the_transaction_that_is_there(accounts):
    scenario = Scenario()
    command = scenario.command("payment", "10")
    ids = []
    for _ in range(2):
        async with accounts.transaction() as tx:
            ids.append(await commands.post_command(tx, TENANT, command))
    assert ids == [transaction_id(TENANT, command.id)] * 2
    assert len(accounts.transactions) == len(accounts.outbox) == 1


async def test_payments_and_what_else_is_posted_are_published_apart(accounts):
    scenario = Scenario()
    [event] = scenario.issue("10")
    paid = scenario.post("payment", "12")
    spent = scenario.post("refund", "1")
    scenario.reverse(spent.id)
    scenario.reverse(paid.id)
    await run(accounts, scenario)
    recorded, reversed_ = published(accounts)
    assert (recorded["status"], reversed_["status"]) == ("recorded", "reversed")
    for message in (recorded, reversed_):
        assert message["payment_id"] == str(paid.id)
        assert message["allocations"] == [{"invoice_id": str(event.invoice_id), "amount": "10.00"}]
        assert Decimal(message["prepaid"]) == 2
    others = [
        json.loads(message.value)
        for message in accounts.outbox
        if message.topic == TransactionRecorded.TOPIC
    ]
    assert [(other["kind"], other["amount"]) for other in others] == [
        ("refund", "1.00"),
        ("reversal", "1.00"),
    ]


async def test_a_reversed_payment_is_published_with_what_it_still_paid(accounts):
    scenario = Scenario()
    first, second = scenario.issue("10", "5")
    paid = scenario.post("payment", "15")
    scenario.cancel(first)
    scenario.reverse(paid.id)
    await run(accounts, scenario)
    last = published(accounts)[-1]
    assert last["allocations"] == [{"invoice_id": str(second.invoice_id), "amount": "5.00"}]
    assert Decimal(last["prepaid"]) == 10


async def test_an_id_that_another_customer_takes_meanwhile_is_tried_again(accounts):
    scenario = Scenario()
    command = scenario.command("payment", "10")
    other = replace(command, customer_id=uuid4())
    account = CustomerAccount(TENANT, other.customer_id, "EUR")
    accounts.meanwhile = [post(account, other)]
    step = Step(lambda tx: commands.post_command(tx, TENANT, command))
    assert await outcome(accounts.transaction, step) == (
        "the same id is being posted for another customer"
    )
    assert accounts.transactions == []


async def test_each_payment_of_a_batch_sees_what_those_before_it_paid(accounts):
    scenario = Scenario()
    scenario.issue("10", "10")
    events = [payment(scenario.customer, "6") for _ in range(4)]
    scenario.receive(*events)
    await run(accounts, scenario)
    allocated = {
        transaction.document_id: [part.amount for part in transaction.allocations]
        for transaction in accounts.transactions
    }
    assert [allocated[event.payment_id] for event in events] == [[6], [4, 2], [6], [2]]
    assert balances(accounts, scenario) == (0, -4)


async def test_an_invoice_is_due_by_the_terms_of_its_tenant(accounts):
    accounts.terms = {TENANT: Terms(payment_days=30), "other": Terms(payment_days=5)}
    scenario = Scenario()
    scenario.issue("10")
    scenario.issue("10", due_on="2025-04-03")
    await run(accounts, scenario)
    due = [str(transaction.opens.due_on) for transaction in accounts.transactions]
    assert due == ["2025-05-01", "2025-04-03"]
