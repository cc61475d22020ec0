"""Budget plans: their days and amounts, and whatever happens to one, against plain sums."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.budget_plans import (
    BudgetPosition,
    RequestedBudget,
    agreed_plan,
    deferring,
    monthly_amount,
    requested_on,
)
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.credit import CreditCause, apply_credit
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.payment_plans import Instalment
from gridtally.ledger.accounts.domain.payments import post
from gridtally.ledger.accounts.domain.postings import Document, DocumentLine, post_document
from gridtally.ledger.accounts.domain.reversals import (
    LiveAllocation,
    Reason,
    deallocate,
    money_of,
    taken_for_credit,
)

NOW = datetime(2025, 1, 10, 12, tzinfo=UTC)
WHO = UUID(int=1)
ZERO = Decimal(0)


def wanted(start="2025-02-01", amount="90.00", **more):
    first = more.pop("first_due_on", None)
    return RequestedBudget(
        WHO, "EUR", Decimal(amount), date.fromisoformat(start),
        first_due_on=first and date.fromisoformat(first), **more,
    )  # fmt: skip


def agreed(*others, now=NOW, **more):
    return agreed_plan(UUID(int=7), wanted(**more), others, now)


@pytest.mark.parametrize(
    ("asked", "end_on", "due"),
    [
        ({"months": 2}, "2025-04-01", ["2025-02-01", "2025-03-01"]),
        ({"months": 2, "first_due_on": "2025-02-15"}, "2025-04-01", ["2025-02-15", "2025-03-15"]),
        # Begun before it was agreed, it is due from today on: no day is made up for.
        ({"start": "2025-01-01", "months": 2}, "2025-03-01", ["2025-01-10", "2025-02-10"]),
        # The last day of a shorter month, and nothing that is due after the end.
        ({"start": "2025-01-31", "months": 3}, "2025-04-30",
         ["2025-01-31", "2025-02-28", "2025-03-31"]),
        ({"start": "2025-01-20", "months": 2, "first_due_on": "2025-03-01"}, "2025-03-20",
         ["2025-03-01"]),
    ],
)  # fmt: skip
def test_instalments_are_due_each_month_of_the_plan(asked, end_on, due):
    plan = agreed(**asked)
    assert plan.end_on == date.fromisoformat(end_on)
    assert [f"{own.due_on}" for own in plan.instalments] == due
    assert {own.amount for own in plan.instalments} == {Decimal("90.00")}
    assert plan.settle_on == plan.end_on + timedelta(days=42)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"start": "2024-01-01"}, "invalid_budget_plan"),
        ({"start": "2026-02-01"}, "invalid_budget_plan"),
        ({"first_due_on": "2025-01-31"}, "invalid_budget_plan"),  # before it begins
        ({"start": "2025-01-01", "first_due_on": "2025-01-09"}, "invalid_budget_plan"),  # yesterday
        ({"months": 1, "first_due_on": "2025-03-01"}, "invalid_budget_plan"),  # after its end
        ({"first_due_on": "9999-12-31"}, "invalid_budget_plan"),  # no month comes after it
    ],
)
def test_days_that_cannot_be_are_refused(asked, code):
    with pytest.raises(Rejected) as refused:
        agreed(**asked)
    assert refused.value.code == code


def test_plans_of_one_currency_follow_one_another():
    first = agreed(months=12)
    with pytest.raises(Conflict) as refused:
        agreed(first, start="2026-01-01")
    assert refused.value.code == "budget_plan_overlaps"
    assert agreed(replace(first, currency="USD"), start="2025-03-01")
    ended = first.ended(date(2025, 6, 1), [])
    assert agreed(ended, start="2025-06-01").start_on == ended.end_on


@pytest.mark.parametrize(
    ("start_on", "issued", "settled", "waits"),
    [
        ("2025-02-01", NOW, None, True),
        ("2025-01-31", NOW, None, False),
        ("2026-01-31", NOW, None, True),
        ("2026-02-01", NOW, None, False),
        ("2025-02-01", NOW - timedelta(seconds=1), None, False),  # issued before the agreement
        ("2025-02-01", NOW, NOW + timedelta(seconds=1), True),  # and posted after the settlement
        ("2025-02-01", NOW, NOW, False),
    ],
)
def test_an_invoice_waits_by_its_period_and_its_date(start_on, issued, settled, waits):
    plan = replace(agreed(), settled_at=settled)
    assert plan.defers(date.fromisoformat(start_on), issued) is waits


def test_another_amount_is_for_what_was_not_asked_for_yet():
    plan = agreed(months=3)
    first, second, third = plan.instalments
    changed = plan.with_amount(Decimal(120), second.due_on, [first])
    assert [own.amount for own in changed.instalments] == [90, 120, 120]
    assert changed.with_amount(Decimal(120), second.due_on, [first]) == changed
    assert [plan.item_id(own) for own in plan.instalments] == [
        changed.item_id(own) for own in changed.instalments
    ]
    for day, asked in ((first.due_on, [first]), (third.due_on + timedelta(days=1), [])):
        with pytest.raises(Rejected) as refused:
            plan.with_amount(Decimal(120), day, asked)
        assert refused.value.code == "instalment_requested"


def test_a_plan_that_ends_early_asks_for_no_more():
    plan = agreed(months=4)
    first, second, third, _ = plan.instalments
    ended = plan.ended(date(2025, 3, 1), [first])
    assert (ended.instalments, ended.settle_on) == ((first,), date(2025, 4, 12))
    assert plan.ended(date(2025, 3, 1), [first, second]).instalments == (first, second)
    assert ended.ended(date(2025, 3, 1), [first]) == ended
    for day in (date(2025, 2, 1), date(2025, 6, 2)):
        with pytest.raises(Rejected, match="cannot end then"):
            plan.ended(day, [])
    with pytest.raises(Conflict, match="goes on until 2025-03-01"):
        ended.require_settleable(date(2025, 2, 28))
    ended.require_settleable(date(2025, 3, 1))
    settled = ended.settled_by(Decimal(-5), [first], NOW)
    for change in (
        lambda: settled.require_settleable(date(2025, 9, 1)),
        lambda: settled.ended(date(2025, 2, 20), []),
        lambda: settled.with_amount(Decimal(1), third.due_on, []),
    ):
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "budget_plan_settled"


def test_a_plan_is_looked_at_when_something_is_to_be_done():
    """Fourteen days before 1 February and 1 March, and 42 after 1 April."""
    plan = agreed(months=2)
    days = [date(2025, 1, 10)]
    while (day := plan.next_look_on(days[-1])) and day <= plan.settle_on:
        days.append(day)
    assert [f"{day}" for day in days[1:]] == ["2025-01-18", "2025-02-15", "2025-05-13"]
    assert [len(plan.due_requests(day)) for day in days] == [0, 1, 2, 2]
    assert plan.state(date(2025, 3, 31)) == "running"
    assert plan.state(date(2025, 4, 1)) == "ended"
    assert replace(plan, settled_at=NOW).next_look_on(days[0]) is None


@pytest.mark.parametrize(
    ("invoiced", "months", "amount"),
    [("1068.00", 12, 89), ("1068.01", 12, 90), ("0.01", 24, 1), ("0", 12, None), ("-5", 1, None)],
)
def test_a_proposal_is_rather_more_than_less(invoiced, months, amount):
    assert monthly_amount(Decimal(invoiced), months) == amount


class Budgets(RuleBasedStateMachine):
    """A customer with a plan of six months: invoices of its time and others, what is credited of
    them, money, days that pass, and the settlement."""

    def __init__(self):
        super().__init__()
        self.now, self.count = NOW, 0
        self.plan = agreed(months=6)
        self.account = CustomerAccount("acme", WHO, "EUR")
        self.posted, self.kinds, self.allocations = {}, {}, []
        self.paid, self.invoices, self.settled = ZERO, {}, []
        self.carried = ZERO

    def write(self, transaction):
        assert transaction.id not in self.kinds
        self.kinds[transaction.id] = transaction.kind
        self.allocations += transaction.allocations
        for posting in transaction.postings:
            before = self.posted.get(posting.account, ZERO)
            self.posted[posting.account] = before + posting.amount
        self.account = self.account.after(transaction)
        if transaction.kind in ("deferral", "release"):
            self.carried += transaction.posted(self.plan.account)

    def write_with_credit(self, transaction):
        self.write(transaction)
        for applied in apply_credit(self.account, CreditCause.of(transaction), self.now):
            self.write(applied)

    def live(self, item):
        sums = {}
        for own in self.allocations:
            if own.item_id == item:
                sums[own.source_id] = sums.get(own.source_id, ZERO) + own.amount
        return [LiveAllocation(item, id_, self.kinds[id_], own) for id_, own in sums.items() if own]

    @property
    def balance(self):
        return self.posted.get(self.plan.account, ZERO)

    def position(self):
        ids = map(self.plan.item_id, self.plan.instalments)
        asked = {id_: self.account.items[id_] for id_ in ids if id_ in self.account.items}
        return BudgetPosition(self.plan, asked, self.balance)

    def document(self, amount, credits_id=None, **more):
        self.count += 1
        return Document(
            UUID(int=100 + self.count), f"D-{self.count}", "acme", WHO, "EUR",
            (DocumentLine("energy", amount),), ZERO, amount, self.now, "c", credits_id, **more,
        )  # fmt: skip

    @rule(days=st.integers(1, 25))
    def days_pass(self, days):
        self.now += timedelta(days=days)
        for instalment in self.plan.due_requests(self.now.date()):
            if self.plan.settled_at is None and self.position().item(instalment) is None:
                self.write_with_credit(post(self.account, self.plan.request(instalment, self.now)))
                due_on = self.account.items[self.plan.item_id(instalment)].due_on
                asked_on = self.now.date()
                assert due_on == max(instalment.due_on, asked_on + timedelta(days=14))

    @rule(
        amount=st.decimals("0.01", 200, places=2),
        start_on=st.dates(date(2025, 1, 1), date(2025, 9, 1)),
        late=st.booleans(),
    )
    def invoice(self, amount, start_on, late):
        """One that is `late` was issued before the settlement, and comes after it."""
        issued_at = self.now
        if late and self.plan.settled_at:
            issued_at = self.plan.settled_at - timedelta(seconds=1)
        document = replace(self.document(amount, start_on=start_on), issued_at=issued_at)
        invoice = post_document(document)
        self.write(invoice)
        waits = self.plan.defers(start_on, issued_at)
        self.invoices[document.id] = (amount, waits)
        if waits:
            item = self.account.items[document.id]
            self.write(post(self.account, self.plan.deferral(item, issued_at, "c")))
        self.write_with_credit_of(invoice)

    def write_with_credit_of(self, transaction):
        for applied in apply_credit(self.account, CreditCause.of(transaction), self.now):
            self.write(applied)

    @precondition(lambda self: any(amount for amount, _ in self.invoices.values()))
    @rule(data=st.data(), whole=st.booleans())
    def credit_note(self, data, whole):
        left = [id_ for id_, (amount, _) in self.invoices.items() if amount]
        id_ = data.draw(st.sampled_from(left))
        amount, waits = self.invoices[id_]
        credited = amount if whole else data.draw(st.decimals("0.01", amount, places=2))
        note = post_document(self.document(credited, id_, is_part=not whole))
        item, live = self.account.items[id_], self.live(id_)
        taken = money_of(live) if whole else taken_for_credit(item, live, credited)
        plans = {}
        if self.plan.is_open_at(self.now):
            behind = deferring([self.plan], "acme", id_)
            plans = {own.source_id: self.plan.account for own in taken if own.source_id in behind}
        reason = Reason("", self.now, "c")
        if back := deallocate(self.account, item, taken, note.document_id, reason, plans):
            self.write(back)
        self.write_with_credit(note)
        self.invoices[id_] = (amount - credited, waits)

    @rule(amount=st.decimals("0.01", 200, places=2))
    def pay(self, amount):
        self.count += 1
        command = Command(
            "payment", UUID(int=100 + self.count), WHO, "EUR", amount, "", "", self.now, "c"
        )
        self.write(post(self.account, command))
        self.paid += amount

    @rule(amount=st.decimals(1, 200, places=2))
    def change_the_amount(self, amount):
        position = self.position()
        asked = position.instalments_asked()
        later = [own for own in self.plan.instalments if own not in asked]
        if later and not self.plan.settled_at:
            self.plan = self.plan.with_amount(amount, later[0].due_on, asked)

    @rule()
    def end(self):
        end_on = min(max(self.now.date(), self.plan.start_on + timedelta(days=1)), self.plan.end_on)
        if not self.plan.settled_at:
            self.plan = self.plan.ended(end_on, self.position().instalments_asked())

    @rule()
    def settle(self):
        """As the loop does it: once its time is over, and again by what has come since."""
        if self.plan.settled_at is None and self.now.date() < self.plan.end_on:
            return
        balance = self.balance
        if self.plan.settled_at is not None and not balance:
            return
        asked = self.position().instalments_asked()
        plan = self.plan
        self.settled.append(balance)
        self.plan = plan.settled_by(balance, asked, self.now)
        if balance:
            due_on = self.now.date() + timedelta(days=14)
            command = plan.settlement(balance, 1 + len(self.settled), self.now, due_on)
            self.write_with_credit(post(self.account, command))
        assert self.balance == 0

    @invariant()
    def what_is_owed_is_what_was_used_and_not_paid(self):
        """In all: what is open, less credit, and what waits on the plan's account."""
        used = sum((amount for amount, _ in self.invoices.values()), ZERO)
        owed = self.posted.get(chart.receivable("EUR", WHO), ZERO)
        credit = self.posted.get(chart.prepaid("EUR", WHO), ZERO)
        assert owed + credit + self.balance == used - self.paid
        assert sum(self.posted.values(), ZERO) == 0
        assert self.posted.get(chart.cash("EUR"), ZERO) == self.paid
        assert credit <= 0 <= owed

    @invariant()
    def nobody_is_asked_for_what_waits(self):
        """Nor for more than the instalments, while the plan goes on."""
        for id_, (amount, waits) in self.invoices.items():
            assert self.account.items[id_].open <= (ZERO if waits else amount)
        asked = self.position()
        assert asked.requested == sum((own.amount for own in asked.instalments_asked()), ZERO)
        assert asked.used == self.carried
        if self.plan.settled_at is None:
            waiting = sum((amount for amount, waits in self.invoices.values() if waits), ZERO)
            assert self.carried == waiting
            assert self.balance == waiting - asked.requested
        else:
            assert self.plan.settled == sum(self.settled, ZERO)


def test_a_plan_comes_to_what_was_used_whatever_happens():
    run_state_machine_as_test(
        Budgets, settings=settings(examples(100), stateful_step_count=40, print_blob=True)
    )


def test_an_instalment_is_asked_for_two_weeks_before():
    assert requested_on(Instalment(date(2025, 3, 1), Decimal(1))) == date(2025, 2, 15)


@pytest.mark.parametrize(
    ("agreed_on", "asked_on", "due_on"),
    [
        ("2025-01-10", "2025-02-15", "2025-03-01"),
        ("2025-01-10", "2025-03-11", "2025-03-25"),  # after three weeks without loops
        ("2025-02-20", "2025-02-20", "2025-03-01"),  # agreed so, at short notice
    ],
)
def test_what_is_asked_for_late_is_due_later(agreed_on, asked_on, due_on):
    plan = replace(agreed(), agreed_at=datetime.fromisoformat(f"{agreed_on}T08:00:00+00:00"))
    instalment = Instalment(date(2025, 3, 1), Decimal(90))
    command = plan.request(instalment, datetime.fromisoformat(f"{asked_on}T00:00:00+00:00"))
    assert (f"{command.due_on}", command.id) == (due_on, plan.item_id(instalment))


BEFORE, SETTLED, AFTER = (NOW + timedelta(days=days) for days in (100, 200, 300))


@pytest.mark.parametrize(
    ("short", "credited", "settled_at", "back"),
    [
        (100, [(AFTER, 100)], SETTLED, 0),
        (100, [(BEFORE, 30), (AFTER, 70)], SETTLED, 30),
        (80, [(BEFORE, 30), (AFTER, 70)], SETTLED, 10),  # the first was there before the deferral
        (50, [(BEFORE, 30)], None, 30),  # money has paid the rest: that is credit now
    ],
)
def test_what_came_back_to_a_plan_before_its_settlement(short, credited, settled_at, back):
    plan = replace(agreed(), settled_at=settled_at)
    assert plan.given_back(Decimal(short), [(at, Decimal(own)) for at, own in credited]) == back
