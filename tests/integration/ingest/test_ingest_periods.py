"""Closing on the real database: complete, grace, forced, revisions, each meter for itself."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from gridtally.contracts.metering import PeriodClosed
from gridtally.kernel.periods import midnight_utc

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
    assert len(await ingest.close()) == 1, "checking again closes nothing again"


async def test_reactive_energy_is_stored_and_closed_beside_active_energy(ingest):
    """The meter is complete once both channels are; a unit that is not varh goes to quarantine."""
    meter = uuid4()
    ingest.now = datetime(2025, 5, 2, tzinfo=UTC)
    channels = [
        {"flow": flow, "minutes": 15, "interval_wh_max": 10_000}
        for flow in ("import", "reactive_import")
    ]
    await ingest.register(meter, channels=channels)
    await ingest.agree(meter, *MARCH)
    await ingest.deliver(*days(ingest, meter))
    assert await ingest.close() == []
    begin = midnight_utc(ZONE, MARCH[0])
    reactive = {"flow": "reactive_import", "unit": "varh"}
    wrong = ingest.block(meter, begin, [3] * SLOTS, flow="reactive_import")
    await ingest.deliver(wrong)
    [refused] = await ingest.rows("SELECT reason, detail FROM quarantine")
    assert tuple(refused.values()) == (
        "wrong_unit",
        "the unit is Wh, and reactive_import is in varh: send whole varh (1.5 kvarh is 1500)",
    )  # fmt: skip
    await ingest.deliver(ingest.block(meter, begin, [3] * SLOTS, **reactive))
    [event] = await ingest.close()
    assert [(series["flow"], series["values"][0]) for series in event["series"]] == [
        ("import", 5), ("reactive_import", 3),
    ]  # fmt: skip
    assert event["expected_intervals"] == event["present_intervals"] == 2 * SLOTS


@pytest.mark.parametrize("last", [0, 7, 30])
async def test_the_block_that_came_last_is_the_cause_of_the_close(ingest, meter, last):
    """All come in one batch, so that only their order distinguishes them."""
    await ingest.agree(meter, *MARCH)
    blocks = days(ingest, meter)
    blocks.append(blocks.pop(last))
    await ingest.deliver(*blocks)
    [event] = await ingest.close()
    assert event["cause"] == f"day-{last}"


async def test_a_period_with_a_gap_waits_or_closes_after_its_grace(ingest, meter):
    await ingest.agree(meter, *MARCH, closing="wait")
    billed = await ingest.agree(meter, *MARCH, closing="bill_present", grace_hours=24 * 40)
    await ingest.deliver(*days(ingest, meter, leave_out=(3,)))
    assert await ingest.close() == []
    ingest.now = midnight_utc(ZONE, MARCH[1]) + timedelta(days=40)
    [event] = await ingest.close()
    assert (event["agreement_id"], event["closed_by"]) == (str(billed), "grace")
    assert event["present_intervals"] == SLOTS - 96
    assert event["series"][0]["values"][3 * 96 : 4 * 96] == [None] * 96
    await ingest.deliver(ingest.block(meter, midnight_utc(ZONE, date(2025, 3, 4)), [5] * 96))
    ingest.later(seconds=3)
    closed = {(event["agreement_id"] == str(billed), event["revision"], event["closed_by"])
              for event in await ingest.close()}  # fmt: skip
    assert closed == {(True, 1, "grace"), (True, 2, "complete"), (False, 1, "complete")}


async def test_no_period_closes_before_its_end(ingest, meter):
    ingest.now = midnight_utc(ZONE, MARCH[1]) - timedelta(minutes=1)
    await ingest.agree(meter, *MARCH, closing="bill_present", grace_hours=0)
    await ingest.deliver(*days(ingest, meter))
    assert await ingest.close() == []
    ingest.later(minutes=1)
    [event] = await ingest.close()
    assert event["closed_by"] == "complete"


async def test_a_dead_meter_closes_empty_after_its_grace_and_holds_nobody_up(ingest, meter):
    dead = uuid4()
    await ingest.register(dead)
    await ingest.agree(dead, *MARCH, closing="bill_present", grace_hours=1)
    await ingest.agree(meter, *MARCH)
    await ingest.deliver(*days(ingest, meter))
    events = {event["meter_id"]: event for event in await ingest.close()}
    assert events[str(meter)]["closed_by"] == "complete"
    assert events[str(dead)]["present_intervals"] == 0


async def test_a_correction_after_the_close_makes_one_revision(ingest, meter):
    await ingest.agree(meter, *MARCH)
    await ingest.deliver(*days(ingest, meter))
    await ingest.close()
    ingest.later(hours=1)
    begin = midnight_utc(ZONE, MARCH[0])
    for n in range(3):
        await ingest.deliver(ingest.block(meter, begin, [6 + n], correlation_id=f"fix-{n}"))
        ingest.later(seconds=0.5)
        assert len(await ingest.close()) == 1, "changes are gathered until they have been quiet"
    ingest.later(seconds=2)
    first, second = await ingest.close()
    assert (second["revision"], second["closed_by"], second["cause"]) == (2, "complete", "fix-2")
    assert second["series"][0]["values"][:2] == [8, 5]
    assert first["digest"] != second["digest"]
    ingest.later(hours=1)
    assert len(await ingest.close()) == 2


async def test_a_change_and_its_reversal_make_no_revision(ingest, meter):
    await ingest.agree(meter, *MARCH)
    await ingest.deliver(*days(ingest, meter))
    await ingest.close()
    for value in (6, 5):
        ingest.later(minutes=1)
        await ingest.deliver(ingest.block(meter, midnight_utc(ZONE, MARCH[0]), [value]))
    ingest.later(minutes=1)
    assert len(await ingest.close()) == 1


async def test_force_close(ingest, meter, clients):
    agreement_id = await ingest.agree(meter, date(2025, 3, 1))
    await ingest.deliver(*days(ingest, meter, leave_out=(0,)))
    await ingest.close()
    client = await clients()

    async def force(start_on, of=agreement_id):
        answer = await client.post(f"/v1/agreements/{of}/periods/{start_on}/close")
        return answer.status_code, answer.json()

    status, problem = await force("2025-05-01")
    assert (status, problem["code"]) == (422, "period_not_ended")
    assert (await force("2025-03-02"))[0] == 404
    assert (await force("2025-03-01", uuid4()))[0] == 404
    status, period = await force("2025-03-01")
    assert (status, period["state"], period["closed_by"]) == (200, "closed", "forced")
    assert period["energy_wh"] == {"import": 5 * (SLOTS - 96)}
    assert (await force("2025-03-01"))[0] == 409
    [event] = await ingest.close()
    assert event["closed_by"] == "forced"
    energy = (await client.get("/v1/reconciliation")).json()["energy"]
    assert energy[0]["open_wh"] == 0


async def test_periods_are_months_cut_at_the_agreements_ends(ingest, meter, clients):
    agreement_id = await ingest.agree(meter, date(2025, 2, 10), date(2025, 4, 5))
    await ingest.close()
    client = await clients()

    async def spans(**query):
        query |= {"agreement_id": str(agreement_id), "limit": 2}
        page = (await client.get("/v1/periods", params=query)).json()
        rest = {"items": []}
        if page["next_cursor"]:
            rest = (
                await client.get("/v1/periods", params=query | {"cursor": page["next_cursor"]})
            ).json()
        return [(p["start_on"], p["end_on"]) for p in page["items"] + rest["items"]]

    assert await spans() == [
        ("2025-02-10", "2025-03-01"), ("2025-03-01", "2025-04-01"), ("2025-04-01", "2025-04-05")
    ]  # fmt: skip
    await ingest.deliver(*days(ingest, meter))
    await ingest.close()
    await ingest.agree(meter, date(2025, 2, 20), date(2025, 3, 15), agreement_id=agreement_id,
                       version=2)  # fmt: skip
    first, second = await ingest.close()
    assert await spans() == [("2025-02-20", "2025-03-01"), ("2025-03-01", "2025-03-15")]
    assert await spans(state="closed") == [("2025-03-01", "2025-03-15")]
    assert (first["end_on"], second["end_on"]) == ("2025-04-01", "2025-03-15")
    assert (second["revision"], second["closed_by"]) == (2, "complete")
    assert second["expected_intervals"] == second["present_intervals"] == 14 * 96
    await ingest.agree(meter, date(2025, 1, 1), agreement_id=agreement_id, version=1)
    assert len(await ingest.close()) == 2
    assert (await spans())[0] == ("2025-02-20", "2025-03-01"), "an older version changes nothing"


async def test_a_cancelled_agreement_has_no_periods_until_it_has_days_again(ingest, meter, clients):
    """Its revisions count on, so that what was said of a period is never said again."""
    agreement_id = await ingest.agree(meter, date(2025, 3, 1))
    await ingest.deliver(*days(ingest, meter))
    await ingest.close()
    client = await clients()

    async def listed(**query):
        query |= {"agreement_id": str(agreement_id)}
        page = (await client.get("/v1/periods", params=query)).json()
        return [(p["start_on"], p["state"], p["revision"]) for p in page["items"]]

    again = {"agreement_id": agreement_id}
    await ingest.agree(meter, date(2025, 3, 1), date(2025, 3, 1), version=2, **again)
    ingest.later(hours=1)
    await ingest.deliver(ingest.block(meter, midnight_utc(ZONE, MARCH[0]), [7]))
    ingest.later(minutes=1)
    assert len(await ingest.close()) == 1, "no correction is of a period that is no more"
    assert await listed() == []
    assert await listed(state="cancelled") == [("2025-03-01", "cancelled", 1)]
    path = f"/v1/agreements/{agreement_id}/periods/2025-03-01/close"
    assert (await client.post(path)).json()["code"] == "period_unknown"
    await ingest.agree(meter, date(2025, 3, 1), date(2025, 5, 1), version=3, **again)
    *_, event = await ingest.close()
    assert (event["revision"], event["closed_by"], event["end_on"]) == (2, "complete", "2025-04-01")
    assert event["series"][0]["values"][:2] == [7, 5]
    assert await listed() == [("2025-03-01", "closed", 2), ("2025-04-01", "open", 0)]


async def test_a_period_that_is_planned_again_waits_for_its_values_as_any_other(ingest, meter):
    """Closed from the 1st to the 10th, then the agreement goes on: nothing is there of the rest."""
    agreement_id = await ingest.agree(meter, date(2025, 3, 1), date(2025, 3, 10))
    await ingest.deliver(*days(ingest, meter, leave_out=range(9, 31)))
    await ingest.close()
    ingest.later(hours=1)
    again = {"agreement_id": agreement_id}
    await ingest.agree(meter, date(2025, 3, 1), date(2025, 3, 5), version=2, **again)
    await ingest.agree(meter, *MARCH, version=3, **again)
    assert len(await ingest.close()) == 1, "values are missing, and the agreement waits"
    await ingest.deliver(*days(ingest, meter))
    *_, event = await ingest.close()
    assert (event["revision"], event["closed_by"], event["end_on"]) == (2, "complete", "2025-04-01")


async def test_an_open_period_says_how_far_it_has_come_and_since_when_it_is_late(
    ingest, meter, clients
):
    agreement_id = await ingest.agree(meter, date(2025, 3, 1), closing="wait")
    ingest.now = datetime(2025, 3, 31, 21, 59, tzinfo=UTC)
    await ingest.deliver(*days(ingest, meter)[:-2])
    await ingest.close()
    client = await clients()

    async def opened(**query):
        page = (await client.get("/v1/periods", params={"state": "open"} | query)).json()
        return [
            (p["start_on"], p["expected"], p["present"], p["late_since"]) for p in page["items"]
        ]

    march, april = ("2025-03-01", SLOTS, SLOTS - 92 - 96), ("2025-04-01", 30 * 96, 0)
    assert await opened() == [(*march, None), (*april, None)]
    ingest.now = datetime(2025, 3, 31, 22, tzinfo=UTC)
    assert await opened(ended_by="2025-04-01") == [(*march, "2025-03-31T22:00:00Z")]
    assert await opened(ended_by="2025-03-31") == []
    assert await opened(meter_id=str(uuid4())) == []
    assert len(await opened(meter_id=str(meter), agreement_id=str(agreement_id))) == 2
    assert await opened(state="closed") == []
    await ingest.deliver(*days(ingest, meter)[-2:])
    await ingest.close()
    closed = await opened(state="closed", meter_id=str(meter))
    assert closed == [("2025-03-01", SLOTS, SLOTS, None)]


async def test_an_agreement_waits_for_its_meter(ingest):
    unknown = uuid4()
    ingest.now = datetime(2025, 5, 2, tzinfo=UTC)
    await ingest.agree(unknown, *MARCH)
    await ingest.deliver(*days(ingest, unknown))
    assert await ingest.close() == []
    await ingest.register(unknown)
    while await ingest.record_pending():
        pass
    [event] = await ingest.close()
    assert event["closed_by"] == "complete"


async def test_a_meter_that_ends_closes_nothing(ingest, meter):
    await ingest.agree(meter, *MARCH, closing="bill_present", grace_hours=0)
    await ingest.deliver(*days(ingest, meter))
    await ingest.end_meter(meter)
    assert await ingest.close() == []
    await ingest.register(meter, version=2)
    assert len(await ingest.close()) == 1


async def test_two_channels_must_both_be_complete(ingest):
    meter_id = uuid4()
    ingest.now = datetime(2025, 5, 2, tzinfo=UTC)
    both = [
        {"flow": flow, "minutes": minutes, "interval_wh_max": 10_000}
        for flow, minutes in (("import", 15), ("export", 60))
    ]
    await ingest.register(meter_id, channels=both)
    await ingest.agree(meter_id, *MARCH)
    await ingest.deliver(*days(ingest, meter_id))
    assert await ingest.close() == []
    hours = [2] * (SLOTS // 4)
    begin = midnight_utc(ZONE, MARCH[0])
    await ingest.deliver(ingest.block(meter_id, begin, hours, flow="export", minutes=60))
    [event] = await ingest.close()
    assert [(s["flow"], len(s["values"])) for s in event["series"]] == [
        ("import", SLOTS), ("export", SLOTS // 4)
    ]  # fmt: skip
