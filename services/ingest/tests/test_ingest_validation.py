"""The refusals of blocks and of values, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.merge import QUALITY_CODES
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.ingest.domain.readings import BlockBatch, channels_of, sort_batch
from gridtally.ingest.domain.validation import (
    ABSENT,
    CLOCK_SKEW_MAX,
    Block,
    check_values,
    flatten,
)

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2025, 5, 9, 22, tzinfo=UTC)  # in Berlin
METER = Meter(
    UUID(int=7),
    "main",
    "Europe/Berlin",
    (Channel("import", 15, 10_000), Channel("reactive_import", 15, 500)),
)
EDGE = 2**63 - 1


def sent(*, flow="import", start_at=MIDNIGHT, minutes=15, unit="Wh", values=(1,)):
    return Block(METER.meter_id, flow, start_at, minutes, unit, values, "actual", "", None)


def batch_of(*blocks, read_at=NOW):
    channels = channels_of(["acme"] * len(blocks), blocks)
    codes = [QUALITY_CODES[block.quality] for block in blocks]
    return BlockBatch(channels, blocks, [read_at] * len(blocks), codes)


def sorted_batch(*blocks, meters=(METER,), read_at=NOW):
    known = {("acme", meter.meter_id): meter for meter in meters}
    return sort_batch(known, batch_of(*blocks, read_at=read_at), NOW)


def until(at):
    """Values from `MIDNIGHT` to `at`."""
    return [1] * ((at - MIDNIGHT) // timedelta(minutes=15))


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (sent(), None),
        (sent(values=until(NOW)), None),
        (sent(values=[0, None, 10_000]), None),
        (sent(flow="export"), "wrong_flow"),
        (sent(unit="kWh"), "wrong_unit"),
        (sent(unit="varh"), "wrong_unit"),
        (sent(flow="reactive_import", unit="varh"), None),
        (sent(flow="reactive_import"), "wrong_unit"),
        (sent(flow="reactive_import", unit="kvarh"), "wrong_unit"),
        (sent(flow="reactive_import", unit="varh", values=[501]), "over_maximum"),
        (sent(flow="reactive_export", unit="varh"), "wrong_flow"),
        (sent(minutes=30), "wrong_resolution"),
        (sent(start_at=datetime(1999, 12, 31, tzinfo=UTC)), "too_old"),
        (sent(start_at=NOW + CLOCK_SKEW_MAX + timedelta(seconds=1)), "future"),
        (sent(start_at=datetime.max.replace(tzinfo=UTC)), "future"),
        (sent(values=until(NOW + timedelta(minutes=15))), "future"),
        (sent(start_at=MIDNIGHT + timedelta(minutes=5)), "misaligned"),
        (sent(values=[1, -1]), "negative"),
        (sent(values=[-(2**63)]), "negative"),
        (sent(values=[-(2**70), None]), "negative"),
        (sent(values=[10_001, None]), "over_maximum"),
        (sent(values=[2**70]), "over_maximum"),
    ],
)
def test_the_refusal_of_a_block(block, reason):
    batch = sorted_batch(block, sent())
    assert [refusal.reason for refusal in batch.refused.values()] == ([reason] if reason else [])
    assert batch.pieces.blocks[-1] == 1, "its neighbour is stored in any case"


def test_what_was_read_in_the_future_is_refused():
    assert sorted_batch(sent(), read_at=NOW + timedelta(minutes=6)).refused[0].reason == "future"
    assert sorted_batch(sent(), read_at=NOW + timedelta(minutes=5)).refused == {}


def test_blocks_of_a_meter_that_is_not_known_are_pending():
    batch = sorted_batch(sent(), sent(), meters=())
    assert (batch.pending, batch.refused, batch.pieces.keys) == ([0, 1], {}, [])


def test_channels_of_a_batch_do_not_mix():
    there = Meter(UUID(int=8), "main", "UTC", (Channel("import", 15, 5), Channel("export", 15, 9)))
    blocks = [
        sent(values=[7]),
        sent(values=[7])._replace(meter_id=there.meter_id),
        sent(flow="export", values=[7])._replace(meter_id=there.meter_id),
        sent(values=[5])._replace(meter_id=there.meter_id),
        sent(minutes=30)._replace(meter_id=there.meter_id),
    ]
    channels = channels_of(["acme", "acme", "acme", "acme", "acme"], blocks)
    assert channels.of_blocks == [0, 1, 2, 1, 1]
    assert channels_of(["acme", "zeta"], [blocks[0]] * 2).of_blocks == [0, 1], "tenants do not mix"
    batch = sorted_batch(*blocks, meters=(METER, there))
    assert {index: refusal.reason for index, refusal in batch.refused.items()} == {
        1: "over_maximum",
        4: "wrong_resolution",
    }
    assert [(key.meter_id, key.flow) for key in batch.pieces.keys] == [
        (METER.meter_id, "import"),
        (there.meter_id, "export"),
        (there.meter_id, "import"),
    ]
    assert batch.pieces.zones == ["Europe/Berlin", "UTC", "UTC"]


def test_refused_blocks_leave_nothing_among_the_pieces():
    batch = sorted_batch(sent(values=[1, 2]), sent(values=[-1] * 9), sent(values=[3, None]))
    assert batch.pieces.blocks == [0, 2]
    assert batch.pieces.pieces.values.tolist() == [1, 2, 3, -1]


values = st.none() | st.integers() | st.sampled_from([EDGE, EDGE + 1, -EDGE, -EDGE - 1, -EDGE - 2])


@given(st.lists(st.lists(values, min_size=1, max_size=5), max_size=5))
def test_values_come_one_after_another_and_are_limited_to_64_bits(blocks):
    expected = [
        ABSENT if value is None else max(-EDGE, min(EDGE, value))
        for block in blocks
        for value in block
    ]
    assert flatten(blocks).tolist() == expected


def test_no_values_are_checked_without_complaint():
    none = np.array([], np.int64)
    assert check_values(flatten([]), none, none) == {}
