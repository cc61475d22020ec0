"""What is expected of intervals without a value, with figures worked by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.billing.domain.forecasts import expected_prices, forecast
from gridtally.billing.domain.recorded_usage import ReadingBlock, RecordedUsage
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period, slots_in_day
from gridtally.rating.prices import PRICE_MISSING, PriceSeries
from gridtally.rating.usage import MISSING

BERLIN = "Europe/Berlin"
MONDAY = date(2025, 2, 3)


def recorded(values_on, period, zone=BERLIN, minutes=60, flow="import"):
    """Days of constant usage, None where nothing was recorded."""
    days = {}
    for day in period.dates():
        if (wh := values_on(day)) is not None:
            days[day] = np.full(slots_in_day(zone, day, minutes), wh, np.int32)
    return RecordedUsage(zone, {flow: minutes}, {flow: days})


def days_of(start_on, days):
    return Period(start_on, start_on + timedelta(days=days))


def expected_on(usage, within, day, week=0):
    """The hours that are expected of a day."""
    made = forecast(usage, within)
    period = Period(day, day + ONE_DAY)
    return made.filled("import", usage.series("import", period), period, week).tolist()


def test_a_day_is_like_the_same_weekday_at_the_level_of_the_last_week():
    """Three weeks of 100 Wh an hour on workdays and 40 at weekends; the last week used half of
    that. Means: (100 + 100 + 50) / 3 = 83.333, (40 + 40 + 20) / 3 = 33.333; level: the last week
    over its means, 50 / 83.333 = 0.6. So a Monday has 50 an hour again, a Saturday 20."""

    def used(day):
        wh = 40 if day.weekday() >= 5 else 100
        return wh // 2 if day >= MONDAY + timedelta(days=14) else wh

    weeks = days_of(MONDAY, 21)
    usage = recorded(used, weeks)
    made = forecast(usage, weeks)
    assert made.levels() == {"import": Decimal("0.6000")}
    assert made.weeks == [0, 1, 2]
    next_monday, next_saturday = MONDAY + timedelta(days=21), MONDAY + timedelta(days=26)
    assert expected_on(usage, weeks, next_monday) == [50] * 24
    assert expected_on(usage, weeks, next_saturday) == [20] * 24
    # at the level of the week before, 1.2
    assert expected_on(usage, weeks, next_monday, week=1) == [100] * 24


def test_what_a_weekday_never_had_is_that_of_the_time_of_day():
    """Only a Monday of 24, 48, … Wh was recorded: each later day is expected to be like it."""
    hours = np.arange(1, 25, dtype=np.int32) * 24
    usage = RecordedUsage(BERLIN, {"import": 60}, {"import": {MONDAY: hours}})
    within = days_of(MONDAY, 7)
    assert expected_on(usage, within, MONDAY + ONE_DAY) == hours.tolist()


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2025, 3, 30), [0, 1, *range(3, 24)]),  # 02:00 does not exist
        (date(2025, 10, 26), [0, 1, 2, 2, *range(3, 24)]),  # 02:00 comes twice
    ],
)
def test_the_hour_of_a_clock_change_is_its_time_of_day(day, hours):
    weeks = days_of(day - timedelta(days=14), 14)
    days = {own: np.arange(24, dtype=np.int32) for own in weeks.dates()}
    usage = RecordedUsage(BERLIN, {"import": 60}, {"import": days})
    assert expected_on(usage, weeks, day) == hours


def test_nothing_is_expected_before_the_first_value():
    weeks = days_of(MONDAY, 14)
    usage = recorded(lambda day: 7 if day >= MONDAY + ONE_DAY else None, weeks)
    assert expected_on(usage, weeks, MONDAY) == [MISSING] * 24


def test_without_a_value_there_is_no_forecast():
    usage = recorded(lambda _: MISSING, days_of(MONDAY, 3))
    assert forecast(usage, days_of(MONDAY, 30)) is None


@given(
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=60),
    st.integers(0, 59),
    st.sampled_from([BERLIN, "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_what_is_recorded_stays_and_the_rest_is_whole_and_possible(values, first, zone):
    start = date(2025, 3, 20)
    period = days_of(start, 75)

    def used(day):
        number = (day - start).days - first
        return values[number] if 0 <= number < len(values) else None

    usage = recorded(used, period, zone, minutes=30)
    made = forecast(usage, period)
    if made is None:
        return
    series = usage.series("import", period)
    for week in made.weeks:
        filled = made.filled("import", series, period, week)
        is_recorded = series != MISSING
        assert (filled[is_recorded] == series[is_recorded]).all()
        assert filled.dtype == np.int32
        lead = usage.series("import", Period(start, start + ONE_DAY * max(first, 1)))
        after = filled[len(lead) if first else 0 :]
        assert (after >= 0).all()


def test_a_week_of_constant_use_has_the_level_one():
    weeks = days_of(MONDAY, 42)
    made = forecast(recorded(lambda _: 123, weeks), weeks)
    assert made.flows["import"].levels == [Fraction(1)] * 6


def test_unpublished_prices_are_like_those_of_the_same_weekday_and_time():
    """Two Mondays of 100 and 200 at every hour: the third is expected at 150; known ones stay."""
    start_at = datetime(2025, 2, 2, 23, tzinfo=UTC)
    prices = np.full(24 * 14, PRICE_MISSING, np.int64)
    prices[:24], prices[24 * 7 : 24 * 8] = 100, 200
    series = PriceSeries("EUR", start_at, 60, prices)
    until = start_at + timedelta(days=15)
    filled = expected_prices(series, BERLIN, start_at + timedelta(days=13), until)
    assert filled.prices[24 * 14 :].tolist() == [150] * 24
    assert filled.prices[24 * 13 : 24 * 14].tolist() == [150] * 24
    assert (filled.prices[: 24 * 13] == series.prices[: 24 * 13]).all()


def test_no_price_is_expected_of_days_beyond_what_a_series_holds():
    start_at = datetime(2025, 2, 2, 23, tzinfo=UTC)
    series = PriceSeries("EUR", start_at, 60, np.full(24, 100, np.int64))
    far = datetime(9980, 1, 1, tzinfo=UTC)
    assert expected_prices(series, BERLIN, far, far + timedelta(days=31)) is series


def test_readings_take_the_place_of_what_was_recorded():
    usage = recorded(lambda _: 5, days_of(MONDAY, 2))
    at = datetime(2025, 2, 3, 22, tzinfo=UTC)  # 23:00 in Berlin
    block = ReadingBlock("import", at, 60, np.array([7, MISSING], np.int32))
    series = usage.with_readings([block]).series("import", days_of(MONDAY, 2)).tolist()
    assert series == [5] * 23 + [7, MISSING] + [5] * 23
    assert usage.series("import", days_of(MONDAY, 2)).tolist() == [5] * 48


@pytest.mark.parametrize(("minutes", "minute", "name"), [(30, 0, "minutes"), (60, 20, "start_at")])
def test_readings_that_do_not_fit_are_pointed_at(minutes, minute, name):
    usage = recorded(lambda _: 5, days_of(MONDAY, 2))
    at = datetime(2025, 2, 3, 12, minute, tzinfo=UTC)
    block = ReadingBlock("import", at, minutes, np.zeros(1, np.int32))
    with pytest.raises(Rejected) as refused:
        usage.with_readings([block])
    assert refused.value.code == "readings_misfit"
    assert [fault.path for fault in refused.value.faults] == [f"/readings/0/{name}"]
