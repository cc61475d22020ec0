"""The sum of intervals against the register: flagged, cleared by a correction, and read back."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from gridtally.contracts.metering import UsageRecorded
from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.api import register_sums as api
from gridtally.ingest.handlers import register_sums as handlers
from gridtally.ingest.handlers.adoption import adopt_usage
from gridtally.ingest.handlers.register_sums import check_registers

START = datetime(2025, 5, 19, 22, tzinfo=UTC)  # midnight
DAY = timedelta(days=1)
ZONE = "Europe/Berlin"
RULE = {"rule": "register_sum", "action": "flag"}


async def test_a_register_that_says_otherwise_flags_the_day_until_one_of_both_is_corrected(
    ingest, reader, clients
):
    client = await clients()
    ingest.now = START + 4 * DAY
    await ingest.register(reader.meter_id)

    async def look():
        await ingest.convert()
        await ingest.publish_usage()
        looked = 0
        while count := await ingest.poll(check_registers, ingest.recorder.archive, ingest.now):
            looked += count
        answer = await client.get("/v1/validation-verdicts", params={"rule": "register_sum"})
        return looked, [(own["day"], own["value"]) for own in answer.json()["items"]]

    async def measure(day, wh):
        ingest.later(minutes=1)
        values = [wh] * 96
        await ingest.deliver(ingest.block(reader.meter_id, START + day * DAY, values))

    async def sums():
        window = {"flow": "import", "from": "2025-05-20", "to": "2025-05-23"}
        path = f"/v1/meters/{reader.meter_id}/register-sums"
        answer = await client.get(path, params=window)
        assert answer.status_code == 200, answer.text
        return [
            (own["counted_wh"], own["intervals_wh"], own["missing"], own["outcome"])
            for own in answer.json()["sums"]
        ]

    await reader(START, 100)
    last = await reader(START + 2 * DAY, 119)
    await measure(0, 100)
    assert await look() == (0, [])  # nobody has the rule on
    assert await sums() == [(19_000.0, 9_600.0, 96, "not_judged")]
    answer = await client.put("/v1/validation-rules", json={"settings": [RULE]})
    assert answer.status_code == 200, answer.text
    await measure(1, 100)
    looked, said = await look()
    assert (looked > 0, said) == (True, [("2025-05-21", 1.036)])  # 199 of 19 200 Wh
    assert await sums() == [(19_000.0, 19_200.0, 0, "differs")]
    # The register is read again: the one before was wrong.
    await reader(START + 2 * DAY, "119.2", reading_id=last)
    assert (await look())[1] == []
    assert await sums() == [(19_200.0, 19_200.0, 0, "agrees")]
    # An interval is corrected, and corrected back.
    await measure(0, 90)
    assert (await look())[1] == [("2025-05-21", 4.995)]
    await measure(0, 100)
    assert (await look())[1] == []
    # A withdrawn reading says nothing.
    await measure(0, 90)
    assert len((await look())[1]) == 1
    await reader(START + 2 * DAY, 0, reading_id=last, kind="withdrawn")
    assert (await look())[1] == []
    assert await sums() == []
    for path, status in (
        (f"{reader.meter_id}/register-sums?flow=export&from=2025-05-20&to=2025-05-23", 404),
        (f"{reader.meter_id}/register-sums?flow=import&from=2025-05-20&to=2025-05-20", 422),
    ):
        assert (await client.get(f"/v1/meters/{path}")).status_code == status


async def look(ingest, client):
    """Have all registers looked at; the verdicts that hold."""
    await ingest.convert()
    await ingest.publish_usage()
    while await ingest.poll(check_registers, ingest.recorder.archive, ingest.now):
        pass
    answer = await client.get("/v1/validation-verdicts", params={"rule": "register_sum"})
    return [(own["day"], own["value"]) for own in answer.json()["items"]]


async def test_a_verdict_stays_until_all_that_its_day_shows_agrees(ingest, reader, clients):
    """What is judged again near it does not clear it: neither the span that begins where it ends,
    nor another one that ends on its day."""
    client = await clients()
    ingest.now = START + 140 * DAY
    await ingest.register(reader.meter_id)
    answer = await client.put("/v1/validation-rules", json={"settings": [RULE]})
    assert answer.status_code == 200, answer.text
    for day in range(0, 120, 30):
        values = [100] * 96 * 30
        await ingest.deliver(ingest.block(reader.meter_id, START + day * DAY, values))
    kept = [("2025-06-18", 4.0)]  # 300 of 288 kWh
    shown = [100, 400, 688, 976]  # each month is 288 kWh, the first one is not
    for number, value in enumerate(shown):
        await reader(START + 30 * number * DAY, value)
        assert await look(ingest, client) == kept[: number and 1]
    # Two readings of one day: the first half is as bad as it was when the second one comes.
    noon, night = START + 90.5 * DAY, START + 91 * DAY
    await reader(noon, "982.0")  # and the intervals 4.8 kWh
    both = [*kept, ("2025-08-18", 19.983)]
    assert await look(ingest, client) == both
    evening = await reader(night - DAY / 8, "985.7")  # 3.6 kWh: milder, and on the same day
    assert await look(ingest, client) == both
    await reader(night - DAY / 8, 0, reading_id=evening, kind="withdrawn")
    assert await look(ingest, client) == both
    # An estimate is held against nothing; the span goes on over it to what was read.
    ingest.later(minutes=1)
    await ingest.deliver(ingest.block(reader.meter_id, START + 120 * DAY, [100] * 96 * 2))
    await reader(START + 121 * DAY, 5000, quality="estimated")
    assert await look(ingest, client) == both
    await reader(START + 122 * DAY, "1284.4")  # 302.4 kWh since noon, as the intervals
    window = {"flow": "import", "from": "2025-09-17", "to": "2025-09-18"}
    answer = await client.get(f"/v1/meters/{reader.meter_id}/register-sums", params=window)
    [own] = answer.json()["sums"]
    assert (own["counted_wh"], own["outcome"]) == (302_400.0, "agrees")


async def test_a_missing_file_holds_up_only_its_own_registers(ingest, reader, clients, monkeypatch):
    client, other_id = await clients(), uuid4()
    ingest.now = START + 2 * DAY
    for meter_id in (reader.meter_id, other_id):
        await ingest.register(meter_id)
    await client.put("/v1/validation-rules", json={"settings": [RULE]})
    await ingest.deliver(ingest.block(reader.meter_id, START, [100] * 96))
    await reader(START, 100)
    await reader(START + DAY, 119)
    await ingest.convert()
    ingest.later(days=200)
    day_at = datetime(2025, 11, 30, 23, tzinfo=UTC)
    await ingest.deliver(ingest.block(reader.meter_id, day_at, [100] * 192))  # older ones may leave
    assert await ingest.archive() > 0
    [path] = ingest.settings.archive_directory.glob("acme/2025-05/*/channel-days.parquet")
    content = path.read_bytes()
    path.unlink()
    await ingest.deliver(ingest.block(other_id, day_at, [100] * 96))
    events = [reader.entry(at, value) for at, value in ((day_at, 5), (day_at + DAY, 24))]
    await reader.deliver(*(event.model_copy(update={"meter_id": other_id}) for event in events))
    assert await look(ingest, client) == [("2025-12-01", 49.468)]
    [left] = await ingest.rows("SELECT DISTINCT meter_id FROM register_check")
    assert left["meter_id"] == reader.meter_id
    path.write_bytes(content)
    # One at a time: the second one is marked again.
    monkeypatch.setattr(handlers, "INTERVALS_MAX", 0)
    ingest.later(minutes=1)
    await ingest.deliver(ingest.block(other_id, day_at, [90] * 96))
    await ingest.publish_usage()
    poll = (check_registers, ingest.recorder.archive, ingest.now)
    assert [await ingest.poll(*poll) for _ in range(3)] == [1, 1, 0]
    assert await look(ingest, client) == [("2025-05-20", 49.468), ("2025-12-01", 54.521)]
    assert await ingest.rows("SELECT 1 FROM register_check") == []


async def test_an_adopted_day_has_its_register_looked_at(ingest, reader, clients, monkeypatch):
    """After a restore the days come from their topic, and were not changed by anybody."""
    client = await clients()
    ingest.now = START + 4 * DAY
    await ingest.register(reader.meter_id)
    await client.put("/v1/validation-rules", json={"settings": [RULE]})
    await reader(START, 100)
    await reader(START + DAY, 119)
    assert await look(ingest, client) == []
    path = f"/v1/meters/{reader.meter_id}/register-sums"
    window = {"flow": "import", "from": "2025-05-20", "to": "2025-05-21"}
    for readings_max, status in ((2, 200), (1, 422)):
        monkeypatch.setattr(api, "READINGS_MAX", readings_max)
        answer = await client.get(path, params=window)
        assert answer.status_code == status, answer.text
    assert "fewer days" in answer.json()["detail"]
    usage = UsageRecorded(
        meter_id=reader.meter_id, flow="import", zone=ZONE, day=date(2025, 5, 20), minutes=15,
        values=[100] * 96, quality="A" * 96, version=7, recorded_at=ingest.now,
    )  # fmt: skip
    messages = [ingest.message(usage)]
    assert await ingest.poll(adopt_usage, messages, ingest.recorder, ingest.now) == []
    assert await look(ingest, client) == [("2025-05-20", 49.468)]


async def test_a_register_without_a_meter_is_looked_at_in_vain(ingest, reader):
    async with transaction(ingest.database, tenant=ALL_TENANTS) as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO register_check (tenant_id, meter_id, flow, from_at, to_at) "
                "VALUES ('acme', :meter_id, 'import', now(), now())"
            ),
            {"meter_id": reader.meter_id},
        )
    assert await ingest.poll(check_registers, ingest.recorder.archive, ingest.now) == 1
    assert await ingest.rows("SELECT 1 FROM verdict") == []
