"""Readings of a spring that are archived later, and everything that is read back of them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from gridtally.database import transaction
from gridtally.ingest.domain.archive import ArchiveSettings
from gridtally.ingest.store.archive.shards import upsert_settings
from gridtally.kernel.periods import midnight_utc

BERLIN, HOURLY, PANELS, SAO_PAULO = (UUID(int=number) for number in range(1, 5))
FLOWS = ["import", "export", "generation"]
WINDOW = {"start_on": "2024-02-15", "end_on": "2024-05-02"}


def channel(flow="import", minutes=15, **times):
    return {"flow": flow, "minutes": minutes, "interval_wh_max": 10_000} | times


@pytest.fixture
async def spring(ingest, clients):
    """February to May 2024 of four meters: with gaps, estimates, corrections, a clock change, a
    channel that began in between, and days in the middle of a period of knowledge."""
    ingest.now = datetime(2024, 5, 20, 12, tzinfo=UTC)
    await ingest.register(BERLIN, channels=[channel(), channel("export")])
    await ingest.register(HOURLY, zone="Europe/Paris", channels=[channel(minutes=60)])
    await ingest.register(PANELS, channels=[channel("generation", start_at="2024-03-15T11:00:00Z")])
    await ingest.register(SAO_PAULO, zone="America/Sao_Paulo", channels=[channel(minutes=60)])
    first = midnight_utc("Europe/Berlin", date(2024, 2, 16))
    ingest.known = []
    blocks = []
    for number in range(74):
        at = first + timedelta(days=number)
        values = [(number + slot) % 700 for slot in range(96)]
        values[number % 90 : number % 90 + 3] = [None] * 3
        blocks.append(ingest.block(BERLIN, at, values))
        blocks.append(ingest.block(BERLIN, at, [number] * 96, flow="export"))
        quality = "estimated" if number % 5 == 0 else "actual"
        blocks.append(ingest.block(HOURLY, at, [1000 + number] * 24, minutes=60, quality=quality))
        blocks.append(ingest.block(SAO_PAULO, at, [number] * 24, minutes=60))
    await ingest.deliver(*blocks)
    start_at = datetime(2024, 3, 15, 11, tzinfo=UTC)
    await ingest.deliver(ingest.block(PANELS, start_at, [5] * 960, flow="generation"))
    for days in (1, 20):  # corrections, and estimates that lose
        ingest.known.append(ingest.now)
        ingest.later(minutes=7)
        await ingest.deliver(
            ingest.block(BERLIN, first + timedelta(days=days, hours=5), [9_000 + days] * 8),
            ingest.block(HOURLY, first + timedelta(days=days), [7] * 24, minutes=60,
                         quality="substituted"),
        )  # fmt: skip
    ingest.later(minutes=1)
    await ingest.close()
    return await clients()


async def answers(ingest, client):
    """Everything that is read back of the window, as bytes."""
    ids = [str(meter_id) for meter_id in (SAO_PAULO, BERLIN, PANELS, HOURLY)]
    selection = {"meter_ids": ids, "flows": FLOWS} | WINDOW
    read = {}
    for known_at in (None, *ingest.known):
        query = selection | {"as_known_at": known_at and known_at.isoformat()}
        read["query", known_at] = await client.post("/v1/series/query", json=query)
    sums = selection | {"resolution": "1440"}
    read["sums"] = await client.post("/v1/series/query", json=sums)
    read["completeness"] = await client.post("/v1/series/completeness", json=selection)
    read["export"] = await client.post("/v1/series/export", json=selection)
    window = {"from": WINDOW["start_on"], "to": WINDOW["end_on"]}
    for meter_id, flow in ((BERLIN, "import"), (BERLIN, "export"), (PANELS, "generation")):
        for known_at in (None, ingest.known[-1]):
            more = {"as_known_at": known_at.isoformat()} if known_at else {}
            read[meter_id, flow, known_at] = await client.get(
                f"/v1/meters/{meter_id}/series", params={"flow": flow} | window | more
            )
        read[meter_id, flow, "days"] = await client.get(
            f"/v1/meters/{meter_id}/completeness", params=window
        )
    read["reconciliation"] = await client.get("/v1/reconciliation")
    assert {answer.status_code for answer in read.values()} == {200}, {
        name: answer.text for name, answer in read.items() if answer.status_code != 200
    }
    return {name: answer.content for name, answer in read.items()}


async def later(ingest, days):
    """So many days later, when the meters still send readings: their older ones may leave."""
    ingest.later(days=days)
    at = midnight_utc("Europe/Berlin", ingest.now.date() - timedelta(days=3))
    await ingest.deliver(
        ingest.block(BERLIN, at, [1] * 192),
        ingest.block(BERLIN, at, [1] * 192, flow="export"),
        ingest.block(HOURLY, at, [1] * 48, minutes=60),
        ingest.block(PANELS, at, [1] * 192, flow="generation"),
        ingest.block(SAO_PAULO, at, [1] * 48, minutes=60),
    )
    ingest.later(minutes=1)
    await ingest.close()


async def in_database(ingest, table="channel_day"):
    """How many rows of the window are, by month."""
    rows = await ingest.rows(
        f"SELECT to_char(day, 'YYYY-MM') AS month, count(*)::int AS n FROM {table} "  # noqa: S608
        "WHERE day < '2024-05-02' GROUP BY 1 ORDER BY 1"
    )
    return {row["month"]: row["n"] for row in rows}


def same(before, after):
    """The names of the answers that differ."""
    return [name for name in before if before[name] != after[name]]


async def set_limit(ingest, months=3):
    async with transaction(ingest.database, tenant="acme") as tx:
        await upsert_settings(tx, "acme", ArchiveSettings(months, 1))
