"""Many meters' series in one request: the same as one by one, in both formats, of any size."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest

from gridtally.exports.series import read_series
from gridtally.ingest.api import bulk_series as api
from gridtally.kernel.periods import day_minutes, midnight_utc

BERLIN, PARIS_HOURLY, PANELS, SILENT = (UUID(int=number) for number in range(1, 5))
AUTUMN = ("2025-10-25", "2025-10-28")
"""Three local days of Berlin: 24, 25 and 24 hours."""
ARROW = {"Accept": "application/vnd.apache.arrow.stream"}


def channel(flow="import", minutes=15, **times):
    return {"flow": flow, "minutes": minutes, "interval_wh_max": 10_000} | times


@pytest.fixture
async def client(ingest, clients):
    """Three days of a meter with a gap and two flows, an hourly one, panels that went up at noon of
    the second day, and a meter without any reading."""
    ingest.now = datetime(2025, 11, 1, tzinfo=UTC)
    await ingest.register(BERLIN, channels=[channel(), channel("export")])
    await ingest.register(PARIS_HOURLY, zone="Europe/Paris", channels=[channel(minutes=60)])
    noon = "2025-10-26T11:00:00Z"
    await ingest.register(PANELS, channels=[channel("generation", start_at=noon)])
    await ingest.register(SILENT)
    start_at = midnight_utc("Europe/Berlin", date(2025, 10, 25))
    await ingest.deliver(
        ingest.block(BERLIN, start_at, [*range(100), None, *range(101, 292)]),
        ingest.block(BERLIN, start_at, [7] * 292, flow="export"),
        ingest.block(PARIS_HOURLY, start_at, [1000] * 73, minutes=60, quality="estimated"),
        ingest.block(PANELS, datetime(2025, 10, 26, 11, tzinfo=UTC), [5] * 144, flow="generation"),
    )
    return await clients()


def query(*meter_ids, flows=("import",), window=AUTUMN, **more):
    ids = [str(meter_id) for meter_id in meter_ids]
    start_on, end_on = window
    return {"meter_ids": ids, "flows": list(flows), "start_on": start_on, "end_on": end_on, **more}


async def lines(client, body):
    answer = await client.post("/v1/series/query", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("resolution", ["native", "60", "1440"])
@pytest.mark.parametrize("values_max", [api.BATCH_VALUES_MAX, 1])
async def test_it_is_what_each_meter_answers(client, monkeypatch, resolution, values_max):
    monkeypatch.setattr(api, "BATCH_VALUES_MAX", values_max)
    flows = ("import", "export", "generation")
    meters = (SILENT, BERLIN, PARIS_HOURLY, PANELS)
    body = query(*meters, flows=flows, resolution=resolution)
    rows = await lines(client, body)
    found = [(UUID(row["meter_id"]), row["flow"]) for row in rows]
    assert found == [(SILENT, "import"), (BERLIN, "import"), (BERLIN, "export"),
                     (PARIS_HOURLY, "import"), (PANELS, "generation")]  # fmt: skip
    for row in rows:
        answer = await client.get(
            f"/v1/meters/{row['meter_id']}/series",
            params={"flow": row["flow"], "from": AUTUMN[0], "to": AUTUMN[1],
                    "resolution": resolution},
        )  # fmt: skip
        alone = answer.json()
        # a sum with a part that is missing is missing: it is not told how much of it is there
        values = [
            None if missing else value
            for value, missing in zip(alone["values_wh"], alone["missing"], strict=True)
        ]
        assert row["values"] == values, (row["flow"], resolution)
        if resolution == "native":
            assert row["quality"] == alone["quality"]
    arrow = await client.post("/v1/series/query", json=body, headers=ARROW)
    for row, (named, values) in zip(rows, read_series(arrow.content), strict=True):
        assert values.dtype == (np.int32 if resolution == "native" else np.int64)
        assert [None if value < 0 else value for value in values.tolist()] == row["values"]
        assert {name: str(value) for name, value in named.items()} == {
            name: str(value) for name, value in row.items() if name != "values"
        }


async def test_a_day_of_25_hours_is_one_sum(client):
    [row] = await lines(client, query(PARIS_HOURLY, resolution="1440"))
    assert (row["values"], row["quality"]) == ([24_000, 25_000, 24_000], "EEE")
    assert day_minutes("Europe/Paris", date(2025, 10, 26)) == 25 * 60


async def test_what_was_known_before(ingest, client):
    before = ingest.now.isoformat()
    ingest.later(hours=1)
    start_at = midnight_utc("Europe/Berlin", date(2025, 10, 25))
    await ingest.deliver(ingest.block(BERLIN, start_at, [500]))
    [now] = await lines(client, query(BERLIN))
    [then] = await lines(client, query(BERLIN, as_known_at=before))
    assert (now["values"][0], then["values"][0]) == (500, 0)
    assert now["values"][1:] == then["values"][1:]
    [nothing] = await lines(client, query(BERLIN, as_known_at="2025-10-01T00:00:00Z"))
    assert set(nothing["values"]) == {None}
    assert set(nothing["quality"]) == {"-"}


async def test_what_is_refused(client, clients):
    for body, status, code in (
        (query(BERLIN, UUID(int=99)), 404, "meter_unknown"),
        (query(PARIS_HOURLY, resolution="15"), 422, "resolution_too_fine"),
        (query(BERLIN, window=("2025-10-28", "2025-10-28")), 422, "invalid_request"),
        (query(BERLIN, window=("2020-01-01", "2025-10-28")), 422, "invalid_request"),
        (query(BERLIN, BERLIN), 422, "invalid_request"),
        (query(BERLIN, flows=("import", "import")), 422, "invalid_request"),
        (query(), 422, "invalid_request"),
    ):
        answer = await client.post("/v1/series/query", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    answer = await client.post(
        "/v1/series/query", json=query(BERLIN), headers={"Accept": "text/html"}
    )
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    neighbour = await clients(tenant="other")
    answer = await neighbour.post("/v1/series/query", json=query(BERLIN))
    assert answer.status_code == 404


def test_a_stream_that_was_cut_off_is_no_stream():
    with pytest.raises(ValueError, match="cut off"):
        list(read_series(b"\xff\xff\xff\xff"))
