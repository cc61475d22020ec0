"""What a register counted between two values: the golden rollover, and every way round."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.metering.registers import (
    check_register,
    decimals_of,
    digits_of,
    register_difference,
)

GOLDEN = {
    case["id"]: case
    for case in json.loads(
        (Path(__file__).parents[3] / "tests/golden/bills.json").read_text()
    )["cases"]
}  # fmt: skip


def test_golden_register_rollover():
    case = GOLDEN["register-rollover"]
    difference = register_difference(
        Decimal(case["previous"]), Decimal(case["current"]), case["digits"]
    )
    assert (difference.amount, difference.kind) == (Decimal(case["expect"]["kwh"]), "rollover")


@pytest.mark.parametrize(
    ("previous", "current", "digits", "amount", "kind"),
    [
        ("0", "0", 6, "0", "rise"),
        ("2000", "2020.5", 6, "20.5", "rise"),
        ("0", "999999.999", 6, "999999.999", "rise"),
        ("999999.9", "0", 6, "0.1", "rollover"),
        ("9", "4", 1, "-5", "decrease"),  # half of the range is not more than half
        ("9", "3", 1, "4", "rollover"),
        ("12435", "12360", 9, "-75", "decrease"),
    ],
)
def test_from_one_value_to_the_next(previous, current, digits, amount, kind):
    difference = register_difference(Decimal(previous), Decimal(current), digits)
    assert (difference.amount, difference.kind) == (Decimal(amount), kind)


@pytest.mark.parametrize(
    ("previous", "current", "digits"),
    [("-1", "0", 6), ("0", "1000000", 6), ("1", "1", 0), ("1", "1", 16)],
)
def test_what_no_register_shows_is_refused(previous, current, digits):
    with pytest.raises(ValueError, match="register"):
        register_difference(Decimal(previous), Decimal(current), digits)


@given(
    st.integers(0, 10**9 - 1),
    st.lists(st.integers(0, 5 * 10**8 - 1), max_size=20),
)
def test_whatever_was_used_is_counted_however_often_the_register_rolled_over(start, used):
    total, shown = start, Decimal(start).scaleb(-3)
    counted = Decimal(0)
    for energy in used:
        total += energy
        now = Decimal(total % 10**9).scaleb(-3)
        counted += register_difference(shown, now, 6).amount
        shown = now
    assert counted == Decimal(sum(used)).scaleb(-3)


@given(st.integers(0, 10**6 - 1), st.integers(0, 10**6 - 1), st.integers(1, 4 * 10**5))
def test_a_mistaken_reading_is_undone_by_the_next(start, mistake, used):
    """As long as neither way to it looks like a rollover."""
    end = min(start + used, 10**6 - 1)
    if abs(mistake - start) < 5 * 10**5 and abs(mistake - end) < 5 * 10**5:
        there = register_difference(Decimal(start), Decimal(mistake), 6).amount
        back = register_difference(Decimal(mistake), Decimal(end), 6).amount
        assert there + back == end - start


PULSES = Decimal("838.8608")
"""2²³ pulses of 0.1 Wh, as 23 bits count them (DrozmotiX/ioBroker.sourceanalytix#594)."""


@pytest.mark.parametrize(
    ("previous", "current", "amount", "kind"),
    [
        ("838.8607", "0", "0.0001", "rollover"),
        ("838.5", "12.25", "12.6108", "rollover"),  # 838.8608 − 838.5 + 12.25
        ("0", "838.8607", "838.8607", "rise"),
        ("500", "80.5696", "-419.4304", "decrease"),  # half of the range
        ("500", "80.5695", "419.4303", "rollover"),
    ],
)
def test_a_register_that_begins_again_at_any_total(previous, current, amount, kind):
    difference = register_difference(Decimal(previous), Decimal(current), 3, PULSES)
    assert (difference.amount, difference.kind) == (Decimal(amount), kind)


def test_what_lies_beyond_its_range_is_refused():
    with pytest.raises(ValueError, match=r"up to 838\.8608"):
        register_difference(PULSES, Decimal(0), 3, PULSES)


@given(st.integers(1, 2**40), st.integers(0, 2**40), st.lists(st.integers(0, 2**40), max_size=20))
def test_whatever_a_register_of_any_range_counts_is_counted(size, start, used):
    """Steps of less than half of the range, each read once."""
    total, shown, counted = start % size, Decimal(start % size), Decimal(0)
    steps = [energy % max(1, size // 2) for energy in used]
    for energy in steps:
        total += energy
        now = Decimal(total % size)
        counted += register_difference(shown, now, 13, Decimal(size)).amount
        shown = now
    assert counted == sum(steps)


@pytest.mark.parametrize(
    ("rollover", "digits", "decimals"),
    [("838.8608", 3, 4), ("1000", 3, 0), ("1000.1", 4, 1), ("0.5", 1, 1), ("16777216", 8, 0)],
)
def test_digits_and_decimals_follow_from_where_it_begins_again(rollover, digits, decimals):
    assert (digits_of(Decimal(rollover)), decimals_of(Decimal(rollover))) == (digits, decimals)
    check_register(digits, decimals, Decimal(rollover))


@pytest.mark.parametrize(
    ("digits", "decimals", "rollover", "why"),
    [
        (9, 4, "838.8608", "does not have 9 digits"),
        (2, 4, "838.8608", "does not have 2 digits"),
        (3, 3, "838.8608", "at least 4 decimals"),
        (3, 4, "0", "does not have 3 digits"),
        (0, 0, None, "1 to 15 digits"),
    ],
)
def test_a_register_that_contradicts_itself(digits, decimals, rollover, why):
    with pytest.raises(ValueError, match=why):
        check_register(digits, decimals, rollover and Decimal(rollover))
