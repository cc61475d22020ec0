"""Channels that begin or end, by the API; and registers that begin again at any total."""

from datetime import UTC, date, datetime
from uuid import UUID

from gridtally.kernel.periods import midnight_utc

METER = UUID(int=7)
ZONE = "Europe/Berlin"
PANELS = {"flow": "export", "minutes": 60, "interval_wh_max": 10_000,
          "start_at": "2025-03-24T09:30:00Z"}  # fmt: skip
"""10:30 in Berlin: the hour from 10 to 11 is measured in part."""


async def test_nothing_is_missing_before_a_channel_begins(ingest, clients):
    await ingest.register(METER, channels=[PANELS])
    client = await clients()
    day = midnight_utc(ZONE, date(2025, 3, 24))
    await ingest.deliver(
        ingest.block(METER, day, [9] * 24, flow="export", minutes=60),
        ingest.block(METER, midnight_utc(ZONE, date(2025, 3, 23)), [9], flow="export", minutes=60),
    )
    [refused] = await ingest.rows("SELECT reason, detail FROM quarantine")
    assert refused["reason"] == "outside_channel"
    assert "from 2025-03-24T09:30:00+00:00 on" in refused["detail"]
    window = {"from": "2025-03-23", "to": "2025-03-26"}
    answer = await client.get(f"/v1/meters/{METER}/completeness", params=window)
    assert [(row["expected"], row["present"]) for row in answer.json()["days"]] == [
        (0, 0), (13, 13), (24, 0)
    ]  # fmt: skip
    [channel] = (await client.get(f"/v1/meters/{METER}")).json()["channels"]
    assert (channel["start_at"], channel["end_at"]) == ("2025-03-24T09:30:00Z", None)
    url = f"/v1/meters/{METER}/series"
    series = (await client.get(url, params=window | {"flow": "export"})).json()
    assert series["quality"] == "N" * 34 + "A" * 14 + "-" * 24
    assert series["values_wh"] == [None] * 34 + [9] * 14 + [None] * 24
    assert sum(series["missing"]) == 24
    days = await client.get(url, params=window | {"flow": "export", "resolution": "1440"})
    assert (days.json()["quality"], days.json()["missing"]) == ("NA-", [0, 0, 24])
    known = await client.get(
        url, params=window | {"flow": "export", "as_known_at": ingest.now.isoformat()}
    )
    assert known.json()["quality"] == series["quality"]


async def test_a_block_before_the_panels_is_refused_at_once(ingest, clients):
    await ingest.register(METER, channels=[PANELS])
    client = await clients()
    item = {"meter_id": str(METER), "flow": "export", "start_at": "2025-03-24T00:00:00+01:00",
            "minutes": 60, "values": [0] * 10}  # fmt: skip
    answer = await client.post("/v1/readings", json=item)
    assert answer.status_code == 422
    assert "outside_channel" in answer.text
    accepted = await client.post("/v1/readings", json=item | {"values": [0] * 11})
    assert accepted.status_code == 202


async def test_energy_of_a_register_of_23_bits(ingest, reader):
    """838.5 → 12.25 kWh over two hours: 838.8608 − 838.5 + 12.25 = 12.6108 kWh, 12 610 Wh whole
    (DrozmotiX/ioBroker.sourceanalytix#594)."""
    hourly = {"flow": "import", "minutes": 60, "interval_wh_max": 10_000}
    await ingest.register(reader.meter_id, channels=[hourly])
    for hour, value in ((10, "838.5"), (12, "12.25")):
        entry = reader.entry(datetime(2025, 5, 10, hour, tzinfo=UTC), value, digits=3)
        rollover = {"rollover_kwh": "838.8608", "decimals": 4}
        await reader.deliver(type(entry).model_validate(entry.model_dump() | rollover))
    await ingest.convert()
    [(values, _)] = (await ingest.days()).values()
    energy = [value for value in values if value is not None]
    # Each reading is cut to whole Wh: 838 500 to 851 110.8.
    assert energy == [6305, 6305]
    assert await ingest.rows("SELECT reason FROM register_exception") == []
