"""What ingest takes from the broker."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.envelope import Envelope
from contracts.metering import ReadingsReceived
from ingest.wire import SOURCE_REGISTERS, arrivals_of
from kernel.errors import Poison
from messaging import Received

AT = datetime(2025, 5, 1, tzinfo=UTC)


def message(source, *, value=b"[1]"):
    event = ReadingsReceived(
        meter_id=UUID(int=7), flow="import", start_at=AT, minutes=15, values=[1]
    )  # fmt: skip
    envelope = Envelope(UUID(int=1), event.TOPIC, source, AT, "acme", "c")
    return Received(event if value else None, envelope, event.TOPIC, 3, 0, "acme:7", value)


def test_a_block_keeps_its_partition_and_its_quality():
    arrivals = arrivals_of([message("gateway/1")])
    assert (arrivals.partitions, arrivals.letters()) == ([3], [ord("A")])


def test_nobody_speaks_as_our_registers_over_the_broker():
    with pytest.raises(Poison, match="nobody else"):
        arrivals_of([message("gateway/1"), message(SOURCE_REGISTERS)])


def test_readings_have_no_tombstones():
    with pytest.raises(Poison, match="tombstones"):
        arrivals_of([message("gateway/1", value=None)])
