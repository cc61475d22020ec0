"""The migrated schema: what the models say, on hypertables and on native partitions."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.database.migrations import drift, upgrade
from gridtally.ingest.store.partitions import Partitions
from gridtally.ingest.tables import METADATA
from integration.locks import somebody_waits

MODELS = [METADATA, gridtally.messaging.tables.METADATA, gridtally.http.keys.METADATA]


async def test_the_models_are_the_schema(ingest_url):
    assert await asyncio.to_thread(drift, ingest_url, MODELS, package="gridtally.ingest") == []


@pytest.fixture
async def native(database_url):
    """The URL of ingest's database without TimescaleDB."""
    url = database_url()
    await asyncio.to_thread(upgrade, url, package="gridtally.ingest")
    return url


async def test_native_partitions_are_made_as_they_are_needed(native, ingest):
    assert await asyncio.to_thread(drift, native, MODELS, package="gridtally.ingest") == []
    async with await Database.connect(native, application="test") as database:
        ingest.database = database
        meter_id = uuid4()
        await ingest.register(meter_id, zone="UTC")
        begin = datetime(2025, 1, 31, tzinfo=UTC)
        await ingest.deliver(ingest.block(meter_id, begin, [1] * 192))
        await ingest.deliver(ingest.block(meter_id, begin + timedelta(days=1), [2] * 96))
        assert sorted(day for _, _, day in await ingest.days()) == [
            date(2025, 1, 31), date(2025, 2, 1)
        ]  # fmt: skip
        rows = await ingest.rows(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'channel_day'::regclass ORDER BY 1"
        )
        assert [row["relname"] for row in rows] == ["channel_day_2025_01", "channel_day_2025_02"]


async def test_two_who_need_a_month_at_once_make_its_partitions_once(native):
    """Without the lock the second one's `CREATE TABLE` failed, and its process ended."""
    async with await Database.connect(native, application="test") as database:

        async def need(made, go_on):
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                await Partitions().ensure(tx, [date(2025, 1, 31)])
                made.set()
                await go_on.wait()

        async def ask(question):
            async with transaction(database, tenant=ALL_TENANTS) as tx:
                return await tx.raw.fetchval(question)

        first, second, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as both:
            both.create_task(need(first, go_on))
            await first.wait()
            both.create_task(need(second, go_on))
            await somebody_waits(ask)
            go_on.set()
        assert second.is_set()


async def test_hypertables_where_the_extension_is(ingest):
    rows = await ingest.rows("SELECT extname FROM pg_extension WHERE extname = 'timescaledb'")
    if rows:
        tables = await ingest.rows(
            "SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1"
        )
        assert [row["hypertable_name"] for row in tables] == ["channel_day", "reading_block"]
    else:
        tables = await ingest.rows("SELECT relkind FROM pg_class WHERE relname = 'channel_day'")
        assert [row["relkind"] for row in tables] == [b"p"]


async def test_row_level_security_shows_a_tenant_its_own(ingest):
    await ingest.register(uuid4(), tenant="acme")
    for tenant, expected in (("acme", 1), ("umbra", 0), (ALL_TENANTS, 1)):
        async with transaction(ingest.database, tenant=tenant) as tx:
            assert await tx.raw.fetchval("SELECT count(*) FROM meter") == expected
