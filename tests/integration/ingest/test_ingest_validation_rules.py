"""A tenant's rules: over HTTP, in the transaction that stores, and for nobody else."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from gridtally.kernel.periods import midnight_utc

METER = UUID(int=7)
ZONE = "Europe/Berlin"
MONDAY = date(2025, 3, 3)
USE = [100 + slot % 4 * 10 + (300 if slot > 70 else 0) for slot in range(96)]
FLAGS = [{"rule": rule, "action": "flag"} for rule in ("spike", "zero_run", "gap", "overlap")]
RULES = "/v1/validation-rules"
VERDICTS = "/v1/validation-verdicts"


@pytest.fixture
async def client(ingest, clients):
    await ingest.register(METER)
    return await clients()


async def put(client, *settings, **headers):
    answer = await client.put(RULES, json={"settings": list(settings)}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def day_block(ingest, number, values, **more):
    start_at = midnight_utc(ZONE, MONDAY + timedelta(days=number))
    return ingest.block(METER, start_at, values, **more)


async def usual_days(ingest, count=10):
    for number in range(count):
        await ingest.deliver(day_block(ingest, number, USE))


async def verdicts(client, **query):
    answer = await client.get(VERDICTS, params=query)
    assert answer.status_code == 200, answer.text
    return [
        (item["day"], item["rule"], item["value"], item["limit"], item["slot"])
        for item in answer.json()["items"]
    ]


SPIKE = [*USE[:40], 5_000, *USE[41:]]
SPIKE_SAID = ("2025-03-13", "spike", 11.628, 4.0, 40)  # 5 000 / 430


async def test_rules_are_read_replaced_and_refused(client):
    answer = await client.get(RULES)
    said = answer.json()
    assert (said["version"], said["settings"], answer.headers["ETag"]) == (0, [], '"0"')
    assert {"spike", "zero_run", "clock_drift"} <= {rule["rule"] for rule in said["rules"]}
    setting = {"rule": "spike", "action": "flag", "limit": 3.0, "flow": "import"}
    said = await put(client, setting)
    assert (said["version"], said["settings"][0]["limit"]) == (1, 3.0)
    stale = await client.put(RULES, json={"settings": []}, headers={"If-Match": '"0"'})
    assert stale.status_code == 412
    for wrong in (
        {"rule": "hunch", "action": "flag"},
        {"rule": "spike", "action": "delete"},
        {"rule": "spike", "action": "flag", "limit": -1},
        {"rule": "spike", "action": "flag", "limit": "1e400"},
        {"rule": "spike", "action": "flag", "limit": 1, "more": 1},
    ):
        answer = await client.put(RULES, json={"settings": [wrong]})
        assert answer.status_code == 422, wrong
    too_many = await client.put(RULES, json={"settings": [setting] * 201})
    assert too_many.status_code == 422


async def test_without_rules_nothing_is_said_or_remembered(ingest, client):
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    assert await verdicts(client) == []
    assert await ingest.rows("SELECT 1 FROM channel_history") == []


async def test_a_flagged_day_is_stored_and_shown_where_it_is_read(ingest, client):
    await put(client, *FLAGS)
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    assert await verdicts(client) == [SPIKE_SAID]
    assert (await ingest.counts())["stored"] == 11
    window = {"from": "2025-03-12", "to": "2025-03-14"}
    answer = await client.get(f"/v1/meters/{METER}/completeness", params=window)
    assert [day["flags"] for day in answer.json()["days"]] == [[], ["spike"]]
    series = await client.get(f"/v1/meters/{METER}/series", params=window | {"flow": "import"})
    [said] = series.json()["verdicts"]
    assert (said["rule"], said["slot"], said["intervals"]) == ("spike", 40, 1)
    portfolio = await client.post(
        "/v1/series/completeness",
        json={"meter_ids": [str(METER)], "flows": ["import"], "start_on": "2025-03-12",
              "end_on": "2025-03-14"},
    )  # fmt: skip
    assert portfolio.json()["channels"][0]["flagged"] == [0, 1]


async def test_a_correction_clears_a_verdict(ingest, client):
    await put(client, *FLAGS)
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    ingest.later(hours=1)
    await ingest.deliver(day_block(ingest, 10, USE))
    assert await verdicts(client) == []
    assert await verdicts(client, cleared=True) == [SPIKE_SAID]
    ingest.later(hours=1)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    assert await verdicts(client) == [SPIKE_SAID]


async def test_a_rule_that_is_turned_off_clears_its_verdicts(ingest, client):
    await put(client, *FLAGS)
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    await put(client, {"rule": "gap", "action": "flag"})
    assert await verdicts(client) == []
    await ingest.deliver(day_block(ingest, 11, SPIKE))
    assert await verdicts(client) == []


async def test_a_rule_may_quarantine_and_a_replay_overrules_it(ingest, client):
    await put(client, {"rule": "spike", "action": "quarantine"}, {"rule": "gap", "action": "flag"})
    await usual_days(ingest)
    good = day_block(ingest, 11, USE)
    await ingest.deliver(day_block(ingest, 10, SPIKE), good)
    assert len(await ingest.days()) == 11  # the good one beside it is stored
    assert await verdicts(client) == []
    [held] = (await client.get("/v1/quarantine")).json()["items"]
    assert held["reason"] == "spike"
    assert held["detail"].startswith("2025-03-13: 11.628 times, and the limit is 4 (")
    counts = await ingest.counts()
    assert (counts["received"], counts["stored"], counts["quarantined"]) == (12, 11, 1)
    answer = await client.post(f"/v1/quarantine/{held['id']}/replay")
    assert answer.status_code == 200, answer.text
    assert (await ingest.days())[METER, "import", date(2025, 3, 13)][0] == SPIKE
    assert await verdicts(client) == [SPIKE_SAID]
    reconciled = (await client.get("/v1/reconciliation")).json()
    assert reconciled["holds"], reconciled


async def test_only_the_block_with_the_odd_interval_is_quarantined(ingest, client):
    await put(client, {"rule": "spike", "action": "quarantine"})
    await usual_days(ingest)
    begin = midnight_utc(ZONE, MONDAY + timedelta(days=10))
    halves = [
        ingest.block(METER, begin, USE[:48]),
        ingest.block(METER, begin + timedelta(hours=12), [9_000, *USE[49:]]),
    ]
    await ingest.deliver(*halves)
    values, _ = (await ingest.days())[METER, "import", date(2025, 3, 13)]
    assert values == [*USE[:48], *[None] * 48]


async def test_overlap_and_gap(ingest, client):
    await put(client, *FLAGS)
    begin = midnight_utc(ZONE, MONDAY)
    await ingest.deliver(ingest.block(METER, begin, USE[:40]))
    ingest.later(hours=1)
    late = begin + timedelta(minutes=38 * 15)
    await ingest.deliver(ingest.block(METER, late, [1, 2, 3, None, 5]))
    assert await verdicts(client) == [
        ("2025-03-03", "gap", 1, 1, 41),
        ("2025-03-03", "overlap", 2, 1, 0),
    ]
    await ingest.deliver(ingest.block(METER, begin + timedelta(minutes=41 * 15), [4]))
    assert await verdicts(client) == [("2025-03-03", "overlap", 2, 1, 0)]


async def test_the_most_specific_setting_counts(ingest, client):
    await put(
        client,
        {"rule": "spike", "action": "flag", "limit": 100},
        {"rule": "spike", "action": "flag", "limit": 50, "meter_type": "main"},
        {"rule": "spike", "action": "flag", "limit": 11, "meter_type": "main", "flow": "import"},
        {"rule": "spike", "action": "off", "flow": "import", "meter_type": "solar"},
    )
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    assert await verdicts(client) == [(*SPIKE_SAID[:3], 11.0, 40)]


async def test_a_sun_channel_is_dark_at_night_and_a_house_is_not(ingest, clients):
    await ingest.register(
        METER,
        channels=[
            {"flow": flow, "minutes": 15, "interval_wh_max": 10_000}
            for flow in ("load", "generation")
        ],
        kind="solar",
    )
    client = await clients()
    await put(client, {"rule": "dark_energy", "action": "flag"})
    for flow in ("load", "generation"):
        await ingest.deliver(day_block(ingest, 0, USE, flow=flow))
    items = (await client.get(VERDICTS)).json()["items"]
    assert [(item["flow"], item["value"]) for item in items] == [("generation", 3_040.0)]


async def test_estimated_values_are_not_judged(ingest, client):
    await put(client, {"rule": "flat_run", "action": "flag"})
    await ingest.deliver(day_block(ingest, 0, [50] * 96, quality="estimated"))
    await ingest.deliver(day_block(ingest, 1, [50] * 96))
    assert [day for day, *_ in await verdicts(client)] == ["2025-03-04"]


async def test_single_readings_are_judged_as_their_day_fills(ingest, client):
    await put(client, *FLAGS)
    await usual_days(ingest)
    begin = midnight_utc(ZONE, MONDAY + timedelta(days=10))
    for slot, value in enumerate(SPIKE):
        at = begin + timedelta(minutes=15 * slot)
        await ingest.deliver(ingest.block(METER, at, [value]))
    assert await verdicts(client) == [SPIKE_SAID]


async def test_many_days_of_many_channels_in_one_batch(ingest, clients):
    """As in a file: what is usual comes from the batch itself."""
    meters = [uuid4() for _ in range(5)]
    for meter_id in meters:
        await ingest.register(meter_id)
    client = await clients()
    await put(client, *FLAGS)
    blocks = [
        ingest.block(
            meter_id,
            midnight_utc(ZONE, MONDAY + timedelta(days=number)),
            SPIKE if number == 20 else USE,
        )
        for number in range(30)
        for meter_id in meters
    ]
    await ingest.deliver(*blocks)
    items = (await client.get(VERDICTS)).json()["items"]
    assert [item["day"] for item in items] == ["2025-03-23"] * 5
    assert {item["meter_id"] for item in items} == {str(meter_id) for meter_id in meters}


async def test_rules_and_verdicts_are_their_tenants(ingest, client, clients):
    await put(client, *FLAGS)
    await usual_days(ingest)
    await ingest.deliver(day_block(ingest, 10, SPIKE))
    await ingest.register(METER, tenant="umbra")
    await ingest.deliver(day_block(ingest, 10, [0] * 96, tenant="umbra"))
    other = await clients("umbra")
    assert (await other.get(RULES)).json()["settings"] == []
    assert (await other.get(VERDICTS)).json()["items"] == []
    await put(other, {"rule": "zero_run", "action": "flag"})
    assert await verdicts(client) == [SPIKE_SAID]
    assert (await client.get(RULES)).json()["version"] == 1


async def test_verdicts_page_and_filter(ingest, client):
    await put(client, *FLAGS)
    await usual_days(ingest)
    for number in (10, 11, 12):
        await ingest.deliver(day_block(ingest, number, SPIKE))
    first = (await client.get(VERDICTS, params={"limit": 2})).json()
    second = (
        await client.get(VERDICTS, params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    days = [item["day"] for page in (first, second) for item in page["items"]]
    assert days == ["2025-03-13", "2025-03-14", "2025-03-15"]
    assert len(await verdicts(client, **{"from": "2025-03-14", "to": "2025-03-15"})) == 1
    assert await verdicts(client, rule="gap") == []
    assert await verdicts(client, meter_id=str(uuid4())) == []
