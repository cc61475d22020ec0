"""Registers become interval energy: by hand, and what holds for all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.periods import midnight_utc
from gridtally.metering.intervals import MISSING, edges_around, spread_evenly
from gridtally.metering.readings import (
    PARTS_PER_WH,
    RegisterReading,
    counted_energy,
    exceptions,
    microseconds,
    whole_units,
    whole_units_at,
)

OLDEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
T0 = datetime(2025, 3, 4, 10, tzinfo=UTC)


def at(minutes, value, *, kind="reading", digits=9, multiplier=1, recorded=0):
    """A reading so many minutes after ten o'clock."""
    moment = T0 + timedelta(minutes=minutes)
    recorded_at = moment + timedelta(days=recorded)
    return RegisterReading(moment, recorded_at, kind, Decimal(value), digits, Decimal(multiplier))


def hours(readings, minutes=60, slots=3):
    """The Wh of the intervals from ten o'clock on."""
    return spread(readings, [T0 + timedelta(minutes=minutes * n) for n in range(slots + 1)])


def spread(readings, edges):
    """The Wh between two moments; None where nothing is known."""
    edges_us = np.array([microseconds(edge) for edge in edges])
    values = spread_evenly(counted_energy(readings, OLDEST_AT), edges_us)
    return [None if value == MISSING else value for value in values.tolist()]


TABLE = [
    # name, readings, Wh of the hours from ten to one
    (
        "all within an hour",
        [at(0, "2000"), at(20, "2020"), at(40, "2050")],
        [50_000, None, None],
    ),
    ("evenly over two hours", [at(0, "10"), at(120, "13")], [1_500, 1_500, None]),
    ("a third does not fit in whole Wh", [at(0, "0"), at(180, "0.1")], [33, 33, 34]),
    ("from the middle of an hour", [at(30, "0"), at(120, "3")], [1_000, 2_000, None]),
    ("two differences in one hour", [at(0, "0"), at(30, "1"), at(60, "4")], [4_000, None, None]),
    (
        "rollover",
        [at(0, "999950", digits=6), at(60, "120", digits=6)],
        [170_000, None, None],
    ),
    (
        "meter exchange",
        [
            at(0, "45120"),
            at(60, "45260", kind="exchange_final"),
            at(60, "12", kind="exchange_initial"),
            at(120, "95"),
        ],
        [140_000, 83_000, None],
    ),
    ("transformers", [at(0, "1", multiplier="40.5"), at(60, "2", multiplier="40.5")],
     [40_500, None, None]),
    (
        "the later entry of one moment counts",
        [at(0, "0"), at(60, "5"), at(60, "7", recorded=1)],
        [7_000, None, None],
    ),
    ("a mistaken reading removes nothing", [at(0, "10"), at(60, "12"), at(120, "11"),
     at(180, "14")], [2_000, None, 3_000]),
    ("one reading alone", [at(0, "10")], [None, None, None]),
    ("no reading", [], [None, None, None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("readings", "energy"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_energy_of_hours(readings, energy):
    assert hours(readings) == energy
    assert hours(list(reversed(readings))) == energy


moments = st.lists(st.integers(0, 600), min_size=2, max_size=8, unique=True).map(sorted)


@given(moments, st.data(), st.sampled_from([5, 15, 60]))
def test_the_pieces_add_up_to_the_difference(minutes, data, length):
    value, readings = Decimal(0), []
    for minute in minutes:
        value += data.draw(st.decimals("0", "50", places=3))
        readings.append(at(minute, value))
    edges = [T0 + timedelta(minutes=length * n) for n in range(600 // length + 2)]
    values = [value for value in spread(readings, edges) if value is not None]
    assert sum(values) == (readings[-1].value - readings[0].value) * 1000
    assert min(values) >= 0


@given(moments, st.data())
def test_intervals_between_two_readings_know_nothing_of_the_others(minutes, data):
    """So only what lies between the neighbours of a change is made again."""
    value, readings = Decimal(0), []
    for minute in minutes:
        value += data.draw(st.decimals("0", "50", places=3))
        readings.append(at(minute, value))
    edges = [T0 + timedelta(minutes=15 * n) for n in range(42)]
    whole = spread(readings, edges)
    for before, after in pairwise(readings):
        alone = spread([before, after], edges)
        for slot, (start, end) in enumerate(pairwise(edges)):
            if before.read_at <= start and end <= after.read_at:
                assert alone[slot] == whole[slot]


EXCEPTIONS = [
    # name, readings, (reason, from, to in minutes after ten, values)
    ("a decrease", [at(0, "10"), at(60, "12"), at(120, "11"), at(180, "14")],
     [("decrease", 60, 120, "12", "11")]),
    ("half of the range is a decrease", [at(0, "500000", digits=6), at(60, "0", digits=6)],
     [("decrease", 0, 60, "500000", "0")]),
    ("more is a rollover", [at(0, "500001", digits=6), at(60, "0", digits=6)], []),
    ("an exchange", [at(0, "5"), at(60, "9", kind="exchange_final"),
     at(60, "0", kind="exchange_initial", digits=5), at(120, "1", digits=5)], []),
    ("an exchange without its end", [at(0, "5"), at(60, "0", kind="exchange_initial"),
     at(120, "1")], [("register_mismatch", 0, 60, "5", "0")]),
    ("an exchange without its begin", [at(0, "5"), at(60, "9", kind="exchange_final"),
     at(120, "1")], [("register_mismatch", 60, 120, "9", "1")]),
    ("more than its register can show", [at(0, "99999", digits=5), at(60, "100001", digits=6)],
     [("register_mismatch", 0, 60, "99999", "100001")]),
]  # fmt: skip


@pytest.mark.parametrize(("readings", "expected"), [row[1:] for row in EXCEPTIONS],
                         ids=[row[0] for row in EXCEPTIONS])  # fmt: skip
def test_what_makes_no_energy(readings, expected):
    minute = timedelta(minutes=1)
    reported = [
        (exception.reason, (exception.start_at - T0) // minute, (exception.end_at - T0) // minute,
         str(exception.start_value), str(exception.end_value))
        for exception in exceptions(list(reversed(readings)), OLDEST_AT)
    ]  # fmt: skip
    assert reported == expected
    moments = {reading.read_at for reading in readings}
    counted = counted_energy(readings, OLDEST_AT)
    assert len(reported) + len(counted) == len(moments) - 1


def test_a_reading_of_long_ago_is_most_likely_a_mistyped_year():
    readings = [replace(at(0, "10"), read_at=datetime(202, 1, 1, tzinfo=UTC)), at(60, "12")]
    assert [exception.reason for exception in exceptions(readings, OLDEST_AT)] == ["too_old"]
    assert hours(readings) == [None, None, None]


@pytest.mark.parametrize(
    ("zone", "day", "edges"),
    [
        ("Europe/Berlin", "2025-03-30", 24),  # 23 hours
        ("Europe/Berlin", "2025-10-26", 26),
        ("Asia/Kathmandu", "2025-03-30", 25),
        ("Australia/Lord_Howe", "2025-10-05", 25),  # 23.5 hours: the last one is half as long
    ],
)
def test_edges_follow_the_local_day(zone, day, edges):
    start = midnight_utc(zone, datetime.fromisoformat(day).date())
    end = midnight_utc(zone, datetime.fromisoformat(day).date() + timedelta(days=1))
    around = edges_around(zone, 60, start, end).tolist()
    assert (around[0], around[-1]) == (microseconds(start), microseconds(end))
    assert len(around) == edges
    assert edges_around(zone, 60, start, start).tolist() == around[:2]


@given(
    st.integers(0, 10**36),
    st.integers(0, 10**33) | st.integers(0, 10**9).map(lambda wh: wh * PARTS_PER_WH),
    st.integers(1, 4 * 10**13),
    st.sampled_from([1, PARTS_PER_WH]),
    st.data(),
)
def test_totals_at_many_moments_are_those_at_each(total, added, length, unit, data):
    """Whatever the steps: exact in 64 bits, or in Python's integers."""
    step, begin = data.draw(st.integers(1, max(length // 10, 1))), data.draw(st.integers(0, length))
    moments = {0, length, *range(begin, length, step)[:40]}
    moments |= data.draw(st.sets(st.integers(0, length), max_size=3))
    elapsed = np.array(sorted(moments))
    alone = [whole_units(total, added, at, length, unit) for at in elapsed.tolist()]
    assert whole_units_at(total, added, elapsed, length, unit).tolist() == alone


def test_energy_that_64_bits_do_not_hold_is_exact_all_the_same():
    value, multiplier = Decimal(10) ** 15 - 1, Decimal(10) ** 6
    readings = [at(0, 0, digits=15, multiplier=multiplier),
                at(120, value / 4, digits=15, multiplier=multiplier)]  # fmt: skip
    known = [energy for energy in hours(readings, minutes=5, slots=30) if energy is not None]
    assert len(known) == 24
    assert sum(known) == value / 4 * multiplier * 1000
