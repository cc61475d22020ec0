"""How registers go through time: golden figures, rollovers, exchanges and exact cutting."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.curves import Read, curve, worst
from ledger.domain.registry import Register

GOLDEN = {
    case["id"]: case
    for case in json.loads(
        (Path(__file__).parents[3] / "tests/golden/bills.json").read_text()
    )["cases"]
}  # fmt: skip
BEGIN = datetime(2025, 3, 1, tzinfo=UTC)
PLAIN = Register("import")


def at(hours):
    return BEGIN + timedelta(seconds=int(Decimal(hours) * 3600))


def read(hours, value, kind="reading", register=PLAIN, quality="actual"):
    return Read(at(hours), kind, Decimal(value), register, quality)


def counted(way, begin, end):
    one, other = way.at(at(begin)), way.at(at(end))
    return other.counted_kwh - one.counted_kwh


def test_golden_register_rollover():
    case = GOLDEN["register-rollover"]
    six = Register("import", digits=case["digits"])
    way = curve([read(0, case["previous"], register=six), read(24, case["current"], register=six)])
    assert counted(way, 0, 24) == Decimal(case["expect"]["kwh"])
    assert way.events(at(0), at(24)).rollovers == 1


def test_golden_meter_exchange():
    case = GOLDEN["meter-exchange"]
    way = curve(
        [
            read(0, case["old_previous"]),
            read(10, case["old_final"], "exchange_final"),
            read(10, case["new_initial"], "exchange_initial"),
            read(24, case["new_current"]),
        ]
    )
    assert counted(way, 0, 24) == Decimal(case["expect"]["kwh"])
    assert way.events(at(0), at(24)).exchanges == 1
    assert way.at(at(10)).shown_kwh == Decimal(case["new_initial"])


def test_registers_of_the_golden_fleet_hour_make_fifty_kilowatt_hours():
    way = curve([read(10, 2000), read("10.333", 2020), read("10.667", 2050)])
    assert counted(way, 10, "10.667") == 50


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
def test_between_two_reads_lies_a_straight_line_and_nothing_beyond(
    hours, shown, counted_kwh, quality
):
    point = curve([read(0, 100), read(24, 110)]).at(at(hours))
    if shown is None:
        assert point is None
    else:
        assert (point.shown_kwh, point.counted_kwh, point.quality) == (
            Decimal(shown), Decimal(counted_kwh), quality,
        )  # fmt: skip


def test_the_line_goes_on_over_the_end_of_the_dial_and_through_the_multiplier():
    dial = Register("import", digits=4, decimals=1, multiplier=Decimal(40))
    way = curve([read(0, "9999.0", register=dial), read(4, "1.0", register=dial)])
    assert [way.at(at(hours)).shown_kwh / 40 for hours in range(5)] == [
        Decimal("9999.0"), Decimal("9999.5"), 0, Decimal("0.5"), 1,
    ]  # fmt: skip
    assert counted(way, 0, 4) == 80


def test_a_new_dial_counts_with_its_own_multiplier():
    old, new = Register("import"), Register("import", digits=5, multiplier=Decimal(10))
    way = curve(
        [
            read(0, 100, register=old),
            read(1, 110, "exchange_final", old),
            read(1, 0, "exchange_initial", new),
            read(2, 3, register=new),
        ]
    )
    assert (counted(way, 0, 1), counted(way, 1, 2), counted(way, 0, 2)) == (10, 30, 40)


def test_a_mistaken_read_is_taken_back_and_shows():
    way = curve([read(0, 100), read(1, 900), read(2, 120)])
    assert counted(way, 0, 2) == 20
    assert way.events(at(0), at(2)).falls == 1


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


def test_an_estimated_read_shows_on_both_sides():
    way = curve([read(0, 1), read(2, 2, quality="estimated"), read(4, 3)])
    assert [way.at(at(hours)).quality for hours in (0, 1, 2, 3, 4)] == [
        "actual", "estimated", "estimated", "estimated", "actual",
    ]  # fmt: skip


registers = st.builds(
    Register,
    st.just("import"),
    st.integers(3, 9),
    st.integers(0, 4),
    st.sampled_from([Decimal(1), Decimal("0.5"), Decimal(40), Decimal("1.25")]),
)


@given(
    registers,
    st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 10**9)), min_size=1, max_size=8),
    st.lists(st.integers(0, 10**8), max_size=30),
)
def test_the_pieces_of_any_cutting_add_up_to_the_difference_exactly(dial, steps, cuts):
    size = 10 ** (dial.digits + dial.decimals)
    moment, total, reads, used = BEGIN, size - 5, [], 0
    for microseconds, asked in [(0, 0), *steps]:
        moment += timedelta(microseconds=microseconds)
        gone = asked % (size // 2)
        total, used = total + gone, used + gone
        shown = Decimal(total % size).scaleb(-dial.decimals)
        reads.append(Read(moment, "reading", shown, dial, "actual"))
    way = curve(reads)
    edges = sorted(
        {BEGIN, moment}
        | {BEGIN + timedelta(microseconds=cut) for cut in cuts if cut <= (moment - BEGIN) /
           timedelta(microseconds=1)}
    )  # fmt: skip
    points = [way.at(edge) for edge in edges]
    step = dial.multiplier.scaleb(-dial.decimals)
    pieces = [b.counted_kwh - a.counted_kwh for a, b in pairwise(points)]
    assert sum(pieces) == used * step
    assert all(piece >= 0 and piece % step == 0 for piece in pieces)
    assert points[-1].shown_kwh == reads[-1].value * dial.multiplier
