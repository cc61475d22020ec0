"""What becomes of periods: scenarios that run on the store and on its double alike.

March 2025 in Berlin has 743 hours; the clock stands in May unless a scenario sets it.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from doubles.ingest.calendar_scenarios import CALENDAR_SCENARIOS
from doubles.ingest.channel_scenarios import CHANNEL_SCENARIOS
from doubles.ingest.worlds import TENANT, ZONE, days_of
from gridtally.kernel.errors import Conflict, NotFound, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import midnight_utc

NOW = datetime(2025, 5, 2, tzinfo=UTC)
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
MARCH_ENDS_AT = midnight_utc(ZONE, MARCH[1])
HOURS = 743
WHOLE = days_of(*MARCH)
GAP = days_of(*MARCH, leave_out=(3,))


def closes(events):
    """Revision, reason and number of intervals with a value, of each close."""
    return [(event["revision"], event["closed_by"], event["present_intervals"]) for event in events]


async def complete_at_once(world):
    meter_id = uuid4()
    await world.register(meter_id)
    agreement_id = await world.agree(meter_id, *MARCH)
    await world.store(meter_id, WHOLE)
    [event] = await world.close()
    assert closes([event]) == [(1, "complete", HOURS)]
    assert (event["agreement_id"], event["start_on"]) == (str(agreement_id), "2025-03-01")
    assert event["expected_intervals"] == HOURS
    assert event["series"] == [
        {"flow": "import", "minutes": 60, "values": [5] * HOURS, "quality": "E" * HOURS}
    ]
    assert len(await world.close()) == 1, "checking again closes nothing again"


async def not_before_its_end(world):
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH, closing="bill_present", grace_hours=0)
    world.now = MARCH_ENDS_AT - timedelta(minutes=1)
    await world.store(meter_id, days_of(MARCH[0], date(2025, 3, 31)))
    assert await world.close() == []
    world.later(minutes=1)
    assert closes(await world.close()) == [(1, "grace", HOURS - 24)]


async def a_gap_waits_until_it_is_filled(world):
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, GAP)
    assert await world.close() == []
    world.later(days=300)
    assert await world.close() == []
    await world.store(meter_id, {date(2025, 3, 4): 5})
    assert closes(await world.close()) == [(1, "complete", HOURS)]


async def a_gap_is_billed_after_its_grace_and_filled_later(world):
    meter_id = uuid4()
    world.now = MARCH_ENDS_AT
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH, closing="bill_present", grace_hours=48)
    await world.store(meter_id, GAP)
    world.later(hours=47)
    assert await world.close() == []
    world.later(hours=1)
    [event] = await world.close()
    assert closes([event]) == [(1, "grace", HOURS - 24)]
    assert event["series"][0]["values"][3 * 24 : 4 * 24] == [None] * 24
    await world.store(meter_id, {date(2025, 3, 4): 5})
    world.later(seconds=3)
    assert closes(await world.close()) == [(1, "grace", HOURS - 24), (2, "complete", HOURS)]


async def without_any_reading(world):
    """It closes empty, is its own cause, and holds no other meter up."""
    dead, alive = uuid4(), uuid4()
    for meter_id in (dead, alive):
        await world.register(meter_id)
    agreement_id = await world.agree(dead, *MARCH, closing="bill_present", grace_hours=1)
    await world.agree(alive, *MARCH)
    await world.store(alive, WHOLE)
    events = {event["meter_id"]: event for event in await world.close()}
    assert closes([events[str(alive)]]) == [(1, "complete", HOURS)]
    assert closes([events[str(dead)]]) == [(1, "grace", 0)]
    own = derive_id("period", TENANT, agreement_id, MARCH[0])
    assert events[str(dead)]["cause"] == str(own)


async def a_correction_is_a_revision_once_it_has_been_quiet(world):
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, WHOLE, cause="first")
    await world.close()
    for value in (6, 7):
        world.later(seconds=1)
        await world.store(meter_id, {date(2025, 3, 1): value}, cause=f"correction-{value}")
        assert len(await world.close()) == 1
    world.later(seconds=2)
    first, second = await world.close()
    assert (first["cause"], second["cause"]) == ("first", "correction-7")
    assert closes([second]) == [(2, "complete", HOURS)]
    assert second["series"][0]["values"][:25] == [7] * 24 + [5]
    assert first["digest"] != second["digest"]
    world.later(hours=1)
    assert len(await world.close()) == 2


async def a_correction_that_is_undone_is_no_revision(world):
    """Whether it is undone before its period has been checked, or while that waits for quiet."""
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, WHOLE)
    await world.close()
    for checked in (False, True):
        for value in (6, 5):
            world.later(seconds=1)
            await world.store(meter_id, {date(2025, 3, 1): value})
            if checked:
                assert len(await world.close()) == 1
        world.later(minutes=1)
        assert len(await world.close()) == 1


async def lost_values_make_a_revision_and_are_billed_after_the_grace(world):
    meter_id = uuid4()
    world.now = MARCH_ENDS_AT
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH, closing="bill_present", grace_hours=48)
    await world.store(meter_id, WHOLE)
    await world.close()
    world.later(hours=1)
    await world.store(meter_id, {date(2025, 3, 4): None})
    world.later(seconds=3)
    lost = [(1, "complete", HOURS), (2, "complete", HOURS - 24)]
    assert closes(await world.close()) == lost
    world.later(hours=46)
    assert closes(await world.close()) == lost
    world.later(hours=1)
    assert closes(await world.close()) == [*lost, (3, "grace", HOURS - 24)]


async def lost_values_wait_for_a_person(world):
    meter_id = uuid4()
    await world.register(meter_id)
    agreement_id = await world.agree(meter_id, *MARCH)
    await world.store(meter_id, WHOLE)
    await world.close()
    with pytest.raises(Conflict, match="in revision 1"):
        await world.force(agreement_id, MARCH[0])
    await world.store(meter_id, {date(2025, 3, 4): None})
    world.later(days=100)
    assert closes(await world.close())[1:] == [(2, "complete", HOURS - 24)]
    await world.force(agreement_id, MARCH[0])
    assert closes(await world.close())[2:] == [(3, "forced", HOURS - 24)]
    with pytest.raises(Conflict, match="in revision 3"):
        await world.force(agreement_id, MARCH[0])
    world.later(days=100)
    assert len(await world.close()) == 3


async def forced_by_a_person(world):
    meter_id = uuid4()
    await world.register(meter_id)
    agreement_id = await world.agree(meter_id, MARCH[0])
    await world.store(meter_id, GAP, cause="the last one")
    await world.close()
    for start_on, of in ((date(2025, 3, 2), agreement_id), (MARCH[0], uuid4())):
        with pytest.raises(NotFound):
            await world.force(of, start_on)
    with pytest.raises(Rejected, match="ends at"):
        await world.force(agreement_id, date(2025, 5, 1))
    await world.force(agreement_id, MARCH[0])
    [event] = await world.close()
    assert closes([event]) == [(1, "forced", HOURS - 24)]
    assert event["cause"] == "the last one"
    await world.store(meter_id, {date(2025, 3, 5): 6})
    world.later(seconds=3)
    assert closes(await world.close())[1:] == [(2, "forced", HOURS - 24)]


async def an_unknown_meter_is_waited_for(world):
    meter_id = uuid4()
    agreement_id = await world.agree(meter_id, *MARCH)
    assert await world.close() == []
    assert await world.periods() == []
    with pytest.raises(NotFound):
        await world.force(agreement_id, MARCH[0])
    await world.register(meter_id)
    await world.store(meter_id, WHOLE)
    assert closes(await world.close()) == [(1, "complete", HOURS)]


async def a_meter_that_has_ended_closes_nothing(world):
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, *MARCH, closing="bill_present", grace_hours=0)
    await world.store(meter_id, WHOLE)
    await world.plan()
    await world.end_meter(meter_id)
    assert await world.close() == []
    await world.register(meter_id, version=2)
    assert closes(await world.close()) == [(1, "complete", HOURS)]


async def every_channel_must_be_complete(world):
    meter_id = uuid4()
    await world.register(meter_id, channels=(("import", 15),))
    await world.store(meter_id, days_of(*MARCH, 9), minutes=15)  # of a channel that is no more
    await world.register(meter_id, channels=(("import", 60), ("export", 15)), version=2)
    await world.agree(meter_id, *MARCH)
    await world.store(meter_id, WHOLE)
    assert await world.close() == []
    await world.store(meter_id, days_of(*MARCH, 1), flow="export", minutes=15)
    [event] = await world.close()
    assert closes([event]) == [(1, "complete", 5 * HOURS)]
    assert [(series["flow"], len(series["values"])) for series in event["series"]] == [
        ("import", HOURS), ("export", 4 * HOURS)
    ]  # fmt: skip


async def months_up_to_the_next_one_are_planned(world):
    meter_id = uuid4()
    world.now = datetime(2025, 3, 20, tzinfo=UTC)
    await world.register(meter_id)
    await world.agree(meter_id, date(2025, 2, 10))
    await world.close()
    planned = [
        (date(2025, 2, 10), date(2025, 3, 1), 0),
        (date(2025, 3, 1), date(2025, 4, 1), 0),
        (date(2025, 4, 1), date(2025, 5, 1), 0),
    ]
    assert await world.periods() == planned
    world.now = datetime(2025, 4, 1, tzinfo=UTC)
    await world.close()
    assert await world.periods() == [*planned, (date(2025, 5, 1), date(2025, 6, 1), 0)]


async def an_agreement_that_changes_is_planned_again(world):
    """What is closed and sticks out is closed again, shorter; an older version changes nothing. One
    without days has no periods."""
    meter_id = uuid4()
    await world.register(meter_id)
    agreement_id = await world.agree(meter_id, date(2025, 2, 10), date(2025, 4, 5))
    await world.store(meter_id, WHOLE)
    assert len(await world.close()) == 1
    await world.agree(meter_id, date(2025, 2, 20), date(2025, 3, 15), agreement_id=agreement_id,
                      version=2)  # fmt: skip
    await world.close()
    changed = [(date(2025, 2, 20), date(2025, 3, 1), 0), (date(2025, 3, 1), date(2025, 3, 15), 2)]
    assert await world.periods() == changed
    await world.agree(meter_id, date(2025, 1, 1), agreement_id=agreement_id, version=1)
    assert len(await world.close()) == 2
    assert await world.periods() == changed
    cancelled = {"agreement_id": agreement_id, "version": 3}
    await world.agree(meter_id, date(2025, 2, 20), date(2025, 2, 20), **cancelled)
    assert len(await world.close()) == 2
    assert await world.periods() == []


async def before_the_year_2000_nothing_is_planned(world):
    meter_id = uuid4()
    await world.register(meter_id)
    await world.agree(meter_id, date(1990, 1, 1), date(1999, 1, 1))
    await world.agree(meter_id, date(1990, 1, 1), date(2000, 2, 1))
    await world.close()
    assert await world.periods() == [(date(2000, 1, 1), date(2000, 2, 1), 0)]


SCENARIOS = [
    complete_at_once,
    not_before_its_end,
    a_gap_waits_until_it_is_filled,
    a_gap_is_billed_after_its_grace_and_filled_later,
    without_any_reading,
    a_correction_is_a_revision_once_it_has_been_quiet,
    a_correction_that_is_undone_is_no_revision,
    lost_values_make_a_revision_and_are_billed_after_the_grace,
    lost_values_wait_for_a_person,
    forced_by_a_person,
    an_unknown_meter_is_waited_for,
    a_meter_that_has_ended_closes_nothing,
    every_channel_must_be_complete,
    months_up_to_the_next_one_are_planned,
    an_agreement_that_changes_is_planned_again,
    before_the_year_2000_nothing_is_planned,
    *CHANNEL_SCENARIOS,
    *CALENDAR_SCENARIOS,
]
