from datetime import date, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.billing_calendars import (
    CALENDAR_MONTHS,
    EARLIER_CALENDARS_MAX,
    MONTHS_CHOICES,
    PERIOD_DAYS_MAX,
    READ_DATES_MAX,
    BillingCalendar,
    Calendars,
    EarlierCalendar,
)
from gridtally.kernel.periods import ONE_DAY, Period, midnight_utc, months_between

DAYS = st.dates(date(2019, 1, 1), date(2031, 12, 31))
MONTHLY_CALENDARS = st.builds(
    BillingCalendar,
    months=st.sampled_from(MONTHS_CHOICES),
    anchor_month=st.integers(1, 12),
    start_day=st.integers(1, 31),
)


def read_cycle(first_on, lengths):
    dates = accumulate(lengths, lambda day, length: day + timedelta(days=length), initial=first_on)
    return BillingCalendar(read_cycle="route-7", read_dates=tuple(dates))


CALENDARS = MONTHLY_CALENDARS | st.builds(
    read_cycle, DAYS, st.lists(st.integers(1, PERIOD_DAYS_MAX), max_size=6)
)
ROUTE_7 = BillingCalendar(
    read_cycle="route-7",
    read_dates=(date(2025, 1, 7), date(2025, 2, 4), date(2025, 3, 6), date(2025, 4, 4)),
)


def days(start_on, end_on):
    return Period(date.fromisoformat(start_on), date.fromisoformat(end_on))


@pytest.mark.parametrize(
    ("months", "anchor", "start_day", "day", "period"),
    [
        (1, 1, 1, "2025-03-01", ("2025-03-01", "2025-04-01")),
        (1, 1, 1, "2025-03-31", ("2025-03-01", "2025-04-01")),
        (1, 7, 1, "2025-03-31", ("2025-03-01", "2025-04-01")),  # every month begins a period
        (2, 1, 1, "2025-02-28", ("2025-01-01", "2025-03-01")),
        (2, 12, 1, "2025-01-15", ("2024-12-01", "2025-02-01")),
        (3, 2, 1, "2025-01-31", ("2024-11-01", "2025-02-01")),
        (3, 11, 1, "2025-01-31", ("2024-11-01", "2025-02-01")),
        (6, 4, 1, "2025-03-31", ("2024-10-01", "2025-04-01")),
        (12, 4, 1, "2025-04-01", ("2025-04-01", "2026-04-01")),
        (12, 4, 1, "2025-03-31", ("2024-04-01", "2025-04-01")),
        (1, 1, 15, "2025-03-14", ("2025-02-15", "2025-03-15")),
        (1, 1, 15, "2025-03-15", ("2025-03-15", "2025-04-15")),
        (1, 1, 15, "2025-01-14", ("2024-12-15", "2025-01-15")),
        (1, 1, 29, "2025-02-27", ("2025-01-29", "2025-02-28")),  # no 29 February
        (1, 1, 29, "2024-02-28", ("2024-01-29", "2024-02-29")),  # which 2024 has
        (1, 1, 29, "2024-02-29", ("2024-02-29", "2024-03-29")),
        (1, 1, 30, "2025-02-28", ("2025-02-28", "2025-03-30")),
        (1, 1, 31, "2025-02-28", ("2025-02-28", "2025-03-31")),  # the 31st: the last day
        (1, 1, 31, "2024-02-28", ("2024-01-31", "2024-02-29")),
        (1, 1, 31, "2025-04-30", ("2025-04-30", "2025-05-31")),
        (1, 1, 31, "2025-04-29", ("2025-03-31", "2025-04-30")),
        (1, 1, 31, "2025-12-31", ("2025-12-31", "2026-01-31")),
        (2, 1, 31, "2025-03-01", ("2025-01-31", "2025-03-31")),
        (12, 2, 29, "2024-02-28", ("2023-02-28", "2024-02-29")),
        (12, 2, 29, "2024-02-29", ("2024-02-29", "2025-02-28")),
    ],
)
def test_the_period_of_a_day(months, anchor, start_day, day, period):
    calendar = BillingCalendar(months, anchor, start_day)
    assert calendar.period_of(date.fromisoformat(day)) == days(*period)


@given(CALENDARS, DAYS)
def test_periods_tile_all_days(calendar, day):
    period = calendar.period_of(day)
    assert day in period
    assert period.days <= PERIOD_DAYS_MAX
    assert calendar.period_of(period.start_on) == period
    assert calendar.period_of(period.end_on - ONE_DAY) == period
    assert calendar.period_of(period.end_on).start_on == period.end_on
    assert calendar.period_of(period.start_on - ONE_DAY).end_on == period.start_on


@pytest.mark.parametrize(
    ("day", "period", "expected"),
    [
        ("2025-01-07", ("2025-01-07", "2025-02-04"), "2025-02-04"),
        ("2025-02-03", ("2025-01-07", "2025-02-04"), "2025-02-04"),
        ("2025-02-04", ("2025-02-04", "2025-03-06"), "2025-03-06"),
        ("2025-01-06", ("2024-01-07", "2025-01-07"), "2025-01-07"),  # before the first: 366 days
        ("2024-01-06", ("2023-01-06", "2024-01-07"), "2024-01-07"),
        ("2025-04-04", ("2025-04-04", "2026-04-05"), "2025-05-03"),  # 29 days, as the last one had
        ("2025-05-02", ("2025-04-04", "2026-04-05"), "2025-05-03"),
        ("2025-05-10", ("2025-04-04", "2026-04-05"), "2025-05-11"),  # the next date is late
        ("2026-04-04", ("2025-04-04", "2026-04-05"), "2026-04-05"),
        ("2026-04-05", ("2026-04-05", "2027-04-06"), "2026-04-06"),
    ],
)
def test_the_period_of_a_read_cycle(day, period, expected):
    day_on = date.fromisoformat(day)
    assert ROUTE_7.period_of(day_on) == days(*period)
    assert ROUTE_7.expected_end_on(day_on) == date.fromisoformat(expected)


def test_a_single_date_expects_the_next_after_thirty_days():
    calendar = BillingCalendar(read_cycle="new", read_dates=(date(2025, 1, 7),))
    assert calendar.expected_end_on(date(2025, 1, 7)) == date(2025, 2, 6)
    assert BillingCalendar(months=2).expected_end_on(date(2025, 1, 7)) == date(2025, 3, 1)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"read_cycle": "a", "months": 2}, "no months"),
        ({"read_cycle": "a", "start_day": 2}, "no months"),
        ({"read_dates": (date(2025, 1, 7),)}, "those of a read_cycle"),
        ({"read_cycle": "a", "read_dates": (date(2025, 1, 7),) * 2}, "does not so follow"),
        ({"read_cycle": "a", "read_dates": (date(2025, 1, 7), date(2025, 1, 6))}, "not so follow"),
        ({"read_cycle": "a", "read_dates": (date(2025, 1, 7), date(2026, 1, 9))}, "not so follow"),
        ({"read_cycle": "a", "read_dates": (date(1999, 12, 31),)}, "2000 to 2199"),
        ({"read_cycle": "a", "read_dates": (date(2200, 1, 1),)}, "2000 to 2199"),
        (
            {
                "read_cycle": "a",
                "read_dates": tuple(
                    date(2025, 1, 1) + timedelta(days=n) for n in range(READ_DATES_MAX + 1)
                ),
            },
            "1 to 500 dates",
        ),
    ],
)
def test_a_read_cycle_that_cannot_be_is_refused(wrong, fault):
    with pytest.raises(ValueError, match=fault):
        BillingCalendar(**wrong)


def test_a_year_between_two_dates_may_be_a_leap_year():
    dates = (date(2024, 2, 1), date(2025, 2, 1))
    assert BillingCalendar(read_cycle="a", read_dates=dates).period_of(dates[0]).days == 366


def test_an_agreement_needs_the_dates_of_its_cycle():
    named = BillingCalendar(read_cycle="route-7")
    with pytest.raises(ValueError, match="no dates of the read cycle route-7"):
        Calendars(named)
    with pytest.raises(ValueError, match="no dates of the read cycle route-7"):
        Calendars(earlier=(EarlierCalendar(date(2025, 1, 1), named),))


@given(MONTHLY_CALENDARS, st.integers(2019, 2031))
def test_a_year_has_as_many_periods_as_its_months_make(calendar, year):
    year_on = date(year, 1, 1)
    starts = {calendar.period_of(year_on + timedelta(days=n)).start_on for n in range(366)}
    begun = [start_on for start_on in starts if start_on.year == year]
    assert len(begun) == 12 // calendar.months


@pytest.mark.parametrize(
    "wrong", [{"months": 4}, {"months": 0}, {"anchor_month": 13}, {"anchor_month": 0},
              {"start_day": 32}, {"start_day": 0}],
)  # fmt: skip
def test_a_calendar_that_does_not_exist_is_refused(wrong):
    with pytest.raises(ValueError, match=r"billing period|anchor_month|start_day"):
        BillingCalendar(**wrong)


def test_calendar_months_are_the_months():
    start_on, end_on = date(2024, 11, 7), date(2026, 3, 20)
    assert list(Calendars().periods(start_on, end_on, end_on)) == months_between(start_on, end_on)


def test_first_and_last_period_are_cut_at_the_agreements_dates():
    calendars = Calendars(BillingCalendar(months=2, anchor_month=1))
    periods = list(calendars.periods(date(2025, 2, 10), date(2025, 5, 20), date(2026, 1, 1)))
    assert periods == [
        days("2025-02-10", "2025-03-01"),
        days("2025-03-01", "2025-05-01"),
        days("2025-05-01", "2025-05-20"),
    ]


def test_a_period_that_begins_before_the_day_is_whole():
    calendars = Calendars(BillingCalendar(months=12))
    assert list(calendars.periods(date(2025, 6, 1), None, date(2026, 1, 2))) == [
        days("2025-06-01", "2026-01-01"),
        days("2026-01-01", "2027-01-01"),
    ]


def test_a_change_ends_the_period_on_its_day():
    calendars = Calendars().changed(BillingCalendar(start_day=15), date(2025, 3, 20), date.min)
    assert list(calendars.periods(date(2025, 2, 10), None, date(2025, 4, 16))) == [
        days("2025-02-10", "2025-03-01"),
        days("2025-03-01", "2025-03-20"),
        days("2025-03-20", "2025-04-15"),
        days("2025-04-15", "2025-05-15"),
    ]


def test_a_change_on_the_first_day_leaves_nothing_of_the_calendar_before():
    start_on = date(2025, 2, 10)
    quarters = BillingCalendar(months=3)
    assert Calendars().changed(quarters, start_on, start_on) == Calendars(quarters)
    assert Calendars().changed(quarters, date(2025, 1, 1), start_on) == Calendars(quarters)


def test_a_change_forgets_those_from_its_day_on():
    start_on, first_on, second_on = date(2025, 1, 1), date(2025, 2, 10), date(2025, 3, 10)
    quarters, years = BillingCalendar(months=3), BillingCalendar(months=12)
    twice = Calendars().changed(quarters, first_on, start_on).changed(years, second_on, start_on)
    assert twice.earlier == (
        EarlierCalendar(first_on, CALENDAR_MONTHS),
        EarlierCalendar(second_on, quarters),
    )
    assert twice.changed(years, first_on, start_on) == Calendars(
        years, (EarlierCalendar(first_on, CALENDAR_MONTHS),)
    )
    assert twice.changed(CALENDAR_MONTHS, first_on, start_on) == Calendars()
    assert twice.changed(years, second_on, start_on) == twice  # once more changes nothing


def test_earlier_calendars_in_disorder_are_refused():
    march, april = (EarlierCalendar(date(2025, month, 1), CALENDAR_MONTHS) for month in (3, 4))
    with pytest.raises(ValueError, match="one after the other"):
        Calendars(earlier=(april, march))
    with pytest.raises(ValueError, match="one after the other"):
        Calendars(earlier=(march, march))
    many = [
        EarlierCalendar(date(2025, 1, 1) + timedelta(days=n), CALENDAR_MONTHS)
        for n in range(EARLIER_CALENDARS_MAX + 1)
    ]
    assert Calendars(earlier=tuple(many[1:])).earlier[0] == many[1]
    with pytest.raises(ValueError, match="100 times"):
        Calendars(earlier=tuple(many))


def test_a_day_outside_the_agreement_has_no_period():
    for day in (date(2025, 1, 1), date(2025, 3, 1)):
        with pytest.raises(ValueError, match="is no day from"):
            Calendars().period_of(day, date(2025, 1, 2), date(2025, 3, 1))


@given(
    st.lists(st.tuples(CALENDARS, DAYS), max_size=4),
    CALENDARS,
    DAYS,
    st.one_of(st.none(), st.integers(1, 900)),
)
def test_periods_tile_an_agreements_days_whatever_changed(changes, first, start_on, length):
    calendars = Calendars(first)
    for calendar, from_on in changes:
        calendars = calendars.changed(calendar, from_on, start_on)
    end_on = None if length is None else start_on + timedelta(days=length)
    until_on = start_on + timedelta(days=1500)
    periods = list(calendars.periods(start_on, end_on, until_on))
    assert periods[0].start_on == start_on
    for before, after in pairwise(periods):
        assert before.end_on == after.start_on
    assert periods[-1].start_on < until_on
    if end_on is None or end_on > until_on:
        assert periods[-1].end_on >= until_on
    else:
        assert periods[-1].end_on == end_on
    for period in periods:
        for day in (period.start_on, period.end_on - ONE_DAY):
            assert calendars.period_of(day, start_on, end_on) == period
    cuts = {calendar.until_on for calendar in calendars.earlier}
    begun = {period.start_on for period in periods}
    last_on = periods[-1].end_on
    assert {cut for cut in cuts if start_on < cut < last_on} <= begun


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"])
@pytest.mark.parametrize("start_day", [1, 6, 26, 30, 31])
def test_periods_meet_at_one_instant_also_on_days_on_which_clocks_change(zone, start_day):
    calendars = Calendars(BillingCalendar(start_day=start_day))
    periods = list(calendars.periods(date(2025, 1, 1), date(2026, 1, 1), date(2026, 1, 1)))
    minutes = sum(
        (midnight_utc(zone, period.end_on) - midnight_utc(zone, period.start_on)).total_seconds()
        for period in periods
    )
    year = midnight_utc(zone, date(2026, 1, 1)) - midnight_utc(zone, date(2025, 1, 1))
    assert minutes == year.total_seconds()
