from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from gridtally.kernel.periods import (
    Period,
    day_minutes,
    local_date,
    midnight_utc,
    month_of,
    months_between,
    slots_in_day,
    zone_named,
)

ZONES = sorted(available_timezones() - {"Factory", "localtime"})


@pytest.mark.parametrize(
    ("zone", "day", "minutes"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 1380),
        ("Europe/Berlin", date(2025, 10, 26), 1500),
        ("Europe/Berlin", date(2025, 7, 1), 1440),
        ("Australia/Lord_Howe", date(2025, 4, 6), 1470),
        ("Australia/Lord_Howe", date(2025, 10, 5), 1410),
        ("America/Santiago", date(2025, 9, 7), 1380),  # the clocks skip midnight itself
        ("Africa/Cairo", date(2025, 4, 25), 1380),  # likewise
        ("America/Havana", date(2025, 11, 2), 1500),  # midnight comes twice
        ("Asia/Kolkata", date(2025, 3, 30), 1440),
    ],
)
def test_length_of_local_days(zone, day, minutes):
    assert day_minutes(zone, day) == minutes


def test_days_of_every_zone_meet_without_gap_or_overlap():
    for zone in ZONES:
        for month in (3, 4, 9, 10, 11):
            day = date(2025, month, 1)
            while day.month == month:
                start_at = midnight_utc(zone, day)
                assert local_date(zone, start_at) == day, (zone, day)
                before = start_at - timedelta(minutes=1)
                assert local_date(zone, before) == day - timedelta(days=1), (zone, day)
                day += timedelta(days=1)


def test_the_day_begins_when_the_clocks_resume():
    assert midnight_utc("America/Santiago", date(2025, 9, 7)) == datetime(2025, 9, 7, 4, tzinfo=UTC)


def test_intervals_that_do_not_fill_the_day_are_refused():
    assert slots_in_day("Australia/Lord_Howe", date(2025, 10, 5), 30) == 47
    with pytest.raises(ValueError, match="do not fill"):
        slots_in_day("Australia/Lord_Howe", date(2025, 10, 5), 60)


def test_what_is_no_iana_zone_is_refused():
    files = ("posixrules", "localtime", "Factory", "posix/Europe/Berlin", "right/UTC")
    for name in ("Mars/Olympus", "../etc/passwd", "", "UTC\0", *files):
        with pytest.raises(ValueError, match="time zone"):
            zone_named(name)


def test_every_zone_of_iana_is_one():
    assert all(zone_named(name).key == name for name in ZONES)


def test_a_period_is_half_open_and_counts_local_days():
    march = month_of(date(2025, 3, 17))
    assert march == Period(date(2025, 3, 1), date(2025, 4, 1))
    assert march.slots("Europe/Berlin", 15) == 31 * 96 - 4
    assert date(2025, 4, 1) not in march
    assert march.overlap(Period(date(2025, 4, 1), date(2025, 4, 2))) is None
    with pytest.raises(ValueError, match="before it ends"):
        Period(date(2025, 4, 1), date(2025, 4, 1))


def test_months_are_cut_at_both_ends():
    assert months_between(date(2025, 1, 15), date(2025, 3, 2)) == [
        Period(date(2025, 1, 15), date(2025, 2, 1)),
        Period(date(2025, 2, 1), date(2025, 3, 1)),
        Period(date(2025, 3, 1), date(2025, 3, 2)),
    ]
