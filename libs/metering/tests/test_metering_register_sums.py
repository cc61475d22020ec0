"""Sums of intervals against registers: what agrees, what differs, and what is not judged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.metering.intervals import MISSING, edges_around, spread_evenly
from gridtally.metering.readings import RegisterReading, counted_energy
from gridtally.metering.validation.register_sums import compare, register_spans

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = datetime(2000, 1, 2, tzinfo=UTC)


def read(hours, value, **more):
    fields = {"kind": "reading", "digits": 6, "multiplier": Decimal(1), "decimals": 3} | more
    at = NOON + hours * HOUR
    return RegisterReading(read_at=at, recorded_at=at, value=Decimal(value), **fields)


def edges_of(hours):
    return edges_around("UTC", 60, NOON, NOON + hours * HOUR)


FOUR = np.array([100, 200, 300, 400])


@pytest.mark.parametrize(
    ("readings", "values", "sums", "missing", "tolerance", "percent"),
    [
        ([read(0, 0), read(4, 1)], FOUR, 1000, 0, 1, 0),
        ([read(0, 0), read(4, "1.001")], FOUR, 1000, 0, 1, 0),  # within the last decimal
        ([read(0, 0), read(4, "2.001")], FOUR, 1000, 0, 1, 49.975),  # 1000 of 2001 Wh
        ([read(0, 0), read(4, "0.499")], FOUR, 1000, 0, 1, 50),
        ([read(0, 0, decimals=0), read(4, 2, decimals=0)], FOUR, 1000, 0, 1000, 0),
        ([read(0, 0, multiplier=Decimal(10)), read(4, "0.1", multiplier=Decimal(10))],
         FOUR, 1000, 0, 10, 0),
        ([read(0, "999999.5"), read(4, "0.5")], FOUR, 1000, 0, 1, 0),  # a rollover
        # A quarter of the first interval, and half of the last one, lie outside.
        ([read(0.25, 0), read(3.5, "0.775")], FOUR, 775, 0, 1 + 75 + 200, 0),
        ([read(0.25, 0), read(3.5, "1.551")], FOUR, 775, 0, 276, 32.237),
        # Within one interval nothing is known but that it has no more.
        ([read(0.25, 0), read(0.5, "0.1")], FOUR, 25, 0, 101, 0),
        ([read(0.25, 0), read(0.5, "0.252")], FOUR, 25, 0, 101, 50),
        ([read(0, 0), read(4, 1)], np.array([100, MISSING, 300, 400]), 800, 1, 1, None),
        ([read(0, 0), read(1, "0.1")], np.array([100, MISSING, 300, 400]), 100, 0, 1, 0),
    ],
)  # fmt: skip
def test_a_span_is_held_against_its_intervals(readings, values, sums, missing, tolerance, percent):
    [span] = register_spans(readings, LONG_AGO)
    [check] = compare([span], edges_of(4), values)
    assert (check.intervals_wh, check.missing, check.tolerance_wh, check.percent) == (
        sums, missing, tolerance, percent
    )  # fmt: skip


def test_an_estimate_is_held_against_nothing():
    estimate = {"quality": "estimated"}
    read_over = [read(0, 0), read(1, 9, **estimate), read(2, 7, quality="substituted"), read(4, 1)]
    assert [(span.start_at, span.end_at, span.counted_wh)
            for span in register_spans(read_over, LONG_AGO)] == [
        (NOON, NOON + 4 * HOUR, 1000)
    ]  # fmt: skip
    assert register_spans([read(0, 0), read(4, 1, **estimate)], LONG_AGO) == []
    exchange = [
        read(0, 10), read(2, 12, kind="exchange_final", **estimate),
        read(2, 0, kind="exchange_initial"), read(4, 3),
    ]  # fmt: skip
    assert [span.counted_wh for span in register_spans(exchange, LONG_AGO)] == [3000]


def test_what_cannot_be_subtracted_has_no_span():
    exchange = [
        read(0, 10), read(2, 12, kind="exchange_final"), read(2, 0, kind="exchange_initial"),
        read(4, 3),
    ]  # fmt: skip
    assert [span.counted_wh for span in register_spans(exchange, LONG_AGO)] == [2000, 3000]
    assert register_spans([read(0, 10), read(1, 9)], LONG_AGO) == []
    assert register_spans([read(0, 10), read(1, 2_000_000)], LONG_AGO) == []
    assert register_spans([read(0, 10), read(1, 11)], NOON + HOUR) == []
    assert register_spans([read(0, 10)], LONG_AGO) == []
    assert compare([], edges_of(4), FOUR) == []


@given(
    st.lists(st.integers(0, 5_000), min_size=2, max_size=12),
    st.lists(st.integers(1, 400), min_size=11, max_size=11),
    st.sampled_from([0, 1, 3]),
)
def test_intervals_that_are_made_of_the_register_agree_with_it(energies, minutes, decimals):
    """Each reading is cut down to the register's last decimal, as it shows it."""
    at, total, readings = NOON, 0, []
    for energy, length in zip([0, *energies], [0, *minutes, 100], strict=False):
        at, total = at + timedelta(minutes=length), total + energy
        shown = Decimal(total) / 1000
        readings.append(RegisterReading(at, at, "reading", shown, 6, Decimal(1), decimals=3))
    edges = edges_around("UTC", 15, NOON, at)
    values = spread_evenly(counted_energy(readings, LONG_AGO), edges)
    values = np.where(values == MISSING, 0, values).astype(np.int64)
    step = Decimal(1).scaleb(-decimals)
    cut = [
        replace(reading, value=reading.value.quantize(step, ROUND_FLOOR), decimals=decimals)
        for reading in readings
    ]
    spans = register_spans(cut, LONG_AGO)
    for check in compare(spans, edges, values):
        # Values are whole Wh, so each end of a span may be off by one.
        assert abs(check.intervals_wh - check.span.counted_wh) <= check.tolerance_wh + 2


@given(st.lists(st.integers(200, 5_000), min_size=4, max_size=40), st.integers(2, 20))
def test_a_factor_is_seen_however_long_the_span(values, factor):
    hours = len(values)
    readings = [read(0, 0), read(hours, Decimal(sum(values)) / 1000)]
    spans = register_spans(readings, LONG_AGO)
    edges = edges_of(hours)
    [right] = compare(spans, edges, np.array(values))
    [wrong] = compare(spans, edges, np.array(values) * factor)
    assert right.percent == 0
    assert wrong.percent == pytest.approx(100 * (1 - 1 / factor), abs=0.5)
