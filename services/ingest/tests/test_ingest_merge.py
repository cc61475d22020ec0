"""Merging: days are a function of the set of their blocks."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.merge import (
    MISSING,
    NO_QUALITY,
    Days,
    Layer,
    Pieces,
    agrees,
    fill,
    lay,
    resolve,
)

SLOTS = 6


def empty_day():
    return np.full(SLOTS, MISSING, np.int32), np.full(SLOTS, NO_QUALITY, np.uint8)


def layer(slot, values, quality="A", read_at=0, event=0):
    held = [MISSING if value is None else value for value in values]
    return Layer(slot, np.array(held, np.int32), ord(quality), read_at, bytes([event]))


def resolved(layers):
    values, quality = empty_day()
    resolve(values, quality, layers)
    return values.tolist(), quality.tobytes().decode()


layers = st.builds(
    lambda slot, values, quality, read_at, event: layer(
        slot, values[: SLOTS - slot], quality, read_at, event
    ),
    st.integers(0, SLOTS - 1),
    st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=SLOTS),
    st.sampled_from("AESR"),
    st.integers(0, 3),
    st.integers(0, 255),
)


@given(st.lists(layers, max_size=8, unique_by=lambda one: one.event_id), st.randoms())
def test_order_and_repetition_change_nothing(some, chance):
    again = some + chance.choices(some, k=3) if some else []
    chance.shuffle(again)
    assert resolved(again) == resolved(some)


@given(st.lists(layers, max_size=8, unique_by=lambda one: one.event_id))
def test_each_interval_has_the_value_of_the_highest_ranking_block(some):
    """A model, one interval at a time: of blocks of registers only the newest counts there."""
    values, quality = resolved(some)
    for slot in range(SLOTS):
        said = [
            (one.rank, int(one.values[slot - one.slot]), chr(one.quality))
            for one in some
            if one.slot <= slot < one.slot + one.values.size
        ]
        there = [one for one in said if one[2] != "R"]
        there += sorted(one for one in said if one[2] == "R")[-1:]
        there = [one for one in there if one[1] != MISSING]
        expected = max(there)[1:] if there else (MISSING, "-")
        expected = (expected[0], expected[1].replace("R", "E"))
        assert (values[slot], quality[slot]) == expected


@given(st.lists(layers, max_size=8, unique_by=lambda one: one.event_id))
def test_laying_what_agrees_is_the_same_as_resolving(some):
    values, quality = empty_day()
    laid = []
    for one in some:
        if agrees(values, quality, one):
            lay(values, quality, one)
            laid.append(one)
    assert (values.tolist(), quality.tobytes().decode()) == resolved(laid)


TAKEN_BACK = [
    # name, layers, values and quality then
    ("what a register told", [layer(0, [5, 5, 5], "R", 1), layer(1, [None, None], "R", 2)],
     "5.....", "E-----"),
    ("it tells something else", [layer(0, [5, 5, 5], "R", 1), layer(1, [6, None], "R", 2)],
     "56....", "EE----"),
    ("not what is measured", [layer(0, [7, 7], "A", 0), layer(0, [None] * 3, "R", 2)],
     "77....", "AA----"),
    ("nor what another estimated, older or newer", [layer(0, [3], "E", 0), layer(1, [4], "S", 3),
     layer(0, [5, 5], "R", 1), layer(0, [None, None], "R", 2)], "34....", "ES----"),
    ("the older one comes again", [layer(0, [None, None], "R", 2), layer(0, [5, 5], "R", 1)],
     "......", "------"),
    ("a gap in what a gateway sends takes nothing back", [layer(0, [5], "R", 1),
     layer(0, [None, 2], "E", 2)], "52....", "EE----"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("some", "values", "quality"), [row[1:] for row in TAKEN_BACK], ids=[r[0] for r in TAKEN_BACK]
)
def test_registers_take_back_what_they_told(some, values, quality):
    found, letters = resolved(some)
    assert "".join("." if value == MISSING else str(value) for value in found) == values
    assert letters == quality


@dataclass
class Piece:
    day: int
    slot: int
    values: list
    quality: str = "A"


def pieces_of(*pieces):
    flat = [MISSING if v is None else v for piece in pieces for v in piece.values]
    return Pieces(
        np.array([piece.day for piece in pieces]),
        np.array([piece.slot for piece in pieces]),
        np.array([len(piece.values) for piece in pieces]),
        np.array(flat, np.int32),
        np.array([ord(piece.quality) for piece in pieces], np.uint8),
    )


@pytest.mark.parametrize(
    ("pieces", "values", "contested"),
    [
        ([Piece(0, 0, [1, 2])], [1, 2, None, None, None], [False, False]),
        ([Piece(0, 0, [1]), Piece(0, 1, [2])], [1, 2, None, None, None], [False, False]),
        ([Piece(0, 0, [None, 2])], [None, 2, None, None, None], [False, False]),
        ([Piece(0, 0, [1]), Piece(0, 0, [1])], [None] * 5, [True, False]),
        ([Piece(0, 0, [1]), Piece(1, 0, [None])], [1, None, None, None, None], [False, True]),
        ([Piece(0, 2, [1]), Piece(1, 1, [9])], [None, None, 1, None, None], [False, True]),
        ([Piece(0, 2, [1]), Piece(1, 0, [9])], [None, None, 1, 9, None], [False, False]),
        ([Piece(0, 2, [1]), Piece(1, 0, [9], "R")], [None, None, 1, None, None], [False, True]),
    ],
)
def test_filling_leaves_contested_days_alone(pieces, values, contested):
    """Two days of three and two slots; the second slot of the second day is taken."""
    days = Days.empty(np.array([3, 2]))
    days.values[4] = 7
    assert fill(days, pieces_of(*pieces)).tolist() == contested
    values[4] = 7
    assert days.values.tolist() == [MISSING if value is None else value for value in values]
