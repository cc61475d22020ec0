"""Many meters at once: their intervals as files, and how complete their days are."""

import csv
import io
from datetime import date, datetime
from uuid import UUID

import pytest
from pyarrow import parquet

FIRST, SECOND, NEVER = UUID(int=1), UUID(int=2), UUID(int=3)
FLOWS = ({"flow": "import", "minutes": 15, "interval_wh_max": 10_000},
         {"flow": "export", "minutes": 60, "interval_wh_max": 10_000,
          "start_at": "2025-03-30T10:00:00Z"})  # fmt: skip
WINDOW = {"start_on": "2025-03-29", "end_on": "2025-04-01"}
"""Three days in Berlin, the second of 23 hours."""


def selection(*meters, **change):
    ids = [str(meter) for meter in meters]
    return {"meter_ids": ids, "flows": ["import", "export"]} | WINDOW | change


@pytest.fixture
async def client(ingest, clients):
    await ingest.register(FIRST, channels=FLOWS)
    await ingest.register(SECOND, zone="America/New_York")
    await ingest.deliver(
        ingest.block(FIRST, "2025-03-28T23:00:00Z", [1] * (96 + 92)),
        ingest.block(FIRST, "2025-03-30T22:00:00Z", [2, None, 4], quality="estimated"),
        ingest.block(FIRST, "2025-03-30T12:00:00Z", [7], flow="export", minutes=60),
        ingest.block(SECOND, "2025-03-29T04:00:00Z", [9], quality="substituted"),
    )
    return await clients()


async def test_completeness_of_a_portfolio(client):
    """Berlin's second day has 92 quarters; its export begins at noon there (10:00 UTC), so of 23
    hours 12 are expected on that day, and none on the day before."""
    answer = await client.post("/v1/series/completeness", json=selection(SECOND, FIRST))
    assert answer.status_code == 200, answer.text
    second, first, export = answer.json()["channels"]
    assert (second["meter_id"], second["zone"]) == (str(SECOND), "America/New_York")
    assert (second["expected"], second["present"]) == ([96, 96, 96], [1, 0, 0])
    assert second["substituted"] == [1, 0, 0]
    assert (first["expected"], first["present"]) == ([96, 92, 96], [96, 92, 2])
    assert first["estimated"] == [0, 0, 2]
    assert (export["flow"], export["expected"]) == ("export", [0, 12, 24])
    assert export["present"] == [0, 1, 0]
    imported = selection(FIRST, flows=["import"])
    only = (await client.post("/v1/series/completeness", json=imported)).json()["channels"]
    assert only == [first]


async def test_intervals_as_a_file(ingest, client):
    answer = await client.post("/v1/series/export", json=selection(FIRST, SECOND))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="series.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 96 + 92 + 96 + 23 + 96  # all intervals of each day that has anything
    counted = sum(int(row["energy_wh"]) for row in rows if row["energy_wh"])
    stored = await ingest.days()
    assert counted == sum(sum(filter(None, values)) for values, _ in stored.values())
    keys = [(row["meter_id"], row["flow"], row["start_at"]) for row in rows]
    assert keys == sorted(keys)
    [late] = [row for row in rows if row["energy_wh"] == "4"]
    assert (late["day"], late["start_at"], late["minutes"], late["quality"]) == (
        "2025-03-31", "2025-03-30T22:30:00Z", "15", "E",
    )  # fmt: skip

    answer = await client.post("/v1/series/export?format=parquet", json=selection(FIRST, SECOND))
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.num_rows == len(rows)
    assert min(table.column("day").to_pylist()) == date(2025, 3, 29)
    assert table.column("energy_wh").to_pylist() == [
        int(row["energy_wh"]) if row["energy_wh"] else None for row in rows
    ]
    assert isinstance(table.column("start_at")[0].as_py(), datetime)


@pytest.mark.parametrize("path", ["export", "completeness"])
async def test_what_cannot_be_answered_is_refused(client, clients, path):
    url = f"/v1/series/{path}"
    unknown = await client.post(url, json=selection(FIRST, NEVER))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "meter_unknown")
    for wrong in ({"end_on": "2025-03-29"}, {"meter_ids": []}, {"flows": ["import", "import"]}):
        assert (await client.post(url, json=selection(FIRST, **wrong))).status_code == 422
    other = await clients("other", "ingest:read")
    assert (await other.post(url, json=selection(FIRST))).status_code == 404


async def test_a_portfolio_that_is_too_large_is_refused_before_it_is_read(client):
    many = selection(*(UUID(int=n) for n in range(5_000)), start_on="2024-05-01",
                     end_on="2025-05-01")  # fmt: skip
    answer = await client.post("/v1/series/completeness", json=many)
    assert (answer.status_code, answer.json()["code"]) == (422, "window")
