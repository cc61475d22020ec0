"""Closing on the real database: complete, grace, forced, revisions, each meter for itself."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.metering import PeriodClosed
from kernel.periods import midnight_utc

ZONE = "Europe/Berlin"
MARCH = (date(2025, 3, 1), date(2025, 4, 1))  # 31 days, one of 23 hours
SLOTS = 31 * 96 - 4


@pytest.fixture
async def meter(ingest):
    """A known meter with an agreement over March, and the clock in May."""
    meter_id = uuid4()
    ingest.now = datetime(2025, 5, 2, tzinfo=UTC)
    await ingest.register(meter_id)
    return meter_id


def days(ingest, meter_id, *, value=5, leave_out=()):
    """A block for each local day of March, as a gateway would send them."""
    blocks = []
    for n in range(31):
        day = MARCH[0] + timedelta(days=n)
        begin, end = midnight_utc(ZONE, day), midnight_utc(ZONE, day + timedelta(days=1))
        if n not in leave_out:
            values = [value] * ((end - begin) // timedelta(minutes=15))
            blocks.append(ingest.block(meter_id, begin, values, correlation_id=f"day-{n}"))
    return blocks


async def test_a_complete_period_closes_at_once(ingest, meter):
    agreement_id = await ingest.agree(meter, *MARCH)
    await ingest.deliver(*days(ingest, meter))
    [event] = await ingest.close()
    PeriodClosed.model_validate(event)
    assert event["agreement_id"] == str(agreement_id)
    assert (event["closed_by"], event["revision"]) == ("complete", 1)
    assert event["expected_intervals"] == event["present_intervals"] == SLOTS
    assert event["series"] == [
        {"flow": "import", "minutes": 15, "values": [5] * SLOTS, "quality": "A" * SLOTS}
    ]
    assert event["cause"].startswith("day-")
    assert len(await ingest.close()) == 1, "looking again closes nothing again"
