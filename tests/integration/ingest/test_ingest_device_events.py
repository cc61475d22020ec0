"""Events of devices: stored once, listed, flagging days, raising alerts, deleted when old."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import orjson
import pytest
import sqlalchemy as sa

from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.domain import device_events as domain
from gridtally.ingest.events.device_events import received_event
from gridtally.ingest.handlers.device_events import delete_expired, record_events
from gridtally.kernel.errors import Poison

METER = UUID(int=7)
PATH = "/v1/device-events"
AT = datetime(2025, 5, 30, 10, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def noted(ingest, kind="terminal_cover_opened", at=AT, meter_id=METER, event_id=None, **more):
    event = DeviceEventReceived(meter_id=meter_id, kind=kind, happened_at=at)
    return ingest.message(event, event_id=event_id, **more)


async def deliver(ingest, *messages):
    await ingest.deliver(*messages, kind="device_events")


async def listed(client, **query):
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def execute(ingest, sql):
    async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
        await tx.execute(sa.text(sql))


async def put(client, path, *settings, status=200):
    answer = await client.put(path, json={"settings": list(settings)})
    assert answer.status_code == status, answer.text


async def test_items_are_published_stored_once_and_listed_the_newest_first(ingest, clients):
    client = await clients()
    item = {"meter_id": str(METER), "kind": "reverse_run_detected", "happened_at": AT.isoformat()}
    later = item | {"kind": "power_outage", "happened_at": (AT + HOUR).isoformat()}
    wrong = [item | {"kind": "coffee_spilled"}, item | {"happened_at": "2050-01-01T00:00:00Z"}]
    answer = await client.post(PATH, json={"items": [item, later | {"event_id": "1"}, *wrong]})
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["accepted"], said["refused"]) == (2, 2)
    assert [own["reason"] for own in said["items"]] == [None, None, "malformed", "future"]
    # As the broker brings them back, the first of them twice, and once more under another id.
    sent = [
        ingest.message(
            DeviceEventReceived.model_validate_json(own.value), event_id=own.envelope.event_id
        )
        for own in ingest.sent
    ]
    assert {own.topic for own in ingest.sent} == {"device_events.received.v1"}
    await deliver(ingest, *sent, sent[0], noted(ingest, "reverse_run_detected"))
    await deliver(ingest, *sent)
    first, second = await listed(client)
    assert (first["kind"], first["severity"]) == ("power_outage", "warning")
    assert second | {"id": 0, "recorded_at": 0, "source": 0} == {
        "id": 0, "meter_id": str(METER), "kind": "reverse_run_detected", "severity": "tamper",
        "happened_at": "2025-05-30T10:07:00Z", "detail": "", "source": 0, "recorded_at": 0,
    }  # fmt: skip
    # Over HTTP the id of another event is refused at once, and so is a body of nothing good.
    reused = await client.post(PATH, json=item | {"event_id": "1"})
    assert (reused.status_code, reused.json()["code"]) == (422, "nothing_accepted")
    assert "event_id_reused" in reused.text
    for body, kind, status in (
        (b"{", "application/json", 422),
        (orjson.dumps({"items": []}), "application/json", 422),
        (b'{"detail": "\\u0000"}', "application/json", 422),
        (b"{}", "text/csv", 415),
    ):
        answer = await client.post(PATH, content=body, headers={"content-type": kind})
        assert answer.status_code == status, answer.text
    for query, kinds in (
        ({"kind": "power_outage"}, ["power_outage"]),
        ({"severity": "tamper"}, ["reverse_run_detected"]),
        ({"meter_id": str(uuid4())}, []),
        ({"from": (AT + HOUR).isoformat()}, ["power_outage"]),
        ({"to": (AT + HOUR).isoformat()}, ["reverse_run_detected"]),
    ):
        assert [own["kind"] for own in await listed(client, **query)] == kinds
    page = (await client.get(PATH, params={"limit": 1})).json()
    rest = (await client.get(PATH, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [page["items"][0], rest["items"][0]] == [first, second]
    other = await clients("other")
    assert await listed(other) == []


async def test_what_can_never_be_stored_is_poison_with_a_reason(ingest):
    event_id = uuid4()
    await deliver(ingest, noted(ingest, event_id=event_id))
    for message, reason in (
        (noted(ingest, at=ingest.now + HOUR), "future"),
        (noted(ingest, at=datetime(1999, 1, 1, tzinfo=UTC)), "too_old"),
        (noted(ingest, "clock_set", event_id=event_id), "event_id_reused"),
    ):
        with pytest.raises(Poison, match=reason):
            await deliver(ingest, message)
    pair = [noted(ingest, kind, event_id=UUID(int=1)) for kind in ("clock_set", "battery_low")]
    with pytest.raises(Poison, match="event_id_reused"):
        await deliver(ingest, *pair)
    assert len(await ingest.rows("SELECT 1 FROM device_event")) == 1


async def test_tampering_flags_the_day_of_its_channels_and_the_readings_stay(ingest, clients):
    client = await clients()
    rules, verdicts = "/v1/validation-rules", "/v1/validation-verdicts"
    await put(client, rules, {"rule": "tamper", "action": "quarantine"}, status=422)
    await put(client, rules, {"rule": "tamper", "action": "flag"})
    # The event is there before its meter, and that before its readings.
    await deliver(ingest, noted(ingest), noted(ingest, "clock_set"))
    await ingest.register(METER)
    midnight = datetime(2025, 5, 29, 22, tzinfo=UTC)
    await ingest.deliver(ingest.block(METER, midnight, [100] * 96))
    await deliver(ingest, noted(ingest, at=AT + HOUR))
    [verdict] = (await client.get(verdicts)).json()["items"]
    assert verdict | {"judged_at": 0} == {
        "meter_id": str(METER), "day": "2025-05-30", "flow": "import", "minutes": 15,
        "rule": "tamper", "value": 2.0, "limit": 1.0, "slot": 48, "intervals": 5,
        "judged_at": 0, "cleared_at": None,
    }  # fmt: skip
    # A correction of the day does not undo what happened.
    ingest.later(hours=1)
    await ingest.deliver(ingest.block(METER, midnight, [90] * 96))
    window = {"from": "2025-05-30", "to": "2025-05-31"}
    answer = await client.get(f"/v1/meters/{METER}/completeness", params=window)
    [day] = answer.json()["days"]
    assert (day["present"], day["flags"]) == (96, ["tamper"])
    window = {"flow": "import", "from": midnight.isoformat(), "to": (midnight + HOUR).isoformat()}
    series = (await client.get(f"/v1/meters/{METER}/series", params=window)).json()
    assert (series["values_wh"], [own["rule"] for own in series["verdicts"]]) == (
        [90] * 4, ["tamper"]
    )  # fmt: skip
    await put(client, rules)
    assert (await client.get(verdicts)).json()["items"] == []


async def test_a_flood_of_events_is_cut_off_and_a_known_meter_is_not_flagged_again(
    ingest, clients, monkeypatch
):
    monkeypatch.setattr(domain, "EVENTS_OF_DAY_MAX", 3)
    client = await clients()
    await put(client, "/v1/validation-rules", {"rule": "tamper", "action": "flag"})
    flood = [noted(ingest, at=AT + index * HOUR) for index in range(3)]
    await deliver(ingest, *flood)
    await deliver(ingest, *flood)  # the same again is none too many
    with pytest.raises(Poison, match="too_many_events"):
        await deliver(ingest, noted(ingest, "clock_set"))
    await deliver(ingest, noted(ingest, at=AT - 24 * HOUR), noted(ingest, meter_id=UUID(int=8)))
    item = {"meter_id": str(METER), "kind": "clock_set", "happened_at": AT.isoformat()}
    answer = await client.post(PATH, json={"items": [item, item | {"meter_id": str(UUID(int=9))}]})
    assert [own["reason"] for own in answer.json()["items"]] == ["too_many_events", None]
    # An event of long ago flags no day of a meter that is registered only now.
    await deliver(ingest, noted(ingest, at=AT - timedelta(days=60)))

    async def flagged():
        answer = await client.get("/v1/validation-verdicts", params={"rule": "tamper"})
        return [(own["day"], own["flow"], own["value"]) for own in answer.json()["items"]]

    days = [("2025-05-29", "import", 1.0), ("2025-05-30", "import", 3.0)]
    await ingest.register(METER)
    assert await flagged() == days
    await execute(ingest, "DELETE FROM verdict")
    await ingest.register(METER, version=2)  # nothing new of it
    assert await flagged() == []
    channel = {"flow": "import", "minutes": 15, "interval_wh_max": 10_000}
    other = [channel, channel | {"flow": "export"}]
    await ingest.register(METER, version=3, channels=other)
    assert len(await flagged()) == 4


async def test_a_tampered_meter_is_an_alert_for_seven_days(ingest, clients):
    client = await clients()
    await ingest.register(METER)
    await put(client, "/v1/alert-rules", {"kind": "tamper", "action": "raise"})
    await deliver(ingest, noted(ingest, "power_outage"))
    assert await ingest.check_alerts() == (0, 0)
    await deliver(ingest, noted(ingest, correlation_id="visit-7"))
    assert await ingest.check_alerts() == (1, 0)
    await deliver(ingest, noted(ingest), noted(ingest, "reverse_run_detected", at=AT + HOUR))
    assert await ingest.check_alerts() == (1, 0)
    [alert] = (await client.get("/v1/alerts")).json()["items"]
    known = ("kind", "flow", "value", "limit", "unit", "since_at", "day")
    assert [alert[name] for name in known] == [
        "tamper", None, "2", "1", "events", "2025-05-30T10:07:00Z", "2025-05-30"
    ]  # fmt: skip
    [raised] = await ingest.outbox("alert.raised.v1")
    assert raised["cause"] == "visit-7"
    # As after a restore, when one of both events is not read again yet: the alert goes on.
    await execute(ingest, "DELETE FROM device_event WHERE kind = 'reverse_run_detected'")
    kind = {"kind": "tamper", "action": "raise"}
    await put(client, "/v1/alert-rules", kind | {"limit": "2"})
    assert await ingest.check_alerts() == (1, 0)
    await deliver(ingest, noted(ingest, "reverse_run_detected", at=AT + HOUR))
    await put(client, "/v1/alert-rules", kind)
    ingest.now = AT + timedelta(days=7, minutes=1)
    assert await ingest.check_alerts() == (1, 0)  # the second event is looked at still
    ingest.now += HOUR
    assert await ingest.check_alerts() == (1, 1)


async def test_old_events_are_deleted(ingest):
    await deliver(ingest, noted(ingest), noted(ingest, "clock_set"))
    events = [received_event(noted(ingest, "battery_low", at=AT + HOUR))]
    assert await ingest.poll(record_events, events, ingest.now + timedelta(days=2)) == 1
    assert await ingest.poll(delete_expired, ingest.now + timedelta(days=1)) == 2
    [left] = await ingest.rows("SELECT kind, happened_at FROM device_event")
    assert (left["kind"], left["happened_at"].date()) == ("battery_low", date(2025, 5, 30))
