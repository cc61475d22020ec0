"""Registers that begin again at any total, and channels that begin or end (S10, LED-1)."""

import pytest

from gridtally.contracts.metering import MeterRegistered, ReadingRecorded
from gridtally.database import ALL_TENANTS, snapshot
from integration.ledger.properties import meter_of, problem

MARCH, APRIL, MAY = "2025-03-01T06:00:00Z", "2025-04-01T06:00:00Z", "2025-05-01T06:00:00Z"
PULSES = {"flow": "import", "rollover_kwh": "838.8608"}
"""23 bits of 0.1 Wh each (DrozmotiX/ioBroker.sourceanalytix#594)."""


async def published(ledger, event, meter_id):
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT value FROM outbox WHERE topic = $1 ORDER BY seq", event.TOPIC
        )
    found = [event.model_validate_json(row["value"]) for row in rows]
    return [item for item in found if str(item.meter_id) == meter_id]


async def enter(client, meter, value, read_at):
    return await client.post(
        f"/v1/meters/{meter}/readings", json={"value": value, "read_at": read_at}
    )


async def consumption(client, home, meter):
    answer = await client.get(
        f"/v1/properties/{home['id']}/consumption",
        params={"from": MARCH, "to": MAY, "meter_id": meter},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_register_of_23_bits_rolls_over(acme, home, ledger):
    """838.5 → 12.25: 838.8608 − 838.5 + 12.25 = 12.6108 kWh."""
    meter = await meter_of(acme, home, "sub", registers=[PULSES])
    [register] = (await acme.get(f"/v1/meters/{meter}")).json()["registers"]
    assert register == {
        "flow": "import", "digits": 3, "decimals": 4, "multiplier": "1", "rollover_kwh": "838.8608"
    }  # fmt: skip
    assert (await enter(acme, meter, "838.5", MARCH)).status_code == 201
    reading = (await enter(acme, meter, "12.25", APRIL)).json()
    assert reading["rollover_kwh"] == "838.8608"
    events = await published(ledger, ReadingRecorded, meter)
    assert {str(event.rollover_kwh) for event in events} == {"838.8608"}
    stats = (await acme.get(f"/v1/meters/{meter}/stats")).json()
    assert stats["count"] == 2
    refused = await enter(acme, meter, "838.8608", MAY)
    assert problem(refused) == (422, "beyond_register")
    assert "838.8608 kWh, where the register begins again" in refused.json()["detail"]


async def test_its_range_stays_until_the_meter_is_exchanged(acme, home):
    meter = await meter_of(acme, home, "sub", registers=[PULSES])
    await enter(acme, meter, "838.5", MARCH)
    version = {"If-Match": (await acme.get(f"/v1/meters/{meter}")).headers["ETag"]}
    changed = await acme.patch(
        f"/v1/meters/{meter}", json={"registers": [{"flow": "import"}]}, headers=version
    )
    assert problem(changed) == (409, "register_in_use")
    exchange = {"final_value": "3.5", "initial_value": "10", "read_at": APRIL,
                "register": {"digits": 6, "decimals": 1}}  # fmt: skip
    answer = await acme.post(f"/v1/meters/{meter}/exchanges", json=exchange)
    assert answer.status_code == 201, answer.text
    assert answer.json()["final"]["rollover_kwh"] == "838.8608"
    initial = answer.json()["initial"]
    assert (initial["digits"], initial["rollover_kwh"]) == (6, None)


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (PULSES | {"digits": 9}, "does not have 9 digits"),
        (PULSES | {"decimals": 2}, "at least 4 decimals"),
    ],
)
async def test_a_register_that_contradicts_itself_is_refused(acme, home, register, words):
    body = {"meter_type": "sub", "name": "x", "registers": [register]}
    answer = await acme.post(f"/v1/properties/{home['id']}/meters", json=body)
    assert problem(answer) == (422, "invalid_meter")
    assert words in answer.json()["detail"]


async def test_a_power_of_ten_needs_no_rollover(acme, home):
    meter = await meter_of(acme, home, "sub", registers=[PULSES | {"rollover_kwh": "1000"}])
    [register] = (await acme.get(f"/v1/meters/{meter}")).json()["registers"]
    assert (register["digits"], register["rollover_kwh"]) == (3, None)


async def test_when_a_channel_begins_and_ends_is_published(acme, home, ledger):
    export = {"flow": "export", "minutes": 15, "interval_wh_max": 5000}
    begins = export | {"start_at": "2025-06-24T10:00:00+02:00"}
    meter = await meter_of(acme, home, "solar", channels=[begins])
    answer = await acme.get(f"/v1/meters/{meter}")
    [channel] = answer.json()["channels"]
    assert (channel["start_at"], channel["end_at"]) == ("2025-06-24T08:00:00Z", None)
    ends = begins | {"end_at": "2026-03-10T09:00:00Z"}
    changed = await acme.patch(
        f"/v1/meters/{meter}", json={"channels": [ends]},
        headers={"If-Match": answer.headers["ETag"]},
    )  # fmt: skip
    assert changed.status_code == 200, changed.text
    events = await published(ledger, MeterRegistered, meter)
    assert [event.channels[0].end_at is None for event in events] == [True, False]
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        versions = await read.raw.fetch(
            "SELECT channel_starts_at, channel_ends_at FROM meter_version"
            " WHERE meter_id = $1 ORDER BY version",
            meter,
        )
    assert [version["channel_ends_at"] is None for version in versions] == [True, False]
    never = begins | {"end_at": begins["start_at"]}
    refused = await acme.patch(
        f"/v1/meters/{meter}", json={"channels": [never]},
        headers={"If-Match": changed.headers["ETag"]},
    )  # fmt: skip
    assert problem(refused) == (422, "invalid_meter")
    assert "not after" in refused.json()["detail"]
