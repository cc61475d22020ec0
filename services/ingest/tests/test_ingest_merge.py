"""Merging: days are a function of the set of their blocks."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.merge import (
    MISSING,
    NO_QUALITY,
    Days,
    Pieces,
    RankedPiece,
    agrees,
    fill,
    is_known,
    overlay,
    rebuild_day,
    repeats,
)

SLOTS = 6


def empty_day():
    return np.full(SLOTS, MISSING, np.int32), np.full(SLOTS, NO_QUALITY, np.uint8)


def ranked(slot, values, quality="A", read_at=0, event=0):
    values = [MISSING if value is None else value for value in values]
    return RankedPiece(slot, np.array(values, np.int32), ord(quality), read_at, bytes([event]))


def rebuilt(pieces):
    values, quality = empty_day()
    rebuild_day(values, quality, pieces)
    return values.tolist(), quality.tobytes().decode()


ranked_pieces = st.builds(
    lambda slot, values, quality, read_at, event: ranked(
        slot, values[: SLOTS - slot], quality, read_at, event
    ),
    st.integers(0, SLOTS - 1),
    st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=SLOTS),
    st.sampled_from("AESR"),
    st.integers(0, 3),
    st.integers(0, 255),
)


@given(st.lists(ranked_pieces, max_size=8, unique_by=lambda piece: piece.event_id), st.randoms())
def test_order_and_repetition_change_nothing(pieces, chance):
    again = pieces + chance.choices(pieces, k=3) if pieces else []
    chance.shuffle(again)
    assert rebuilt(again) == rebuilt(pieces)


@given(st.lists(ranked_pieces, max_size=8, unique_by=lambda piece: piece.event_id))
def test_each_interval_has_the_value_of_the_highest_ranking_block(pieces):
    """A model, one interval at a time: of blocks of registers only the newest counts there."""
    values, quality = rebuilt(pieces)
    for slot in range(SLOTS):
        covering = [
            (piece.rank, int(piece.values[slot - piece.slot]), chr(piece.quality))
            for piece in pieces
            if piece.slot <= slot < piece.slot + piece.values.size
        ]
        counting = [value for value in covering if value[2] != "R"]
        counting += sorted(value for value in covering if value[2] == "R")[-1:]
        present = [value for value in counting if value[1] != MISSING]
        expected = max(present)[1:] if present else (MISSING, "-")
        expected = (expected[0], expected[1].replace("R", "E"))
        assert (values[slot], quality[slot]) == expected


@given(st.lists(ranked_pieces, max_size=8, unique_by=lambda piece: piece.event_id))
def test_overlaying_what_agrees_is_the_same_as_rebuilding(pieces):
    values, quality = empty_day()
    overlaid = []
    for piece in pieces:
        if agrees(values, quality, piece):
            overlay(values, quality, piece)
            overlaid.append(piece)
    assert (values.tolist(), quality.tobytes().decode()) == rebuilt(overlaid)


VOIDED = [
    # name, pieces, values and quality then
    ("what a register reported", [ranked(0, [5, 5, 5], "R", 1), ranked(1, [None, None], "R", 2)],
     "5.....", "E-----"),
    ("it reports something else", [ranked(0, [5, 5, 5], "R", 1), ranked(1, [6, None], "R", 2)],
     "56....", "EE----"),
    ("not what is measured", [ranked(0, [7, 7], "A", 0), ranked(0, [None] * 3, "R", 2)],
     "77....", "AA----"),
    ("nor what another estimated, older or newer", [ranked(0, [3], "E", 0), ranked(1, [4], "S", 3),
     ranked(0, [5, 5], "R", 1), ranked(0, [None, None], "R", 2)], "34....", "ES----"),
    ("the older one comes again", [ranked(0, [None, None], "R", 2), ranked(0, [5, 5], "R", 1)],
     "......", "------"),
    ("a gap in what a gateway sends voids nothing", [ranked(0, [5], "R", 1),
     ranked(0, [None, 2], "E", 2)], "52....", "EE----"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "values", "quality"), [row[1:] for row in VOIDED], ids=[row[0] for row in VOIDED]
)
def test_registers_void_what_they_reported(pieces, values, quality):
    rebuilt_values, rebuilt_quality = rebuilt(pieces)
    assert "".join("." if value == MISSING else str(value) for value in rebuilt_values) == values
    assert rebuilt_quality == quality


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


@pytest.mark.parametrize(
    ("piece", "is_repetition"),
    [
        (ranked(1, [5, 6]), True),
        (ranked(1, [5, None]), True),
        (ranked(1, [5, 7]), False),
        (ranked(1, [5, 6], "E"), False),
        (ranked(1, [5, 6, 0]), False),  # fills a gap
        (ranked(1, [None]), False),  # says nothing
    ],
)
def test_a_repetition_says_only_what_is_there(piece, is_repetition):
    values, quality = empty_day()
    overlay(values, quality, ranked(1, [5, 6]))
    assert repeats(values, quality, piece) == is_repetition


def test_a_later_reading_of_the_same_values_is_another_one():
    assert is_known(ranked(0, [1], read_at=5), [ranked(0, [1], read_at=5, event=3)])
    assert not is_known(ranked(0, [1], read_at=6), [ranked(0, [1], read_at=5)])
    assert not is_known(ranked(0, [1], read_at=5), [ranked(0, [2], read_at=5)])
