"""Register readings on the way into the store: whatever the order, a period closes with what the
register counted."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import numpy as np
import pytest

from gridtally.contracts.metering import ReadingRecorded
from gridtally.ingest.domain.local_days import OLDEST_AT
from gridtally.metering.intervals import MISSING, spread_evenly
from gridtally.metering.readings import RegisterReading, counted_energy, microseconds

HOURLY = ({"flow": "import", "minutes": 60, "interval_wh_max": 100_000},)
LIMIT_S = 300
MARCH_1 = datetime(2025, 2, 28, 23, tzinfo=UTC)
"""Midnight in Berlin."""
APRIL_1 = datetime(2025, 3, 31, 22, tzinfo=UTC)


async def day_of(ingest, meter_id, day):
    values, quality = (await ingest.days())[meter_id, "import", day]
    return values, quality


async def test_three_readings_in_an_hour_make_its_energy(ingest, reader):
    """2000, 2020 and 2050 kWh at 10:00, 10:20 and 10:40 UTC."""
    await ingest.register(reader.meter_id, zone="UTC", channels=HOURLY)
    for minute, value in ((0, "2000"), (20, "2020"), (40, "2050")):
        await reader(datetime(2025, 3, 4, 10, minute, tzinfo=UTC), value)
        await ingest.convert()
    values, quality = await day_of(ingest, reader.meter_id, date(2025, 3, 4))
    assert values == [None] * 10 + [50_000] + [None] * 13
    assert quality == "-" * 10 + "E" + "-" * 13


@pytest.mark.parametrize("known_first", [True, False])
async def test_monthly_readings_close_a_month(ingest, reader, known_first):
    """743 hours, 500 kWh: the clocks go forward in it."""
    if known_first:
        await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "999900")
    await reader(APRIL_1, "400")  # over the last of six digits
    await ingest.convert()
    if not known_first:
        assert await ingest.days() == {}
        await ingest.register(reader.meter_id, channels=HOURLY)
        await ingest.convert()
    await ingest.agree(reader.meter_id, date(2025, 3, 1), date(2025, 4, 1))
    [closed] = await ingest.close()
    assert closed["closed_by"] == "complete"
    assert len(closed["series"][0]["values"]) == 743
    assert sum(closed["series"][0]["values"]) == 500_000
    assert set(closed["series"][0]["quality"]) == {"E"}


READINGS = {0: "100", 7: "150.5", 13: "151", 20: "290", 31: "400"}
ALL_DAYS = "SELECT day, values FROM channel_day"


def by_day(row):
    return row["day"]


def moment(day):
    """Some minutes past a full hour."""
    return MARCH_1 + timedelta(days=day, minutes=17 * day % 60)


@pytest.mark.parametrize("seed", range(5))
async def test_the_order_in_which_readings_come_changes_nothing(ingest, reader, seed):
    dice = random.Random(seed)
    await ingest.register(reader.meter_id, channels=HOURLY)
    days = list(READINGS)
    dice.shuffle(days)
    for day in days:
        await reader(moment(day), READINGS[day])
        if dice.random() < 0.7:
            await ingest.convert()
    await ingest.convert()
    stored = [
        value for day in sorted(await ingest.rows(ALL_DAYS), key=by_day) for value in day["values"]
    ]
    readings = [
        RegisterReading(moment(day), ingest.now, "reading", Decimal(value), 6, Decimal(1))
        for day, value in READINGS.items()
    ]
    edges = [microseconds(MARCH_1 + timedelta(hours=hour)) for hour in range(len(stored) + 1)]
    spread = spread_evenly(counted_energy(readings, OLDEST_AT), np.array(edges)).tolist()
    assert stored == [None if value == MISSING else value for value in spread]
    assert sum(value for value in stored if value is not None) == 300_000


async def test_a_corrected_reading_makes_its_neighbours_again(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    middle = await reader(MARCH_1 + timedelta(days=10), "900")
    await reader(MARCH_1 + timedelta(days=20), "480")  # less: the one before was mistaken
    await ingest.convert()
    await reader(MARCH_1 + timedelta(days=10), "240", reading_id=middle)
    await ingest.convert()
    values = [value for day in (await ingest.days()).values() for value in day[0]]
    assert values == [1_000] * 480


async def test_a_withdrawn_reading_leaves_its_neighbours(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    middle = await reader(MARCH_1 + timedelta(days=10), "400")
    await reader(MARCH_1 + timedelta(days=20), "480")
    await ingest.convert()
    await reader(MARCH_1 + timedelta(days=10), "400", reading_id=middle, kind="withdrawn")
    await ingest.convert()
    values = [value for day in (await ingest.days()).values() for value in day[0]]
    assert values == [1_000] * 480


async def test_what_a_meter_measured_counts_before_what_its_register_makes(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await ingest.deliver(ingest.block(reader.meter_id, MARCH_1, [7] * 3, minutes=60))
    await reader(MARCH_1, "0")
    await reader(MARCH_1 + timedelta(days=1), "24")
    await ingest.convert()
    values, quality = await day_of(ingest, reader.meter_id, date(2025, 3, 1))
    assert (values, quality) == ([7] * 3 + [1_000] * 21, "AAA" + "E" * 21)


async def test_the_same_entry_again_changes_nothing(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    await reader(MARCH_1 + timedelta(days=1), "24")
    await ingest.convert()
    before = await ingest.rows("SELECT * FROM channel_day")
    [row] = await ingest.rows("SELECT count(*)::int AS rows FROM register_entry")
    assert row["rows"] == 2
    entries = await ingest.rows("SELECT * FROM register_entry ORDER BY read_at")
    event = ReadingRecorded(
        entry_id=uuid4(),
        reading_id=UUID(str(entries[0]["reading_id"])),
        version=1,
        meter_id=reader.meter_id,
        property_id=uuid4(),
        flow="import",
        kind="reading",
        value=Decimal(12),
        digits=6,
        decimals=3,
        multiplier=Decimal(1),
        quality="actual",
        read_at=MARCH_1,
        recorded_at=ingest.now,
    )
    await ingest.deliver(ingest.message(event), kind="registers")
    await ingest.convert()
    assert await ingest.rows("SELECT * FROM channel_day") == before


async def test_readings_that_come_while_others_are_converted_are_not_lost(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    async with asyncio.timeout(LIMIT_S):
        for hour in range(0, 48, 2):
            await asyncio.gather(
                reader(MARCH_1 + timedelta(hours=hour), str(hour)), ingest.convert()
            )
    await ingest.convert()
    values = [
        value for day in (await ingest.days()).values() for value in day[0] if value is not None
    ]
    assert values == [1_000] * 46


async def test_more_than_the_channel_carries_lies_in_quarantine(ingest, reader):
    await ingest.register(reader.meter_id, channels=HOURLY)
    await reader(MARCH_1, "0")
    await reader(MARCH_1 + timedelta(hours=1), "101")
    await ingest.convert()
    [row] = await ingest.rows("SELECT reason FROM quarantine")
    assert row["reason"] == "over_maximum"
