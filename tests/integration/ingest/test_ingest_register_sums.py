"""The sum of intervals against the register: flagged, cleared by a correction, and read back."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from gridtally.database import ALL_TENANTS, transaction
from gridtally.ingest.handlers.register_sums import check_registers

START = datetime(2025, 5, 19, 22, tzinfo=UTC)  # midnight
DAY = timedelta(days=1)
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
