"""What becomes of periods that are no calendar months: by other billing calendars, and where the
calendar or the dates of an agreement change."""

from datetime import date
from uuid import uuid4

from doubles.ingest.worlds import days_of

TWO_MONTHS = {"months": 2}
FROM_THE_15TH = {"start_day": 15}
FROM_THE_LAST = {"start_day": 31}
MARCH_HOURS, APRIL_HOURS = 743, 720


def spans(events):
    """First day, end, revision and number of intervals with a value, of each close."""
    return [
        (event["start_on"][5:], event["end_on"][5:], event["revision"], event["present_intervals"])
        for event in events
    ]


async def metered(world, start_on, end_on, until_on=date(2025, 5, 1), **terms):
    """A meter with readings since January, and its agreement."""
    meter_id = uuid4()
    await world.register(meter_id)
    agreement_id = await world.agree(meter_id, start_on, end_on, **terms)
    await world.store(meter_id, days_of(date(2025, 1, 1), until_on))
    return meter_id, agreement_id


async def two_months_are_one_period_and_cut_at_both_ends(world):
    await metered(world, date(2025, 2, 10), date(2025, 4, 20), billing_calendar=TWO_MONTHS)
    assert spans(await world.close()) == [
        ("02-10", "03-01", 1, 19 * 24),
        ("03-01", "04-20", 1, MARCH_HOURS + 19 * 24),
    ]


async def periods_begin_on_the_15th(world):
    await metered(world, date(2025, 2, 20), None, billing_calendar=FROM_THE_15TH)
    assert spans(await world.close()) == [
        ("02-20", "03-15", 1, 23 * 24),
        ("03-15", "04-15", 1, 31 * 24 - 1),
    ]
    assert [period[:2] for period in await world.periods()][2:] == [
        (date(2025, 4, 15), date(2025, 5, 15)),
        (date(2025, 5, 15), date(2025, 6, 15)),
        (date(2025, 6, 15), date(2025, 7, 15)),
    ]


async def periods_begin_on_the_last_day_of_each_month(world):
    await metered(world, date(2025, 1, 31), None, billing_calendar=FROM_THE_LAST)
    assert spans(await world.close()) == [
        ("01-31", "02-28", 1, 28 * 24),
        ("02-28", "03-31", 1, 31 * 24 - 1),
        ("03-31", "04-30", 1, 30 * 24),
    ]


async def a_year_is_planned_whole(world):
    await metered(world, date(2025, 1, 1), None, billing_calendar={"months": 12})
    assert await world.close() == []
    assert await world.periods() == [(date(2025, 1, 1), date(2026, 1, 1), 0)]
    world.later(days=100)
    await world.close()
    assert await world.periods() == [(date(2025, 1, 1), date(2026, 1, 1), 0)]


async def a_correction_of_any_month_of_a_period_is_a_revision(world):
    meter_id, _ = await metered(
        world, date(2025, 1, 1), date(2025, 5, 1), billing_calendar={"months": 6}
    )
    await world.close()
    for revision, day in enumerate((date(2025, 1, 1), date(2025, 3, 30), date(2025, 4, 30)), 2):
        await world.store(meter_id, {day: 6})
        world.later(seconds=3)
        *_, last = await world.close()
        assert (last["revision"], last["start_on"]) == (revision, "2025-01-01")


async def a_correction_in_a_month_that_has_not_ended_is_a_revision(world):
    """The period from 15 March to 15 April is corrected on 20 April."""
    world.later(days=-12)
    meter_id, _ = await metered(
        world, date(2025, 3, 15), None, date(2025, 4, 20), billing_calendar=FROM_THE_15TH
    )
    assert spans(await world.close()) == [("03-15", "04-15", 1, 31 * 24 - 1)]
    await world.store(meter_id, {date(2025, 4, 10): 6})
    world.later(seconds=3)
    assert spans(await world.close())[1:] == [("03-15", "04-15", 2, 31 * 24 - 1)]


async def a_change_of_calendar_ends_the_open_period_on_its_day(world):
    world.later(days=-30)  # it is 2 April
    meter_id, agreement_id = await metered(
        world, date(2025, 2, 1), date(2025, 5, 1), date(2025, 4, 2)
    )
    assert spans(await world.close()) == [
        ("02-01", "03-01", 1, 28 * 24),
        ("03-01", "04-01", 1, MARCH_HOURS),
    ]
    await world.agree(
        meter_id, date(2025, 2, 1), date(2025, 5, 1), agreement_id=agreement_id, version=2,
        billing_calendar=FROM_THE_15TH,
        earlier_calendars=[{"until_on": "2025-04-03", "calendar": {}}],
    )  # fmt: skip
    world.later(days=30)
    await world.store(meter_id, days_of(date(2025, 4, 2), date(2025, 5, 1)))
    assert spans(await world.close())[2:] == [
        ("04-01", "04-03", 1, 2 * 24),
        ("04-03", "04-15", 1, 12 * 24),
        ("04-15", "05-01", 1, 16 * 24),
    ]


async def a_read_cycle_gets_its_dates_one_by_one(world):
    """The period after the last date known goes on; the next date ends it, also in the past."""

    def cycle(*dates):
        return {"read_cycle": "route-7", "read_dates": dates}

    meter_id, agreement_id = await metered(
        world, date(2025, 1, 20), None, billing_calendar=cycle("2025-02-04", "2025-03-06")
    )
    begun = [("01-20", "02-04", 1, 15 * 24), ("02-04", "03-06", 1, 30 * 24)]
    assert spans(await world.close()) == begun
    assert (await world.periods())[2:] == [(date(2025, 3, 6), date(2026, 3, 7), 0)]
    await world.agree(
        meter_id, date(2025, 1, 20), None, agreement_id=agreement_id, version=2,
        billing_calendar=cycle("2025-02-04", "2025-03-06", "2025-04-04"),
    )  # fmt: skip
    begun.append(("03-06", "04-04", 1, 29 * 24 - 1))
    assert spans(await world.close()) == begun
    assert (await world.periods())[3:] == [(date(2025, 4, 4), date(2026, 4, 5), 0)]
    await world.agree(  # a date that was closed is moved: what is closed stays
        meter_id, date(2025, 1, 20), None, agreement_id=agreement_id, version=3,
        billing_calendar=cycle("2025-02-04", "2025-03-08", "2025-04-02", "2025-05-01"),
    )  # fmt: skip
    begun.append(("04-04", "05-01", 1, 27 * 24))
    assert spans(await world.close()) == begun


async def what_is_closed_stays_and_the_days_after_it_follow(world):
    """A change of a day that was closed already: billing did not know of the close yet."""
    world.later(days=-30)
    meter_id, agreement_id = await metered(
        world, date(2025, 3, 1), date(2025, 5, 1), date(2025, 4, 2)
    )
    await world.close()
    await world.agree(
        meter_id, date(2025, 3, 1), date(2025, 5, 1), agreement_id=agreement_id, version=2,
        billing_calendar=FROM_THE_15TH,
        earlier_calendars=[{"until_on": "2025-03-20", "calendar": {}}],
    )  # fmt: skip
    world.later(days=30)
    await world.store(meter_id, days_of(date(2025, 4, 2), date(2025, 5, 1)))
    assert spans(await world.close()) == [
        ("03-01", "04-01", 1, MARCH_HOURS),
        ("04-01", "04-15", 1, 14 * 24),
        ("04-15", "05-01", 1, 16 * 24),
    ]


async def days_after_an_end_that_was_moved_are_billed(world):
    """Closed up to the end on 20 March, which is then taken back."""
    meter_id, agreement_id = await metered(world, date(2025, 3, 1), date(2025, 3, 20))
    assert spans(await world.close()) == [("03-01", "03-20", 1, 19 * 24)]
    await world.agree(meter_id, date(2025, 3, 1), date(2025, 5, 1), agreement_id=agreement_id,
                      version=2)  # fmt: skip
    assert spans(await world.close())[1:] == [
        ("03-20", "04-01", 1, 12 * 24 - 1),
        ("04-01", "05-01", 1, APRIL_HOURS),
    ]


CALENDAR_SCENARIOS = (
    two_months_are_one_period_and_cut_at_both_ends,
    periods_begin_on_the_15th,
    periods_begin_on_the_last_day_of_each_month,
    a_year_is_planned_whole,
    a_correction_of_any_month_of_a_period_is_a_revision,
    a_correction_in_a_month_that_has_not_ended_is_a_revision,
    a_change_of_calendar_ends_the_open_period_on_its_day,
    a_read_cycle_gets_its_dates_one_by_one,
    what_is_closed_stays_and_the_days_after_it_follow,
    days_after_an_end_that_was_moved_are_billed,
)
