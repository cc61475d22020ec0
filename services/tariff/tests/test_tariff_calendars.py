"""What kind of day each date is, and calendars that cannot be read."""

from datetime import date

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.tariff.documents import check_calendar_shape
from gridtally.tariff.domain.calendars import calendar_described, days_of

CALENDAR = {
    "seasons": [{"name": "winter", "start": "10-01"}, {"name": "summer", "start": "04-01"}],
    "day_types": [
        {"name": "work", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "holidays": "excluded"},
        {"name": "free", "weekdays": ["sat", "sun"], "holidays": "included"},
        {"name": "friday", "weekdays": ["fri"]},
    ],
    "holidays": {"country": "GB", "subdivision": "ENG", "dates": ["2021-12-24"]},
}

# day -> weekday, season, day types, holiday, its name
DAYS = {
    "2021-09-30": ("thu", "summer", ("work",), False, None),
    "2021-10-01": ("fri", "winter", ("work", "friday"), False, None),
    "2021-12-24": ("fri", "winter", ("free", "friday"), True, None),
    "2021-12-25": ("sat", "winter", ("free",), True, "Christmas Day"),
    # Christmas fell on a Saturday and is kept on the Monday, Boxing Day on the Tuesday
    "2021-12-27": ("mon", "winter", ("free",), True, "Christmas Day (observed)"),
    "2021-12-28": ("tue", "winter", ("free",), True, "Boxing Day (observed)"),
    "2021-12-29": ("wed", "winter", ("work",), False, None),
}


@pytest.mark.parametrize(("day", "expected"), DAYS.items())
def test_what_kind_of_day_a_date_is(day, expected):
    on = date.fromisoformat(day)
    (day_shown,) = days_of(
        calendar_described(CALENDAR), Period(on, date.fromordinal(on.toordinal() + 1))
    )
    assert day_shown.day == on
    assert (
        day_shown.weekday, day_shown.season, day_shown.day_types, day_shown.holiday,
        day_shown.holiday_name,
    ) == expected  # fmt: skip


def test_a_calendar_may_say_nothing():
    (day_shown,) = days_of(calendar_described({}), Period(date(2025, 1, 1), date(2025, 1, 2)))
    assert (day_shown.season, day_shown.day_types, day_shown.holiday) == (None, (), False)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"seasons": [{"name": "a", "start": "02-30"}]}, "/document/seasons/0"),
        ({"seasons": [{"name": "a"}]}, "/document/seasons/0/start"),
        ({"moons": []}, "/document/moons"),
        ({"holidays": {"country": "ZZ"}}, "/document/holidays"),
        ({"holidays": {"dates": ["2025-02-30"]}}, "/document/holidays/dates/0"),
        ({"day_types": [{"name": "x", "weekdays": ["mon"]}] * 2}, "/document"),
        ({"day_types": [{"name": "x", "weekdays": ["moon"]}]}, "/document/day_types/0/weekdays/0"),
    ],
)
def test_a_wrong_calendar_is_reported_by_the_path_of_its_fault(document, path):
    with pytest.raises(Rejected) as refused:
        calendar_described(document)
        check_calendar_shape(document)
    assert [fault.path for fault in refused.value.faults] == [path]
