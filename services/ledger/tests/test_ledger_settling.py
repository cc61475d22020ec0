"""Settling and reversing against a plain model: a list of facts, summed anew after each step."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from examples import examples
from kernel.errors import Conflict, Rejected
from ledger.domain import accounts
from ledger.domain.booking import Charge, Document, book
from ledger.domain.reversing import REVERSIBLE, Settlement, Why, release, reversal_id, reverse
from ledger.domain.settling import Ask, Books, Order, Share, clipped, decide

EXAMPLES = 100
STEPS = 50
START = datetime(2025, 1, 1, tzinfo=UTC)
KEYS = [(UUID(int=n), currency) for n in (1, 2) for currency in ("EUR", "USD")]
ZERO = Decimal(0)
keys = st.sampled_from(KEYS)
amounts = st.decimals("0.01", 300, places=2)


@dataclass
class Fact:
    """What a transaction did: so much for each item, so much onto the credit, so much in cash."""

    key: tuple
    kind: str
    given: dict
    credited: Decimal = ZERO
    cash: Decimal = ZERO


@dataclass
class Model:
    """What is true of the books, from what was said, by addition alone."""

    totals: dict = field(default_factory=dict)
    voided: set = field(default_factory=set)
    facts: dict = field(default_factory=dict)

    def open(self, item):
        given = sum((fact.given.get(item, ZERO) for fact in self.facts.values()), ZERO)
        return ZERO if item in self.voided else self.totals[item] - given

    def credit(self, key, *, without=None):
        """What was credited, and what had been paid for items that were taken back."""
        credit = ZERO
        for id_, fact in self.facts.items():
            if fact.key == key and id_ != without:
                credit += fact.credited
                if fact.kind != "write_off":
                    credit += sum(self.freed(fact).values())
        return credit

    def freed(self, fact):
        return {i: a for i, a in fact.given.items() if i in self.voided and a > 0}

    def may_reverse(self, id_):
        fact = self.facts[id_]
        if any(a < 0 and i in self.voided for i, a in fact.given.items()):
            return False  # what was paid out became a charge
        if fact.kind in ("write_off", "allocation") and all(i in self.voided for i in fact.given):
            return False  # nothing is left of it
        return self.credit(fact.key, without=id_) >= 0


class Accounts(RuleBasedStateMachine):
    """The books as the handlers keep them, beside the model."""

    def __init__(self):
        super().__init__()
        self.count, self.model = 0, Model()
        self.ledger, self.posted = {}, {}
        self.books = {key: Books("t", *key, ZERO, {}) for key in KEYS}

    def write(self, one):
        self.ledger[one.id] = one
        key = one.customer_id, one.currency
        self.books[key] = self.books[key].after(one)
        for posting in one.postings:
            before = self.posted.get(posting.account, ZERO)
            self.posted[posting.account] = before + posting.amount

    def live(self, *, item=None, source=None):
        """What the allocations table says is settled, as the store sums it."""
        sums = {}
        for one in self.ledger.values():
            for each in one.allocations:
                place = each.item_id, each.source_id
                sums[place] = sums.get(place, ZERO) + each.amount
        return [
            Settlement(at, by, self.ledger[by].kind, amount)
            for (at, by), amount in sums.items()
            if amount and (at == item or by == source)
        ]

    def order(self, amount, named=None):
        self.count += 1
        at = START + timedelta(hours=self.count)
        return Order(UUID(int=1_000 + self.count), amount, f"R{self.count}", "", at, "c", named)

    def ask(self, kind, key, amount, *, allowed=True, **how):
        """Have it decided and booked, where the model says so and only there."""
        order = self.order(amount, how.pop("named", None))
        try:
            one = decide(self.books[key], Ask(kind, *key, order, **how))
        except Rejected:
            assert not allowed
            return None
        assert allowed
        self.write(one)
        return one

    def waiting(self, key, sign=1):
        """The items that ask for something, the oldest due first."""
        items = self.books[key].items
        mine = [item for item in items if sign * self.model.open(item) > 0]
        return sorted(mine, key=lambda id_: (items[id_].due_on, items[id_].issued_at, id_))

    def oldest(self, key, amount, sign=1):
        """What goes to which item, and what is left."""
        given, left = {}, amount
        for item in self.waiting(key, sign):
            if part := min(left, abs(self.model.open(item))):
                given[item], left = sign * part, left - part
        return given, left

    @rule(key=keys, amount=st.decimals(-200, 300, places=2))
    def issue(self, key, amount):
        order = self.order(amount)
        self.write(book(self.document(key, order, amount)))
        self.model.totals[order.id] = amount

    def document(self, key, order, amount, credits_id=None):
        return Document(
            order.id, order.reference, "t", *key, (Charge("energy", amount),), ZERO, amount,
            order.occurred_at, "c", credits_id,
        )  # fmt: skip

    @rule(key=keys, amount=amounts, kind=st.sampled_from(["payment", "credit"]))
    def pay(self, key, amount, kind):
        given, left = self.oldest(key, amount)
        one = self.ask(kind, key, amount)
        cash = amount if kind == "payment" else ZERO
        self.model.facts[one.id] = Fact(key, kind, given, left, cash)

    @rule(key=keys, amount=amounts, data=st.data())
    def pay_named(self, key, amount, data):
        items = self.waiting(key)
        named = tuple(
            Share(item, data.draw(amounts))
            for item in (data.draw(st.sets(st.sampled_from(items))) if items else ())
        )
        fits = all(share.amount <= self.model.open(share.item_id) for share in named)
        fits = fits and sum(share.amount for share in named) <= amount
        given, left = {}, amount
        for share in named:
            if part := min(share.amount, self.model.open(share.item_id), left):
                given[share.item_id], left = part, left - part
        one = self.ask("payment", key, amount, named=named, allowed=fits)
        if one is None:  # an event's payment is here already, and booked all the same
            order = clipped(self.books[key], self.order(amount, named))
            one = decide(self.books[key], Ask("payment", *key, order))
            self.write(one)
        self.model.facts[one.id] = Fact(key, "payment", given, left, amount)

    @rule(key=keys, amount=amounts)
    def spend_credit(self, key, amount):
        given, left = self.oldest(key, amount)
        allowed = not left and amount <= self.model.credit(key)
        if one := self.ask("allocation", key, amount, allowed=allowed):
            self.model.facts[one.id] = Fact(key, "allocation", given, -amount)

    @rule(key=keys)
    def spend_all_credit(self, key):
        payable = sum(map(self.model.open, self.waiting(key)), ZERO)
        amount = min(self.model.credit(key), payable)
        given, _ = self.oldest(key, amount)
        if one := self.ask("allocation", key, None, allowed=amount > 0):
            self.model.facts[one.id] = Fact(key, "allocation", given, -amount)

    @rule(key=keys, amount=amounts)
    def refund(self, key, amount):
        if one := self.ask("refund", key, amount, allowed=amount <= self.model.credit(key)):
            self.model.facts[one.id] = Fact(key, "refund", {}, -amount, -amount)

    @rule(key=keys, amount=amounts, kind=st.sampled_from(["refund", "allocation"]))
    def spend_export(self, key, amount, kind):
        drawn, short = self.oldest(key, amount, sign=-1)
        given, left = self.oldest(key, amount) if kind == "allocation" else ({}, ZERO)
        one = self.ask(kind, key, amount, source="export_payable", allowed=not short and not left)
        if one:
            cash = -amount if kind == "refund" else ZERO
            self.model.facts[one.id] = Fact(key, kind, given | drawn, ZERO, cash)

    @rule(key=keys, amount=amounts)
    def write_off(self, key, amount):
        given, left = self.oldest(key, amount)
        if one := self.ask("write_off", key, amount, allowed=not left):
            self.model.facts[one.id] = Fact(key, "write_off", given)

    @rule(key=keys, amount=amounts)
    def charge(self, key, amount):
        one = self.ask("charge", key, amount, due_on=date(2025, 1, 1))
        self.model.totals[one.document_id] = amount

    @rule(data=st.data())
    def issue_credit_note(self, data):
        live = [
            one for one in self.ledger.values()
            if one.kind == "invoice" and one.document_id not in self.model.voided
        ]  # fmt: skip
        if live:
            invoice = data.draw(st.sampled_from(live))
            key = invoice.customer_id, invoice.currency
            order = self.order(None)
            note = book(self.document(key, order, invoice.total, invoice.document_id))
            self.free(key, invoice.document_id, note.document_id)
            self.write(note)
            self.model.voided.add(invoice.document_id)

    def free(self, key, item, cause_id):
        """Set free what had settled an item; what was paid out of it is owed again."""
        books = self.books[key]
        paid_out = -sum(
            (fact.given.get(item, ZERO) for fact in self.model.facts.values()), ZERO
        )  # fmt: skip
        why = Why("", self.order(None).occurred_at, "c")
        freed = release(books, books.items[item], self.live(item=item), cause_id, why)
        if freed:
            self.write(freed)
        if paid_out > 0:
            self.model.totals[freed.document_id] = paid_out

    @rule(data=st.data())
    def take_back(self, data):
        booked = [
            one for one in self.ledger.values()
            if one.kind in REVERSIBLE
            and (one.opens or one.id in self.model.facts)
            and one.document_id not in self.model.voided
        ]  # fmt: skip
        if not booked:
            return
        original = data.draw(st.sampled_from(booked))
        key = original.customer_id, original.currency
        if original.opens:
            self.free(key, original.opens.id, reversal_id(original.id))
            self.model.voided.add(original.opens.id)
            allowed = True
        else:
            allowed = self.model.may_reverse(original.id)
        why = Why("", self.order(None).occurred_at, "c")
        try:
            one = reverse(self.books[key], original, self.live(source=original.id), why)
        except Conflict:
            assert not allowed
            return
        assert allowed
        self.write(one)
        self.model.facts.pop(original.id, None)

    @invariant()
    def the_books_say_what_the_model_says(self):
        assert sum(self.posted.values(), ZERO) == 0
        for key, books in self.books.items():
            customer, currency = key
            of = {item: self.model.open(item) for item in books.items}
            assert {id_: item.open for id_, item in books.items.items()} == of
            credit = self.model.credit(key)
            assert books.prepaid == credit >= 0
            assert self.posted.get(accounts.prepaid(currency, customer), ZERO) == -credit
            owed = sum((amount for amount in of.values() if amount > 0), ZERO)
            earned = sum((amount for amount in of.values() if amount < 0), ZERO)
            assert self.posted.get(accounts.receivable(currency, customer), ZERO) == owed
            assert self.posted.get(accounts.export_payable(currency, customer), ZERO) == earned
        for currency in ("EUR", "USD"):
            facts = [fact for fact in self.model.facts.values() if fact.key[1] == currency]
            cash = sum((fact.cash for fact in facts), ZERO)
            assert self.posted.get(accounts.cash(currency), ZERO) == cash


def test_the_books_agree_with_a_plain_model_whatever_happens():
    """`make thorough` tries twenty times as many."""
    run_state_machine_as_test(
        Accounts,
        settings=settings(examples(EXAMPLES), stateful_step_count=STEPS, print_blob=True),
    )
