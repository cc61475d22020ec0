"""The refusals of blocks and of values, without a database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.checks import ABSENT, CLOCK_SKEW_MAX, check_values, flatten
from ingest.domain.intake import Batch, sort_out
from ingest.domain.merge import LETTERS
from ingest.domain.meters import Channel, Meter

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2025, 5, 9, 22, tzinfo=UTC)  # in Berlin
METER = Meter(UUID(int=7), "main", "Europe/Berlin", (Channel("import", 15, 10_000),))
EDGE = 2**63 - 1


@dataclass
class Sent:
    flow: str = "import"
    start_at: datetime = MIDNIGHT
    minutes: int = 15
    unit: str = "Wh"
    values: list = field(default_factory=lambda: [1])
    quality: str = "actual"


def sorted_out(*blocks, meter=METER, read_at=NOW):
    count = len(blocks)
    letters = [LETTERS[block.quality] for block in blocks]
    batch = Batch(["acme"] * count, [meter] * count, [read_at] * count, letters, blocks)
    return sort_out(batch, NOW)


def until(at):
    """Values from `MIDNIGHT` to `at`."""
    return [1] * ((at - MIDNIGHT) // timedelta(minutes=15))


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (Sent(), None),
        (Sent(values=until(NOW)), None),
        (Sent(values=[0, None, 10_000]), None),
        (Sent(flow="export"), "wrong_flow"),
        (Sent(unit="kWh"), "wrong_unit"),
        (Sent(minutes=30), "wrong_resolution"),
        (Sent(start_at=datetime(1999, 12, 31, tzinfo=UTC)), "too_old"),
        (Sent(start_at=NOW + CLOCK_SKEW_MAX + timedelta(seconds=1)), "future"),
        (Sent(start_at=datetime.max.replace(tzinfo=UTC)), "future"),
        (Sent(values=until(NOW + timedelta(minutes=15))), "future"),
        (Sent(start_at=MIDNIGHT + timedelta(minutes=5)), "misaligned"),
        (Sent(values=[1, -1]), "negative"),
        (Sent(values=[-(2**63)]), "negative"),
        (Sent(values=[-(2**70), None]), "negative"),
        (Sent(values=[10_001, None]), "over_maximum"),
        (Sent(values=[2**70]), "over_maximum"),
    ],
)
def test_what_becomes_of_a_block(block, reason):
    found = sorted_out(block, Sent())
    assert [refusal.reason for refusal in found.refused.values()] == ([reason] if reason else [])
    assert found.cut.owners[-1] == 1, "its neighbour is stored in any case"


def test_what_was_read_in_the_future_is_refused():
    assert sorted_out(Sent(), read_at=NOW + timedelta(minutes=6)).refused[0].reason == "future"
    assert sorted_out(Sent(), read_at=NOW + timedelta(minutes=5)).refused == {}


def test_a_meter_that_is_not_known_is_waited_for():
    found = sorted_out(Sent(), Sent(), meter=None)
    assert (found.unknown, found.refused, found.cut.keys) == ([0, 1], {}, [])


def test_refused_blocks_leave_nothing_among_the_pieces():
    found = sorted_out(Sent(values=[1, 2]), Sent(values=[-1] * 9), Sent(values=[3, None]))
    assert found.cut.owners == [0, 2]
    assert found.cut.pieces.values.tolist() == [1, 2, 3, -1]


values = st.none() | st.integers() | st.sampled_from([EDGE, EDGE + 1, -EDGE, -EDGE - 1, -EDGE - 2])


@given(st.lists(st.lists(values, min_size=1, max_size=5), max_size=5))
def test_values_are_laid_one_after_another_and_held_at_the_edges_of_64_bits(blocks):
    expected = [
        ABSENT if value is None else max(-EDGE, min(EDGE, value))
        for block in blocks
        for value in block
    ]
    assert flatten(blocks).tolist() == expected


def test_no_values_are_checked_without_complaint():
    none = np.array([], np.int64)
    assert check_values(flatten([]), none, none) == {}
