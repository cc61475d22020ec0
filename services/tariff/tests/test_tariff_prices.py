"""Which interval of which day a price belongs to, what corrections do, and what is missing."""

import asyncio
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, slots_in_day
from gridtally.tariff.api.price_uploads import take_csv, take_json
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.price_uploads import (
    DAYS_PER_UPLOAD_MAX,
    PRICES_PER_UPLOAD_MAX,
    Upload,
    merge,
    recorded_at,
)
from gridtally.tariff.domain.prices import PriceDay, gaps, scaled, unscaled

SPRING, AUTUMN = date(2025, 3, 30), date(2025, 10, 26)
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def series(zone="Europe/Berlin", minutes=60):
    return PriceSeries(UUID(int=1), "spot", "Spot", "EUR", zone, minutes)


def uploaded(of, *starts, in_utc=False):
    """Day → interval → which of the starts fell there, counted from 1."""
    upload = Upload(of)
    for n, start in enumerate(starts, start=1):
        upload.add(f"/items/{n}", start, str(n), in_utc=in_utc)
    return {
        day.isoformat(): {slot: int(unscaled(price)) for slot, price in prices.items()}
        for day, prices in upload.by_day().items()
    }


def read_csv(of, text, chunk_bytes=7):
    upload = Upload(of)
    body = text if isinstance(text, bytes) else text.encode()

    async def chunks():
        for start in range(0, len(body), chunk_bytes):
            yield body[start : start + chunk_bytes]

    asyncio.run(take_csv(chunks(), upload))
    return upload.by_day()


def faults(call, *args):
    with pytest.raises(Rejected) as refused:
        call(*args)
    return [(fault.path, fault.detail) for fault in refused.value.faults]


# zone, minutes, starts -> the interval of the day that each falls into
SLOTS = {
    "midnight is the first": (60, ["2025-01-01T00:00"], {"2025-01-01": {0: 1}}),
    "a quarter of an hour": (15, ["2025-01-01T23:45"], {"2025-01-01": {95: 1}}),
    "UTC is an hour behind": (60, ["2025-01-01T23:00Z"], {"2025-01-02": {0: 1}}),
    "after the hour that is skipped": (60, ["2025-03-30T03:00"], {"2025-03-30": {2: 1}}),
    "the repeated hour, twice": (
        60, ["2025-10-26T02:00"] * 2 + ["2025-10-26T03:00"], {"2025-10-26": {2: 1, 3: 2, 4: 3}},
    ),
    "the repeated quarters, one hour after the other": (
        15,
        [f"2025-10-26T02:{minute}" for minute in (("00", "15", "30", "45") * 2)],
        {"2025-10-26": {slot: slot - 7 for slot in range(8, 16)}},
    ),
    "the repeated hour by its offsets": (
        60,
        ["2025-10-26T02:00+01:00", "2025-10-26T02:00+02:00"],
        {"2025-10-26": {3: 1, 2: 2}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("minutes", "starts", "expected"), SLOTS.values(), ids=SLOTS)
def test_a_price_belongs_to_an_interval_of_a_local_day(minutes, starts, expected):
    assert uploaded(series(minutes=minutes), *starts) == expected


def test_starts_in_utc_need_no_offset():
    starts = ("2025-10-26T00:00", "2025-10-26T01:00")
    assert uploaded(series(), *starts, in_utc=True) == {"2025-10-26": {2: 1, 3: 2}}


@pytest.mark.parametrize(
    ("minutes", "zone", "start", "reason"),
    [
        (60, "Europe/Berlin", "2025-03-30T02:00", "does not exist"),
        (60, "Europe/Berlin", "2025-01-01T00:30", "not where 60 minutes begin"),
        (15, "Europe/Berlin", "2025-01-01T00:00:01", "not where 15 minutes begin"),
        (60, "Europe/Berlin", "yesterday", "no date and time"),
        (60, "Europe/Berlin", "0001-01-01T00:00+23:00", "no date and time"),
        (60, "Pacific/Auckland", "9999-12-31T23:00Z", "too far"),
        (60, "Europe/Berlin", "1899-12-31T23:00", "must lie between"),
        (60, "Europe/Berlin", "2200-01-01T00:00", "must lie between"),
        (60, "Australia/Lord_Howe", "2025-04-06T12:00", "do not fill"),  # a day of 24½ hours
    ],
)
def test_a_start_that_is_none_is_refused(minutes, zone, start, reason):
    upload = Upload(series(zone, minutes))
    upload.add("/items/3", start, "1")
    ((path, detail),) = faults(upload.by_day)
    assert path == "/items/3/start"
    assert reason in detail


def test_half_hours_fill_a_day_of_24_hours_and_a_half():
    half_hours = series("Australia/Lord_Howe", 30)
    assert uploaded(half_hours, "2025-04-06T23:30") == {"2025-04-06": {48: 1}}


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("0.08123", 8_123_000),
        ("-0.00000001", -1),
        ("999999.99999999", 99_999_999_999_999),
        ("0", 0),
        ("0.000000001", None),
        ("1000000", None),
        ("-1000000", None),
        ("NaN", None),
        ("1e3", 100_000_000_000),
        ("", None),
        ("0,08", None),
    ],
)
def test_a_price_is_stored_exactly_or_refused(price, expected):
    if expected is None:
        upload = Upload(series())
        upload.add("/items/0", "2025-01-01T00:00", price)
        assert [path for path, _ in faults(upload.by_day)] == ["/items/0/price"]
    else:
        assert scaled(price) == expected
        assert unscaled(expected) == Decimal(price)


def test_two_prices_for_one_interval_are_refused():
    upload = Upload(series())
    upload.add("/items/0", "2025-01-01T00:00", "1")
    upload.add("/items/1", "2025-01-01T00:00", "1")
    upload.add_day("/days/0", date(2025, 1, 1), ["1"] * 24)
    expected = [("/items/1/start", "2025-01-01T00:00 has a price already"),
                ("/days/0/day", "2025-01-01 has prices already")]  # fmt: skip
    assert faults(upload.by_day) == expected


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2025, 1, 1), 24)])
def test_a_day_has_as_many_prices_as_hours(day, hours):
    upload = Upload(series())
    upload.add_day("/days/0", day, ["1"] * hours)
    assert list(upload.by_day()[day]) == list(range(hours))
    for wrong in (hours - 1, hours + 1, 0):
        refused = Upload(series())
        refused.add_day("/days/0", day, ["1"] * wrong)
        detail = f"{day} has {hours} intervals, not {wrong}"
        assert ("/days/0/prices", detail) in faults(refused.by_day)


def test_an_upload_is_bounded():
    by_day = Upload(series())
    with pytest.raises(Rejected, match=f"at most {DAYS_PER_UPLOAD_MAX} days"):
        for n in range(DAYS_PER_UPLOAD_MAX + 1):
            by_day.add("", f"{date(2025, 1, 1) + timedelta(days=n)}T12:00", "1")
    quarters = Upload(series("UTC", 15))
    with pytest.raises(Rejected, match=f"at most {PRICES_PER_UPLOAD_MAX} prices"):
        for n in range(PRICES_PER_UPLOAD_MAX // 96 + 1):
            quarters.add_day("", date(2025, 1, 1) + timedelta(days=n), ["1"] * 96)


def test_nothing_is_no_upload():
    assert faults(Upload(series()).by_day) == [("", "there is no price")]
    upload = Upload(series())
    upload.add_day("/days/0", SPRING, [None] * 23)
    assert faults(upload.by_day) == [("", "there is no price")]


DAY = date(2025, 1, 1)


def known(prices, version=1):
    padded = tuple(prices) + (None,) * (24 - len(prices))
    return {DAY: PriceDay(DAY, version, padded, NOW, "key")}


# known, uploaded -> version, new, corrected, unchanged
MERGES = {
    "a first price": ({}, {3: 5}, (1, 1, 0, 0)),
    "the same again": (known([5]), {0: 5}, (None, 0, 0, 1)),
    "a correction": (known([5, 6], 4), {0: 7}, (5, 0, 1, 0)),
    "nothing is a price, not a gap": (known([5]), {0: 0}, (2, 0, 1, 0)),
    "nothing, and it was known": (known([0]), {0: 0}, (None, 0, 0, 1)),
    "some of each": (known([5, 6], 2), {0: 5, 1: 7, 2: 8}, (3, 1, 1, 1)),
}


@pytest.mark.parametrize(("before", "prices", "expected"), MERGES.values(), ids=MERGES)
def test_what_an_upload_changes(before, prices, expected):
    outcome = merge(series(), {DAY: prices}, before)
    versions = [changed.version for changed in outcome.days] or [None]
    assert (*versions, outcome.new, outcome.corrected, outcome.unchanged) == expected
    for changed in outcome.days:
        was = before[DAY].prices if before else (None,) * 24
        assert changed.prices == tuple(prices.get(slot, was[slot]) for slot in range(24))


@pytest.mark.parametrize(
    ("known_at", "expected"),
    [
        (None, NOW),
        (NOW - timedelta(seconds=1), NOW),
        (NOW, NOW + timedelta(microseconds=1)),
        (NOW + timedelta(seconds=1), NOW + timedelta(seconds=1, microseconds=1)),
    ],
)
def test_an_upload_is_recorded_after_all_that_its_days_have(known_at, expected):
    """Even where it waited for one that began later, or whose clock is ahead."""
    before = {DAY: PriceDay(DAY, 1, (1,) * 24, known_at, "key")} if known_at else {}
    assert recorded_at(before, NOW) == expected


def test_gaps_join_across_midnight_and_clock_changes():
    complete = {SPRING: (1,) * 22 + (None,), date(2025, 3, 31): (None, *((1,) * 23))}
    spring = gaps(series(), Period(SPRING, date(2025, 4, 2)), complete)
    shown = [(f"{gap.start_at:%d %H}", f"{gap.end_at:%d %H}", gap.intervals) for gap in spring]
    assert shown == [("30 21", "30 23", 2), ("31 22", "01 22", 24)]
    assert (
        sum(gap.intervals for gap in gaps(series(), Period(AUTUMN, date(2025, 10, 27)), {})) == 25
    )


def test_a_day_that_hours_do_not_fill_is_no_gap():
    hourly, half_hourly = (series("Australia/Lord_Howe", minutes) for minutes in (60, 30))
    days = Period(date(2025, 4, 5), date(2025, 4, 8))
    assert [gap.intervals for gap in gaps(hourly, days, {})] == [24, 24]
    assert [gap.intervals for gap in gaps(half_hourly, days, {})] == [48 + 49 + 48]


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Adelaide"]),
    st.sampled_from([15, 30, 60]),
    st.dates(date(2024, 1, 1), date(2026, 12, 28)),
    st.integers(1, 3),
)
def test_every_interval_of_every_day_has_its_slot(zone, minutes, day, days):
    """All instants of some days, one after another, fill each day from its first to its last."""
    of = series(zone, minutes)
    period = Period(day, day + timedelta(days=days))
    start_at, end_at = period.bounds_utc(zone)
    upload = Upload(of)
    at = start_at
    while at < end_at:
        upload.add("", at.isoformat(), "1")
        at += timedelta(minutes=minutes)
    filled = upload.by_day()
    assert {day: list(slots) for day, slots in filled.items()} == {
        day: list(range(slots_in_day(zone, day, minutes))) for day in period.dates()
    }
    whole = {changed.day: changed.prices for changed in merge(of, filled, {}).days}
    assert gaps(of, period, whole) == []


GOOD_CSV = '\ufeffprice,start_local\r\n0.1,2025-01-01T00:00\r\n\r\n-0.2, "2025-01-01 01:00"'


@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 1000])
def test_a_csv_file_is_read_as_it_arrives(chunk_bytes):
    prices = read_csv(series(), GOOD_CSV, chunk_bytes)
    assert prices == {DAY: {0: 10_000_000, 1: -20_000_000}}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("start_local,price\n", ""),
        ("price\n0.1", "/rows/1"),
        ("start_local,start_utc,price\n", "/rows/1"),
        ("start_local,price\n2025-01-01T00:00,x", "/rows/2/price"),
        ("start_local,price\n\n2025-01-01T00:10,1", "/rows/3/start"),
        ("start_local,price\n2025-01-01T00:00", "/rows/2"),
        ('start_local,price\n"2025-01-01T00:00,1\n', "/rows/2"),
        (b"start_local,price\n\xff", ""),
        ("start_local,price\n2025-01-01T00:00,0,1", "/rows/2"),
        ('start_local,price\n2025-01-01T00:00,"0,1"', "/rows/2/price"),
        ("start_local,price\n01/02/2025 00:00,1", "/rows/2/start"),
        ("zone,start_local,price\nDE,2025-01-01T00:00,1", "/rows/1"),
        ("start_local,price,\n2025-01-01T00:00,1,2", "/rows/1"),
        ("start_local;price\n2025-01-01T00:00;0,1", "/rows/1"),
        ("start_local,price\n" + "x" * 2_000, "/rows/1"),
    ],
)
def test_a_wrong_csv_file_is_reported_by_its_row(text, path):
    assert [where for where, _ in faults(read_csv, series(), text)] == [path]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("start_local,price\n2025-01-01T00:00,0,1", "is there a decimal comma, 0,1 for 0.1?"),
        ('start_local,price\n2025-01-01T00:00,"0,1"', "which has a decimal comma: write 1.5"),
        ("start_local,price\n01/02/2025 00:00,1", "may mean the month or the day"),
        ("Start_Local,price\n", "is start_local meant?"),
        ("start_local,price,currency\n", "the column 'currency' is not known"),
        ("start_local;price\n", "the columns are separated by ';', and must be by ','"),
        (b"PK\x03\x04\xff", "is a ZIP archive, as Excel workbooks (.xlsx) are too"),
        ("start_local,price\n".encode("utf-16"), "is text in UTF-16"),
        ("<html>", "is a web page (HTML)"),
    ],
)
def test_a_wrong_csv_file_shows_what_was_meant(text, detail):
    [(_, reported)] = faults(read_csv, series(), text, 1000)
    assert detail in reported


def test_faults_are_reported_up_to_a_bound():
    rows = "".join(f"2025-01-01T00:{n:02}:07,1\n" for n in range(60)) * 3
    assert Counter(
        detail for _, detail in faults(read_csv, series(), f"start_local,price\n{rows}")
    ).total() == 100  # fmt: skip


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"items": [{"start": "2025-01-01T00:00", "price": 0.1}]}, "/items/0/price"),
        ({"items": [{"start": "2025-01-01T00:00", "price": "1", "unit": "W"}]}, "/items/0/unit"),
        ({"days": [{"day": "2025-02-30", "prices": []}]}, "/days/0/day"),
        ({"hours": []}, "/hours"),
        ([], ""),
    ],
)  # fmt: skip
def test_a_wrong_json_body_is_reported_by_its_pointer(body, path):
    reported = faults(take_json, json.dumps(body).encode(), Upload(series()))
    assert [where for where, _ in reported] == [path]


def test_a_json_body_that_says_two_things_is_refused():
    body = b'{"items": [{"start": "2025-01-01T00:00", "price": "1", "price": "2"}]}'
    with pytest.raises(Rejected, match="twice in one object"):
        take_json(body, Upload(series()))
