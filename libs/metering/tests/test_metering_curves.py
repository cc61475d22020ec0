"""How registers go through time: golden figures, rollovers, exchanges and exact cutting."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.metering.curves import register_curve, worst
from gridtally.metering.intervals import spread_evenly
from gridtally.metering.readings import RegisterReading, counted_energy, microseconds

GOLDEN = {
    case["id"]: case
    for case in json.loads(
        (Path(__file__).parents[3] / "tests/golden/bills.json").read_text()
    )["cases"]
}  # fmt: skip
BEGIN = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Register:
    """What of a register is the same in all of its readings."""

    digits: int = 9
    decimals: int = 3
    multiplier: Decimal = Decimal(1)


PLAIN = Register()


def at(hours):
    return BEGIN + timedelta(seconds=int(Decimal(hours) * 3600))


def reading(hours, value, kind="reading", register=PLAIN, quality="actual"):
    moment = at(hours)
    return RegisterReading(
        moment, moment, kind, Decimal(value), quality=quality, **asdict(register)
    )


def counted(curve, begin, end):
    """The kWh between so many hours after the begin."""
    return curve.at(at(end)).counted_kwh - curve.at(at(begin)).counted_kwh


def test_golden_register_rollover():
    case = GOLDEN["register-rollover"]
    six = Register(digits=case["digits"])
    curve = register_curve(
        [reading(0, case["previous"], register=six), reading(24, case["current"], register=six)]
    )
    assert counted(curve, 0, 24) == Decimal(case["expect"]["kwh"])
    assert curve.events(at(0), at(24)).rollovers == 1


def test_golden_meter_exchange():
    case = GOLDEN["meter-exchange"]
    curve = register_curve(
        [
            reading(0, case["old_previous"]),
            reading(10, case["old_final"], "exchange_final"),
            reading(10, case["new_initial"], "exchange_initial"),
            reading(24, case["new_current"]),
        ]
    )
    assert counted(curve, 0, 24) == Decimal(case["expect"]["kwh"])
    assert curve.events(at(0), at(24)).exchanges == 1
    assert curve.at(at(10)).shown_kwh == Decimal(case["new_initial"])


def test_registers_of_the_golden_fleet_hour_make_fifty_kilowatt_hours():
    curve = register_curve([reading(10, 2000), reading("10.333", 2020), reading("10.667", 2050)])
    assert counted(curve, 10, "10.667") == 50


@pytest.mark.parametrize(
    ("hours", "shown", "counted_kwh", "quality"),
    [
        (-1, None, None, None),
        (0, "100", "0", "actual"),
        (6, "102.5", "2.5", "interpolated"),
        (24, "110", "10", "actual"),
        (25, None, None, None),
    ],
)
def test_between_two_readings_lies_a_straight_line_and_nothing_beyond(
    hours, shown, counted_kwh, quality
):
    point = register_curve([reading(0, 100), reading(24, 110)]).at(at(hours))
    if shown is None:
        assert point is None
    else:
        assert (point.shown_kwh, point.counted_kwh, point.quality) == (
            Decimal(shown), Decimal(counted_kwh), quality,
        )  # fmt: skip


def test_the_line_goes_on_over_the_end_of_the_register_and_through_the_multiplier():
    register = Register(digits=4, decimals=1, multiplier=Decimal(40))
    curve = register_curve(
        [reading(0, "9999.0", register=register), reading(4, "1.0", register=register)]
    )
    assert [curve.at(at(hours)).shown_kwh / 40 for hours in range(5)] == [
        Decimal("9999.0"), Decimal("9999.5"), 0, Decimal("0.5"), 1,
    ]  # fmt: skip
    assert counted(curve, 0, 4) == 80


def test_a_new_register_counts_with_its_own_multiplier():
    old, new = Register(), Register(digits=5, multiplier=Decimal(10))
    curve = register_curve(
        [
            reading(0, 100, register=old),
            reading(1, 110, "exchange_final", old),
            reading(1, 0, "exchange_initial", new),
            reading(2, 3, register=new),
        ]
    )
    assert (counted(curve, 0, 1), counted(curve, 1, 2), counted(curve, 0, 2)) == (10, 30, 40)


def test_a_mistaken_reading_is_undone_and_shows():
    curve = register_curve([reading(0, 100), reading(1, 900), reading(2, 120)])
    assert counted(curve, 0, 2) == 20
    assert curve.events(at(0), at(2)).decreases == 1


@pytest.mark.parametrize(
    ("qualities", "expected"),
    [
        ([], "missing"),
        (["actual"], "actual"),
        (["actual", "interpolated"], "interpolated"),
        (["estimated", "interpolated"], "estimated"),
        (["substituted", "estimated", "actual"], "substituted"),
    ],
)
def test_nothing_is_better_than_what_it_was_made_from(qualities, expected):
    assert worst(qualities) == expected


def test_an_estimated_reading_shows_on_both_sides():
    curve = register_curve([reading(0, 1), reading(2, 2, quality="estimated"), reading(4, 3)])
    assert [curve.at(at(hours)).quality for hours in (0, 1, 2, 3, 4)] == [
        "actual", "estimated", "estimated", "estimated", "actual",
    ]  # fmt: skip


registers = st.builds(
    Register,
    st.integers(3, 9),
    st.integers(0, 4),
    st.sampled_from([Decimal(1), Decimal("0.5"), Decimal(40), Decimal("1.25")]),
)


@given(
    registers,
    st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 10**9)), min_size=1, max_size=8),
    st.lists(st.integers(0, 10**8), max_size=30),
)
def test_the_pieces_of_any_cutting_add_up_to_the_difference_exactly(register, steps, cuts):
    size = 10 ** (register.digits + register.decimals)
    moment, total, readings, used = BEGIN, size - 5, [], 0
    for gap_us, energy in [(0, 0), *steps]:
        moment += timedelta(microseconds=gap_us)
        counted_steps = energy % (size // 2)
        total, used = total + counted_steps, used + counted_steps
        shown = Decimal(total % size).scaleb(-register.decimals)
        readings.append(RegisterReading(moment, moment, "reading", shown, **asdict(register)))
    curve = register_curve(readings)
    edges = sorted(
        {BEGIN, moment}
        | {BEGIN + timedelta(microseconds=cut) for cut in cuts if cut <= (moment - BEGIN) /
           timedelta(microseconds=1)}
    )  # fmt: skip
    points = [curve.at(edge) for edge in edges]
    step = register.multiplier.scaleb(-register.decimals)
    pieces = [b.counted_kwh - a.counted_kwh for a, b in pairwise(points)]
    assert sum(pieces) == used * step
    assert all(piece >= 0 and piece % step == 0 for piece in pieces)
    assert points[-1].shown_kwh == readings[-1].value * register.multiplier


@given(
    st.lists(st.integers(7, 10**10), min_size=1, max_size=8),
    st.lists(st.integers(0, 10**7), min_size=9, max_size=9),
    st.sampled_from([Decimal(1), Decimal(40)]),
)
def test_a_curve_counts_what_is_spread_over_intervals(gaps_us, steps, multiplier):
    """One arithmetic: where a register's last decimal is a whole Wh, both have the same pieces."""
    moment, value, readings = BEGIN, Decimal(0), []
    for gap_us, step in zip([0, *gaps_us], steps, strict=False):
        moment, value = moment + timedelta(microseconds=gap_us), value + Decimal(step).scaleb(-3)
        readings.append(RegisterReading(moment, moment, "reading", value, 9, multiplier, 3))
    length = (moment - BEGIN) // 7  # rounded up, the last edges would lie beyond the end
    edges = [BEGIN + n * length for n in range(7)] + [moment]
    edges_us = np.array([microseconds(edge) for edge in edges])
    spread = np.maximum(spread_evenly(counted_energy(readings, BEGIN), edges_us), 0).tolist()
    curve = register_curve(readings)
    kwh = [
        curve.at(end).counted_kwh - curve.at(begin).counted_kwh for begin, end in pairwise(edges)
    ]
    if multiplier == 1:
        assert [value * 1000 for value in kwh] == spread
    assert sum(kwh) * 1000 == sum(spread)
