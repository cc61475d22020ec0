"""Alerts: raised once, touched while they last, cleared once, and their tenant's alone."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from gridtally.contracts.metering import MeterRegistered
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.handlers.alerts import check_due_meters
from gridtally.kernel.periods import midnight_utc

METER = UUID(int=7)
ZONE = "Europe/Berlin"
MONDAY = date(2025, 3, 3)
USE = [100 + slot % 4 * 10 + (300 if slot > 70 else 0) for slot in range(96)]
RULES = "/v1/alert-rules"
ALERTS = "/v1/alerts"
BOTH = ({"flow": "import", "minutes": 15, "interval_wh_max": 10_000},
        {"flow": "export", "minutes": 15, "interval_wh_max": 10_000})  # fmt: skip


@pytest.fixture
async def client(ingest, clients):
    ingest.now = midnight_utc(ZONE, MONDAY) + timedelta(hours=12)
    await ingest.register(METER)
    return await clients()


async def put(client, *settings, status=200, **headers):
    answer = await client.put(RULES, json={"settings": list(settings)}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def on(kind, **more):
    return {"kind": kind, "action": "raise"} | more


async def day(ingest, number, values, meter_id=METER, **more):
    """A day's block arrives at its end; what is due is looked at."""
    end_at = midnight_utc(ZONE, MONDAY + timedelta(days=number + 1))
    ingest.now = max(ingest.now, end_at + timedelta(hours=1))
    start_at = midnight_utc(ZONE, MONDAY + timedelta(days=number))
    await ingest.deliver(ingest.block(meter_id, start_at, values, **more))
    return await ingest.check_alerts()


async def listed(client, **query):
    answer = await client.get(ALERTS, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_rules_are_read_replaced_and_refused(client):
    answer = await client.get(RULES)
    said = answer.json()
    assert (said["version"], said["settings"], answer.headers["ETag"]) == (0, [], '"0"')
    assert {"dead_meter", "stuck_meter", "conservation"} <= {kind["kind"] for kind in said["kinds"]}
    setting = on("stuck_meter", limit="24.5", flow="import", meter_type="total")
    said = await put(client, setting)
    assert (said["version"], said["settings"][0]["limit"]) == (1, "24.5")
    assert (await client.get(RULES)).json()["settings"] == [setting]
    await put(client, status=412, **{"If-Match": '"0"'})
    for wrong in (
        on("hunch"),
        {"kind": "stuck_meter", "action": "flag"},
        on("stuck_meter", limit=0),
        on("stuck_meter", limit="1e400"),
        on("stuck_meter", more=1),
        on("dead_meter", flow="import"),
        on("back_feed", flow="import"),
        on("missing_readings", limit="0.5"),
        on("dead_meter", limit=1_000_000),
    ):
        await put(client, wrong, status=422)


@pytest.mark.usefixtures("client")
async def test_without_rules_nothing_is_raised_marked_or_judged(ingest):
    for number in range(3):
        assert await day(ingest, number, [0] * 96) == (0, 0)
    for table in ("alert", "alert_check", "verdict", "channel_history"):
        assert await ingest.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608 - of this test


async def test_a_stuck_meter_is_raised_once_touched_and_cleared_by_the_next_good_day(
    ingest, client
):
    await put(client, on("stuck_meter", limit=24))
    assert await day(ingest, 0, USE) == (0, 0)
    assert await day(ingest, 1, [0] * 96) == (1, 0)
    [alert] = await listed(client)
    assert alert["kind"] == "stuck_meter"
    assert alert | {"id": 0} == {
        "id": 0, "kind": "stuck_meter", "meter_id": str(METER), "meter_name": alert["meter_name"],
        "flow": "import", "number": 1, "since_at": "2025-03-03T23:00:00Z", "day": "2025-03-04",
        "value": "24", "worst_value": "24", "limit": "24", "unit": "hours",
        "raised_at": "2025-03-05T00:00:00Z", "seen_at": "2025-03-05T00:00:00Z",
        "cleared_at": None, "reason": None, "acknowledged_at": None, "acknowledged_by": None,
        "note": None,
    }  # fmt: skip
    # The same again, and another dead day: one alert.
    assert await day(ingest, 1, [0] * 96) == (1, 0)
    assert await day(ingest, 2, [0] * 96) == (1, 0)
    [alert] = await listed(client)
    assert (alert["worst_value"], alert["day"]) == ("48", "2025-03-05")
    assert await day(ingest, 3, USE) == (1, 1)
    assert await listed(client) == []
    [cleared] = await listed(client, state="cleared")
    assert (cleared["reason"], cleared["worst_value"]) == ("ended", "48")
    # It comes back: another alert.
    assert await day(ingest, 4, [0] * 96) == (2, 1)
    [again] = await listed(client)
    assert (again["number"], again["id"] != cleared["id"]) == (2, True)
    [first, second] = await ingest.outbox("alert.raised.v1")
    [ended] = await ingest.outbox("alert.cleared.v1")
    assert (first["alert_id"], second["alert_id"]) == (cleared["id"], again["id"])
    assert (ended["alert_id"], ended["worst_value"], ended["reason"]) == (
        first["alert_id"], "48", "ended"
    )  # fmt: skip
    assert first["cause"].startswith("c-")  # that of the readings


async def test_a_correction_clears_an_alert(ingest, client):
    await put(client, on("back_feed"))
    await ingest.register(METER, channels=BOTH, version=2)
    assert await day(ingest, 0, [0] * 50 + [200] + [0] * 45, flow="export") == (1, 0)
    ingest.later(hours=1)
    assert await day(ingest, 0, [0] * 96, flow="export") == (1, 1)


async def test_days_in_any_order_leave_what_is_so_now(ingest, client):
    await put(client, on("stuck_meter", limit=24))
    await day(ingest, 4, USE)
    for number in (1, 3, 0, 2):
        assert await day(ingest, number, [0] * 96) == (0, 0)


async def test_silence_is_raised_after_its_hours_and_ends_with_a_reading(ingest, client):
    await put(client, on("missing_readings", limit=36), on("dead_meter", limit=3))
    await day(ingest, 0, USE)
    ingest.later(hours=34)
    assert await ingest.check_alerts() == (0, 0)
    ingest.later(hours=1)
    assert await ingest.check_alerts() == (1, 0)
    [alert] = await listed(client)
    assert (alert["kind"], alert["value"], alert["since_at"], alert["day"]) == (
        "missing_readings", "36", "2025-03-03T23:00:00Z", None
    )  # fmt: skip
    ingest.later(hours=36)
    assert await ingest.check_alerts() == (2, 0)
    dead, missing = await listed(client)
    assert (dead["kind"], dead["flow"], dead["value"], dead["unit"]) == (
        "dead_meter", None, "3", "days"
    )  # fmt: skip
    assert missing["worst_value"] == "72"
    assert await day(ingest, 3, USE) == (2, 2)
    # What was estimated is no reading.
    for number in (4, 5):
        await day(ingest, number, USE, quality="estimated")
    assert [alert["kind"] for alert in await listed(client)] == ["missing_readings"]


async def test_a_meter_that_was_never_read_is_waited_for_since_it_is_known(ingest, client):
    await put(client, on("missing_readings", meter_type="total"))
    await ingest.check_alerts()
    ingest.later(hours=20)
    other = uuid4()
    await ingest.register(other, kind="total")
    await ingest.check_alerts()
    ingest.later(hours=16)
    await ingest.check_alerts()
    assert {alert["meter_id"] for alert in await listed(client)} == set()
    ingest.later(hours=20)
    await ingest.check_alerts()
    assert {alert["meter_id"] for alert in await listed(client)} == {str(other)}


async def test_a_healthy_meter_has_one_mark_in_the_future(ingest, client):
    await put(client, on("missing_readings"))
    for number in range(3):
        await day(ingest, number, USE)
    [mark] = await ingest.rows("SELECT due_at FROM alert_check")
    assert mark["due_at"] == midnight_utc(ZONE, MONDAY + timedelta(days=3)) + timedelta(hours=36)


async def test_an_alert_ends_with_its_rule_its_meter_and_its_verdicts(ingest, client):
    await put(client, on("stuck_meter", limit=24))
    await day(ingest, 0, [0] * 96)
    await put(client)
    assert await ingest.check_alerts() == (1, 1)
    await put(client, on("stuck_meter", limit=24))
    await day(ingest, 1, [0] * 96)
    await put(client, on("stuck_meter", limit=500))
    assert await ingest.check_alerts() == (2, 2)
    await put(client, on("stuck_meter", limit=24))
    assert await ingest.check_alerts() == (3, 2)
    await ingest.end_meter(METER)
    assert await ingest.check_alerts() == (3, 3)
    cleared = await listed(client, state="all")
    assert [alert["reason"] for alert in cleared] == ["meter_removed", "ended", "rule_off"]
    assert await ingest.rows("SELECT 1 FROM alert_check") == []


async def test_what_a_tenant_says_of_a_rule_for_readings_counts(ingest, client):
    rules = {"settings": [{"rule": "zero_run", "action": "off"}]}
    assert (await client.put("/v1/validation-rules", json=rules)).status_code == 200
    await put(client, on("stuck_meter", limit=24))
    assert await day(ingest, 0, [0] * 96) == (0, 0)
    assert await day(ingest, 1, [50] * 96) == (1, 0)  # the other rule of the kind
    rules = {"settings": [{"rule": rule, "action": "off"} for rule in ("zero_run", "flat_run")]}
    await client.put("/v1/validation-rules", json=rules)
    assert await ingest.check_alerts() == (1, 1)


async def test_unusual_use_is_found_after_three_weeks(ingest, client):
    await put(client, on("unusual_use"))
    for number in range(21):
        assert await day(ingest, number, USE) == (0, 0)
    assert await day(ingest, 21, [value * 6 for value in USE]) == (1, 0)
    [alert] = await listed(client, kind="unusual_use")
    assert (alert["value"], alert["limit"], alert["unit"]) == ("6", "5", "times")
    assert await day(ingest, 22, USE) == (1, 1)


async def test_alerts_are_listed_acknowledged_and_their_tenants(ingest, client, clients):
    await put(client, on("stuck_meter", limit=24))
    await day(ingest, 0, [0] * 96)
    [alert] = await listed(client)
    path = f"{ALERTS}/{alert['id']}"
    assert (await client.get(path)).json() == alert
    other = await clients("umbra")
    assert await listed(other, state="all") == []
    assert (await other.get(path)).status_code == 404
    note = {"note": "a truck has hit the pole"}
    assert (await other.post(f"{path}/acknowledge", json=note)).status_code == 404
    assert (await client.post(f"{path}/acknowledge", json={"note": ""})).status_code == 422
    assert (await client.post(f"{path}/acknowledge", json=note)).status_code == 204
    again = await client.post(f"{path}/acknowledge", json=note)
    assert (again.status_code, again.json()["code"]) == (409, "alert_acknowledged")
    [seen] = await listed(client, acknowledged=True)
    assert (seen["note"], seen["acknowledged_by"] is not None) == (note["note"], True)
    assert await listed(client, acknowledged=False) == []
    for query in ({"kind": "back_feed"}, {"meter_id": str(uuid4())}, {"state": "cleared"},
                  {"since": datetime(2025, 4, 1, tzinfo=UTC).isoformat()}):  # fmt: skip
        assert await listed(client, **query) == [], query
    zoneless = await client.get(ALERTS, params={"since": "2025-04-01T00:00:00"})
    assert zoneless.status_code == 422
    await day(ingest, 1, USE)
    assert (await client.get(path)).json()["note"] == note["note"]


async def test_alerts_page_the_newest_first(ingest, client):
    await put(client, on("stuck_meter", limit=24))
    meters = [uuid4() for _ in range(3)]
    for number, meter_id in enumerate(meters):
        await ingest.register(meter_id)
        await day(ingest, number, [0] * 96, meter_id)
    first = (await client.get(ALERTS, params={"limit": 2})).json()
    second = (await client.get(ALERTS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    ids = [item["meter_id"] for page in (first, second) for item in page["items"]]
    assert ids == [str(meter_id) for meter_id in reversed(meters)]


async def test_a_sum_below_its_parts_breaks_conservation(ingest, clients):
    ingest.now = midnight_utc(ZONE, MONDAY) + timedelta(hours=12)
    whole, part, rest = (UUID(int=number) for number in (1, 2, 3))
    for meter_id in (whole, part):
        await ingest.register(meter_id)
    await ingest.register(rest, channels=[], kind="derived")
    await ingest.define(rest, (whole, 1, "import"), (part, -1, "import"))
    await ingest.agree(rest, MONDAY)
    await ingest.close()
    client = await clients()
    await put(client, on("conservation", limit=960))

    async def summed(number, energy):
        await day(ingest, number, [100] * 96, whole)
        await day(ingest, number, [energy] * 96, part)
        await ingest.add_up()
        return await ingest.check_alerts()

    assert await summed(0, 109) == (0, 0)  # 96 * 9 = 864 Wh
    assert await summed(1, 111) == (1, 0)
    [alert] = await listed(client)
    assert (alert["meter_id"], alert["kind"], alert["value"], alert["unit"]) == (
        str(rest), "conservation", "1056", "Wh"
    )  # fmt: skip
    assert await summed(2, 99) == (1, 1)


async def test_one_process_looks_at_a_time_and_what_it_did_not_commit_is_done_again(ingest, client):
    await put(client, on("stuck_meter", limit=24))
    await ingest.check_alerts()
    ingest.now = midnight_utc(ZONE, MONDAY + timedelta(days=1))
    await ingest.deliver(ingest.block(METER, midnight_utc(ZONE, MONDAY), [0] * 96))
    await ingest.publish_usage()
    with pytest.raises(KeyError):
        async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
            assert await check_due_meters(tx, ingest.now) == 1
            assert await ingest.poll(check_due_meters, ingest.now) == 0
            raise KeyError
    assert await listed(client) == []
    assert await ingest.outbox("alert.raised.v1") == []
    assert await ingest.check_alerts() == (1, 0)


async def test_many_meters_are_looked_at_some_at_a_time(ingest, client):
    meters = [UUID(int=number) for number in range(100, 1_300)]
    await put(client, on("missing_readings", limit=36))
    registered = [
        MeterRegistered(
            meter_id=meter_id, property_id=meter_id, meter_type="total", name="m", zone=ZONE,
            channels=list(BOTH[:1]), version=1,
        )
        for meter_id in meters
    ]  # fmt: skip
    await ingest.deliver(*map(ingest.message, registered), kind="meters")
    marked = [await ingest.poll(check_due_meters, ingest.now) for _ in range(4)]
    assert (max(marked), sum(marked)) == (500, len(meters) + 1)
    ingest.later(hours=36)
    assert await ingest.check_alerts() == (len(meters) + 1, 0)
