"""Where blocks fall in local days, of 23 to 25 hours, on half-hour grids."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gridtally.ingest.domain.local_days import (
    DaySlot,
    Misaligned,
    cut_at_midnights,
    slot_of,
    slots_per_day,
)
from gridtally.kernel.periods import Period


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "minutes", "start", "expected"),
    [
        ("UTC", 15, "2025-03-03T00:00+00:00", DaySlot(date(2025, 3, 3), 0, 96)),
        ("UTC", 60, "2025-03-03T23:00+00:00", DaySlot(date(2025, 3, 3), 23, 24)),
        ("Europe/Berlin", 15, "2025-03-29T23:00+00:00", DaySlot(date(2025, 3, 30), 0, 92)),
        ("Europe/Berlin", 15, "2025-03-30T01:00+00:00", DaySlot(date(2025, 3, 30), 8, 92)),
        ("Europe/Berlin", 15, "2025-10-26T22:45+00:00", DaySlot(date(2025, 10, 26), 99, 100)),
        ("Asia/Kolkata", 60, "2025-03-02T18:30+00:00", DaySlot(date(2025, 3, 3), 0, 24)),
        ("Australia/Lord_Howe", 30, "2025-04-05T13:00+00:00", DaySlot(date(2025, 4, 6), 0, 49)),
        ("Asia/Beirut", 60, "2025-03-29T22:00+00:00", DaySlot(date(2025, 3, 30), 0, 23)),
    ],
)
def test_the_slot_of_an_interval(zone, minutes, start, expected):
    assert slot_of(zone, minutes, at(start)) == expected


@pytest.mark.parametrize(
    ("zone", "minutes", "start"),
    [
        ("UTC", 15, "2025-03-03T00:05+00:00"),
        ("UTC", 15, "2025-03-03T00:00:01+00:00"),
        ("Asia/Kolkata", 60, "2025-03-03T00:00+00:00"),
        ("Australia/Lord_Howe", 60, "2025-04-05T13:00+00:00"),
    ],
)
def test_beside_the_grid(zone, minutes, start):
    with pytest.raises(Misaligned):
        slot_of(zone, minutes, at(start))


@pytest.mark.parametrize(
    ("zone", "start", "count", "expected"),
    [
        ("UTC", "2025-03-03T00:00+00:00", 96, [(3, 0, 96)]),
        ("UTC", "2025-03-03T23:30+00:00", 5, [(3, 94, 2), (4, 0, 3)]),
        ("Europe/Berlin", "2025-03-29T22:45+00:00", 94, [(29, 95, 1), (30, 0, 92), (31, 0, 1)]),
    ],
)
def test_a_block_is_cut_at_local_midnights(zone, start, count, expected):
    cut = cut_at_midnights(zone, 15, at(start), count)
    pieces = [(piece.first.day.day, piece.first.slot, piece.count) for piece in cut.pieces]
    assert pieces == expected
    assert cut.pieces[0].start_at == at(start)
    assert cut.end_at == at(start) + count * timedelta(minutes=15)


def test_slots_of_a_period():
    march = Period(date(2025, 3, 1), date(2025, 4, 1))
    assert sum(slots_per_day("Europe/Berlin", 15, march)) == 31 * 96 - 4
    assert slots_per_day("Australia/Lord_Howe", 60, Period(date(2025, 4, 6), date(2025, 4, 7))) == (
        24,
    )
