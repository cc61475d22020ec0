"""Which intervals a change of register readings makes again, and in which blocks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.merge import MISSING, OF_REGISTER, RankedPiece, rebuild_day
from gridtally.ingest.domain.registers import (
    DueRegister,
    KnownEntry,
    RegisterEntry,
    known_run,
    newer_entries,
    next_edges,
    reportable_run,
    runs_above,
    runs_within,
)
from gridtally.metering.intervals import spread_evenly
from gridtally.metering.readings import RegisterReading, counted_energy, instant, microseconds

OLDEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
T0 = datetime(2025, 3, 4, 10, tzinfo=UTC)


def at(minutes, value, *, digits=9, recorded=0):
    """A reading so many minutes after ten o'clock."""
    moment = T0 + timedelta(minutes=minutes)
    recorded_at = moment + timedelta(days=recorded)
    return RegisterReading(moment, recorded_at, "reading", Decimal(value), digits, Decimal(1))


changes = st.lists(
    st.tuples(
        st.integers(0, 4),  # which reading it is the next version of
        st.integers(0, 480).map(lambda minute: minute - minute % 5),
        st.none() | st.decimals("0", "99", places=3),
    ),
    min_size=1,
    max_size=10,
)


@given(changes, st.sampled_from([15, 60]), st.randoms())
def test_changes_reported_in_turn_come_to_what_the_last_readings_make(versions, length, chance):
    """Each change is reported from the reading before it to the one after, and voids what it must;
    some of them are reported together."""
    edges = [T0 + timedelta(minutes=length * n) for n in range(600 // length)]
    readings, pieces, reported, changed = {}, [], None, set()
    for number, (reading_id, minute, value) in enumerate(versions):
        changed |= {readings[reading_id].read_at} if reading_id in readings else set()
        readings.pop(reading_id, None)
        if value is not None:
            readings[reading_id] = at(minute, value, digits=2, recorded=number)
            changed.add(readings[reading_id].read_at)
        if not changed or (number + 1 < len(versions) and chance.random() < 0.3):
            continue
        live, moments = list(readings.values()), [entry.read_at for entry in readings.values()]
        first, last = min(changed), max(changed)
        first = max((moment for moment in moments if moment < first), default=first)
        last = min((moment for moment in moments if moment > last), default=last)
        part, remainder = next_edges("UTC", length, first, last, edges[-1])
        assert remainder is None
        spread = spread_evenly(counted_energy(live, OLDEST_AT), part)
        part, values = reportable_run(part, spread, reported)
        known, changed = known_run(part, values), set()
        reported = reported | known if reported and known else reported or known
        for run in runs_within(part, values, 10**9):
            slot = edges.index(run.start_at)
            pieces.append(
                RankedPiece(slot, stored(run.values), OF_REGISTER, number, bytes([number]))
            )
    chance.shuffle(pieces)
    day, quality = np.empty(len(edges) - 1, np.int32), np.empty(len(edges) - 1, np.uint8)
    rebuild_day(day, quality, pieces)
    energy = counted_energy(list(readings.values()), OLDEST_AT)
    assert day.tolist() == spread_evenly(energy, in_us(edges)).tolist()


def in_us(edges):
    return np.array([microseconds(edge) for edge in edges])


def stored(values):
    return np.array([MISSING if value is None else value for value in values], np.int32)


def test_values_come_in_runs_of_all_intervals_but_for_those_above_the_most():
    edges = [T0 + timedelta(minutes=15 * n) for n in range(4001)]
    values, edges_us = np.array([MISSING, 9, 9, 2, 9] + [3] * 3_995), in_us(edges)
    runs = list(runs_within(edges_us, values, 8))
    within = [(edges.index(run.start_at), len(run.values)) for run in runs]
    assert within == [(0, 3_000), (3_000, 1_000)]
    [first, *_] = runs
    assert first.values[:6] == [None, None, None, 2, None, 3]
    above = [(edges.index(run.start_at), run.values) for run in runs_above(edges_us, values, 8)]
    assert above == [(1, [9, 9]), (4, [9])]
    many = list(runs_above(edges_us, np.full(4_000, 9), 8))
    assert [(edges.index(run.start_at), len(run.values)) for run in many] == [
        (0, 3_000), (3_000, 1_000)
    ]  # fmt: skip


NEXT = [
    # from, to, now in hours after ten; first and last edge, remainder (from, to, due at)
    (0, 5, 100, (0, 5), None),
    (0.5, 0.7, 100, (0, 1), None),
    (0.5, 2.5, 2.6, (0, 2), (2, 2.5, 3)),
    (0.5, 0.7, 0.8, (0, 0), (0, 0.7, 1)),
    (2, 2, 2, (2, 2), (2, 2, 3)),
    (2, 2, 1.9, (), (2, 2, 2)),
    (0, 24 * 150, 24 * 300, (0, 24 * 100), (24 * 100, 24 * 150, 24 * 300)),
]


@pytest.mark.parametrize(("from_h", "to_h", "now_h", "expected", "left"), NEXT)
def test_what_can_be_converted_now_and_what_is_left(from_h, to_h, now_h, expected, left):
    hour = timedelta(hours=1)
    edges, remainder = next_edges(
        "UTC", 60, T0 + from_h * hour, T0 + to_h * hour, T0 + now_h * hour
    )
    ends = [instant(edge) for edge in [*edges[:1].tolist(), *edges[-1:].tolist()]]
    assert tuple((edge - T0) / hour for edge in ends) == expected
    assert left == (
        remainder
        and tuple(
            (moment - T0) / hour
            for moment in (remainder.from_at, remainder.to_at, remainder.due_at)
        )
    )


def test_a_span_of_centuries_is_converted_in_parts():
    from_at, parts, edge = datetime(202, 1, 1, tzinfo=UTC), 0, None
    while True:
        edges, remainder = next_edges("Europe/Berlin", 60, from_at, T0, T0)
        assert len(edges) <= 101 * 24 + 1
        assert edge in (None, edges[0]), "a part continues where the one before ended"
        parts, edge = parts + 1, int(edges[-1])
        if remainder is None:
            break
        from_at = remainder.from_at
    assert (parts, edge) == (92, microseconds(T0))


KEY = ("acme", UUID(int=7), "import")


def entry(version, day, *, reading=1, recorded=0):
    """A version of a reading on a day of March, recorded so many hours after T0."""
    read_at = datetime(2025, 3, day, tzinfo=UTC)
    recorded_at = T0 + timedelta(hours=recorded)
    return RegisterEntry(
        *KEY[:1], UUID(int=reading), *KEY[1:], version, "reading", Decimal(1), 6, None, Decimal(1),
        read_at, recorded_at, f"c-{version}",
    )  # fmt: skip


def test_a_reading_changes_its_register_where_it_is_and_where_it_was():
    known = {("acme", UUID(int=1)): KnownEntry(1, datetime(2025, 3, 2, tzinfo=UTC))}
    same, moved, new = entry(1, 9), entry(2, 5), entry(1, 7, reading=2, recorded=3)
    assert newer_entries([same], known) == ([], [])
    newer, [due] = newer_entries([moved, new], known)
    assert newer == [moved, new]
    assert due == DueRegister(
        KEY,
        datetime(2025, 3, 2, tzinfo=UTC),
        datetime(2025, 3, 7, tzinfo=UTC),
        T0 + timedelta(hours=3),
        "c-1",
    )
