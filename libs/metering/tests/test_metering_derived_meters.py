"""What derived meters come down to, by hand; and that runs of days say what each day does."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.ids import own_meter_id
from gridtally.kernel.periods import Period
from gridtally.metering.derived_meters import (
    DEPTH_MAX,
    Definition,
    Network,
    Term,
    as_json,
    built_in,
    of_json,
)

A, B, C, D, E, F = (UUID(int=number) for number in range(1, 7))
DAY = date(2025, 6, 1)
WEEK = Period(DAY, DAY + timedelta(days=7))
FLOWS = {
    A: frozenset({"import", "export"}),
    B: frozenset({"generation", "load"}),
    C: frozenset({"reactive_import"}),
}


def terms(*signed):
    return tuple(Term(*term) for term in signed)


@pytest.mark.parametrize(
    ("definitions", "expected"),
    [
        ({D: [Definition(None, terms((A, 1)))]}, {(A, "import"): 1}),
        ({D: [Definition(None, terms((A, 1, "export")))]}, {(A, "export"): 1}),
        # without a flow: import, else load, else generation
        ({D: [Definition(None, terms((A, 1), (B, -1)))]}, {(A, "import"): 1, (B, "load"): -1}),
        # of two definitions the later that holds on the day
        (
            {D: [Definition(None, terms((A, 1))), Definition(DAY, terms((B, 1)))]},
            {(B, "load"): 1},
        ),
        (
            {D: [Definition(None, terms((A, 1))), Definition(WEEK.end_on, terms((B, 1)))]},
            {(A, "import"): 1},
        ),
        # 2·A − (A + B) = A − B; and what cancels out is not there
        (
            {
                D: [Definition(None, terms((A, 1), (A, 1), (E, -1)))],
                E: [Definition(None, terms((A, 1), (B, 1)))],
            },
            {(A, "import"): 1, (B, "load"): -1},
        ),
        (
            {
                D: [Definition(None, terms((A, 1), (E, -1)))],
                E: [Definition(None, terms((A, 1), (B, 1)))],
            },
            {(B, "load"): -1},
        ),
        # not defined, or not yet; a flow that is not measured; no active one; nobody's meter
        ({D: []}, {}),
        ({D: [Definition(WEEK.end_on, terms((A, 1)))]}, {}),
        ({D: [Definition(None, terms((A, 1), (E, 1)))], E: []}, {}),
        ({D: [Definition(None, terms((A, 1, "load")))]}, {}),
        ({D: [Definition(None, terms((C, 1)))]}, {}),
        ({D: [Definition(None, terms((A, 1), (F, 1)))]}, {}),
        # the ledger refuses circles; here one never ends in anything
        ({D: [Definition(None, terms((D, 1)))]}, {}),
    ],
)
def test_a_sum_comes_down_to_registers_with_their_factors(definitions, expected):
    assert Network(FLOWS, definitions).factors(D, lambda _: DAY) == expected


def test_sums_of_sums_go_so_deep():
    ids = [UUID(int=100 + number) for number in range(DEPTH_MAX)]
    chain = {
        upper: [Definition(None, terms((lower, 1)))]
        for upper, lower in zip(ids, [*ids[1:], A], strict=True)
    }
    network = Network(FLOWS, chain)
    assert network.factors(ids[1], lambda _: DAY) == {(A, "import"): 1}
    assert network.factors(ids[0], lambda _: DAY) == {}
    assert network.inputs(ids[0]) == {*ids[1:], A}


def test_a_sum_asks_for_the_local_day_of_each_sum_within_it():
    network = Network(
        FLOWS,
        {
            D: [Definition(None, terms((E, 1)))],
            E: [Definition(None, terms((A, 1))), Definition(DAY, terms((B, 1)))],
        },
    )
    days = {D: DAY, E: DAY - timedelta(days=1)}
    assert network.factors(D, days.__getitem__) == {(A, "import"): 1}


days = st.none() | st.integers(-1, 8).map(lambda number: DAY + timedelta(days=number))
definitions = st.lists(
    st.tuples(
        days, st.lists(st.tuples(st.sampled_from((A, B, C, D, E, F)), st.sampled_from((1, -1))),
                       min_size=1, max_size=3),
    ),
    max_size=3, unique_by=lambda own: own[0],
).map(
    lambda own: [
        Definition(from_on, terms(*signed))
        for from_on, signed in sorted(own, key=lambda made: made[0] or date.min)
    ]
)  # fmt: skip


@given(outer=definitions, inner=definitions)
def test_runs_of_days_say_what_each_of_the_days_does(outer, inner):
    network = Network(FLOWS, {D: outer, E: inner})
    runs = network.parts(D, WEEK)
    for day in WEEK.dates():
        of_runs = [factors for run, factors in runs if day in run]
        by_day = network.factors(D, lambda _, on=day: on)
        assert of_runs == ([by_day] if by_day else [])


@given(made=definitions)
def test_definitions_are_read_as_they_were_stored(made):
    stored = [
        {"from_on": own["from_on"] and own["from_on"].isoformat(),
         "terms": [term | {"meter_id": str(term["meter_id"])} for term in own["terms"]]}
        for own in as_json(made)
    ]  # fmt: skip
    assert of_json(stored) == tuple(made)


def test_unmetered_is_what_neither_gg_nor_sg_has_of_the_total():
    house = UUID(int=50)
    total, gg, sg = (own_meter_id("t", house, own) for own in ("total", "gg", "sg"))
    [definition] = built_in("t", house)
    assert definition == Definition(None, terms((total, 1), (gg, -1), (sg, -1)))


def test_a_sign_is_one_or_minus_one():
    with pytest.raises(ValueError, match="1 or -1"):
        Term(A, 2)
