"""The whole process on the real broker and database, killed and started again."""

import asyncio
import os
import random
import re
import signal
import sys
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.metering import (
    Channel,
    MeterRegistered,
    PeriodClosed,
    ReadingsReceived,
    UsageRecorded,
)
from gridtally.database import ALL_TENANTS, Database, snapshot
from gridtally.kernel.periods import midnight_utc
from gridtally.messaging import OutgoingMessage, ensure_topics, follow

ZONE = "Europe/Berlin"
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
METERS = 20
WAIT_S = 120


@asynccontextmanager
async def serving(url, servers):
    """`python -m gridtally.ingest serve`, once it reports that it is ready; killed in the end."""
    environment = os.environ | {
        "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap, "HTTP_PORT": "0",
        "KAFKA_IDEMPOTENCE": str(servers.idempotence), "SHUTDOWN_TIMEOUT_S": str(WAIT_S),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gridtally.ingest",
        "serve",
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        lines = []
        async with asyncio.timeout(WAIT_S):
            while not any(re.search(r'"event": ?"ready"', line) for line in lines[-1:]):
                line = await process.stderr.readline()
                assert line, lines
                lines.append(line.decode())
        drained = asyncio.create_task(drain(process.stderr, lines))
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
    await drained


async def drain(stream, lines):
    while line := await stream.readline():
        lines.append(line.decode())


def outgoing(event, tenant, *, event_id=None, correlation_id="c"):
    return OutgoingMessage.of(
        event, tenant_id=tenant, correlation_id=correlation_id, source="test",
        event_id=event_id or uuid4(), occurred_at=datetime(2025, 4, 2, tzinfo=UTC),
    )  # fmt: skip


def month(meter_id, tenant):
    """A block per local day of March."""
    for n in range(31):
        day = MARCH[0] + timedelta(days=n)
        begin, end = midnight_utc(ZONE, day), midnight_utc(ZONE, day + timedelta(days=1))
        event = ReadingsReceived(
            meter_id=meter_id, flow="import", start_at=begin, minutes=15,
            values=[n] * ((end - begin) // timedelta(minutes=15)),
        )  # fmt: skip
        yield outgoing(event, tenant, correlation_id=f"{meter_id}")


@pytest.fixture
async def database(ingest_url):
    async with await Database.connect(ingest_url, application="test") as opened:
        yield opened


async def eventually(database, sql, expected, **parameters):
    """Until the query's one figure is what is expected."""
    figure = None
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                async with snapshot(database, tenant=ALL_TENANTS) as read:
                    figure = await read.scalar(sa.text(sql), parameters)
                if figure == expected:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"{sql}: {figure}, not {expected}")


async def test_readings_become_closed_periods_through_kills(
    database, ingest_url, stack_servers, publishing
):
    """Everything twice and out of order across meters, registrations last, killed in between."""
    bootstrap = stack_servers.bootstrap
    await ensure_topics(bootstrap)
    tenant, chance = f"t-{uuid4().hex[:8]}", random.Random(5)
    meters = [uuid4() for _ in range(METERS)]
    agreements = [
        AgreementChanged(agreement_id=uuid4(), customer_id=uuid4(), meter_id=meter_id,
                         tariff_id=uuid4(), start_on=MARCH[0], end_on=MARCH[1], version=1)
        for meter_id in meters
    ]  # fmt: skip
    registered = [
        MeterRegistered(meter_id=meter_id, property_id=uuid4(), meter_type="main", name="m",
                        zone=ZONE,
                        channels=[Channel(flow="import", minutes=15, interval_wh_max=1_000)],
                        version=1)
        for meter_id in meters
    ]  # fmt: skip
    blocks = [block for meter_id in meters for block in month(meter_id, tenant)] * 2
    chance.shuffle(blocks)
    async with publishing() as publisher:
        async with serving(ingest_url, stack_servers):
            await publisher.publish([outgoing(event, tenant) for event in agreements])
            for start in range(0, len(blocks), 300):
                await publisher.publish(blocks[start : start + 300])
        async with serving(ingest_url, stack_servers):
            await publisher.publish([outgoing(event, tenant) for event in registered])
            await asyncio.sleep(0.5)
        async with serving(ingest_url, stack_servers) as process:
            closed = "SELECT count(*) FROM period WHERE tenant_id = :tenant AND revision = 1"
            await eventually(database, closed, METERS, tenant=tenant)
            await eventually(database, "SELECT count(*) FROM changed_day", 0)
            await eventually(database, "SELECT count(*) FROM outbox", 0)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(2 * WAIT_S):
                assert await process.wait() == 0
    await check_tables(database, tenant)
    await check_events(bootstrap, tenant, meters)


async def check_tables(database, tenant):
    """Every event stored once, every value there, and the counts agree."""
    async with snapshot(database, tenant=tenant) as read:
        blocks = "SELECT count(*), count(DISTINCT event_id) FROM reading_block WHERE tenant_id = $1"
        assert tuple(await read.raw.fetchrow(blocks, tenant)) == (METERS * 31, METERS * 31)
        days = "SELECT count(*), sum(present) FROM channel_day WHERE tenant_id = $1"
        assert tuple(await read.raw.fetchrow(days, tenant)) == (METERS * 31, METERS * 2972)
        counts = await read.raw.fetchrow(
            "SELECT sum(received)::int, sum(stored)::int, sum(duplicates)::int, "
            "sum(pending)::int FROM intake_count WHERE tenant_id = $1", tenant
        )  # fmt: skip
        assert tuple(counts) == (METERS * 62, METERS * 31, METERS * 31, 0)


async def check_events(bootstrap, tenant, meters):
    """Each period was published, with all its values and its cause, and each day as usage."""
    closed, usage = {}, {}
    async with asyncio.timeout(WAIT_S):
        async for batch in follow(bootstrap, PeriodClosed, UsageRecorded):
            for message in batch:
                event, envelope = message.event, message.envelope
                if envelope.tenant_id == tenant and message.topic == PeriodClosed.TOPIC:
                    closed[event.meter_id] = (event, envelope.correlation_id)
                elif envelope.tenant_id == tenant:
                    usage[event.meter_id, event.day] = event.values
            if len(closed) == METERS and len(usage) == METERS * 31:
                break
    assert set(closed) == set(meters)
    for meter_id, (event, cause) in closed.items():
        assert cause == str(meter_id)
        values = event.series[0].values
        assert (len(values), values[0], values[-1]) == (2972, 0, 30)
