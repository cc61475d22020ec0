"""Live streams of the whole process, on the real broker and database."""

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from gridtally.contracts.metering import (
    Channel,
    MeterRegistered,
    ReadingRecorded,
    UsageRecorded,
)
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.http.keys import api_key, sha256_hex
from gridtally.messaging import OutgoingMessage, ensure_topics

LIMIT_S = 120
SECRET = "s" * 43
PATH = "/v1/readings/stream"
SLOW_DAYS = 2_000
GROWTH_KIB_MAX = 20_000


class Process:
    """`python -m gridtally.ingest <mode>`, its lines and where it listens."""

    def __init__(self, process, lines, port):
        self.process, self.lines, self.port = process, lines, port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def rss_kib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@asynccontextmanager
async def running(mode, url, servers):
    environment = os.environ | {
        "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap, "HTTP_PORT": "0",
        "KAFKA_IDEMPOTENCE": str(servers.idempotence), "KEY_CACHE_TTL_S": "0",
        "ANNOUNCE_DELAY_S": "0",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gridtally.ingest", mode, env=environment,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines, drained = [], None
    try:
        async with asyncio.timeout(LIMIT_S):
            while not (ready := re.search(r'"port": ?(\d+)', lines[-1] if lines else "")):
                line = await process.stderr.readline()
                assert line, lines
                lines.append(line.decode())
        drained = asyncio.create_task(drain(process.stderr, lines))
        yield Process(process, lines, int(ready[1]))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if drained is not None:
            await drained


async def drain(stream, lines):
    while line := await stream.readline():
        lines.append(line.decode())


class Stream:
    """An open stream: its events as they come."""

    def __init__(self, answer):
        self._lines = answer.aiter_lines()
        self.last_id = None

    async def next(self, limit_s=LIMIT_S):
        """The next event, (name, data); pings are read over, but for their id."""
        name, data = None, None
        async with asyncio.timeout(limit_s):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = json.loads(value)
                elif field == "id":
                    self.last_id = value
                elif not line and name is not None:
                    return name, data
        raise EOFError

    async def begun(self):
        """Once it has said where it begins."""
        async with asyncio.timeout(LIMIT_S):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                    break
        return self


@pytest.fixture
async def database(ingest_url):
    async with await Database.connect(ingest_url, application="test") as opened:
        yield opened


@pytest.fixture
async def key_of(database):
    """Makes keys: `headers = await key_of("acme")`."""

    async def make(tenant, *scopes):
        key_id = uuid4().hex[:12]
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.execute(
                sa.insert(api_key).values(
                    key_id=key_id, tenant_id=tenant, secret_sha256=sha256_hex(SECRET),
                    scopes=list(scopes or ("ingest:read", "ingest:write")), name="test",
                )
            )  # fmt: skip
        return {"Authorization": f"Bearer gt_{key_id}_{SECRET}"}

    return make


@pytest.fixture
async def listen():
    """Opens streams: `stream = await listen(url, headers, flow="import")`."""
    async with AsyncExitStack() as opened:

        async def open_stream(url, headers, last_id=None, **query):
            client = await opened.enter_async_context(httpx.AsyncClient(timeout=LIMIT_S))
            more = {} if last_id is None else {"Last-Event-ID": last_id}
            answer = await opened.enter_async_context(
                client.stream("GET", url + PATH, params=query, headers=headers | more)
            )
            assert answer.status_code == 200, await answer.aread()
            return Stream(answer)

        yield open_stream


@pytest.fixture
async def sent(publishing, kafka_bootstrap):
    """Publishes events of a tenant: `await sent("acme", event, …)`."""
    await ensure_topics(kafka_bootstrap)
    async with publishing() as publisher:

        async def send(tenant, *events):
            await publisher.publish(
                [
                    OutgoingMessage.of(
                        event, tenant_id=tenant, correlation_id="c", source="test",
                        event_id=uuid4(), occurred_at=datetime.now(UTC),
                    )
                    for event in events
                ]
            )  # fmt: skip

        yield send


@pytest.fixture
def tenant():
    return f"t-{uuid4().hex[:8]}"


def meter(meter_id, property_id=None, version=1):
    return MeterRegistered(
        meter_id=meter_id, property_id=property_id or uuid4(), meter_type="main", name="m",
        zone="UTC", version=version,
        channels=[Channel(flow="import", minutes=60, interval_wh_max=1_000)],
    )  # fmt: skip


def usage(meter_id, version, values, *, day=date(2025, 3, 1), flow="import"):
    return UsageRecorded(
        meter_id=meter_id, flow=flow, day=day, zone="UTC", minutes=60, version=version,
        values=values, quality="A" * len(values), recorded_at=datetime.now(UTC),
    )  # fmt: skip


def register(meter_id, version, value):
    return ReadingRecorded(
        entry_id=uuid4(), reading_id=meter_id, version=version, meter_id=meter_id,
        property_id=uuid4(), flow="import", kind="reading", value=value, digits=6, decimals=0,
        multiplier="1", quality="actual", read_at=datetime.now(UTC), recorded_at=datetime.now(UTC),
    )  # fmt: skip


async def known(database, meter_id):
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with snapshot(database, tenant=ALL_TENANTS) as read:
                if await read.scalar(sa.text("SELECT count(*) FROM meter WHERE id = :id"),
                                     {"id": meter_id}):  # fmt: skip
                    return
            await asyncio.sleep(0.05)


async def test_a_reading_over_http_is_an_event_of_its_tenant_and_nobody_elses(
    ingest_url, stack_servers, database, key_of, listen, sent, tenant
):
    meter_id, property_id = uuid4(), uuid4()
    async with running("serve", ingest_url, stack_servers) as process:
        await sent(tenant, meter(meter_id, property_id))
        await known(database, meter_id)
        own, foreign = await key_of(tenant), await key_of(f"{tenant}-other")
        streams = [
            await (await listen(process.url, own, **query)).begun()
            for query in ({}, {"meter_id": meter_id}, {"property_id": property_id})
        ]
        silent = [
            await (await listen(process.url, headers, **query)).begun()
            for headers, query in (
                (foreign, {}),
                (foreign, {"property_id": property_id}),
                (own, {"flow": "export"}),
                (own, {"property_id": uuid4()}),
            )
        ]
        async with httpx.AsyncClient(base_url=process.url, headers=own) as client:
            for hour in range(10):
                block = {
                    "meter_id": str(meter_id), "flow": "import", "minutes": 60,
                    "start_at": f"2025-03-01T{hour:02}:00:00Z", "values": [100 + hour],
                }  # fmt: skip
                answer = await client.post("/v1/readings", json=block)
                assert answer.status_code == 202
                for stream in streams:
                    name, data = await stream.next()
                    assert (name, data["meter_id"], data["flow"]) == (
                        "reading", str(meter_id), "import",
                    )  # fmt: skip
                    assert data["values"][hour] == 100 + hour
                    assert data["quality"] == "A" * (hour + 1) + "-" * (23 - hour)
                    assert (data["day"], data["version"]) == ("2025-03-01", hour + 1)
                    assert data["first_changed_slot"] == (hour or None)
            unknown = await client.get(PATH, params={"meter_id": str(uuid4())})
            assert (unknown.status_code, unknown.json()["code"]) == (404, "meter_unknown")
            both = await client.get(
                PATH, params={"meter_id": str(meter_id), "property_id": str(property_id)}
            )
            assert (both.status_code, both.json()["code"]) == (422, "invalid_request")
            theirs = await client.get(PATH, params={"meter_id": str(meter_id)}, headers=foreign)
            assert (theirs.status_code, theirs.json()["code"]) == (404, "meter_unknown")
        for stream in silent:
            with pytest.raises(TimeoutError):
                await stream.next(0.5)


async def test_a_register_reading_and_the_newest_version_of_what_came_meanwhile(
    ingest_url, stack_servers, key_of, listen, sent, tenant
):
    """Away for a while, through another process: each channel-day once, in its newest version."""
    meter_id, other_id = uuid4(), uuid4()
    async with (
        running("api", ingest_url, stack_servers) as first,
        running("api", ingest_url, stack_servers) as second,
    ):
        key = await key_of(tenant)
        stream = await (await listen(first.url, key)).begun()
        await sent(tenant, register(meter_id, 1, "12"))
        name, data = await stream.next()
        assert name == "register"
        assert (data["value"], data["unit"], data["version"]) == ("12", "kWh", 1)
        first.process.send_signal(signal.SIGKILL)
        with pytest.raises((EOFError, httpx.RemoteProtocolError)):
            await stream.next()
        for version in range(1, 4):
            await sent(tenant, usage(meter_id, version, [version] * 24))
        await sent(tenant, usage(other_id, 1, [5] * 24), register(meter_id, 2, "13"))
        await sent(f"{tenant}-other", usage(meter_id, 9, [9] * 24))
        again = await listen(second.url, key, stream.last_id)
        events = [await again.next() for _ in range(3)]
        assert sorted(
            (name, data["meter_id"], data["version"], data.get("first_changed_slot", "-"))
            for name, data in events
        ) == sorted(
            [
                ("reading", str(meter_id), 3, None),
                ("reading", str(other_id), 1, None),
                ("register", str(meter_id), 2, "-"),
            ]
        )
        await sent(tenant, usage(other_id, 2, [5] * 23 + [6]))
        name, data = await again.next()
        assert (name, data["version"], data["first_changed_slot"]) == ("reading", 2, None)
        await sent(tenant, usage(other_id, 3, [5] * 22 + [7, 6]))
        assert (await again.next())[1]["first_changed_slot"] == 22
        once_more = await listen(second.url, key, again.last_id)
        with pytest.raises(TimeoutError):
            await once_more.next(0.5)


@pytest.mark.parametrize(("last_id", "expected"), [("0:0", "gap"), ("far", "gap"), ("x", 422)])
async def test_an_id_of_which_the_log_does_not_know_is_a_gap_or_refused(
    ingest_url, stack_servers, key_of, listen, sent, tenant, last_id, expected
):
    async with running("api", ingest_url, stack_servers) as process:
        key = await key_of(tenant)
        if expected == 422:
            async with httpx.AsyncClient(base_url=process.url, headers=key) as client:
                refused = await client.get(PATH, headers={"Last-Event-ID": last_id})
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
            return
        begin = await (await listen(process.url, key)).begun()
        far = re.sub(r":\d+", lambda at: f"{at[0]}999", begin.last_id)
        stream = await listen(process.url, key, far if last_id == "far" else last_id)
        assert await stream.next() == ("gap", {"reason": "too_old"})
        await sent(tenant, usage(uuid4(), 1, [1] * 24))
        assert (await stream.next())[0] == "reading"


async def test_a_slow_reader_costs_little_memory_and_is_sent_a_gap(
    ingest_url, stack_servers, database, key_of, listen, sent, tenant
):
    """It reads nothing while thousands of channel-days change; another stream goes on beside it."""
    marker_id = uuid4()
    async with running("serve", ingest_url, stack_servers) as process:
        await sent(tenant, meter(marker_id))
        await known(database, marker_id)
        key = await key_of(tenant)
        marked = await (await listen(process.url, key, meter_id=marker_id)).begun()
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port, limit=2**16)
        try:
            request = (
                f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n\r\n"
            )
            writer.write(request.encode())
            head = await asyncio.wait_for(reader.readuntil(b"id: "), LIMIT_S)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            used_kib = []
            for _ in range(3):
                await sent(tenant, *(usage(uuid4(), 1, [1_000] * 96) for _ in range(SLOW_DAYS)))
                await sent(tenant, usage(marker_id, len(used_kib) + 1, [1]))
                assert (await marked.next())[1]["version"] == len(used_kib) + 1
                used_kib.append(process.rss_kib())
            assert used_kib[2] - used_kib[0] < GROWTH_KIB_MAX
            got = await asyncio.wait_for(reader.readuntil(b"event: gap\n"), LIMIT_S)
            assert got.count(b"event: reading") < SLOW_DAYS // 2
            assert b"slow_reader" in await asyncio.wait_for(reader.readuntil(b"\n\n"), LIMIT_S)
        finally:
            writer.close()
            await writer.wait_closed()


async def test_a_process_that_is_asked_to_end_ends_its_streams_first(
    ingest_url, stack_servers, key_of, listen, tenant
):
    async with running("api", ingest_url, stack_servers) as process:
        key = await key_of(tenant)
        streams = [await (await listen(process.url, key)).begun() for _ in range(100)]
        process.process.send_signal(signal.SIGTERM)
        for stream in streams:
            with pytest.raises(EOFError):
                await stream.next()
        assert await asyncio.wait_for(process.process.wait(), LIMIT_S) == 0
