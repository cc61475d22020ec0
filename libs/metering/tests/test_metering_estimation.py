"""Estimates: each method by worked figures, and what holds of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.metering.estimation import (
    MISSING,
    Channel,
    Rules,
    estimate,
    runs,
    whole,
)

RULES = Rules(line_intervals_max=2, days_max=2)
NO = MISSING


def channel(rows, *, kinds=None, group=None, wanted=None):
    """Days of four slots each; what is NO is wanted."""
    values = np.array(rows, np.int64).ravel()
    missing = values == NO
    return Channel(
        values, ~missing, missing if wanted is None else np.array(wanted).ravel(),
        np.repeat(np.arange(len(rows)), len(rows[0])), np.tile(np.arange(len(rows[0])), len(rows)),
        np.array(kinds if kinds is not None else range(len(rows))),
        np.full(values.size, NO) if group is None else np.array(group).ravel() * 1_000,
    )  # fmt: skip


CASES = [
    # 10, then a straight line to 40 within the day
    ([[10, NO, NO, 40]], {}, [20, 30], "LL"),
    # over midnight too; 7 to 10 by 9 (7 + 1.5 = 8.5, rounded up)
    ([[1, 1, 1, 7], [NO, 10, 1, 1]], {}, [9], "L"),
    # three in a row are too long for a line, and no day is like this one
    ([[10, NO, NO, NO], [5, 5, 5, 5]], {}, [], ""),
    # the mean of the two latest days of its kind, not of the third and not of later ones
    ([[9, 9, 9, 9], [2, 2, 2, 2], [1, 2, 3, 4], [3, 4, 5, 6], [NO] * 4, [8, 8, 8, 8]],
     {"kinds": [0, 1, 0, 0, 0, 0]}, [2, 3, 4, 5], "WWWW"),
    # a day that lacks a slot is passed over for that slot alone
    ([[8, 8, 8, 8], [1, NO, 3, 4], [NO] * 4], {"kinds": [0, 0, 0], "wanted":
     [[False] * 4, [False] * 4, [True] * 4]}, [5, 8, 5, 6], "WWWW"),
    # its group, at half of its level: 10 of 20 where both are known
    ([[2, 3, 5, 0], [NO] * 4], {"group": [[4, 6, 10, 0], [2, 4, 6, 8]]}, [1, 2, 3, 4], "GGGG"),
    # nobody knows anything of it: as the group is
    ([[NO] * 4], {"group": [[2, 4, 6, 8]]}, [2, 4, 6, 8], "GGGG"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "more", "expected", "methods"), CASES)
def test_a_gap_is_estimated_by_the_first_method_that_can(rows, more, expected, methods):
    made = estimate(channel(rows, **more), RULES)
    chosen = made.values != MISSING
    assert made.values[chosen].tolist() == pytest.approx(expected, abs=1)
    assert bytes(made.methods[chosen]).decode() == methods
    assert int(made.values[chosen].sum()) == sum(expected)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_whole_numbers_run_with_the_sum(guess):
    numbers = whole(np.array(guess))
    off = np.cumsum(numbers) * 1_000 - np.cumsum(guess)
    assert numbers.min() >= 0
    assert np.abs(off).max() <= 500


@given(st.lists(st.booleans(), max_size=50))
def test_runs_are_where_the_flags_are(flags):
    rebuilt = np.zeros(len(flags), bool)
    for part in runs(np.array(flags, bool)):
        assert not rebuilt[part].any()
        rebuilt[part] = True
    assert rebuilt.tolist() == flags


@given(st.data())
def test_what_is_known_or_not_wanted_is_left_alone(data):
    days = data.draw(st.integers(1, 9))
    value = st.integers(-1, 9)
    rows = data.draw(
        st.lists(st.lists(value, min_size=4, max_size=4), min_size=days, max_size=days)
    )
    chosen = channel(rows, kinds=[day % 2 for day in range(days)])
    made = estimate(chosen, RULES)
    assert (made.values[~chosen.is_wanted] == MISSING).all()
    assert ((made.values == MISSING) == (made.methods == ord("-"))).all()
