"""Payment plans: which instalments there are, and how each stands, against a plain model."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import OpenItem
from gridtally.ledger.accounts.domain.payment_plans import (
    EqualInstalments,
    Instalment,
    ItemPosition,
    PaymentPlan,
    PlannedItem,
    PlanPosition,
    RequestedInstalment,
    instalments_of,
    requested_items,
)

TODAY = date(2025, 1, 31)
AGREED = datetime(2025, 1, 31, tzinfo=UTC)
WHO, FIRST, SECOND = (UUID(int=n) for n in (1, 2, 3))
OWN_DUE_DAY = date(2024, 12, 1)


def written(wanted, total, currency="EUR"):
    found = instalments_of(wanted, Decimal(total), currency, TODAY)
    return [(f"{own.due_on:%m-%d}", str(own.amount)) for own in found]


@pytest.mark.parametrize(
    ("wanted", "total", "currency", "expected"),
    [
        (EqualInstalments(3, TODAY), "100.00", "EUR",
         [("01-31", "33.33"), ("02-28", "33.33"), ("03-31", "33.34")]),
        (EqualInstalments(2, date(2025, 2, 15), 3), "0.03", "EUR",
         [("02-15", "0.01"), ("05-15", "0.02")]),
        (EqualInstalments(3, TODAY), "1000", "JPY",
         [("01-31", "333"), ("02-28", "333"), ("03-31", "334")]),
        (EqualInstalments(2, TODAY), "1.00005", "EUR", [("01-31", "0.50"), ("02-28", "0.50005")]),
        (EqualInstalments(1, TODAY), "7.00", "EUR", [("01-31", "7.00")]),
        ([RequestedInstalment(TODAY, Decimal("60.00")),
          RequestedInstalment(date(2025, 2, 9), None)], "100.00", "EUR",
         [("01-31", "60.00"), ("02-09", "40.00")]),
        ([RequestedInstalment(TODAY, Decimal("60.00")),
          RequestedInstalment(date(2025, 2, 9), Decimal(40))], "100.00", "EUR",
         [("01-31", "60.00"), ("02-09", "40.00")]),
    ],
)  # fmt: skip
def test_instalments_come_to_the_debt(wanted, total, currency, expected):
    assert written(wanted, total, currency) == expected


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (EqualInstalments(101, TODAY), "/equal/count"),  # of 1.00 nothing is left for each
        (EqualInstalments(2, date(2025, 1, 30)), "/equal/first_due_on"),  # yesterday
        (EqualInstalments(2, date(9999, 12, 31), 12), "/equal/first_due_on"),
        (EqualInstalments(30, TODAY, 12), "/equal/count"),  # too long
        ([(TODAY, "0.50"), (TODAY, None)], "/instalments"),  # two on a day
        ([(date(2025, 3, 1), "0.50"), (TODAY, None)], "/instalments"),
        ([(TODAY, None), (date(2025, 3, 1), "0.50")], "/instalments"),
        ([(TODAY, "0.50"), (date(2025, 3, 1), "0.49")], "/instalments"),
        ([(TODAY, "1.00"), (date(2025, 3, 1), None)], "/instalments"),  # nothing remains
        ([(TODAY, "0.505"), (date(2025, 3, 1), None)], "/instalments"),  # nobody can pay that
    ],
)
def test_instalments_that_cannot_be_are_refused(wanted, path):
    if isinstance(wanted, list):
        wanted = [RequestedInstalment(day, amount and Decimal(amount)) for day, amount in wanted]
    with pytest.raises(Rejected) as refused:
        written(wanted, "1.00")
    assert (refused.value.code, refused.value.faults[0].path) == ("invalid_instalments", path)


def item(id_, total, allocated="0"):
    amounts = Decimal(total), Decimal(allocated)
    return OpenItem(id_, "invoice", "I", amounts[0], AGREED, OWN_DUE_DAY, amounts[1])


@pytest.mark.parametrize("ids", [[SECOND], [FIRST, FIRST], [UUID(int=9)], [UUID(int=4)]])
def test_only_what_is_open_is_planned_and_once(ids):
    items = [item(FIRST, "10", "4"), item(SECOND, "10", "10"), item(UUID(int=4), "-5")]
    account = CustomerAccount("acme", WHO, "EUR", items={own.id: own for own in items})
    assert requested_items(account, [FIRST]) == {FIRST: 6}
    with pytest.raises(Rejected) as refused:
        requested_items(account, ids)
    assert refused.value.code == "item_not_open"


def plan_of(*agreed, reduced=0, days=(10, 20, 30), grace=5):
    """A plan over items of these amounts, in as many parts as there are days after `TODAY`."""
    total = sum(agreed)
    share = total // len(days)
    amounts = [share] * (len(days) - 1) + [total - share * (len(days) - 1)]
    return PaymentPlan(
        UUID(int=7), WHO, "EUR",
        tuple(
            PlannedItem(id_, Decimal(amount), Decimal(reduced))
            for id_, amount in zip((FIRST, SECOND), agreed, strict=False)
        ),
        tuple(
            Instalment(TODAY + timedelta(days=day), Decimal(amount))
            for day, amount in zip(days, amounts, strict=True)
        ),
        grace, AGREED,
    )  # fmt: skip


def position_of(plan, *items):
    states = {
        own.id: ItemPosition(OWN_DUE_DAY, Decimal(open_), Decimal(reduced))
        for own, (open_, reduced) in zip(plan.items, items, strict=True)
    }
    return PlanPosition(plan, states)


def shown(position):
    return [(int(own.amount), int(own.paid)) for own in position.instalments()]


@pytest.mark.parametrize(
    ("open_", "reduced", "expected"),
    [
        (30, 0, [(10, 0), (10, 0), (10, 0)]),
        (17, 0, [(10, 10), (10, 3), (10, 0)]),
        (0, 0, [(10, 10), (10, 10), (10, 10)]),
        (18, 12, [(10, 0), (8, 0), (0, 0)]),  # credited: from the end
        (11, 12, [(10, 7), (8, 0), (0, 0)]),
        (0, 30, [(0, 0), (0, 0), (0, 0)]),
        (45, 0, [(10, 0), (10, 0), (10, 0)]),  # an older payment bounced: not the plan's
    ],
)
def test_a_plan_is_paid_from_the_beginning_and_shrinks_from_the_end(open_, reduced, expected):
    assert shown(position_of(plan_of(30), (open_, reduced))) == expected


@pytest.mark.parametrize(
    ("open_", "day", "state", "late"),
    [
        (30, 10, "kept", 0),  # on the day itself
        (30, 11, "late", 10),
        (30, 15, "late", 10),
        (30, 16, "broken", 10),
        (25, 21, "broken", 15),
        (20, 16, "kept", 0),
        (20, 21, "late", 10),
        (20, 99, "broken", 20),
        (0, 99, "fulfilled", 0),
    ],
)
def test_the_state_follows_from_the_day(open_, day, state, late):
    position = position_of(plan_of(30), (open_, 0))
    on = TODAY + timedelta(days=day)
    assert (position.state(on), position.late(on)) == (state, late)
    moves = list(position.moves(on))
    assert bool(moves) == (state in ("kept", "late"))
    assert sum(amount for _, amount in moves) == 0


def test_what_was_reduced_before_the_agreement_is_no_news():
    plan = plan_of(30, reduced=12)
    assert shown(position_of(plan, (25, 12))) == [(10, 5), (10, 0), (10, 0)]
    assert shown(position_of(plan, (15, 22))) == [(10, 5), (10, 0), (0, 0)]
    assert position_of(plan, (30, 0)).total == 30  # what was written off is owed again: not of it


def test_one_that_has_ended_is_not_cancelled():
    for position in (
        position_of(plan_of(30), (0, 0)),
        PlanPosition(PaymentPlan(UUID(int=7), WHO, "EUR", (), (), 5, AGREED, AGREED, "broken"), {}),
    ):
        with pytest.raises(Conflict, match=r"is (fulfilled|cancelled)"):
            position.require_live(TODAY)
    position_of(plan_of(30), (30, 0)).require_live(TODAY + timedelta(days=99))


def test_somebody_looks_where_more_may_be_late():
    plan, looks, day = plan_of(30, days=(10, 13), grace=2), [], TODAY
    while day := plan.next_look_on(day):
        looks.append((day - TODAY).days)
    assert looks == [11, 13, 14, 16]


class Model:
    """The plan as a row of coins, each with the day that it is to be paid by: what is paid is taken
    from the front, what is credited from the end."""

    def __init__(self, plan):
        self.coins = [own.due_on for own in plan.instalments for _ in range(int(own.amount))]
        self.paid = 0
        self.items = {own.id: [int(own.agreed), 0, 0] for own in plan.items}  # agreed, paid, less

    def act(self, kind, id_, amount):
        agreed, paid, less = self.items[id_]
        match kind:
            case "pay":
                amount = min(amount, agreed - paid - less)
                self.paid += amount
                self.items[id_][1] += amount
            case "bounce":
                amount = min(amount, paid)
                self.paid -= amount
                self.items[id_][1] -= amount
            case "credit":  # what was paid of it is released as far as nothing else is open
                amount = min(amount, agreed - less)
                released = max(0, amount - (agreed - paid - less))
                self.coins = self.coins[: len(self.coins) - amount]
                self.paid -= released
                self.items[id_][1:] = paid - released, less + amount

    def days_late(self, on):
        return [(on - day).days for day in self.coins[self.paid :]]

    def state(self, on, grace):
        days = self.days_late(on)
        if not days:
            return "fulfilled"
        return "broken" if max(days) > grace else "late" if max(days) > 0 else "kept"


facts = st.tuples(
    st.sampled_from(["pay", "bounce", "credit"]), st.sampled_from([FIRST, SECOND]),
    st.integers(1, 40),
)  # fmt: skip


@examples(300)
@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=2).filter(lambda own: sum(own) >= 4),
    st.sets(st.integers(0, 60), min_size=1, max_size=4),
    st.integers(0, 9),
    st.lists(facts, max_size=12),
)
def test_every_plan_stands_each_day_as_the_coins_do(agreed, days, grace, history):
    plan = plan_of(*agreed, days=sorted(days), grace=grace)
    model = Model(plan)
    for fact in [None, *history]:
        if fact is not None:
            model.act(*fact)
        states = [(own - paid - less, less) for own, paid, less in model.items.values()]
        position = position_of(plan, *states)
        assert position.open == len(model.coins) - model.paid
        assert sum(own.amount for own in position.instalments()) == len(model.coins)
        for day in range(0, 75, 3):
            on = TODAY + timedelta(days=day)
            state, late = position.state(on), position.late(on)
            assert state == model.state(on, grace)
            assert late == sum(days_late > 0 for days_late in model.days_late(on))
            # Arrears are the items' own days but where the plan is kept: then what is late of it.
            moved = sum(amount for due_on, amount in position.moves(on) if due_on < on)
            is_kept = state in ("kept", "late")
            assert position.open + moved == (late if is_kept else position.open)
