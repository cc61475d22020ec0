"""How far a dial has gone, with the golden rollover and every way round."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.registers import advance

GOLDEN = {
    case["id"]: case
    for case in json.loads(
        (Path(__file__).parents[3] / "tests/golden/bills.json").read_text()
    )["cases"]
}  # fmt: skip


def test_golden_register_rollover():
    case = GOLDEN["register-rollover"]
    gone = advance(Decimal(case["previous"]), Decimal(case["current"]), case["digits"])
    assert (gone.amount, gone.kind) == (Decimal(case["expect"]["kwh"]), "rollover")


@pytest.mark.parametrize(
    ("previous", "current", "digits", "amount", "kind"),
    [
        ("0", "0", 6, "0", "rise"),
        ("2000", "2020.5", 6, "20.5", "rise"),
        ("0", "999999.999", 6, "999999.999", "rise"),
        ("999999.9", "0", 6, "0.1", "rollover"),
        ("9", "4", 1, "-5", "fall"),  # half the dial is not more than half
        ("9", "3", 1, "4", "rollover"),
        ("12435", "12360", 9, "-75", "fall"),
    ],
)
def test_from_one_read_to_the_next(previous, current, digits, amount, kind):
    gone = advance(Decimal(previous), Decimal(current), digits)
    assert (gone.amount, gone.kind) == (Decimal(amount), kind)


@pytest.mark.parametrize(
    ("previous", "current", "digits"),
    [("-1", "0", 6), ("0", "1000000", 6), ("1", "1", 0), ("1", "1", 16)],
)
def test_what_no_dial_shows_is_refused(previous, current, digits):
    with pytest.raises(ValueError, match="dial"):
        advance(Decimal(previous), Decimal(current), digits)


@given(
    st.integers(0, 10**9 - 1),
    st.lists(st.integers(0, 5 * 10**8 - 1), max_size=20),
)
def test_whatever_was_used_is_counted_however_often_the_dial_went_round(start, used):
    total, shown = start, Decimal(start).scaleb(-3)
    counted = Decimal(0)
    for each in used:
        total += each
        now = Decimal(total % 10**9).scaleb(-3)
        counted += advance(shown, now, 6).amount
        shown = now
    assert counted == Decimal(sum(used)).scaleb(-3)


@given(st.integers(0, 10**6 - 1), st.integers(0, 10**6 - 1), st.integers(1, 4 * 10**5))
def test_a_mistaken_read_is_taken_back_by_the_next(start, mistake, used):
    """As long as neither way to it looks like a rollover."""
    end = min(start + used, 10**6 - 1)
    if abs(mistake - start) < 5 * 10**5 and abs(mistake - end) < 5 * 10**5:
        there = advance(Decimal(start), Decimal(mistake), 6).amount
        back = advance(Decimal(mistake), Decimal(end), 6).amount
        assert there + back == end - start
