"""Agreements of one meter and their periods against a plain model, whatever is agreed, ended,
billed, rebilled and changed in whichever order.

The model knows days alone: whose each is, by which calendar, and what was billed together. It
shares no code with the domain; what a database's constraint refuses is not tried here.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID, uuid4, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from examples import examples
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.rebillings import RebillingOrder, begins_empty, replacement_of
from gridtally.ingest.domain.periods import UnplannedAgreement, plan_agreement
from gridtally.kernel.billing_calendars import CALENDAR_MONTHS, BillingCalendar
from gridtally.kernel.periods import Period

FIRST = date(2024, 1, 1)
"""A leap year lies within the days that are tried."""
DAYS = 430
HORIZON = FIRST + timedelta(days=DAYS)
ONE_DAY = timedelta(days=1)
NAMES = UUID(int=7)
days = st.integers(0, DAYS - 1).map(lambda n: FIRST + timedelta(days=n))
calendars = st.one_of(
    st.just(CALENDAR_MONTHS),
    st.builds(
        BillingCalendar,
        months=st.sampled_from([1, 2, 3, 6, 12]),
        anchor_month=st.integers(1, 12),
        start_day=st.sampled_from([1, 15, 28, 29, 30, 31]),
    ),
)


@dataclass
class Agreed:
    """What the model knows of an agreement: its days, since when which calendar, and the days that
    were billed together."""

    start_on: date
    end_on: date | None
    calendars: list[tuple[date, BillingCalendar]]
    billed: set[tuple[date, date]] = field(default_factory=set)

    @property
    def days(self):
        end_on = HORIZON if self.end_on is None else min(self.end_on, HORIZON)
        return {self.start_on + n * ONE_DAY for n in range((end_on - self.start_on).days)}

    @property
    def billed_until(self):
        return max((end_on for _, end_on in self.billed), default=self.start_on)

    def calendar_on(self, day):
        return [own for since, own in self.calendars if since <= day][-1]

    def begins(self, day):
        """Whether a period begins on a day, unless it was billed with the day before."""
        if day == self.start_on or day in {since for since, _ in self.calendars}:
            return True
        if any(day in ends for ends in self.billed):
            return True
        own = self.calendar_on(day)
        last = ((day.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY).day
        is_month = (day.month - own.anchor_month) % own.months == 0
        return is_month and day.day == min(own.start_day, last)

    def planned(self):
        """The periods that are left to be billed, as first and last day."""
        billed = {
            day
            for start_on, end_on in self.billed
            for day in (start_on + n * ONE_DAY for n in range((end_on - start_on).days))
        }
        periods = []
        for day in sorted(self.days - billed):
            if self.begins(day) or not periods or periods[-1][1] != day - ONE_DAY:
                periods.append((day, day))
            else:
                periods[-1] = (periods[-1][0], day)
        return periods

    def with_calendar(self, calendar, from_on):
        if from_on <= self.start_on:
            self.calendars = [(date.min, calendar)]
            return
        kept = [(since, own) for since, own in self.calendars if since < from_on]
        if kept[-1][1] != calendar:
            kept.append((from_on, calendar))
        self.calendars = kept


class MeterAgreements(RuleBasedStateMachine):
    """A meter, whose agreements follow one another; both sides are changed alike."""

    def __init__(self):
        super().__init__()
        self.agreements, self.closed, self.model = {}, {}, {}

    def add(self, agreement, agreed):
        self.agreements[agreement.id], self.closed[agreement.id] = agreement, []
        self.model[agreement.id] = agreed

    def is_free(self, wanted, *but):
        taken = [own.days for id_, own in self.model.items() if id_ not in but]
        return not any(wanted & other for other in taken)

    def chosen(self, data):
        return data.draw(st.sampled_from(sorted(self.agreements)))

    def plan(self, id_):
        """What ingest plans of an agreement as it is, around what is closed."""
        own = self.agreements[id_]
        unplanned = UnplannedAgreement("t", id_, own.meter_id, own.start_on, own.end_on, "UTC",
                                       own.calendars)  # fmt: skip
        planned = plan_agreement(unplanned, HORIZON, self.closed[id_])
        return [Period(period.start_on, period.end_on) for period in planned]

    def forget(self, id_):
        """What ingest cancels of a changed agreement, and billing credits."""
        own = self.agreements[id_]
        self.closed[id_] = [period for period in self.closed[id_] if own.spans(period)]
        agreed = self.model[id_]
        agreed.billed = {
            (start_on, end_on)
            for start_on, end_on in agreed.billed
            if agreed.start_on <= start_on and (agreed.end_on is None or end_on <= agreed.end_on)
        }

    @rule(start_on=days, length=st.integers(1, 500) | st.none(), calendar=calendars)
    def agree(self, start_on, length, calendar):
        end_on = None if length is None else start_on + timedelta(days=length)
        agreed = Agreed(start_on, end_on, [(date.min, calendar)])
        if self.is_free(agreed.days):
            id_ = uuid5(NAMES, f"agreed {len(self.agreements)}")
            new = Agreement(id_, NAMES, NAMES, NAMES, start_on, end_on, "wait", 0, 1, calendar)
            self.add(new, agreed)

    @precondition(lambda self: self.agreements)
    @rule(data=st.data(), day=days | st.none())
    def end(self, data, day):
        """An agreement ends, later than what is billed of it, or ends no more."""
        id_ = self.chosen(data)
        own, agreed = self.agreements[id_], self.model[id_]
        ended = Agreed(agreed.start_on, day, agreed.calendars)
        if own.is_cancelled or (day is not None and day <= agreed.start_on):
            return
        if (day is None or day >= agreed.billed_until) and self.is_free(ended.days, id_):
            self.agreements[id_] = Agreement(
                id_, NAMES, NAMES, NAMES, own.start_on, day, "wait", 0, own.version + 1,
                own.billing_calendar, own.earlier_calendars,
            )  # fmt: skip
            agreed.end_on = day
            self.forget(id_)

    @precondition(lambda self: self.agreements)
    @rule(data=st.data(), calendar=calendars, day=days)
    def change_calendar(self, data, calendar, day):
        """From a day on that is not billed."""
        id_ = self.chosen(data)
        agreed = self.model[id_]
        if day >= agreed.billed_until:
            self.agreements[id_] = self.agreements[id_].with_calendar(calendar, day)
            agreed.with_calendar(calendar, day)
            self.forget(id_)

    @precondition(lambda self: self.agreements)
    @rule(today=days)
    def bill(self, today):
        """All that has ended is billed, once."""
        for id_ in self.agreements:
            for period in self.plan(id_):
                if period.end_on <= today:
                    self.closed[id_].append(period)
            agreed = self.model[id_]
            agreed.billed |= {
                (start_on, last_on + ONE_DAY)
                for start_on, last_on in agreed.planned()
                if last_on < today and (self.is_over(agreed, last_on))
            }

    def is_over(self, agreed, last_on):
        """Whether a planned period ends there by its calendar, and not only at the horizon."""
        return last_on + ONE_DAY < HORIZON or agreed.begins(HORIZON)

    @precondition(lambda self: self.agreements)
    @rule(data=st.data(), from_on=days, start_on=days | st.none(), length=st.integers(1, 400))
    def rebill(self, data, from_on, start_on, length):
        """Cancelled from a day on, and replaced by another, from that day on or from another."""
        id_ = self.chosen(data)
        own, agreed = self.agreements[id_], self.model[id_]
        if own.is_cancelled or (own.end_on is not None and from_on >= own.end_on):
            return
        cut = Agreed(agreed.start_on, max(from_on, agreed.start_on), agreed.calendars)
        begins_on = start_on or cut.end_on
        new = Agreed(begins_on, begins_on + timedelta(days=length), list(agreed.calendars))
        if not self.is_free(new.days, id_) or new.days & cut.days:
            return
        changes = {"start_on": new.start_on, "end_on": new.end_on}
        replacement = replacement_of("t", own, RebillingOrder(from_on, "wrong", changes))
        assert begins_empty(own, replacement) is (new.start_on > own.start_on)
        assert not begins_empty(own, replace(replacement, customer_id=uuid4()))
        assert not begins_empty(own, replace(replacement, tariff_id=uuid4()))
        self.agreements[id_] = own.cancelled_from(from_on)
        agreed.end_on = cut.end_on
        self.forget(id_)
        self.add(replacement, new)

    @invariant()
    def each_day_is_whose_it_is(self):
        for id_, own in self.agreements.items():
            inside = {day for day in (FIRST + n * ONE_DAY for n in range(DAYS)) if day in own}
            assert inside == self.model[id_].days

    @invariant()
    def what_is_left_is_planned_once(self):
        for id_ in self.agreements:
            expected = self.model[id_].planned()
            planned = self.plan(id_)
            starts = [period.start_on for period in planned]
            assert starts == [start_on for start_on, _ in expected]
            ends = [min(period.end_on, HORIZON) - ONE_DAY for period in planned]
            assert ends == [last_on for _, last_on in expected]

    @invariant()
    def no_day_is_billed_twice(self):
        billed = [period for periods in self.closed.values() for period in periods]
        assert len({day for period in billed for day in period.dates()}) == sum(
            len(period.dates()) for period in billed
        )
        for id_, periods in self.closed.items():
            assert {(p.start_on, p.end_on) for p in periods} == self.model[id_].billed

    @invariant()
    def each_day_lies_in_a_period_of_its_agreement(self):
        for own in self.agreements.values():
            if not own.is_cancelled:
                period = own.period_of(own.start_on)
                assert period.start_on == own.start_on
                assert own.spans(period)


TestMeterAgreements = MeterAgreements.TestCase
TestMeterAgreements.settings = examples(30)
