"""Calendars: which season and day type a date has."""

from datetime import date, timedelta

import pytest

from gridtally.rating.calendar import Calendar, DayKind, DayType, Holidays, Season


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
    holds = {(n, h): sunday.holds(DayKind(None, n, h)) for n in range(7) for h in (False, True)}
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
    ("fields", "detail"),
    [
        ({"seasons": [Season(f"s{n}", f"01-{n + 1:02}") for n in range(13)]}, "at most 12 seasons"),
        ({"day_types": [DayType(f"d{n}", ("mon",)) for n in range(25)]}, "24 day types"),
        ({"day_types": [DayType("d", ("mon",)), DayType("d", ("tue",))]}, "'d' is there twice"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(fields, detail):
    with pytest.raises(ValueError, match=detail):
        Calendar(**{name: tuple(values) for name, values in fields.items()})


def test_a_date_that_a_day_type_names_is_of_no_other():
    """Tempo's colours (JC144/EDF_Simulateur_Prix#10), critical peaks: a dated Wednesday."""
    red, wednesday = date(2025, 1, 15), date(2025, 1, 22)
    types = (
        DayType("workday", ("mon", "tue", "wed", "thu", "fri")),
        DayType("red", dates=(red,)),
        DayType("school", dates=(red, date(2025, 1, 16))),
        DayType("feast", holidays="included"),
    )
    calendar = Calendar(day_types=types, holidays=Holidays(dates=(red,)))

    def names(day):
        kind = calendar.kind_of(day)
        return [day_type.name for day_type in types if day_type.holds(kind)]

    assert names(red) == ["red", "school"]
    assert names(date(2025, 1, 16)) == ["school"]
    assert names(wednesday) == ["workday"]
    days = {calendar.kind_of(date(2025, 1, 1) + timedelta(days=n)) for n in range(400)}
    assert days <= set(calendar.kinds())


@pytest.mark.parametrize(
    ("holidays", "day", "name"),
    [
        # the day after Christmas is a bank holiday in Belgium, and none of the public ones
        (Holidays("BE"), date(2025, 12, 26), None),
        (Holidays("BE", categories=("public", "bank")), date(2025, 12, 26), "bank"),
        (Holidays("BE", categories=("bank",)), date(2025, 12, 25), None),
    ],
)
def test_holidays_of_further_categories(holidays, day, name):
    assert (holidays.name_of(day) is not None) == (name is not None)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"country": "BE", "categories": ("workday",)}, "no holidays of the category 'workday"),
        ({"categories": ("bank",)}, "categories of holidays need a country"),
    ],
)
def test_categories_that_are_not_known_are_refused(fields, detail):
    with pytest.raises(ValueError, match=detail):
        Holidays(**fields)


def test_own_dates_are_bounded():
    with pytest.raises(ValueError, match="at most 1000 dates"):
        DayType("red", dates=(date(2025, 1, 1),) * 1001)
    with pytest.raises(ValueError, match="at most 1000 own dates"):
        Holidays(dates=(date(2025, 1, 1),) * 1001)
