"""Dunning: which notice a customer gets, by tables of cases, and over random histories."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.dunning import (
    DunningHistory,
    DunningLevel,
    DunningRules,
    DunningRun,
    DunningStop,
    LastNotice,
    notice_of,
)
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payments import post
from gridtally.ledger.accounts.domain.transactions import BALANCE_MAX

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
DAY = date(2025, 3, 1)
WHO, FIRST, SECOND, FEE = (UUID(int=n) for n in range(1, 5))
RULES = DunningRules(
    (
        DunningLevel("Reminder", 3, 10),
        DunningLevel("Demand", 1, 7, {"EUR": Decimal("5.00")}),
        DunningLevel("Final notice", 5, 7, {"EUR": Decimal("10.00"), "SEK": Decimal(60)}),
    ),
    {"EUR": Decimal("10.00")},
)


def item(id_, amount, days_late, **other):
    due_on = DAY - timedelta(days=days_late)
    return OpenItem(id_, "invoice", f"N-{id_.int}", Decimal(amount), NOW, due_on, **other)


def account(*items, prepaid="0", **other):
    own = {own.id: own for own in items}
    return CustomerAccount("acme", WHO, "EUR", prepaid=Decimal(prepaid), items=own, **other)


def run(on=DAY, number=9):
    return DunningRun(UUID(int=number), on, NOW)


def reached(level, pay_by_days_ago):
    return LastNotice(level, DAY - timedelta(days=pay_by_days_ago))


def issued(owed, last=None, fees=(), planned=None, rules=RULES, on=DAY):
    history = DunningHistory(last or {}, frozenset(fees))
    return notice_of(rules, owed, history, planned or {}, run(on), NOW)


def figures(notice):
    raised = [(own.id, own.level, str(own.open)) for own in notice.items]
    amounts = (notice.others, notice.credit, notice.fee, notice.total)
    return notice.level, raised, [str(amount) for amount in amounts]


@pytest.mark.parametrize(
    ("days_late", "last", "level"),
    [
        (2, None, None),
        (3, None, 1),
        (300, None, 1),  # none is skipped, however late it is
        (300, reached(1, 0), None),  # it has time until today
        (300, reached(1, 1), 2),
        (300, reached(2, 4), None),
        (300, reached(2, 5), 3),
        (300, reached(3, 200), None),  # there is no fourth
        (300, reached(7, 200), None),  # of rules that had more levels
    ],
)
def test_an_item_reaches_the_next_level_once_it_is_time(days_late, last, level):
    notice = issued(account(item(FIRST, "50.00", days_late)), last and {FIRST: last})
    assert (notice and notice.level) == level
    if notice:
        assert notice.name == RULES.levels[level - 1].name
        assert notice.pay_by == DAY + timedelta(days=RULES.levels[level - 1].days_to_pay)


def test_one_notice_has_all_items_and_the_fee_of_the_highest_level():
    late = account(item(FIRST, "50.00", 90), item(SECOND, "30.00", 5), item(FEE, "7.00", 4))
    notice = issued(late, {FIRST: reached(1, 2)}, fees=[FEE])
    assert figures(notice) == (
        2, [(FIRST, 2, "50.00"), (SECOND, 1, "30.00")], ["7.00", "0", "5.00", "92.00"],
    )  # fmt: skip
    command = notice.fee_command("c1")
    assert (command.id, command.due_on, command.reference) == (
        notice.id, DAY + timedelta(days=7), "Demand 2025-03-01",
    )  # fmt: skip
    booked = post(late, command)
    assert [(own.account.code, str(own.amount)) for own in booked.postings] == [
        (f"receivable:{WHO}", "5.00"), ("revenue:dunning_fee", "-5.00"),
    ]  # fmt: skip
    assert (booked.kind, booked.opens.id, booked.opens.open) == (
        "dunning_fee", notice.id, Decimal("5.00"),
    )  # fmt: skip


def test_what_is_not_raised_now_is_owed_all_the_same():
    late = account(item(FIRST, "50.00", 90), item(SECOND, "30.00", 5), prepaid="15.00")
    notice = issued(late, {FIRST: reached(2, 2)})
    assert figures(notice) == (1, [(SECOND, 1, "30.00")], ["50.00", "15.00", "0", "65.00"])


@pytest.mark.parametrize(
    ("owed", "more"),
    [
        (account(item(FIRST, "9.99", 90)), {}),  # less than the least
        (account(item(FIRST, "9.99", 90), item(SECOND, "50.00", 0)), {}),  # due today
        (account(item(FIRST, "9.99", 90), item(FEE, "50.00", 90)), {"fees": [FEE]}),
        (account(item(FEE, "50.00", 90)), {"fees": [FEE]}),  # no fee for a fee
        (account(item(FIRST, "50.00", 90), prepaid="40.01"), {}),
        (account(item(FIRST, "50.00", 90), item(SECOND, "-50.00", 90)), {}),
        (account(item(FIRST, "50.00", 90, allocated=Decimal("50.00"))), {}),
        (account(item(FIRST, "50.00", 90)), {"planned": {FIRST: Decimal("40.01")}}),
        (account(item(FIRST, "50.00", 90)), {"rules": DunningRules()}),
        (account(item(FIRST, "50.00", 90), is_known=False), {}),
    ],
)
def test_nobody_is_dunned_for_what_is_not_overdue_or_too_little(owed, more):
    assert issued(owed, **more) is None


def test_what_a_plan_does_not_pay_is_dunned():
    """As what a bounced payment has opened beyond it."""
    notice = issued(account(item(FIRST, "50.00", 90)), planned={FIRST: Decimal("20.00")})
    assert figures(notice) == (1, [(FIRST, 1, "30.00")], ["0.00", "0", "0", "30.00"])


def test_an_account_that_can_hold_no_more_gets_its_notice_without_a_fee():
    full = account(item(FIRST, BALANCE_MAX - 1, 90))
    assert issued(full, {FIRST: reached(1, 90)}).fee == 0
    assert issued(full, {FIRST: reached(1, 90)}).level == 2


def test_a_fee_that_nobody_can_pay_is_refused():
    level = DunningLevel("Reminder", 1, 1, {"EUR": Decimal("0.01"), "JPY": Decimal("0.01")})
    with pytest.raises(Rejected) as refused:
        DunningRules((RULES.levels[0], level)).require_payable()
    assert [fault.path for fault in refused.value.faults] == ["/levels/1/fees"]
    RULES.require_payable()


def test_a_stop_is_in_force_through_its_last_day():
    stop = DunningStop(UUID(int=1), "disputed", date(2026, 3, 1))
    assert (stop.is_in_force(date(2026, 3, 1)), stop.is_in_force(date(2026, 3, 2))) == (True, False)
    assert replace(stop, until=None).is_in_force(date(2100, 1, 1))


def test_a_notice_is_withdrawn_once():
    notice = issued(account(item(FIRST, "50.00", 90)))
    withdrawn = notice.withdrawn(NOW, "mistake")
    assert (notice.state, withdrawn.state) == ("issued", "withdrawn")
    with pytest.raises(Conflict):
        withdrawn.withdrawn(NOW, "mistake")


IDS = tuple(UUID(int=n) for n in range(20, 24))
AMOUNTS = st.integers(0, 6000).map(lambda cents: Decimal(cents).scaleb(-2))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 20), st.none()),
        st.tuples(st.just("run"), st.none(), st.none()),
        st.tuples(st.just("pay"), st.sampled_from(IDS), AMOUNTS),
        st.tuples(st.just("bounce"), st.sampled_from(IDS), st.none()),
        st.tuples(st.just("plan"), st.sampled_from(IDS), st.booleans()),
        st.tuples(st.just("withdraw"), st.none(), st.none()),
        st.tuples(st.just("credit"), st.none(), AMOUNTS),
    ),
    max_size=60,
)
RULE_SETS = st.builds(
    DunningRules,
    st.lists(
        st.builds(
            DunningLevel,
            st.just("a level"),
            st.integers(1, 9),
            st.integers(0, 9),
            st.fixed_dictionaries({"EUR": st.sampled_from([Decimal(0), Decimal("2.50")])}),
        ),
        max_size=4,
    ).map(tuple),
    st.fixed_dictionaries({}, optional={"EUR": AMOUNTS}),
)


def test_nobody_is_dunned_for_less_than_can_be_paid():
    rules = replace(RULES, minimums={})
    assert issued(account(item(FIRST, "0.005", 90)), rules=rules) is None
    owed = account(item(FIRST, "50.005", 90))
    assert issued(owed, planned={FIRST: Decimal("50.00")}, rules=rules) is None
    assert figures(issued(owed, rules=rules))[2] == ["0.00", "0", "0", "50.00"]


def test_a_run_of_an_earlier_day_gives_time_from_now_on():
    notice = issued(account(item(FIRST, "50.00", 90)), on=DAY - timedelta(days=31))
    assert notice.pay_by == DAY + timedelta(days=10)


class Books:
    """A customer's account over time, with the notices that there were and what each item had."""

    def __init__(self, rules):
        self.rules, self.day, self.runs = rules, DAY, 0
        self.account = account(*(item(id_, "40.00", 10 * n) for n, id_ in enumerate(IDS)))
        self.planned, self.notices, self.fees = set(), [], {}

    def change(self, id_, **changes):
        items = dict(self.account.items)
        items[id_] = replace(items[id_], **changes)
        self.account = replace(self.account, items=items)

    def history(self):
        """As the store reads it: the highest level of each item, of notices that count."""
        last = {}
        for notice in self.notices:
            last |= {own.id: LastNotice(own.level, notice.pay_by) for own in notice.items}
        return DunningHistory(last, frozenset(self.fees))

    def run(self):
        self.runs += 1
        planned = {id_: self.account.items[id_].open for id_ in self.planned}
        asked = run(self.day, 1000 + self.runs)
        return notice_of(self.rules, self.account, self.history(), planned, asked, NOW)

    def withdraw(self):
        notice = self.notices.pop()
        if fee := self.fees.get(notice.id):
            self.change(notice.id, allocated=fee, voided=True)

    def check(self, notice):
        """What must hold of every notice, from the account and the levels so far alone."""
        levels = {id_: own.level for id_, own in self.history().last.items()}
        overdue = {
            own.id: own.open
            for own in self.account.items.values()
            if own.open > 0 and own.due_on < self.day and own.id not in self.planned
        }
        assert all(own.level == levels.get(own.id, 0) + 1 for own in notice.items)
        assert all(own.open == overdue[own.id] for own in notice.items)
        assert len({own.id for own in notice.items}) == len(notice.items)
        assert not self.fees.keys() & {own.id for own in notice.items}
        assert notice.total == sum(overdue.values()) + notice.fee - self.account.prepaid > 0
        least = self.rules.minimums.get("EUR", 0)
        claims = sum(amount for id_, amount in overdue.items() if id_ not in self.fees)
        assert claims - self.account.prepaid >= least
        level = self.rules.levels[max(own.level for own in notice.items) - 1]
        assert notice.fee == level.fees["EUR"]

    def issue(self, notice):
        self.check(notice)
        assert notice.id not in {own.id for own in self.notices} | self.fees.keys()
        self.notices.append(notice)
        if notice.fee:
            self.account = self.account.after(post(self.account, notice.fee_command("c")))
            self.fees[notice.id] = notice.fee
        assert self.run() is None, "the same day again does nothing"

    def step(self, kind, which, amount):
        match kind:
            case "wait":
                self.day += timedelta(days=which)
            case "run":
                if notice := self.run():
                    self.issue(notice)
            case "pay":
                own = self.account.items[which]
                self.change(which, allocated=min(own.total, own.allocated + amount))
            case "bounce":
                self.change(which, allocated=Decimal(0))
            case "plan":
                self.planned = self.planned | {which} if amount else self.planned - {which}
            case "withdraw" if self.notices:
                self.withdraw()
            case "credit":
                self.account = replace(self.account, prepaid=amount)


@given(rules=RULE_SETS, steps=STEPS)
@examples(200)
def test_levels_rise_by_one_no_fee_comes_twice_and_sums_are_right(rules, steps):
    books = Books(rules)
    for step in steps:
        books.step(*step)
    levels = [own.level for notice in books.notices for own in notice.items if own.id == IDS[0]]
    assert levels == list(range(1, len(levels) + 1))
    standing = [own for own in books.account.items.values() if own.id in books.fees]
    charged = sum(own.total for own in standing if not own.voided)
    assert charged == sum(notice.fee for notice in books.notices)
