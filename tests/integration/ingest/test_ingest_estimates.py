"""Estimates of what ended periods lack: made, billed as such, replaced by what is measured."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from gridtally.ingest.handlers.estimates import estimate_due_periods
from gridtally.kernel.periods import midnight_utc, slots_in_day

ZONE = "Europe/Berlin"
HOURLY = ({"flow": "import", "minutes": 60, "interval_wh_max": 10_000},)
MAY = (date(2025, 5, 1), date(2025, 6, 1))
SHAPE = [100 + 10 * hour for hour in range(24)]


@pytest.fixture
async def meter(ingest):
    meter_id = uuid4()
    await ingest.register(meter_id, channels=HOURLY)
    return meter_id


def day_of(day):
    """What the meter has on a day: more on Sundays."""
    return [value * (2 if day.weekday() == 6 else 1) for value in SHAPE]


async def store(ingest, meter_id, start_on, end_on, *, leave_out=(), **more):
    days = [start_on + timedelta(days=n) for n in range((end_on - start_on).days)]
    blocks = [
        ingest.block(meter_id, midnight_utc(ZONE, day), day_of(day), minutes=60, **more)
        for day in days
        if day not in leave_out and slots_in_day(ZONE, day, 60) == 24
    ]
    await ingest.deliver(*blocks)


async def close(ingest):
    """Close, estimate, and close again what estimates have completed."""
    await ingest.close()
    while await ingest.poll(estimate_due_periods, ingest.recorder, ingest.now):
        pass
    return await ingest.close()


def closes(events):
    return [(event["revision"], event["closed_by"], event["present_intervals"]) for event in events]


GAP = date(2025, 5, 15)
SUNDAY = date(2025, 5, 18)


async def with_gap(ingest, meter, *, leave_out=(GAP, SUNDAY)):
    ingest.now = midnight_utc(ZONE, date(2025, 6, 10))
    await ingest.agree(meter, *MAY, closing="estimate", grace_hours=24)
    await store(ingest, meter, date(2025, 4, 1), date(2025, 6, 2), leave_out=leave_out)


async def test_long_gaps_have_what_their_weekday_had_in_earlier_weeks(ingest, meter, clients):
    await with_gap(ingest, meter)
    [event] = await close(ingest)
    assert closes([event]) == [(1, "complete", 744)]
    series = event["series"][0]
    at = 14 * 24
    assert series["values"][at : at + 24] == SHAPE
    assert series["values"][at + 72 : at + 96] == [2 * value for value in SHAPE]
    assert series["quality"].count("E") == 48
    client = await clients()
    answer = await client.get("/v1/estimates", params={"meter_id": str(meter)})
    items = answer.json()["items"]
    assert [(item["day"], item["methods"], item["replaced"]) for item in items] == [
        ("2025-05-15", "W" * 24, 0),
        ("2025-05-18", "W" * 24, 0),
    ]


async def test_an_actual_value_replaces_its_estimate_and_the_period_follows(ingest, meter, clients):
    await with_gap(ingest, meter)
    await close(ingest)
    ingest.later(hours=1)
    actual = [value + 10 for value in SHAPE]
    await ingest.deliver(ingest.block(meter, midnight_utc(ZONE, GAP), actual, minutes=60))
    ingest.later(seconds=5)
    events = await close(ingest)
    assert closes(events) == [(1, "complete", 744), (2, "complete", 744)]
    series = events[1]["series"][0]
    assert series["values"][14 * 24 : 15 * 24] == actual
    assert series["quality"].count("E") == 24
    client = await clients()
    first = (await client.get("/v1/estimates")).json()["items"][0]
    assert (first["replaced"], first["off_wh"], first["absolute_off_wh"]) == (24, -240, 240)
    [accuracy] = (await client.get("/v1/estimates/accuracy")).json()["items"]
    assert (accuracy["method"], accuracy["intervals"]) == ("same_weekday", 24)
    assert accuracy["score"] == round(1 - 240 / sum(actual), 3)


async def test_short_gaps_are_straight_lines(ingest, meter):
    await with_gap(ingest, meter, leave_out=(GAP,))
    begin = midnight_utc(ZONE, GAP)
    day = [100, 200, None, None, 500, *SHAPE[5:]]
    await ingest.deliver(ingest.block(meter, begin, day, minutes=60))
    [event] = await close(ingest)
    assert event["series"][0]["values"][14 * 24 : 14 * 24 + 5] == [100, 200, 300, 400, 500]
    [row] = await ingest.rows("SELECT methods FROM estimate")
    assert row["methods"] == "--LL" + "-" * 20


async def test_holidays_are_sundays(ingest, meter, clients):
    """Thursday the 29th of May 2025 is Ascension Day in Germany."""
    client = await clients()
    answer = await client.put("/v1/estimation-settings", json={"holidays": "DE"})
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    ascension = date(2025, 5, 29)
    await with_gap(ingest, meter, leave_out=(ascension,))
    [event] = await close(ingest)
    at = 28 * 24
    assert event["series"][0]["values"][at : at + 24] == [2 * value for value in SHAPE]


async def test_a_meter_without_weeks_of_its_own_has_the_profile_of_its_group(ingest, meter):
    other = uuid4()
    await ingest.register(other, channels=HOURLY)
    await store(ingest, other, date(2025, 4, 1), date(2025, 6, 2))
    ingest.now = midnight_utc(ZONE, date(2025, 6, 10))
    await ingest.agree(meter, *MAY, closing="estimate", grace_hours=24)
    half = [value // 2 for value in SHAPE]
    await ingest.deliver(
        ingest.block(meter, midnight_utc(ZONE, date(2025, 5, 1)), half, minutes=60)
    )
    [event] = await close(ingest)
    values = event["series"][0]["values"]
    assert values[24:48] == pytest.approx(half, abs=1)
    sundays = sum(1 for n in range(31) if date(2025, 5, 1 + n).weekday() == 6)
    assert sum(values) == (31 + sundays) * sum(half)
    rows = await ingest.rows("SELECT day, methods FROM estimate")
    of_days = {row["day"]: set(row["methods"]) for row in rows}
    thursdays = {date(2025, 5, day) for day in (8, 15, 22, 29)}
    assert {day for day, letters in of_days.items() if letters == {"W"}} == thursdays
    assert {day for day, letters in of_days.items() if letters == {"G"}} == {
        date(2025, 5, day) for day in range(2, 32)
    } - thursdays


async def test_what_nobody_can_estimate_is_billed_as_it_is_and_holds_nobody_up(ingest, meter):
    dead = uuid4()
    await ingest.register(dead, channels=HOURLY, kind="sub")
    ingest.now = midnight_utc(ZONE, date(2025, 6, 10))
    await ingest.agree(dead, *MAY, closing="estimate", grace_hours=24)
    await ingest.agree(meter, *MAY, closing="estimate", grace_hours=24)
    await store(ingest, meter, date(2025, 4, 1), date(2025, 6, 2), leave_out=(GAP,))
    events = {event["meter_id"]: event for event in await close(ingest)}
    assert closes([events[str(meter)]]) == [(1, "complete", 744)]
    assert closes([events[str(dead)]]) == [(1, "grace", 0)]
    assert len(await close(ingest)) == 2, "nothing is due for ever"


async def test_a_derived_meter_without_days_takes_no_estimates(ingest, meter):
    derived = uuid4()
    await ingest.register(derived, channels=HOURLY, kind="unmetered")
    await store(ingest, meter, date(2025, 4, 1), date(2025, 6, 2))
    ingest.now = midnight_utc(ZONE, date(2025, 6, 10))
    await ingest.agree(derived, *MAY, closing="estimate", grace_hours=24)
    assert closes(await close(ingest)) == [(1, "grace", 0)]


async def test_nothing_is_estimated_before_grace_ends_or_under_other_policies(ingest, meter):
    await ingest.agree(meter, *MAY, closing="estimate", grace_hours=48)
    await store(ingest, meter, date(2025, 4, 1), date(2025, 5, 30))
    ingest.now = midnight_utc(ZONE, MAY[1]) + timedelta(hours=47)
    assert await close(ingest) == []
    other = uuid4()
    await ingest.register(other, channels=HOURLY)
    await ingest.agree(other, *MAY)
    ingest.later(hours=2)
    assert [event["meter_id"] for event in await close(ingest)] == [str(meter)]
    assert {row["meter_id"] for row in await ingest.rows("SELECT meter_id FROM estimate")} == {
        meter
    }


async def test_an_estimate_of_a_sender_outranks_ours(ingest, meter):
    await with_gap(ingest, meter, leave_out=(GAP,))
    await close(ingest)
    theirs = ingest.block(meter, midnight_utc(ZONE, GAP), [7] * 24, minutes=60, quality="estimated")
    await ingest.deliver(theirs)
    ingest.later(seconds=5)
    events = await close(ingest)
    assert [event["revision"] for event in events] == [1, 2]
    assert events[1]["series"][0]["values"][14 * 24 : 15 * 24] == [7] * 24


async def test_settings_are_checked_and_their_tenants(ingest, meter, clients):
    client, other = await clients(), await clients("umbra")
    for wrong in (
        {"holidays": "XX"}, {"holidays": "DE-XX"}, {"holidays": "Germany"}, {"days_max": 0},
        {"line_hours_max": 25}, {"more": 1},
    ):  # fmt: skip
        answer = await client.put("/v1/estimation-settings", json=wrong)
        assert answer.status_code == 422, wrong
    await client.put("/v1/estimation-settings", json={"line_hours_max": 0})
    stale = await client.put("/v1/estimation-settings", json={}, headers={"If-Match": '"0"'})
    assert stale.status_code == 412
    await with_gap(ingest, meter)
    await close(ingest)
    assert (await other.get("/v1/estimation-settings")).json()["line_hours_max"] == 2
    assert (await other.get("/v1/estimates")).json()["items"] == []
    assert (await other.get("/v1/estimates/accuracy")).json()["items"] == []


async def test_estimates_page(ingest, meter, clients):
    await with_gap(ingest, meter)
    await close(ingest)
    client = await clients()
    first = (await client.get("/v1/estimates", params={"limit": 1})).json()
    query = {"limit": 1, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/estimates", params=query)).json()
    assert [page["items"][0]["day"] for page in (first, second)] == ["2025-05-15", "2025-05-18"]
    only = (await client.get("/v1/estimates", params={"from": "2025-05-16"})).json()["items"]
    assert [item["day"] for item in only] == ["2025-05-18"]
