"""Calendars: which season and day type a date has."""

from datetime import date, timedelta

import pytest

from rating.calendars import Calendar, DayType, Holidays, Season


@pytest.mark.parametrize(
    ("starts", "day", "season"),
    [
        (["04-01", "10-01"], "2025-03-31", "from 10-01"),
        (["04-01", "10-01"], "2025-04-01", "from 04-01"),
        (["10-01", "04-01"], "2025-12-31", "from 10-01"),
        (["06-15"], "2025-01-01", "from 06-15"),
        (["03-01"], "2024-02-29", "from 03-01"),
        ([], "2025-01-01", None),
    ],
)
def test_a_season_lasts_until_the_next_one_starts(starts, day, season):
    calendar = Calendar(tuple(Season(f"s{start}", start) for start in starts))
    name = calendar.kind_of(date.fromisoformat(day)).season
    assert name == (None if season is None else season.replace("from ", "s"))


@pytest.mark.parametrize(
    ("holidays", "day", "is_one"),
    [
        (Holidays("US"), date(2026, 7, 3), True),  # Independence Day falls on a Saturday
        (Holidays("US", observed=False), date(2026, 7, 3), False),
        (Holidays("US", observed=False), date(2026, 7, 4), True),
        (Holidays("DE"), date(2026, 1, 6), False),
        (Holidays("DE", "BY"), date(2026, 1, 6), True),  # Epiphany, in Bavaria
        (Holidays(dates=(date(2026, 1, 6),)), date(2026, 1, 6), True),
        (Holidays(dates=(date(2026, 1, 6),)), date(2027, 1, 6), False),
    ],
)
def test_holidays(holidays, day, is_one):
    assert Calendar(holidays=holidays).kind_of(day).holiday is is_one


@pytest.mark.parametrize("rule", ["by_weekday", "included", "excluded"])
def test_a_holiday_counts_as_its_day_type_says(rule):
    sunday = DayType("sunday", ("sun",), rule)
    holds = {(n, h): sunday.holds(n, holiday=h) for n in range(7) for h in (False, True)}
    assert [n for n in range(7) if holds[n, False]] == [6]
    assert [n for n in range(7) if holds[n, True]] == {
        "by_weekday": [6],
        "included": list(range(7)),
        "excluded": [],
    }[rule]


def test_the_kinds_of_day_are_all_that_there_are():
    calendar = Calendar((Season("a", "01-01"), Season("b", "07-01")), holidays=Holidays("FR"))
    days = {calendar.kind_of(date(2025, 1, 1) + timedelta(days=n)) for n in range(2000)}
    assert days <= set(calendar.kinds())
    assert len(list(calendar.kinds())) == 2 * 7 * 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"seasons": [Season(f"s{n}", f"01-{n + 1:02}") for n in range(13)]}, "at most 12 seasons"),
        ({"day_types": [DayType(f"d{n}", ("mon",)) for n in range(25)]}, "24 day types"),
        ({"day_types": [DayType("d", ("mon",)), DayType("d", ("tue",))]}, "'d' is there twice"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(fields, told):
    with pytest.raises(ValueError, match=told):
        Calendar(**{name: tuple(values) for name, values in fields.items()})


def test_own_dates_are_bounded():
    with pytest.raises(ValueError, match="at most 1000 own dates"):
        Holidays(dates=(date(2025, 1, 1),) * 1001)
