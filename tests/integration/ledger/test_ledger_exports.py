"""Exports of readings and consumption: complete, in order, pinned, and bounded in memory."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from pyarrow import parquet

from database import transaction
from ledger.api import exporting
from ledger.store.readings import Selection

HOME = {"name": "=HYPERLINK(1)", "zone": "Europe/Berlin"}
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
READINGS = 12_345


@pytest.fixture
async def home(acme):
    made = (await acme.post("/v1/properties", json=HOME)).json()
    return {"id": made["id"]} | {meter["type"]: meter["id"] for meter in made["meters"]}


async def many_readings(ledger, home, count=READINGS):
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
                   n + version * 0.125, 9, 3, 1, 'actual', '-1+1',
                   $4::timestamptz + n * interval '10 min', 'c'
              FROM entry
            """,
            home["total"], home["id"], count, BEGIN,
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
    window = {"from": "2025-01-02T00:00:00Z", "to": "2025-01-03T00:00:00Z", "format": "xlsx"}
    answer = await acme.get("/v1/readings/export", params=window)
    assert answer.headers["content-disposition"] == 'attachment; filename="readings.xlsx"'
    assert answer.content[:2] == b"PK"
    nothing = await acme.get("/v1/readings/export", params={"as_of": "2024-01-01T00:00:00Z"})
    assert len(nothing.text.splitlines()) == 1


async def test_what_is_entered_meanwhile_does_not_show(acme, home, ledger):
    await many_readings(ledger, home, 2 * exporting.BATCH_ROWS)
    selection = Selection({}, as_of=datetime.now(UTC))
    pages = exporting._readings(ledger, "acme", selection)
    first = await anext(pages)
    late = BEGIN + timedelta(days=60, seconds=1)  # between the readings of the second page
    body = {"value": "1", "read_at": late.isoformat()}
    entered = await acme.post(f"/v1/meters/{home['total']}/readings", json=body)
    assert entered.status_code == 201
    rest = [row async for page in pages for row in page]
    assert (len(first), len(rest)) == (exporting.BATCH_ROWS, exporting.BATCH_ROWS)
    now = (await acme.get("/v1/readings/export")).text
    assert len(now.splitlines()) == 2 * exporting.BATCH_ROWS + 2


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
        if row["type"] == "total"
    ]
    table = (await acme.get(f"{path}/table", params=window)).json()["items"]
    assert [row["kwh"] for row in rows] == [
        row["kwh"] for row in table if row["type"] == "total"
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
    assert answer.json()["faults"][0]["path"] == "/query/format"
