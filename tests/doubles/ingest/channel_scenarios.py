"""Channels that begin or end inside a period: scenarios for the store and its double alike.

March 2025 in Berlin has 743 hours. From 24 March 11:00 to its end are 180: eight days less 11
hours, and the hour that the clock skips on the 30th.
"""

from datetime import UTC, date, datetime
from uuid import uuid4

from doubles.ingest.worlds import days_of

MARCH = (date(2025, 3, 1), date(2025, 4, 1))
HOURS, SINCE_24TH = 743, 180
PANELS_UP_AT = datetime(2025, 3, 24, 9, 30, tzinfo=UTC)
"""10:30 in Berlin: the hour from 10 to 11 is measured in part."""
REMOVED_AT = datetime(2025, 3, 10, 9, tzinfo=UTC)
"""10:00 in Berlin, after 9 × 24 + 10 = 226 hours."""
UNTIL_10TH = 226


def closes(events):
    """Revision, reason, and intervals that are expected and present, of each close."""
    return [
        (
            event["revision"],
            event["closed_by"],
            event["expected_intervals"],
            event["present_intervals"],
        )
        for event in events
    ]


def with_panels(**times):
    return (("import", 60), ("export", 60, times))


async def panels_that_go_up_on_the_24th(world):
    """Nothing is missing before; the rest of the day is."""
    meter_id = uuid4()
    await world.register(meter_id, channels=with_panels(start_at=PANELS_UP_AT))
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, days_of(*MARCH))
    await world.store(meter_id, days_of(date(2025, 3, 25), MARCH[1], 2), flow="export")
    assert await world.close() == [], "the rest of the 24th is missing"
    await world.store(meter_id, {date(2025, 3, 24): 3}, flow="export")
    [event] = await world.close()
    # The hour in which they went up has a value, which counts.
    assert closes([event]) == [(1, "complete", HOURS + SINCE_24TH + 1, HOURS + SINCE_24TH + 1)]
    export = next(series for series in event["series"] if series["flow"] == "export")
    before = HOURS - SINCE_24TH - 1
    assert export["quality"] == "N" * before + "E" * (SINCE_24TH + 1)
    assert export["values"] == [None] * before + [3] * 14 + [2] * 167


async def a_meter_that_is_removed_on_the_10th(world):
    """Nothing is missing after, and what came later does not count."""
    meter_id = uuid4()
    await world.register(meter_id, channels=(("import", 60, {"end_at": REMOVED_AT}),))
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, days_of(MARCH[0], date(2025, 3, 10)))
    assert await world.close() == [], "ten hours are missing"
    await world.store(meter_id, {date(2025, 3, 10): 5})
    [event] = await world.close()
    assert closes([event]) == [(1, "complete", UNTIL_10TH, UNTIL_10TH)]
    rest = HOURS - UNTIL_10TH
    assert event["series"][0]["values"] == [5] * UNTIL_10TH + [None] * rest
    assert event["series"][0]["quality"] == "E" * UNTIL_10TH + "N" * rest


async def a_period_without_any_channel(world):
    """Closes at its end with no energy, so that fixed charges are billed."""
    meter_id = uuid4()
    channels = (("import", 60, {"start_at": datetime(2025, 4, 1, tzinfo=UTC)}),)
    await world.register(meter_id, channels=channels)
    await world.agree(meter_id, *MARCH)
    [event] = await world.close()
    assert closes([event]) == [(1, "complete", 0, 0)]
    assert event["series"][0]["quality"] == "N" * HOURS


async def times_that_are_declared_after_the_close(world):
    """Billed with gaps; once the registry knows when the panels went up, there are none."""
    meter_id = uuid4()
    await world.register(meter_id, channels=with_panels())
    await world.agree(meter_id, *MARCH, closing="bill_present", grace_hours=1)
    await world.store(meter_id, days_of(*MARCH))
    await world.store(meter_id, days_of(date(2025, 3, 25), MARCH[1]), flow="export")
    [event] = await world.close()
    assert closes([event]) == [(1, "grace", 2 * HOURS, HOURS + 167)]
    times = {"start_at": datetime(2025, 3, 24, 23, tzinfo=UTC)}
    await world.register(meter_id, channels=with_panels(**times), version=2)
    world.later(minutes=1)
    _, event = await world.close()
    assert closes([event]) == [(2, "complete", HOURS + 167, HOURS + 167)]
    assert len(await world.close()) == 2
    await world.register(meter_id, channels=with_panels(**times), version=3)
    assert len(await world.close()) == 2, "the same times make no revision"


CHANNEL_SCENARIOS = [
    panels_that_go_up_on_the_24th,
    a_meter_that_is_removed_on_the_10th,
    a_period_without_any_channel,
    times_that_are_declared_after_the_close,
]
