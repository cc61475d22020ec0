"""Exports of readings and consumption: complete, in order, pinned, and bounded in memory."""

import asyncio
import csv
import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from pyarrow import parquet

from gridtally.database import snapshot, transaction
from gridtally.database.copy_out import copy_csv
from gridtally.exports.columns import FORMATS, Column
from gridtally.http.exports import Exporter
from gridtally.ledger.metering.analytics.store.exports import copy_readings
from gridtally.ledger.metering.readings.store.readings import Selection
from gridtally.local_stack.process import free_port
from problems import paths

HOME = {"name": "=HYPERLINK(1)", "zone": "Europe/Berlin"}
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
READINGS = 12_345
ROWS_FEW, ROWS_MANY = 100_000, 300_000
"""Few are 50 MB, three row groups of Parquet (16 MB each): with the first alone, a process has not
held yet what it must, a group that is being written beside one that is being filled."""
ANSWER_LIMIT_S = 300


@pytest.fixture
async def home(acme):
    made = (await acme.post("/v1/properties", json=HOME)).json()
    return {"id": made["id"]} | {meter["meter_type"]: meter["id"] for meter in made["meters"]}


async def many_readings(ledger, home, count=READINGS, note="-1+1"):
    """A reading every ten minutes, written past the API; every fifth one corrected."""
    async with transaction(ledger, tenant="acme") as tx:
        await tx.raw.execute(
            """
            WITH first AS (
                SELECT n, gen_random_uuid() AS id FROM generate_series(0, $3::int - 1) AS n
            ), entry AS (
                SELECT n, id, id AS reading_id, 1 AS version, NULL::uuid AS before FROM first
                 UNION ALL
                SELECT n, gen_random_uuid(), id, 2, id FROM first WHERE n % 5 = 0
            )
            INSERT INTO reading_entry (tenant_id, id, reading_id, version, supersedes_id, meter_id,
                property_id, flow, kind, value, digits, decimals, multiplier, quality, note,
                read_at, correlation_id)
            SELECT 'acme', id, reading_id, version, before, $1, $2, 'import', 'reading',
                   n + version * 0.125, 9, 3, 1, 'actual', $5,
                   $4::timestamptz + n * interval '10 min', 'c'
              FROM entry
            """,
            home["total"], home["id"], count, BEGIN, note,
        )  # fmt: skip


async def test_an_export_has_every_reading_once_as_it_counts(acme, home, ledger):
    await many_readings(ledger, home)
    answer = await acme.get("/v1/readings/export", params={"meter_id": home["total"]})
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == READINGS
    values = [Decimal(row["value"]) for row in rows]
    assert values == [
        Decimal(n) + (Decimal("0.250") if n % 5 == 0 else Decimal("0.125"))
        for n in range(READINGS)
    ]  # fmt: skip
    assert {row["note"] for row in rows} == {"'-1+1"}
    answer = await acme.get("/v1/readings/export", params={"format": "parquet"})
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.column("value").to_pylist() == values
    window = {"from": "2020-01-02T00:00:00Z", "to": "2020-01-03T00:00:00Z", "format": "xlsx"}
    answer = await acme.get("/v1/readings/export", params=window)
    assert answer.headers["content-disposition"] == 'attachment; filename="readings.xlsx"'
    assert answer.content[:2] == b"PK"
    nothing = await acme.get("/v1/readings/export", params={"as_of": "2019-01-01T00:00:00Z"})
    assert len(nothing.text.splitlines()) == 1


async def test_what_is_entered_meanwhile_does_not_show(acme, home, ledger):
    await many_readings(ledger, home)
    late = BEGIN + timedelta(days=60, seconds=1)
    body = {"value": "1", "read_at": late.isoformat()}
    taken = []

    async def take(lines):
        if not taken:
            entered = await acme.post(f"/v1/meters/{home['total']}/readings", json=body)
            assert entered.status_code == 201
        taken.append(lines)

    async with snapshot(ledger, tenant="acme") as read:
        await copy_readings(read, "acme", Selection({}), ["note"], take)
    assert b"".join(taken) == b"-1+1\n" * READINGS
    now = (await acme.get("/v1/readings/export")).text
    assert len(now.splitlines()) == READINGS + 2


async def test_a_client_that_goes_away_ends_the_query(ledger, superuser):
    async def fill(file):
        async with snapshot(ledger, tenant="acme") as read:
            await copy_csv(
                read, sa.select(sa.func.generate_series(1, 10**12).label("n")), file.take_csv
            )

    async def copying():
        return await superuser.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT generate_series%'"
            " AND datname = current_database() AND state <> 'idle'"
        )

    something = asyncio.Event()

    async def receive():
        await something.wait()
        assert await copying() == 1
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body"):
            something.set()

    exporter = Exporter(10**9)
    answer = await exporter.export("acme", "numbers", "csv", [Column("n", "whole")], fill)
    await answer({"type": "http"}, receive, send)
    while await copying():  # noqa: ASYNC110 - the server's state, which tells nobody
        await asyncio.sleep(0.05)


@pytest.fixture
def api(ledger_url, tmp_path):
    """The ledger's API in a process of its own: where it is, and the process's id."""
    port = free_port()
    settings = {
        "DATABASE_URL": ledger_url, "HTTP_PORT": str(port), "KAFKA_BOOTSTRAP_SERVERS": "unused:1",
    }  # fmt: skip
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "gridtally.ledger", "api"],
            env=os.environ | settings,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        yield f"http://127.0.0.1:{port}", process.pid
        process.terminate()


async def test_memory_does_not_grow_with_the_rows(acme, home, ledger, api):
    await many_readings(ledger, home, ROWS_MANY, note="x" * 500)
    where, pid = api
    async with httpx.AsyncClient(
        base_url=where, headers=acme.headers, timeout=ANSWER_LIMIT_S
    ) as client:
        await ready(client)
        peaks_mb = []
        for rows in (ROWS_FEW, ROWS_MANY):
            for format_ in FORMATS:
                upto = (BEGIN + rows * timedelta(minutes=10)).isoformat()
                params = {"format": format_, "to": upto}
                async with client.stream("GET", "/v1/readings/export", params=params) as answer:
                    size = sum([len(chunk) async for chunk in answer.aiter_raw()])
                assert format_ != "csv" or size > rows * 500
            peaks_mb.append(peak_memory_mb(pid))
    assert peaks_mb[1] - peaks_mb[0] < (ROWS_MANY - ROWS_FEW) * 500 / 2**20 / 4


async def ready(client):
    while True:
        try:
            (await client.get("/health/ready")).raise_for_status()
        except httpx.HTTPError:
            await asyncio.sleep(0.1)
        else:
            return


def peak_memory_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


async def test_consumption_as_a_file(acme, home):
    for value, read_at in (("0", "2025-01-01T00:00:00Z"), ("8760", "2026-01-01T00:00:00Z")):
        body = {"value": value, "read_at": read_at}
        await acme.post(f"/v1/meters/{home['total']}/readings", json=body)
    path = f"/v1/properties/{home['id']}/consumption"
    window = {"from": "2025-03-01", "to": "2025-04-01", "by": "day"}
    answer = await acme.get(f"{path}/export", params=window)
    rows = [
        row
        for row in csv.DictReader(io.StringIO(answer.text, newline=""))
        if row["meter_type"] == "total"
    ]
    table = (await acme.get(f"{path}/table", params=window)).json()["items"]
    assert [row["kwh"] for row in rows] == [
        row["kwh"] for row in table if row["meter_type"] == "total"
    ]  # fmt: skip
    assert sum(Decimal(row["kwh"]) for row in rows) == 31 * 24 - 1
    far = await acme.get(f"{path}/export", params=window | {"from": "1950-01-01"})
    assert far.json()["code"] == "window_too_wide"
    nowhere = await acme.get(f"/v1/properties/{uuid4()}/consumption/export", params=window)
    assert nowhere.status_code == 404


async def test_other_tenants_and_formats(acme, home, ledger, clients):
    await many_readings(ledger, home, 3)
    other = await clients("other")
    assert len((await other.get("/v1/readings/export")).text.splitlines()) == 1
    answer = await acme.get("/v1/readings/export", params={"format": "pdf"})
    assert paths(answer.json())[0] == "/query/format"
