"""Payments and reversals against a plain model: a list of facts, summed again after each step."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.credit import (
    CreditCause,
    SpentCredit,
    apply_credit,
    is_applicable,
    take_back_credit,
)
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payments import limited_to_open_items, post
from gridtally.ledger.accounts.domain.postings import Document, DocumentLine, post_document
from gridtally.ledger.accounts.domain.reversals import (
    REVERSIBLE,
    LiveAllocation,
    Reason,
    credit_short,
    deallocate,
    money_of,
    reversal_id,
    reverse,
    taken_for_credit,
)
from naive.accounts import Fact, Model

EXAMPLES = 100
STEPS = 50
START = datetime(2025, 1, 1, tzinfo=UTC)
KEYS = [(UUID(int=n), currency) for n in (1, 2) for currency in ("EUR", "USD")]
ZERO = Decimal(0)
keys = st.sampled_from(KEYS)
amounts = st.decimals("0.01", 300, places=2)


class Accounts(RuleBasedStateMachine):
    """The accounts as the handlers move them, beside the model."""

    def __init__(self):
        super().__init__()
        self.count, self.model = 0, Model()
        self.ledger, self.posted = {}, {}
        self.accounts = {key: CustomerAccount("t", *key) for key in KEYS}

    @initialize(
        rule=st.sampled_from(["oldest_first", "manual"]),
        order=st.sampled_from(["newest_first", "oldest_first"]),
    )
    def declare(self, rule, order):
        self.rule, self.order = rule, order

    def apply_credit(self, cause):
        """The tenant's rule: credit pays what is open, the oldest first, what was paid before what
        was earned."""
        key = cause.customer_id, cause.currency
        if self.rule == "manual":
            return
        applied = apply_credit(self.accounts[key], CreditCause.of(cause), START)
        for transaction in applied:
            self.write(transaction)
        expected = []
        for spends_prepaid in (True, False):
            payable = sum(map(self.model.open, self.open_items(key)), ZERO)
            earned = -sum(map(self.model.open, self.open_items(key, -1)), ZERO)
            amount = min(self.model.credit(key) if spends_prepaid else earned, payable)
            if amount:
                allocated, _ = self.oldest(key, amount)
                drawn, _ = ({}, ZERO) if spends_prepaid else self.oldest(key, amount, sign=-1)
                credited = -amount if spends_prepaid else ZERO
                fact = Fact(
                    key, "allocation", allocated | drawn, credited, spends_prepaid=spends_prepaid
                )
                id_ = applied[len(expected)].id
                self.model.facts[id_] = fact
                expected.append(id_)
        assert [transaction.id for transaction in applied] == expected
        assert not is_applicable(self.accounts[key])

    def write(self, transaction):
        self.ledger[transaction.id] = transaction
        key = transaction.customer_id, transaction.currency
        self.accounts[key] = self.accounts[key].after(transaction)
        for posting in transaction.postings:
            before = self.posted.get(posting.account, ZERO)
            self.posted[posting.account] = before + posting.amount

    def live(self, *, item=None, source=None):
        """What is allocated now by the table of allocations, as the store sums it."""
        sums = {}
        for transaction in self.ledger.values():
            for allocation in transaction.allocations:
                pair = allocation.item_id, allocation.source_id
                sums[pair] = sums.get(pair, ZERO) + allocation.amount
        return [
            LiveAllocation(to, by, self.ledger[by].kind, amount)
            for (to, by), amount in sums.items()
            if amount and (to == item or by == source)
        ]

    def command(self, kind, key, amount, **others):
        self.count += 1
        id_, at = UUID(int=1_000 + self.count), START + timedelta(hours=self.count)
        return Command(kind, id_, *key, amount, f"R{self.count}", "", at, "c", **others)

    def post(self, kind, key, amount, *, allowed=True, **others):
        """Have a command posted, where the model says so and only there."""
        try:
            transaction = post(self.accounts[key], self.command(kind, key, amount, **others))
        except Rejected:
            assert not allowed
            return None
        assert allowed
        self.write(transaction)
        return transaction

    def open_items(self, key, sign=1):
        """The items with something open, the oldest due first."""
        items = self.accounts[key].items
        mine = [item for item in items if sign * self.model.open(item) > 0]
        rank = ("due_on", "issued_at", "number", "id")
        return sorted(mine, key=lambda id_: [getattr(items[id_], name) for name in rank])

    def oldest(self, key, amount, sign=1):
        """What goes to which item, and what is left."""
        allocated, left = {}, amount
        for item in self.open_items(key, sign):
            if part := min(left, abs(self.model.open(item))):
                allocated[item], left = sign * part, left - part
        return allocated, left

    @rule(key=keys, amount=st.decimals(-200, 300, places=2))
    def issue(self, key, amount):
        invoice = self.document(key, amount)
        posted = post_document(invoice)
        self.write(posted)
        self.model.totals[invoice.id] = amount
        self.apply_credit(posted)

    def document(self, key, amount, credits_id=None):
        named = self.command("payment", key, amount)
        return Document(
            named.id, named.reference, "t", *key, (DocumentLine("energy", amount),), ZERO, amount,
            named.occurred_at, "c", credits_id,
        )  # fmt: skip

    @rule(key=keys, amount=amounts, kind=st.sampled_from(["payment", "credit"]))
    def pay(self, key, amount, kind):
        allocated, left = self.oldest(key, amount)
        transaction = self.post(kind, key, amount)
        cash = amount if kind == "payment" else ZERO
        self.model.facts[transaction.id] = Fact(key, kind, allocated, left, cash)
        self.apply_credit(transaction)

    @rule(key=keys, amount=amounts, data=st.data())
    def pay_named(self, key, amount, data):
        items = self.open_items(key)
        requested = tuple(
            RequestedAllocation(item, data.draw(amounts))
            for item in (data.draw(st.sets(st.sampled_from(items))) if items else ())
        )
        fits = all(part.amount <= self.model.open(part.item_id) for part in requested)
        fits = fits and sum(part.amount for part in requested) <= amount
        allocated, left = {}, amount
        for part in requested:
            if fitting := min(part.amount, self.model.open(part.item_id), left):
                allocated[part.item_id], left = fitting, left - fitting
        payment = self.post("payment", key, amount, allocations=requested, allowed=fits)
        if payment is None:  # an event's payment has arrived already, and is posted all the same
            command = self.command("payment", key, amount, allocations=requested)
            account = self.accounts[key]
            payment = post(account, limited_to_open_items(account, command))
            self.write(payment)
        self.model.facts[payment.id] = Fact(key, "payment", allocated, left, amount)
        if requested:
            self.apply_credit(payment)

    @rule(key=keys, amount=amounts)
    def spend_credit(self, key, amount):
        allocated, left = self.oldest(key, amount)
        allowed = not left and amount <= self.model.credit(key)
        if transaction := self.post("allocation", key, amount, allowed=allowed):
            fact = Fact(key, "allocation", allocated, -amount, spends_prepaid=True)
            self.model.facts[transaction.id] = fact

    @rule(key=keys)
    def spend_all_credit(self, key):
        payable = sum(map(self.model.open, self.open_items(key)), ZERO)
        amount = min(self.model.credit(key), payable)
        allocated, _ = self.oldest(key, amount)
        if transaction := self.post("allocation", key, None, allowed=amount > 0):
            fact = Fact(key, "allocation", allocated, -amount, spends_prepaid=True)
            self.model.facts[transaction.id] = fact

    @rule(key=keys, amount=amounts)
    def refund(self, key, amount):
        allowed = amount <= self.model.credit(key)
        if transaction := self.post("refund", key, amount, allowed=allowed):
            self.model.facts[transaction.id] = Fact(key, "refund", {}, -amount, -amount)

    @rule(key=keys, amount=amounts, kind=st.sampled_from(["refund", "allocation"]))
    def spend_export(self, key, amount, kind):
        drawn, short = self.oldest(key, amount, sign=-1)
        allocated, left = self.oldest(key, amount) if kind == "allocation" else ({}, ZERO)
        allowed = not short and not left
        transaction = self.post(kind, key, amount, source="export_payable", allowed=allowed)
        if transaction:
            cash = -amount if kind == "refund" else ZERO
            self.model.facts[transaction.id] = Fact(key, kind, allocated | drawn, ZERO, cash)

    @rule(key=keys, amount=amounts)
    def write_off(self, key, amount):
        allocated, left = self.oldest(key, amount)
        if transaction := self.post("write_off", key, amount, allowed=not left):
            self.model.facts[transaction.id] = Fact(key, "write_off", allocated)

    @rule(key=keys, amount=amounts)
    def charge(self, key, amount):
        charge = self.post("charge", key, amount, due_on=date(2025, 1, 1))
        self.model.totals[charge.document_id] = amount
        self.apply_credit(charge)

    @rule(data=st.data())
    def issue_credit_note(self, data):
        live = [
            transaction for transaction in self.ledger.values()
            if transaction.kind == "invoice" and transaction.document_id not in self.model.voided
        ]  # fmt: skip
        if live:
            invoice = data.draw(st.sampled_from(live))
            key = invoice.customer_id, invoice.currency
            left = self.model.left(invoice.document_id)
            note = post_document(self.document(key, left, invoice.document_id))
            self.deallocate(key, invoice.document_id, note.document_id)
            self.write(note)
            self.model.voided.add(invoice.document_id)
            self.apply_credit(note)

    @rule(data=st.data())
    def credit_a_part(self, data):
        """By hand, of what is left of a live invoice; not a cent more."""
        live = [
            transaction for transaction in self.ledger.values()
            if transaction.kind == "invoice" and transaction.document_id not in self.model.voided
            and self.model.left(transaction.document_id) > 0
        ]  # fmt: skip
        if not live:
            return
        invoice = data.draw(st.sampled_from(live))
        key, item = (invoice.customer_id, invoice.currency), invoice.document_id
        left = self.model.left(item)
        amount = data.draw(st.decimals("0.01", left, places=2))
        note = post_document(replace(self.document(key, amount, item), is_part=True))
        account, paid = self.accounts[key], self.live(item=item)
        with pytest.raises(ValueError, match="too much"):
            taken_for_credit(account.items[item], paid, left + Decimal("0.01"))
        taken = taken_for_credit(account.items[item], paid, amount)
        reason = self.reason(key)
        if back := deallocate(account, account.items[item], taken, note.document_id, reason):
            self.write(back)
        self.write(note)
        self.model.credit_part(note.id, key, item, amount)
        self.apply_credit(note)

    def deallocate(self, key, item, cause_id):
        """Take back what is allocated to an item; what was paid out of it is owed again."""
        account = self.accounts[key]
        paid_out = -sum(
            (fact.allocated.get(item, ZERO) for fact in self.model.facts.values()), ZERO
        )  # fmt: skip
        live = money_of(self.live(item=item))
        deallocation = deallocate(account, account.items[item], live, cause_id, self.reason(key))
        if deallocation:
            self.write(deallocation)
        if paid_out > 0:
            self.model.totals[deallocation.document_id] = paid_out

    def reason(self, key):
        return Reason("", self.command("payment", key, None).occurred_at, "c")

    @rule(data=st.data())
    def reverse(self, data):
        reversible = [
            transaction for transaction in self.ledger.values()
            if transaction.kind in REVERSIBLE
            and (transaction.kind != "release")
            and (transaction.opens or transaction.id in self.model.facts)
            and transaction.document_id not in self.model.voided
        ]  # fmt: skip
        if not reversible:
            return
        original = data.draw(st.sampled_from(reversible))
        key = original.customer_id, original.currency
        if original.opens:
            self.deallocate(key, original.opens.id, reversal_id(original.id))
            self.model.voided.add(original.opens.id)
            allowed = True
        else:
            allowed = self.model.may_reverse(original.id)
        live = self.live(source=original.id)
        try:
            if shortage := credit_short(self.accounts[key], original, live):
                self.take_back(key, original, shortage)
            reversal = reverse(self.accounts[key], original, live, self.reason(key))
        except Conflict:
            assert not allowed
            return
        assert allowed
        self.write(reversal)
        self.model.facts.pop(original.id, None)
        if original.kind != "allocation":
            self.apply_credit(reversal)

    def take_back(self, key, original, shortage):
        """Bring back what a reversal is short of; the model knows how much that is."""
        assert shortage == -self.model.credit(key, without=original.id)
        items = self.accounts[key].items
        spent = self.model.spent_prepaid(key, self.order, lambda id_: (items[id_].due_on, id_))
        parts = [SpentCredit(item, id_, amount) for id_, item, amount in spent]
        account, reason = self.accounts[key], self.reason(key)
        taken_back = take_back_credit(account, original, shortage, parts, reason)
        self.write(taken_back)
        self.model.take_back(key, shortage, spent, taken_back.document_id)

    @invariant()
    def the_accounts_are_as_the_model_has_them(self):
        assert sum(self.posted.values(), ZERO) == 0
        for key, account in self.accounts.items():
            customer, currency = key
            of = {item: self.model.open(item) for item in account.items}
            assert {id_: item.open for id_, item in account.items.items()} == of
            credit = self.model.credit(key)
            assert account.prepaid == credit >= 0
            assert self.posted.get(chart.prepaid(currency, customer), ZERO) == -credit
            owed = sum((amount for amount in of.values() if amount > 0), ZERO)
            earned = sum((amount for amount in of.values() if amount < 0), ZERO)
            assert self.posted.get(chart.receivable(currency, customer), ZERO) == owed
            assert self.posted.get(chart.export_payable(currency, customer), ZERO) == earned
        for currency in ("EUR", "USD"):
            facts = [fact for fact in self.model.facts.values() if fact.key[1] == currency]
            cash = sum((fact.cash for fact in facts), ZERO)
            assert self.posted.get(chart.cash(currency), ZERO) == cash


def test_accounts_agree_with_a_plain_model_whatever_happens():
    """`make thorough` tries twenty times as many."""
    run_state_machine_as_test(
        Accounts,
        settings=settings(examples(EXAMPLES), stateful_step_count=STEPS, print_blob=True),
    )


def test_what_a_batch_has_issued_is_paid_by_its_numbers():
    bills = [
        OpenItem(UUID(int=9 - n), "invoice", f"INV-2025-{n}", Decimal(9), START, START.date())
        for n in (3, 1, 2)
    ]
    account = CustomerAccount("acme", KEYS[0][0], "EUR", items={bill.id: bill for bill in bills})
    assert [bill.number[-1] for bill in account.open_items()] == ["1", "2", "3"]
