"""Registers become intervals: by hand, and what holds for all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.merge import MISSING, OF_REGISTER, Layer, resolve
from ingest.domain.registers import (
    Read,
    beyond,
    edges_around,
    held,
    next_edges,
    said,
    spread,
    stretches,
    whole,
    worth_saying,
)
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


changes = st.lists(
    st.tuples(
        st.integers(0, 4),  # whose place in the register it takes
        st.integers(0, 480).map(lambda minute: minute - minute % 5),
        st.none() | st.decimals("0", "99", places=3),
    ),
    min_size=1,
    max_size=10,
)


@given(changes, st.sampled_from([15, 60]), st.randoms())
def test_changes_told_one_by_one_come_to_what_the_reads_say_at_last(some, length, chance):
    """Each change is told from the read before it to the one after, and takes back what it must;
    some of them are told together."""
    edges = [T0 + timedelta(minutes=length * n) for n in range(600 // length)]
    reads, layers, told, changed = {}, [], None, set()
    for number, (place, minute, value) in enumerate(some):
        changed |= {reads[place].read_at} if place in reads else set()
        reads.pop(place, None)
        if value is not None:
            reads[place] = at(minute, value, digits=2, recorded=number)
            changed.add(reads[place].read_at)
        if not changed or (number + 1 < len(some) and chance.random() < 0.3):
            continue
        live, moments = list(reads.values()), [read.read_at for read in reads.values()]
        first, last = min(changed), max(changed)
        first = max((moment for moment in moments if moment < first), default=first)
        last = min((moment for moment in moments if moment > last), default=last)
        part, rest = next_edges("UTC", length, first, last, edges[-1])
        assert rest is None
        part, values = worth_saying(part, spread(stretches(live), part), told)
        span, changed = said(part, values), set()
        told = told | span if told and span else told or span
        for run in whole(part, values, 10**9):
            found = np.array([MISSING if one is None else one for one in run.values], np.int32)
            slot = edges.index(run.start_at)
            layers.append(Layer(slot, found, OF_REGISTER, number, bytes([number])))
    chance.shuffle(layers)
    found, quality = np.empty(len(edges) - 1, np.int32), np.empty(len(edges) - 1, np.uint8)
    resolve(found, quality, layers)
    expected = spread(stretches(list(reads.values())), edges)
    assert found.tolist() == [MISSING if one is None else one for one in expected]


def test_values_come_in_whole_runs_but_for_those_beyond_the_channel():
    edges = [T0 + timedelta(minutes=15 * n) for n in range(4001)]
    values = [None, 9, 9, 2, 9] + [3] * 3_995
    told = [(edges.index(run.start_at), len(run.values)) for run in whole(edges, values, 8)]
    assert told == [(0, 3_000), (3_000, 1_000)]
    [first, *_] = whole(edges, values, 8)
    assert first.values[:6] == [None, None, None, 2, None, 3]
    refused = [(edges.index(run.start_at), run.values) for run in beyond(edges, values, 8)]
    assert refused == [(1, [9, 9]), (4, [9])]
    many = [(edges.index(run.start_at), len(run.values)) for run in beyond(edges, [9] * 4_000, 8)]
    assert many == [(0, 3_000), (3_000, 1_000)]


HELD = [
    # name, reads, (reason, from, to in minutes after ten, values)
    ("a fall", [at(0, "10"), at(60, "12"), at(120, "11"), at(180, "14")],
     [("fall", 60, 120, "12", "11")]),
    ("half a dial is a fall", [at(0, "500000", digits=6), at(60, "0", digits=6)],
     [("fall", 0, 60, "500000", "0")]),
    ("more is a rollover", [at(0, "500001", digits=6), at(60, "0", digits=6)], []),
    ("an exchange", [at(0, "5"), at(60, "9", kind="exchange_final"),
     at(60, "0", kind="exchange_initial", digits=5), at(120, "1", digits=5)], []),
    ("an exchange without its end", [at(0, "5"), at(60, "0", kind="exchange_initial"),
     at(120, "1")], [("other_dial", 0, 60, "5", "0")]),
    ("an exchange without its begin", [at(0, "5"), at(60, "9", kind="exchange_final"),
     at(120, "1")], [("other_dial", 60, 120, "9", "1")]),
    ("more than its dial can show", [at(0, "99999", digits=5), at(60, "100001", digits=6)],
     [("other_dial", 0, 60, "99999", "100001")]),
]  # fmt: skip


@pytest.mark.parametrize(("reads", "expected"), [row[1:] for row in HELD],
                         ids=[row[0] for row in HELD])  # fmt: skip
def test_what_is_held(reads, expected):
    minute = timedelta(minutes=1)
    found = [
        (one.reason, (one.start_at - T0) // minute, (one.end_at - T0) // minute,
         str(one.start_value), str(one.end_value))
        for one in held(list(reversed(reads)))
    ]  # fmt: skip
    assert found == expected
    assert len(held(reads)) + len(stretches(reads)) == len({read.read_at for read in reads}) - 1


def test_a_read_of_long_ago_is_most_likely_a_mistyped_year():
    reads = [replace(at(0, "10"), read_at=datetime(202, 1, 1, tzinfo=UTC)), at(60, "12")]
    assert [one.reason for one in held(reads)] == ["too_old"]
    assert hours(reads) == [None, None, None]


NEXT = [
    # from, to, now in hours after ten; first and last edge, rest (from, to, due at)
    (0, 5, 100, (0, 5), None),
    (0.5, 0.7, 100, (0, 1), None),
    (0.5, 2.5, 2.6, (0, 2), (2, 2.5, 3)),
    (0.5, 0.7, 0.8, (0, 0), (0, 0.7, 1)),
    (2, 2, 2, (2, 2), (2, 2, 3)),
    (2, 2, 1.9, (), (2, 2, 2)),
    (0, 24 * 150, 24 * 300, (0, 24 * 100), (24 * 100, 24 * 150, 24 * 300)),
]


@pytest.mark.parametrize(("from_h", "to_h", "now_h", "expected", "rest"), NEXT)
def test_what_can_be_converted_now_and_what_is_left(from_h, to_h, now_h, expected, rest):
    hour = timedelta(hours=1)
    edges, left = next_edges("UTC", 60, T0 + from_h * hour, T0 + to_h * hour, T0 + now_h * hour)
    assert tuple((edge - T0) / hour for edge in edges[:1] + edges[-1:]) == expected
    assert rest == (
        left and tuple((at - T0) / hour for at in (left.from_at, left.to_at, left.due_at))
    )


def test_a_span_of_centuries_is_converted_in_parts():
    from_at, parts, edge = datetime(202, 1, 1, tzinfo=UTC), 0, None
    while True:
        edges, rest = next_edges("Europe/Berlin", 60, from_at, T0, T0)
        assert len(edges) <= 101 * 24 + 1
        assert edge in (None, edges[0]), "one part goes on where the one before ended"
        parts, edge = parts + 1, edges[-1]
        if rest is None:
            break
        from_at = rest.from_at
    assert (parts, edge) == (92, T0)


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
