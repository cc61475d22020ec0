"""Registers become intervals: by hand, and what holds for all of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.registers import Read, edges_around, runs, spread, stretches
from kernel.periods import midnight_utc

T0 = datetime(2025, 3, 4, 10, tzinfo=UTC)


def at(minutes, value, *, kind="reading", digits=9, multiplier=1, recorded=0):
    """A read so many minutes after ten o'clock."""
    moment = T0 + timedelta(minutes=minutes)
    recorded_at = moment + timedelta(days=recorded)
    return Read(moment, recorded_at, kind, Decimal(value), digits, Decimal(multiplier))


def hours(reads, minutes=60, slots=3):
    """The Wh of the intervals from ten o'clock on."""
    edges = [T0 + timedelta(minutes=minutes * n) for n in range(slots + 1)]
    return spread(stretches(reads), edges)


TABLE = [
    # name, reads, Wh of the hours from ten to one
    (
        "all within an hour",
        [at(0, "2000"), at(20, "2020"), at(40, "2050")],
        [50_000, None, None],
    ),
    ("evenly over two hours", [at(0, "10"), at(120, "13")], [1_500, 1_500, None]),
    ("a third does not fit in whole Wh", [at(0, "0"), at(180, "0.1")], [33, 33, 34]),
    ("from the middle of an hour", [at(30, "0"), at(120, "3")], [1_000, 2_000, None]),
    ("two stretches in one hour", [at(0, "0"), at(30, "1"), at(60, "4")], [4_000, None, None]),
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
    ("a mistaken read takes nothing back", [at(0, "10"), at(60, "12"), at(120, "11"),
     at(180, "14")], [2_000, None, 3_000]),
    ("one read alone", [at(0, "10")], [None, None, None]),
    ("no read", [], [None, None, None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reads", "energy"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_energy_of_hours(reads, energy):
    assert hours(reads) == energy
    assert hours(list(reversed(reads))) == energy


moments = st.lists(st.integers(0, 600), min_size=2, max_size=8, unique=True).map(sorted)


@given(moments, st.data(), st.sampled_from([5, 15, 60]))
def test_the_pieces_add_up_to_the_difference(minutes, data, length):
    dial, reads = Decimal(0), []
    for minute in minutes:
        dial += data.draw(st.decimals("0", "50", places=3))
        reads.append(at(minute, dial))
    edges = [T0 + timedelta(minutes=length * n) for n in range(600 // length + 2)]
    values = [value for value in spread(stretches(reads), edges) if value is not None]
    assert sum(values) == (reads[-1].value - reads[0].value) * 1000
    assert min(values) >= 0


@given(moments, st.data())
def test_intervals_between_two_reads_know_nothing_of_the_others(minutes, data):
    """So only what lies between the neighbours of a change is made anew."""
    dial, reads = Decimal(0), []
    for minute in minutes:
        dial += data.draw(st.decimals("0", "50", places=3))
        reads.append(at(minute, dial))
    edges = [T0 + timedelta(minutes=15 * n) for n in range(42)]
    whole = spread(stretches(reads), edges)
    for before, after in pairwise(reads):
        alone = spread(stretches([before, after]), edges)
        for slot, (start, end) in enumerate(pairwise(edges)):
            if before.read_at <= start and end <= after.read_at:
                assert alone[slot] == whole[slot]


def test_runs_end_at_gaps_and_where_a_block_is_full():
    edges = [T0 + timedelta(minutes=15 * n) for n in range(4001)]
    values = [None, 1, 2, None] + [3] * 3_996
    found = [(edges.index(run.start_at), len(run.values)) for run in runs(edges, values)]
    assert found == [(1, 2), (4, 3_000), (3_004, 996)]


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
    found = edges_around(zone, 60, start, end)
    assert (found[0], found[-1], len(found)) == (start, end, edges)
    assert edges_around(zone, 60, start, start) == found[:2]
