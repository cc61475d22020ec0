"""Recording on the real database: idempotence, corrections, quality, waiting, quarantine."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

METER = UUID(int=7)
DAY = date(2025, 5, 10)
MIDNIGHT = datetime(2025, 5, 9, 22, tzinfo=UTC)  # in Berlin


@pytest.fixture
async def known(ingest):
    await ingest.register(METER)
    return ingest


def one_day(values, quality=None):
    return {
        (METER, "import", DAY): (
            values,
            quality or "".join("-" if v is None else "A" for v in values),
        )
    }


async def test_a_day_block_becomes_a_channel_day(known):
    await known.deliver(known.block(METER, MIDNIGHT, list(range(96))))
    assert await known.days() == one_day(list(range(96)))
    [row] = await known.rows("SELECT version, present, zone FROM channel_day")
    assert tuple(row.values()) == (1, 96, "Europe/Berlin")
    assert (await known.tally())["new"] == 96


async def test_single_readings_fill_a_day_and_missing_is_not_zero(known):
    await known.deliver(
        *(known.block(METER, MIDNIGHT + timedelta(minutes=15 * n), [n]) for n in (0, 3))
    )
    await known.deliver(known.block(METER, MIDNIGHT + timedelta(minutes=15), [0]))
    assert await known.days() == one_day([0, 0, None, 3, *[None] * 92])
    [row] = await known.rows("SELECT version, present FROM channel_day")
    assert tuple(row.values()) == (2, 3)
    rows = await known.rows("SELECT start_at, energy_wh FROM reading ORDER BY start_at LIMIT 2")
    assert [tuple(row.values()) for row in rows] == [
        (MIDNIGHT, 0),
        (MIDNIGHT + timedelta(minutes=15), 0),
    ]
